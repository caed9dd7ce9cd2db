//! Flight plans: a mission as legs with times and energies, known before take-off.

use serde::{Deserialize, Serialize};

use super::geo::Point;
use super::wind::Weather;
use super::world::Model;

/// What a drone does on a leg; people see it as [`super::drone::DroneStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Climb,
    /// On the way to pick-up or drop-off.
    Cruise,
    Descend,
    /// Taking up or lowering a package, in hover (or on the ground).
    Handover,
    /// Any leg after drop-off: climbing, cruising, descending home.
    Return,
}

/// What the end of a leg means to the drone's actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Milestone {
    /// The package is on board.
    PickedUp,
    /// The package is at its drop-off.
    Delivered,
    /// Down at a hub; the flight is over.
    Landed,
}

/// The legs of a whole flight, from a take-off to a landing (internals: physics).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightPlan {}

/// A plan with what a planner must know of it.
#[derive(Clone, Debug)]
pub struct Mission {
    pub plan: FlightPlan,
    /// Seconds after the start.
    pub pickup_s: f64,
    pub delivery_s: f64,
    pub landing_s: f64,
    /// Whole flight, out, drop and home.
    pub energy_wh: f64,
    /// Over the ground.
    pub distance_m: f64,
}

/// Where a delivery flight goes: from a hub, to the pick-up, to the drop-off, home.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errand {
    pub hub: Point,
    pub pickup: Point,
    pub dropoff: Point,
    pub home: Point,
    pub payload_kg: f64,
}

/// Why no plan exists, whatever the battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
    #[error("the payload is heavier than the type carries")]
    TooHeavy,
    #[error("the wind is too strong for the type on one of the legs")]
    TooWindy,
}

/// Seconds from the start until the package is on board: what dispatch compares.
/// Equal to [`Mission::pickup_s`] of the same errand.
pub fn time_to_pickup(_model: &Model, _weather: &Weather, _errand: &Errand) -> Result<f64, Infeasible> {
    todo!()
}

/// The whole mission. Whether a battery can do it is the caller's to compare.
pub fn plan_delivery(_model: &Model, _weather: &Weather, _errand: &Errand) -> Result<Mission, Infeasible> {
    todo!()
}

/// Home from a place in the air at cruise height, at rest: cruise, descend, land.
pub fn plan_return(
    _model: &Model,
    _weather: &Weather,
    _from: Point,
    _home: Point,
) -> Result<Mission, Infeasible> {
    todo!()
}
