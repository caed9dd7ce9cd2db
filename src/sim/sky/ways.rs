//! Whose way a no-fly zone has come to close: theirs who would fly through it, and nobody else's.

use super::super::airspace::Come;
use super::super::flight::{FlightPlan, Leg, Path, Whereabouts, leaving_s};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::time::{SimDuration, SimTime};
use super::super::world::World;
use super::columns::Chunk;
use super::{Sky, eta};

/// So much earlier or later than planned somebody may come.
const SLACK: SimDuration = SimDuration(10_000_000);
/// Who is out of a zone by its plan no later than so many seconds after it could be goes on.
const AS_SOON_S: f64 = 1.5;
/// Legs are held against zones that come and go in parts that take about so long, seconds.
const PART_S: f64 = 10.0;

impl Sky {
    /// Those in the air whose plan leads into one of these zones while that is in force, in drone
    /// order. Not those who have handed over before they could have left it, nor those whose plan
    /// leads out of it as soon as another would.
    pub fn closed_ways(&self, world: &World, now: SimTime, come: &Come<'_>) -> Vec<DroneId> {
        if come.is_empty() {
            return Vec::new();
        }
        let is_closed = |chunk: &Chunk, i: usize| {
            let flight = &chunk.flights[i];
            let motion = chunk.motion(i);
            let from = (motion.at(), f64::from(motion.height));
            let left_s = eta::seconds_left_of_leg(chunk, i);
            let ahead = &flight.plan.legs()[flight.leg as usize..];
            if !lead_into(ahead, (from, left_s), now, come) {
                return false;
            }
            let place = Whereabouts {
                at: from.0,
                height_m: from.1,
                velocity: motion.velocity(),
            };
            let leaving_s = leaving_s(world.model(flight.model), &world.air(now), place);
            let hands_over = ahead[0].path.is_hold() && ahead[0].milestone.is_some();
            leaving_s.is_none_or(|leaving_s| {
                let handed_over = hands_over && left_s <= leaving_s;
                !handed_over && !leads_out(ahead, (from, left_s), now, (come, leaving_s + AS_SOON_S))
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

/// Whether who sets out by this plan now flies through one of these zones while that is in force.
pub fn leads_into(plan: &FlightPlan, now: SimTime, come: &Come<'_>) -> bool {
    let legs = plan.legs();
    lead_into(legs, (plan.start(), legs[0].duration_s), now, come)
}

/// Of the first leg so many seconds are left from this place and height on.
fn lead_into(
    legs: &[Leg],
    (mut from, mut left_s): ((Point, f64), f64),
    mut begins: SimTime,
    come: &Come<'_>,
) -> bool {
    legs.iter().enumerate().any(|(number, leg)| {
        if number > 0 {
            (from, left_s) = (leg.path.start(), leg.duration_s);
        }
        let ends = begins + SimDuration::from_secs(left_s);
        let is_closed = is_closed(leg, from, come, (begins, ends));
        begins = ends;
        is_closed
    })
}

/// Whether who is in a zone is out of it by its plan within so many seconds, and comes into none of
/// these afterwards.
fn leads_out(
    legs: &[Leg],
    (mut from, mut left_s): ((Point, f64), f64),
    now: SimTime,
    (come, within_s): (&Come<'_>, f64),
) -> bool {
    let mut ahead_s = within_s;
    for (number, leg) in legs.iter().enumerate() {
        if number > 0 {
            (from, left_s) = (leg.path.start(), leg.duration_s);
        }
        if left_s > ahead_s {
            let (from, to, share) = (from, leg.end(), ahead_s / left_s);
            let between = |from: f64, to: f64| from + share * (to - from);
            let at = Point {
                x: between(from.0.x, to.0.x),
                y: between(from.0.y, to.0.y),
            };
            let place = (at, between(from.1, to.1));
            let begins = now + SimDuration::from_secs(within_s);
            return !lead_into(&legs[number..], (place, left_s - ahead_s), begins, come);
        }
        ahead_s -= left_s;
    }
    // It is down by then.
    true
}

/// Whether one of the zones on it is in force while it is flown, part by part. Arcs are short: their
/// chords stand for them.
fn is_closed(leg: &Leg, from: (Point, f64), come: &Come<'_>, (begins, ends): (SimTime, SimTime)) -> bool {
    // It cannot but brake.
    if matches!(leg.path, Path::Stop { .. }) {
        return false;
    }
    let to = leg.end();
    let takes_s = ends.since(begins).as_secs();
    let parts = match leg.path.ground_length() > 0.0 {
        true => (takes_s / PART_S) as u32 + 1,
        false => 1,
    };
    let place = |part: u32| {
        let share = f64::from(part) / f64::from(parts);
        let between = |from: f64, to: f64| from + share * (to - from);
        let at = Point {
            x: between(from.0.x, to.0.x),
            y: between(from.0.y, to.0.y),
        };
        let after = SimDuration::from_secs(share * takes_s);
        (at, between(from.1, to.1), begins + after)
    };
    let mut near = come.near(from.0, to.0).filter(|zone| !zone.lets_by(from.0, to.0));
    near.any(|zone| {
        (0..parts).any(|part| {
            let ((from, from_m, begins), (to, to_m, ends)) = (place(part), place(part + 1));
            let when = (SimTime(begins.0.saturating_sub(SLACK.0)), ends + SLACK);
            let heights_m = (from_m.min(to_m), from_m.max(to_m));
            zone.closes(when, (from, to), heights_m)
        })
    })
}
