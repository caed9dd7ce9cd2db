//! Follows what becomes of deliveries: every lifecycle event of the world, over one
//! WebSocket, as an operator sees them.
//!
//! A lost connection is resumed where it was. Who may not see all events cannot follow so;
//! [`open`] says that, and deliveries are then asked for one by one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::deliveries::Milestone;
use super::exchange::{NoAnswer, PATIENCE};
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
    /// Nobody follows any more, and this is why.
    refused: RefCell<Option<String>>,
}

impl Followed {
    /// What the figures do not show because of it.
    pub fn warning(&self) -> Option<String> {
        if let Some(why) = &*self.refused.borrow() {
            return Some(format!("deliveries were followed to their end no longer: {why}"));
        }
        let lost = self.lost_track.get() + self.missed.get();
        (lost > 0).then(|| {
            "deliveries were lost track of: some that are told to be unscheduled or unfinished may not be"
                .to_owned()
        })
    }
}

pub(super) struct Follower<D: Dial> {
    socket: Socket<D>,
    numbers: Numbers,
    /// Where the numbers are from.
    epoch: String,
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
    let socket = socket.map_err(NotFollowed::NoSocket)?;
    let mut follower = Follower {
        epoch: socket.welcome.epoch.clone(),
        socket,
        numbers: Numbers::default(),
        told: Rc::default(),
    };
    follower.subscribe().await?;
    Ok(follower)
}

impl<D: Dial> Follower<D> {
    /// Until the server says where the topic stands.
    async fn subscribe(&mut self) -> Result<(), NotFollowed> {
        let silent = NotFollowed::NoSocket(NoSocket::NoAnswer(NoAnswer::Silent));
        timeout(PATIENCE, self.subscribed())
            .await
            .unwrap_or(Err(silent))?;
        self.epoch.clone_from(&self.socket.welcome.epoch);
        Ok(())
    }

    async fn subscribed(&mut self) -> Result<(), NotFollowed> {
        let mut wish = json!({"type": "subscribe", "id": 1, "topic": "events"});
        if let Some(seq) = self.numbers.last() {
            wish["since"] = json!({"epoch": self.epoch, "seq": seq});
        }
        let broken = || NotFollowed::NoSocket(NoSocket::NoAnswer(NoAnswer::Broken));
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
        let is_another = self.epoch != self.socket.welcome.epoch;
        if self.numbers.last().is_some_and(|last| is_another || last != seq) {
            add(&self.told.lost_track, 1);
        }
        self.numbers.snapshot(seq);
    }

    /// Until it is aborted, or the server lets it follow no longer.
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
                match self.subscribe().await {
                    Ok(()) => break,
                    Err(NotFollowed::NoSocket(_)) => {}
                    Err(NotFollowed::Refused { code, message }) => {
                        *self.told.refused.borrow_mut() = Some(format!("{code}, {message}"));
                        return;
                    }
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
        "PickedUp" => Some(Milestone::PickedUp),
        "Completed" => Some(Milestone::Completed),
        "Cancelled" => Some(Milestone::Failed("cancelled".to_owned())),
        "Failed" => {
            let why = text_of(json, b"\"reason\":\"").unwrap_or("failed");
            Some(Milestone::Failed(why.to_owned()))
        }
        _ => None,
    }
}
