//! Clients that ask too much or read too little.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::stand::{Stand, flying};
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
