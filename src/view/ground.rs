//! Who stands where, now and a moment ago: listeners tell of a frame while the next ones are
//! published already.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::drones::read_drone;
use super::paging::AT_ONCE;
use super::reading::DroneReading;
use super::{Now, View};
use crate::sim::ids::{DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;

/// How far the comings and goings of drones have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// So many were given a number.
    pub numbered: u32,
    /// So many are out of the world again.
    pub gone: usize,
    /// So often somebody came to the ground, left it, or changed there.
    pub moves: u64,
}

/// The moment of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub roll: Roll,
    pub at: SimTime,
}

/// What the newest moves replaced, the oldest first.
#[derive(Default)]
pub(super) struct Moves {
    replaced: VecDeque<(DroneId, Option<Grounded>)>,
    /// Moves before those.
    forgotten: u64,
}

impl Moves {
    /// Some ticks of a large world, and minutes of a small one.
    const KEPT: usize = 4_096;

    pub(super) fn note(&mut self, drone: DroneId, before: Option<Grounded>) {
        if self.replaced.len() == Self::KEPT {
            self.replaced.pop_front();
            self.forgotten += 1;
        }
        self.replaced.push_back((drone, before));
    }

    pub(super) fn count(&self) -> u64 {
        self.forgotten + self.replaced.len() as u64
    }

    /// Nobody takes what was counted before for a count of these.
    pub(super) fn go_on_from(&mut self, others: &Moves) {
        self.forgotten += others.count();
    }

    /// How those stood at that time who have moved since, as far as that is known.
    fn since(&self, roll: Roll) -> BTreeMap<DroneId, Option<Grounded>> {
        let known = roll.moves.saturating_sub(self.forgotten) as usize;
        let since = self.replaced.iter().skip(known).rev();
        since.copied().collect()
    }
}

/// A moment that is read of, the newest or a little earlier.
pub(super) struct Then {
    pub as_of: AsOf,
    /// Where it was otherwise than now.
    pub stood: BTreeMap<DroneId, Option<Grounded>>,
}

impl Then {
    pub(super) fn newest(now: &Now) -> Self {
        let as_of = AsOf {
            roll: now.drones.roll(),
            at: now.at,
        };
        Then {
            as_of,
            stood: BTreeMap::new(),
        }
    }

    fn at(now: &Now, as_of: AsOf) -> Self {
        Then {
            as_of,
            stood: now.drones.moves.since(as_of.roll),
        }
    }
}

/// Where every drone is, at one moment.
pub struct Standing {
    /// Who stands at each hub, by its number, in no order.
    pub at_hubs: Vec<Vec<DroneId>>,
    /// All others: in the air, or lost.
    pub elsewhere: Vec<DroneId>,
}

impl View {
    /// A copy of numbers only, however many there are.
    pub fn standing(&self) -> Standing {
        let (at_hubs, mut elsewhere, frame) = {
            let now = self.now.read();
            let lost: Vec<_> = now.drones.lost.keys().copied().collect();
            (now.drones.at_hubs().to_vec(), lost, Arc::clone(&now.frame))
        };
        elsewhere.extend(frame.rows().iter().map(|row| row.drone));
        Standing { at_hubs, elsewhere }
    }

    /// These drones, which were not in the air then, as they were then, as far as there were any of
    /// these numbers.
    pub fn drones_as_of(&self, ids: &[DroneId], as_of: AsOf) -> Vec<DroneReading> {
        let mut drones = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let now = self.now_in_order();
            let then = Then::at(&now, as_of);
            let read = |id: &DroneId| read_drone(&self.world(), &now, *id, &then);
            drones.extend(some.iter().filter_map(read));
        }
        drones
    }

    /// The hub where a drone stood then; `None` where it was in the air, or lost.
    pub fn stood_at(&self, drone: DroneId, as_of: AsOf) -> Option<HubId> {
        let now = self.now.read();
        match now.drones.moves.since(as_of.roll).get(&drone) {
            Some(stood) => stood.map(|stood| stood.hub),
            None => now.drones.stands_at(drone),
        }
    }
}
