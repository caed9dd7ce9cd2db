//! Planned routes in the shapes of the wire.

use crate::sim::flight::{Mark, Milestone, Stretch};
use crate::sim::world::World;
use crate::view::reading::RouteReading;
use crate::view::routes::RoutePoint;
use crate::wire::api::map::PointGeometry;
use crate::wire::api::routes::{
    LegFeature, LegProperties, LineGeometry, RouteCollection, RouteFeature, RouteLeg, WayPoint,
    WayPointFeature, WayPointProperties,
};
use crate::wire::place::Location;
use crate::wire::time::rfc3339;

/// One line for each part of the mission that `shows` admits, each from where the one
/// before it ends, then the way-points on them.
pub fn route(world: &World, reading: &RouteReading, shows: impl Fn(Stretch) -> bool) -> RouteCollection {
    let points = &reading.route.points;
    let legs = Stretch::ALL
        .into_iter()
        .filter(|&stretch| shows(stretch))
        .filter_map(|stretch| leg(world, points, stretch).map(RouteFeature::Leg));
    let way_point = |point: &RoutePoint| {
        let shown = shows(point.stretch);
        shown
            .then(|| way_point(world, point).map(RouteFeature::WayPoint))
            .flatten()
    };
    RouteCollection {
        kind: "FeatureCollection".into(),
        drone_id: reading.drone.to_string(),
        delivery_id: reading.delivery.map(|id| id.to_string()),
        features: legs.chain(points.iter().filter_map(way_point)).collect(),
    }
}

fn leg(world: &World, points: &[RoutePoint], stretch: Stretch) -> Option<LegFeature> {
    let first = points.iter().position(|point| point.stretch == stretch)?;
    let end = points.iter().rposition(|point| point.stretch == stretch)? + 1;
    let line = &points[first.saturating_sub(1)..end];
    Some(LegFeature {
        kind: "Feature".into(),
        geometry: LineGeometry {
            kind: "LineString".into(),
            coordinates: line.iter().map(coordinates).collect(),
        },
        properties: LegProperties {
            leg: route_leg(stretch),
            times: line.iter().map(|point| rfc3339(world, point.expected)).collect(),
        },
    })
}

fn way_point(world: &World, point: &RoutePoint) -> Option<WayPointFeature> {
    let way_point = match point.mark? {
        Mark::Turn => WayPoint::Turn,
        Mark::Reached(Milestone::PickedUp) => WayPoint::Pickup,
        Mark::Reached(Milestone::Delivered) => WayPoint::Dropoff,
        Mark::Reached(Milestone::Landed | Milestone::OverHub) => WayPoint::Landing,
    };
    Some(WayPointFeature {
        kind: "Feature".into(),
        geometry: PointGeometry {
            kind: "Point".into(),
            coordinates: coordinates(point),
        },
        properties: WayPointProperties {
            way_point,
            leg: route_leg(point.stretch),
            time: rfc3339(world, point.expected),
        },
    })
}

fn coordinates(point: &RoutePoint) -> [f64; 3] {
    let at = Location::new(point.at, point.height_m.into());
    [at.longitude, at.latitude, at.altitude]
}

fn route_leg(stretch: Stretch) -> RouteLeg {
    match stretch {
        Stretch::ToPickup => RouteLeg::ToPickup,
        Stretch::ToDropoff => RouteLeg::ToDropoff,
        Stretch::Home => RouteLeg::Home,
    }
}
