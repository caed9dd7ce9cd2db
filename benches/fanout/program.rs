//! Server programs as child processes: how each is started, and what it costs, read off
//! `/proc`: its own CPU and memory and nobody else's.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const NATS_PORT: u16 = 24_222;
const NATS_WS_PORT: u16 = 24_223;

/// The bench itself, when it is to be the floor.
pub const AS_FLOOR: &str = "--as-floor";

/// A program that ends with this value.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    /// What it reads while it runs.
    _files: Option<TempDir>,
}

/// Seconds of CPU so far.
#[derive(Clone, Copy)]
pub struct Cpu {
    pub user: f64,
    pub system: f64,
}

impl std::ops::Sub for Cpu {
    type Output = Cpu;

    fn sub(self, before: Cpu) -> Cpu {
        Cpu {
            user: self.user - before.user,
            system: self.system - before.system,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// A skyhaul, once it says where it listens.
    pub fn skyhaul(binary: &Path, world: &str) -> Self {
        let files = tempfile::tempdir().expect("a temporary folder");
        let scenario = files.path().join("fan-out.toml");
        std::fs::write(&scenario, world).expect("the folder takes a file");
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data", ":memory:"])
            .arg("--scenario")
            .arg(&scenario)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let address = announced(child.stderr.take().expect("it was asked for"));
        Program {
            child,
            address,
            _files: Some(files),
        }
    }

    /// `None` where this machine has none.
    pub fn nats() -> Option<Self> {
        let files = tempfile::tempdir().expect("a temporary folder");
        let config = files.path().join("nats.conf");
        let text = format!(
            "listen: 127.0.0.1:{NATS_PORT}\nmax_connections: 30000\n\
             websocket {{ listen: \"127.0.0.1:{NATS_WS_PORT}\", no_tls: true }}\n"
        );
        std::fs::write(&config, text).expect("the folder takes a file");
        let mut command = Command::new("nats-server");
        command
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().ok()?;
        std::thread::sleep(Duration::from_secs(1));
        Some(Program {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], NATS_WS_PORT)),
            _files: Some(files),
        })
    }

    /// This bench as the floor, with frames of these sizes.
    pub fn floor(bytes: [usize; 2]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("a bench is a file"));
        command
            .arg(AS_FLOOR)
            .args(bytes.map(|bytes| bytes.to_string()))
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the bench starts again");
        let address = announced(child.stderr.take().expect("it was asked for"));
        Program {
            child,
            address,
            _files: None,
        }
    }

    /// What the scheduler counted, to the nanosecond, shared out as the clock's ticks found it.
    pub fn cpu(&self) -> Cpu {
        let stat = self.read("stat");
        let (_, figures) = stat.rsplit_once(')').expect("its name stands in brackets");
        let mut times = figures.split_whitespace().skip(11);
        let mut next = || times.next().and_then(|ticks| ticks.parse::<f64>().ok());
        let (user, system) = next().zip(next()).expect("two figures");
        let total = self.scheduled_seconds();
        let share = user / (user + system).max(1.0);
        Cpu {
            user: total * share,
            system: total * (1.0 - share),
        }
    }

    /// Of all its threads; servers' threads do not end while they are measured.
    fn scheduled_seconds(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let nanoseconds = tasks.flatten().filter_map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        });
        nanoseconds.sum::<f64>() / 1e9
    }

    pub fn resident_kib(&self) -> f64 {
        let statm = self.read("statm");
        let pages = statm.split_whitespace().nth(1);
        let pages: f64 = pages.and_then(|pages| pages.parse().ok()).expect("a count");
        pages * 4.0
    }

    fn read(&self, what: &str) -> String {
        let path = format!("/proc/{}/{what}", self.child.id());
        std::fs::read_to_string(path).expect("it runs")
    }
}

/// The address behind the first `http://` that a program says; the rest is read and dropped.
fn announced(output: impl Read + Send + 'static) -> SocketAddr {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let address = lines.by_ref().find_map(|line| {
        let (_, rest) = line.split_once("http://")?;
        let end = |c: char| c.is_whitespace() || c == '/' || c == '"';
        rest.split(end).next()?.parse().ok()
    });
    std::thread::spawn(move || lines.for_each(drop));
    address.expect("it says where it listens")
}
