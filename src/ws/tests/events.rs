//! Following everything that happens, and a hub, by number.

use serde_json::{Value, json};

use super::stand::{Stand, flying, took_off};
use crate::sim::event::{Happening, HubEvent, HubQueues};
use crate::sim::ids::HubId;

fn queue(charging: u32, queued: u32) -> Happening {
    let queues = HubQueues {
        charging,
        queued,
        ..HubQueues::default()
    };
    Happening::Hub(HubId(0), HubEvent::QueuesChanged(queues))
}

fn heads(messages: &[Value]) -> Vec<(&str, u64)> {
    let number = |message: &Value| message["seq"].as_u64().expect("a number");
    messages
        .iter()
        .map(|message| (message["type"].as_str().expect("a type"), number(message)))
        .collect()
}

#[tokio::test]
async fn everything_that_happens_is_told_by_one_numbering() {
    let mut stand = Stand::with_drones(3).await;
    let tick = stand.publish(vec![], vec![(1, took_off(0)), (1, queue(1, 0))]);
    let mut client = stand.client().await;
    let subscribed = client.subscribe(1, "events", 1.0).await;
    assert_eq!(subscribed["recovered"], false);
    let snapshot = client.next().await;
    let sim_time = snapshot["simTime"].as_str().expect("a time").to_owned();
    let expected = json!({"type": "snapshot", "id": 1, "seq": 2, "tick": tick, "simTime": sim_time});
    assert_eq!(snapshot, expected, "the numbering, and nobody's state");

    stand.publish(vec![], vec![(1, took_off(2)), (2, queue(2, 0)), (2, took_off(0))]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.next().await);
    }
    assert_eq!(heads(&seen), [("event", 3), ("event", 4), ("event", 5)]);
    assert_eq!(seen[0]["event"]["droneId"], "d-2");
    assert_eq!(
        seen[1]["event"],
        json!({"kind": "QueueChanged", "hub": "mission", "charging": 2, "queued": 0, "holding": 0, "departing": 0, "besidePads": 0})
    );
}

#[tokio::test]
async fn what_was_missed_comes_in_portions_without_a_beat_in_between() {
    let mut stand = Stand::with_drones(1).await;
    for seq in 1..=2_500 {
        stand.publish(vec![], vec![(seq, took_off(0))]);
    }
    let mut client = stand.client().await;
    let since = json!({"epoch": "e7", "seq": 3});
    client
        .send(json!({"type": "subscribe", "id": 1, "topic": "events", "since": since}))
        .await;
    assert_eq!(client.next().await["recovered"], true);
    for expected in 4..=2_500 {
        assert_eq!(client.next().await["seq"], expected);
    }
    // The ring has moved on, another past, and a number that is still to come.
    for seq in 2_501..=10_010 {
        stand.publish(vec![], vec![(seq, took_off(0))]);
    }
    for (id, epoch, seq) in [(2, "e7", 10_011), (3, "e6", 10_000), (4, "e7", u64::MAX)] {
        let since = json!({"epoch": epoch, "seq": seq});
        client.send(json!({"type": "unsubscribe", "id": id - 1})).await;
        client
            .send(json!({"type": "subscribe", "id": id, "topic": "events", "since": since}))
            .await;
        let subscribed = client.next_of("subscribed").await;
        assert_eq!(
            (&subscribed["id"], &subscribed["recovered"]),
            (&json!(id), &json!(false))
        );
        assert_eq!(client.next_of("snapshot").await["seq"], 10_010);
    }
}

#[tokio::test]
async fn a_hub_tells_its_events_and_a_snapshot_where_they_do_not_tell_all() {
    let mut stand = Stand::with_drones(3).await;
    stand.publish(vec![], vec![(1, queue(1, 0))]);
    let mut client = stand.client().await;
    client.subscribe(1, "hub/mission", 1.0).await;
    let mut seen = vec![client.next().await];
    assert_eq!(seen[0]["hub"]["charging"], 1);
    stand.publish(vec![], vec![(2, queue(2, 0)), (3, queue(2, 1))]);
    seen.push(client.next().await);
    seen.push(client.next().await);
    // One is in the air: fewer are parked, and no event of the hub says so.
    stand.publish(vec![flying(1, 37.77, -122.43)], vec![(1, took_off(1))]);
    seen.push(client.next().await);
    assert_eq!(
        heads(&seen),
        [("snapshot", 1), ("event", 2), ("event", 3), ("snapshot", 3)]
    );
    assert_eq!(
        (&seen[3]["hub"]["queued"], &seen[3]["hub"]["parked"]),
        (&json!(1), &json!(0))
    );

    let mut again = stand.client().await;
    let since = json!({"epoch": "e7", "seq": 1});
    again
        .send(json!({"type": "subscribe", "id": 1, "topic": "hub/mission", "since": since}))
        .await;
    assert_eq!(again.next().await["recovered"], true);
    let missed = [again.next().await, again.next().await];
    assert_eq!(heads(&missed), [("event", 2), ("event", 3)]);
}
