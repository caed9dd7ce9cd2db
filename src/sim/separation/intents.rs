//! Four-dimensional intents: where accepted flights will be when, as their plans say, so that
//! a flight can be put off until its way is free.
//!
//! A plan becomes straight pieces, each flown at one speed; they are found again by cells of
//! space. What flights do otherwise than planned, the intents do not know.

mod index;
mod passing;
mod piece;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::flight::FlightPlan;
use super::super::ids::DroneId;
use super::super::time::SimTime;
use super::super::world::{Model, World};
use super::body::Minima;
use super::terminals::Terminals;
use index::Index;
use piece::{Piece, Reach, Saved, pieces, restored, saved};
use search::{Search, Tried};

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
    #[serde(skip)]
    laid: Laid,
}

/// What follows from the accepted ones and the world. A copy has none of it: whoever keeps one in
/// case does not need it, and it is made again in a moment.
#[derive(Debug, Default)]
struct Laid {
    /// Accepted ones by end.
    ends: BTreeSet<(SimTime, DroneId)>,
    index: Index,
    terminals: Terminals,
    tried: Tried,
}

impl Clone for Laid {
    fn clone(&self) -> Self {
        Laid::default()
    }
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
        let pieces = self.pieces_that_count(drone, model, plan);
        let mut search = Search {
            index: &self.laid.index,
            terminals: &self.laid.terminals,
            minima: wider(Minima::of(&world.separation)),
            tried: &mut self.laid.tried,
        };
        let begins = search.clearest(&pieces, earliest);
        self.take_in_from(drone, pieces, begins);
        begins
    }

    fn take_in_from(&mut self, drone: DroneId, pieces: Vec<Piece>, begins: SimTime) {
        let begins_s = begins.as_secs();
        let moved = pieces.into_iter().map(|piece| piece.later(begins_s));
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
        self.laid.ends.remove(&(intent.until, drone));
        self.laid.index.forget(drone);
    }

    fn prune(&mut self, now: SimTime) {
        self.laid.index.go_on_to(now);
        while let Some((_, drone)) = self.laid.ends.first().copied().filter(|(until, _)| *until < now) {
            self.laid.ends.pop_first();
            self.end(drone);
        }
    }

    /// What the world says; after a restart, makes again what follows from the rest.
    fn lay(&mut self, world: &World) {
        self.laid.terminals.follow(world);
        self.laid
            .index
            .set_reach(Reach::around(wider(Minima::of(&world.separation))));
        if self.laid.ends.len() == self.accepted.len() {
            return;
        }
        for (drone, intent) in std::mem::take(&mut self.accepted) {
            let pieces = intent.pieces.iter().map(|saved| restored(drone, *saved));
            self.take_in(drone, intent.begins, pieces.collect());
        }
    }

    fn take_in(&mut self, drone: DroneId, begins: SimTime, pieces: Vec<Piece>) {
        self.laid.index.take_in(drone, &pieces);
        let ends_s = pieces.last().map_or(0.0, Piece::ends_s);
        let until = SimTime::from_secs(ends_s);
        self.laid.ends.insert((until, drone));
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
                .all(|share| self.laid.terminals.contain(at(share)))
        });
        pieces
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
