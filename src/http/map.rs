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
use super::shown::location;
use crate::sim::world::{HeightReference, Zone};
use crate::view::reading::HubReading;
use crate::wire::api::List;
use crate::wire::api::map as wire;

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
    responses((status = 200, body = List<wire::Hub>))
)]
async fn list_hubs(State(api): State<Api>) -> Json<List<wire::Hub>> {
    let world = api.view.world();
    let shown = |reading: HubReading| {
        let hub = world.hub(reading.hub);
        wire::Hub {
            id: hub.key.clone(),
            name: hub.name.clone(),
            location: location(hub.location, 0.0),
            pads: hub.pads,
            chargers: hub.chargers,
            charging: reading.charging,
            queued: reading.queued_for_charger,
            parked: reading.grounded.saturating_sub(reading.charging),
        }
    };
    Json(List {
        items: api.view.hubs().into_iter().map(shown).collect(),
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
