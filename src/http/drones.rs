//! `/api/drones` and `/api/drones.geojson`: the fleet, wherever it is.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::drone_must_be_seen;
use super::cursor;
use super::documents::{AccessProblems, QueryProblems, ReadProblems};
use super::failure::Failure;
use super::parameters::{MAX_LIMIT, NoParameters, Parameters, PathId, one_of};
use crate::auth::{Sight, Viewer};
use crate::sim::drone::DroneStatus;
use crate::sim::ids::DroneId;
use crate::view::{DroneFilter, shown};
use crate::wire::api::List;
use crate::wire::api::drones::{DroneCollection, DroneFeature};
use crate::wire::api::map::PointGeometry;
use crate::wire::api::routes::RouteCollection;
use crate::wire::drone::Drone;

pub const GEOJSON: HeaderValue = HeaderValue::from_static("application/geo+json");

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_drones))
        .routes(routes!(read_drone))
        .routes(routes!(read_route))
        .routes(routes!(drones_as_geojson))
}

/// Drones in order of their numbers
#[utoipa::path(
    get,
    path = "/api/drones",
    tag = "World",
    params(
        ("hub" = Option<String>, Query, description = "the hub that they belong to"),
        ("status" = Option<DroneStatus>, Query),
        ("bbox" = Option<String>, Query, description = "west,south,east,north"),
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<Drone>), QueryProblems, AccessProblems)
)]
async fn list_drones(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<List<Drone>>, Failure> {
    let filter = DroneFilter {
        only: viewer.drones_in_sight(&api.view),
        hub: parameters.optional("hub", |key| {
            let hub = api.view.hub_of_key(key);
            hub.ok_or_else(|| format!("this world has no hub \"{key}\"").into())
        }),
        status: parameters.optional("status", |text| {
            one_of(text, &DroneStatus::ALL, DroneStatus::as_str)
        }),
        bounds: parameters.bounds(),
    };
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode);
    parameters.finish()?;
    let page = api.view.drones(&filter, after, limit);
    let world = &api.view.world();
    Ok(Json(List {
        items: page
            .items
            .iter()
            .map(|drone| shown::drone(world, drone))
            .collect(),
        next: page.next.as_ref().map(cursor::encode),
    }))
}

/// One drone
#[utoipa::path(
    get,
    path = "/api/drones/{id}",
    tag = "World",
    params(("id" = String, Path, example = "d-17")),
    responses((status = 200, body = Drone), QueryProblems, ReadProblems, AccessProblems)
)]
async fn read_drone(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(id): PathId<DroneId>,
) -> Result<Json<Drone>, Failure> {
    let sight = id.map_or(Sight::Unknown, |id| viewer.sight_of_drone(&api.view, id));
    drone_must_be_seen(sight)?;
    let reading = id.and_then(|id| api.view.drone(id));
    let reading = reading.ok_or(Failure::Unknown("drone"))?;
    Ok(Json(shown::drone(&api.view.world(), &reading)))
}

/// Where a drone in the air is going, as GeoJSON
///
/// The line of each part of its mission with the time at which each point is expected, and
/// its way-points. A drone on the ground has no route. A business sees it as far as the
/// drop-off, a customer from the pick-up to the drop-off.
#[utoipa::path(
    get,
    path = "/api/drones/{id}/route",
    tag = "World",
    params(("id" = String, Path, example = "d-17")),
    responses(
        (status = 200, body = RouteCollection, content_type = "application/geo+json"),
        QueryProblems,
        ReadProblems,
        AccessProblems,
    )
)]
async fn read_route(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(id): PathId<DroneId>,
) -> Result<Response, Failure> {
    let sight = id.map_or(Sight::Unknown, |id| viewer.sight_of_drone(&api.view, id));
    drone_must_be_seen(sight)?;
    let id = id.ok_or(Failure::Unknown("drone"))?;
    let reading = api.view.route(id).ok_or(Failure::NotInTheAir)?;
    let seen = viewer.route_in_sight(&api.view, reading.delivery);
    if seen.is_empty() {
        // It has gone on to something else since it was looked at.
        drone_must_be_seen(Sight::Forbidden)?;
    }
    let collection = shown::route(&api.view.world(), &reading, |stretch| seen.contains(&stretch));
    Ok(([(CONTENT_TYPE, GEOJSON)], Json(collection)).into_response())
}

/// All drones as GeoJSON
///
/// Longitude, latitude, metres above the ground; the properties are those of
/// `/api/drones`. Made page by page, so a large fleet may be seen over a tick or two.
#[utoipa::path(
    get,
    path = "/api/drones.geojson",
    tag = "World",
    params(("bbox" = Option<String>, Query, description = "west,south,east,north")),
    responses(
        (status = 200, body = DroneCollection, content_type = "application/geo+json"),
        QueryProblems,
        AccessProblems,
    )
)]
async fn drones_as_geojson(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Response, Failure> {
    let mut filter = DroneFilter {
        bounds: parameters.bounds(),
        ..DroneFilter::default()
    };
    parameters.finish()?;
    let mut json = br#"{"type":"FeatureCollection","features":["#.to_vec();
    let mut after = None;
    loop {
        // Others run between two pages, and with them the right to see may end.
        filter.only = viewer.drones_in_sight(&api.view);
        let page = api.view.drones(&filter, after, MAX_LIMIT);
        for reading in &page.items {
            if !json.ends_with(b"[") {
                json.push(b',');
            }
            let feature = feature(shown::drone(&api.view.world(), reading));
            serde_json::to_writer(&mut json, &feature).expect("a vector takes all that is written");
        }
        if page.next.is_none() {
            break;
        }
        after = page.next;
        tokio::task::yield_now().await;
    }
    json.extend_from_slice(b"]}");
    Ok(([(CONTENT_TYPE, GEOJSON)], json).into_response())
}

fn feature(drone: Drone) -> DroneFeature {
    let at = &drone.location;
    DroneFeature {
        kind: "Feature".into(),
        id: drone.id.clone(),
        geometry: PointGeometry {
            kind: "Point".into(),
            coordinates: [at.longitude, at.latitude, at.altitude],
        },
        properties: drone,
    }
}
