//! The sky: positions, speeds, legs and batteries of all drones as columns.

use serde::{Deserialize, Serialize};

use super::drone::DroneStatus;
use super::flight::{FlightPlan, Milestone};
use super::geo::Point;
use super::ids::{DroneId, HubId};
use super::time::SimTime;
use super::world::World;

/// What the sky tells about one drone after a step; in drone order.
#[derive(Clone, Debug, PartialEq)]
pub struct FlightEvent {
    pub drone: DroneId,
    pub kind: FlightEventKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FlightEventKind {
    /// The end of a leg that means something; `Landed` comes with `FlightLog`.
    Reached(Milestone),
    /// Down at the hub; the drone has left the airborne columns.
    Landed(FlightLog),
    LowBattery,
    /// The battery is empty: the drone has left the sky for good.
    Exhausted {
        at: Point,
        log: FlightLog,
    },
    /// The expected times moved by more than the threshold since they were last told.
    EtaMoved {
        pickup: SimTime,
        delivery: SimTime,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightLog {
    pub energy_wh: f64,
    pub distance_m: f64,
    pub airborne_s: f64,
}

/// One airborne drone as the read side sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Airborne {
    pub drone: DroneId,
    pub at: Point,
    pub height_m: f64,
    /// Where the nose points, radians clockwise from north, 0 to 2π.
    pub heading_rad: f64,
    pub ground_speed_mps: f64,
    pub vertical_speed_mps: f64,
    pub energy_wh: f64,
    pub payload_kg: f64,
    pub status: DroneStatus,
    /// Expected times as of the last ETA pass; `None` once passed.
    pub pickup_eta: Option<SimTime>,
    pub delivery_eta: Option<SimTime>,
}

/// A drone on the ground. Charging is not stepped: the charge follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grounded {
    pub hub: HubId,
    /// At `charging_since`, or for good while not charging.
    pub energy_wh: f64,
    pub charging_since: Option<SimTime>,
}

/// A plan that cannot be flown from where the drone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan does not start where the drone is")]
pub struct Discontinuous;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sky {}

impl Sky {
    /// Everyone on the ground at their hub with a full battery.
    pub fn new(_world: &World) -> Self {
        todo!()
    }

    /// Moves every airborne drone by one tick, ending at `now`. Flight events come out in
    /// drone order, whatever the threads of `pool` (none: this thread alone).
    pub fn step(
        &mut self,
        _world: &World,
        _now: SimTime,
        _pool: Option<&rayon::ThreadPool>,
    ) -> Vec<FlightEvent> {
        todo!()
    }

    /// Takes off with, or in the air changes to, this plan.
    pub fn fly(
        &mut self,
        _world: &World,
        _drone: DroneId,
        _plan: FlightPlan,
        _now: SimTime,
    ) -> Result<(), Discontinuous> {
        todo!()
    }

    /// Plugs a grounded drone in, or out. No effect on one in the air.
    pub fn set_charging(&mut self, _world: &World, _drone: DroneId, _charging: bool, _now: SimTime) {
        todo!()
    }

    /// `None` while in the air or lost.
    pub fn grounded(&self, _drone: DroneId) -> Option<Grounded> {
        todo!()
    }

    pub fn is_airborne(&self, _drone: DroneId) -> bool {
        todo!()
    }

    pub fn airborne_count(&self) -> usize {
        todo!()
    }

    /// All airborne drones, in the columns' own order.
    pub fn airborne(&self) -> impl Iterator<Item = Airborne> + '_ {
        std::iter::empty()
    }

    /// One number per chunk over the bits of positions and batteries, for the digest;
    /// made by the last step while the columns were at hand.
    pub fn fingerprints(&self) -> impl Iterator<Item = u64> + '_ {
        std::iter::empty()
    }
}
