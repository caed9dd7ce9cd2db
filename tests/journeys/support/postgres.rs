//! A PostgreSQL of the tests' own, on a private folder, socket and port, as a user who is not
//! root. It ends with the process that started it, however that ends.
//!
//! Also compiled into the library's own tests.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

const USER: &str = "skyhaul";
pub const PASSWORD: &str = "open-sesame";

/// Waits until its standard input ends, which it does with the process at the other end, and
/// clears everything away. In a folder of its own, whose name it says first.
const KEEPER: &str = r#"
folder=$(mktemp -d "${TMPDIR:-/tmp}/skyhaul-postgres.XXXXXX") || exit 1
trap '' INT TERM HUP
echo "$folder"
cat >/dev/null
"$1/pg_ctl" stop --silent --mode immediate -D "$folder/data" 2>/dev/null
rm -rf "$folder"
"#;

/// Small.
const SETTINGS: [&str; 4] = [
    "shared_buffers=32MB",
    "max_connections=60",
    "autovacuum_naptime=5s",
    "log_min_messages=fatal",
];

/// A database cluster with the process that keeps it.
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Whether a commit waits for the disk.
    flushes: bool,
    databases: AtomicU64,
    keeper: Child,
}

static SHARED: LazyLock<Cluster> = LazyLock::new(Cluster::start);

/// The one for tests that leave the cluster itself alone.
pub fn shared() -> &'static Cluster {
    &SHARED
}

impl Cluster {
    /// Makes one and starts it. It does not wait for the disk: no test cuts the power.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// One that may wait for the disk at each commit, as those of users do.
    pub fn start_with(flushes: bool) -> Self {
        let programs = programs();
        let mut keeper = as_somebody(Command::new("sh"))
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let mut folder = String::new();
        let said = keeper.stdout.take().expect("it is piped");
        BufReader::new(said).read_line(&mut folder).expect("it is text");
        let cluster = Cluster {
            programs,
            folder: PathBuf::from(folder.trim_end()),
            port: free_port(),
            flushes,
            databases: AtomicU64::new(0),
            keeper,
        };
        cluster.initialise();
        cluster.start_again();
        cluster
    }

    fn initialise(&self) {
        let password = self.folder.join("password");
        std::fs::write(&password, PASSWORD).expect("the folder takes it");
        // Written by whoever runs the tests, to be read by whoever runs the database.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&password, readable).expect("it is there");
        let made = self
            .program("initdb")
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER])
            .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
            .arg(format!("--pwfile={}", password.display()))
            .arg("-D")
            .arg(self.data())
            .output();
        expect_success("initdb", made.expect("it is there"));
    }

    /// After [`Cluster::kill`] or [`Cluster::stop`]: on the same folder and port.
    pub fn start_again(&self) {
        let mut options = vec![
            format!("-p {}", self.port),
            "-c listen_addresses=127.0.0.1".to_owned(),
            format!("-c unix_socket_directories={}", self.folder.display()),
        ];
        options.push(format!("-c fsync={}", if self.flushes { "on" } else { "off" }));
        options.extend(SETTINGS.map(|setting| format!("-c {setting}")));
        // The processes of one that was killed may take a moment to be gone.
        for attempt in 1.. {
            let started = self
                .program("pg_ctl")
                .args(["start", "--wait", "--timeout=60", "--silent"])
                .arg("-o")
                .arg(options.join(" "))
                .arg("-l")
                .arg(self.folder.join("log"))
                .arg("-D")
                .arg(self.data())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("it is there");
            if started.success() {
                return;
            }
            assert!(attempt < 50, "PostgreSQL does not start:\n{}", self.log());
        }
    }

    /// SIGKILL to its first process.
    pub fn kill(&self) {
        let killed = Command::new("kill").args(["-KILL", &self.postmaster()]).status();
        assert!(killed.expect("kill is there").success());
    }

    /// The process that all others of it hang on.
    pub fn postmaster(&self) -> String {
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        pid.lines().next().expect("its first line is a number").to_owned()
    }

    /// As an administrator in a hurry: every session is cut off.
    pub fn stop(&self) {
        let stopped = self
            .program("pg_ctl")
            .args(["stop", "--silent", "--mode", "immediate", "-D"])
            .arg(self.data())
            .output();
        expect_success("pg_ctl stop", stopped.expect("it is there"));
    }

    /// An empty database; answers with its URL.
    pub fn database(&self) -> String {
        let name = format!("world_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.tell("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    /// Has statements carried out in the database of this URL; answers with the rows, their
    /// columns parted by `|`.
    pub fn ask(&self, url: &str, sql: &str) -> String {
        let database = url.rsplit('/').next().and_then(|rest| rest.split('?').next());
        self.tell(database.expect("a URL has a database"), sql)
    }

    fn tell(&self, database: &str, sql: &str) -> String {
        let told = self
            .program("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args([
                "--set",
                "ON_ERROR_STOP=1",
                "--username",
                USER,
                "--dbname",
                database,
            ])
            .arg("--host")
            .arg(&self.folder)
            .arg("--port")
            .arg(self.port.to_string())
            .args(["--command", sql])
            .stdin(Stdio::null())
            .output();
        expect_success(sql, told.expect("psql is there"))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn program(&self, name: &str) -> Command {
        as_somebody(Command::new(self.programs.join(name)))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _it_is_gone = self.keeper.wait();
    }
}

/// PostgreSQL refuses to run as root.
fn as_somebody(mut command: Command) -> Command {
    command.current_dir("/");
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if root {
        let (user, group) = somebody();
        command.uid(user).gid(group);
    }
    command
}

/// Whom Debian's package runs it as, or nobody.
fn somebody() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("there are users");
    let numbers = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    numbers("postgres")
        .or(numbers("nobody"))
        .expect("there is nobody")
}

/// Where Debian has the newest version's programs, which are on no path, or where the path has them.
fn programs() -> PathBuf {
    let has_them = |folder: &PathBuf| folder.join("initdb").is_file();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(has_them)
        .max_by_key(|bin| {
            let version = bin.parent().and_then(Path::file_name);
            version.and_then(|version| version.to_str()?.parse::<u32>().ok())
        });
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .or_else(|| std::env::split_paths(&path).find(has_them))
        .expect("missing: PostgreSQL (apt-get install postgresql)")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

fn expect_success(what: &str, output: Output) -> String {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{what}: {}", said(&output.stderr));
    said(&output.stdout)
}
