//! The sky: positions, speeds, legs and batteries of all drones as columns.
//!
//! Airborne drones fill dense rows of chunks; a landing drone's row is taken by the last
//! one, so the order of rows is a function of history alone. Drones on the ground are in
//! a table of their own and cost nothing per tick. The sky decides nothing: it flies
//! plans, and tells when something happened. It never knows who watches.

mod batteries;
mod before;
mod bodies;
mod columns;
mod conduct;
mod endings;
mod eta;
mod events;
mod few;
mod fix;
mod ground;
mod leg_change;
mod passes;
mod registers;
mod step;
#[cfg(test)]
pub(super) mod tests;
mod trouble;
mod ways;
mod winds;

use serde::{Deserialize, Serialize};

pub use self::before::SkyBefore5;
use self::columns::{CHUNK_ROWS, Chunk};
use self::endings::Departure;
pub use self::events::{FlightEvent, FlightEventKind, FlightLog};
pub use self::few::Few;
use self::fix::airborne;
pub use self::fix::{Airborne, Fix};
use self::ground::Ground;
pub use self::ground::{Grounded, nearest_hub};
use self::leg_change::{distance_on_leg_m, new_flight, speed_onto};
use self::step::{ChunkStep, Clock};
use self::trouble::Hazards;
pub use self::ways::leads_into;
use self::winds::Winds;
use super::flight::FlightPlan;
use super::geo::Point;
use super::ids::DroneId;
use super::time::SimTime;
use super::weather::Gusts;
use super::world::World;

/// A plan that cannot be flown from where the drone is, or from how it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan does not start where the drone is, or as it moves")]
pub struct Discontinuous;

/// A plan may start this far from where the drone is, metres.
const START_TOLERANCE_M: f64 = 1.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sky {
    chunks: Vec<Chunk>,
    /// By drone: where its row is, or one of the marks below.
    places: Vec<u32>,
    ground: Ground,
    gusts: Gusts,
    fingerprints: Vec<u64>,
    /// Saved by itself.
    #[serde(skip)]
    few: Few,
}

const ON_GROUND: u32 = u32::MAX;
const LOST: u32 = u32::MAX - 1; // or withdrawn

impl Sky {
    /// Everyone on the ground at their hub with a full battery.
    pub fn new(world: &World) -> Self {
        Sky {
            chunks: Vec::new(),
            places: vec![ON_GROUND; world.drone_count() as usize],
            ground: Ground::full(world),
            gusts: Gusts::new(&world.weather, world.seed),
            fingerprints: Vec::new(),
            few: Few::default(),
        }
    }

    /// Moves every airborne drone by one tick, ending at `now`. Flight events come out in
    /// drone order, whatever the threads of `pool` (none: this thread alone).
    pub fn step(
        &mut self,
        world: &World,
        now: SimTime,
        pool: Option<&rayon::ThreadPool>,
    ) -> Vec<FlightEvent> {
        use rayon::prelude::*;

        let tick = now.0 / world.tick.0.max(1);
        self.gusts
            .step(&world.weather, world.seed, tick, world.tick.as_secs());
        let winds = Winds::at(&world.weather, &self.gusts, now);
        let hazards = Hazards::at(world, &self.gusts, !self.few.limping.is_empty(), now);
        let clock = Clock::at(world, now, &winds, &hazards, &self.few.limping);
        let every = clock.eta_ticks;
        let steps: Vec<ChunkStep> = match pool {
            Some(pool) if self.chunks.len() > 1 => pool.install(|| {
                let chunks = self.chunks.par_iter_mut().enumerate();
                chunks
                    .map(|(i, chunk)| step::step_chunk(chunk, i, world, &clock))
                    .collect()
            }),
            _ => {
                let chunks = self.chunks.iter_mut().enumerate();
                chunks
                    .map(|(i, chunk)| step::step_chunk(chunk, i, world, &clock))
                    .collect()
            }
        };
        self.fingerprints.clear();
        let (mut events, mut in_trouble) = (Vec::new(), Vec::new());
        for step in steps {
            self.fingerprints.push(step.fingerprint);
            events.extend(step.events);
            in_trouble.extend(step.in_trouble);
            for (_, departure) in step.departures {
                self.depart(world, departure);
            }
        }
        // Who has left the air in this tick is in no trouble any more.
        in_trouble.retain(|(drone, _)| self.is_airborne(*drone));
        events.extend(self.few.episodes.hear(&in_trouble, world, tick, every));
        events.sort_by_key(|event| event.drone);
        events
    }

    /// Takes off with, or in the air changes to, this plan. A plan for a drone in the air begins
    /// with how it moves.
    pub fn fly(
        &mut self,
        world: &World,
        drone: DroneId,
        plan: FlightPlan,
        now: SimTime,
    ) -> Result<(), Discontinuous> {
        let place = *self.places.get(drone.index()).ok_or(Discontinuous)?;
        match place {
            LOST => Err(Discontinuous),
            ON_GROUND => {
                let hub = world.hub(self.ground.get(drone).hub);
                let (start, height_m) = plan.start();
                if start.distance(hub.at) > START_TOLERANCE_M || height_m > START_TOLERANCE_M {
                    return Err(Discontinuous);
                }
                let energy_wh = self.ground.energy_wh(world, drone, now);
                self.take_off(world, drone, plan, energy_wh, now)
            }
            _ => self.change_plan(world, place as usize, plan, now),
        }
    }

    /// Puts a drone that is on the ground into the air at the start of a plan: how a
    /// world begins with drones on their way home.
    pub fn place_aloft(
        &mut self,
        world: &World,
        drone: DroneId,
        plan: FlightPlan,
        energy_wh: f64,
        now: SimTime,
    ) -> Result<(), Discontinuous> {
        match self.places.get(drone.index()) {
            Some(&ON_GROUND) => self.take_off(world, drone, plan, energy_wh, now),
            _ => Err(Discontinuous),
        }
    }

    /// Plugs a grounded drone in, or out. No effect on one in the air.
    pub fn set_charging(&mut self, world: &World, drone: DroneId, charging: bool, now: SimTime) {
        if self.is_grounded(drone) {
            self.ground.set_charging(world, drone, charging, now);
        }
    }

    /// Takes an airborne drone out of the sky for good, where it is. `None` where it is not
    /// in the air.
    pub fn bring_down(&mut self, world: &World, drone: DroneId, now: SimTime) -> Option<(Point, FlightLog)> {
        let (chunk, i) = self.row_of(drone)?;
        let (at, log) = endings::flown_so_far(chunk, i, now.as_secs());
        let energy_wh = chunk.motion(i).energy_wh;
        self.depart(
            world,
            Departure {
                drone,
                landed_at: None,
                used_wh: log.energy_wh,
                energy_wh,
            },
        );
        Some((at, log))
    }

    /// `None` while in the air or lost.
    pub fn grounded(&self, drone: DroneId) -> Option<Grounded> {
        self.is_grounded(drone).then(|| self.ground.get(drone))
    }

    /// What the battery holds now, in the air or on the ground; `None` once lost.
    pub fn energy_wh(&self, world: &World, drone: DroneId, now: SimTime) -> Option<f64> {
        if let Some((chunk, row)) = self.row_of(drone) {
            return Some(chunk.motion(row).energy_wh);
        }
        let grounded = self.is_grounded(drone);
        grounded.then(|| self.ground.energy_wh(world, drone, now))
    }

    /// What the battery of one that is lost held when it came down.
    pub fn lost_with_wh(&self, drone: DroneId) -> Option<f64> {
        self.is_lost(drone).then(|| self.ground.get(drone).energy_wh)
    }

    pub fn is_airborne(&self, drone: DroneId) -> bool {
        self.row_of(drone).is_some()
    }

    pub fn is_lost(&self, drone: DroneId) -> bool {
        self.places.get(drone.index()) == Some(&LOST)
    }

    pub fn airborne_count(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    /// All airborne drones, in the columns' own order.
    pub fn airborne(&self) -> impl Iterator<Item = Airborne> + '_ {
        let rows = |chunk| (0..Chunk::len(chunk)).map(move |i| airborne(chunk, i));
        self.chunks.iter().flat_map(rows)
    }

    /// One airborne drone; `None` while on the ground or lost.
    pub fn airborne_one(&self, drone: DroneId) -> Option<Airborne> {
        self.row_of(drone).map(|(chunk, row)| airborne(chunk, row))
    }

    /// What an airborne drone flies by, and the second at which it would have begun had all
    /// of it gone as what is left of it now promises.
    pub fn plan_of(&self, drone: DroneId, now: SimTime) -> Option<(&FlightPlan, f64)> {
        let (chunk, row) = self.row_of(drone)?;
        let flight = &chunk.flights[row];
        let leg_end_s = now.as_secs() + eta::seconds_left_of_leg(chunk, row);
        let legs = &flight.plan.legs()[..=flight.leg as usize];
        let planned_s: f64 = legs.iter().map(|leg| leg.duration_s).sum();
        Some((&flight.plan, leg_end_s - planned_s))
    }

    /// One number per chunk over the bits of positions and batteries, for the digest;
    /// made by the last step while the columns were at hand.
    pub fn fingerprints(&self) -> impl Iterator<Item = u64> + '_ {
        self.fingerprints.iter().copied()
    }

    fn is_grounded(&self, drone: DroneId) -> bool {
        self.places.get(drone.index()) == Some(&ON_GROUND)
    }

    fn row_of(&self, drone: DroneId) -> Option<(&Chunk, usize)> {
        match *self.places.get(drone.index())? {
            ON_GROUND | LOST => None,
            place => Some((
                &self.chunks[place as usize / CHUNK_ROWS],
                place as usize % CHUNK_ROWS,
            )),
        }
    }

    fn take_off(
        &mut self,
        world: &World,
        drone: DroneId,
        plan: FlightPlan,
        energy_wh: f64,
        now: SimTime,
    ) -> Result<(), Discontinuous> {
        let model = world.fleet_of(drone).ok_or(Discontinuous)?.model;
        let (flight, mut row) = new_flight(world, drone, model, plan, energy_wh, now);
        let flown = self.few.limping.model_of(world, drone, model);
        row.begin_leg(&flight, world, &flown, &world.air(now), 0.0);
        row.motion.heading = row.motion.course;
        if self.chunks.last().is_none_or(Chunk::is_full) {
            self.chunks.push(Chunk::default());
        }
        let last = self.chunks.len() - 1;
        self.places[drone.index()] = (last * CHUNK_ROWS + self.chunks[last].len()) as u32;
        self.chunks[last].push(&row, flight);
        Ok(())
    }

    fn change_plan(
        &mut self,
        world: &World,
        place: usize,
        plan: FlightPlan,
        now: SimTime,
    ) -> Result<(), Discontinuous> {
        let (chunk, i) = (&mut self.chunks[place / CHUNK_ROWS], place % CHUNK_ROWS);
        let old = chunk.motion(i);
        let (start, height_m) = plan.start();
        let at = Point { x: old.x, y: old.y };
        let height_off_m = (height_m - f64::from(old.height)).abs();
        if start.distance(at) > START_TOLERANCE_M || height_off_m > START_TOLERANCE_M {
            return Err(Discontinuous);
        }
        let speed = speed_onto(&old, &plan).ok_or(Discontinuous)?;
        let before = &chunk.flights[i];
        let (mut flight, mut row) = new_flight(world, old.drone, before.model, plan, old.energy_wh, now);
        flight.energy_at_start_wh = before.energy_at_start_wh;
        flight.airborne_since = before.airborne_since;
        flight.distance_before_m = before.distance_before_m + distance_on_leg_m(&old, before);
        row.motion.alarm_wh = old.alarm_wh;
        // Whoever brakes, holds or climbs keeps its nose where it was to point.
        row.motion.course = old.course;
        let model = self.few.limping.model_of(world, old.drone, flight.model);
        row.begin_leg(&flight, world, &model, &world.air(now), speed);
        row.motion.heading = old.heading;
        chunk.set_row(i, &row);
        chunk.flights[i] = flight;
        self.forget_what_is_over(world, &old, now);
        Ok(())
    }

    /// Takes a drone out of the air. The last row moves into its place.
    fn depart(&mut self, world: &World, departure: Departure) {
        self.few.limping.remove(departure.drone);
        self.few.episodes.forget(departure.drone);
        let drone = departure.drone.index();
        let place = self.places[drone] as usize;
        let last = self.chunks.len() - 1;
        let (row, flight) = self.chunks[last].pop().expect("a chunk is never empty");
        if row.motion.drone != departure.drone {
            self.places[row.motion.drone.index()] = place as u32;
            let (chunk, i) = (&mut self.chunks[place / CHUNK_ROWS], place % CHUNK_ROWS);
            chunk.set_row(i, &row);
            chunk.flights[i] = flight;
        }
        if self.chunks[last].len() == 0 {
            self.chunks.pop();
        }
        match departure.landed_at {
            None => {
                self.places[drone] = LOST;
                self.ground.lie(departure.drone, departure.energy_wh);
            }
            Some(at) => {
                self.places[drone] = ON_GROUND;
                let Departure {
                    drone,
                    used_wh,
                    energy_wh,
                    ..
                } = departure;
                self.ground.land(world, drone, at, used_wh, energy_wh);
            }
        }
    }
}
