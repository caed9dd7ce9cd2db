//! A drone's planned route as GeoJSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::map::PointGeometry;

/// Where a drone in the air is going, as GeoJSON (RFC 7946): one line for each part of its
/// mission in the order of flight, then its way-points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteCollection {
    /// `FeatureCollection`
    #[serde(rename = "type")]
    pub kind: String,
    #[schema(example = "d-17")]
    pub drone_id: String,
    /// The delivery that it has yet to bring to its end.
    #[schema(required)]
    pub delivery_id: Option<String>,
    pub features: Vec<RouteFeature>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RouteFeature {
    Leg(LegFeature),
    WayPoint(WayPointFeature),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LegFeature {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub geometry: LineGeometry,
    pub properties: LegProperties,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineGeometry {
    /// `LineString`
    #[serde(rename = "type")]
    pub kind: String,
    /// Longitude, latitude, metres above the ground.
    pub coordinates: Vec<[f64; 3]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LegProperties {
    pub leg: RouteLeg,
    /// When each of the coordinates is expected to be reached: pick-up and drop-off at the times of
    /// the delivery's status. RFC 3339, simulated.
    pub times: Vec<String>,
}

/// What a part of a mission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RouteLeg {
    ToPickup,
    ToDropoff,
    Home,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WayPointFeature {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub geometry: PointGeometry,
    pub properties: WayPointProperties,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WayPointProperties {
    pub way_point: WayPoint,
    pub leg: RouteLeg,
    /// When it is expected to be passed, or its stay there to end: of pick-up and drop-off the
    /// times of the delivery's status. RFC 3339, simulated.
    pub time: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WayPoint {
    /// A change of course.
    Turn,
    Pickup,
    Dropoff,
    Landing,
}
