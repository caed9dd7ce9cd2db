//! How far a client lags behind what it was sent, and what it is spared for it.
//!
//! While data flows the server pings now and then; the client's library answers once it
//! has read so far. The age of an unanswered ping, or of a batch that does not get
//! written, is the lag; what was sent after the last answered ping is what the client has
//! yet to read. The longer the lag the less is sent, by four levels; down again it goes
//! one level at a time, with answers that come quickly. Nothing here knows of topics.
//!
//! Of a client that cannot be pinged all that is known is when a batch was written: that
//! stands for the answer.

use std::time::Duration;

use tokio::time::Instant;

use super::outlet;
use super::tier::{SLOTS_PER_SECOND, Tier};

/// Unread bytes beyond which nothing more is composed, so that word of the pressure and
/// the close still fit into the kernel's buffers of a connection that nobody reads.
const UNREAD_MOST: u64 = 256 * 1024;
/// Unread bytes that a conflated client may have when it gets the newest positions.
const UNREAD_LITTLE: u64 = 64 * 1024;

/// How long a client may lag.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From one ping to the next, while data flows.
    pub ping_every: Duration,
    /// Lags from which on a client gets a lower rate, then the newest positions now and
    /// then, then full messages only.
    pub degrade_after: [Duration; 3],
    /// A client that reads nothing for this long is closed.
    pub close_after: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            ping_every: Duration::from_secs(2),
            degrade_after: [3, 8, 15].map(Duration::from_secs),
            close_after: Duration::from_secs(30),
        }
    }
}

/// What a client is spared; `pressure` messages carry its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Fine,
    /// Positions once a second at most; gauges come no faster anyway.
    LowerRate,
    /// The newest positions and gauges every two seconds at most, while little is unread.
    Conflated,
    /// As conflated, always in full, and only when the last ping was answered.
    SnapshotsOnly,
}

impl Level {
    const ALL: [Level; 4] = [
        Level::Fine,
        Level::LowerRate,
        Level::Conflated,
        Level::SnapshotsOnly,
    ];

    /// The tier that a subscription gets which wants this one.
    pub(super) fn tier(self, wanted: Tier) -> Tier {
        match self {
            Level::Fine => wanted,
            Level::LowerRate => wanted.max(Tier::Hz1),
            Level::Conflated | Level::SnapshotsOnly => Tier::HzHalf,
        }
    }

    /// Seconds from one reading of a gauge to the next.
    pub(super) fn gauges_apart_s(self) -> u64 {
        self.tier(Tier::Hz1).slots() / SLOTS_PER_SECOND
    }
}

/// What tells that a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Its answers to pings.
    Pongs,
    /// Nothing but that what it was sent gets written.
    Writes,
}

pub(super) struct Lag {
    patience: Patience,
    sign: Sign,
    level: Level,
    /// When it became so.
    level_since: Instant,
    /// Bytes handed to the socket so far.
    sent: u64,
    /// Of these, bytes that the client has certainly read.
    read: u64,
    /// The last ping, or what stands for it, answered or not.
    ping: Ping,
    is_answered: bool,
    /// The last sign that the client reads, other than an answer.
    progress: Instant,
}

#[derive(Clone, Copy)]
struct Ping {
    number: u64,
    at: Instant,
    /// Bytes that were sent before it.
    sent: u64,
}

impl Lag {
    pub(super) fn new(patience: Patience, sign: Sign, now: Instant) -> Self {
        Lag {
            patience,
            sign,
            level: Level::Fine,
            level_since: now,
            sent: 0,
            read: 0,
            ping: Ping {
                number: 0,
                at: now,
                sent: 0,
            },
            is_answered: true,
            progress: now,
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// So many bytes go to the socket; answers with the ping that should follow them.
    pub(super) fn sends(&mut self, bytes: u64, now: Instant) -> Option<outlet::Ping> {
        self.sent += bytes;
        if self.sign == Sign::Writes {
            if bytes > 0 {
                self.ask(now);
            }
            return None;
        }
        let unasked = self.sent - self.ping.sent;
        let is_due = unasked >= UNREAD_LITTLE
            || unasked > 0 && (self.level > Level::Fine || now - self.ping.at >= self.patience.ping_every);
        if !self.is_answered || !is_due {
            return None;
        }
        self.ask(now);
        Some(self.ping.number.to_be_bytes())
    }

    fn ask(&mut self, now: Instant) {
        self.ping = Ping {
            number: self.ping.number + 1,
            at: now,
            sent: self.sent,
        };
        self.is_answered = false;
    }

    /// The client has read up to a ping. Where it did so quickly, one level down.
    pub(super) fn hears(&mut self, pong: &[u8], now: Instant) {
        if !self.is_answered && pong == self.ping.number.to_be_bytes() {
            self.answered(now);
        }
    }

    /// No batch is being written.
    pub(super) fn has_written(&mut self, now: Instant) {
        if self.sign == Sign::Writes && !self.is_answered {
            self.answered(now);
        }
    }

    /// Whether each write of a batch should be told of, so that a quick one counts as such.
    pub(super) fn waits_for_writes(&self) -> bool {
        self.sign == Sign::Writes && self.level > Level::Fine
    }

    fn answered(&mut self, now: Instant) {
        self.is_answered = true;
        self.read = self.ping.sent;
        let Some(down) = (self.level as usize).checked_sub(1) else {
            return;
        };
        let is_quick = now - self.ping.at < self.patience.degrade_after[down] / 2;
        if is_quick && now - self.level_since >= self.patience.ping_every {
            self.level = Level::ALL[down];
            self.level_since = now;
        }
    }

    /// A batch that had to wait was written.
    pub(super) fn progresses(&mut self, now: Instant) {
        self.progress = now;
    }

    /// Raises the level where it is time. `writing_since`: when the batch was handed out
    /// that is not written yet.
    pub(super) fn settle(&mut self, writing_since: Option<Instant>, now: Instant) {
        let pinged = (!self.is_answered).then_some(self.ping.at);
        let Some(since) = pinged.into_iter().chain(writing_since).min() else {
            return;
        };
        let up = self.level as usize + 1;
        if up < Level::ALL.len() && now - since >= self.patience.degrade_after[up - 1] {
            self.level = Level::ALL[up];
            self.level_since = now;
        }
    }

    /// Nothing was read for too long.
    pub(super) fn is_hopeless(&self, now: Instant) -> bool {
        !self.is_answered && now - self.ping.at.max(self.progress) >= self.patience.close_after
    }

    /// Bytes of messages that may be composed now; the last may go beyond.
    pub(super) fn room(&self) -> u64 {
        (UNREAD_MOST + 1).saturating_sub(self.unread())
    }

    pub(super) fn takes_positions(&self) -> bool {
        match self.level {
            Level::Fine | Level::LowerRate => true,
            Level::Conflated => self.unread() <= UNREAD_LITTLE,
            Level::SnapshotsOnly => self.is_answered,
        }
    }

    fn unread(&self) -> u64 {
        self.sent - self.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Sends a little each second for so long, and answers no ping.
    fn stall(lag: &mut Lag, from: Instant, seconds: u32) -> Vec<Level> {
        let mut levels = Vec::new();
        for second in 0..=seconds {
            let now = from + SECOND * second;
            lag.settle(None, now);
            lag.sends(100, now);
            levels.push(lag.level());
        }
        levels
    }

    fn quick_answer(lag: &mut Lag, now: Instant) -> bool {
        let ping = lag.sends(100, now);
        if let Some(ping) = &ping {
            lag.hears(ping, now + SECOND / 100);
        }
        ping.is_some()
    }

    #[test]
    fn who_answers_no_ping_is_sent_less_and_less_and_then_closed() {
        let start = Instant::now();
        let mut lag = Lag::new(Patience::default(), Sign::Pongs, start);
        let levels = stall(&mut lag, start, 31);
        use Level::*;
        // The first ping goes out after two seconds of data.
        for (second, level) in [
            (4, Fine),
            (5, LowerRate),
            (9, LowerRate),
            (10, Conflated),
            (16, Conflated),
            (17, SnapshotsOnly),
            (31, SnapshotsOnly),
        ] {
            assert_eq!(levels[second], level, "after {second} s");
        }
        assert!(!lag.is_hopeless(start + SECOND * 31));
        assert!(lag.is_hopeless(start + SECOND * 32));
        lag.progresses(start + SECOND * 31);
        assert!(!lag.is_hopeless(start + SECOND * 32), "something was written");
    }

    #[test]
    fn who_catches_up_gets_all_again_step_by_step() {
        let start = Instant::now();
        let mut lag = Lag::new(Patience::default(), Sign::Pongs, start);
        stall(&mut lag, start, 20);
        assert!(!lag.takes_positions());
        // The answer to the ping of second two: late, so the level stays.
        lag.hears(&1_u64.to_be_bytes(), start + SECOND * 21);
        assert_eq!(lag.level(), Level::SnapshotsOnly);
        assert!(lag.takes_positions());
        let mut levels = Vec::new();
        for second in 22..30 {
            let was_slow = lag.level() > Level::Fine;
            let pinged = quick_answer(&mut lag, start + SECOND * second);
            assert!(pinged || !was_slow, "each message to a slow client is pinged");
            levels.push(lag.level() as u8);
        }
        levels.dedup();
        assert_eq!(levels, [2, 1, 0]);
    }

    #[test]
    fn what_is_unread_is_bounded_however_quickly_it_is_sent() {
        let start = Instant::now();
        let mut lag = Lag::new(Patience::default(), Sign::Pongs, start);
        let first = lag.sends(100_000, start).expect("so much is pinged at once");
        let mut sent = 100_000;
        while lag.room() > 0 {
            assert_eq!(lag.sends(10_000, start), None, "one ping at a time");
            sent += 10_000;
        }
        assert!(sent <= UNREAD_MOST + 10_000);
        lag.hears(&first, start + SECOND / 100);
        assert!(lag.room() > 0);
        assert!(
            lag.sends(0, start + SECOND / 100).is_some(),
            "the rest is asked for"
        );
    }

    #[test]
    fn of_who_cannot_be_pinged_the_writes_tell() {
        let start = Instant::now();
        let mut lag = Lag::new(Patience::default(), Sign::Writes, start);
        assert_eq!(lag.sends(10_000_000, start), None, "nobody is pinged");
        let mut levels = Vec::new();
        for second in 1..=20 {
            lag.settle(Some(start), start + SECOND * second);
            levels.push(lag.level() as u8);
        }
        levels.dedup();
        assert_eq!(levels, [0, 1, 2, 3]);

        // It gets written at last: late, so the level stays, but all may be composed.
        lag.has_written(start + SECOND * 21);
        assert_eq!(lag.level(), Level::SnapshotsOnly);
        assert!(lag.room() > 0 && lag.takes_positions());
        let mut levels = Vec::new();
        for second in 22..30 {
            let now = start + SECOND * second;
            lag.sends(100, now);
            lag.has_written(now + SECOND / 100);
            lag.settle(None, now + SECOND / 100);
            levels.push(lag.level() as u8);
        }
        levels.dedup();
        assert_eq!(levels, [2, 1, 0]);
        assert!(!lag.is_hopeless(start + SECOND * 1_000));
    }

    #[test]
    fn a_write_that_does_not_finish_is_lag_too() {
        let start = Instant::now();
        let mut lag = Lag::new(Patience::default(), Sign::Pongs, start);
        lag.settle(Some(start), start + SECOND * 3);
        assert_eq!(lag.level(), Level::LowerRate);
        lag.hears(b"nonsense", start + SECOND * 3);
        assert_eq!(lag.level(), Level::LowerRate);
    }
}
