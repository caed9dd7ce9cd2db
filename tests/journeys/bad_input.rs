//! What users get wrong: each mistake ends with one line of cause, one of remedy, and
//! exit status 2; never with a backtrace, and never with a server that is none.

use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::client::parcel;
use crate::support::program::{Ended, run, run_with, skyhaul};
use crate::support::server::{Running, quiet};
use crate::support::worlds::{shipped, tiny};

fn skyhaul_with(arguments: &[&str]) -> Ended {
    run(&skyhaul(), arguments)
}

fn tiny_path() -> String {
    shipped("tiny").to_str().expect("UTF-8").to_owned()
}

/// `skyhaul serve` with the tiny world on a free port.
fn serve_tiny(more: &[&str]) -> Ended {
    let scenario = tiny_path();
    let usual = ["serve", "--scenario", &scenario, "--listen", "127.0.0.1:0"];
    skyhaul_with(&[&usual, more].concat())
}

impl Ended {
    /// Ended by the user's mistake, with these words in the last cause; answers with what
    /// was said above it.
    fn refused_for(&self, words: &[&str]) -> String {
        assert_eq!(self.status, Some(2), "{self:?}");
        assert!(
            !self.stderr.contains("panicked") && !self.stderr.contains("stack backtrace"),
            "{}",
            self.stderr
        );
        let lines: Vec<&str> = self.stderr.lines().collect();
        let [above @ .., cause, remedy] = lines.as_slice() else {
            panic!("a cause and a remedy are wanted: {self:?}");
        };
        let cause = cause
            .strip_prefix("error: ")
            .unwrap_or_else(|| panic!("no cause: {self:?}"));
        let remedy = remedy
            .strip_prefix("remedy: ")
            .unwrap_or_else(|| panic!("no remedy: {self:?}"));
        assert!(!remedy.is_empty());
        for word in words {
            assert!(cause.contains(word), "{word:?} is not in: {cause}");
        }
        above.join("\n")
    }
}

/// The tiny scenario where one piece of its text reads differently, in a file of its own.
fn tiny_where(folder: &TempDir, name: &str, text: &str, reads: &str) -> PathBuf {
    let source = std::fs::read_to_string(shipped("tiny")).expect("the shipped scenario");
    assert!(source.contains(text), "the tiny scenario has no {text:?}");
    let path = folder.path().join(name);
    std::fs::write(&path, source.replacen(text, reads, 1)).expect("a file");
    path
}

/// The last line of a file that has this text, counted from 1.
fn line_of(path: &Path, text: &str) -> usize {
    let source = std::fs::read_to_string(path).expect("a file");
    let line = source
        .lines()
        .collect::<Vec<_>>()
        .iter()
        .rposition(|line| line.contains(text));
    line.unwrap_or_else(|| panic!("no line has {text}")) + 1
}

#[test]
fn a_basemap_that_is_not_there_or_is_none_is_refused() {
    let missing = serve_tiny(&["--data", ":memory:", "--basemap", "no-such.pmtiles"]);
    missing.refused_for(&["no-such.pmtiles", "cannot be read"]);
    let wrong = serve_tiny(&["--data", ":memory:", "--basemap", "Cargo.toml"]);
    wrong.refused_for(&["Cargo.toml", "no PMTiles archive"]);
    let nowhere = serve_tiny(&["--data", ":memory:", "--basemap", "https://"]);
    nowhere.refused_for(&["https://", "no address"]);
}

#[test]
fn a_run_is_not_written_twice_onto_one_file() {
    let folder = TempDir::new().expect("a folder");
    std::fs::create_dir(folder.path().join("in")).expect("a folder");
    let name = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (tiny, file, again) = (tiny_path(), name("same"), name("in/../same"));
    for other in [&file, &again] {
        let ended = skyhaul_with(&["run", &tiny, "--until", "1s", "--out", &file, "--record", other]);
        ended.refused_for(&["--out and --record", "same file"]);
        assert!(!Path::new(&file).exists(), "nothing is begun");
    }
    // It is made as its part.
    let part = name("same.part");
    let ended = skyhaul_with(&["run", &tiny, "--until", "1s", "--out", &file, "--record", &part]);
    ended.refused_for(&["--out and --record", "same file"]);
    assert!(!Path::new(&part).exists(), "nothing is begun");
}

#[test]
fn a_scenario_is_not_written_over() {
    let folder = TempDir::new().expect("a folder");
    let text = std::fs::read_to_string(shipped("tiny")).expect("the shipped scenario");
    let name = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (scenario, other) = (name("world.part"), name("world"));
    std::fs::write(&scenario, &text).expect("a file");
    let nowhere = ["--target", "http://127.0.0.1:9"];
    for onto in [&scenario, &other] {
        let run = ["run", &scenario, "--until", "1s", "--out", onto];
        skyhaul_with(&run).refused_for(&["over itself"]);
        for flag in ["--report", "--junit", "--hlog", "--samples", "--requests"] {
            let load = ["load", &scenario, flag, onto];
            skyhaul_with(&[&load[..], &nowhere].concat()).refused_for(&["over itself"]);
        }
    }
    let twice = [
        "load",
        &scenario,
        "--report",
        &name("x"),
        "--requests",
        &name("x.part"),
    ];
    skyhaul_with(&[&twice[..], &nowhere].concat()).refused_for(&["--report and --requests", "same file"]);
    assert_eq!(std::fs::read_to_string(&scenario).expect("it is there"), text);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_mistake_of_the_users() {
    let (tiny, demo) = (tiny_path(), "scenarios/demo.mcap");
    for arguments in [
        ["run", &tiny, "--until", "1s", "--record", "/dev/full"],
        ["fork", demo, "--at", "00:10:00", "--out", "/dev/full"],
    ] {
        let ended = skyhaul_with(&arguments);
        assert_eq!(ended.status, Some(1), "{ended:?}");
        assert!(ended.stderr.contains("make room"), "{ended:?}");
    }
}

#[test]
fn a_scenario_with_a_mistake_is_refused_with_its_place_and_what_would_be_right() {
    let folder = TempDir::new().expect("a folder");
    let second_hub =
        "[[hub]]\nid = \"mission\"\nlocation = [37.75, -122.41]\npads = 1\nchargers = 1\n\n[[fleet]]";
    let mistakes = [
        ("unknown key", "pads = 2", "pad = 2", "pad = 2", "pads"),
        (
            "two hubs of one name",
            "[[fleet]]",
            second_hub,
            "id = \"mission\"",
            "mission",
        ),
        (
            "unknown type",
            "\"zipline-p2\"",
            "\"zipline-p3\"",
            "zipline-p3",
            "zipline-p2",
        ),
        ("ends as it starts", "\"20m\"", "\"0s\"", "0s", "duration"),
        ("ends before its start", "\"20m\"", "\"-5m\"", "-5m", "duration"),
        (
            "no such fleet hub",
            "hub = \"mission\"",
            "hub = \"mision\"",
            "mision",
            "mission",
        ),
        ("latitude 91", "[37.7643,", "[91.0,", "[91.0,", "latitude"),
    ];
    for (name, text, reads, at, tells) in mistakes {
        let path = tiny_where(&folder, &format!("{name}.toml"), text, reads);
        let file = path.to_str().expect("UTF-8");
        for command in [
            ["run", file].as_slice(),
            &["serve", "--data", ":memory:", "--scenario", file],
        ] {
            let listed = skyhaul_with(command).refused_for(&[file]);
            let place = format!("{file}:{}:", line_of(&path, at));
            let told = listed.lines().find(|told| told.starts_with(&place));
            let told = told.unwrap_or_else(|| panic!("{name}: nothing at {place} in\n{listed}"));
            assert!(told.contains(tells), "{name}: {told}");
        }
    }
}

#[test]
fn check_lists_every_mistake_of_every_file_in_one_go() {
    let folder = TempDir::new().expect("a folder");
    let one = tiny_where(
        &folder,
        "one.toml",
        "pads = 2\nchargers = 3",
        "pad = 2\nchargers = -3",
    );
    let other = tiny_where(&folder, "other.toml", "zipline-p2", "zeppelin");
    let (one, other, fine) = (one.to_str().unwrap(), other.to_str().unwrap(), tiny_path());
    let listed =
        skyhaul_with(&["check", one, &fine, other, "/nowhere.toml"]).refused_for(&["errors", "4 files"]);
    for (file, tells) in [
        (one, "pad"),
        (one, "chargers"),
        (other, "zeppelin"),
        ("/nowhere.toml", "read"),
    ] {
        let told = listed
            .lines()
            .any(|line| line.starts_with(&format!("{file}:")) && line.contains(tells));
        assert!(told, "nothing about {tells} of {file} in\n{listed}");
    }
    assert!(!listed.contains(&fine), "{listed}");

    let shipped = ["tiny", "san-francisco", "seattle"].map(|name| shipped(name).to_str().unwrap().to_owned());
    let fine = skyhaul_with(&["check", &shipped[0], &shipped[1], &shipped[2]]);
    assert_eq!(fine.status, Some(0), "{fine:?}");
}

#[test]
fn what_is_wrong_in_the_environment_is_told_by_the_variables_name() {
    let tiny = tiny_path();
    for (arguments, name, value) in [
        (&["run", &tiny][..], "SKYHAUL_JSON", "maybe"),
        (&["run", &tiny], "SKYHAUL_SEED", "some"),
        (&["run", &tiny], "SKYHAUL_POLICY", "nearest,farthest"),
        (&["serve"], "SKYHAUL_NO_DEMAND", "maybe"),
        (&["serve"], "SKYHAUL_LOG_FORMAT", "poem"),
    ] {
        let value_told = value.split(',').next_back().unwrap_or(value);
        let ended = run_with(&skyhaul(), arguments, &[(name, value)]);
        assert_eq!(ended.status, Some(2), "{name}: {ended:?}");
        for word in [name, value_told] {
            assert!(ended.stderr.contains(word), "{name}: {ended:?}");
        }
    }
    // What stands on the command line is wrong there.
    let ended = run_with(
        &skyhaul(),
        ["run", &tiny, "--seed=any"],
        &[("SKYHAUL_SEED", "some")],
    );
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(!ended.stderr.contains("SKYHAUL_SEED"), "{ended:?}");
}

#[test]
fn wrong_usage_is_told_with_what_would_be_right() {
    let tiny = tiny_path();
    for arguments in [
        &["fly"][..],
        &["run"],
        &["run", &tiny, "--until", "soon"],
        &["run", &tiny, "--threads", "0"],
        &["run", &tiny, "--seed", "-1"],
        &["run", &tiny, "--seeds", "3..1"],
        &["run", &tiny, "--seeds", "3"],
        &["run", &tiny, "--seed", "1", "--seeds", "1..3"],
        &["run", &tiny, "--policy", "furthest"],
        &["run", &tiny, "--policy", "batch", "--policy", "batch"],
        &["run", &tiny, "--out", "/nowhere/runs.parquet"],
        &["serve", "--speed", "0"],
        &["serve", "--listen", "localhost"],
        &["check"],
    ] {
        let ended = skyhaul_with(arguments);
        assert_eq!(ended.status, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
    let version = skyhaul_with(&["--version"]);
    assert_eq!(version.status, Some(0));
    assert_eq!(
        version.stdout.trim(),
        concat!("skyhaul ", env!("CARGO_PKG_VERSION"))
    );

    let schema = skyhaul_with(&["schema"]);
    assert_eq!(schema.status, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout).expect("the schema is JSON");
    assert!(schema["properties"]["hub"].is_object(), "it describes hubs");
    skyhaul_with(&["run", "/nowhere.toml"]).refused_for(&["/nowhere.toml"]);
}

#[test]
fn nobody_opens_a_server_to_a_network_by_accident() {
    let tiny = tiny_path();
    let exposed = [
        "serve",
        "--scenario",
        &tiny,
        "--data",
        ":memory:",
        "--listen",
        "0.0.0.0:0",
    ];
    skyhaul_with(&exposed).refused_for(&["0.0.0.0:0", "other machines"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let tiny = tiny_path();
    let ended = skyhaul_with(&[
        "serve",
        "--scenario",
        &tiny,
        "--data",
        data.to_str().unwrap(),
        "--listen",
        &address,
    ]);
    ended.refused_for(&[&address, "in use"]);
    assert!(
        !data.exists(),
        "no store is begun for a server that does not come up"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "mine").expect("a file");
    for data in [file.to_str().unwrap(), "/proc/skyhaul"] {
        serve_tiny(&["--data", data]).refused_for(&[data]);
    }
    let inside = file.join("data");
    serve_tiny(&["--data", inside.to_str().unwrap()]).refused_for(&[inside.to_str().unwrap()]);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "mine",
        "it was left as it is"
    );
}

#[tokio::test]
async fn the_store_of_another_world_is_kept_from_harm() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().to_str().unwrap().to_owned();
    let options = skyhaul::server::Options {
        data: data.clone(),
        ..quiet()
    };
    let server = Running::start(tiny(), options.clone()).await;
    let id = server
        .client()
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    let digest = server.client().run_to(100).await["digest"].clone();
    {
        let data = data.clone();
        let in_use = tokio::task::spawn_blocking(move || serve_tiny(&["--data", &data]));
        in_use
            .await
            .unwrap()
            .refused_for(&[&folder.path().display().to_string(), "in use"]);
    }
    server.stop().await;

    let others = tokio::task::spawn_blocking(move || {
        let seattle = shipped("seattle").to_str().unwrap().to_owned();
        let other_scenario = [
            "serve",
            "--scenario",
            &seattle,
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data,
        ];
        (
            skyhaul_with(&other_scenario),
            serve_tiny(&["--data", &data, "--seed", "2"]),
        )
    });
    let (other_scenario, other_seed) = others.await.unwrap();
    other_scenario.refused_for(&["another world"]);
    other_seed.refused_for(&["another world", "seed 2"]);

    let server = Running::start(tiny(), options).await;
    assert_eq!(server.client().simulation().await["digest"], digest);
    assert_eq!(server.client().status(&id).await["stage"], "HeadedToPickup");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_nonsense_over_http_is_told_so() {
    let server = Running::start(tiny(), quiet()).await;
    let client = server.client();
    let (status, problem) = client
        .post_bytes("/api/deliveryrequests", b"{\"ownerId\": \"ca".to_vec())
        .await;
    assert_eq!(status, 400, "{problem}");
    let (status, problem) = client
        .post_bytes("/api/deliveryrequests", vec![b' '; 2 << 20])
        .await;
    assert_eq!(status, 413, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:body-too-large");
    client
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_follower_that_sends_nonsense_harms_nobody_else() {
    let server = Running::start(tiny(), quiet()).await;
    let mut good = server.stream().await;
    good.follow(1, "fleet").await;
    good.next_of("snapshot").await;

    let mut confused = server.stream().await;
    for frame in [
        Message::text("{"),
        Message::text("[1, 2]"),
        Message::text("{\"type\": \"dance\"}"),
        Message::text("{\"type\": \"subscribe\", \"id\": 1, \"topic\": \"moon\"}"),
        Message::binary(vec![0, 159, 146, 150]),
    ] {
        confused.send_frame(frame.clone()).await;
        let answer = confused.next_where(|message| message["type"] == "error").await;
        assert!(answer["code"].is_string(), "{frame:?}: {answer}");
    }
    confused.send(json!({"type": "ping", "sent": 7})).await;
    assert_eq!(
        confused.next_of("pong").await["sent"],
        7,
        "the connection goes on"
    );

    confused.send_frame(Message::text("x".repeat(65_537))).await;
    let closed = loop {
        match confused.next_frame().await {
            Some(Message::Close(Some(close))) => break close.code,
            Some(_) => {}
            None => panic!("closed without a word"),
        }
    };
    assert_eq!(closed, CloseCode::Size);

    server.client().step(30).await;
    good.next_where(|message| message["type"] == "fleet" && message["tick"] == 30)
        .await;
    server.stop().await;
}
