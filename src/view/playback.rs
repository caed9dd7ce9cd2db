//! The read side of a recording: it may go to another moment, and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::View;
use super::frame::{DroneRow, Frame};
use super::timeline::Timeline;
use crate::sim::ids::DroneId;
use crate::sim::sky::Grounded;
use crate::sim::time::{SimDuration, SimTime, Tick};

/// An earlier frame, and what is not so yet at that moment.
pub struct Reversal {
    pub tick: Tick,
    pub at: SimTime,
    pub digest: [u8; 32],
    pub airborne: Vec<DroneRow>,
    /// Where those were who took off or came down since; `None` is in the air.
    pub grounded: BTreeMap<DroneId, Option<Grounded>>,
    /// Those that were lost since.
    pub found: Vec<DroneId>,
}

/// A past that is shown, and from where on.
#[derive(Clone, Copy)]
pub(super) struct Epoch {
    pub number: u64,
    /// The moment that it was begun with, and the number of the last event up to it.
    began: (Tick, SimTime, u64),
}

impl Epoch {
    pub fn new(number: u64, began: (Tick, SimTime, u64)) -> Self {
        Epoch { number, began }
    }
}

/// What of a recording is played, and whether over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excerpt {
    pub from: SimTime,
    pub to: SimTime,
    pub is_loop: bool,
    /// From one recorded frame to the next.
    pub frame_period: SimDuration,
}

impl View {
    /// From now on it says that it shows a recording.
    pub fn set_playback(&self) {
        self.is_playback.store(true, Ordering::Relaxed);
    }

    pub fn is_playback(&self) -> bool {
        self.is_playback.load(Ordering::Relaxed)
    }

    pub fn set_excerpt(&self, excerpt: Excerpt) {
        *self.excerpt.write() = Some(excerpt);
    }

    /// `None` of a world that is live.
    pub fn excerpt(&self) -> Option<Excerpt> {
        *self.excerpt.read()
    }

    /// What is recorded, at a glance, from now on.
    pub fn set_timeline(&self, timeline: Arc<Timeline>) {
        self.timeline.store(Some(timeline));
    }

    /// Nothing is recorded any more.
    pub fn drop_timeline(&self) {
        self.timeline.store(None);
    }

    pub fn timeline(&self) -> Option<Arc<Timeline>> {
        self.timeline.load_full()
    }

    /// The moment that the last leap led to, and the number of the last event up to it; by now the
    /// view may be further.
    pub fn leapt_to(&self) -> (Tick, SimTime, u64) {
        self.now.read().epoch.began
    }

    /// Shows what the other one shows, as another past.
    pub fn take_over(&self, other: View, epoch: u64) {
        let tick = self.adopt(other, Some(epoch));
        self.turned_back.forget();
        self.published.send_replace(tick);
    }

    /// Has the other's lists and counts: it shows the same moment, which this one was turned back
    /// to. Of events nothing is told until it goes on from here.
    pub fn recount(&self, other: View) {
        let tick = self.adopt(other, None);
        self.published.send_replace(tick);
    }

    /// Under another epoch with another log of events.
    fn adopt(&self, other: View, epoch: Option<u64>) -> Tick {
        let mut now = self.now.write();
        let (pace, pace_after) = (now.pace, now.pace_after);
        let before = now.epoch;
        let mut fresh = other.now.into_inner();
        fresh.drones.moves.go_on_from(&now.drones.moves);
        let frame = Frame::new(fresh.tick, fresh.at, fresh.frame.rows().to_vec());
        fresh.frame = Arc::new(frame.among(fresh.drones.roll()));
        *now = fresh;
        (now.pace, now.pace_after) = (pace, pace_after);
        self.world.store(other.world.into_inner());
        self.deliveries.take_over(other.deliveries);
        self.sums.take_over(other.sums);
        self.accounts.take_over(other.accounts);
        self.packages.take_over(other.packages);
        now.epoch = match epoch {
            Some(number) => {
                let log = other.log.into_inner();
                let began = (now.tick, now.at, log.last());
                *self.log.write() = log;
                Epoch::new(number, began)
            }
            None => before,
        };
        now.tick
    }

    /// Shows an earlier frame. Lists, counts and events stay as they are, until they are counted
    /// anew; a single delivery is told as it was then.
    pub fn turn_back(&self, reversal: Reversal) {
        // Before the frame: who looks in between sees less, not more.
        self.turned_back.to(reversal.at);
        let frame = Frame::new(reversal.tick, reversal.at, reversal.airborne);
        let not_yet_on = self.not_yet_on(reversal.at);
        {
            let mut now = self.now.write();
            for drone in not_yet_on {
                now.drones.carries(drone, None);
            }
            now.tick = reversal.tick;
            now.at = reversal.at;
            now.digest = reversal.digest;
            for drone in reversal.found {
                now.drones.lost.remove(&drone);
            }
            for (drone, grounded) in reversal.grounded {
                now.drones.set_grounded(drone, grounded);
            }
            now.frame = Arc::new(frame.among(now.drones.roll()));
        }
        self.published.send_replace(reversal.tick);
    }
}
