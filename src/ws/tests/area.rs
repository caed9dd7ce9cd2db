//! Looking at a viewport: full messages, changes, and who is gone.

use serde_json::json;

use super::stand::{Stand, drones, flying, took_off};

/// A few cells in the west of the area.
const WEST: [f64; 4] = [-122.46, 37.75, -122.42, 37.77];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_area_is_told_in_full_and_then_by_what_changed() {
    let mut stand = Stand::with_drones(4).await;
    stand.publish(
        vec![flying(1, 37.755, -122.45), flying(2, 37.755, -122.36)],
        vec![],
    );
    let mut client = stand.client().await;
    let subscribed = client.subscribe_area(1, WEST).await;
    let widened: Vec<f64> = serde_json::from_value(subscribed["bbox"].clone()).unwrap();
    assert!(widened[0] <= -122.46 && widened[1] <= 37.75 && widened[2] >= -122.42 && widened[3] >= 37.77);
    assert!(widened[0] > -122.464 && widened[3] < 37.773);

    let full = client.next_of("positions").await;
    assert_eq!(full["full"], true);
    assert_eq!(
        drones(&full),
        ["d-0", "d-1", "d-3"],
        "one in the air, two parked, one elsewhere"
    );
    assert!(full["sentAt"].as_u64().unwrap() > 1_700_000_000_000);

    // From one subscribed cell to another, and in from outside.
    let tick = stand.publish(
        vec![flying(1, 37.755, -122.43), flying(2, 37.755, -122.43)],
        vec![],
    );
    let changes = client.positions_at(1, tick).await;
    assert_eq!((&changes["full"], &changes["gone"]), (&json!(false), &json!([])));
    assert_eq!(drones(&changes), ["d-1", "d-2"]);

    let tick = stand.publish(
        vec![flying(1, 37.755, -122.43), flying(2, 37.755, -122.43)],
        vec![],
    );
    let nothing = client.positions_at(1, tick).await;
    assert_eq!((&nothing["drones"], &nothing["gone"]), (&json!([]), &json!([])));

    // One leaves, one lands at the hub, one takes off.
    let tick = stand.publish(
        vec![flying(0, 37.76, -122.44), flying(1, 37.755, -122.36)],
        vec![],
    );
    let changes = client.positions_at(1, tick).await;
    assert_eq!(changes["gone"], json!(["d-1"]));
    assert_eq!(drones(&changes), ["d-0", "d-2"]);
    let rows = changes["drones"].as_array().unwrap();
    let landed = rows.iter().find(|row| row[0] == "d-2").unwrap();
    assert_eq!(landed[7], "parked");

    // One takes off and is elsewhere by the next beat.
    let rows = vec![
        flying(0, 37.76, -122.44),
        flying(1, 37.755, -122.36),
        flying(3, 37.755, -122.36),
    ];
    let tick = stand.publish(rows, vec![(1, took_off(3))]);
    let changes = client.positions_at(1, tick).await;
    assert_eq!((drones(&changes), &changes["gone"]), (vec![], &json!(["d-3"])));
}

/// A tick says when it left the engine, however long afterwards and however often it is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_stamped_when_they_leave_the_engine() {
    let mut stand = Stand::with_drones(2).await;
    let before = wall_ms();
    let tick = stand.publish(vec![flying(0, 37.755, -122.45)], vec![]);
    let after = wall_ms();
    let mut client = stand.client().await;
    client.subscribe_area(1, WEST).await;
    let first = client.positions_at(1, tick).await;
    // A second later, since nothing moves.
    let again = client.positions_at(1, tick).await;
    let sent_at = first["sentAt"].as_u64().unwrap();
    assert!((before..=after).contains(&sent_at), "{before} {sent_at} {after}");
    assert_eq!(first["sentAt"], again["sentAt"]);
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_viewport_starts_afresh_and_an_ended_one_is_silent() {
    let mut stand = Stand::with_drones(2).await;
    stand.publish(
        vec![flying(0, 37.80, -122.36), flying(1, 37.755, -122.45)],
        vec![],
    );
    let mut client = stand.client().await;
    client.subscribe_area(1, WEST).await;
    assert_eq!(drones(&client.next_of("positions").await), ["d-1"]);

    client
        .send(json!({"type": "update", "id": 1, "bbox": [-122.37, 37.79, -122.35, 37.81], "maxHz": 5}))
        .await;
    let subscribed = client.next_of("subscribed").await;
    assert_eq!((&subscribed["id"], &subscribed["hz"]), (&json!(1), &json!(5)));
    let full = client.next().await;
    assert_eq!(full["full"], true);
    assert_eq!(drones(&full), ["d-0"]);

    client.send(json!({"type": "unsubscribe", "id": 1})).await;
    while client.next().await["type"] != "unsubscribed" {}
    client.subscribe(2, "drone/d-0", 10.0).await;
    for _ in 0..5 {
        stand.publish(vec![flying(0, 37.80, -122.36)], vec![]);
        assert_eq!(client.next().await["id"], 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscription_has_its_own_rate() {
    let mut stand = Stand::with_drones(2).await;
    let mut client = stand.client().await;
    client.subscribe(1, "drone/d-0", 10.0).await;
    client.subscribe(2, "drone/d-1", 2.0).await;
    let (mut fast, mut slow) = (0, 0);
    while fast < 31 {
        stand.publish(vec![], vec![]);
        loop {
            let message = client.next_of("positions").await;
            if message["id"] == 1 {
                break;
            }
            slow += 1;
        }
        fast += 1;
    }
    assert!((6..=8).contains(&slow), "every fifth beat, and the first: {slow}");
}
