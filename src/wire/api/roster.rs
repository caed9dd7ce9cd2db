//! Drones and hubs that operators add.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Drones to be, parked at their hub with full batteries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"hub": "mission", "model": "wing", "count": 3}))]
pub struct NewDrones {
    /// The id of the hub where they live.
    pub hub: String,
    /// A drone type that this world flies already, or one of the catalogue's.
    pub model: String,
    /// One where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000)]
    pub count: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedDrones {
    /// In order.
    #[schema(example = json!(["d-120", "d-121", "d-122"]))]
    pub ids: Vec<String>,
}

/// A hub to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "presidio", "name": "Presidio hub", "pads": 8, "chargers": 16,
    "location": {"latitude": 37.7989, "longitude": -122.4662},
}))]
pub struct NewHub {
    /// Lower-case letters, digits, `-` and `_`.
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub id: String,
    /// The id where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub name: Option<String>,
    pub location: GroundPlace,
    /// 8 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub pads: Option<u32>,
    /// 16 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub chargers: Option<u32>,
}

/// A place on the ground within the world's area, degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroundPlace {
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: f64,
    /// Passed over: a hub stands on the ground.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}
