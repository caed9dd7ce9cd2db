//! A live world that is recorded while it runs: its past can be seen, and left again for the
//! present.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use skyhaul::recording::{Recording, Sources, Studio, StudioSettings};
use skyhaul::server::Options;

use crate::own_moments::{arrive, seek, watcher};
use crate::support::client::Client;
use crate::support::server::{Running, lively};
use crate::support::stream::Stream;

const SCENARIO: &str = "tests/clients/worlds/busy.toml";

pub(crate) async fn start(folder: &Path) -> Running {
    start_studio(folder, 1.0).await.0
}

/// With so many frames a second.
pub(crate) async fn start_studio(folder: &Path, hz: f64) -> (Running, Arc<Studio>) {
    let world = Arc::new(skyhaul::scenario::load(Path::new(SCENARIO)).unwrap().world);
    let settings = StudioSettings {
        folder: Some(folder.to_owned()),
        sources: Sources::of_file(Path::new(SCENARIO)).unwrap(),
        hz,
        followed: Vec::new(),
    };
    let studio = Arc::new(Studio::new(settings, Arc::clone(&world)));
    let options = Options {
        stand: studio.stand(),
        studio: Some(Arc::clone(&studio)),
        ..lively()
    };
    (Running::start(world, options).await, studio)
}

/// Stands still at this tick; what all see there.
async fn stop_at(tick: u64, client: &Client, server: &Running) -> Value {
    client.run_to(tick).await;
    let mut stream = server.stream().await;
    let everywhere = json!({"type": "subscribe", "id": 1, "topic": "area", "bbox": [-123, 37, -122, 38]});
    stream.send(everywhere).await;
    let seen = |message: &Value| message["full"] == true && message["tick"] == tick;
    stream.next_where(seen).await
}

/// In order of drones; messages have them in that of places.
fn rows(message: &Value) -> Vec<&Value> {
    let mut rows: Vec<&Value> = message["drones"].as_array().unwrap().iter().collect();
    rows.sort_by_key(|row| row[0].to_string());
    rows
}

async fn refused(stream: &mut Stream, message: Value) -> Value {
    stream.send(message).await;
    stream.next_where(|message| message["type"] == "error").await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_sees_what_was_live_before_and_comes_back_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let client = server.client();
    client.control(json!({"speed": "max"})).await;
    client.run_to(500).await;
    let (status, begun) = client
        .put("/api/recording", &json!({"state": "recording", "name": "demo"}))
        .await;
    assert_eq!(
        (status.as_u16(), &begun["state"]),
        (200, &json!("recording")),
        "{begun}"
    );
    let mut live = Vec::new();
    for tick in [1_500, 3_000, 4_500] {
        live.push(stop_at(tick, &client, &server).await);
    }
    let (mut ada, mut grace) = (watcher(server.address()).await, watcher(server.address()).await);
    for (stream, at) in [(&mut ada, 0), (&mut grace, 1)] {
        let (_, clock, full) = seek(stream, &live[at]["simTime"]).await;
        assert_eq!(
            (&clock["live"], &full["tick"]),
            (&json!(false), &live[at]["tick"])
        );
        assert_eq!(rows(&full), rows(&live[at]));
        // What is said of the recording is said of all of it, whichever moment is looked at.
        let show = format!("/shows/{}", clock["show"].as_str().unwrap());
        let own = async |path: &str| client.get(&format!("{show}{path}")).await;
        let (recorded, glance) = (own("/api/recording").await.1, own("/api/timeline").await.1);
        assert_eq!(
            (&recorded["state"], &recorded["from"], &glance["to"]),
            (&json!("recording"), &glance["from"], &live[2]["simTime"])
        );
        let (status, problem) = own("/api/stream?topic=fleet").await;
        assert_eq!(status.as_u16(), 404, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains("WebSocket"),
            "{problem}"
        );
    }
    assert_eq!(
        client.get("/api/simulation").await.1["tick"],
        4_500,
        "the world is where it was"
    );
    let (status, glance) = client.get("/api/timeline?buckets=10").await;
    assert_eq!(
        (status.as_u16(), &glance["to"]),
        (200, &live[2]["simTime"]),
        "{glance}"
    );

    let early = refused(
        &mut ada,
        json!({"type": "seek", "simTime": "2026-06-01T00:00:00Z"}),
    )
    .await;
    assert_eq!(early["code"], "not_recorded", "{early}");

    // It plays up to where the world is, and there it is the world.
    ada.send(json!({"type": "play", "speed": 500})).await;
    ada.next_where(|message| message["type"] == "clock" && message["live"] == true)
        .await;
    let now = ada
        .next_where(|message| message["full"] == true && message["tick"] == 4_500)
        .await;
    assert_eq!(rows(&now), rows(&live[2]));

    // Once nothing is recorded any more there is no past to go to; the file has it.
    let (_, ended) = client.put("/api/recording", &json!({"state": "off"})).await;
    assert_eq!(
        (&ended["state"], &ended["name"]),
        (&json!("off"), &json!("demo")),
        "{ended}"
    );
    let none = refused(&mut ada, json!({"type": "seek", "simTime": live[0]["simTime"]})).await;
    assert_eq!(none["code"], "not_recorded", "{none}");
    assert_eq!(client.get("/api/timeline").await.0.as_u16(), 404);
    grace.send(json!({"type": "live"})).await;
    let (_, clock, full) = arrive(&mut grace).await;
    assert_eq!((&clock["live"], &full["tick"]), (&json!(true), &json!(4_500)));
    let recording = Recording::open(&folder.path().join("demo.mcap")).unwrap();
    assert_eq!(recording.cut_off(), None);

    for (body, expected) in [
        (json!({"state": "recording", "name": "demo"}), 409),
        (json!({"state": "recording", "name": "../demo"}), 422),
        (json!({"state": "recording", "name": ""}), 422),
        (json!({"state": "paused"}), 422),
        (json!({"state": "recording", "name": "again"}), 200),
        (json!({"state": "recording", "name": "again"}), 200),
        (json!({"state": "recording", "name": "another"}), 409),
        (json!({"state": "off"}), 200),
        (json!({"state": "off"}), 200),
    ] {
        let (status, answer) = client.put("/api/recording", &body).await;
        assert_eq!(status.as_u16(), expected, "{body}: {answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_follows_a_recording_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let client = server.client();
    client.put("/api/recording", &json!({"state": "recording"})).await;
    client.control(json!({"speed": "max"})).await;
    client.run_to(600).await;
    let then = client.run_to(1_200).await;
    client.control(json!({"speed": 20, "state": "running"})).await;
    let mut stream = watcher(server.address()).await;
    seek(&mut stream, &then["simTime"]).await;
    // As fast as the world goes: it stays as far behind, and new chunks come all the time.
    let later = |message: &Value| message["type"] == "positions" && message["tick"].as_u64() > Some(2_500);
    stream.next_where(later).await;
    let world = client.get("/api/simulation").await.1;
    assert!(world["tick"].as_u64() > Some(2_500), "{world}");
    // Faster it overtakes the world, and is there.
    stream.send(json!({"type": "play", "speed": 1_000})).await;
    stream
        .next_where(|message| message["type"] == "clock" && message["live"] == true)
        .await;
    // Backwards it leaves it again.
    stream.send(json!({"type": "play", "speed": -10})).await;
    stream
        .next_where(|message| message["type"] == "clock" && message["live"] == false)
        .await;
    let earlier = |message: &Value| message["type"] == "positions" && message["tick"].as_u64() < Some(2_000);
    stream.next_where(earlier).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_has_what_had_ended_before_it_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let client = server.client();
    client.control(json!({"speed": "max"})).await;
    client.run_to(9_000).await;
    let lists = [
        "/api/deliveryhistory?limit=1000",
        "/api/deliveries?limit=1000",
        "/api/deliveries?stage=Completed&limit=3",
    ];
    let mut live = Vec::new();
    for path in lists {
        live.push(client.get(path).await.1);
    }
    client.put("/api/recording", &json!({"state": "recording"})).await;
    client.run_to(12_000).await;
    let begun = client.get("/api/recording").await.1["from"].clone();
    let mut stream = watcher(server.address()).await;
    let (_, clock, _) = seek(&mut stream, &begun).await;
    let show = format!("/shows/{}", clock["show"].as_str().unwrap());
    for (path, live) in lists.iter().zip(&live) {
        assert_eq!(&client.get(&format!("{show}{path}")).await.1, live, "{path}");
    }
    let ended = live[0]["items"].as_array().unwrap();
    assert!(ended.len() > 3, "{ended:?}");
    for item in ended {
        let id = item["delivery"]["id"].as_str().unwrap();
        let (status, told) = client.get(&format!("{show}/api/deliveryhistory/{id}")).await;
        assert_eq!((status.as_u16(), &told), (200, item));
    }
    server.stop().await;
}
