//! Which ticks are recorded, and after which the whole state is.

use crate::sim::time::{SimDuration, SimTime};

/// So many recorded positions a simulated second, at most one a tick.
#[derive(Clone, Copy, Debug)]
pub struct Cadence {
    period_us: f64,
    tick: SimDuration,
}

impl Cadence {
    pub fn new(hz: f64, tick: SimDuration) -> Self {
        Cadence {
            period_us: 1e6 / hz,
            tick,
        }
    }

    /// Whether a beat lies within the tick that ends now.
    pub fn is_due(&self, at: SimTime) -> bool {
        let beats = |us: u64| (us as f64 / self.period_us + 1e-9).floor();
        beats(at.0) > beats(at.0.saturating_sub(self.tick.0)) || at.0 == 0
    }
}

/// A whole state is due every ten seconds. Of a large world it takes its thread milliseconds, and
/// much of the file: there it waits until the positions since weigh as much, for ten minutes at the
/// latest. What lies between is executed again in less time than it takes to notice.
pub struct Keyframes {
    last: SimTime,
    last_bytes: u64,
    bytes_since: u64,
}

impl Keyframes {
    const SOONEST: SimDuration = SimDuration(10_000_000);
    const LATEST: SimDuration = SimDuration(600_000_000);
    /// Of a city with some thousand drones.
    const CHEAP_BYTES: u64 = 256 << 10;
    /// What changes of a large one until the next state, and its share of a whole one.
    const CHANGING_SHARE: u64 = 4;
    /// About what a row or an event takes before it is compressed.
    const ROW_BYTES: u64 = 10;
    const EVENT_BYTES: u64 = 250;

    /// The first is taken at this time.
    pub fn from(at: SimTime) -> Self {
        Keyframes {
            last: at,
            last_bytes: 0,
            bytes_since: 0,
        }
    }

    pub fn recorded(&mut self, rows: usize, events: usize) {
        self.bytes_since += rows as u64 * Self::ROW_BYTES + events as u64 * Self::EVENT_BYTES;
    }

    pub fn is_due(&self, at: SimTime) -> bool {
        let since = at.since(self.last);
        let is_cheap = self.last_bytes <= Self::CHEAP_BYTES;
        let is_paid = is_cheap || self.bytes_since >= self.last_bytes / Self::CHANGING_SHARE;
        since >= Self::LATEST || since >= Self::SOONEST && is_paid
    }

    /// Whether the last one was taken then.
    pub fn is_taken(&self, at: SimTime) -> bool {
        self.last_bytes > 0 && self.last == at
    }

    pub fn taken(&mut self, at: SimTime, bytes: u64) {
        *self = Keyframes {
            last: at,
            last_bytes: bytes,
            bytes_since: 0,
        };
    }
}
