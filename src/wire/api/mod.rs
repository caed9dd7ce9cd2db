//! Bodies of the HTTP interface: one file a resource, shapes only.
//!
//! Names and spellings are the reference's where it has them. Answers can be read back
//! with the same types, so that clients of our own need no second set.

pub mod deliveries;
pub mod delivery_requests;
pub mod drones;
pub mod map;
mod names;
pub mod problem;
pub mod simulation;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A place in degrees (WGS 84); altitude in metres above the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    #[schema(example = 0.0)]
    pub altitude: f64,
    #[schema(example = 37.7599)]
    pub latitude: f64,
    #[schema(example = -122.4148)]
    pub longitude: f64,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required)]
    pub next: Option<String>,
}

/// All is well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: String,
}
