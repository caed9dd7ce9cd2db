//! A follower over the WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::PATIENCE;

pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub welcome: Value,
}

impl Stream {
    pub async fn open(address: SocketAddr) -> Self {
        let (socket, _) = connect_async(format!("ws://{address}/ws"))
            .await
            .expect("the handshake succeeds");
        let mut stream = Stream {
            socket,
            welcome: Value::Null,
        };
        stream.welcome = stream.next_of("welcome").await;
        stream
    }

    /// A handshake with these headers, and those of the answer where it is taken. Nothing
    /// is read yet.
    pub async fn knock(address: SocketAddr, headers: &[(&str, &str)]) -> Result<(Self, HeaderMap), Error> {
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            let value = HeaderValue::from_str(value).expect("a header's value");
            match name.as_str() {
                // The library has written one already.
                "host" => drop(request.headers_mut().insert(name, value)),
                _ => drop(request.headers_mut().append(name, value)),
            }
        }
        let answered = timeout(PATIENCE, connect_async(request)).await;
        let (socket, response) = answered.expect("an answer in time")?;
        let stream = Stream {
            socket,
            welcome: Value::Null,
        };
        Ok((stream, response.into_parts().0.headers))
    }

    pub async fn send(&mut self, message: Value) {
        self.send_frame(Message::text(message.to_string())).await;
    }

    pub async fn send_frame(&mut self, frame: Message) {
        self.socket.send(frame).await.expect("the server listens");
    }

    /// Follows a topic from now on.
    pub async fn follow(&mut self, id: u64, topic: &str) {
        self.send(json!({"type": "subscribe", "id": id, "topic": topic, "maxHz": 10}))
            .await;
    }

    /// Follows a topic from its first event on.
    pub async fn follow_from_the_start(&mut self, id: u64, topic: &str) {
        let since = json!({"epoch": self.welcome["epoch"], "seq": 0});
        self.send(json!({"type": "subscribe", "id": id, "topic": topic, "since": since}))
            .await;
    }

    /// The next frame; `None` once the connection is closed or broken.
    pub async fn next_frame(&mut self) -> Option<Message> {
        let frame = timeout(PATIENCE, self.socket.next()).await;
        frame.expect("a frame in time").and_then(Result::ok)
    }

    pub async fn next(&mut self) -> Value {
        loop {
            match self.next_frame().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("a message is wanted, not {other:?}"),
            }
        }
    }

    /// All that is still said, up to the close, and its code.
    pub async fn read_out(&mut self) -> (Vec<Value>, u16) {
        let mut said = Vec::new();
        loop {
            match self.next_frame().await {
                Some(Message::Text(text)) => said.push(serde_json::from_str(&text).expect("JSON")),
                Some(Message::Close(Some(frame))) => return (said, frame.code.into()),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("a message or a close with its code is wanted, not {other:?}"),
            }
        }
    }

    pub async fn next_of(&mut self, kind: &str) -> Value {
        self.next_where(|message| message["type"] == kind).await
    }

    pub async fn next_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next().await;
            assert!(
                message["type"] != "error" || wanted(&message),
                "the server complains: {message}"
            );
            if wanted(&message) {
                return message;
            }
        }
    }

    /// All messages up to the event of this kind, it included.
    pub async fn until_event(&mut self, kind: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.next_where(|_| true).await);
            let last = &heard[heard.len() - 1];
            if last["event"]["kind"] == kind {
                return heard;
            }
        }
    }
}

/// The kinds of a subscription's events, in order.
pub fn kinds(messages: &[Value]) -> Vec<&str> {
    let events = messages.iter().filter(|message| message["type"] == "event");
    events
        .filter_map(|message| message["event"]["kind"].as_str())
        .collect()
}

/// Panics where the events are not numbered one after the other from `first` on.
pub fn assert_numbered_from(first: u64, messages: &[Value]) {
    let events = messages.iter().filter(|message| message["type"] == "event");
    for (expected, message) in (first..).zip(events) {
        assert_eq!(message["seq"], expected, "a hole in the numbers: {message}");
    }
}
