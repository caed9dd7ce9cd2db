//! A message broker of the tests' own: nats-server, which speaks MQTT too.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::PATIENCE;

pub const USER: &str = "fleet";
/// With a letter that an address has to encode.
pub const PASSWORD: &str = "open/sesame";
pub const ENCODED_PASSWORD: &str = "open%2Fsesame";

pub struct Broker {
    server: Child,
    pub nats: u16,
    pub mqtt: u16,
    _folder: TempDir,
}

impl Broker {
    /// With one user, whose password is asked for.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (nats, mqtt) = (free_port(), free_port());
        let settings = settings(folder.path(), nats, mqtt);
        let file = folder.path().join("broker.conf");
        std::fs::write(&file, settings).expect("the folder takes it");
        let server = Command::new(program())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is there: `make nats`");
        for port in [nats, mqtt] {
            timeout(PATIENCE, answers(port))
                .await
                .expect("nats-server listens");
        }
        Broker {
            server,
            nats,
            mqtt,
            _folder: folder,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _gone_already = self.server.kill();
        let _gone_already = self.server.wait();
    }
}

fn settings(folder: &Path, nats: u16, mqtt: u16) -> String {
    format!(
        r#"
server_name: tests
listen: "127.0.0.1:{nats}"
jetstream {{ store_dir: "{}" }}
mqtt {{ listen: "127.0.0.1:{mqtt}" }}
authorization {{ user: "{USER}", password: "{PASSWORD}" }}
"#,
        folder.display()
    )
}

async fn answers(port: u16) {
    let mut again = interval(Duration::from_millis(20));
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        again.tick().await;
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has one").port()
}

/// `make test` unpacks one where there is none; Debian keeps it where a user's path may not look.
fn program() -> PathBuf {
    let unpacked = concat!(env!("CARGO_MANIFEST_DIR"), "/target/nats/usr/sbin/nats-server");
    let places = [unpacked, "/usr/sbin/nats-server"].map(PathBuf::from);
    let found = places.into_iter().find(|place| place.exists());
    found.unwrap_or_else(|| PathBuf::from("nats-server"))
}
