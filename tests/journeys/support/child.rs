//! The program as a process of its own, to be killed or told to end.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::operator::Operator;

/// Nothing here takes long; whoever waits longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_skyhaul");

/// `skyhaul serve` on a free port. Dropping it kills it.
pub struct Child {
    process: std::process::Child,
    log: Log,
}

/// What it says on standard output and standard error, and the address once it has said
/// that.
#[derive(Clone)]
struct Log {
    text: Arc<Mutex<String>>,
    address: watch::Receiver<Option<SocketAddr>>,
}

impl Child {
    /// Starts it, and does not wait until it serves.
    pub fn spawn(scenario: &Path, data: &Path, flags: &[&str]) -> Self {
        Self::spawn_with(scenario, data, flags, &[])
    }

    /// The same of another build.
    pub fn spawn_program(program: &Path, scenario: &Path, data: &Path, flags: &[&str]) -> Self {
        Self::start(Command::new(program), scenario, data, flags, &[])
    }

    /// The same with further variables in its environment.
    pub fn spawn_with(scenario: &Path, data: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start(Command::new(PROGRAM), scenario, data, flags, variables)
    }

    /// Whether this machine lets a process have disks that nobody else sees: some containers
    /// do not.
    pub fn may_have_a_disk(at: &Path) -> bool {
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "none"])
            .arg(at)
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// The same with a disk of so many megabytes of its own at `data`, an empty folder. Nobody
    /// else sees it, but for [`Child::as_it_sees`], and it is gone with the process.
    pub fn spawn_on_a_small_disk(scenario: &Path, data: &Path, flags: &[&str], megabytes: u32) -> Self {
        const MOUNTING: &str = r#"mount -t tmpfs -o "size=$1m" none "$2" && shift 2 && exec "$@""#;
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", MOUNTING, "mounting"])
            .arg(megabytes.to_string())
            .arg(data)
            .arg(PROGRAM);
        Self::start(command, scenario, data, flags, &[])
    }

    fn start(
        mut command: Command,
        scenario: &Path,
        data: &Path,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut process = command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0"])
            .arg("--scenario")
            .arg(scenario)
            .arg("--data")
            .arg(data)
            .args(flags)
            .envs(variables.iter().copied())
            // Actors panic on purpose, and often.
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program is built");
        let stdout = process.stdout.take().expect("it is piped");
        let stderr = process.stderr.take().expect("it is piped");
        let log = listen(stdout, stderr);
        Child { process, log }
    }

    /// Where this process has to look for what that one sees at `path`.
    pub fn as_it_sees(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(path.strip_prefix("/").expect("the path is absolute"))
    }

    /// Waits until it serves.
    pub async fn serving(&mut self) -> Operator {
        let mut address = self.log.address.clone();
        let found = tokio::time::timeout(PATIENCE, address.wait_for(Option::is_some)).await;
        match found {
            Ok(Ok(address)) => Operator::at(address.expect("it was waited for")),
            Ok(Err(_)) => panic!("the server ended before it served:\n{}", self.log()),
            Err(_) => panic!("the server does not come up:\n{}", self.log()),
        }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.text.lock().clone()
    }

    /// SIGKILL: not one more instruction of it is carried out.
    pub fn kill(mut self) {
        self.process.kill().expect("it is a child of this process");
        self.process.wait().expect("it is a child of this process");
    }

    /// SIGTERM; returns at once.
    pub fn terminate(&self) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits until it ends by itself; `None` when it does not within this time.
    pub async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        // What it writes to ends with it.
        let mut address = self.log.address.clone();
        let silent = async { while address.changed().await.is_ok() {} };
        tokio::time::timeout(within, silent).await.ok()?;
        Some(self.process.wait().expect("it is a child of this process"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _waited_already = self.process.wait();
    }
}

fn listen(stdout: ChildStdout, stderr: ChildStderr) -> Log {
    let text = Arc::new(Mutex::new(String::new()));
    let (found, address) = watch::channel(None);
    write_down(stdout, Arc::clone(&text), found.clone());
    write_down(stderr, Arc::clone(&text), found);
    Log { text, address }
}

fn write_down(
    from: impl Read + Send + 'static,
    text: Arc<Mutex<String>>,
    found: watch::Sender<Option<SocketAddr>>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if let Some(address) = address_in(&line) {
                found.send_replace(Some(address));
            }
            let mut text = text.lock();
            text.push_str(&line);
            text.push('\n');
        }
    });
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("serving on http://")?;
    rest.split([' ', '"']).next()?.parse().ok()
}
