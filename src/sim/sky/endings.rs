//! What ends: legs, flights, and batteries.

use super::super::flight::{Leg, Milestone};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::motion::positive;
use super::super::world::World;
use super::columns::{Chunk, Flight, Motion, Outlook, STRIP_ROWS};
use super::leg_change::{distance_on_leg_m, put};
use super::step::{ChunkStep, Clock};
use super::{FlightEvent, FlightEventKind, FlightLog, START_TOLERANCE_M};

/// A drone that leaves the air.
pub struct Departure {
    pub drone: DroneId,
    /// `None` for one that fell.
    pub landed_at: Option<Point>,
    /// By the flight.
    pub used_wh: f64,
    pub energy_wh: f64,
}

/// The end of the leg, left at `exit_mps`, at `at_s`. What it took has been drawn.
pub fn end_leg(
    row: &mut Motion,
    chunk: &mut Chunk,
    i: usize,
    leg: &Leg,
    exit_mps: f64,
    at_s: f64,
    step: &mut ChunkStep,
) {
    row.speed = match leg.path.is_hold() {
        true => 0.0,
        false => exit_mps as f32,
    };
    row.remaining = 0.0;
    put(row, leg.end());
    let flight = &mut chunk.flights[i];
    flight.distance_before_m += leg.path.ground_length();
    if leg.on_ground() && flight.distance_before_m == 0.0 {
        flight.airborne_since = at_s;
    }
    let Some(milestone) = leg.milestone.filter(|milestone| *milestone != Milestone::Landed) else {
        return;
    };
    chunk.change_outlook(i, |outlook| outlook.reached(milestone, at_s));
    step.events.push(FlightEvent {
        drone: row.drone,
        kind: FlightEventKind::Reached(milestone),
    });
}

/// At a hub, or wherever else the plan ends.
pub fn land(row: &mut Motion, flight: &Flight, world: &World, at_s: f64, step: &mut ChunkStep) -> Departure {
    row.speed = 0.0;
    row.alarm_wh = f32::NEG_INFINITY;
    let log = FlightLog {
        energy_wh: flight.energy_at_start_wh - row.energy_wh,
        distance_m: flight.distance_before_m,
        airborne_s: at_s - flight.airborne_since,
    };
    let at = row.at();
    let is_hub = world
        .hubs
        .iter()
        .any(|hub| hub.at.distance(at) <= START_TOLERANCE_M);
    step.events.push(FlightEvent {
        drone: row.drone,
        kind: match is_hub {
            true => FlightEventKind::Landed(log),
            false => FlightEventKind::SetDown { at, log },
        },
    });
    Departure {
        drone: row.drone,
        landed_at: is_hub.then_some(at),
        used_wh: log.energy_wh,
        energy_wh: row.energy_wh,
    }
}

/// Tells of the batteries in these strips that must be told of.
pub fn raise_alarms(chunk: &mut Chunk, mut strips: Vec<usize>, clock: &Clock<'_>, step: &mut ChunkStep) {
    strips.sort_unstable();
    strips.dedup();
    for strip in strips {
        let first = strip * STRIP_ROWS;
        for i in first..chunk.len().min(first + STRIP_ROWS) {
            raise_alarm(chunk, i, clock, step);
        }
    }
}

/// Tells of a battery below the reserve, and takes down a drone whose battery is empty.
fn raise_alarm(chunk: &mut Chunk, i: usize, clock: &Clock<'_>, step: &mut ChunkStep) {
    let Motion {
        drone,
        energy_wh,
        mut alarm_wh,
        ..
    } = chunk.motion(i);
    if energy_wh <= f64::from(alarm_wh) && alarm_wh > 0.0 {
        alarm_wh = 0.0;
        chunk.change_motion(i, |motion| motion.alarm_wh = alarm_wh);
        step.events.push(FlightEvent {
            drone,
            kind: FlightEventKind::LowBattery,
        });
    }
    if energy_wh > f64::from(alarm_wh) {
        return;
    }
    let (at, log) = flown_so_far(chunk, i, clock.now_s);
    chunk.change_outlook(i, Outlook::give_up);
    step.events.push(FlightEvent {
        drone,
        kind: FlightEventKind::Exhausted { at, log },
    });
    let departure = Departure {
        drone,
        landed_at: None,
        used_wh: log.energy_wh,
        energy_wh,
    };
    step.departures.push((i, departure));
}

/// Where a flight is, and what it took so far.
pub fn flown_so_far(chunk: &Chunk, i: usize, now_s: f64) -> (Point, FlightLog) {
    let (row, flight) = (chunk.motion(i), &chunk.flights[i]);
    let log = FlightLog {
        energy_wh: flight.energy_at_start_wh - row.energy_wh,
        distance_m: flight.distance_before_m + distance_on_leg_m(&row, flight),
        airborne_s: positive(now_s - flight.airborne_since),
    };
    (row.at(), log)
}
