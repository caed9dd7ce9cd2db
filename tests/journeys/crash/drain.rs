//! SIGTERM: the server ends in good order, whatever is open.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::ledger::Ledger;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::world::busy_file;

/// The promise to whoever sends the signal.
const DRAINED_WITHIN: Duration = Duration::from_secs(5);

const BODY: &str = r#"{"ownerId": "slow", "pickupLocation": "Dolores Park",
    "dropOffLocation": "General Hospital", "packageInfo": {"packageId": "p", "size": "Small", "weight": 1}}"#;

/// A session that follows this topic and has been told so.
async fn session(server: &Operator, topic: Value) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let (mut socket, _) = connect_async(format!("ws://{}/ws", server.address()))
        .await
        .unwrap();
    let mut subscribe = json!({"type": "subscribe", "id": 1});
    subscribe
        .as_object_mut()
        .unwrap()
        .extend(topic.as_object().unwrap().clone());
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    loop {
        let message = socket.next().await.unwrap().unwrap();
        if message
            .to_text()
            .is_ok_and(|text| text.contains(r#""type":"subscribed""#))
        {
            return socket;
        }
    }
}

/// The last message and the close code that this session gets.
async fn farewell(mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> (Value, CloseCode) {
    let mut last = Value::Null;
    loop {
        match socket
            .next()
            .await
            .expect("a farewell comes before the end")
            .unwrap()
        {
            Message::Text(text) => last = serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => return (last, frame.expect("a code is given").code),
            _ => {}
        }
    }
}

/// A request of which the server has the head and half of the body.
async fn half_a_request(server: &Operator) -> TcpStream {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /api/deliveryrequests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        BODY.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: the request is with its handler now.
    let mut go_ahead = [0; 12];
    socket.read_exact(&mut go_ahead).await.unwrap();
    assert_eq!(&go_ahead, b"HTTP/1.1 100");
    socket.write_all(&BODY.as_bytes()[..20]).await.unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_end_says_goodbye_and_keeps_what_it_promised() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut child = Child::spawn(&scenario, &data, &["--speed", "100"]);
    let server = child.serving().await;
    let epoch = server.clock().await.epoch;
    let ledger = Ledger::default();
    let first = ledger.new_request(true);
    let id = server.order(&first).await.expect("all is well");
    ledger.note(&first, Some(id.clone()));

    let topics = [
        json!({"topic": "area", "bbox": [-122.44, 37.74, -122.39, 37.78]}),
        json!({"topic": "fleet"}),
        json!({"topic": format!("delivery/{id}")}),
    ];
    let mut sessions = JoinSet::new();
    for topic in topics {
        sessions.spawn(farewell(session(&server, topic).await));
    }
    let mut finishing = half_a_request(&server).await;
    // Nobody is waited for longer than promised.
    let _never_finished = half_a_request(&server).await;
    let mut orders = JoinSet::new();
    for _ in 0..20 {
        let (server, ledger) = (server.clone(), ledger.clone());
        orders.spawn(async move {
            let request = ledger.new_request(false);
            ledger.note(&request, server.order(&request).await);
        });
    }

    child.terminate();
    let ending = tokio::spawn(async move { (child.ended(DRAINED_WITHIN).await, child) });
    while let Some(farewell) = sessions.join_next().await {
        let (bye, code) = farewell.unwrap();
        assert_eq!(
            (&bye["type"], &bye["code"]),
            (&json!("bye"), &json!("server_shutdown"))
        );
        assert_eq!(code, CloseCode::Away);
    }
    finishing.write_all(&BODY.as_bytes()[20..]).await.unwrap();
    let mut answer = String::new();
    finishing.read_to_string(&mut answer).await.unwrap();
    let answered = answer.contains(" 202 Accepted") || answer.contains(" 503 Service Unavailable");
    assert!(answered, "who was half-way is answered: {answer}");

    let (ended, child) = ending.await.unwrap();
    let log = child.log();
    let status = ended.unwrap_or_else(|| panic!("it goes on after {DRAINED_WITHIN:?}:\n{log}"));
    assert_eq!(status.code(), Some(0), "{log}");
    while orders.join_next().await.is_some() {}

    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    let server = child.serving().await;
    assert_eq!(server.clock().await.epoch, epoch);
    ledger.check(&server).await;
    let late = server.deliveries(Some("slow")).await.len();
    assert_eq!(
        late,
        usize::from(answer.contains(" 202 ")),
        "the late one stands as it was told"
    );
}
