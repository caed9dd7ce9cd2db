//! A place as bodies and messages show it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::geo::LatLon;
use crate::sim::order::Stop;

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

impl Location {
    /// To six decimals of a degree, about 0.1 m, as in position rows.
    pub fn new(at: LatLon, height_m: f64) -> Self {
        Location {
            altitude: rounded(height_m, 10.0),
            latitude: rounded(at.lat, 1e6),
            longitude: rounded(at.lon, 1e6),
        }
    }

    /// A client's own place, digit for digit.
    pub fn of_stop(stop: &Stop) -> Self {
        Location {
            altitude: stop.altitude_m,
            latitude: stop.location.lat,
            longitude: stop.location.lon,
        }
    }
}

/// The nearest multiple of one `parts`th.
pub fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
