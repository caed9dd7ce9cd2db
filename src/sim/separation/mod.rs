//! Separation: who comes too close to whom, counted in every tick.
//!
//! A *loss* is two drones closer than the minima both horizontally and vertically (50 m and
//! 15 m, where the scenario does not say otherwise), outside of the *terminal volumes* around
//! hubs; in one, the drones that come so close to any other are counted apart. A *conflict* is a loss that is predicted: by the velocities
//! of the moment, within the look-ahead and before either comes to the end of its leg. Losses
//! are looked for in every tick, conflicts once a simulated second: each cell of the sky has
//! its tick. Whoever stands on a pad is not in the air.
//!
//! It changes nothing and knows nobody; what follows from a conflict is the drones' to decide.

mod abreast;
mod body;
mod cells;
mod encounters;
mod grid;
mod intents;
mod resolution;
mod signs;
mod sweep;
mod terminals;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::geo::Point;
use super::ids::DroneId;
use super::route::LEVELS_M;
use super::sky::Sky;
use super::time::{SimDuration, SimTime};
use super::world::World;

pub use body::{Body, Closeness, Minima, Pair};
use cells::Turn;
pub use encounters::Counts;
use encounters::{Encounters, News, Replaced, Sign, Signed};
use grid::Grid;
pub use intents::Intents;
pub use resolution::{Advice, Means, Party, manoeuvres, yields};
use signs::Judge;
use sweep::Sweep;
use terminals::Terminals;

/// What the scenario says of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rules {
    pub horizontal_m: f64,
    pub vertical_m: f64,
    /// Radius of the volume around each hub.
    pub terminal_m: f64,
    pub look_ahead: SimDuration,
    /// By which drones make way for each other in the air, in this order.
    pub tactical: Vec<Means>,
    pub strategic: Strategic,
}

/// How flights are kept apart before they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Strategic {
    None,
    /// A take-off is put off until nobody's intent is in its way.
    GroundDelay,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            horizontal_m: 50.0,
            vertical_m: 15.0,
            terminal_m: 150.0,
            look_ahead: SimDuration(20_000_000),
            tactical: Vec::new(),
            strategic: Strategic::None,
        }
    }
}

/// No drone is faster over the ground, m/s, but in a storm.
const FASTEST_MPS: f32 = 40.0;
/// Lower than this a drone stands, metres.
pub const ON_PAD_M: f32 = 1.0;
/// Two drones that have just lost separation, outside of all terminal volumes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    pub drones: [DroneId; 2],
    pub at: [Point; 2],
    pub heights_m: [f32; 2],
    pub closeness: Closeness,
}

/// Two drones that will lose separation, of whom none has made way yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    pub pair: Pair,
    /// The lower drone first.
    pub bodies: [Body; 2],
    pub in_s: f32,
}

/// What is new in a tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub losses: Vec<Loss>,
    /// Where the world's drones make way.
    pub conflicts: Vec<Conflict>,
}

/// What lasts from tick to tick; part of a world's snapshot.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Separation {
    encounters: Encounters,
    counts: Counts,
    #[serde(skip)]
    room: Room,
}

/// What follows from the sky and the world, and is kept for its memory.
#[derive(Clone, Debug, Default)]
struct Room {
    bodies: Vec<Body>,
    grid: Grid,
    sweep: Sweep,
    terminals: Terminals,
    signs: Vec<Signed>,
    replaced: Replaced,
}

impl Separation {
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Pairs that have been predicted or lost a moment ago.
    pub fn under_way(&self) -> usize {
        self.encounters.len()
    }

    /// Looks at the sky as it is after a step. What is seen is in order of the drones, whatever
    /// the threads of `pool` (none: this thread alone).
    pub fn look(&mut self, world: &World, sky: &Sky, now: SimTime, pool: Option<&rayon::ThreadPool>) -> Seen {
        let look_ahead_s = world.separation.look_ahead.as_secs() as f32;
        sky.bodies(look_ahead_s, &mut self.room.bodies);
        self.judge(world, now, pool)
    }

    /// The same of a sky that is given by its bodies.
    pub fn look_at(
        &mut self,
        world: &World,
        bodies: &[Body],
        now: SimTime,
        pool: Option<&rayon::ThreadPool>,
    ) -> Seen {
        bodies.clone_into(&mut self.room.bodies);
        self.judge(world, now, pool)
    }

    fn judge(&mut self, world: &World, now: SimTime, pool: Option<&rayon::ThreadPool>) -> Seen {
        let minima = Minima::of(&world.separation);
        let room = &mut self.room;
        self.counts.airborne_s += room.bodies.len() as f64 * world.tick.as_secs();
        room.terminals.follow(world);
        room.grid.lay(&room.bodies, &room.terminals, minima, pool);
        let bodies = room.grid.bodies();
        if bodies.len() < 2 && self.encounters.len() == 0 {
            return Seen::default();
        }
        let turn = Turn::of_tick(world.tick, now);
        let predicted = room
            .sweep
            .predicted(bodies, room.grid.in_terminal(), minima, turn, pool);
        let judge = Judge {
            bodies,
            terminals: &room.terminals,
            minima,
        };
        match turn.of {
            1 => judge.of_all(&predicted, pool, &mut room.signs),
            _ => judge.of(&room.grid.lost(minima, pool), &predicted, &mut room.signs),
        }
        judge.add_crowded(&room.grid.crowded(minima, pool), &mut room.signs);
        let signs = &room.signs;
        let replaced = &mut room.replaced;
        let news = self
            .encounters
            .take_in(signs, now, minima, &mut self.counts, replaced);
        let mut seen = Seen::default();
        for (number, news) in news {
            let signed = &signs[number];
            match news {
                News::Loss => seen.losses.extend(loss(bodies, signed)),
                News::Unresolved if world.separation.tactical.is_empty() => {}
                News::Unresolved => seen.conflicts.push(conflict(bodies, signed, minima)),
            }
        }
        seen
    }

    /// For a drone that keeps its course: on which of the levels nobody would be in its way, nor
    /// on the slope there.
    pub fn free_levels(
        &self,
        world: &World,
        own: &Body,
        [climb, descent]: [f64; 2],
    ) -> [bool; LEVELS_M.len()] {
        let minima = Minima::of(&world.separation);
        let reach_m = 2.0 * FASTEST_MPS * minima.look_ahead_s + minima.horizontal_m;
        let near = self.room.grid.near((own.x, own.y), reach_m);
        // Who does not come near it at any height is in no way's way.
        let own_way = Body {
            lasts_s: f32::INFINITY,
            ..*own
        };
        let comes_near = |other: &&Body| other.drone != own.drone && own_way.approaches_level(other, minima);
        let near: Vec<&Body> = near.filter(comes_near).collect();
        LEVELS_M.map(|level_m| {
            let rise = level_m as f32 - own.height;
            let rate = if rise > 0.0 { climb as f32 } else { -descent as f32 };
            let slope = Body {
                up: rate,
                lasts_s: rise / rate,
                ..*own
            };
            let level = Body {
                height: level_m as f32,
                lasts_s: minima.look_ahead_s,
                ..*own
            };
            let is_clear = |way: &Body, other: &Body| way.meets(other, minima).is_none();
            let all = near.iter();
            all.copied()
                .all(|other| is_clear(&level, other) && is_clear(&slope, other))
        })
    }

    /// One of the two makes way on a plan that is so much longer than the one before.
    pub fn resolved(&mut self, pair: Pair, added_m: f64) {
        self.encounters.resolve(pair);
        self.counts.resolutions += 1;
        self.counts.added_m += added_m;
    }

    /// A take-off was held against others' intents.
    pub fn put_off(&mut self, delay: SimDuration) {
        self.counts.departures += 1;
        self.counts.delay_s += delay.as_secs();
    }
}

fn conflict(bodies: &[Body], (pair, _, rows): &Signed, minima: Minima) -> Conflict {
    let [one, other] = rows.map(|row| bodies[row as usize]);
    Conflict {
        pair: *pair,
        bodies: [one, other],
        in_s: one.meets(&other, minima).unwrap_or(0.0),
    }
}

fn loss(bodies: &[Body], (pair, sign, rows): &Signed) -> Option<Loss> {
    let Sign::Lost(closeness) = *sign else { return None };
    let at = rows.map(|row| {
        let body = &bodies[row as usize];
        Point {
            x: f64::from(body.x),
            y: f64::from(body.y),
        }
    });
    Some(Loss {
        drones: pair.drones(),
        at,
        heights_m: rows.map(|row| bodies[row as usize].height),
        closeness,
    })
}
