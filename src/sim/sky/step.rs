//! One tick of one chunk: passes over blocks of columns, then the few rows that need a
//! look of their own.
//!
//! A row near the end of its leg, or in a turn, is stepped alone: exactly to the leg's
//! end, and with the rest of the tick into the next leg, so that no time is lost.

use std::ops::Range;

use super::super::air::Air;
use super::super::flight::{Leg, Milestone};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::motion::{self, Profile, greater, lesser, next_speed, positive};
use super::super::time::SimTime;
use super::super::weather::Breach;
use super::super::world::World;
use super::columns::{Chunk, Flight, Row};
use super::eta;
use super::few::Limping;
use super::leg_change::{begin_leg, distance_on_leg_m, nose, put};
use super::passes::{self, Fingerprint, Law};
use super::registers::{Alarms, Fly, Marks, Watch};
use super::trouble::Hazards;
use super::winds::{Blown, Winds};
use super::{FlightEvent, FlightEventKind, FlightLog, START_TOLERANCE_M};

/// Rows whose columns stay in the nearest cache from pass to pass.
pub const BLOCK_ROWS: usize = 256;

/// A tick as the rows see it.
pub struct Clock<'a> {
    /// What blows during the tick.
    winds: &'a Winds,
    hazards: &'a Hazards,
    limping: &'a Limping,
    /// As wide as it computes.
    processor: pulp::Arch,
    dt: f64,
    /// At the end of the tick.
    now: SimTime,
    now_s: f64,
    tick: u64,
    /// A chunk's expected times and troubles are looked at once in so many.
    pub eta_ticks: u64,
}

impl<'a> Clock<'a> {
    pub fn at(
        world: &World,
        now: SimTime,
        winds: &'a Winds,
        hazards: &'a Hazards,
        limping: &'a Limping,
    ) -> Self {
        let tick_us = world.tick.0.max(1);
        Clock {
            winds,
            hazards,
            limping,
            processor: pulp::Arch::new(),
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
    /// By the flight.
    pub used_wh: f64,
    pub energy_wh: f64,
}

/// What a step did to a chunk.
pub struct ChunkStep {
    pub events: Vec<FlightEvent>,
    pub departures: Vec<Departure>,
    pub in_trouble: Vec<(DroneId, Breach)>,
    pub fingerprint: u64,
}

pub fn step_chunk(chunk: &mut Chunk, index: usize, world: &World, clock: &Clock<'_>) -> ChunkStep {
    let rows = chunk.len();
    let mut step = ChunkStep {
        events: Vec::new(),
        departures: Vec::new(),
        in_trouble: Vec::new(),
        fingerprint: 0,
    };
    let mut fingerprint = Fingerprint::new(rows);
    let mut blown = Blown::new(clock.winds);
    for start in (0..rows).step_by(BLOCK_ROWS) {
        let block = start..rows.min(start + BLOCK_ROWS);
        blown.over(clock.winds, &chunk.cell[block.clone()]);
        step_block(chunk, block.clone(), world, clock, &blown, &mut step);
        let (x, y) = (&chunk.x[block.clone()], &chunk.y[block.clone()]);
        let (height, energy) = (&chunk.height[block.clone()], &chunk.energy_wh[block.clone()]);
        fingerprint.fold(&chunk.drone[block], [x, y, energy], height);
    }
    if clock.refreshes_etas(index) {
        chunk.find_cells(&world.weather);
        eta::refresh(chunk, clock.processor, clock.now_s, &mut step.events);
        step.in_trouble = clock.hazards.look(chunk, clock.winds);
    }
    step.fingerprint = fingerprint.finish();
    step
}

fn step_block(
    chunk: &mut Chunk,
    block: Range<usize>,
    world: &World,
    clock: &Clock<'_>,
    blown: &Blown,
    step: &mut ChunkStep,
) {
    let dt = clock.dt as f32;
    let mut marks = Marks::none();
    let watch = Watch {
        chunk,
        block: block.clone(),
        dt,
        marks: &mut marks,
    };
    let mut alone = Vec::new();
    if clock.processor.dispatch(watch) > 0 {
        let rows = marks.marked(block.len()).map(|row| block.start + row);
        alone.extend(rows.map(|i| (i, chunk.row(i))));
    }
    // Legs lie far apart in memory: fetched for all of them, they are waited for together.
    let legs: Vec<Leg> = alone
        .iter()
        .map(|&(i, _)| *chunk.flights[i].present_leg())
        .collect();
    let fly = Fly {
        chunk,
        block: block.clone(),
        blown,
        dt,
    };
    clock.processor.dispatch(fly);
    for ((i, mut row), leg) in alone.into_iter().zip(legs) {
        step_alone(&mut row, &mut chunk.flights[i], leg, world, clock, step);
        chunk.set_row(i, &row);
    }
    let alarms = Alarms {
        chunk,
        block: block.clone(),
    };
    if clock.processor.dispatch(alarms) > 0 {
        for i in block {
            raise_alarm(chunk, i, clock, step);
        }
    }
}

/// One row through one tick, across as many ends of legs as come.
fn step_alone(
    row: &mut Row,
    flight: &mut Flight,
    mut leg: Leg,
    world: &World,
    clock: &Clock<'_>,
    step: &mut ChunkStep,
) {
    let air = world.air(clock.now);
    let mut left = clock.dt;
    loop {
        let met = Met::by(row, &leg, clock.winds);
        let to_end = motion::duration(f64::from(row.speed), row.remaining, met.profile);
        if to_end > left {
            advance(row, &leg, met, left, &air);
            break;
        }
        left -= to_end;
        end_leg(row, flight, &leg, met, to_end, clock.now_s - left, step);
        if flight.leg as usize + 1 == flight.plan.legs().len() {
            land(row, flight, world, clock.now_s - left, step);
            break;
        }
        let speed = f64::from(row.speed);
        flight.leg += 1;
        let model = clock.limping.model_of(world, row.drone, flight.model);
        begin_leg(row, flight, world, &model, &air, speed);
        leg = *flight.present_leg();
    }
    row.heading = passes::turned(row.heading, row.course, row.yaw_rate, clock.dt as f32);
}

/// What a row meets where it is: the wind on its course, and what that leaves of its speeds.
#[derive(Clone, Copy)]
struct Met {
    along: f32,
    across: f32,
    profile: Profile,
}

impl Met {
    fn by(row: &Row, leg: &Leg, winds: &Winds) -> Self {
        let (east, north) = winds.of(row.cell);
        let along = row.windage * (east * row.east + north * row.north);
        let across = row.windage * (east * row.north - north * row.east);
        let reached = passes::reached(row.airspeed, along, across);
        // A turn is as fast as its radius allows, whatever the wind would.
        let limit = match leg.path.is_turn() {
            true => row.target,
            false => f32::INFINITY,
        };
        let planned = row.planned();
        let (target, speed) = (lesser(f64::from(reached), f64::from(limit)), f64::from(row.speed));
        // In a gust from ahead it leaves the leg slower than planned.
        let gained = 2.0 * planned.acceleration * row.remaining;
        let most = lesser(greater(target, speed), (speed * speed + gained).sqrt());
        let profile = Profile {
            target,
            exit: lesser(planned.exit, most),
            ..planned
        };
        Met {
            along,
            across,
            profile,
        }
    }
}

/// `seconds` along the leg, without reaching its end.
fn advance(row: &mut Row, leg: &Leg, met: Met, seconds: f64, air: &Air<'_>) {
    let speed = f64::from(row.speed);
    let next = next_speed(speed, row.remaining, met.profile, seconds);
    let moved = lesser(0.5 * (speed + next) * seconds, row.remaining);
    row.discharge(met, moved, seconds);
    row.speed = next as f32;
    row.remaining -= moved;
    if leg.path.is_turn() {
        let along = leg.path.length() - row.remaining;
        put(row, leg.path.at(along));
        row.head_for(leg.path.direction(along));
        row.course = nose(leg, along, air);
    } else {
        row.x += f64::from(row.east) * moved;
        row.y += f64::from(row.north) * moved;
        row.height = positive(f64::from(row.height + row.up * moved as f32)) as f32;
    }
}

/// The last `seconds` of the leg, which ends at `at_s`.
fn end_leg(
    row: &mut Row,
    flight: &mut Flight,
    leg: &Leg,
    met: Met,
    seconds: f64,
    at_s: f64,
    step: &mut ChunkStep,
) {
    row.discharge(met, row.remaining, seconds);
    row.speed = match leg.path.is_hold() {
        true => 0.0,
        false => met.profile.exit as f32,
    };
    row.remaining = 0.0;
    put(row, leg.end());
    flight.distance_before_m += leg.path.ground_length();
    if leg.on_ground() && flight.distance_before_m == 0.0 {
        flight.airborne_since = at_s;
    }
    match leg.milestone {
        Some(Milestone::PickedUp) => {
            (row.pickup_at, row.told_pickup_at, row.pickup_after_leg) = (at_s, at_s, f64::NAN);
        }
        Some(Milestone::Delivered) => {
            (row.delivery_at, row.told_delivery_at, row.delivery_after_leg) = (at_s, at_s, f64::NAN);
        }
        Some(Milestone::OverHub) => {}
        Some(Milestone::Landed) | None => return,
    }
    step.events.extend(leg.milestone.map(|milestone| FlightEvent {
        drone: row.drone,
        kind: FlightEventKind::Reached(milestone),
    }));
}

/// At a hub, or wherever else the plan ends.
fn land(row: &mut Row, flight: &Flight, world: &World, at_s: f64, step: &mut ChunkStep) {
    row.speed = 0.0;
    row.alarm_wh = f32::NEG_INFINITY;
    let log = FlightLog {
        energy_wh: flight.energy_at_start_wh - row.energy_wh,
        distance_m: flight.distance_before_m,
        airborne_s: at_s - flight.airborne_since,
    };
    let at = Point { x: row.x, y: row.y };
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
    step.departures.push(Departure {
        drone: row.drone,
        landed_at: is_hub.then_some(at),
        used_wh: log.energy_wh,
        energy_wh: row.energy_wh,
    });
}

/// Tells of a battery below the reserve, and takes down a drone whose battery is empty.
fn raise_alarm(chunk: &mut Chunk, i: usize, clock: &Clock<'_>, step: &mut ChunkStep) {
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
        used_wh: log.energy_wh,
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
    /// The leg's profile in the forecast wind.
    pub fn planned(&self) -> Profile {
        Profile {
            target: f64::from(self.target),
            exit: f64::from(self.exit),
            acceleration: f64::from(self.acceleration),
        }
    }

    pub fn head_for(&mut self, (east, north, up): (f64, f64, f64)) {
        (self.east, self.north, self.up) = (east as f32, north as f32, up as f32);
    }

    fn discharge(&mut self, met: Met, moved: f64, seconds: f64) {
        let mean = if seconds > 0.0 { moved / seconds } else { 0.0 };
        let law = Law {
            slow_w: self.slow_w,
            transition_mps: self.transition_mps,
            base_w: self.base_w,
            slope_w_per_mps: self.slope_w_per_mps,
        };
        let watts = law.watts(mean as f32, met.along, met.across);
        self.energy_wh = positive(self.energy_wh - f64::from(watts) * (seconds / 3_600.0));
    }
}
