//! Drones as GeoJSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::map::PointGeometry;
use crate::wire::drone::Drone;

/// All drones that were asked for, as GeoJSON (RFC 7946).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DroneCollection {
    /// `FeatureCollection`
    #[serde(rename = "type")]
    pub kind: String,
    pub features: Vec<DroneFeature>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DroneFeature {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub geometry: PointGeometry,
    pub properties: Drone,
}
