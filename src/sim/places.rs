//! Places as people write them: coordinates or names, turned into stops.

use super::geo::{Area, LatLon};
use super::order::Stop;
use super::random::{Purpose, Stream};
use super::world::{UnknownPlaces, World};

/// Why a text names no place in this world.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlaceError {
    #[error("the place is empty")]
    Empty,
    #[error("a place has 2 coordinates (latitude,longitude) or 3 (altitude,latitude,longitude), not {count}")]
    CoordinateCount { count: usize },
    #[error("latitude {latitude} is not within -90 and 90")]
    Latitude { latitude: f64 },
    #[error("longitude {longitude} is not within -180 and 180")]
    Longitude { longitude: f64 },
    #[error("altitude {altitude} is not a finite number of metres")]
    Altitude { altitude: f64 },
    #[error("there is no place \"{name}\" in this world")]
    Unknown { name: String },
}

/// A place is `"altitude,latitude,longitude"`, `"latitude,longitude"`, or a name.
pub fn resolve_place(world: &World, text: &str) -> Result<Stop, PlaceError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(PlaceError::Empty);
    }
    if let Some(coordinates) = coordinates(text) {
        return stop_at(&coordinates);
    }
    let listed = world.places.iter().find(|place| is_same_name(&place.name, text));
    let location = match (listed, world.unknown_places) {
        (Some(place), _) => place.location,
        (None, UnknownPlaces::Scatter) => scattered_place(&world.area, text),
        (None, UnknownPlaces::Refuse) => {
            return Err(PlaceError::Unknown {
                name: text.to_owned(),
            });
        }
    };
    Ok(Stop {
        location,
        altitude_m: 0.0,
    })
}

/// The numbers of a text that is nothing but numbers and commas; infinities and
/// not-a-number count as numbers here, to be refused as such.
pub fn coordinates(text: &str) -> Option<Vec<f64>> {
    text.split(',').map(|part| part.trim().parse().ok()).collect()
}

fn stop_at(coordinates: &[f64]) -> Result<Stop, PlaceError> {
    let (altitude, latitude, longitude) = match *coordinates {
        [latitude, longitude] => (0.0, latitude, longitude),
        [altitude, latitude, longitude] => (altitude, latitude, longitude),
        _ => {
            return Err(PlaceError::CoordinateCount {
                count: coordinates.len(),
            });
        }
    };
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(PlaceError::Latitude { latitude });
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(PlaceError::Longitude { longitude });
    }
    if !altitude.is_finite() {
        return Err(PlaceError::Altitude { altitude });
    }
    Ok(Stop {
        location: LatLon {
            lat: latitude,
            lon: longitude,
        },
        altitude_m: altitude,
    })
}

/// Two spellings of a name are one place when this is the same.
pub fn normal_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// As comparing [`normal_name`]s, at no cost for the names that most places have: this
/// runs over all places for each request.
fn is_same_name(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        one.trim().eq_ignore_ascii_case(other.trim())
    } else {
        normal_name(one) == normal_name(other)
    }
}

/// A fixed point on land made from the name's letters and the area alone, so that every
/// seed and every day puts it in the same spot.
pub fn scattered_place(area: &Area, name: &str) -> LatLon {
    const ATTEMPTS: u32 = 10_000;
    let letters = blake3::hash(normal_name(name).as_bytes());
    let entity = u64::from_le_bytes(letters.as_bytes()[..8].try_into().expect("a hash has 32 bytes"));
    let mut stream = Stream::new(0, entity, Purpose::ScatteredPlace);
    for _ in 0..ATTEMPTS {
        let candidate = area.bounds.at(stream.uniform(), stream.uniform());
        if area.is_land(candidate) {
            return candidate;
        }
    }
    area.bounds.middle()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::geo::{BoundingBox, LocalFrame};
    use proptest::prelude::*;

    /// Only the western half is land.
    fn half_land() -> Area {
        let bounds = BoundingBox {
            west: -122.6,
            south: 37.6,
            east: -122.4,
            north: 37.8,
        };
        let west = geo::Rect::new((bounds.west, bounds.south), (-122.5, bounds.north)).to_polygon();
        Area {
            bounds,
            frame: LocalFrame::at(bounds.middle()),
            land: Some(geo::MultiPolygon(vec![west])),
            ground_m: 0.0,
            geoid_m: 0.0,
        }
    }

    #[test]
    fn coordinates_come_with_or_without_altitude() {
        let stop = |text| stop_at(&coordinates(text).unwrap());
        let at = |lat, lon, altitude_m| {
            Ok(Stop {
                location: LatLon { lat, lon },
                altitude_m,
            })
        };
        assert_eq!(
            stop("0,36.778261,-119.41793200000001"),
            at(36.778261, -119.41793200000001, 0.0)
        );
        assert_eq!(stop("37.77, -122.4"), at(37.77, -122.4, 0.0));
        assert_eq!(stop("12.5,90,180"), at(90.0, 180.0, 12.5));
        assert_eq!(stop("1,2,3,4"), Err(PlaceError::CoordinateCount { count: 4 }));
        assert_eq!(stop("42"), Err(PlaceError::CoordinateCount { count: 1 }));
        assert_eq!(stop("91,0"), Err(PlaceError::Latitude { latitude: 91.0 }));
        assert_eq!(stop("0,-180.5"), Err(PlaceError::Longitude { longitude: -180.5 }));
        assert!(matches!(stop("NaN,0"), Err(PlaceError::Latitude { .. })));
        assert!(matches!(stop("inf,0,0"), Err(PlaceError::Altitude { .. })));
        assert_eq!(coordinates("Austin, TX"), None);
        assert_eq!(coordinates("94103, San Francisco"), None);
    }

    #[test]
    fn scattered_places_differ_and_do_not_depend_on_capitals() {
        let area = half_land();
        let place = |name| scattered_place(&area, name);
        assert_eq!(place("drop off"), place(" Drop Off "));
        assert_ne!(place("drop off"), place("my pickup"));
    }

    proptest! {
        #[test]
        fn names_are_the_same_when_their_normal_forms_are(one in "[ aAkK\u{212A}é]{0,3}", other in "[ aAkK\u{212A}É]{0,3}") {
            prop_assert_eq!(is_same_name(&one, &other), normal_name(&one) == normal_name(&other));
        }

        #[test]
        fn scattered_places_are_on_land(name in ".*") {
            let area = half_land();
            prop_assert!(area.is_land(scattered_place(&area, &name)));
        }
    }
}
