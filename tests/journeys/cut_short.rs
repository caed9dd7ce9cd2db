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

/// Each with the file that it makes.
fn makers(recorded: &str, name: &dyn Fn(&str) -> String) -> Vec<(Vec<String>, String)> {
    let [table, branch, runs] = ["table.csv", "branch.mcap", "runs.parquet"].map(name);
    let all: [(&[&str], String); 3] = [
        (
            &["export", recorded, "--format", "csv", "--out", &table],
            table.clone(),
        ),
        (
            &["fork", recorded, "--at", "00:00:01", "--out", &branch],
            branch.clone(),
        ),
        (
            &["run", SCENARIO, "--until", "1000h", "--out", &runs],
            runs.clone(),
        ),
    ];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    all.map(|(program, file)| (owned(program), file)).into()
}

/// Ended once this file is there and has so many bytes.
fn ended_at(mut working: Child, signal: &str, file: &Path, bytes: u64) -> (Option<i32>, String) {
    while std::fs::metadata(file).map_or(true, |known| known.len() < bytes) {
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

    for (signal, wanted) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
        for (program, file) in makers(&recorded, &name) {
            std::fs::write(&file, "from before").unwrap();
            let part = format!("{file}.part");
            let program: Vec<&str> = program.iter().map(String::as_str).collect();
            let (status, said) = ended_at(begin(&program), signal, Path::new(&part), 0);
            assert_eq!(status, wanted, "{program:?}: {said}");
            assert_eq!(
                std::fs::read_to_string(&file).unwrap(),
                "from before",
                "{program:?}"
            );
            std::fs::remove_file(&file).unwrap();
            let is_left = Path::new(&part).exists();
            assert_eq!(
                is_left,
                wanted.is_none(),
                "{program:?}: only who is killed leaves a part"
            );
            if is_left {
                let again = in_place(&program);
                assert_eq!(again.status, Some(2), "{again:?}");
                assert!(
                    again.stderr.contains(&part),
                    "it says what is in its way: {again:?}"
                );
                std::fs::remove_file(&part).expect("whose it is, is left to the user");
            }
        }
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
