//! `/api/world`: the scenario as a map shows it.

use axum::Json;
use axum::extract::State;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::documents::{QueryProblems, TokenProblems};
use super::parameters::NoParameters;
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::time::SimTime;
use crate::sim::world::{UnknownPlaces, World};
use crate::view::shown;
use crate::wire::api::world as wire;
use crate::wire::place::{Location, rounded};
use crate::wire::time::rfc3339;

/// Room around the hubs and places of the first look, as a share of their extent.
const MARGIN: f64 = 0.06;

/// Coastlines can be long, so this answer is compressed for whom that suits.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(read_world))
        .layer(CompressionLayer::new())
}

/// The world: its area, land, places, and the first look
#[utoipa::path(
    get,
    path = "/api/world",
    tag = "World",
    responses((status = 200, body = wire::World), QueryProblems, TokenProblems)
)]
async fn read_world(State(api): State<Api>, _: NoParameters) -> Json<wire::World> {
    let world = &api.view.world();
    let bounds = &world.area.bounds;
    Json(wire::World {
        name: world.name.clone(),
        description: world.description.clone(),
        start: rfc3339(world, SimTime(0)),
        epoch: shown::epoch(&api.view.clock()),
        area: wire::Area {
            bbox: [bounds.west, bounds.south, bounds.east, bounds.north],
            land: world.area.land.as_ref().map(multi_polygon),
            ground: world.area.ground_m,
            geoid: world.area.geoid_m,
        },
        places: world
            .places
            .iter()
            .map(|place| wire::Place {
                name: place.name.clone(),
                location: Location::new(place.location, 0.0),
            })
            .collect(),
        unknown_places: match world.unknown_places {
            UnknownPlaces::Refuse => wire::UnknownPlaces::Refuse,
            UnknownPlaces::Scatter => wire::UnknownPlaces::Scatter,
        },
        drones: api.view.fleet().drones,
        camera: wire::Camera {
            bounds: first_look(world),
        },
        basemap: api.basemap.as_ref().map(|basemap| basemap.shown()),
    })
}

fn multi_polygon(land: &geo::MultiPolygon) -> wire::MultiPolygonGeometry {
    let ring = |ring: &geo::LineString| ring.coords().map(|at| [at.x, at.y]).collect();
    let polygon = |polygon: &geo::Polygon| {
        std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .map(ring)
            .collect()
    };
    wire::MultiPolygonGeometry {
        kind: "MultiPolygon".into(),
        coordinates: land.0.iter().map(polygon).collect(),
    }
}

/// Around all hubs and places with some room, but within the area. A world with a single
/// hub has no extent to go by: all of its area is shown.
fn first_look(world: &World) -> [f64; 4] {
    let area = world.area.bounds;
    let hubs = world.hubs.iter().map(|hub| hub.location);
    let places = world.places.iter().map(|place| place.location);
    let around = hubs
        .chain(places)
        .filter(|at| area.contains(*at))
        .fold(None, |around: Option<BoundingBox>, at| Some(widened(around, at)));
    let [west, south, east, north] = match around {
        Some(around) if around.west < around.east && around.south < around.north => {
            let (across, up) = (around.east - around.west, around.north - around.south);
            [
                (around.west - across * MARGIN).max(area.west),
                (around.south - up * MARGIN).max(area.south),
                (around.east + across * MARGIN).min(area.east),
                (around.north + up * MARGIN).min(area.north),
            ]
        }
        _ => [area.west, area.south, area.east, area.north],
    };
    [west, south, east, north].map(|degrees| rounded(degrees, 1e6))
}

fn widened(around: Option<BoundingBox>, at: LatLon) -> BoundingBox {
    let around = around.unwrap_or(BoundingBox {
        west: at.lon,
        south: at.lat,
        east: at.lon,
        north: at.lat,
    });
    BoundingBox {
        west: around.west.min(at.lon),
        south: around.south.min(at.lat),
        east: around.east.max(at.lon),
        north: around.north.max(at.lat),
    }
}
