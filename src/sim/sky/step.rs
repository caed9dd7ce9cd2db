//! One tick of one chunk: passes over blocks of columns, then the few rows that need a
//! look of their own.
//!
//! A row near the end of its leg, or in a turn, is stepped alone: exactly to the leg's
//! end, and with the rest of the tick into the next leg, so that no time is lost.

use super::super::air::Air;
use super::super::flight::Leg;
use super::super::ids::DroneId;
use super::super::motion::{self, Profile, greater, lesser, next_speed, positive};
use super::super::time::SimTime;
use super::super::weather::Breach;
use super::super::world::World;
use super::FlightEvent;
use super::columns::{Chunk, Motion, STRIP_ROWS};
use super::endings::{Departure, end_leg, land, raise_alarms};
use super::eta;
use super::few::Limping;
use super::leg_change::{begin_leg, nose, put};
use super::passes::{self, Fingerprint, Law};
use super::registers::{Fly, Found};
use super::trouble::Hazards;
use super::winds::Winds;

/// A tick as the rows see it.
pub struct Clock<'a> {
    /// What blows during the tick.
    winds: &'a Winds,
    /// What is forecast, worked out once a tick.
    air: Air<'a>,
    hazards: &'a Hazards,
    limping: &'a Limping,
    /// As wide as it computes.
    processor: pulp::Arch,
    dt: f64,
    /// At the end of the tick.
    pub now_s: f64,
    tick: u64,
    /// A chunk's expected times and troubles are looked at once in so many.
    pub eta_ticks: u64,
}

impl<'a> Clock<'a> {
    pub fn at(
        world: &'a World,
        now: SimTime,
        winds: &'a Winds,
        hazards: &'a Hazards,
        limping: &'a Limping,
    ) -> Self {
        let tick_us = world.tick.0.max(1);
        Clock {
            winds,
            air: world.air(now),
            hazards,
            limping,
            processor: pulp::Arch::new(),
            dt: world.tick.as_secs(),
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

/// Of so many rows those that landed leave the air first, then those that fell: the order of
/// rows, and so the digest, follows from the order in which drones leave.
const DEPARTURE_ROWS: usize = 256;

/// What a step did to a chunk.
#[derive(Default)]
pub struct ChunkStep {
    pub events: Vec<FlightEvent>,
    /// With their rows.
    pub departures: Vec<(usize, Departure)>,
    pub in_trouble: Vec<(DroneId, Breach)>,
    pub fingerprint: u64,
}

pub fn step_chunk(chunk: &mut Chunk, index: usize, world: &World, clock: &Clock<'_>) -> ChunkStep {
    let mut step = ChunkStep::default();
    let mut found = Found::default();
    let rows = chunk.len();
    clock.processor.dispatch(Fly {
        motions: &mut chunk.motions,
        turning: &mut chunk.turning,
        rows,
        winds: clock.winds,
        dt: clock.dt as f32,
        found: &mut found,
    });
    let alone = found.alone.partition_point(|i| *i < rows);
    step_those_alone(chunk, &found.alone[..alone], world, clock, &mut step);
    let low_alone = found.alone[..alone].iter().filter(|i| chunk.motion(**i).is_low());
    found.low.extend(low_alone.map(|i| i / STRIP_ROWS));
    raise_alarms(chunk, found.low, clock, &mut step);
    step.departures.sort_by_key(|(row, _)| row / DEPARTURE_ROWS);
    let mut fingerprint = Fingerprint::new(rows);
    for (block, motions) in chunk.motions.iter().enumerate() {
        fingerprint.fold(motions, chunk.rows_of(block));
    }
    if clock.refreshes_etas(index) {
        chunk.find_cells(&world.weather);
        let winds = (clock.winds, world.weather.gust_time_s);
        eta::refresh(chunk, clock.processor, winds, clock.now_s, &mut step.events);
        step.in_trouble = clock.hazards.look(chunk, clock.winds);
    }
    step.fingerprint = fingerprint.finish();
    step
}

fn step_those_alone(
    chunk: &mut Chunk,
    alone: &[usize],
    world: &World,
    clock: &Clock<'_>,
    step: &mut ChunkStep,
) {
    // Legs lie far apart in memory: fetched for all of them, they are waited for together.
    let legs: Vec<Leg> = alone.iter().map(|&i| *chunk.flights[i].present_leg()).collect();
    for (&i, leg) in alone.iter().zip(legs) {
        step_alone(chunk, i, leg, world, clock, step);
    }
}

/// One row through one tick, across as many ends of legs as come.
fn step_alone(
    chunk: &mut Chunk,
    i: usize,
    mut leg: Leg,
    world: &World,
    clock: &Clock<'_>,
    step: &mut ChunkStep,
) {
    let mut row = chunk.motion(i);
    let mut left = clock.dt;
    loop {
        let met = Met::by(&row, &leg, clock.winds);
        let to_end = motion::duration(f64::from(row.speed), row.remaining, met.profile);
        if to_end > left {
            advance(&mut row, &leg, met, left, &clock.air);
            break;
        }
        left -= to_end;
        row.discharge(met, row.remaining, to_end);
        end_leg(
            &mut row,
            chunk,
            i,
            &leg,
            met.profile.exit,
            clock.now_s - left,
            step,
        );
        let flight = &mut chunk.flights[i];
        if flight.leg as usize + 1 == flight.plan.legs().len() {
            let departure = land(&mut row, flight, world, clock.now_s - left, step);
            step.departures.push((i, departure));
            break;
        }
        let speed = f64::from(row.speed);
        flight.leg += 1;
        let model = clock.limping.model_of(world, row.drone, flight.model);
        begin_leg(&mut row, flight, world, &model, &clock.air, speed);
        leg = *flight.present_leg();
        chunk.begin_outlook(i);
        eta::tell_last_word(
            chunk,
            i,
            (&row, &leg),
            (clock.now_s - left, clock.dt),
            &mut step.events,
        );
    }
    row.heading = passes::turned(row.heading, row.course, row.yaw_rate, clock.dt as f32);
    chunk.set_motion(i, &row);
}

/// What a row meets where it is: the wind on its course, and what that leaves of its speeds.
#[derive(Clone, Copy)]
struct Met {
    along: f32,
    across: f32,
    profile: Profile,
}

impl Met {
    fn by(row: &Motion, leg: &Leg, winds: &Winds) -> Self {
        let (along, across) = passes::blown(winds.of(row.cell), (row.east, row.north), row.windage);
        let reached = passes::reached(row.airspeed, along, across);
        // A turn is as fast as its radius allows and a slope as its type climbs, whatever the wind would.
        let limit = match leg.path.is_bound() {
            true => row.target,
            false => f32::INFINITY,
        };
        let planned = row.planned();
        let (target, speed) = (lesser(f64::from(reached), f64::from(limit)), f64::from(row.speed));
        // In a gust from ahead it leaves the leg slower than planned, and faster in one from behind
        // where it cannot brake in time and goes on.
        let gained = 2.0 * planned.acceleration * row.remaining;
        let most = lesser(greater(target, speed), (speed * speed + gained).sqrt());
        let least = match planned.exit > 0.0 {
            true => positive(speed * speed - gained).sqrt(),
            false => 0.0,
        };
        let profile = Profile {
            target,
            exit: greater(lesser(planned.exit, most), least),
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
fn advance(row: &mut Motion, leg: &Leg, met: Met, seconds: f64, air: &Air<'_>) {
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

impl Motion {
    /// Whether its battery must be told of.
    pub fn is_low(&self) -> bool {
        self.energy_wh <= f64::from(self.alarm_wh)
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
