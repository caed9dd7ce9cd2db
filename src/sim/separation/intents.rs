//! Four-dimensional intents: where accepted flights will be when, as their plans say, so that
//! a flight can be put off until its way is free.
//!
//! A plan becomes straight pieces, each flown at one speed; they are found again by cells of
//! space and slots of time. What flights do otherwise than planned, the intents do not know.

mod piece;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::flight::FlightPlan;
use super::super::ids::DroneId;
use super::super::motion;
use super::super::time::{SimDuration, SimTime};
use super::super::world::{Model, World};
use super::body::Minima;
use super::terminals::Terminals;
use piece::{Piece, Reach, Saved, pieces, place, restored, saved, slot};

/// A take-off is put off by whole multiples of this, and by no more than the most.
const STEP: SimDuration = SimDuration(10_000_000);
const MOST_STEPS: u64 = 30;
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
    /// By [`place`]: each piece wherever it may meet somebody.
    #[serde(skip)]
    places: BTreeMap<u64, Vec<Piece>>,
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
        let pieces = pieces(drone, model, plan);
        let mut least = (usize::MAX, earliest);
        for steps in 0..=MOST_STEPS {
            let begins = earliest + SimDuration(STEP.0 * steps);
            let in_the_way = self.in_the_way(&pieces, begins, minima, least.0);
            if in_the_way < least.0 {
                least = (in_the_way, begins);
            }
            if in_the_way == 0 {
                break;
            }
        }
        let begins = least.1;
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
        self.take_in_from(drone, pieces(drone, model, plan), now);
    }

    /// Its flight is over, or does not come to be.
    pub fn end(&mut self, drone: DroneId) {
        let Some(intent) = self.accepted.remove(&drone) else {
            return;
        };
        self.ends.remove(&(intent.until, drone));
        for saved in &intent.pieces {
            restored(drone, *saved).cover(self.reach, |places| {
                for (_, pieces) in self.places.range_mut(places) {
                    pieces.retain(|piece| piece.body.drone != drone);
                }
            });
        }
    }

    fn prune(&mut self, now: SimTime) {
        while let Some((until, drone)) = self.ends.first().copied().filter(|(until, _)| *until < now) {
            self.ends.remove(&(until, drone));
            self.accepted.remove(&drone);
        }
        let present = place(slot(now.as_secs()), 0, 0, 0);
        while let Some(first) = self.places.first_entry().filter(|first| *first.key() < present) {
            first.remove();
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
            piece.cover(self.reach, |places| {
                for place in places {
                    self.places.entry(place).or_default().push(*piece);
                }
            });
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

    /// How many flights are, if this one begins then; no more than `most` are looked for.
    fn in_the_way(&self, pieces: &[Piece], begins: SimTime, minima: Minima, most: usize) -> usize {
        let mut found = BTreeSet::new();
        for piece in pieces {
            let moved = Piece {
                begins_s: piece.begins_s + begins.as_secs(),
                ..*piece
            };
            moved.cover(self.reach, |places| {
                let others = self.places.range(places).flat_map(|(_, pieces)| pieces);
                let met = others.filter(|other| self.meet(&moved, other, minima));
                found.extend(met.map(|other| other.body.drone));
            });
            if found.len() >= most {
                break;
            }
        }
        found.len()
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
