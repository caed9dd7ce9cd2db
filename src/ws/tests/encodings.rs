//! Sessions that speak MessagePack: the same messages, in binary frames.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::stand::{Client, Stand, delivery_id, etas, flying, happened, order, took_off};
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DroneId;
use crate::wire::stream::Encoding;

/// A client of JSON and one of MessagePack, which have read their welcomes.
async fn one_of_each(stand: &Stand) -> [Client; 2] {
    let url = stand.url();
    let mut clients = [
        Client::connect_speaking(&url, Encoding::Json).await,
        Client::connect_speaking(&url, Encoding::MessagePack).await,
    ];
    for client in &mut clients {
        assert_eq!(client.next().await["type"], "welcome");
    }
    clients
}

/// The next message in both encodings, which must be the same.
async fn next_of_both(clients: &mut [Client; 2]) -> Value {
    let [json, msgpack] = clients;
    let (json, msgpack) = (json.next().await, msgpack.next().await);
    assert_eq!(json, msgpack);
    json
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_encodings_tell_the_same_story() {
    let mut stand = Stand::with_drones(3).await;
    stand.view.queue([(delivery_id(1), order())]);
    let accepted = happened(1, DeliveryEvent::Accepted { order: order() });
    stand.publish(vec![flying(1, 37.754_321, -122.423_456)], vec![(1, accepted)]);
    let mut clients = one_of_each(&stand).await;
    let delivery = format!("delivery/{}", delivery_id(1));
    let asked = [
        json!({"type": "subscribe", "id": 1, "topic": delivery, "since": {"epoch": "e7", "seq": 0}}),
        json!({"type": "subscribe", "id": 2, "topic": "drone/d-2"}),
        json!({"type": "subscribe", "id": 3, "topic": "area", "bbox": [-122.5, 37.7, -122.4, 37.8], "maxHz": 10}),
        json!({"type": "subscribe", "id": 4, "topic": "hub/mission"}),
        json!({"type": "subscribe", "id": 5, "topic": "nonsense"}),
        json!({"type": "ping", "sent": 1.5}),
        json!({"type": "ping", "sent": -3}),
    ];
    let mut kinds = Vec::new();
    for message in asked {
        for client in &mut clients {
            client.send(message.clone()).await;
        }
        let answer = match message["type"].as_str() {
            Some("ping") => "pong",
            _ if message["topic"] == "nonsense" => "error",
            _ => "subscribed",
        };
        // What else is said meanwhile depends on when the beats come.
        let mut answers = Vec::new();
        for client in &mut clients {
            answers.push(client.next_of(answer).await);
        }
        assert_eq!(answers[0], answers[1]);
        kinds.push(answers.remove(0)["type"].clone());
    }
    assert_eq!(kinds.len(), 7);

    // From now on both are told by the same beats.
    let assigned = DeliveryEvent::Assigned {
        drone: DroneId(2),
        etas: etas(60.0, 120.5),
    };
    let rows = vec![flying(1, 37.76, -122.42), flying(2, 37.761_234, -122.439_87)];
    let tick = stand.publish(rows, vec![(2, happened(1, assigned)), (1, took_off(2))]);
    for id in [1, 2] {
        let mut events = Vec::new();
        for client in &mut clients {
            events.push(loop {
                let event = client.next_of("event").await;
                if event["id"] == id && event["tick"] == tick {
                    break event;
                }
            });
        }
        assert_eq!(events[0], events[1]);
    }
    let mut positions = Vec::new();
    for client in &mut clients {
        positions.push(client.positions_at(3, tick).await);
    }
    assert_eq!(positions[0], positions[1]);
    let rows = positions[0]["drones"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row[1] == 37.761_234 && row[2] == -122.439_87),
        "{rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_answered_alike_and_a_frame_of_the_other_kind_is_one() {
    let stand = Stand::with_drones(1).await;
    let mut clients = one_of_each(&stand).await;
    for mistake in [
        json!({"type": "dance", "id": 3}),
        json!({"type": "subscribe", "id": 3, "topic": "fleet", "since": {"epoch": "e1", "seq": "9"}}),
        json!({"type": "subscribe", "id": 3, "topic": "area"}),
        json!([1, 2]),
        json!({"type": "unsubscribe", "id": 3}),
    ] {
        for client in &mut clients {
            client.send(mistake.clone()).await;
        }
        assert_eq!(next_of_both(&mut clients).await["type"], "error", "{mistake}");
    }
    let [json, msgpack] = &mut clients;
    let ping = json!({"type": "ping"});
    let binary = Message::binary(rmp_serde::to_vec_named(&ping).unwrap());
    let bad_message = ("bad_message".to_owned(), Value::Null);
    assert_eq!(json.error_after(binary).await, bad_message);
    assert_eq!(
        msgpack.error_after(Message::text(ping.to_string())).await,
        bad_message
    );
    for client in &mut clients {
        client.send(ping.clone()).await;
    }
    assert_eq!(
        next_of_both(&mut clients).await,
        json!({"type": "pong", "sent": null})
    );
}
