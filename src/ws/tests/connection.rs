//! Coming, talking nonsense, and going.

use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::stand::{Client, Stand, delivery_id};
use crate::ws::Config;

/// The status, and the sub-protocol that was agreed on.
async fn shake_hands(stand: &Stand, protocols: &str) -> (u16, Option<String>) {
    let mut request = stand.url().into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocols.parse().unwrap());
    match connect_async(request).await {
        Ok((_, response)) => {
            let agreed = response.headers().get("sec-websocket-protocol");
            (101, agreed.map(|protocol| protocol.to_str().unwrap().to_owned()))
        }
        Err(Error::Http(response)) => (response.status().as_u16(), None),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_begins_with_a_welcome_in_a_protocol_that_both_speak() {
    let mut stand = Stand::with_drones(1).await;
    stand.publish(vec![], vec![]);
    let mut client = Client::connect(&stand.url()).await;
    let welcome = client.next().await;
    let expected = json!({
        "type": "welcome", "session": "s-1", "version": env!("CARGO_PKG_VERSION"), "protocol": "skyhaul.v1",
        "epoch": "e7", "tick": 1, "simTime": "2026-06-01T18:00:00.100Z", "speed": 1.0, "playback": false,
    });
    assert_eq!(welcome, expected);
    client.send(json!({"type": "ping", "sent": 12.5})).await;
    assert_eq!(client.next().await, json!({"type": "pong", "sent": 12.5}));

    let agreed = shake_hands(&stand, "graphql-ws, skyhaul.v1.json").await;
    assert_eq!(agreed, (101, Some("skyhaul.v1.json".into())));
    let agreed = shake_hands(&stand, "skyhaul.v1.msgpack, skyhaul.v1.json").await;
    assert_eq!(
        agreed,
        (101, Some("skyhaul.v1.msgpack".into())),
        "the first that is spoken"
    );
    assert_eq!(shake_hands(&stand, "graphql-ws").await, (400, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_elsewhere_gets_no_session() {
    let stand = Stand::with_drones(1).await;
    let from = async |origin: &str| {
        let mut request = stand.url().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        connect_async(request).await
    };
    assert!(from("http://localhost:5173").await.is_ok());
    match from("https://example.com").await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_room_for_so_many_sessions_only() {
    let config = Config {
        max_sessions: 1,
        ..Config::default()
    };
    let stand = Stand::new(1, config).await;
    let client = stand.client().await;
    assert_eq!(shake_hands(&stand, "skyhaul.v1.json").await.0, 503);
    drop(client);
    stand.gateway.drained().await;
    assert_eq!(shake_hands(&stand, "skyhaul.v1.json").await.0, 101);
    assert_eq!(stand.gateway.telemetry().sessions_refused(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_answered_and_the_session_goes_on() {
    let stand = Stand::with_drones(100).await;
    let mut client = stand.client().await;
    let subscribe = |id: u64, topic: &str| {
        Message::text(json!({"type": "subscribe", "id": id, "topic": topic}).to_string())
    };
    let bad_message = ("bad_message".to_owned(), Value::Null);
    assert_eq!(client.error_after(Message::text("{{{")).await, bad_message);
    assert_eq!(client.error_after(Message::text("")).await, bad_message);
    assert_eq!(
        client.error_after(Message::text("[".repeat(60_000))).await,
        bad_message
    );
    assert_eq!(
        client.error_after(Message::binary(vec![0xff; 100])).await,
        bad_message
    );
    client.subscribe(1, "fleet", 1.0).await;
    let nobody = format!("delivery/{}", delivery_id(9));
    for (message, code, id) in [
        (Message::text(r#"{"type":"sing","id":5}"#), "unknown_type", 5),
        (subscribe(5, "weather"), "unknown_topic", 5),
        (subscribe(1, "hub/mission"), "duplicate_id", 1),
        (subscribe(5, "fleet"), "duplicate_topic", 5),
        (subscribe(5, &nobody), "not_found", 5),
        (subscribe(5, "drone/d-100"), "not_found", 5),
        (subscribe(5, "hub/nowhere"), "not_found", 5),
        (Message::text(r#"{"type":"unsubscribe","id":5}"#), "unknown_id", 5),
        (Message::text(r#"{"type":"update","id":5}"#), "unknown_id", 5),
        (
            Message::text(r#"{"type":"update","id":1,"bbox":[0,0,1,1]}"#),
            "bad_message",
            1,
        ),
    ] {
        assert_eq!(client.error_after(message).await, (code.to_owned(), json!(id)));
    }
    for id in 2..=64 {
        client.subscribe(id, &format!("drone/d-{id}"), 0.5).await;
    }
    let refused = client.error_after(subscribe(65, "drone/d-65")).await;
    assert_eq!(refused, ("too_many".to_owned(), json!(65)));
    client.send(json!({"type": "unsubscribe", "id": 2})).await;
    client.subscribe(65, "drone/d-65", 0.5).await;
    let errors: u64 = stand.gateway.telemetry().errors().map(|(_, count)| count).sum();
    assert_eq!(errors, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_closes_with_its_code() {
    let stand = Stand::with_drones(1).await;
    let mut garbled = stand.client().await;
    let frame = Frame::message(vec![0x7b, 0xff, 0xfe], OpCode::Data(Data::Text), true);
    garbled.send_raw(Message::Frame(frame)).await;
    assert_eq!(garbled.close_code().await, 1007);

    let mut huge = stand.client().await;
    huge.send_raw(Message::text("x".repeat(64 * 1024 + 1))).await;
    assert_eq!(huge.close_code().await, 1009);

    let mut pieces = stand.client().await;
    for (kind, is_last) in [(Data::Text, false), (Data::Continue, true)] {
        let frame = Frame::message(vec![b'x'; 40_000], OpCode::Data(kind), is_last);
        pieces.send_raw(Message::Frame(frame)).await;
    }
    assert_eq!(pieces.close_code().await, 1009);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shuts_down_says_goodbye() {
    let stand = Stand::with_drones(1).await;
    let (mut idle, mut busy) = (stand.client().await, stand.client().await);
    busy.subscribe(1, "drone/d-0", 10.0).await;
    stand.shut_down();
    for client in [&mut idle, &mut busy] {
        let bye = client.next_of("bye").await;
        assert_eq!(bye["code"], "server_shutdown");
        assert_eq!(client.close_code().await, 1001);
    }
    stand.gateway.drained().await;
    assert_eq!(shake_hands(&stand, "skyhaul.v1.json").await.0, 503);
}
