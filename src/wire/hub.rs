//! A hub as an object.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::place::Location;
use crate::sim::ids::ModelId;
use crate::sim::weather::Breach;
use crate::sim::world::World;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hub {
    #[schema(example = "mission")]
    pub id: String,
    pub name: String,
    pub location: Location,
    pub pads: u32,
    pub chargers: u32,
    /// Drones that charge. As the five below, `null` to who is not an operator.
    #[schema(required)]
    pub charging: Option<u32>,
    /// Drones that wait for a charger.
    #[schema(required)]
    pub queued: Option<u32>,
    /// Drones in the air that wait for a pad to land on.
    #[schema(required)]
    pub holding: Option<u32>,
    /// Drones on the ground that have a delivery, or a way home, and wait to leave: for a pad, for
    /// the hub to open, for the weather, or for a free way. They are `parked`.
    #[schema(required)]
    pub departing: Option<u32>,
    /// So many landings so far found no pad in time, and were made beside them.
    #[schema(required)]
    pub beside_pads: Option<u32>,
    /// Drones on the ground that do not charge, those that wait among them.
    #[schema(required)]
    pub parked: Option<u32>,
    /// Nobody takes off, who waits for a pad neither: a `hub_closed` fault. Landing and charging go
    /// on.
    pub closed: bool,
    /// When a closed hub opens; `null` where it is open, or stays closed until another
    /// `hub_closed` says when it opens. RFC 3339, simulated.
    #[schema(required)]
    pub closed_until: Option<String>,
    /// Types of drones that the weather keeps here, as forecast or as seen: none of them takes off, whatever it waits for.
    pub ground_stops: Vec<GroundStop>,
}

/// A type of drones that stays on the ground, and for what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GroundStop {
    #[schema(example = "wing")]
    pub model: String,
    pub reason: Breach,
}

impl GroundStop {
    pub fn new(world: &World, model: ModelId, reason: Breach) -> Self {
        GroundStop {
            model: world.model(model).key.clone(),
            reason,
        }
    }
}
