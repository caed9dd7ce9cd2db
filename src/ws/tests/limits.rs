//! Clients that ask too much or read too little.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::stand::{Stand, flying, took_off};
use crate::view::frame::DroneRow;
use crate::ws::{Config, Patience};

const EVERYWHERE: [f64; 4] = [-122.52, 37.70, -122.35, 37.83];
const CROWD: u32 = 20_000;

/// Every drone in the air, and elsewhere than at any other `step`.
fn crowd(step: u64) -> Vec<DroneRow> {
    let lat = |drone: u32| 37.71 + f64::from(drone) * 5e-6;
    (0..CROWD)
        .map(|drone| flying(drone, lat(drone), -122.5 + step as f64 * 1e-4))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_closed_and_nobody_else_notices() {
    let patience = Patience {
        close_after: Duration::from_millis(500),
        ..Patience::default()
    };
    let config = Config {
        patience,
        ..Config::default()
    };
    let mut stand = Stand::new(CROWD, config).await;
    stand.publish(crowd(0), vec![]);
    let mut deaf = stand.client().await;
    let area = json!({"type": "subscribe", "id": 1, "topic": "area", "bbox": EVERYWHERE, "maxHz": 10});
    deaf.send(area.clone()).await;
    let mut other = stand.client().await;
    other.send(area).await;
    other.next_of("subscribed").await;
    let mut step = 0;
    while stand.gateway.telemetry().closed_slow() == 0 {
        step += 1;
        let tick = stand.publish(crowd(step), vec![]);
        let positions = other.positions_at(1, tick).await;
        assert_eq!(positions["drones"].as_array().unwrap().len(), CROWD as usize);
    }
    while stand.gateway.telemetry().sessions_open() > 1 {
        let tick = stand.publish(crowd(0), vec![]);
        other.positions_at(1, tick).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_says_too_much_is_told_so() {
    let config = Config {
        messages_per_second: 2,
        ..Config::default()
    };
    let stand = Stand::new(1, config).await;
    let mut client = stand.client().await;
    for number in 0..2000 {
        client
            .send_raw(Message::text(format!(
                r#"{{"type":"unsubscribe","id":{number}}}"#
            )))
            .await;
    }
    let (mut answered, mut refused) = (0, 0);
    for number in 0..2000 {
        let error = client.next().await;
        assert_eq!(error["id"], number);
        match error["code"].as_str().unwrap() {
            "unknown_id" => answered += 1,
            "rate_limited" => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(
        answered >= 4 && refused > answered,
        "{answered} answered, {refused} refused"
    );
}

/// However much is new at once, what goes out before the next ping is bounded; and what
/// has little to say need not wait for what has much.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_bounded_and_the_next_begins_with_whoever_did_not_get_a_word_in() {
    const DRONES: u32 = 60;
    const EACH: u32 = 100;
    const MOST: usize = 256 * 1024;
    let mut stand = Stand::with_drones(DRONES).await;
    let mut client = stand.client().await;
    client.subscribe(1, "events", 1.0).await;
    client.next_of("snapshot").await;
    for drone in 0..DRONES {
        client
            .subscribe(u64::from(drone) + 2, &format!("drone/d-{drone}"), 0.5)
            .await;
        client.next_of("snapshot").await;
    }
    let events = (1..=EACH).flat_map(|seq| (0..DRONES).map(move |drone| (seq, took_off(drone))));
    stand.publish(vec![], events.collect());

    let mut told = vec![0; DRONES as usize + 2];
    let mut unpinged = 0;
    let mut most = 0;
    while told.iter().sum::<u64>() < u64::from(DRONES * EACH * 2) {
        let frame = client.any_frame().await;
        if frame.is_ping() {
            unpinged = 0;
            continue;
        }
        unpinged += frame.len();
        most = most.max(unpinged);
        let message = client.read(frame);
        if message["type"] == "event" {
            let id = message["id"].as_u64().unwrap() as usize;
            told[id] += 1;
            assert_eq!(message["seq"], told[id], "without a hole");
            if id == 1 && told[1] > 1000 {
                assert!(
                    told[2..].iter().all(|told| *told > 0),
                    "the others first: {told:?}"
                );
            }
        }
    }
    assert!(most <= MOST + 1024, "{most} bytes at once");
}
