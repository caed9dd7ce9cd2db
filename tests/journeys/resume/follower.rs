//! A follower of many topics whose connection keeps breaking.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use skyhaul::sim::random::Stream as Chance;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::connection::Connection;
use super::truth::{Seen, Truth};
use crate::support::PATIENCE;

/// Deliveries followed at a time, each from its first event to its last.
const DELIVERIES: usize = 6;
const DRONES_EACH: u64 = 5;
/// As long as a client waits before it tries again to connect.
const BACK_OFF: Duration = Duration::from_millis(10);

/// What the test does with the server meanwhile.
#[derive(Clone)]
pub enum Stage {
    Living(SocketAddr),
    Down,
    /// Nothing happens any more, and this is all that ever did.
    Ending(SocketAddr, Arc<Truth>),
}

pub struct Follower {
    /// Of the one past that there is.
    epoch: String,
    chance: Chance,
    stage: watch::Receiver<Stage>,
    /// All followers' cuts.
    cuts: watch::Sender<u64>,
    topics: BTreeMap<String, Topic>,
}

/// What was seen of a topic so far.
#[derive(Default)]
pub struct Topic {
    events: Vec<(u64, Value)>,
    /// A delivery that has come to its end.
    ended: bool,
}

impl Topic {
    pub fn last(&self) -> u64 {
        self.events.last().map_or(0, |(seq, _)| *seq)
    }

    pub fn has_ended(&self) -> bool {
        self.ended
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
        let drones = (0..DRONES_EACH).map(|drone| format!("drone/d-{}", number * DRONES_EACH + drone));
        let fixed = ["events".to_owned(), "hub/mission".to_owned()];
        let topics = fixed.into_iter().chain(drones);
        Follower {
            epoch,
            chance,
            stage,
            cuts,
            topics: topics.map(|topic| (topic, Topic::default())).collect(),
        }
    }

    /// Follows until the stage ends; answers with all that was seen.
    pub async fn live(mut self) -> Seen {
        loop {
            let stage = self.stage.borrow_and_update().clone();
            match stage {
                Stage::Down => self.stage.changed().await.expect("the test goes on"),
                Stage::Living(address) => self.listen_for_a_while(address).await,
                Stage::Ending(address, truth) => {
                    self.listen_to_the_end(address, &truth).await;
                    let seen = |(topic, Topic { events, .. })| (topic, events);
                    return self.topics.into_iter().map(seen).collect();
                }
            }
        }
    }

    /// Until it is cut after so many messages, or so much time, or the server is gone.
    async fn listen_for_a_while(&mut self, address: SocketAddr) {
        let Some(mut connection) =
            Connection::open(address, &self.epoch, &self.topics, &mut self.chance).await
        else {
            return sleep(BACK_OFF).await;
        };
        let messages = self.chance.below(80);
        let time = Duration::from_millis(self.chance.below(150).into());
        let listen = async {
            for _ in 0..messages {
                let Some(message) = connection.next().await else {
                    break;
                };
                if let Some(news) = self.hear(&connection, &message) {
                    connection.follow(&news).await;
                }
            }
        };
        let _cut_short = timeout(time, listen).await;
        connection.cut(&mut self.chance).await;
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    async fn listen_to_the_end(&mut self, address: SocketAddr, truth: &Truth) {
        let connection = Connection::open(address, &self.epoch, &self.topics, &mut self.chance).await;
        let mut connection = connection.expect("the server stays up");
        let listen = async {
            let is_behind = |(name, topic): (&String, &Topic)| topic.last() < truth.last(name);
            while self.topics.iter().any(is_behind) {
                let message = connection.next().await.expect("the server stays up");
                if let Some(news) = self.hear(&connection, &message) {
                    connection.follow(&news).await;
                }
            }
        };
        if timeout(PATIENCE, listen).await.is_err() {
            let behind = self
                .topics
                .iter()
                .filter(|(name, topic)| topic.last() < truth.last(name));
            let behind: Vec<_> = behind
                .map(|(name, topic)| (name, topic.last(), truth.last(name)))
                .collect();
            panic!("never came: {behind:?}");
        }
    }

    /// Panics at anything but the very next event. Answers with a topic to follow from now
    /// on, if this is news of one.
    fn hear(&mut self, connection: &Connection, message: &Value) -> Option<String> {
        let name = || connection.topic_of(message);
        match message["type"].as_str().expect("a type") {
            "welcome" => assert_eq!(message["epoch"], self.epoch, "no past was ever rewritten"),
            "subscribed" => assert_eq!(message["recovered"], true, "{}: {message}", name()),
            "snapshot" => {
                assert!(name().starts_with("hub/"), "nothing was missed: {message}");
                assert_eq!(message["seq"], self.topics[name()].last(), "{message}");
            }
            "event" => return self.hear_event(name(), message),
            "positions" | "bye" | "pressure" => {}
            _ => panic!("{message}"),
        }
        None
    }

    fn hear_event(&mut self, name: &str, message: &Value) -> Option<String> {
        let (seq, event) = (message["seq"].as_u64().expect("a number"), &message["event"]);
        let topic = self.topics.get_mut(name).expect("it is followed");
        assert_eq!(seq, topic.last() + 1, "a hole or a repeat in {name}: {message}");
        topic.events.push((seq, event.clone()));
        let kind = event["kind"].as_str().expect("a kind");
        topic.ended = name.starts_with("delivery/") && ["Completed", "Failed", "Cancelled"].contains(&kind);
        let is_open = |(name, topic): (&String, &Topic)| name.starts_with("delivery/") && !topic.ended;
        let open = self.topics.iter().filter(|topic| is_open(*topic)).count();
        if name != "events" || kind != "Accepted" || open >= DELIVERIES {
            return None;
        }
        let news = format!("delivery/{}", event["deliveryId"].as_str().expect("an id"));
        self.topics.insert(news.clone(), Topic::default());
        Some(news)
    }
}
