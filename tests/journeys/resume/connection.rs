//! One life of a follower's connection: it goes on where the last one stopped, until it
//! is cut.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use skyhaul::sim::random::Stream as Chance;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::follower::Topic;

pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Of the past that is followed.
    epoch: String,
    /// By number of the subscription.
    topics: BTreeMap<u64, String>,
}

impl Connection {
    /// Goes on with all topics that have more to come, in whatever order. `None` where the
    /// server is gone.
    pub async fn open(
        address: SocketAddr,
        epoch: &str,
        topics: &BTreeMap<String, Topic>,
        chance: &mut Chance,
    ) -> Option<Self> {
        let (socket, _) = connect_async(format!("ws://{address}/ws")).await.ok()?;
        let mut connection = Connection {
            socket,
            epoch: epoch.to_owned(),
            topics: BTreeMap::new(),
        };
        let mut open: Vec<_> = topics.iter().filter(|(_, topic)| !topic.has_ended()).collect();
        while !open.is_empty() {
            let (name, topic) = open.swap_remove(chance.below(open.len() as u32) as usize);
            connection.subscribe(name, topic.last()).await?;
        }
        Some(connection)
    }

    /// A topic from its first event on.
    pub async fn follow(&mut self, name: &str) {
        // Where that fails the next connection does it.
        let _ = self.subscribe(name, 0).await;
    }

    async fn subscribe(&mut self, name: &str, seq: u64) -> Option<()> {
        let id = self.topics.len() as u64 + 1;
        self.topics.insert(id, name.to_owned());
        let since = json!({"epoch": self.epoch, "seq": seq});
        let message = json!({"type": "subscribe", "id": id, "topic": name, "maxHz": 0.5, "since": since});
        self.socket.send(Message::text(message.to_string())).await.ok()
    }

    pub fn topic_of(&self, message: &Value) -> &str {
        &self.topics[&message["id"].as_u64().expect("an id")]
    }

    /// `None` once the connection is closed or broken.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).expect("JSON")),
                Message::Ping(_) | Message::Pong(_) => {}
                _ => return None,
            }
        }
    }

    /// In good order, or by dropping the line, with or without a word of TCP.
    pub async fn cut(mut self, chance: &mut Chance) {
        match chance.below(3) {
            0 => {
                let _ = tokio::time::timeout(Duration::from_secs(1), self.socket.close(None)).await;
            }
            1 => {
                if let MaybeTlsStream::Plain(stream) = self.socket.get_ref() {
                    stream.set_zero_linger().expect("the line is open");
                }
            }
            _ => {}
        }
    }
}
