//! One watcher, from when it comes until the test is over.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep, sleep_until};

use super::following::{Following, Subject};
use super::seen::{Seen, add};
use crate::load::deliveries::Milestone;
use crate::load::exchange::NoAnswer;
use crate::load::follow::milestone;
use crate::load::ledger::Heard;
use crate::load::record::Op;
use crate::load::scan::{after, number_of, text_of};
use crate::load::socket::{SMALL_BUFFER, Socket};
use crate::load::stand::Stand;
use crate::load::target::Dial;
use crate::sim::random::Stream;
use crate::wire::time::parse_rfc3339;

/// Between two tries to connect, and two looks for a fresh delivery.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Watcher<D: Dial> {
    pub stand: Rc<Stand<D>>,
    pub seen: Rc<Seen>,
    pub subject: Subject,
    pub comes_after: Duration,
    pub hz: f64,
    /// Never where it is nothing.
    pub moves_every: Duration,
    pub drops_every: Duration,
    pub chance: Stream,
}

/// What ends a stretch of listening.
enum Turn {
    Said(tokio_tungstenite::tungstenite::Utf8Bytes),
    /// By the other side.
    Lost,
    Drop,
    Move,
    /// Time to see whether there is something to follow.
    Look,
}

impl<D: Dial> Watcher<D> {
    pub async fn watch(mut self) {
        sleep(self.comes_after).await;
        let mut following = None;
        let mut next_id = 1;
        loop {
            match Socket::open(&self.stand.dial, &self.stand.target, SMALL_BUFFER).await {
                Ok(socket) => {
                    self.seen.came();
                    self.behind(socket.welcome.sim_us(), &socket);
                    let is_wanted = self.stay(socket, &mut following, &mut next_id).await;
                    self.seen.left();
                    if is_wanted {
                        continue;
                    }
                }
                Err(why) => self.seen.error(why.kind()),
            }
            sleep(PAUSE).await;
        }
    }

    /// One connection's life. Tells whether it ended as the watcher wanted.
    async fn stay(
        &mut self,
        mut socket: Socket<D>,
        following: &mut Option<Following>,
        next_id: &mut u64,
    ) -> bool {
        let lives = self.some_of(self.drops_every);
        let mut moves = self.some_of(self.moves_every);
        if let Some(kept) = &mut *following {
            if socket.say(&kept.subscribe(self.hz)).await.is_err() {
                return self.lost();
            }
            kept.epoch.clone_from(&socket.welcome.epoch);
            kept.asked_at_us = self.sim_us(&socket);
        }
        loop {
            if following.is_none() && self.begin(&mut socket, following, next_id).await.is_err() {
                return self.lost();
            }
            match turn(&mut socket, lives, moves, following.is_none()).await {
                Turn::Said(text) => {
                    let is_over = self.hear(text.as_bytes(), &socket, following);
                    if is_over && self.end(&mut socket, following).await.is_err() {
                        return self.lost();
                    }
                }
                Turn::Lost => return self.lost(),
                Turn::Drop => {
                    add(&self.seen.drops, 1);
                    return true;
                }
                Turn::Move => {
                    moves = self.some_of(self.moves_every);
                    if self.look_elsewhere(&mut socket, following).await.is_err() {
                        return self.lost();
                    }
                }
                Turn::Look => {}
            }
        }
    }

    fn lost(&self) -> bool {
        self.seen.error("connection lost".to_owned());
        false
    }

    /// A moment about so far away, so that not all do the same at once; `None` for never.
    fn some_of(&mut self, every: Duration) -> Option<Instant> {
        let share = self.chance.uniform_in(0.5, 1.5);
        (!every.is_zero()).then(|| Instant::now() + every.mul_f64(share))
    }

    /// Asks for what the watcher has come for, if that is there.
    async fn begin(
        &mut self,
        socket: &mut Socket<D>,
        following: &mut Option<Following>,
        next_id: &mut u64,
    ) -> Result<(), NoAnswer> {
        let epoch = &socket.welcome.epoch;
        let id = *next_id;
        let begun = match &self.subject {
            Subject::Delivery => {
                let fresh = self.stand.deliveries.borrow_mut().fresh();
                fresh.map(|delivery| Following::delivery(id, &delivery, epoch))
            }
            Subject::Area(map) => Some(Following::area(id, map, &mut self.chance, epoch)),
            Subject::Topic(topic) => Some(Following::topic(id, topic, epoch)),
        };
        let Some(mut begun) = begun else { return Ok(()) };
        begun.asked_at_us = self.sim_us(socket);
        *next_id += 1;
        socket.say(&begun.subscribe(self.hz)).await?;
        *following = Some(begun);
        Ok(())
    }

    async fn end(&self, socket: &mut Socket<D>, following: &mut Option<Following>) -> Result<(), NoAnswer> {
        match following.take() {
            Some(over) => socket.say(&over.unsubscribe()).await,
            None => Ok(()),
        }
    }

    async fn look_elsewhere(
        &mut self,
        socket: &mut Socket<D>,
        following: &mut Option<Following>,
    ) -> Result<(), NoAnswer> {
        let (Subject::Area(map), Some(following)) = (&self.subject, following) else {
            return Ok(());
        };
        let Some(update) = following.look_elsewhere(map, &mut self.chance) else {
            return Ok(());
        };
        add(&self.seen.moves, 1);
        socket.say(&update).await
    }

    /// Tells whether what it followed is over.
    fn hear(&self, json: &[u8], socket: &Socket<D>, following: &mut Option<Following>) -> bool {
        let kind = text_of(json, b"{\"type\":\"").unwrap_or_default();
        if kind == "error" {
            let code = text_of(json, b"\"code\":\"").unwrap_or("error");
            self.seen.error(code.to_owned());
            return following.take().is_some();
        }
        // What belongs to one that was given up may still be on its way.
        let Some(following) = following else { return false };
        if number_of(json, b"\"id\":") != Some(following.id) {
            return false;
        }
        match kind {
            "positions" => self.see(json, socket),
            "event" => return self.event(json, socket, following),
            "snapshot" => {
                if let Some(seq) = number_of(json, b"\"seq\":") {
                    following.numbers.snapshot(seq);
                }
            }
            "subscribed" => self.subscribed(json, following),
            "pressure" => add(&self.seen.pressed, 1),
            _ => {}
        }
        false
    }

    fn subscribed(&self, json: &[u8], following: &Following) {
        // A delivery is asked for from its first event on, which nobody has lost.
        if following.numbers.last().is_none_or(|last| last == 0) {
            return;
        }
        let is_recovered = after(json, b"\"recovered\":true").is_some();
        add(
            if is_recovered {
                &self.seen.recovered
            } else {
                &self.seen.not_recovered
            },
            1,
        );
    }

    fn event(&self, json: &[u8], socket: &Socket<D>, following: &mut Following) -> bool {
        let Some(seq) = number_of(json, b"\"seq\":") else {
            return false;
        };
        match following.numbers.event(seq) {
            Heard::InOrder => {}
            Heard::Missed(count) => add(&self.seen.missed, count),
            Heard::Repeated => add(&self.seen.repeated, 1),
        }
        add(&self.seen.events, 1);
        let sim_us = sim_us_of(json);
        let is_news = sim_us
            .zip(following.asked_at_us)
            .is_some_and(|(at, asked)| at > asked);
        if let (true, Some(behind)) = (is_news, self.behind(sim_us, socket)) {
            let part = self.stand.part_now();
            self.stand.recorder.borrow_mut().well(Op::Seen, part, behind);
        }
        let ends = || matches!(milestone(json), Some(Milestone::Completed | Milestone::Failed(_)));
        self.subject == Subject::Delivery && ends()
    }

    /// A frame of positions: how old it is when it is there.
    fn see(&self, json: &[u8], socket: &Socket<D>) {
        /// Both times stand before the rows.
        const HEAD: usize = 240;
        let head = &json[..json.len().min(HEAD)];
        add(&self.seen.frames, 1);
        let part = self.stand.part_now();
        let mut recorder = self.stand.recorder.borrow_mut();
        if let Some(sent_ms) = number_of(head, b"\"sentAt\":") {
            let age_ms = wall_ms() - sent_ms as f64;
            recorder.well(Op::Frame, part, Duration::from_secs_f64(age_ms.max(0.0) / 1e3));
        }
        if let Some(behind) = self.behind(sim_us_of(head), socket) {
            recorder.well(Op::FrameBehind, part, behind);
        }
    }

    /// How far behind the newest that anybody knows of this is; `None` where nobody can tell.
    fn behind(&self, sim_us: Option<f64>, socket: &Socket<D>) -> Option<Duration> {
        let (sim_us, speed) = (sim_us?, socket.welcome.speed()?);
        Some(self.seen.behind(sim_us, speed, Instant::now()))
    }

    fn sim_us(&self, socket: &Socket<D>) -> Option<f64> {
        self.seen.sim_us(socket.welcome.speed()?, Instant::now())
    }
}

fn sim_us_of(json: &[u8]) -> Option<f64> {
    let sim_us = text_of(json, b"\"simTime\":\"").and_then(parse_rfc3339)?;
    Some(sim_us as f64)
}

async fn turn<D: Dial>(
    socket: &mut Socket<D>,
    drops: Option<Instant>,
    moves: Option<Instant>,
    looks: bool,
) -> Turn {
    tokio::select! {
        said = socket.next() => said.map_or(Turn::Lost, Turn::Said),
        () = at(drops) => Turn::Drop,
        () = at(moves) => Turn::Move,
        () = sleep(PAUSE), if looks => Turn::Look,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64() * 1e3)
}
