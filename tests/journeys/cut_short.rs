//! What is ended by a signal before its time: nothing half is left under a name that promises more,
//! and what can be of use half can be used.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::program::{Ended, run, skyhaul};

const SCENARIO: &str = "tests/clients/worlds/busy.toml";
/// Some seconds of work for whoever reads it.
const ENOUGH_BYTES: u64 = 2_000_000;

fn begin(arguments: &[&str]) -> Child {
    let mut command = Command::new(skyhaul());
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

/// Ended once this file has so many bytes.
fn ended_at(mut working: Child, signal: &str, file: &Path, bytes: u64) -> (Option<i32>, String) {
    while std::fs::metadata(file).map_or(0, |known| known.len()) < bytes {
        assert_eq!(
            working.try_wait().expect("it is a child"),
            None,
            "it ended by itself"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = working.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status();
    assert!(sent.expect("kill is there").success());
    let output = working.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), said)
}

fn in_place(arguments: &[&str]) -> Ended {
    run(&skyhaul(), arguments)
}

#[test]
fn what_is_ended_by_a_signal_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let recorded = name("run.mcap");
    let endless = ["run", SCENARIO, "--until", "1000h", "--record-hz", "10"];
    let run = begin(&[&endless[..], &["--record", &recorded]].concat());
    let (status, said) = ended_at(run, "-INT", Path::new(&recorded), ENOUGH_BYTES);
    assert_eq!(status, Some(130), "{said}");
    assert!(said.contains("can be played"), "{said}");

    for (signal, wanted) in [("-INT", 130), ("-TERM", 143)] {
        let table = name("table.csv");
        let part = format!("{table}.part");
        let export = begin(&["export", &recorded, "--format", "csv", "--out", &table]);
        let (status, said) = ended_at(export, signal, Path::new(&part), 1);
        assert_eq!(status, Some(wanted), "{said}");

        let branch = name("branch.mcap");
        let fork = begin(&["fork", &recorded, "--at", "00:00:01", "--out", &branch]);
        let (status, said) = ended_at(fork, signal, Path::new(&branch), 1);
        assert_eq!(status, Some(wanted), "{said}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["run.mcap"], "nothing else is left");

    let whole = in_place(&[
        "fork",
        &recorded,
        "--at",
        "1000:00:00",
        "--out",
        &name("none.mcap"),
    ]);
    assert_eq!(whole.status, Some(2), "{whole:?}");
    assert!(
        !whole.stderr.contains("not ended"),
        "the recording has its end: {whole:?}"
    );
}
