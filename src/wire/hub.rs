//! A hub as an object, in snapshots of the WebSocket interface.

use serde::Serialize;

use super::place::Location;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hub {
    pub id: String,
    pub name: String,
    pub location: Location,
    pub pads: u32,
    pub chargers: u32,
    /// Drones that charge.
    pub charging: u32,
    /// Drones that wait for a charger.
    pub queued: u32,
    /// Drones on the ground that do not charge, those that wait among them.
    pub parked: u32,
}
