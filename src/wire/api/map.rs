//! What stands still: hubs, and no-fly zones as GeoJSON (RFC 7946).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PointGeometry {
    /// `Point`
    #[serde(rename = "type")]
    pub kind: String,
    /// Longitude, latitude, metres above the ground.
    pub coordinates: [f64; 3],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolygonGeometry {
    /// `Polygon`
    #[serde(rename = "type")]
    pub kind: String,
    /// Closed rings of longitude and latitude, the outer one first and counter-clockwise.
    pub coordinates: Vec<Vec<[f64; 2]>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ZoneCollection {
    /// `FeatureCollection`
    #[serde(rename = "type")]
    pub kind: String,
    pub features: Vec<ZoneFeature>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ZoneFeature {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub geometry: PolygonGeometry,
    pub properties: ZoneProperties,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ZoneProperties {
    pub name: String,
    /// Metres above `reference`.
    pub floor: f64,
    /// Metres above `reference`.
    pub ceiling: f64,
    pub reference: HeightReference,
}

/// Above ground level, or above mean sea level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HeightReference {
    Agl,
    Amsl,
}
