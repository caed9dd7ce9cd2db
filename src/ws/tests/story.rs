//! Following one delivery, one drone, the fleet and a hub.

use serde_json::{Value, json};

use super::stand::{Client, HUB, Stand, delivery_id, etas, flying, happened, order, took_off};
use crate::sim::event::DeliveryEvent as E;
use crate::sim::event::Happening;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;

const DROPOFF: LatLon = LatLon {
    lat: 37.78,
    lon: -122.42,
};

/// The whole life of delivery 1, event by event, carried by drone 2.
fn life() -> Vec<Happening> {
    let kinds = [
        E::Accepted { order: order() },
        E::Created,
        E::Assigned {
            drone: DroneId(2),
            etas: etas(60.0, 120.0),
        },
        E::HeadedToPickup {
            etas: etas(61.0, 121.0),
        },
        E::PickedUp { location: HUB },
        E::HeadedToDropoff {
            etas: etas(61.0, 122.0),
        },
        E::EtaChanged {
            etas: etas(61.0, 130.0),
        },
        E::Completed { location: DROPOFF },
    ];
    kinds.into_iter().map(|kind| happened(1, kind)).collect()
}

/// Publishes events number `from` to `to` of the life, one a tick, and waits until the
/// client has seen each. Returns what came for subscription 1.
async fn live(stand: &mut Stand, client: &mut Client, from: u32, to: u32) -> Vec<Value> {
    let mut seen = Vec::new();
    for seq in from..=to {
        let lon = -122.44 + f64::from(seq) * 0.001;
        let event = life().swap_remove(seq as usize - 1);
        stand.publish(vec![flying(2, 37.77, lon)], vec![(seq, event)]);
        loop {
            let message = client.next().await;
            let is_event = message["type"] == "event";
            seen.push(message);
            if is_event {
                break;
            }
        }
    }
    seen
}

fn events(seen: &[Value]) -> Vec<(u64, &str)> {
    let events = seen.iter().filter(|message| message["type"] == "event");
    events
        .map(|message| {
            (
                message["seq"].as_u64().unwrap(),
                message["event"]["kind"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_told_from_its_first_event_to_its_last_without_holes() {
    let mut stand = Stand::with_drones(3).await;
    stand.view.queue([(delivery_id(1), order())]);
    let topic = format!("delivery/{}", delivery_id(1));
    let mut client = stand.client().await;
    let subscribed = client.subscribe(1, &topic, 10.0).await;
    assert_eq!(
        subscribed,
        json!({"type": "subscribed", "id": 1, "recovered": false, "hz": 10})
    );
    let snapshot = client.next().await;
    assert_eq!(
        (&snapshot["type"], &snapshot["seq"]),
        (&json!("snapshot"), &json!(0))
    );
    assert_eq!(snapshot["delivery"]["stage"], "Created");
    assert_eq!(snapshot["delivery"]["droneId"], Value::Null);

    let seen = live(&mut stand, &mut client, 1, 8).await;
    let kinds = [
        "Accepted",
        "Created",
        "Assigned",
        "HeadedToPickup",
        "PickedUp",
        "HeadedToDropoff",
        "EtaChanged",
        "Completed",
    ];
    assert_eq!(events(&seen), (1..).zip(kinds).collect::<Vec<_>>());
    let changed = seen
        .iter()
        .find(|message| message["event"]["kind"] == "EtaChanged")
        .unwrap();
    let expected = json!({
        "type": "event", "id": 1, "seq": 7, "tick": 7, "simTime": "2026-06-01T18:00:00.700Z",
        "event": {
            "kind": "EtaChanged", "deliveryId": delivery_id(1).to_string(),
            "pickupEta": "2026-06-01T18:01:01.000Z", "deliveryEta": "2026-06-01T18:02:10.000Z",
        },
    });
    assert_eq!(*changed, expected);

    let first_position = seen
        .iter()
        .position(|message| message["type"] == "positions")
        .unwrap();
    let assigned = seen
        .iter()
        .position(|message| message["event"]["kind"] == "Assigned")
        .unwrap();
    assert!(
        assigned < first_position,
        "no positions before a drone is assigned"
    );
    assert_eq!(seen[first_position]["full"], true);
    assert_eq!(seen[first_position]["drones"][0][0], "d-2");

    stand.publish(vec![flying(2, 37.77, -122.40)], vec![]);
    client.subscribe(2, "fleet", 1.0).await;
    let message = client.next().await;
    assert_eq!(
        message["type"], "snapshot",
        "nothing more of a delivery that has ended"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_later_gets_a_snapshot_or_what_was_missed() {
    let mut stand = Stand::with_drones(3).await;
    stand.view.queue([(delivery_id(1), order())]);
    let topic = format!("delivery/{}", delivery_id(1));
    let mut first = stand.client().await;
    first.subscribe(1, &topic, 10.0).await;
    live(&mut stand, &mut first, 1, 5).await;

    let mut late = stand.client().await;
    late.subscribe(1, &topic, 10.0).await;
    let snapshot = late.next().await;
    assert_eq!(snapshot["seq"], 5);
    assert_eq!(snapshot["delivery"]["droneId"], "d-2");
    assert_eq!(
        snapshot["delivery"]["location"],
        json!({"altitude": 75.0, "latitude": 37.77, "longitude": -122.435})
    );
    assert_eq!(snapshot["delivery"]["deliveryEta"], "2026-06-01T18:02:01.000Z");
    let seen = live(&mut stand, &mut late, 6, 7).await;
    assert_eq!(events(&seen), [(6, "HeadedToDropoff"), (7, "EtaChanged")]);

    let mut back = stand.client().await;
    let since = |epoch: &str| json!({"type": "subscribe", "id": 1, "topic": topic, "since": {"epoch": epoch, "seq": 4}});
    back.send(since("e7")).await;
    assert_eq!(back.next().await["recovered"], true);
    assert_eq!(back.next().await["seq"], 5);
    assert_eq!(back.next().await["seq"], 6);
    assert_eq!(back.next().await["event"]["kind"], "EtaChanged");
    let mut elsewhere = stand.client().await;
    elsewhere.send(since("e6")).await;
    assert_eq!(elsewhere.next().await["recovered"], false);
    assert_eq!(elsewhere.next().await["type"], "snapshot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drone_is_followed_on_the_ground_and_in_the_air() {
    let mut stand = Stand::with_drones(3).await;
    let mut client = stand.client().await;
    client.subscribe(1, "drone/d-1", 10.0).await;
    let snapshot = client.next().await;
    let expected = json!({
        "id": "d-1", "model": "wing", "hub": "mission", "status": "parked",
        "location": {"altitude": 0.0, "latitude": 37.76, "longitude": -122.44},
        "heading": 0.0, "groundSpeed": 0.0, "verticalSpeed": 0.0, "battery": 0.5, "batteryHealth": 1.0,
        "deliveryId": null, "payloadKg": 0.0,
    });
    assert_eq!((&snapshot["drone"], &snapshot["seq"]), (&expected, &json!(0)));
    let positions = client.next_of("positions").await;
    assert_eq!(positions["full"], true);
    assert_eq!(
        positions["drones"],
        json!([["d-1", 37.76, -122.44, 0.0, 0, 0.0, 0.5, "parked"]])
    );

    let tick = stand.publish(vec![flying(1, 37.761, -122.44)], vec![(1, took_off(1))]);
    let event = client.next_of("event").await;
    assert_eq!(
        event["event"],
        json!({"kind": "TakenOff", "droneId": "d-1", "hub": "mission", "deliveryId": null})
    );
    let positions = client.positions_at(1, tick).await;
    assert_eq!(positions["full"], false);
    assert_eq!(
        positions["drones"],
        json!([["d-1", 37.761, -122.44, 75.0, 90, 15.0, 0.9, "cruising"]])
    );
    let tick = stand.publish(vec![flying(1, 37.761, -122.44)], vec![]);
    assert_eq!(
        client.positions_at(1, tick).await["drones"],
        json!([]),
        "it did not move"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fleet_and_hub_tell_their_gauges() {
    let mut stand = Stand::with_drones(3).await;
    let mut client = stand.client().await;
    client.subscribe(1, "fleet", 1.0).await;
    let snapshot = client.next_of("snapshot").await;
    assert_eq!(snapshot["fleet"]["drones"], 3);
    assert_eq!(snapshot["fleet"]["state"], "paused");
    client.subscribe(2, "hub/mission", 1.0).await;
    let snapshot = client.next_of("snapshot").await;
    let expected = json!({
        "id": "mission", "name": "Mission Street hub", "pads": 4, "chargers": 8,
        "location": {"altitude": 0.0, "latitude": 37.76, "longitude": -122.44},
        "charging": 0, "queued": 0, "holding": 0, "departing": 0, "besidePads": 0, "parked": 3, "closed": false, "closedUntil": null, "groundStops": [],
    });
    assert_eq!(snapshot["hub"], expected);
    stand.publish(vec![flying(1, 37.761, -122.44)], vec![]);
    loop {
        let message = client.next().await;
        match message["type"].as_str().unwrap() {
            "fleet" => assert_eq!(message["fleet"]["drones"], 3),
            "snapshot" if message["hub"]["parked"] == 2 => break,
            _ => {}
        }
    }
    while client.next_of("fleet").await["fleet"]["airborne"] != 1 {}
}
