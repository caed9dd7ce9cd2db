//! A simulated fleet feeds somebody else's backend: by lines, HTTP, MQTT and NATS.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures_util::StreamExt;
use parking_lot::Mutex;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use serde_json::Value;
use skyhaul::scenario;
use skyhaul::sim::demand;
use skyhaul::sim::world::World;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::broker::{Broker, ENCODED_PASSWORD, PASSWORD, USER};
use crate::support::program::{Ended, run_with, skyhaul};
use crate::support::server::{Running, lively, quiet};
use crate::support::worlds::shipped;

/// Of the backend, which is not ours.
const TOKEN: &str = "key-of-the-backend";

/// The tiny world with customers who keep its three drones busy.
struct Scenario {
    _folder: TempDir,
    file: PathBuf,
}

impl Scenario {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("busy.toml");
        let tiny = std::fs::read_to_string(shipped("tiny")).unwrap();
        assert!(tiny.contains("8/h"));
        std::fs::write(&file, tiny.replace("8/h", "60/h")).unwrap();
        Scenario {
            _folder: folder,
            file,
        }
    }

    fn world(&self) -> World {
        scenario::load(&self.file).expect("it is fine").world
    }
}

async fn emit(scenario: &Scenario, to: &str, arguments: &[&str]) -> Ended {
    emit_with(TOKEN, scenario, to, arguments).await
}

/// Ten simulated minutes within the second, as fast as the destination takes them.
async fn emit_with(token: &'static str, scenario: &Scenario, to: &str, arguments: &[&str]) -> Ended {
    let path = scenario.file.to_str().expect("UTF-8");
    let mut all = vec!["emit", path, "--until", "10m", "--speed", "1000"];
    all.extend(arguments);
    let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    let to = to.to_owned();
    let run = move || {
        let settings = [("SKYHAUL_TO", to.as_str()), ("SKYHAUL_TOKEN", token)];
        run_with(&skyhaul(), all, &settings)
    };
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_beat_has_every_drone_just_as_a_server_shows_it() {
    let scenario = Scenario::new();
    let ended = emit(&scenario, "ndjson:-", &["--hz", "10"]).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let mut beats: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for line in ended.stdout.lines() {
        let mut drone = parse(line);
        let telemetry = drone.as_object_mut().expect("an object");
        let tick = telemetry.remove("tick").and_then(|tick| tick.as_u64());
        assert!(telemetry.remove("simTime").is_some_and(|time| time.is_string()));
        assert!(telemetry.remove("sentAt").is_some_and(|time| time.is_u64()));
        beats.entry(tick.expect("a tick")).or_default().push(drone);
    }
    assert_eq!(
        beats.keys().copied().collect::<Vec<_>>(),
        [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000]
    );
    let server = Running::start(scenario.world(), lively()).await;
    let operator = server.client();
    let mut aloft = 0;
    for (tick, drones) in beats {
        if tick > 0 {
            operator.run_to(tick).await;
        }
        let (_, shown) = operator.get("/api/drones").await;
        assert_eq!(Value::Array(drones), shown["items"], "tick {tick}");
        let items = shown["items"].as_array().unwrap();
        aloft += items.iter().filter(|drone| drone["status"] == "cruising").count();
    }
    assert!(aloft > 0, "somebody flies meanwhile");
    server.stop().await;
}

/// A backend that keeps what it gets, and answers with a status.
#[derive(Clone)]
struct Backend {
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answer: StatusCode,
}

impl Backend {
    async fn start(answer: StatusCode) -> (Self, String) {
        let backend = Backend {
            got: Arc::default(),
            answer,
        };
        let take = async |State(backend): State<Backend>, headers: HeaderMap, body: String| {
            backend.got.lock().push((headers, parse(&body)));
            backend.answer
        };
        let routes = Router::new()
            .route("/positions", post(take))
            .with_state(backend.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = format!("http://{}/positions", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        (backend, to)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_gets_batches_with_each_drone_once_a_beat_and_its_token() {
    let scenario = Scenario::new();
    let (backend, to) = Backend::start(StatusCode::ACCEPTED).await;
    let ended = emit(
        &scenario,
        &to,
        &["--hz", "10", "--batch", "2", "--shape", "geojson"],
    )
    .await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("21 records in 7 batches"),
        "{}",
        ended.stderr
    );
    let got = backend.got.lock();
    assert_eq!(got.len(), 14, "three drones, two a request, seven beats");
    let mut seen = BTreeMap::new();
    for (headers, body) in got.iter() {
        assert_eq!(headers["content-type"], "application/geo+json");
        assert_eq!(headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(body["type"], "FeatureCollection");
        for feature in body["features"].as_array().expect("features") {
            let properties = &feature["properties"];
            assert_eq!(feature["id"], properties["id"]);
            assert_eq!(
                feature["geometry"]["coordinates"][1],
                properties["location"]["latitude"]
            );
            let tick = properties["tick"].as_u64().expect("a tick");
            *seen.entry((tick, feature["id"].to_string())).or_insert(0) += 1;
        }
    }
    assert_eq!(seen.len(), 21);
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backend_refuses_is_counted_and_who_is_not_there_is_named() {
    let scenario = Scenario::new();
    let (_, to) = Backend::start(StatusCode::INSUFFICIENT_STORAGE).await;
    let ended = emit(&scenario, &to, &["--hz", "10"]).await;
    assert_eq!(ended.status, Some(1));
    assert!(
        ended
            .stderr
            .contains("21 of 21 records were not taken; of the first: answered 507"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains(TOKEN), "{}", ended.stderr);
    // Nobody has this port, as whoever had it is gone.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for kind in ["http", "mqtt", "nats"] {
        let to = format!("{kind}://127.0.0.1:{port}");
        let ended = emit(&scenario, &to, &[]).await;
        assert_eq!(ended.status, Some(1), "{to}");
        let lines = ended.stderr.lines().filter(|line| !line.contains("warning:"));
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), 2, "a cause and a remedy: {lines:?}");
        assert!(
            lines[0].contains(&to) && lines[0].contains("refused"),
            "{lines:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_what_the_scenarios_customers_ask_for_and_a_server_takes_them() {
    let scenario = Scenario::new();
    let world = scenario.world();
    let server = Running::start(world.clone(), quiet()).await;
    let to = format!("http://{}/api/deliveryrequests", server.address());
    let ended = emit_with("", &scenario, &to, &["--orders"]).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let expected: Vec<_> = (1..=6_000)
        .flat_map(|tick| demand::arrivals(&world, tick))
        .map(|(_, order)| order)
        .collect();
    assert!(expected.len() > 4, "{}", expected.len());
    let operator = server.client();
    operator.step(1).await;
    let (_, deliveries) = operator.get("/api/deliveries").await;
    let mut taken: Vec<_> = deliveries["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|delivery| {
            let owner = delivery["owner"]["accountId"].as_str().expect("an account");
            let dropoff = &delivery["dropoff"];
            let degrees = |key: &str| dropoff[key].as_f64().expect("a number");
            (owner.to_owned(), degrees("latitude"), degrees("longitude"))
        })
        .collect();
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    let mut expected: Vec<_> = expected
        .iter()
        .map(|order| {
            let at = order.dropoff.location;
            (order.owner.account.clone(), rounded(at.lat), rounded(at.lon))
        })
        .collect();
    let by_place = |a: &(String, f64, f64), b: &(String, f64, f64)| a.1.total_cmp(&b.1);
    taken.sort_by(by_place);
    expected.sort_by(by_place);
    assert_eq!(taken, expected);
    server.stop().await;
}

/// The messages of both kinds of broker: where, and what.
type Messages = BTreeMap<String, Vec<Value>>;

fn expect_three_drones_in_seven_beats(messages: &Messages, topics: [&str; 3]) {
    assert_eq!(messages.keys().collect::<Vec<_>>(), topics);
    for (topic, told) in messages {
        let ticks: Vec<_> = told.iter().map(|drone| drone["tick"].as_u64()).collect();
        let beats: Vec<_> = (0..=6).map(|beat| Some(beat * 1_000)).collect();
        assert_eq!(ticks, beats, "{topic}");
        let id = told[0]["id"].as_str().expect("an id");
        assert!(topic.ends_with(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_carry_a_message_a_drone_and_beat() {
    let scenario = Scenario::new();
    let broker = Broker::start().await;
    let listener = async_nats::ConnectOptions::new()
        .user_and_password(USER.to_owned(), PASSWORD.to_owned())
        .connect(format!("127.0.0.1:{}", broker.nats))
        .await
        .expect("it lets us in");
    let mut heard = listener.subscribe("city.west.>").await.unwrap();
    listener.flush().await.unwrap();
    let to = format!(
        "nats://{USER}:{ENCODED_PASSWORD}@127.0.0.1:{}/city/west",
        broker.nats
    );
    let ended = emit(&scenario, &to, &["--hz", "10"]).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let mut messages = Messages::new();
    for _ in 0..21 {
        let message = timeout(PATIENCE, heard.next()).await.expect("in time");
        let message = message.expect("a message");
        let told = serde_json::from_slice(&message.payload).expect("JSON");
        let subject = message.subject.to_string();
        messages.entry(subject).or_default().push(told);
    }
    let subjects = ["d-0", "d-1", "d-2"].map(|id| format!("city.west.drones.{id}"));
    expect_three_drones_in_seven_beats(&messages, subjects.each_ref().map(String::as_str));

    let mut events = listen_by_mqtt(broker.mqtt).await;
    let to = format!("mqtt://{USER}:{ENCODED_PASSWORD}@127.0.0.1:{}", broker.mqtt);
    let ended = emit(&scenario, &to, &["--hz", "10"]).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let mut messages = Messages::new();
    while messages.values().map(Vec::len).sum::<usize>() < 21 {
        let (topic, told) = timeout(PATIENCE, events.recv())
            .await
            .expect("in time")
            .expect("a message");
        messages.entry(topic).or_default().push(told);
    }
    let topics = ["d-0", "d-1", "d-2"].map(|id| format!("skyhaul/drones/{id}"));
    expect_three_drones_in_seven_beats(&messages, topics.each_ref().map(String::as_str));

    let to = format!("mqtt://{USER}:wrong@127.0.0.1:{}", broker.mqtt);
    let ended = emit(&scenario, &to, &[]).await;
    assert_eq!(ended.status, Some(1));
    assert!(!ended.stderr.contains("wrong"), "{}", ended.stderr);
}

/// Answers once it listens.
async fn listen_by_mqtt(port: u16) -> tokio::sync::mpsc::Receiver<(String, Value)> {
    let mut options = MqttOptions::new("listener", "127.0.0.1", port);
    options.set_credentials(USER, PASSWORD);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("skyhaul/#", QoS::AtMostOnce).await.unwrap();
    loop {
        match timeout(PATIENCE, events.poll()).await.expect("in time") {
            Ok(Event::Incoming(Incoming::SubAck(_))) => break,
            other => {
                other.expect("it lets us in");
            }
        }
    }
    let (heard, hears) = tokio::sync::mpsc::channel(100);
    tokio::spawn(async move {
        let _open = client;
        while let Ok(event) = events.poll().await {
            if let Event::Incoming(Incoming::Publish(message)) = event {
                let told = serde_json::from_slice(&message.payload).expect("JSON");
                if heard.send((message.topic, told)).await.is_err() {
                    break;
                }
            }
        }
    });
    hears
}

#[test]
fn who_reads_no_further_does_not_keep_it_from_ending() {
    let scenario = Scenario::new();
    let text = std::fs::read_to_string(&scenario.file).unwrap();
    // A beat of theirs is more than any pipe holds.
    std::fs::write(&scenario.file, text.replace("count = 3", "count = 10000")).unwrap();
    let mut emitting = Command::new(skyhaul())
        .arg("emit")
        .arg(&scenario.file)
        .args(["--to", "ndjson:-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut reader = BufReader::new(emitting.stdout.take().expect("it is piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("it is text");
    assert_eq!(parse(&line)["id"], "d-0");
    let pid = emitting.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill is there")
            .success()
    );
    let mut said = String::new();
    let errors = emitting.stderr.take().expect("it is piped");
    BufReader::new(errors)
        .read_to_string(&mut said)
        .expect("it is text");
    let status = emitting.wait().expect("it ends");
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("10000 of 10000 records were not taken"), "{said}");
    drop(reader);
}

#[tokio::test]
async fn what_cannot_come_to_anything_is_refused_with_words() {
    let scenario = Scenario::new();
    for (to, arguments, says) in [
        ("kafka://localhost", &[][..], "ndjson:, http://"),
        ("http://me:hunter2@localhost/", &[], "SKYHAUL_TOKEN"),
        ("ndjson:-", &["--hz", "0"], "above 0"),
        ("ndjson:-", &["--hz", "20", "--speed", "1"], "--hz 10"),
        ("ndjson:-", &["--orders", "--shape", "geojson"], "one shape"),
        ("ndjson:/", &[], "/ cannot be used: Is a directory"),
    ] {
        let path = scenario.file.to_str().expect("UTF-8");
        let mut all = vec!["emit", path, "--to", to];
        all.extend(arguments);
        let ended = run_with(&skyhaul(), &all, &[]);
        assert!(matches!(ended.status, Some(1 | 2)), "{to}: {ended:?}");
        assert!(ended.stderr.contains(says), "{to}: {}", ended.stderr);
        assert!(!ended.stderr.contains("hunter2"), "{to}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{to}: {}", ended.stdout);
    }
}
