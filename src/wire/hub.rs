//! A hub as an object.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place::Location;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hub {
    #[schema(example = "mission")]
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
