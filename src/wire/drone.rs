//! A drone as an object, in snapshots of the WebSocket interface.

use serde::Serialize;

use super::place::Location;
use crate::sim::drone::DroneStatus;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drone {
    pub id: String,
    pub model: String,
    /// Where it belongs.
    pub hub: String,
    pub status: DroneStatus,
    pub location: Location,
    /// Degrees clockwise from north.
    pub heading: f64,
    /// m/s
    pub ground_speed: f64,
    /// m/s, positive upwards.
    pub vertical_speed: f64,
    /// State of charge, 0 to 1.
    pub battery: f64,
    /// The delivery that it has yet to bring to its end.
    pub delivery_id: Option<String>,
    pub payload_kg: f64,
}
