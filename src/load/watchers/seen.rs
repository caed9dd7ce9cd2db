//! What the audience saw, all of it together.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

#[derive(Default)]
pub(crate) struct Seen {
    pub connected: Cell<u64>,
    pub most_connected: Cell<u64>,
    pub connects: Cell<u64>,
    pub frames: Cell<u64>,
    pub events: Cell<u64>,
    pub missed: Cell<u64>,
    pub repeated: Cell<u64>,
    /// Topics taken up again after a lost connection where they had been left.
    pub recovered: Cell<u64>,
    /// The same from a fresh snapshot, since what was missed was not kept.
    pub not_recovered: Cell<u64>,
    pub moves: Cell<u64>,
    /// Connections that were lost on purpose.
    pub drops: Cell<u64>,
    /// Messages that told of a lower rate.
    pub pressed: Cell<u64>,
    errors: RefCell<BTreeMap<String, u64>>,
    /// The newest simulated time that anybody has seen, µs, less what went by since the
    /// first look.
    newest: Cell<Option<(Instant, f64)>>,
}

pub(super) fn add(count: &Cell<u64>, by: u64) {
    count.set(count.get() + by);
}

impl Seen {
    pub fn came(&self) {
        add(&self.connects, 1);
        add(&self.connected, 1);
        self.most_connected
            .set(self.most_connected.get().max(self.connected.get()));
    }

    pub fn left(&self) {
        self.connected.set(self.connected.get().saturating_sub(1));
    }

    pub fn error(&self, kind: String) {
        *self.errors.borrow_mut().entry(kind).or_default() += 1;
    }

    /// How much simulated time lies between what a frame shows and what the newest one that
    /// anybody has seen would show by now.
    pub fn behind(&self, sim_us: f64, speed: f64, now: Instant) -> Duration {
        let (first, newest) = self.newest.get().unwrap_or((now, sim_us));
        let gone_us = (now - first).as_secs_f64() * 1e6 * speed;
        let newest = newest.max(sim_us - gone_us);
        self.newest.set(Some((first, newest)));
        Duration::from_secs_f64(((newest + gone_us - sim_us) / 1e6).max(0.0))
    }

    /// About where the world is by now; `None` before anybody has seen anything.
    pub fn sim_us(&self, speed: f64, now: Instant) -> Option<f64> {
        let (first, newest) = self.newest.get()?;
        Some(newest + (now - first).as_secs_f64() * 1e6 * speed)
    }

    pub fn summary(&self, sessions: usize) -> WatcherSummary {
        WatcherSummary {
            sessions: sessions as u64,
            most_connected: self.most_connected.get(),
            connects: self.connects.get(),
            frames: self.frames.get(),
            events: self.events.get(),
            missed: self.missed.get(),
            repeated: self.repeated.get(),
            drops: self.drops.get(),
            recovered: self.recovered.get(),
            not_recovered: self.not_recovered.get(),
            moves: self.moves.get(),
            pressed: self.pressed.get(),
            errors: self.errors.borrow().clone(),
        }
    }
}

/// The audience's share of a test's summary.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WatcherSummary {
    /// That were to come, and that were there at once.
    pub sessions: u64,
    pub most_connected: u64,
    /// Handshakes that went well.
    pub connects: u64,
    /// Messages with positions.
    pub frames: u64,
    pub events: u64,
    /// Numbers of events that never came, and that came twice: there must be none.
    pub missed: u64,
    pub repeated: u64,
    /// Connections lost on purpose; topics that went on where they had been left, and that
    /// began anew.
    pub drops: u64,
    pub recovered: u64,
    pub not_recovered: u64,
    pub moves: u64,
    /// Messages that told a watcher of a lower rate.
    pub pressed: u64,
    pub errors: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_frame_is_as_old_as_the_newest_one_makes_it() {
        let (seen, began) = (Seen::default(), Instant::now());
        let at = |s: f64| began + Duration::from_secs_f64(s);
        let behind_s = |sim_s: f64, wall_s| seen.behind(sim_s * 1e6, 2.0, at(wall_s)).as_secs_f64();
        assert_eq!(behind_s(100.0, 0.0), 0.0);
        assert_eq!(behind_s(104.0, 2.0), 0.0);
        assert_eq!(behind_s(104.0, 3.0), 2.0);
        // This one shows that more had gone by than was thought.
        assert_eq!(behind_s(110.0, 4.0), 0.0);
        assert_eq!(behind_s(110.0, 4.5), 1.0);
        assert_eq!(seen.sim_us(2.0, at(5.0)), Some(112.0 * 1e6));
    }
}
