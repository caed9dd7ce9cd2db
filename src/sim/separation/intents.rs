//! Four-dimensional intents: where accepted flights will be when, as their plans say, so that
//! a flight can be put off until its way is free.
//!
//! A plan becomes straight pieces, each flown at one speed; they are found again by cells of
//! space. What flights do otherwise than planned, the intents do not know.

mod piece;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::flight::FlightPlan;
use super::super::ids::DroneId;
use super::super::motion;
use super::super::time::{SimDuration, SimTime};
use super::super::world::{Model, World};
use super::body::Minima;
use super::terminals::Terminals;
use piece::{Cell, Piece, Reach, Saved, pieces, restored, saved};

/// A take-off is put off by whole multiples of this, and by no more than the most.
const STEP: SimDuration = SimDuration(10_000_000);
const MOST_STEPS: u32 = 30;
/// Flights are not on their plans to the second: they must be so much further apart.
const SPARE: f32 = 1.5;
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Intent {
    begins: SimTime,
    until: SimTime,
    pieces: Vec<Saved>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Intents {
    accepted: BTreeMap<DroneId, Intent>,
    /// By end. These follow from `accepted`.
    #[serde(skip)]
    ends: BTreeSet<(SimTime, DroneId)>,
    /// Each piece in all [`Cell`]s where it may meet somebody.
    #[serde(skip)]
    cells: BTreeMap<Cell, Vec<Piece>>,
    #[serde(skip)]
    reach: Reach,
    #[serde(skip)]
    terminals: Terminals,
}

impl PartialEq for Intents {
    fn eq(&self, other: &Self) -> bool {
        self.accepted == other.accepted
    }
}

impl Intents {
    pub fn count(&self) -> usize {
        self.accepted.len()
    }

    /// When this plan is to begin so that nobody's intent is in its way, and takes it in so;
    /// where its way is never free in time, when the fewest are in it.
    pub fn accept(
        &mut self,
        world: &World,
        drone: DroneId,
        model: &Model,
        plan: &FlightPlan,
        now: SimTime,
        earliest: SimTime,
    ) -> SimTime {
        self.lay(world);
        self.prune(now);
        self.end(drone);
        let minima = wider(Minima::of(&world.separation));
        let pieces = self.pieces_that_count(drone, model, plan);
        let begins = self.clearest(&pieces, earliest, minima);
        self.take_in_from(drone, pieces, begins);
        begins
    }

    fn take_in_from(&mut self, drone: DroneId, pieces: Vec<Piece>, begins: SimTime) {
        let begins_s = begins.as_secs();
        let moved = pieces.into_iter().map(|piece| Piece {
            begins_s: piece.begins_s + begins_s,
            ..piece
        });
        self.take_in(drone, begins, moved.collect());
    }

    /// When an accepted flight is to begin, or changed its plan.
    pub fn begins(&self, drone: DroneId) -> Option<SimTime> {
        self.accepted.get(&drone).map(|intent| intent.begins)
    }

    /// A flight under way goes on by this plan from now on, whoever is in its way.
    pub fn replace(&mut self, world: &World, drone: DroneId, model: &Model, plan: &FlightPlan, now: SimTime) {
        self.lay(world);
        self.prune(now);
        self.end(drone);
        self.take_in_from(drone, self.pieces_that_count(drone, model, plan), now);
    }

    /// Its flight is over, or does not come to be.
    pub fn end(&mut self, drone: DroneId) {
        let Some(intent) = self.accepted.remove(&drone) else {
            return;
        };
        self.ends.remove(&(intent.until, drone));
        for saved in &intent.pieces {
            for cell in restored(drone, *saved).cells(self.reach) {
                if let Entry::Occupied(mut here) = self.cells.entry(cell) {
                    here.get_mut().retain(|piece| piece.body.drone != drone);
                    if here.get().is_empty() {
                        here.remove();
                    }
                }
            }
        }
    }

    fn prune(&mut self, now: SimTime) {
        while let Some((_, drone)) = self.ends.first().copied().filter(|(until, _)| *until < now) {
            self.ends.pop_first();
            self.end(drone);
        }
    }

    /// What the world says; after a restart, makes again what follows from the rest.
    fn lay(&mut self, world: &World) {
        self.terminals.follow(world);
        self.reach = Reach::of(wider(Minima::of(&world.separation)));
        if self.ends.len() == self.accepted.len() {
            return;
        }
        for (drone, intent) in std::mem::take(&mut self.accepted) {
            let pieces = intent.pieces.iter().map(|saved| restored(drone, *saved));
            self.take_in(drone, intent.begins, pieces.collect());
        }
    }

    fn take_in(&mut self, drone: DroneId, begins: SimTime, pieces: Vec<Piece>) {
        for piece in &pieces {
            for cell in piece.cells(self.reach) {
                self.cells.entry(cell).or_default().push(*piece);
            }
        }
        let ends_s = pieces.last().map_or(0.0, Piece::ends_s);
        let until = SimTime::from_secs(ends_s);
        self.ends.insert((until, drone));
        let pieces = pieces.iter().map(saved).collect();
        self.accepted.insert(
            drone,
            Intent {
                begins,
                until,
                pieces,
            },
        );
    }

    /// Without what lies within a terminal volume, where all come close to each other: there
    /// are so many of them over a hub that all else would take no time beside them.
    fn pieces_that_count(&self, drone: DroneId, model: &Model, plan: &FlightPlan) -> Vec<Piece> {
        let mut pieces = pieces(drone, model, plan);
        pieces.retain(|piece| {
            let at = |share: f32| piece.body.after(share * piece.body.lasts_s);
            ![0.0, 0.5, 1.0]
                .into_iter()
                .all(|share| self.terminals.contain(at(share)))
        });
        pieces
    }

    /// When fewest would be in the way of a flight that begins then, or in a step later.
    fn clearest(&self, pieces: &[Piece], earliest: SimTime, minima: Minima) -> SimTime {
        // A bit for each step with which the other is in the way.
        let mut in_the_way: BTreeMap<DroneId, u32> = BTreeMap::new();
        for piece in pieces {
            let first = Piece {
                begins_s: piece.begins_s + earliest.as_secs(),
                ..*piece
            };
            let cells = first.cells(self.reach).into_iter();
            for other in cells.filter_map(|cell| self.cells.get(&cell)).flatten() {
                let steps = self.steps_that_meet(&first, other, minima);
                if steps != 0 {
                    *in_the_way.entry(other.body.drone).or_default() |= steps;
                }
            }
        }
        let are_met = |step: &u32| {
            in_the_way
                .values()
                .filter(|steps| *steps >> step & 1 == 1)
                .count()
        };
        let step = (0..=MOST_STEPS).min_by_key(are_met).unwrap_or(0);
        earliest + SimDuration(STEP.0 * u64::from(step))
    }

    /// The bits of those steps of delay with which the first meets the other.
    fn steps_that_meet(&self, first: &Piece, other: &Piece, minima: Minima) -> u32 {
        let steps = |seconds: f64| seconds / STEP.as_secs();
        // Rounded away from each other: which of the two ends meet is for the geometry to say.
        let from = steps(other.begins_s - first.ends_s()).clamp(0.0, f64::from(MOST_STEPS) + 1.0) as u32;
        let until = steps(other.ends_s() - first.begins_s).clamp(-1.0, f64::from(MOST_STEPS)) + 1.0;
        let mut found = 0;
        for step in from..=MOST_STEPS.min(until as u32) {
            let delay = SimDuration(STEP.0 * u64::from(step));
            let later = Piece {
                begins_s: first.begins_s + delay.as_secs(),
                ..*first
            };
            found |= u32::from(self.meet(&later, other, minima)) << step;
        }
        found
    }

    /// Outside of terminal volumes.
    fn meet(&self, one: &Piece, other: &Piece, minima: Minima) -> bool {
        let from_s = motion::greater(one.begins_s, other.begins_s);
        let until_s = motion::lesser(one.ends_s(), other.ends_s());
        if until_s < from_s {
            return false;
        }
        let lasts_s = (until_s - from_s) as f32;
        let (one, other) = (one.at(from_s, lasts_s), other.at(from_s, lasts_s));
        let Some((enters, leaves)) = one.too_close(&other, minima) else {
            return false;
        };
        if enters > lasts_s || leaves < 0.0 {
            return false;
        }
        let in_terminal = |in_s: f32| {
            let in_s = in_s.clamp(0.0, lasts_s);
            self.terminals.contain(one.after(in_s)) || self.terminals.contain(other.after(in_s))
        };
        !in_terminal(enters) || !in_terminal(leaves)
    }
}

fn wider(minima: Minima) -> Minima {
    Minima {
        horizontal_m: SPARE * minima.horizontal_m,
        ..minima
    }
}

#[cfg(test)]
mod tests;
