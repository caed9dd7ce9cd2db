//! A reader of server-sent events, as a browser's `EventSource` is one.

use std::net::SocketAddr;

use reqwest::{Response, StatusCode};
use serde_json::Value;

/// One connection.
pub struct Events {
    response: Response,
    /// Not read yet: a piece may end within a character.
    bytes: Vec<u8>,
    /// What a browser would come back with.
    pub last_event_id: Option<String>,
}

impl Events {
    /// `None` where nobody answers.
    pub async fn open(address: SocketAddr, query: &str, last_event_id: Option<&str>) -> Option<Self> {
        let client = reqwest::Client::new();
        let mut request = client.get(format!("http://{address}/api/stream?{query}"));
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.ok()?;
        let status = response.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return None;
        }
        assert_eq!(status, StatusCode::OK, "{query}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Some(Events {
            response,
            bytes: Vec::new(),
            last_event_id: last_event_id.map(str::to_owned),
        })
    }

    /// The next message; `None` once the stream has ended, in good order or not.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.bytes.split_off(end + 2);
                let block = std::mem::replace(&mut self.bytes, rest);
                let block = std::str::from_utf8(&block).expect("events are UTF-8");
                if let Some(message) = self.read(block) {
                    return Some(message);
                }
            }
            let piece = self.response.chunk().await.ok()??;
            self.bytes.extend_from_slice(&piece);
        }
    }

    /// A block counts only as a whole.
    fn read(&mut self, block: &str) -> Option<Value> {
        let field = |name: &str| {
            let mut values = block.lines().filter_map(|line| line.strip_prefix(name));
            let value = values.next();
            assert_eq!(values.next(), None, "{block}");
            value
        };
        if let Some(id) = field("id: ") {
            self.last_event_id = Some(id.to_owned());
        }
        let message: Value = serde_json::from_str(field("data: ")?).expect("JSON");
        assert_eq!(field("event: "), message["type"].as_str(), "{block}");
        Some(message)
    }

    pub async fn next_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let message = self.next().await.expect("the stream goes on");
                assert_ne!(message["type"], "error", "{message}");
                if wanted(&message) {
                    return message;
                }
            }
        };
        let found = tokio::time::timeout(super::PATIENCE, found).await;
        found.expect("it comes in time")
    }
}
