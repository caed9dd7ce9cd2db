//! A live world's recording ends where the world was, however seldom frames are due.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};
use skyhaul::engine::digest::hex;
use skyhaul::recording::{Fork, Recorder, Recording};

use crate::live_past::start_studio;
use crate::own_moments::{seek, watcher};
use crate::recordings::replay;
use crate::support::client::{Client, parcel};

/// A frame in a hundred ticks of the busy world.
const SELDOM_HZ: f64 = 0.1;

async fn record(client: &Client, name: &str) {
    let (status, begun) = client
        .put("/api/recording", &json!({"state": "recording", "name": name}))
        .await;
    assert_eq!(status.as_u16(), 200, "{begun}");
}

async fn end(client: &Client) {
    let (status, ended) = client.put("/api/recording", &json!({"state": "off"})).await;
    assert_eq!(
        (status.as_u16(), &ended["state"]),
        (200, &json!("off")),
        "{ended}"
    );
}

/// It is played to this moment of the world, and a branch from its first moment on ends so too.
async fn ends_as(path: &Path, clock: &Value) {
    let (server, client) = replay(path).await;
    let playback = client.get("/api/simulation").await.1["playback"].clone();
    assert_eq!(playback["to"], clock["simTime"], "{playback}");
    let shown = client.control(json!({"simTime": clock["simTime"]})).await;
    server.stop().await;
    let path = path.to_owned();
    let branch = tokio::task::spawn_blocking(move || {
        let recording = Recording::open(&path).unwrap();
        let fork = Fork::at(&recording, recording.begin()).unwrap();
        let out = path.with_extension("branch");
        let recorder = Recorder::create(&out, recording.origin.clone()).unwrap();
        let run = fork.run(None, 1, &recorder, 1.0, |_, _| ControlFlow::Continue(()));
        recorder.finish().unwrap();
        let engine = run.unwrap();
        json!({"tick": engine.tick_number(), "digest": hex(engine.digest())})
    });
    for seen in [shown, branch.await.unwrap()] {
        for what in ["tick", "digest"] {
            assert_eq!(seen[what], clock[what], "{what} at {}", clock["simTime"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ended_between_two_frames_ends_with_the_world_of_that_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = start_studio(folder.path(), SELDOM_HZ).await;
    let client = server.client();
    client.control(json!({"speed": "max"})).await;
    client.run_to(1_203).await;
    record(&client, "first").await;
    let clock = client.run_to(2_347).await;
    let mut session = watcher(server.address()).await;
    let (_, seen, _) = seek(&mut session, &clock["simTime"]).await;
    assert_eq!(seen["live"], false, "{seen}");
    end(&client).await;
    ends_as(&folder.path().join("first.mcap"), &clock).await;

    // What is left of it can be looked at by who did already, and no more than that.
    client.run_to(2_500).await;
    session.send(json!({"type": "play", "speed": 0})).await;
    let told = session.next_where(|message| message["type"] == "clock").await;
    assert_eq!(told["to"], clock["simTime"], "{told}");

    // The world goes on, and is recorded again: what the first end took of its state is not lost.
    record(&client, "second").await;
    let clock = client.run_to(3_001).await;
    end(&client).await;
    ends_as(&folder.path().join("second.mcap"), &clock).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_ended_before_a_tick_has_the_one_moment_that_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = start_studio(folder.path(), SELDOM_HZ).await;
    let client = server.client();
    client.control(json!({"speed": "max"})).await;
    // The world takes a snapshot of its own there, which waits for the next tick.
    let clock = client.run_to(1_200).await;
    for name in ["one", "two"] {
        record(&client, name).await;
        end(&client).await;
        ends_as(&folder.path().join(format!("{name}.mcap")), &clock).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_before_the_end_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = start_studio(folder.path(), SELDOM_HZ).await;
    let client = server.client();
    client.control(json!({"state": "running", "speed": 1})).await;
    for name in ["one", "two", "three"] {
        record(&client, name).await;
        let id = client.order(&parcel("Dolores Park", "City Hall", 2.0)).await;
        end(&client).await;
        let (shown, watching) = replay(&folder.path().join(format!("{name}.mcap"))).await;
        let to = watching.get("/api/simulation").await.1["playback"]["to"].clone();
        watching.control(json!({"simTime": to})).await;
        let (status, told) = watching.get(&format!("/api/deliveries/{id}")).await;
        assert_eq!(status.as_u16(), 200, "{name}: {told}");
        shown.stop().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_recording_with_its_world() {
    for ticks in [0, 147] {
        let folder = tempfile::tempdir().unwrap();
        let (server, studio) = start_studio(folder.path(), SELDOM_HZ).await;
        let path = folder.path().join("all.mcap");
        studio.record_to(&path).unwrap();
        let client = server.client();
        let clock = match ticks {
            0 => client.get("/api/simulation").await.1,
            ticks => client.run_to(ticks).await,
        };
        server.stop().await;
        studio.finish().unwrap().unwrap();
        ends_as(&path, &clock).await;
    }
}
