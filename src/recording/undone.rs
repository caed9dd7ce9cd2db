//! What is undone of who stands where, from one frame back to the one before.

use std::collections::BTreeMap;

use crate::sim::event::{DroneEvent, Happening};
use crate::sim::ids::DroneId;
use crate::sim::sky::Grounded;
use crate::sim::time::Tick;

use super::changes::Changes;
use super::file::Recording;
use super::moments::moments_of;
use super::projector::NotShown;

/// What is to be done to who stands where, so that it is as it was.
#[derive(Default)]
pub(super) struct Undone {
    pub grounded: BTreeMap<DroneId, Option<Grounded>>,
    /// No longer lost.
    pub found: Vec<DroneId>,
}

impl Undone {
    pub fn undo(&mut self, changes: &Changes, replaced: &[(DroneId, Option<Grounded>)]) {
        self.grounded.extend(replaced.iter().rev().copied());
        for event in &changes.events {
            if let Happening::Drone(drone, DroneEvent::Lost { .. }) = event.happening {
                self.found.push(drone);
            }
        }
    }
}

/// How drones stood before each tick changed it, from one whole state to the next: a recording has
/// what became of them only.
#[derive(Default)]
pub(super) struct Replaced {
    /// The chunk with the state, and where the known chunks behind it end.
    known: Option<(usize, usize)>,
    by_tick: BTreeMap<Tick, Vec<(DroneId, Option<Grounded>)>>,
}

impl Replaced {
    /// Whether it knows of a chunk behind this whole state.
    pub fn knows(&self, state: usize, chunk: usize) -> bool {
        (self.known).is_some_and(|(from, to)| from == state && chunk < to)
    }

    pub fn at(&self, tick: Tick) -> &[(DroneId, Option<Grounded>)] {
        self.by_tick.get(&tick).map_or(&[], Vec::as_slice)
    }

    /// `grounded`: as the whole state in the chunk `state` has it, by drone. `chunks`: those with
    /// moments behind it, up to the next.
    pub fn read(
        recording: &Recording,
        state: usize,
        mut grounded: Vec<Option<Grounded>>,
        chunks: &[usize],
    ) -> Result<Self, NotShown> {
        let mut by_tick = BTreeMap::new();
        for chunk in chunks {
            for moment in moments_of(recording, *chunk, false)? {
                let mut replaced = Vec::with_capacity(moment.changes.grounded.len());
                for (drone, now) in moment.changes.grounded {
                    if grounded.len() <= drone.index() {
                        grounded.resize(drone.index() + 1, None);
                    }
                    replaced.push((drone, std::mem::replace(&mut grounded[drone.index()], now)));
                }
                if !replaced.is_empty() {
                    by_tick.insert(moment.tick, replaced);
                }
            }
        }
        let to = chunks.last().map_or(state, |last| last + 1);
        Ok(Replaced {
            known: Some((state, to)),
            by_tick,
        })
    }
}
