//! A drone as an object.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place::Location;
use crate::sim::drone::DroneStatus;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drone {
    #[schema(example = "d-17")]
    pub id: String,
    #[schema(example = "wing")]
    pub model: String,
    /// Where it belongs.
    #[schema(example = "mission")]
    pub hub: String,
    pub status: DroneStatus,
    pub location: Location,
    /// Degrees clockwise from north.
    pub heading: f64,
    /// m/s
    pub ground_speed: f64,
    /// m/s, positive upwards.
    pub vertical_speed: f64,
    /// State of charge, 0 to 1: of what a new battery holds when it is full.
    pub battery: f64,
    /// What its own battery holds when it is full: 1 as new.
    pub battery_health: f64,
    /// The delivery that it has yet to bring to its end. One that is `parked` with it waits to
    /// leave.
    #[schema(required)]
    pub delivery_id: Option<String>,
    pub payload_kg: f64,
}
