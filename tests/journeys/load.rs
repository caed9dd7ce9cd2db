//! `skyhaul load` against a real server: what it finds, what it says of what is missed, and
//! what it says when it cannot begin.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;
use skyhaul::auth::{Mode, Role, Settings, TokenKey, Tokens, Viewer};
use skyhaul::scenario;
use skyhaul::server::Options;
use skyhaul::view::reading::Speed;

use crate::support::program::{Ended, run, skyhaul};
use crate::support::server::{Running, quiet};
use crate::support::worlds::shipped;

/// Two seconds of orders with people who look on and lose their connections.
const LOAD: &str = r#"
[audience]
sessions = 12
ramp = "500ms"
follow = { delivery = 0.5, area = 0.25, events = 0.25 }
move = "500ms"
drop = "1s"

[load]
drain = "20s"
accounts = 2
stages = [{ name = "steady", rate = "20/s", for = "2s" }, { name = "spike", rate = "60/s", for = "1s" }]
"#;

const EASY: &str = r#"
[[slo]]
op = "errors"
max = 0.0

[[slo]]
op = "schedule"
quantile = 0.5
max = "1h"
"#;

/// The tiny world with what follows it.
fn scenario_with(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("load.toml");
    let tiny = std::fs::read_to_string(shipped("tiny")).unwrap();
    std::fs::write(&path, format!("{tiny}{more}")).unwrap();
    path
}

async fn load(scenario: &Path, target: String, more: &[&str]) -> Ended {
    let scenario = scenario.to_str().expect("UTF-8");
    let always = ["load", scenario, "--target", &target];
    let all: Vec<String> = always.iter().chain(more).map(|&word| word.to_owned()).collect();
    let load = move || run(&skyhaul(), all);
    tokio::task::spawn_blocking(load).await.unwrap()
}

/// What a test found. Whether it counts is not asked: on a busy machine the generator may have
/// come late, which voids what it says of speed, and nothing of this.
fn found_by(ended: &Ended) -> Value {
    let last = ended.stdout.lines().last().unwrap_or_else(|| panic!("{ended:?}"));
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{ended:?}"))
}

fn at(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The tiny world's server, so fast that deliveries are at their door within seconds.
async fn quick_server(scenario: &Path) -> Running {
    let world = scenario::load(scenario).expect("it has no mistakes").world;
    let options = Options {
        paused: false,
        speed: Speed::Times(120.0),
        ..quiet()
    };
    Running::start(world, options).await
}

/// Of the hundred requests, with nothing that a browser would have to fetch.
fn expect_whole_report(page: &str) {
    for part in [
        "<h1>tiny against http://127.0.0.1:",
        "All objectives were met",
        "<tr><td>accept<td>100<td>0",
        "<h3>spike: 60 for 1 s",
        "<title>Requests a second</title>",
        "<title>Until watchers saw it</title>",
        "<dt>events they missed<dd>0",
        "<dt>events missed<dd>0",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    for outside in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_followed_to_its_end_and_every_watcher_hears_all_once() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), &format!("{LOAD}{EASY}"));
    let server = quick_server(&scenario).await;
    let report = folder.path().join("report.html");
    let to = ["--json", "--report", report.to_str().expect("UTF-8")];
    let ended = load(&scenario, at(server.address()), &to).await;
    let found = found_by(&ended);
    expect_whole_report(&std::fs::read_to_string(&report).unwrap());
    assert_eq!(found["scenario"], "tiny");
    assert_eq!(found["target"], at(server.address()));
    assert_eq!((&found["limit"], &found["stopped"]), (&Value::Null, &Value::Null));
    let accept = &found["ops"]["accept"];
    assert_eq!((&accept["count"], &accept["errors"]), (&100.into(), &0.into()));
    let ms = |quantile: &str| accept[quantile].as_f64().unwrap_or_else(|| panic!("{accept}"));
    assert!(0.0 < ms("p50Ms") && ms("p50Ms") <= ms("p999Ms"), "{accept}");
    let names: Vec<&str> = found["stages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|stage| stage["name"].as_str())
        .collect();
    assert_eq!(names, ["steady", "spike"]);
    assert_eq!(found["stages"][1]["ops"]["accept"]["count"], 60);

    let deliveries = &found["deliveries"];
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no number"));
    assert_eq!(number(&deliveries["accepted"]), 100);
    let completed = number(&deliveries["completed"]);
    let picked_up = number(&deliveries["pickedUp"]);
    assert!(picked_up > 0, "{deliveries}");
    assert!(
        completed > 0 && completed <= number(&deliveries["scheduled"]),
        "{deliveries}"
    );
    assert_eq!(
        (&deliveries["eventsMissed"], &deliveries["trackLost"]),
        (&0.into(), &0.into())
    );
    let timed = |op: &str| number(&found["ops"][op]["count"]) - number(&found["ops"][op]["errors"]);
    assert_eq!(
        (timed("schedule"), timed("deliver")),
        (number(&deliveries["scheduled"]), completed)
    );

    let watchers = &found["watchers"];
    assert_eq!(
        (&watchers["missed"], &watchers["repeated"]),
        (&0.into(), &0.into()),
        "{watchers}"
    );
    assert_eq!(watchers["mostConnected"], 12);
    assert!(
        number(&watchers["frames"]) > 0 && number(&watchers["events"]) > 0,
        "{watchers}"
    );
    assert!(
        number(&watchers["drops"]) > 0 && number(&watchers["recovered"]) > 0,
        "{watchers}"
    );
    assert_eq!(watchers["errors"], Value::Object(Default::default()));
    assert!(number(&found["ops"]["frame"]["count"]) > 0);
    assert_eq!(number(&found["ops"]["pickup"]["count"]), picked_up);
    assert!(number(&found["ops"]["seen"]["count"]) > 0, "{found}");
    let met = found["slo"]
        .as_array()
        .unwrap()
        .iter()
        .all(|slo| slo["met"] == true);
    assert!(met, "{}", found["slo"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objective_that_is_missed_is_named_with_by_how_much_and_written_for_ci() {
    let folder = tempfile::tempdir().unwrap();
    let more = r#"
[load]
drain = "0s"
stages = [{ rate = "20/s", for = "1s" }]

[[slo]]
op = "accept"
quantile = 0.99
max = "1us"

[[slo]]
op = "frame"
max = "1s"
"#;
    let scenario = scenario_with(folder.path(), more);
    let server = quick_server(&scenario).await;
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (junit, hlog, samples) = (out("out.xml"), out("out.hlog"), out("out.ndjson"));
    let (target, files) = (
        at(server.address()),
        [junit.clone(), hlog.clone(), samples.clone()],
    );
    let ended = tokio::task::spawn_blocking(move || {
        let [junit, hlog, samples] = &files;
        let flags = [
            "--target",
            &target,
            "--junit",
            junit,
            "--hlog",
            hlog,
            "--samples",
            samples,
        ];
        run(
            &skyhaul(),
            ["load", scenario.to_str().unwrap()].iter().chain(&flags),
        )
    });
    let ended = ended.await.unwrap();
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let missed = "2 of 2 objectives missed: accept p99 ≤ 0.001 ms: ";
    assert!(ended.stderr.contains(missed), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("times as much; frame p99 ≤ 1000 ms: nothing was measured"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("MISSED  accept"), "{}", ended.stdout);
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    for objective in ["accept p99 ≤ 0.001 ms", "frame p99 ≤ 1000 ms"] {
        let failed = format!("name=\"{objective}\"><failure message=");
        assert!(read(&junit).contains(&failed), "{}", read(&junit));
    }
    assert!(read(&hlog).contains("Tag=accept,"), "{}", read(&hlog));
    let first = read(&samples)
        .lines()
        .next()
        .expect("there was a second")
        .to_owned();
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(first["accepted"].as_u64().map(|count| count > 0), Some(true));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_cannot_begin_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), LOAD);
    let cases = [
        (
            "nonsense",
            2,
            "error: the target nonsense does not begin with http://",
        ),
        (
            "https://127.0.0.1:9",
            2,
            "error: the target https://127.0.0.1:9 is encrypted",
        ),
        (
            "http://127.0.0.1:9",
            1,
            "error: http://127.0.0.1:9 cannot be reached: connection refused",
        ),
    ];
    for (target, status, said) in cases {
        let ended = load(&scenario, target.to_owned(), &[]).await;
        assert_eq!(ended.status, Some(status), "{ended:?}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert_eq!(
            ended
                .stderr
                .lines()
                .filter(|line| line.starts_with("remedy: "))
                .count(),
            1
        );
    }
    let ended = load(&shipped("tiny"), "http://127.0.0.1:9".to_owned(), &[]).await;
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.stderr.contains("there is no [load] with stages"),
        "{}",
        ended.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_server_does_not_let_in_is_told_and_an_operators_token_is_enough() {
    const KEY: &str = "the key of a house that is put to the test";
    let key = || TokenKey::given(KEY).expect("it is long enough");
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(
        folder.path(),
        "\n[load]\ndrain = \"0s\"\nstages = [{ rate = \"10/s\", for = \"1s\" }]\n",
    );
    let options = Options {
        access: Settings {
            mode: Mode::Required,
            key: Some(key()),
            ..Settings::default()
        },
        paused: false,
        ..quiet()
    };
    let world = scenario::load(&scenario).expect("it has no mistakes").world;
    let server = Running::start(world, options).await;
    let stranger = load(&scenario, at(server.address()), &[]).await;
    assert_eq!(stranger.status, Some(1));
    let said = "lets nobody in with no token: it answers 401";
    assert!(stranger.stderr.contains(said), "{}", stranger.stderr);
    let wrong = load(&scenario, at(server.address()), &["--token", "not.a.token"]).await;
    assert!(
        wrong.stderr.contains("lets nobody in with this token"),
        "{}",
        wrong.stderr
    );
    let operator = Viewer::new(Role::Operator, None, None, None).expect("an operator needs no account");
    let token = Tokens::new(key()).issue(&operator, 3_600).into_token();
    let flags: &'static [&'static str] = vec!["--json", "--token", String::leak(token)].leak();
    let found = found_by(&load(&scenario, at(server.address()), flags).await);
    assert_eq!(
        (
            &found["ops"]["accept"]["errors"],
            &found["deliveries"]["followed"]
        ),
        (&0.into(), &true.into())
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tests_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let more = "\n[load]\ndrain = \"0s\"\nstages = [{ name = \"one\", rate = \"20/s\", for = \"1s\" }]\n";
    let scenario = scenario_with(folder.path(), more);
    let server = quick_server(&scenario).await;
    let ended = load(&scenario, at(server.address()), &["--json"]).await;
    let result = folder.path().join("a.json");
    std::fs::write(&result, &ended.stdout).unwrap();
    let result = result.to_str().expect("UTF-8");
    let side_by_side = run(&skyhaul(), ["load", "compare", result, result]);
    assert_eq!(side_by_side.status, Some(0), "{side_by_side:?}");
    for figure in ["accept count ", "accept p99Ms ", "stage one: accepted/s "] {
        let line = side_by_side.stdout.lines().find(|line| line.starts_with(figure));
        assert!(
            line.is_some_and(|line| line.ends_with("× 1.00")),
            "{side_by_side:?}"
        );
    }
    let none = run(
        &skyhaul(),
        ["load", "compare", result, scenario.to_str().expect("UTF-8")],
    );
    assert_eq!(none.status, Some(2));
    assert!(
        none.stderr.contains("does not end with the summary of a test"),
        "{none:?}"
    );
    server.stop().await;
}
