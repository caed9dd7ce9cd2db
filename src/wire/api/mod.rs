//! Bodies of the HTTP interface: one file a resource, shapes only.
//!
//! Names and spellings are the reference's where it has them. Answers can be read back
//! with the same types, so that clients of our own need no second set.

pub mod accounts;
pub mod changes;
pub mod deliveries;
pub mod delivery_requests;
pub mod drones;
pub mod faults;
pub mod forks;
pub mod history;
pub mod map;
mod names;
pub mod packages;
pub mod problem;
pub mod recording;
pub mod roster;
pub mod routes;
pub mod simulation;
pub mod supervisor;
pub mod third_party;
pub mod timeline;
pub mod tokens;
pub mod world;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
