//! What stands still for good, and how to look at it: all that a map needs before the
//! first drone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::place::Location;

/// The scenario's world as a map shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct World {
    #[schema(example = "san-francisco")]
    pub name: String,
    pub description: String,
    /// When the world begins; RFC 3339, simulated.
    pub start: String,
    /// Grows when the world's past is not the one that was published before.
    #[schema(example = "e1")]
    pub epoch: String,
    pub area: Area,
    /// Places that an order may name.
    pub places: Vec<Place>,
    /// Whether a place name that is not listed stands for a fixed point on land; else it
    /// is refused.
    #[serde(rename = "unknownPlaces")]
    pub unknown_places: UnknownPlaces,
    pub drones: u32,
    pub camera: Camera,
    /// The background that the server was started with; null where there is none.
    #[schema(required)]
    pub basemap: Option<Basemap>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Area {
    /// West, south, east, north.
    #[schema(example = json!([-122.52, 37.70, -122.35, 37.83]))]
    pub bbox: [f64; 4],
    /// Land as GeoJSON; the rest of the area is water. Null where all of it is land.
    #[schema(required)]
    pub land: Option<MultiPolygonGeometry>,
    /// Height of the ground above sea level, metres.
    pub ground: f64,
    /// Height of the geoid above the ellipsoid, metres.
    pub geoid: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MultiPolygonGeometry {
    /// `MultiPolygon`
    #[serde(rename = "type")]
    pub kind: String,
    /// Polygons of closed rings of longitude and latitude, the outer ring first.
    pub coordinates: Vec<Vec<Vec<[f64; 2]>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    #[schema(example = "Ferry Building")]
    pub name: String,
    pub location: Location,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnknownPlaces {
    Refuse,
    Scatter,
}

/// A first look that shows where things happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Camera {
    /// Around all hubs and places: west, south, east, north.
    pub bounds: [f64; 4],
}

/// A map to lay under the drones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Basemap {
    pub kind: BasemapKind,
    /// A path of this server, an address, or an address with `{z}`, `{x}` and `{y}`.
    #[schema(example = "/basemap.pmtiles")]
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BasemapKind {
    /// A PMTiles archive, read by ranges.
    Pmtiles,
    /// A MapLibre style.
    Style,
    /// A template of raster tiles.
    Raster,
}
