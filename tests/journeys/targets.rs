//! `skyhaul load` against servers that are not quite what it expects: other people's, those of
//! another version, those that do not let it see everything; and on machines that are too small.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use skyhaul::auth::{Mode, Role, Settings, TokenKey, Tokens, Viewer};
use skyhaul::scenario;
use skyhaul::server::Options;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::program::{Ended, run, skyhaul};
use crate::support::server::{Running, quiet};
use crate::support::worlds::shipped;

/// The tiny world with what follows it.
fn scenario_with(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("load.toml");
    let tiny = std::fs::read_to_string(shipped("tiny")).unwrap();
    std::fs::write(&path, format!("{tiny}{more}")).unwrap();
    path
}

async fn load(scenario: &Path, target: SocketAddr, more: &[&str]) -> Ended {
    let (scenario, target) = (scenario.to_str().expect("UTF-8"), format!("http://{target}"));
    let always = ["load", scenario, "--target", &target];
    let all: Vec<String> = always.iter().chain(more).map(|&word| word.to_owned()).collect();
    tokio::task::spawn_blocking(move || run(&skyhaul(), all))
        .await
        .unwrap()
}

/// What a test found, whether or not a busy machine made it void.
fn found_by(ended: &Ended) -> Value {
    let last = ended.stdout.lines().last().unwrap_or_else(|| panic!("{ended:?}"));
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{ended:?}"))
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A courier's server: jobs are put under names of the client's, begin at once, and are done a
/// second later, as their answers tell to the millisecond.
#[derive(Clone)]
struct Courier {
    began: Instant,
    jobs: Arc<AtomicU64>,
}

#[expect(clippy::disallowed_methods, reason = "its jobs take real time")]
fn courier() -> Router {
    let courier = Courier {
        began: Instant::now(),
        jobs: Arc::default(),
    };
    Router::new()
        .route("/courier/jobs", post(job))
        .route("/courier/jobs/{number}", get(state))
        .with_state(courier)
}

async fn job(
    State(courier): State<Courier>,
    headers: HeaderMap,
    Json(job): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let is_whole = headers["x-api-key"] == "let-me-in" && job["from"].is_array() && job["kg"].is_f64();
    if !is_whole {
        return (StatusCode::BAD_REQUEST, Json(job));
    }
    let number = courier.jobs.fetch_add(1, Ordering::Relaxed);
    let key = format!("{}-{number}", courier.began.elapsed().as_millis());
    (StatusCode::CREATED, Json(json!({"data": [{"key": key}]})))
}

#[expect(clippy::disallowed_methods, reason = "it tells wall-clock times")]
async fn state(State(courier): State<Courier>, Named(key): Named<String>) -> Json<Value> {
    let began_ms = key.split('-').next().and_then(|began_ms| began_ms.parse().ok());
    let began = Duration::from_millis(began_ms.expect("the key says when it began"));
    let age = courier.began.elapsed().saturating_sub(began);
    let (stage, since) = match age.as_secs() {
        0 => ("running", age),
        _ => ("done", age - Duration::from_secs(1)),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Json(json!({"stage": stage, "since": (now - since).as_millis() as u64}))
}

const COURIER: &str = r#"
[load]
drain = "20s"
stages = [{ rate = "20/s", for = "1s" }]

[target]
headers = { x-api-key = "{token}" }

[target.request]
path = "/courier/jobs"
body = '{"from": [{pickup_latitude}, {pickup_longitude}], "kg": {weight_kg}}'
id = "/data/0/key"

[target.status]
path = "/courier/jobs/{id}"
stage = "/stage"
time = "/since"
completed = ["done"]
every = "200ms"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_server_is_followed_by_what_its_answers_say() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), COURIER);
    let address = serve(courier()).await;
    let requests = folder.path().join("requests.ndjson");
    let to = ["--requests", requests.to_str().expect("UTF-8")];
    let flags = ["--json", "--token", "let-me-in", to[0], to[1]];
    let found = found_by(&load(&scenario, address, &flags).await);
    let deliveries = &found["deliveries"];
    assert_eq!(
        (
            &deliveries["accepted"],
            &deliveries["completed"],
            &deliveries["unfinished"]
        ),
        (&20.into(), &20.into(), &0.into()),
        "{found}"
    );
    assert!(
        deliveries["asked"]["questions"].as_u64() >= Some(40),
        "{deliveries}"
    );
    // A second, by its own clock, and not up to when it was asked for.
    let deliver_ms = found["ops"]["deliver"]["p50Ms"].as_f64().expect("it was timed");
    assert!(deliver_ms >= 990.0, "{deliver_ms}");
    assert_eq!(found["watchers"], Value::Null);
    let lines = std::fs::read_to_string(&requests).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 20);
    let is_whole =
        |line: &Value| line["end"] == 201 && line["stage"] == "1" && line["ms"].as_f64() > Some(0.0);
    assert!(lines.iter().all(is_whole), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_server_that_only_accepts_is_driven_with_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let only_accepts = COURIER
        .split("[target.status]")
        .next()
        .expect("it begins with something");
    let scenario = scenario_with(folder.path(), only_accepts);
    let flags = ["--json", "--token", "let-me-in", "--workers", "3"];
    let ended = load(&scenario, serve(courier()).await, &flags).await;
    let found = found_by(&ended);
    let warnings = ended.stderr.lines().filter(|line| line.starts_with("warning: "));
    assert_eq!(
        warnings.collect::<Vec<_>>(),
        ["warning: only accepting is measured: what becomes of requests is not followed"]
    );
    let accept = &found["ops"]["accept"];
    assert_eq!((&accept["count"], &accept["errors"]), (&20.into(), &0.into()));
    assert_eq!(found["deliveries"]["accepted"], 20);
    assert_eq!(found["generator"]["workers"], 3);
    assert_eq!(found["ops"]["schedule"]["p99Ms"], Value::Null);
}

const SHORT: &str = "\n[load]\ndrain = \"10s\"\nstages = [{ rate = \"20/s\", for = \"1s\" }]\n";

async fn foreign_socket(upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["skyhaul.v1.json"]);
    upgrade.on_upgrade(|mut socket| async move {
        let welcome = json!({"type": "welcome", "version": "9.1.0", "protocol": "skyhaul.v9", "epoch": "e1", "speed": 1.0});
        let _sent = socket.send(Message::text(welcome.to_string())).await;
        // Until the other side has had enough.
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_version_is_told_apart_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), SHORT);
    let ours = Running::start(scenario::load(&scenario).unwrap().world, quiet()).await;
    let clock = ours.client().simulation().await;
    ours.stop().await;
    let router = Router::new()
        .route("/api/simulation", get(move || async move { Json(clock) }))
        .route("/ws", get(foreign_socket));
    let ended = load(&scenario, serve(router).await, &[]).await;
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let said = "is of another version: version 9.1.0 speaks skyhaul.v9, not skyhaul.v1";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("remedy: use the `skyhaul load` that came with it")
    );
}

/// Whoever orders for a business may not hear of everybody's deliveries, and asks for its own; what
/// is ordered for others is refused.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_follow_all_events_asks_for_each_delivery() {
    const KEY: &str = "the key of a house that is put to the test";
    let key = || TokenKey::given(KEY).expect("it is long enough");
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), SHORT);
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
    let business =
        Viewer::new(Role::Business, Some("Dolores Park".to_owned()), None, None).expect("it has an account");
    let token = Tokens::new(key()).issue(&business, 3_600).into_token();
    let ended = load(&scenario, server.address(), &["--json", "--token", &token]).await;
    let found = found_by(&ended);
    let warnings = found["warnings"].to_string();
    assert!(
        warnings.contains("each delivery is asked for every second instead"),
        "{warnings}"
    );
    assert_eq!(found["deliveries"]["followed"], true);
    assert!(found["deliveries"]["scheduled"].as_u64() > Some(0), "{found}");
    server.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn too_few_open_files_are_told_before_the_test_begins() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(folder.path(), SHORT);
    let load = format!(
        "ulimit -n 200; exec {} load {} --target http://127.0.0.1:9",
        skyhaul().display(),
        scenario.display()
    );
    let ended = tokio::task::spawn_blocking(move || run(Path::new("/bin/sh"), ["-c", &load]))
        .await
        .unwrap();
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let said = "error: the test needs 2050 open files, and the system allows 200\nremedy: raise `ulimit -Hn`";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_on_needs_open_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let audience = "\n[audience]\nsessions = 5000\n";
    let scenario = scenario_with(folder.path(), &format!("{audience}{SHORT}"));
    let load = format!(
        "ulimit -n 3000; exec {} load {} --connections 100 --target http://127.0.0.1:9",
        skyhaul().display(),
        scenario.display()
    );
    let ended = tokio::task::spawn_blocking(move || run(Path::new("/bin/sh"), ["-c", &load]))
        .await
        .unwrap();
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let said = "error: the test needs 5150 open files, and the system allows 3000\n";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

/// Accepts so many jobs, and is gone: nobody listens any more, and no connection stays.
async fn mortal(jobs: u64) -> SocketAddr {
    let (done, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let last = Arc::clone(&enough);
    let accept = move || async move {
        if done.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
            last.notify_one();
        }
        StatusCode::ACCEPTED
    };
    let router = Router::new().route("/courier/jobs", post(accept));
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(async move { enough.notified().await });
    tokio::spawn(async move { serving.await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_dies_in_the_middle_is_told_in_one_line_and_what_was_found_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_with(
        folder.path(),
        r#"
[load]
stages = [{ rate = "40/s", for = "10m" }]

[target.request]
path = "/courier/jobs"
body = "{}"
"#,
    );
    let out = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (report, junit) = (out("report.html"), out("junit.xml"));
    let flags = ["--json", "--report", &report, "--junit", &junit];
    let ended = load(&scenario, mortal(40).await, &flags).await;
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let said = "the target is gone: no answer for 5 s";
    let lines = ended.stderr.lines().filter(|line| line.contains(said));
    assert_eq!(lines.count(), 1, "{}", ended.stderr);
    let found = found_by(&ended);
    assert!(
        found["stopped"].as_str().is_some_and(|why| why.contains(said)),
        "{found}"
    );
    let accept = &found["ops"]["accept"];
    assert!(
        accept["errorKinds"]["connection refused"].as_u64() > Some(0),
        "{accept}"
    );
    assert!(found["deliveries"]["accepted"].as_u64() >= Some(40), "{found}");
    assert!(accept["p99Ms"].as_f64() > Some(0.0), "{accept}");
    for kept in [report, junit] {
        let text = std::fs::read_to_string(&kept).unwrap();
        assert!(text.contains(said), "{kept}: {text}");
    }
}
