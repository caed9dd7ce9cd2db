//! The program as users start it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The program that was built with these tests.
pub fn skyhaul() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_skyhaul"))
}

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end in the crate's folder, untouched by the caller's settings.
pub fn run<A: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = A>) -> Ended {
    run_with(program, arguments, &[])
}

/// The same, with settings of its own.
pub fn run_with<A: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    settings: &[(&str, &str)],
) -> Ended {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SKYHAUL_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(arguments)
        .envs(settings.iter().copied())
        .env("RUST_LOG", "warn")
        .env("RUST_BACKTRACE", "1")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    Ended {
        status: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

impl Ended {
    /// The JSON object on the last line of a run that went well.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        let last = self.stdout.lines().last().expect("a line of JSON");
        serde_json::from_str(last).expect("JSON on the last line")
    }
}
