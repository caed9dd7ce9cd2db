//! A follower by server-sent events, who knows nothing but an address and the last id, as a
//! browser's `EventSource` does.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use skyhaul::sim::random::Stream as Chance;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::follower::Stage;
use super::truth::{Seen, Truth};
use crate::support::PATIENCE;
use crate::support::sse::Events;

const DELIVERIES: usize = 3;
const DRONES_EACH: u64 = 5;
/// As long as a client waits before it tries again to connect.
const BACK_OFF: Duration = Duration::from_millis(10);

pub struct Follower {
    number: u64,
    /// Of the one past that there is.
    epoch: String,
    chance: Chance,
    stage: watch::Receiver<Stage>,
    /// All followers' cuts.
    cuts: watch::Sender<u64>,
    /// In the order of the address, once it is known.
    topics: Vec<Topic>,
    last_event_id: String,
}

struct Topic {
    name: String,
    events: Vec<(u64, Value)>,
}

impl Topic {
    fn last(&self) -> u64 {
        self.events.last().map_or(0, |(seq, _)| *seq)
    }
}

impl Follower {
    pub fn new(
        number: u64,
        epoch: String,
        chance: Chance,
        stage: watch::Receiver<Stage>,
        cuts: watch::Sender<u64>,
    ) -> Self {
        Follower {
            number,
            epoch,
            chance,
            stage,
            cuts,
            topics: Vec::new(),
            last_event_id: String::new(),
        }
    }

    /// Follows until the stage ends; answers with all that was seen.
    pub async fn live(mut self) -> Seen {
        loop {
            let stage = self.stage.borrow_and_update().clone();
            match stage {
                Stage::Down => self.stage.changed().await.expect("the test goes on"),
                Stage::Living(address) if self.topics.is_empty() => self.choose(address).await,
                Stage::Living(address) => self.listen_for_a_while(address).await,
                Stage::Ending(address, truth) => {
                    self.listen_to_the_end(address, &truth).await;
                    return self
                        .topics
                        .into_iter()
                        .map(|topic| (topic.name, topic.events))
                        .collect();
                }
            }
        }
    }

    /// Some deliveries of the first hour, some drones, a hub, and everything: from their
    /// first events on.
    async fn choose(&mut self, address: SocketAddr) {
        let Some(deliveries) = deliveries(address)
            .await
            .filter(|found| found.len() >= DELIVERIES)
        else {
            return sleep(BACK_OFF).await;
        };
        let first = self.chance.below((deliveries.len() - DELIVERIES) as u32 + 1) as usize;
        let deliveries = deliveries.into_iter().skip(first).take(DELIVERIES);
        let drones = (0..DRONES_EACH).map(|drone| format!("drone/d-{}", self.number * DRONES_EACH + drone));
        let fixed = ["events".to_owned(), "hub/mission".to_owned()];
        let names = fixed.into_iter().chain(drones).chain(deliveries);
        let topic = |name| Topic {
            name,
            events: Vec::new(),
        };
        self.topics = names.map(topic).collect();
        self.last_event_id = format!("{}{}", self.epoch, ".0".repeat(self.topics.len()));
    }

    async fn open(&self, address: SocketAddr) -> Option<Events> {
        let names = self.topics.iter().map(|topic| format!("topic={}&", topic.name));
        let query = format!("{}maxHz=0.5", names.collect::<String>());
        Events::open(address, &query, Some(&self.last_event_id)).await
    }

    /// Until it is cut after so many messages, or so much time, or the server is gone.
    async fn listen_for_a_while(&mut self, address: SocketAddr) {
        let Some(mut stream) = self.open(address).await else {
            return sleep(BACK_OFF).await;
        };
        let messages = self.chance.below(80);
        let time = Duration::from_millis(self.chance.below(150).into());
        let listen = async {
            for _ in 0..messages {
                let Some(message) = stream.next().await else {
                    break;
                };
                self.hear(&message);
            }
        };
        let _cut_short = timeout(time, listen).await;
        self.remember(&stream);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    async fn listen_to_the_end(&mut self, address: SocketAddr, truth: &Truth) {
        let mut stream = self.open(address).await.expect("the server stays up");
        let listen = async {
            let is_behind = |topic: &Topic| topic.last() < truth.last(&topic.name);
            while self.topics.iter().any(is_behind) {
                let message = stream.next().await.expect("the server stays up");
                self.hear(&message);
            }
        };
        timeout(PATIENCE, listen).await.expect("all that happened comes");
    }

    fn remember(&mut self, stream: &Events) {
        if let Some(id) = &stream.last_event_id {
            self.last_event_id.clone_from(id);
        }
    }

    /// Panics at anything but the very next event.
    fn hear(&mut self, message: &Value) {
        let id = message["id"].as_u64().map(|id| id as usize - 1);
        let topic = id.map(|place| &mut self.topics[place]);
        match (message["type"].as_str().expect("a type"), topic) {
            ("welcome", _) => assert_eq!(message["epoch"], self.epoch, "no past was ever rewritten"),
            ("subscribed", Some(topic)) => {
                assert_eq!(message["recovered"], true, "{}: {message}", topic.name);
            }
            ("snapshot", Some(topic)) => {
                assert!(topic.name.starts_with("hub/"), "nothing was missed: {message}");
                assert_eq!(message["seq"], topic.last(), "{message}");
            }
            ("event", Some(topic)) => {
                let seq = message["seq"].as_u64().expect("a number");
                assert_eq!(
                    seq,
                    topic.last() + 1,
                    "a hole or a repeat in {}: {message}",
                    topic.name
                );
                topic.events.push((seq, message["event"].clone()));
            }
            ("positions" | "pressure", Some(_)) | ("bye", None) => {}
            _ => panic!("{message}"),
        }
    }
}

/// Topics of deliveries. `None` where the server is gone.
async fn deliveries(address: SocketAddr) -> Option<Vec<String>> {
    let list = reqwest::get(format!("http://{address}/api/deliveries?limit=20")).await;
    let list: Value = list.ok()?.json().await.ok()?;
    let ids = list["items"]
        .as_array()?
        .iter()
        .filter_map(|item| item["id"].as_str());
    Some(ids.map(|id| format!("delivery/{id}")).collect())
}
