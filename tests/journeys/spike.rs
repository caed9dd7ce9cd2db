//! More requests than the world takes in at once: all are accepted, and all are carried out.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use skyhaul::sim::time::SimDuration;
use skyhaul::sim::world::WhenFull;

use crate::support::client::parcel;
use crate::support::server::{Running, quiet};
use crate::support::worlds::tiny_with_drones;

/// Of as many at once a tick of ten milliseconds takes 64, the word about demand among them.
const SPIKE: usize = 600;

#[tokio::test]
async fn a_spike_is_accepted_before_it_is_admitted_and_all_of_it_comes_to_its_end() {
    let mut world = tiny_with_drones(1);
    world.tick = SimDuration::from_secs(0.01);
    world.dispatch.backlog = 5;
    world.dispatch.when_full = WhenFull::Fail;
    let server = Running::start(world, quiet()).await;
    let customer = server.client();
    let lunch = parcel("Dolores Park", "General Hospital", 1.0);
    let mut ids = join_all((0..SPIKE).map(|_| customer.order(&lunch))).await;
    // As the journal has them.
    ids.sort_unstable();

    customer.step(1).await;
    let states = [&ids[0], &ids[62], &ids[64], &ids[SPIKE - 1]].map(|id| customer.workflow(id));
    let states = join_all(states)
        .await
        .into_iter()
        .map(|workflow| workflow["state"] == "Queued");
    assert_eq!(states.collect::<Vec<_>>(), [false, false, true, true]);
    // Whoever asks for a decision does not wait for a lull, nor does it come before its turn.
    customer.control(json!({"state": "running", "speed": 1.0})).await;
    let last = format!("/api/deliveries/{}", ids[SPIKE - 1]);
    let (status, body) = customer.delete(&last).await;
    assert!(status.is_success() || status == StatusCode::CONFLICT, "{body}");
    customer.control(json!({"state": "paused"})).await;
    customer.step(20).await;

    let mut ended = 0;
    for id in &ids {
        let workflow = customer.workflow(id).await;
        assert_ne!(workflow["state"], "Queued", "{workflow}");
        ended += usize::from(workflow["state"] == "Failed");
    }
    // One flies, five wait, the others found no room; the last may be called off by its customer.
    assert!((SPIKE - 7..=SPIKE - 6).contains(&ended), "{ended} of {SPIKE}");
    let (_, metrics) = customer.get("/metrics").await;
    let metrics = metrics.as_str().expect("text");
    for queue in ["ingestion", "inbox"] {
        let gauge = format!("skyhaul_queue_depth{{queue=\"{queue}\"}} 0\n");
        assert!(metrics.contains(&gauge), "{gauge}");
    }
    server.stop().await;
}
