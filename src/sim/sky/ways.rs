//! Whose way a no-fly zone has come to close.

use super::super::flight::{Leg, Path};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::time::{SimDuration, SimTime};
use super::super::world::{Model, World};
use super::columns::Chunk;
use super::{Sky, eta};

/// So much earlier or later than planned somebody may come.
const SLACK: SimDuration = SimDuration(10_000_000);
/// Legs are held against zones that come and go in parts that take about so long, seconds.
const PART_S: f64 = 10.0;

impl Sky {
    /// Those in the air whose plan leads into a no-fly zone while that is in force, in drone order.
    /// Not those who have handed over before they could have left it.
    pub fn closed_ways(&self, world: &World, now: SimTime) -> Vec<DroneId> {
        let is_closed = |chunk: &Chunk, i: usize| {
            let flight = &chunk.flights[i];
            let motion = chunk.motion(i);
            let mut from = (motion.at(), f64::from(motion.height));
            let mut left_s = eta::seconds_left_of_leg(chunk, i);
            let mut begins = now;
            let ahead = &flight.plan.legs()[flight.leg as usize..];
            if ahead[0].path.is_hold() && ahead[0].milestone.is_some() {
                let leaves_s = leaves_s(world, world.model(flight.model), from, now);
                if leaves_s.is_some_and(|leaves_s| left_s <= leaves_s) {
                    return false;
                }
            }
            ahead.iter().enumerate().any(|(number, leg)| {
                if number > 0 {
                    (from, left_s) = (leg.path.start(), leg.duration_s);
                }
                let ends = begins + SimDuration::from_secs(left_s);
                let is_closed =
                    is_closed(leg, from, world, now) && !is_free(leg, from, world, (begins, ends));
                begins = ends;
                is_closed
            })
        };
        let mut closed = Vec::new();
        for chunk in &self.chunks {
            let rows = (0..chunk.len()).filter(|i| is_closed(chunk, *i));
            closed.extend(rows.map(|i| chunk.motion(i).drone));
        }
        closed.sort_unstable();
        closed
    }
}

/// Until one at rest there has left the zones that count; `None` where none does.
fn leaves_s(world: &World, model: &Model, (at, height_m): (Point, f64), now: SimTime) -> Option<f64> {
    let out = world.airspace.way_out(now, at, height_m)?;
    let climb_s = (out.level_m - height_m).abs() / model.climb_mps;
    Some(climb_s + out.length_m() / model.cruise_airspeed_mps)
}

/// Whether none of the zones on it is in force while it is flown, part by part.
fn is_free(leg: &Leg, from: (Point, f64), world: &World, (begins, ends): (SimTime, SimTime)) -> bool {
    let to = leg.end();
    let takes_s = ends.since(begins).as_secs();
    let parts = match leg.path.is_hold() {
        true => 1,
        false => (takes_s / PART_S) as u32 + 1,
    };
    let place = |part: u32| {
        let share = f64::from(part) / f64::from(parts);
        let between = |from: f64, to: f64| from + share * (to - from);
        let at = Point {
            x: between(from.0.x, to.0.x),
            y: between(from.0.y, to.0.y),
        };
        (
            at,
            between(from.1, to.1),
            begins + SimDuration::from_secs(share * takes_s),
        )
    };
    (0..parts).all(|part| {
        let ((from, from_m, begins), (to, to_m, ends)) = (place(part), place(part + 1));
        let when = (SimTime(begins.0.saturating_sub(SLACK.0)), ends + SLACK);
        let heights_m = (from_m.min(to_m), from_m.max(to_m));
        world.airspace.lets_pass(when, (from, to), heights_m)
    })
}

/// Arcs are short: their chords stand for them.
fn is_closed(leg: &Leg, (from, from_m): (Point, f64), world: &World, now: SimTime) -> bool {
    let (to, to_m) = leg.end();
    match leg.path {
        Path::Line { .. } | Path::Arc { .. } => !world.airspace.is_open(now, from, to, to_m),
        Path::Slope { .. } | Path::Bend { .. } => {
            let is_open = |level_m| world.airspace.is_open(now, from, to, level_m);
            !is_open(from_m) || !is_open(to_m)
        }
        // It cannot but brake.
        Path::Stop { .. } => false,
        Path::Vertical { .. } | Path::Hold { .. } => {
            world
                .airspace
                .is_shut(now, to, from_m.min(to_m), from_m.max(to_m))
        }
    }
}
