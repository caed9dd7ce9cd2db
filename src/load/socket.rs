//! A WebSocket to the target, over whatever way there is.

use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::exchange::{NoAnswer, PATIENCE};
use super::target::{Dial, Target};
use crate::wire::stream::{Encoding, PROTOCOL};
use crate::wire::time::parse_rfc3339;

/// Watchers are many, and each has one of these.
pub(super) const SMALL_BUFFER: usize = 4 * 1024;
pub(super) const LARGE_BUFFER: usize = 128 * 1024;

pub(super) struct Socket<D: Dial> {
    stream: WebSocketStream<D::Io>,
    pub welcome: Welcome,
}

/// What the server says first.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Welcome {
    pub version: String,
    pub protocol: String,
    pub epoch: String,
    #[serde(default, rename = "simTime")]
    sim_time: String,
    speed: Value,
}

impl Welcome {
    /// Where the world was, µs since 1970.
    pub fn sim_us(&self) -> Option<f64> {
        parse_rfc3339(&self.sim_time).map(|micros| micros as f64)
    }

    /// Simulated seconds a second; `None` where they pass as fast as they can.
    pub fn speed(&self) -> Option<f64> {
        self.speed.as_f64()
    }
}

/// Why there is no socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoSocket {
    NoAnswer(NoAnswer),
    /// The handshake was answered so.
    Refused(StatusCode),
    /// It opened, and the other side speaks another language; this is what it said.
    Foreign(String),
}

impl NoSocket {
    pub fn kind(&self) -> String {
        match self {
            NoSocket::NoAnswer(why) => why.as_str().to_owned(),
            NoSocket::Refused(status) => format!("handshake {}", status.as_str()),
            NoSocket::Foreign(_) => "foreign protocol".to_owned(),
        }
    }
}

impl<D: Dial> Socket<D> {
    /// Until the server has welcomed it.
    pub async fn open(dial: &D, target: &Target, buffer: usize) -> Result<Self, NoSocket> {
        let silent = Err(NoSocket::NoAnswer(NoAnswer::Silent));
        timeout(PATIENCE, Self::opened(dial, target, buffer))
            .await
            .unwrap_or(silent)
    }

    async fn opened(dial: &D, target: &Target, buffer: usize) -> Result<Self, NoSocket> {
        let broken = NoSocket::NoAnswer(NoAnswer::Broken);
        let mut request = target
            .stream_url()
            .into_client_request()
            .map_err(|_| broken.clone())?;
        let headers = request.headers_mut();
        if let Ok(protocol) = Encoding::Json.protocol().parse() {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        if let Some(bearer) = target.bearer() {
            headers.insert(AUTHORIZATION, bearer);
        }
        let io = dial.dial().await;
        let io = io.map_err(|error| NoSocket::NoAnswer(NoAnswer::of_dialling(&error)))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, io, Some(config))
            .await
            .map_err(|error| match error {
                Error::Http(response) => NoSocket::Refused(response.status()),
                Error::Io(_) => broken.clone(),
                other => NoSocket::Foreign(other.to_string()),
            })?;
        Self::welcomed(stream).await
    }

    async fn welcomed(mut stream: WebSocketStream<D::Io>) -> Result<Self, NoSocket> {
        let first = loop {
            match stream.next().await {
                Some(Ok(Message::Text(text))) => break text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => return Err(NoSocket::Foreign(format!("{other:?}"))),
                Some(Err(_)) | None => return Err(NoSocket::NoAnswer(NoAnswer::Broken)),
            }
        };
        match serde_json::from_str::<Welcome>(&first) {
            Ok(welcome) if welcome.protocol == PROTOCOL => Ok(Socket { stream, welcome }),
            Ok(other) => Err(NoSocket::Foreign(format!(
                "version {} speaks {}, not {PROTOCOL}",
                other.version, other.protocol
            ))),
            Err(_) => {
                let beginning: String = first.chars().take(80).collect();
                Err(NoSocket::Foreign(format!("it begins with {beginning}")))
            }
        }
    }

    pub async fn say(&mut self, message: &Value) -> Result<(), NoAnswer> {
        let sent = self.stream.send(Message::text(message.to_string())).await;
        sent.map_err(|_| NoAnswer::Broken)
    }

    /// The next message; `None` once the connection is closed or broken.
    pub async fn next(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Text(text) => return Some(text),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}
