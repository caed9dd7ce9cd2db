//! A place as bodies and messages show it.

use serde::Serialize;

use crate::sim::geo::LatLon;

/// Degrees (WGS 84) to six decimals, about 0.1 m; altitude in metres above the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Location {
    pub altitude: f64,
    pub latitude: f64,
    pub longitude: f64,
}

impl Location {
    pub fn new(at: LatLon, height_m: f64) -> Self {
        Location {
            altitude: rounded(height_m, 10.0),
            latitude: rounded(at.lat, 1e6),
            longitude: rounded(at.lon, 1e6),
        }
    }
}

/// The nearest multiple of one `parts`th.
pub fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
