//! Places and areas in degrees.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::diagnostic::{Log, Span, counted};
use super::fields::{Kind, kind_of};
use super::kinds::read_number;
use crate::sim::geo::{BoundingBox, LatLon};

/// `[latitude, longitude]`.
pub(super) struct Location;

impl Kind for Location {
    type Out = LatLon;

    fn schema(&self) -> Value {
        json!({
            "type": "array",
            "prefixItems": [
                {"type": "number", "minimum": -90, "maximum": 90},
                {"type": "number", "minimum": -180, "maximum": 180},
            ],
            "minItems": 2,
            "maxItems": 2,
        })
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<LatLon> {
        let [lat, lon] = read_numbers(
            name,
            value,
            span,
            log,
            "[latitude, longitude], as in [37.7599, -122.4148]",
        )?;
        checked_location(name, lat, lon, span, log)
    }
}

/// Latitude within ±90 and longitude within ±180, with a hint where they seem swapped.
fn checked_location(name: &str, lat: f64, lon: f64, span: &Span, log: &mut Log) -> Option<LatLon> {
    if lat.abs() <= 90.0 && lon.abs() <= 180.0 {
        return Some(LatLon { lat, lon });
    }
    let (message, remedy) = if lon.abs() <= 90.0 && lat.abs() <= 180.0 {
        (
            format!("`{name}` has latitude and longitude the wrong way round"),
            format!("latitude comes first: [{lon}, {lat}]"),
        )
    } else {
        (
            format!("`{name}` [{lat}, {lon}] is no place on earth"),
            "latitude is within ±90, longitude within ±180".to_owned(),
        )
    };
    log.error(span, message, remedy);
    None
}

/// Exactly `N` finite numbers.
fn read_numbers<const N: usize>(
    name: &str,
    value: &DeValue<'_>,
    span: &Span,
    log: &mut Log,
    shape: &str,
) -> Option<[f64; N]> {
    let items = match value {
        DeValue::Array(items) if items.len() == N => items,
        DeValue::Array(items) => {
            let message = format!("`{name}` has {}, not {N}", counted(items.len(), "number"));
            log.error(span, message, format!("write {shape}"));
            return None;
        }
        other => {
            let message = format!("`{name}` is {}, not a list of {N} numbers", kind_of(other));
            log.error(span, message, format!("write {shape}"));
            return None;
        }
    };
    let mut numbers = [0.0; N];
    let mut complete = true;
    for (number, item) in numbers.iter_mut().zip(items.iter()) {
        match read_number(name, item.get_ref(), &item.span(), log) {
            Some(read) => *number = read,
            None => complete = false,
        }
    }
    complete.then_some(numbers)
}

/// `[west, south, east, north]`.
pub(super) struct Bounds;

impl Kind for Bounds {
    type Out = BoundingBox;

    fn schema(&self) -> Value {
        let longitude = json!({"type": "number", "minimum": -180, "maximum": 180});
        let latitude = json!({"type": "number", "minimum": -85, "maximum": 85});
        json!({
            "type": "array",
            "prefixItems": [longitude, latitude, longitude, latitude],
            "minItems": 4,
            "maxItems": 4,
        })
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<BoundingBox> {
        const SHAPE: &str = "[west, south, east, north], as in [-122.52, 37.70, -122.35, 37.83]";
        let [west, south, east, north] = read_numbers(name, value, span, log, SHAPE)?;
        let in_range = |lon: f64, lat: f64| lon.abs() <= 180.0 && lat.abs() <= 85.0;
        let bounds = BoundingBox {
            west,
            south,
            east,
            north,
        };
        let problem = if !in_range(west, south) || !in_range(east, north) {
            if in_range(south, west) && in_range(north, east) {
                (
                    format!("`{name}` has latitude and longitude the wrong way round"),
                    format!("west comes first: [{south}, {west}, {north}, {east}]"),
                )
            } else {
                (
                    format!("`{name}` is not on the map"),
                    "longitudes are within ±180, latitudes within ±85".to_owned(),
                )
            }
        } else if west >= east {
            (
                format!("`{name}` has its west ({west}) not west of its east ({east})"),
                format!("write {SHAPE}"),
            )
        } else if south >= north {
            (
                format!("`{name}` has its south ({south}) not south of its north ({north})"),
                format!("write {SHAPE}"),
            )
        } else {
            return Some(bounds);
        };
        log.error(span, problem.0, problem.1);
        None
    }
}
