//! Four-dimensional intents: where accepted flights will be when, as their plans say, so that
//! a flight can be put off until its way is free.
//!
//! A plan becomes straight pieces, each flown at one speed; they are found again by cells of
//! space and slots of time. What flights do otherwise than planned, the intents do not know.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::flight::{FlightPlan, Leg, Path};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::motion;
use super::super::time::{SimDuration, SimTime};
use super::super::world::{Model, World};
use super::ON_PAD_M;
use super::body::{Body, Minima};
use super::grid::column;
use super::terminals::Terminals;

/// A take-off is put off by whole multiples of this, and by no more than the most.
const STEP: SimDuration = SimDuration(10_000_000);
const MOST_STEPS: u64 = 30;
/// Flights are not on their plans to the second: they must be so much further apart.
const SPARE: f32 = 1.5;
const SLOT_S: f64 = 30.0;
const CELL_M: f32 = 512.0;
/// Arcs are taken as chords of so much of a circle at most.
const CHORD_RAD: f64 = 0.5;

/// A straight part of a flight: where it begins, and from when on it takes how long, seconds
/// since the scenario's start. The body's drone is whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    body: Body,
    begins_s: f64,
}

/// As a snapshot has it.
type Saved = (f32, f32, f32, f32, f32, f32, f32, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Intent {
    begins: SimTime,
    until: SimTime,
    pieces: Vec<Saved>,
}

/// Row and column of cells.
type Cell = (u16, u16);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Intents {
    accepted: BTreeMap<DroneId, Intent>,
    /// By end. These follow from `accepted`.
    #[serde(skip)]
    ends: BTreeSet<(SimTime, DroneId)>,
    /// By slot of time; may name flights that are no more.
    #[serde(skip)]
    slots: BTreeMap<u32, BTreeMap<Cell, Vec<(DroneId, u16)>>>,
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
            let in_the_way = self.in_the_way(&pieces, begins, minima);
            if in_the_way < least.0 {
                least = (in_the_way, begins);
            }
            if in_the_way == 0 {
                break;
            }
        }
        let begins = least.1;
        self.take_in_from(drone, pieces, begins, minima);
        begins
    }

    fn take_in_from(&mut self, drone: DroneId, pieces: Vec<Piece>, begins: SimTime, minima: Minima) {
        let begins_s = begins.as_secs();
        let moved = pieces.into_iter().map(|piece| Piece {
            begins_s: piece.begins_s + begins_s,
            ..piece
        });
        self.take_in(drone, begins, moved.collect(), minima);
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
        let minima = wider(Minima::of(&world.separation));
        self.take_in_from(drone, pieces(drone, model, plan), now, minima);
    }

    /// Its flight is over, or does not come to be.
    pub fn end(&mut self, drone: DroneId) {
        if let Some(intent) = self.accepted.remove(&drone) {
            self.ends.remove(&(intent.until, drone));
        }
    }

    fn prune(&mut self, now: SimTime) {
        while let Some((until, drone)) = self.ends.first().copied().filter(|(until, _)| *until < now) {
            self.ends.remove(&(until, drone));
            self.accepted.remove(&drone);
        }
        self.slots = self.slots.split_off(&slot(now.as_secs()));
    }

    /// After a restart: makes again what follows from the rest.
    fn lay(&mut self, world: &World) {
        self.terminals.follow(world);
        if self.ends.len() == self.accepted.len() {
            return;
        }
        let minima = wider(Minima::of(&world.separation));
        for (drone, intent) in std::mem::take(&mut self.accepted) {
            let pieces = intent.pieces.iter().map(|saved| restored(drone, *saved));
            self.take_in(drone, intent.begins, pieces.collect(), minima);
        }
    }

    fn take_in(&mut self, drone: DroneId, begins: SimTime, pieces: Vec<Piece>, minima: Minima) {
        for (number, piece) in pieces.iter().enumerate() {
            piece.cover(minima, |slot, cell| {
                let cells = self.slots.entry(slot).or_default();
                cells.entry(cell).or_default().push((drone, number as u16));
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

    /// How many flights are, if this one begins then.
    fn in_the_way(&self, pieces: &[Piece], begins: SimTime, minima: Minima) -> usize {
        let mut found = BTreeSet::new();
        for piece in pieces {
            let moved = Piece {
                begins_s: piece.begins_s + begins.as_secs(),
                ..*piece
            };
            moved.cover(minima, |slot, cell| {
                let here = self.slots.get(&slot).and_then(|cells| cells.get(&cell));
                for (drone, number) in here.into_iter().flatten() {
                    let saved = self
                        .accepted
                        .get(drone)
                        .and_then(|intent| intent.pieces.get(usize::from(*number)));
                    let other = saved.map(|saved| restored(*drone, *saved));
                    if other.is_some_and(|other| self.meet(&moved, &other, minima)) {
                        found.insert(*drone);
                    }
                }
            });
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

fn slot(seconds: f64) -> u32 {
    (seconds / SLOT_S) as u32
}

fn saved(piece: &Piece) -> Saved {
    let Body {
        drone: _,
        x,
        y,
        height,
        east,
        north,
        up,
        lasts_s,
    } = piece.body;
    (x, y, height, east, north, up, lasts_s, piece.begins_s)
}

fn restored(drone: DroneId, (x, y, height, east, north, up, lasts_s, begins_s): Saved) -> Piece {
    let body = Body {
        drone,
        x,
        y,
        height,
        east,
        north,
        up,
        lasts_s,
    };
    Piece { body, begins_s }
}

impl Piece {
    fn ends_s(&self) -> f64 {
        self.begins_s + f64::from(self.body.lasts_s)
    }

    /// As it is at a time, with so long to go.
    fn at(&self, seconds: f64, lasts_s: f32) -> Body {
        let since = (seconds - self.begins_s) as f32;
        let (x, y) = self.body.after(since);
        Body {
            x,
            y,
            height: self.body.height + self.body.up * since,
            lasts_s,
            ..self.body
        }
    }

    /// Slots and cells that it may meet somebody in.
    fn cover(&self, minima: Minima, mut enter: impl FnMut(u32, Cell)) {
        let side = 0.5 * minima.horizontal_m + 1.0;
        for slot in slot(self.begins_s)..=slot(self.ends_s()) {
            let starts_s = f64::from(slot) * SLOT_S;
            let from_s = motion::greater(self.begins_s, starts_s);
            let until_s = motion::lesser(self.ends_s(), starts_s + SLOT_S);
            let (from, until) = (self.at(from_s, 0.0), self.at(until_s, 0.0));
            let span = |one: f32, other: f32| {
                let (low, high) = (one.min(other) - side, one.max(other) + side);
                column(low / CELL_M)..=column(high / CELL_M)
            };
            for row in span(from.y, until.y) {
                for column in span(from.x, until.x) {
                    enter(slot, (row, column));
                }
            }
        }
    }
}

/// The plan's pieces above the pads, from its beginning on.
fn pieces(drone: DroneId, model: &Model, plan: &FlightPlan) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(3 * plan.legs().len());
    let mut begins_s = 0.0;
    for leg in plan.legs() {
        let mut add = |from_m: f64, to_m: f64, from_s: f64, to_s: f64| {
            if to_s > from_s {
                let (from, to) = (leg.path.at(from_m), leg.path.at(to_m));
                pieces.push(straight(drone, from, to, begins_s + from_s, to_s - from_s));
            }
        };
        match leg.path {
            Path::Hold { .. } => add(0.0, leg.duration_s, 0.0, leg.duration_s),
            Path::Arc { sweep_rad, .. } => {
                let chords = (sweep_rad.abs() / CHORD_RAD) as u32 + 1;
                let share = |chord: u32| f64::from(chord) / f64::from(chords);
                for chord in 0..chords {
                    let (from, to) = (share(chord), share(chord + 1));
                    let length = leg.path.length();
                    let seconds = leg.duration_s;
                    add(from * length, to * length, from * seconds, to * seconds);
                }
            }
            _ => ramps(leg, model, &mut add),
        }
        begins_s += leg.duration_s;
    }
    pieces.retain(|piece| {
        let ends_m = piece.body.height + piece.body.up * piece.body.lasts_s;
        piece.body.height.max(ends_m) >= ON_PAD_M
    });
    pieces
}

/// Up to speed, along, and down again; each ramp in two halves, which are 10 m from the truth.
fn ramps(leg: &Leg, model: &Model, add: &mut impl FnMut(f64, f64, f64, f64)) {
    let profile = leg.profile(model);
    let length = leg.path.length();
    let motion::Plateau { speed, seconds } = motion::plateau(leg.entry_mps, length, profile);
    let (mut at_m, mut at_s) = (0.0, 0.0);
    let half_s = |from: f64, to: f64| 0.5 * (to - from).abs() / profile.acceleration;
    let (up_mps, down_mps) = (0.5 * (leg.entry_mps + speed), 0.5 * (speed + profile.exit));
    let (up_s, down_s) = (half_s(leg.entry_mps, speed), half_s(speed, profile.exit));
    for (from_mps, to_mps, seconds) in [
        (leg.entry_mps, up_mps, up_s),
        (up_mps, speed, up_s),
        (speed, speed, seconds),
        (speed, down_mps, down_s),
        (down_mps, profile.exit, down_s),
    ] {
        let (to_m, to_s) = (at_m + 0.5 * (from_mps + to_mps) * seconds, at_s + seconds);
        add(at_m, motion::lesser(to_m, length), at_s, to_s);
        (at_m, at_s) = (to_m, to_s);
    }
}

fn straight(
    drone: DroneId,
    (from, from_m): (Point, f64),
    (to, to_m): (Point, f64),
    begins_s: f64,
    seconds: f64,
) -> Piece {
    let rate = |from: f64, to: f64| ((to - from) / seconds) as f32;
    Piece {
        body: Body {
            drone,
            x: from.x as f32,
            y: from.y as f32,
            height: from_m as f32,
            east: rate(from.x, to.x),
            north: rate(from.y, to.y),
            up: rate(from_m, to_m),
            lasts_s: seconds as f32,
        },
        begins_s,
    }
}

#[cfg(test)]
mod tests;
