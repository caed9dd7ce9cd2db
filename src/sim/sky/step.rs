//! One tick of one chunk: passes over blocks of columns, then the few rows that need a
//! look of their own.
//!
//! A row near the end of its leg, or in a turn, is stepped alone: exactly to the leg's
//! end, and with the rest of the tick into the next leg, so that no time is lost.

use std::ops::Range;

use super::super::air::Air;
use super::super::flight::Milestone;
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::motion::{self, Profile, lesser, next_speed, positive};
use super::super::time::SimTime;
use super::super::world::World;
use super::columns::{Chunk, Flight, Row};
use super::eta;
use super::leg_change::{begin_leg, distance_on_leg_m, nose, put};
use super::passes::{self, Fingerprint};
use super::{FlightEvent, FlightEventKind, FlightLog};

/// Rows whose columns stay in the nearest cache from pass to pass.
const BLOCK_ROWS: usize = 256;
/// A tick as the rows see it.
pub struct Clock {
    dt: f64,
    /// At the end of the tick.
    now: SimTime,
    now_s: f64,
    tick: u64,
    eta_ticks: u64,
}

impl Clock {
    pub fn at(world: &World, now: SimTime) -> Self {
        let tick_us = world.tick.0.max(1);
        Clock {
            dt: world.tick.as_secs(),
            now,
            now_s: now.as_secs(),
            tick: now.0 / tick_us,
            eta_ticks: (eta::EVERY_US / tick_us).max(1),
        }
    }

    /// Chunks take turns, so that no tick does the work of all.
    fn refreshes_etas(&self, chunk: usize) -> bool {
        (self.tick + chunk as u64).is_multiple_of(self.eta_ticks)
    }
}

/// A drone that leaves the air.
pub struct Departure {
    pub drone: DroneId,
    /// `None` for one that fell.
    pub landed_at: Option<Point>,
    pub energy_wh: f64,
}

/// What a step did to a chunk.
pub struct ChunkStep {
    pub events: Vec<FlightEvent>,
    pub departures: Vec<Departure>,
    pub fingerprint: u64,
}

pub fn step_chunk(chunk: &mut Chunk, index: usize, world: &World, clock: &Clock) -> ChunkStep {
    let rows = chunk.len();
    let mut step = ChunkStep {
        events: Vec::new(),
        departures: Vec::new(),
        fingerprint: 0,
    };
    let mut fingerprint = Fingerprint::new(rows);
    for start in (0..rows).step_by(BLOCK_ROWS) {
        let block = start..rows.min(start + BLOCK_ROWS);
        step_block(chunk, block.clone(), world, clock, &mut step);
        let (x, y) = (&chunk.x[block.clone()], &chunk.y[block.clone()]);
        let (height, energy) = (&chunk.height[block.clone()], &chunk.energy_wh[block.clone()]);
        fingerprint.fold(&chunk.drone[block], [x, y, height, energy]);
    }
    if clock.refreshes_etas(index) {
        eta::refresh(chunk, clock.now_s, &mut step.events);
    }
    step.fingerprint = fingerprint.finish();
    step
}

fn step_block(chunk: &mut Chunk, block: Range<usize>, world: &World, clock: &Clock, step: &mut ChunkStep) {
    let at = |i: usize| block.start + i;
    let mut alone = Vec::new();
    let (remaining, watch) = (&chunk.remaining[block.clone()], &chunk.watch[block.clone()]);
    if passes::count_watched(remaining, watch) > 0 {
        let watched = (0..block.len()).filter(|&i| remaining[i] <= f64::from(watch[i]));
        alone.extend(watched.map(|i| (at(i), chunk.row(at(i)))));
    }
    pass(chunk, block.clone(), clock.dt);
    for (i, mut row) in alone {
        step_alone(&mut row, &mut chunk.flights[i], world, clock, step);
        chunk.set_row(i, &row);
    }
    let (energy, alarm) = (&chunk.energy_wh[block.clone()], &chunk.alarm_wh[block.clone()]);
    if passes::count_alarms(energy, alarm) > 0 {
        for i in block {
            raise_alarm(chunk, i, clock, step);
        }
    }
}

/// Every row of the block as if none came to the end of its leg.
fn pass(chunk: &mut Chunk, block: Range<usize>, dt: f64) {
    let mut moved = [0.0; BLOCK_ROWS];
    let moved = &mut moved[..block.len()];
    let b = || block.clone();
    let profile = [&chunk.target[b()], &chunk.exit[b()], &chunk.acceleration[b()]];
    passes::accelerate(
        &mut chunk.speed[b()],
        &mut chunk.remaining[b()],
        profile,
        moved,
        dt,
    );
    passes::shift(&mut chunk.x[b()], &chunk.east[b()], moved);
    passes::shift(&mut chunk.y[b()], &chunk.north[b()], moved);
    passes::shift(&mut chunk.height[b()], &chunk.up[b()], moved);
    let power = [
        &chunk.slow_w[b()],
        &chunk.transition_mps[b()],
        &chunk.base_w[b()],
        &chunk.slope_w_per_mps[b()],
    ];
    passes::discharge(&mut chunk.energy_wh[b()], power, moved, dt);
    passes::turn(
        &mut chunk.heading[b()],
        &chunk.course[b()],
        &chunk.yaw_rate[b()],
        dt as f32,
    );
}

/// One row through one tick, across as many ends of legs as come.
fn step_alone(row: &mut Row, flight: &mut Flight, world: &World, clock: &Clock, step: &mut ChunkStep) {
    let air = world.air(clock.now);
    let mut left = clock.dt;
    loop {
        let profile = row.profile();
        let to_end = motion::duration(row.speed, row.remaining, profile);
        if to_end > left {
            advance(row, flight, profile, left, &air);
            break;
        }
        left -= to_end;
        end_leg(row, flight, profile, to_end, clock.now_s - left, step);
        if flight.leg as usize + 1 == flight.plan.legs().len() {
            land(row, flight, clock.now_s - left, step);
            break;
        }
        let speed = row.speed;
        flight.leg += 1;
        begin_leg(row, flight, world, &air, speed);
    }
    row.heading = passes::turned(row.heading, row.course, row.yaw_rate, clock.dt as f32);
}

/// `seconds` along the leg, without reaching its end.
fn advance(row: &mut Row, flight: &Flight, profile: Profile, seconds: f64, air: &Air<'_>) {
    let next = next_speed(row.speed, row.remaining, profile, seconds);
    let moved = lesser(0.5 * (row.speed + next) * seconds, row.remaining);
    row.discharge(moved, seconds);
    row.speed = next;
    row.remaining -= moved;
    let leg = flight.present_leg();
    if leg.path.is_turn() {
        let along = leg.path.length() - row.remaining;
        put(row, leg.path.at(along));
        (row.east, row.north, row.up) = leg.path.direction(along);
        row.course = nose(leg, along, air);
    } else {
        row.x += row.east * moved;
        row.y += row.north * moved;
        row.height += row.up * moved;
    }
}

/// The last `seconds` of the leg, which ends at `at_s`.
fn end_leg(
    row: &mut Row,
    flight: &mut Flight,
    profile: Profile,
    seconds: f64,
    at_s: f64,
    step: &mut ChunkStep,
) {
    let reachable = row.speed * row.speed + 2.0 * profile.acceleration * row.remaining;
    row.discharge(row.remaining, seconds);
    let leg = *flight.present_leg();
    row.speed = if leg.path.is_hold() {
        0.0
    } else {
        lesser(profile.exit, reachable.sqrt())
    };
    row.remaining = 0.0;
    put(row, leg.end());
    flight.distance_before_m += leg.path.ground_length();
    if leg.on_ground() && flight.leg == 0 {
        flight.airborne_since = at_s;
    }
    match leg.milestone {
        Some(Milestone::PickedUp) => {
            (row.pickup_at, row.told_pickup_at, row.pickup_after_leg) = (at_s, at_s, f64::NAN);
        }
        Some(Milestone::Delivered) => {
            (row.delivery_at, row.told_delivery_at, row.delivery_after_leg) = (at_s, at_s, f64::NAN);
        }
        Some(Milestone::Landed) | None => return,
    }
    step.events.extend(leg.milestone.map(|milestone| FlightEvent {
        drone: row.drone,
        kind: FlightEventKind::Reached(milestone),
    }));
}

fn land(row: &mut Row, flight: &Flight, at_s: f64, step: &mut ChunkStep) {
    row.speed = 0.0;
    row.alarm_wh = f32::NEG_INFINITY;
    let log = FlightLog {
        energy_wh: flight.energy_at_start_wh - row.energy_wh,
        distance_m: flight.distance_before_m,
        airborne_s: at_s - flight.airborne_since,
    };
    step.events.push(FlightEvent {
        drone: row.drone,
        kind: FlightEventKind::Landed(log),
    });
    step.departures.push(Departure {
        drone: row.drone,
        landed_at: Some(Point { x: row.x, y: row.y }),
        energy_wh: row.energy_wh,
    });
}

/// Tells of a battery below the reserve, and takes down a drone whose battery is empty.
fn raise_alarm(chunk: &mut Chunk, i: usize, clock: &Clock, step: &mut ChunkStep) {
    let energy_wh = chunk.energy_wh[i];
    let drone = chunk.drone[i];
    if energy_wh <= f64::from(chunk.alarm_wh[i]) && chunk.alarm_wh[i] > 0.0 {
        chunk.alarm_wh[i] = 0.0;
        step.events.push(FlightEvent {
            drone,
            kind: FlightEventKind::LowBattery,
        });
    }
    if energy_wh > f64::from(chunk.alarm_wh[i]) {
        return;
    }
    let (at, log) = flown_so_far(chunk, i, clock.now_s);
    (chunk.pickup_after_leg[i], chunk.delivery_after_leg[i]) = (f64::NAN, f64::NAN);
    step.events.push(FlightEvent {
        drone,
        kind: FlightEventKind::Exhausted { at, log },
    });
    step.departures.push(Departure {
        drone,
        landed_at: None,
        energy_wh,
    });
}

/// Where a flight is, and what it took so far.
pub fn flown_so_far(chunk: &Chunk, i: usize, now_s: f64) -> (Point, FlightLog) {
    let (row, flight) = (chunk.row(i), &chunk.flights[i]);
    let log = FlightLog {
        energy_wh: flight.energy_at_start_wh - row.energy_wh,
        distance_m: flight.distance_before_m + distance_on_leg_m(&row, flight),
        airborne_s: positive(now_s - flight.airborne_since),
    };
    (Point { x: row.x, y: row.y }, log)
}

impl Row {
    fn profile(&self) -> Profile {
        Profile {
            target: self.target,
            exit: self.exit,
            acceleration: self.acceleration,
        }
    }

    fn discharge(&mut self, moved: f64, seconds: f64) {
        let mean = if seconds > 0.0 { moved / seconds } else { 0.0 };
        let watts = passes::watts(
            mean,
            self.slow_w,
            self.transition_mps,
            self.base_w,
            self.slope_w_per_mps,
        );
        self.energy_wh = positive(self.energy_wh - watts * (seconds / 3_600.0));
    }
}
