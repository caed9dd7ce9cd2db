//! Follows what becomes of deliveries: every lifecycle event of the world, over one
//! WebSocket, as an operator sees them.
//!
//! A lost connection is resumed where it was. Who may not see all events cannot follow so;
//! [`open`] says that, and what is accepted is then not followed.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::deliveries::Milestone;
use super::ledger::{Heard, Numbers};
use super::scan::{number_of, text_of};
use super::socket::{LARGE_BUFFER, NoSocket, Socket};
use super::stand::Stand;
use super::target::{Dial, Target};

const EVENT_KIND: &[u8] = b"\"event\":{\"kind\":\"";
const PAUSE: Duration = Duration::from_millis(200);

/// What there is to say of the follower itself.
#[derive(Default)]
pub(super) struct Followed {
    pub events: Cell<u64>,
    pub missed: Cell<u64>,
    pub repeated: Cell<u64>,
    /// Lost connections.
    pub resumed: Cell<u64>,
    /// Times that it could not go on where it was.
    pub lost_track: Cell<u64>,
}

pub(super) struct Follower<D: Dial> {
    socket: Socket<D>,
    numbers: Numbers,
    pub told: Rc<Followed>,
}

/// Why deliveries cannot be followed.
pub(super) enum NotFollowed {
    NoSocket(NoSocket),
    /// The server's own word.
    Refused {
        code: String,
        message: String,
    },
}

/// Connects, and returns once every event from now on will be heard.
pub(super) async fn open<D: Dial>(dial: &D, target: &Target) -> Result<Follower<D>, NotFollowed> {
    let socket = Socket::open(dial, target, LARGE_BUFFER).await;
    let mut follower = Follower {
        socket: socket.map_err(NotFollowed::NoSocket)?,
        numbers: Numbers::default(),
        told: Rc::default(),
    };
    follower.subscribe().await?;
    Ok(follower)
}

impl<D: Dial> Follower<D> {
    /// Until the server says where the topic stands.
    async fn subscribe(&mut self) -> Result<(), NotFollowed> {
        let mut wish = json!({"type": "subscribe", "id": 1, "topic": "events"});
        if let Some(seq) = self.numbers.last() {
            wish["since"] = json!({"epoch": self.socket.welcome.epoch, "seq": seq});
        }
        let broken = || NotFollowed::NoSocket(NoSocket::NoAnswer(super::exchange::NoAnswer::Broken));
        self.socket.say(&wish).await.map_err(|_| broken())?;
        loop {
            let text = self.socket.next().await.ok_or_else(broken)?;
            let json = text.as_bytes();
            match text_of(json, b"\"type\":\"") {
                Some("subscribed") if memchr::memmem::find(json, b"\"recovered\":true").is_some() => {
                    return Ok(());
                }
                Some("snapshot") => {
                    self.snapshot(json);
                    return Ok(());
                }
                Some("error") => {
                    let member = |mark| text_of(json, mark).unwrap_or_default().to_owned();
                    return Err(NotFollowed::Refused {
                        code: member(b"\"code\":\""),
                        message: member(b"\"message\":\""),
                    });
                }
                _ => {}
            }
        }
    }

    fn snapshot(&mut self, json: &[u8]) {
        let seq = number_of(json, b"\"seq\":").unwrap_or(0);
        if self.numbers.last().is_some_and(|last| last != seq) {
            add(&self.told.lost_track, 1);
        }
        self.numbers.snapshot(seq);
    }

    /// Never ends: whoever waits for it waits for something else too.
    pub async fn follow(mut self, stand: Rc<Stand<D>>) {
        loop {
            while let Some(text) = self.socket.next().await {
                self.hear(text.as_bytes(), &stand);
            }
            add(&self.told.resumed, 1);
            loop {
                sleep(PAUSE).await;
                let Ok(socket) = Socket::open(&stand.dial, &stand.target, LARGE_BUFFER).await else {
                    continue;
                };
                self.socket = socket;
                if self.subscribe().await.is_ok() {
                    break;
                }
            }
        }
    }

    fn hear(&mut self, json: &[u8], stand: &Stand<D>) {
        match text_of(json, b"\"type\":\"") {
            Some("event") => {}
            Some("snapshot") => return self.snapshot(json),
            _ => return,
        }
        if let Some(seq) = number_of(json, b"\"seq\":") {
            match self.numbers.event(seq) {
                Heard::InOrder => {}
                Heard::Missed(count) => add(&self.told.missed, count),
                Heard::Repeated => return add(&self.told.repeated, 1),
            }
        }
        add(&self.told.events, 1);
        let Some(milestone) = milestone(json) else { return };
        let Some(id) = text_of(json, b"\"deliveryId\":\"") else {
            return;
        };
        let mut recorder = stand.recorder.borrow_mut();
        let mut deliveries = stand.deliveries.borrow_mut();
        deliveries.heard(id, milestone, Instant::now(), &mut recorder);
    }
}

fn add(count: &Cell<u64>, by: u64) {
    count.set(count.get() + by);
}

/// What an event says of a delivery's way, if anything.
pub(super) fn milestone(json: &[u8]) -> Option<Milestone> {
    match text_of(json, EVENT_KIND)? {
        "Created" => Some(Milestone::Scheduled),
        "Completed" => Some(Milestone::Completed),
        "Cancelled" => Some(Milestone::Failed("cancelled".to_owned())),
        "Failed" => {
            let why = text_of(json, b"\"reason\":\"").unwrap_or("failed");
            Some(Milestone::Failed(why.to_owned()))
        }
        _ => None,
    }
}
