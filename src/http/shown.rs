//! Numbers and places as they are shown: no more digits than they are good for.

use crate::sim::geo::LatLon;
use crate::sim::order::Stop;
use crate::wire::api::Location;

/// About a centimetre, in degrees.
const DEGREE_DECIMALS: f64 = 1e7;
const HEIGHT_DECIMALS: f64 = 1e2;

/// `decimals` is the power of ten that the last digit shown is of: 100 for two decimals.
pub fn rounded(value: f64, decimals: f64) -> f64 {
    (value * decimals).round() / decimals
}

pub fn location(at: LatLon, height_m: f64) -> Location {
    Location {
        altitude: rounded(height_m, HEIGHT_DECIMALS),
        latitude: rounded(at.lat, DEGREE_DECIMALS),
        longitude: rounded(at.lon, DEGREE_DECIMALS),
    }
}

/// A client's own place, digit for digit.
pub fn stop(stop: &Stop) -> Location {
    Location {
        altitude: stop.altitude_m,
        latitude: stop.location.lat,
        longitude: stop.location.lon,
    }
}
