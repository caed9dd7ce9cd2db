//! A served world is recorded while people order; then it is shown again, and goes on otherwise.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use skyhaul::engine::digest::hex;
use skyhaul::engine::witness::Stand;
use skyhaul::recording::playback::{Playback, Programme};
use skyhaul::recording::{Fork, Origin, Recorder, Recording, Reporter, Sources};
use skyhaul::server::{self, Limits, Options, Replay, ReplayOptions};
use skyhaul::sim::time::SimTime;
use skyhaul::view::reading::Speed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::live_past;
use crate::own_moments::{seek, watcher};
use crate::support::PATIENCE;
use crate::support::client::{Client, parcel};
use crate::support::server::{Running, lively};

const SCENARIO: &str = "tests/clients/worlds/busy.toml";

/// A served world's recording, and what its clients saw.
pub(crate) struct Served {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    /// The clock at some ticks.
    pub(crate) clocks: Vec<Value>,
    /// All drones as they were at these ticks.
    pub(crate) drones: Vec<Value>,
    /// What somebody ordered.
    id: String,
}

pub(crate) async fn serve_and_record() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("served.mcap");
    let world = skyhaul::scenario::load(Path::new(SCENARIO)).unwrap().world;
    let sources = Sources::of_file(Path::new(SCENARIO)).unwrap();
    let recorder = Recorder::create(&path, Origin::of(&world, sources, 1.0)).unwrap();
    let (recorder, world) = (Arc::new(recorder), Arc::new(world));
    let stand = Stand::default();
    let reporter = Reporter::new(Arc::clone(&recorder), Arc::clone(&world), 1.0);
    *stand.lock() = Some(Box::new(reporter));
    let options = Options {
        stand: Arc::clone(&stand),
        ..lively()
    };
    let server = Running::start(world, options).await;
    let client = server.client();
    client.run_to(100).await;
    client.control(json!({"state": "running", "speed": 50})).await;
    let id = client.order(&parcel("Dolores Park", "City Hall", 2.0)).await;
    let (mut clocks, mut drones) = (Vec::new(), Vec::new());
    let begun = client.control(json!({"state": "paused"})).await["tick"]
        .as_u64()
        .unwrap();
    for seconds in 1..=6 {
        let tick = (begun / 10 + 50 * seconds) * 10;
        client.control(json!({"speed": 60})).await;
        clocks.push(client.run_to(tick).await);
        drones.push(client.get("/api/drones?limit=100").await.1);
    }
    server.stop().await;
    drop(stand.lock().take());
    recorder.finish().unwrap();
    Served {
        _folder: folder,
        path,
        clocks,
        drones,
        id,
    }
}

pub(crate) async fn replay(path: &Path) -> (Replay, Client) {
    let programme = Programme {
        speed: Speed::Times(1.0),
        paused: true,
        is_loop: false,
        from: SimTime::START,
        to: SimTime::NEVER,
    };
    let recording = Recording::open(path).unwrap();
    let (playback, _) = Playback::start(recording, programme).unwrap();
    let view = Arc::clone(playback.view());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server::replay(playback, ReplayOptions::default(), listener)
        .await
        .unwrap();
    let client = Client::new(server.address(), view);
    (server, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_world_is_shown_again_as_its_clients_saw_it() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    for at in [5, 0, 3, 1, 4, 2] {
        let (clock, drones) = (&served.clocks[at], &served.drones[at]);
        let shown = client.control(json!({"simTime": clock["simTime"]})).await;
        assert_eq!(
            (&shown["tick"], &shown["digest"]),
            (&clock["tick"], &clock["digest"])
        );
        assert_eq!(
            &client.get("/api/drones?limit=100").await.1,
            drones,
            "at {}",
            clock["simTime"]
        );
    }
    assert!(
        !client.kinds(&served.id).await.is_empty(),
        "what was ordered is there"
    );
    let (status, why) = client
        .post("/api/deliveryrequests", &parcel("Dolores Park", "City Hall", 2.0))
        .await;
    assert_eq!(status.as_u16(), 409, "{why}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_world_that_goes_on_without_a_change_ends_as_it_did() {
    let served = serve_and_record().await;
    let last = served.clocks.last().unwrap().clone();
    let out = served.path.with_file_name("branch.mcap");
    let ended = tokio::task::spawn_blocking(move || {
        let recording = Recording::open(&served.path).unwrap();
        let fork = Fork::at(&recording, SimTime(60_000_000)).unwrap();
        assert!(fork.is_inside());
        let recorder = Recorder::create(&out, recording.origin.clone()).unwrap();
        let engine = fork
            .run(None, 1, &recorder, 1.0, |_, _| ControlFlow::Continue(()))
            .unwrap();
        recorder.finish().unwrap();
        (hex(engine.digest()), engine.tick_number())
    });
    let (digest, tick) = ended.await.unwrap();
    assert_eq!(
        (json!(tick), json!(digest)),
        (last["tick"].clone(), last["digest"].clone())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_to_a_recording_is_told_so_before_they_have_said_what() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let (status, why) = client.delete("/api/deliveries/nobody").await;
    assert_eq!(status.as_u16(), 409, "{why}");
    let large = vec![b'x'; 3 << 20];
    let (status, why) = client.post_bytes("/api/deliveryrequests", large).await;
    assert_eq!(status.as_u16(), 409, "{why}");
    let (status, why) = client.post("/api/nothing", &json!({})).await;
    assert_eq!(status.as_u16(), 404, "{why}");
    let (status, why) = client.post("/shows/nobodys/api/zones", &json!({})).await;
    assert_eq!(status.as_u16(), 404, "{why}");
    for rest in ["", "Expect: 100-continue\r\n"] {
        let mut socket = TcpStream::connect(server.address()).await.unwrap();
        let head =
            format!("POST /api/zones HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n{rest}\r\n{{");
        socket.write_all(head.as_bytes()).await.unwrap();
        // Sooner than a body is given up: nobody waits for this one.
        let mut answer = [0; 1_000];
        let read = timeout(Limits::default().body / 2, socket.read(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).to_lowercase();
        assert!(answer.starts_with("http/1.1 409"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    server.stop().await;
}

/// What the branch with this number has come to, when it is no longer under way.
async fn ended(client: &Client, fork: &Value) -> Value {
    let ended = async {
        loop {
            let (_, forks) = client.get("/api/forks").await;
            let mut items = forks["items"].as_array().unwrap().iter();
            let now = items.find(|known| known["id"] == fork["id"]).unwrap();
            if now["state"] != "running" {
                return now.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_is_made_from_the_page_and_shown_beside_at_the_same_moment() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let moments: Vec<&Value> = served.clocks.iter().map(|clock| &clock["simTime"]).collect();
    let (_, forks) = client.get("/api/forks").await;
    assert_eq!(forks, json!({"items": [], "beside": null}));
    assert_eq!(client.get("/beside/api/simulation").await.0.as_u16(), 404);
    assert_eq!(client.get("/api/comparison").await.0.as_u16(), 404);

    // As it was: never another world.
    let (status, fork) = client.post("/api/forks", &json!({"at": moments[1]})).await;
    assert_eq!(status.as_u16(), 201, "{fork}");
    let done = ended(&client, &fork).await;
    assert_eq!(done["state"], "done", "{done}");
    let (_, same) = client.get("/api/comparison").await;
    assert_eq!(same["partsAt"], Value::Null, "{same}");
    let is_same = |measure: &Value| measure["difference"].as_f64().unwrap_or(0.0) == 0.0;
    assert!(same["measures"].as_array().unwrap().iter().all(is_same), "{same}");

    let wish = json!({"at": moments[1], "set": {"demand.rate": "2000/h", "weather.wind.speed": 9}});
    let (status, fork) = client.post("/api/forks", &wish).await;
    assert_eq!(status.as_u16(), 201, "{fork}");
    let done = ended(&client, &fork).await;
    assert_eq!(done["state"], "done", "{done}");
    let file = served.path.with_file_name(done["file"].as_str().unwrap());
    assert!(Recording::open(&file).is_ok());
    let (_, other) = client.get("/api/comparison").await;
    assert!(other["partsAt"].as_str() > moments[1].as_str(), "{other}");

    // Whoever moves the one moves both; before it began it waits at its beginning.
    for (to, at) in [(4, 4), (2, 2), (0, 1), (3, 3)] {
        client.control(json!({"simTime": moments[to]})).await;
        let (_, beside) = client.get("/beside/api/simulation").await;
        assert_eq!(&beside["simTime"], moments[at], "{beside}");
        let (_, drones) = client.get("/beside/api/drones?limit=100").await;
        let is_as_it_was = drones == served.drones[at];
        assert_eq!(is_as_it_was, at == 1, "at {}", moments[at]);
    }
    client
        .control(json!({"simTime": moments[2], "state": "running", "speed": 20}))
        .await;
    let (_, beside) = client.get("/beside/api/simulation").await;
    assert_eq!(
        (&beside["state"], &beside["speed"]),
        (&json!("running"), &json!(20.0))
    );
    client.control(json!({"state": "paused"})).await;
    let (_, beside) = client.get("/beside/api/simulation").await;
    assert_eq!(beside["state"], "paused");

    // There is one clock, and one recording that is branched.
    let (status, why) = client
        .put("/beside/api/simulation", &json!({"state": "running"}))
        .await;
    assert_eq!(status.as_u16(), 409, "{why}");
    assert!(
        why["detail"].as_str().unwrap().contains("/api/simulation"),
        "{why}"
    );
    let wish = json!({"at": moments[3]});
    let (status, why) = client.post("/beside/api/forks", &wish).await;
    assert_eq!(status.as_u16(), 409, "{why}");
    assert!(why["detail"].as_str().unwrap().contains("/api/forks"), "{why}");
    assert_eq!(client.get("/beside/api/simulation").await.1["state"], "paused");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_branched_is_refused_in_words_and_what_is_called_off_leaves_nothing() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let at = &served.clocks[0]["simTime"];
    for (wish, pointer) in [
        (json!({}), "/at"),
        (json!({"at": "2020-01-01T00:00:00Z"}), "/at"),
        (json!({"at": at, "set": {"tick": "2s"}}), "/set/tick"),
        (json!({"at": at, "set": {"a/b~c": "2s"}}), "/set/a~1b~0c"),
        (json!({"at": at, "set": {"a/b~c": []}}), "/set/a~1b~0c"),
        (json!({"at": at, "set": {"demand.rate": []}}), "/set/demand.rate"),
        (json!({"at": at, "set": {"demand.rate": "many"}}), "/set"),
        (json!({"at": at, "sett": {}}), "/sett"),
    ] {
        let (status, problem) = client.post("/api/forks", &wish).await;
        assert_eq!(
            (status.as_u16(), &problem["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{problem}"
        );
    }
    let beyond = json!({"simTime": "2030-01-01T00:00:00Z"});
    let (status, problem) = client.put("/api/simulation", &beyond).await;
    assert_eq!(status.as_u16(), 422, "{problem}");
    let range = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(range.contains("from 2026-06-01T18:00:00.100Z to "), "{range}");

    let (status, fork) = client.post("/api/forks", &json!({"at": at})).await;
    assert_eq!(status.as_u16(), 201, "{fork}");
    let path = format!("/api/forks/{}", fork["id"]);
    // It may be done already, on a quick machine.
    let called_off = client.delete(&path).await.0.as_u16() == 204;
    let fork = ended(&client, &fork).await;
    if called_off && fork["state"] == "cancelled" {
        assert!(
            !served
                .path
                .with_file_name(fork["file"].as_str().unwrap())
                .exists()
        );
    }
    assert_eq!(client.delete(&path).await.0.as_u16(), 409);
    assert_eq!(client.delete("/api/forks/77").await.0.as_u16(), 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_late_is_played_from_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let server = live_past::start(folder.path()).await;
    let client = server.client();
    client.control(json!({"speed": "max"})).await;
    client.run_to(509).await;
    let (status, _) = client
        .put("/api/recording", &json!({"state": "recording", "name": "late"}))
        .await;
    assert_eq!(status.as_u16(), 200);
    // The last frame is of the moment that it ends at.
    client.run_to(1_005).await;
    let begun = client.get("/api/recording").await.1["from"].clone();
    client.put("/api/recording", &json!({"state": "off"})).await;
    server.stop().await;
    let (server, client) = replay(&folder.path().join("late.mcap")).await;
    let clock = client.simulation().await;
    assert!(begun.as_str() > Some("2026-06-01T18:00:50"), "{begun}");
    assert_eq!((&clock["playback"]["from"], &clock["simTime"]), (&begun, &begun));
    assert_eq!(clock["playback"]["to"], "2026-06-01T18:01:40.500Z");
    let (status, problem) = client
        .put("/api/simulation", &json!({"simTime": "2026-06-01T18:00:49Z"}))
        .await;
    assert_eq!(status.as_u16(), 422, "{problem}");

    // At its end it stands still, and shows what it showed last.
    client.control(json!({"simTime": "2026-06-01T18:01:38Z"})).await;
    client.control(json!({"state": "running", "speed": 10})).await;
    let ended = async {
        loop {
            let clock = client.simulation().await;
            if clock["state"] == "paused" {
                return clock;
            }
        }
    };
    let ended = timeout(PATIENCE, ended).await.unwrap();
    assert_eq!(ended["simTime"], clock["playback"]["to"]);
    let drones = client.get("/api/drones?limit=100").await.1;
    assert_eq!(drones["items"].as_array().unwrap().len(), 40, "{drones}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_played_at_speeds_that_can_be_watched() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let mut stream = watcher(server.address()).await;
    seek(&mut stream, &served.clocks[3]["simTime"]).await;
    for speed in [0.1, -0.1, 1_000.0, -1_000.0] {
        client.control(json!({"speed": speed})).await;
        stream.send(json!({"type": "play", "speed": speed})).await;
        let clock = stream
            .next_where(|message| message["type"] == "clock" && message["speed"] == speed)
            .await;
        assert_eq!(clock["speed"], speed, "{clock}");
    }
    client.control(json!({"speed": "max"})).await;
    for speed in [0.0999, -0.05, 1_000.5, -2_000.0, 1e300] {
        let (status, problem) = client.put("/api/simulation", &json!({"speed": speed})).await;
        assert_eq!(
            (status.as_u16(), &problem["errors"][0]["pointer"]),
            (422, &json!("/speed")),
            "{problem}"
        );
        stream.send(json!({"type": "play", "speed": speed})).await;
        let refused = stream.next_of("error").await;
        assert_eq!(refused["code"], "bad_message", "{refused}");
        let words = refused["message"].as_str().unwrap();
        assert!(words.contains("from 0.1 to 1,000"), "{words}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_is_refused_before_it_is_looked_at() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let mut stream = watcher(server.address()).await;
    let (_, clock, _) = seek(&mut stream, &served.clocks[1]["simTime"]).await;
    let show = format!("/shows/{}", clock["show"].as_str().unwrap());
    let (_, description) = client.get("/openapi.json").await;
    let nonsense = json!({"nonsense": true});
    let (mut of_all, mut of_the_show) = (0, 0);
    for (path, operations) in description["paths"].as_object().unwrap() {
        let path: Vec<&str> = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect();
        let path = path.join("/");
        // The clock, branches and tokens are not of the world.
        let is_of_the_world = path == "/api/simulation/faults"
            || !["/api/simulation", "/api/forks", "/api/tokens"]
                .iter()
                .any(|other| path.starts_with(other));
        for method in ["post", "put", "patch", "delete"] {
            let Some(operation) = operations.get(method) else {
                continue;
            };
            let ask = async |path: &str| {
                let (status, problem) = match method {
                    "post" => client.post(path, &nonsense).await,
                    "put" => client.put(path, &nonsense).await,
                    "patch" => client.patch(path, &nonsense).await,
                    _ => client.delete(path).await,
                };
                assert_eq!(status.as_u16(), 409, "{method} {path}: {problem}");
                assert_eq!(problem["type"], "urn:skyhaul:problem:recorded", "{method} {path}");
            };
            if path.starts_with("/api/") {
                ask(&format!("{show}{path}")).await;
                of_the_show += 1;
            }
            if is_of_the_world && operation.get("requestBody").is_some() {
                ask(&path).await;
                of_all += 1;
            }
        }
    }
    assert!(of_all > 10 && of_the_show > of_all, "{of_all}, {of_the_show}");
    server.stop().await;
}
