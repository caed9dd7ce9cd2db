//! `/api/hubs` and `/api/zones`: what stands still.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use geo::orient::{Direction, Orient};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::drones::GEOJSON;
use crate::sim::world::{HeightReference, Zone};
use crate::view::shown;
use crate::wire::api::List;
use crate::wire::api::map as wire;
use crate::wire::hub::Hub;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_hubs))
        .routes(routes!(zones_as_geojson))
}

/// Hubs, with their pads, chargers and queues
#[utoipa::path(
    get,
    path = "/api/hubs",
    tag = "World",
    responses((status = 200, body = List<Hub>))
)]
async fn list_hubs(State(api): State<Api>) -> Json<List<Hub>> {
    let world = api.view.world();
    Json(List {
        items: api
            .view
            .hubs()
            .iter()
            .map(|reading| shown::hub(world, reading))
            .collect(),
        next: None,
    })
}

/// No-fly zones as GeoJSON
#[utoipa::path(
    get,
    path = "/api/zones",
    tag = "World",
    responses((status = 200, body = wire::ZoneCollection, content_type = "application/geo+json"))
)]
async fn zones_as_geojson(State(api): State<Api>) -> Response {
    let zones = api.view.world().zones.iter();
    let collection = wire::ZoneCollection {
        kind: "FeatureCollection".into(),
        features: zones.map(zone_feature).collect(),
    };
    ([(CONTENT_TYPE, GEOJSON)], Json(collection)).into_response()
}

fn zone_feature(zone: &Zone) -> wire::ZoneFeature {
    let polygon = zone.polygon.orient(Direction::Default);
    let ring = |ring: &geo::LineString| ring.coords().map(|at| [at.x, at.y]).collect();
    let outer = std::iter::once(polygon.exterior());
    wire::ZoneFeature {
        kind: "Feature".into(),
        geometry: wire::PolygonGeometry {
            kind: "Polygon".into(),
            coordinates: outer.chain(polygon.interiors()).map(ring).collect(),
        },
        properties: wire::ZoneProperties {
            name: zone.name.clone(),
            floor: zone.floor_m,
            ceiling: zone.ceiling_m,
            reference: match zone.reference {
                HeightReference::Agl => wire::HeightReference::Agl,
                HeightReference::Amsl => wire::HeightReference::Amsl,
            },
        },
    }
}
