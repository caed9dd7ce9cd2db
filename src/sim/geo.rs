//! Places on the globe and on the local tangent plane.
//!
//! Everything flies on a plane in metres (x east, y north) that touches the globe in the
//! middle of the world's area; degrees are made only when a place is shown. Within a
//! city (50 km across) distances are off by a few metres at the rim, and the way there
//! and back is exact to a micrometre.

use geo::{Contains, MultiPolygon};
use serde::{Deserialize, Serialize};

/// A place in degrees, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatLon {
    pub lat: f64,
    pub lon: f64,
}

/// A place on the local plane: metres east and north of the area's middle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub fn distance(self, other: Point) -> f64 {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// The unit vector towards `other`; east where both are the same place.
    pub fn direction_to(self, other: Point) -> (f64, f64) {
        let distance = self.distance(other);
        if distance > 0.0 {
            ((other.x - self.x) / distance, (other.y - self.y) / distance)
        } else {
            (1.0, 0.0)
        }
    }
}

/// Along the shortest way over a sphere of the earth's mean radius, metres; within 0.6 % of
/// the truth at any distance. (Haversine; for ways that leave the area and its plane.)
pub fn great_circle_m(from: LatLon, to: LatLon) -> f64 {
    const MEAN_RADIUS_M: f64 = 6_371_008.8;
    let half_sin_squared = |degrees: f64| {
        let sin = libm::sin(degrees.to_radians() / 2.0);
        sin * sin
    };
    let across = libm::cos(from.lat.to_radians()) * libm::cos(to.lat.to_radians());
    let h = half_sin_squared(to.lat - from.lat) + across * half_sin_squared(to.lon - from.lon);
    2.0 * MEAN_RADIUS_M * libm::asin(h.min(1.0).sqrt())
}

/// West, south, east, north in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl BoundingBox {
    pub fn contains(&self, at: LatLon) -> bool {
        (self.west..=self.east).contains(&at.lon) && (self.south..=self.north).contains(&at.lat)
    }

    pub fn middle(&self) -> LatLon {
        LatLon {
            lat: (self.south + self.north) / 2.0,
            lon: (self.west + self.east) / 2.0,
        }
    }

    /// The place at these shares (0 to 1) of the width and the height.
    pub fn at(&self, east_share: f64, north_share: f64) -> LatLon {
        LatLon {
            lat: self.south + (self.north - self.south) * north_share,
            lon: self.west + (self.east - self.west) * east_share,
        }
    }
}

/// The tangent plane: metres per degree at its origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalFrame {
    origin: LatLon,
    metres_per_degree_east: f64,
    metres_per_degree_north: f64,
}

impl LocalFrame {
    /// The plane that touches WGS 84 at `origin`; radii of curvature from the ellipsoid
    /// (Snyder, Map Projections, equations 4-18 and 4-20).
    pub fn at(origin: LatLon) -> Self {
        const EQUATORIAL_RADIUS_M: f64 = 6_378_137.0;
        const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_14;
        let latitude = origin.lat.to_radians();
        let sin = libm::sin(latitude);
        let w2 = 1.0 - ECCENTRICITY_SQUARED * sin * sin;
        let prime_vertical = EQUATORIAL_RADIUS_M / w2.sqrt();
        let meridian = EQUATORIAL_RADIUS_M * (1.0 - ECCENTRICITY_SQUARED) / (w2 * w2.sqrt());
        let radians_per_degree = std::f64::consts::PI / 180.0;
        LocalFrame {
            origin,
            metres_per_degree_east: prime_vertical * libm::cos(latitude) * radians_per_degree,
            metres_per_degree_north: meridian * radians_per_degree,
        }
    }

    pub fn to_point(&self, at: LatLon) -> Point {
        Point {
            x: (at.lon - self.origin.lon) * self.metres_per_degree_east,
            y: (at.lat - self.origin.lat) * self.metres_per_degree_north,
        }
    }

    pub fn to_latlon(&self, at: Point) -> LatLon {
        LatLon {
            lat: self.origin.lat + at.y / self.metres_per_degree_north,
            lon: self.origin.lon + at.x / self.metres_per_degree_east,
        }
    }
}

/// The scenario's area: its box, its plane, and where its land is.
#[derive(Clone, Debug)]
pub struct Area {
    pub bounds: BoundingBox,
    pub frame: LocalFrame,
    /// In degrees; `None` means that all of the box is land.
    pub land: Option<MultiPolygon>,
    /// Height of the ground above sea level, metres.
    pub ground_m: f64,
    /// Height of the geoid above the ellipsoid, metres.
    pub geoid_m: f64,
}

impl Area {
    pub fn is_land(&self, at: LatLon) -> bool {
        self.bounds.contains(at)
            && self
                .land
                .as_ref()
                .is_none_or(|land| land.contains(&geo::Point::new(at.lon, at.lat)))
    }

    pub fn point(&self, at: LatLon) -> Point {
        self.frame.to_point(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_has_its_published_length() {
        // WGS 84 at 45°: 111 131.7 m north, 78 846.8 m east.
        let frame = LocalFrame::at(LatLon { lat: 45.0, lon: 7.0 });
        let corner = frame.to_point(LatLon { lat: 46.0, lon: 8.0 });
        assert!((corner.y - 111_131.7).abs() < 1.0, "{corner:?}");
        assert!((corner.x - 78_846.8).abs() < 1.0, "{corner:?}");
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        let frame = LocalFrame::at(LatLon {
            lat: 37.765,
            lon: -122.435,
        });
        let place = LatLon {
            lat: 37.7955,
            lon: -122.3937,
        };
        let back = frame.to_latlon(frame.to_point(place));
        assert!((back.lat - place.lat).abs() < 1e-11 && (back.lon - place.lon).abs() < 1e-11);
    }
}
