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
    /// In force from then on; not there for one that is in force from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// And no more from then on; not there for one that stays for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A no-fly zone to be: a feature with one ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [[
        [-122.392, 37.770], [-122.386, 37.770], [-122.386, 37.776], [-122.392, 37.776], [-122.392, 37.770],
    ]]},
    "properties": {"name": "Fire", "ceiling": 120},
}))]
pub struct NewZone {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub geometry: PolygonGeometry,
    pub properties: NewZoneProperties,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewZoneProperties {
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    /// Metres above `reference`; 0 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -500, maximum = 20_000)]
    pub floor: Option<f64>,
    /// Metres above `reference`; 120 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -500, maximum = 20_000)]
    pub ceiling: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<HeightReference>,
    /// A date; from the start where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// A date; for good where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Above ground level, or above mean sea level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HeightReference {
    Agl,
    Amsl,
}
