//! One drone at one moment, as telemetry that stands by itself: what `skyhaul emit` sends.

use serde::{Deserialize, Serialize};

use super::api::map::PointGeometry;
use super::drone::Drone;

/// A drone as the API shows it, and when it was so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
    #[serde(flatten)]
    pub drone: Drone,
    pub tick: u64,
    pub sim_time: String,
    /// Milliseconds of Unix time, by the wall clock, at which it was sent.
    pub sent_at: u64,
}

/// The same as a GeoJSON feature (RFC 7946).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TelemetryFeature {
    /// `Feature`
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub geometry: PointGeometry,
    pub properties: Telemetry,
}

impl From<Telemetry> for TelemetryFeature {
    fn from(telemetry: Telemetry) -> Self {
        let at = telemetry.drone.location;
        TelemetryFeature {
            kind: "Feature".to_owned(),
            id: telemetry.drone.id.clone(),
            geometry: PointGeometry {
                kind: "Point".to_owned(),
                coordinates: [at.longitude, at.latitude, at.altitude],
            },
            properties: telemetry,
        }
    }
}
