//! `/api/hubs` and `/api/zones`: what stands still.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use geo::orient::{Direction, Orient};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::cursor;
use super::documents::{QueryProblems, ReadProblems, TokenProblems};
use super::drones::GEOJSON;
use super::failure::Failure;
use super::parameters::{NoParameters, Parameters, PathId};
use crate::auth::{Viewer, What};
use crate::sim::ids::HubId;
use crate::sim::world::{HeightReference, Zone};
use crate::view::shown;
use crate::wire::api::List;
use crate::wire::api::map as wire;
use crate::wire::hub::Hub;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_hubs))
        .routes(routes!(read_hub))
        .routes(routes!(zones_as_geojson))
}

/// Hubs, with their pads and chargers
///
/// Operators see what stands and waits there too.
#[utoipa::path(
    get,
    path = "/api/hubs",
    tag = "World",
    params(
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<Hub>), QueryProblems, TokenProblems)
)]
async fn list_hubs(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<List<Hub>>, Failure> {
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode::<HubId>);
    parameters.finish()?;
    let mut hubs = api.view.hubs();
    hubs.drain(..after.map_or(0, |last| hubs.partition_point(|hub| hub.hub <= last)));
    let next = (hubs.len() > limit).then(|| cursor::encode(&hubs[limit - 1].hub));
    hubs.truncate(limit);
    let with_gauges = viewer.may(&What::Everything);
    let world = &api.view.world();
    let shown = |reading| shown::hub(world, reading, with_gauges);
    Ok(Json(List {
        items: hubs.iter().map(shown).collect(),
        next,
    }))
}

/// One hub
#[utoipa::path(
    get,
    path = "/api/hubs/{id}",
    tag = "World",
    params(("id" = String, Path, example = "mission")),
    responses((status = 200, body = Hub), QueryProblems, ReadProblems, TokenProblems)
)]
async fn read_hub(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(id): PathId<String>,
) -> Result<Json<Hub>, Failure> {
    let hub = id.and_then(|id| api.view.hub_of_key(&id));
    let hubs = api.view.hubs();
    let reading = hubs.iter().find(|reading| Some(reading.hub) == hub);
    let reading = reading.ok_or(Failure::Unknown("hub"))?;
    let with_gauges = viewer.may(&What::Everything);
    Ok(Json(shown::hub(&api.view.world(), reading, with_gauges)))
}

/// No-fly zones as GeoJSON
#[utoipa::path(
    get,
    path = "/api/zones",
    tag = "World",
    responses(
        (status = 200, body = wire::ZoneCollection, content_type = "application/geo+json"),
        QueryProblems,
        TokenProblems,
    )
)]
async fn zones_as_geojson(State(api): State<Api>, _: NoParameters) -> Response {
    let world = api.view.world();
    let zones = world.zones.iter();
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
