//! `/api/zones`: no-fly zones as GeoJSON, laid and lifted by operators while drones fly.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use geo::orient::{Direction, Orient};
use geo::{Coord, LineString, Polygon, Validation};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::ChangeBody;
use super::delivery_requests::{IDEMPOTENCY_KEY, idempotency_key};
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, QueryProblems, ReadProblems, TokenProblems, WriteProblems,
};
use super::drones::GEOJSON;
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields, name, name_or_number};
use super::order::moment;
use super::parameters::{NoParameters, PathId};
use super::roster::write;
use crate::sim::geo::LatLon;
use crate::sim::roster::{CORNERS_MOST, Change, ZoneWrite};
use crate::sim::time::SimTime;
use crate::sim::world::{HeightReference, World, Zone};
use crate::view::commands::Refusal;
use crate::wire::api::map as wire;
use crate::wire::time::rfc3339;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(zones_as_geojson, add_zone))
        .routes(routes!(remove_zone))
}

/// As in a scenario that does not say.
const FLOOR_M: f64 = 0.0;
const CEILING_M: f64 = 120.0;

/// No-fly zones as GeoJSON
#[utoipa::path(
    get,
    path = "/api/zones",
    tag = "World",
    responses(
        (status = 200, body = wire::ZoneCollection, content_type = "application/geo+json"),
        QueryProblems, TokenProblems,
    )
)]
async fn zones_as_geojson(State(api): State<Api>, _: NoParameters) -> Response {
    let world = api.view.world();
    let zones = world.zones.iter();
    let collection = wire::ZoneCollection {
        kind: "FeatureCollection".into(),
        features: zones.map(|zone| feature(&world, zone)).collect(),
    };
    ([(CONTENT_TYPE, GEOJSON)], Json(collection)).into_response()
}

/// Lay a no-fly zone
///
/// A GeoJSON feature with one ring, as the list has them. It is reckoned with from the next tick
/// on: plans go round it, and drones in the air whose way it closes fly round it, or home. One
/// that begins later is kept clear of by flights that set out within 45 minutes before. 409 where
/// a zone has this name, or where the world has as many as it takes (200).
#[utoipa::path(
    post,
    path = "/api/zones",
    tag = "World",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = wire::NewZone,
    responses(
        (
            status = 201,
            body = wire::ZoneFeature,
            content_type = "application/geo+json",
            headers(("Location" = String, description = "/api/zones/{name}")),
        ),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn add_zone(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    headers: HeaderMap,
    body: ChangeBody,
) -> Result<
    (
        StatusCode,
        [(HeaderName, HeaderValue); 2],
        Json<wire::ZoneFeature>,
    ),
    Failure,
> {
    let mut complaints = Complaints::default();
    let key = complaints.note(|| IDEMPOTENCY_KEY.into(), idempotency_key(&headers));
    let zone = zone_of(&api.view.world(), &body.value, &mut complaints);
    let (Some(zone), Some(key), true) = (zone, key, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let called = zone.name.clone();
    write(&api, Change::AddZone(zone), key).await?;
    let world = api.view.world();
    // A repeat may come when it is lifted again.
    let zone = world.zones.iter().find(|zone| zone.name == called);
    let zone = zone.ok_or(Refusal::Objected(crate::sim::command::Objection::NoSuchZone))?;
    let path = format!("/api/zones/{}", utf8_percent_encode(&called, NON_ALPHANUMERIC));
    let location = HeaderValue::try_from(path).expect("percent-encoded text is ASCII");
    let headers = [(LOCATION, location), (CONTENT_TYPE, GEOJSON)];
    Ok((StatusCode::CREATED, headers, Json(feature(&world, zone))))
}

/// Lift a no-fly zone
#[utoipa::path(
    delete,
    path = "/api/zones/{name}",
    tag = "World",
    params(("name" = String, Path, example = "Heliport")),
    responses(
        (status = 204, description = "It is no more"),
        QueryProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn remove_zone(
    State(api): State<Api>,
    _: Operator,
    PathId(called): PathId<String>,
    _: NoParameters,
) -> Result<StatusCode, Failure> {
    let called = called.ok_or(Failure::Unknown("zone"))?;
    write(&api, Change::RemoveZone(called), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn zone_of(world: &World, body: &Value, complaints: &mut Complaints) -> Option<ZoneWrite> {
    let mut fields = Fields::of_body(body, complaints);
    fields.nothing_but(&["type", "geometry", "properties"]);
    fields.required("type", |value| match value.as_str() {
        Some("Feature") => Ok(()),
        _ => Err(Complaint::Borrowed("must be Feature")),
    });
    let mut geometry = fields.object("geometry", "/geometry");
    geometry.required("type", |value| match value.as_str() {
        Some("Polygon") => Ok(()),
        _ => Err(Complaint::Borrowed("must be Polygon")),
    });
    let corners = geometry.required("coordinates", |value| corners(world, value));
    let mut properties = fields.object("properties", "/properties");
    properties.nothing_but(&["name", "floor", "ceiling", "reference", "from", "until"]);
    let called = properties.required("name", name);
    let floor_m = properties.optional("floor", height).unwrap_or(FLOOR_M);
    let ceiling_m = properties.optional("ceiling", height).unwrap_or(CEILING_M);
    if floor_m >= ceiling_m {
        properties.required("ceiling", |_| Err::<(), _>("must be above the floor".into()));
    }
    let references = [("AGL", false), ("AMSL", true)];
    let above_sea = properties.optional("reference", |value| name_or_number(value, &references));
    let from = properties
        .optional("from", |value| moment(world, value))
        .unwrap_or(SimTime::START);
    let until = properties
        .optional("until", |value| moment(world, value))
        .unwrap_or(SimTime::NEVER);
    if until <= from {
        properties.required("until", |_| Err::<(), _>("must be after from".into()));
    }
    Some(ZoneWrite {
        name: called?.to_owned(),
        corners: corners?,
        floor_m,
        ceiling_m,
        above_sea: above_sea.unwrap_or(false),
        from,
        until,
    })
}

fn height(value: &Value) -> Result<f64, Complaint> {
    let metres = value
        .as_f64()
        .filter(|metres| (-500.0..=20_000.0).contains(metres));
    metres.ok_or("must be metres from -500 to 20,000".into())
}

/// One ring of [longitude, latitude].
fn corners(world: &World, value: &Value) -> Result<Vec<LatLon>, Complaint> {
    let ring = match value.as_array().map(Vec::as_slice) {
        Some([ring]) => ring
            .as_array()
            .ok_or("must be a list of rings of [longitude, latitude]")?,
        _ => return Err("must hold one ring; holes are not taken".into()),
    };
    if !(4..=CORNERS_MOST).contains(&ring.len()) || ring.first() != ring.last() {
        return Err(format!("must hold a closed ring of 4 to {CORNERS_MOST} places").into());
    }
    let corner = |place: &Value| {
        let degrees = place
            .as_array()
            .filter(|degrees| (2..=3).contains(&degrees.len()))?;
        let (lon, lat) = (degrees[0].as_f64()?, degrees[1].as_f64()?);
        let is_place = lon.abs() <= 180.0 && lat.abs() <= 90.0;
        is_place.then_some(LatLon { lat, lon })
    };
    let corners: Option<Vec<LatLon>> = ring.iter().map(corner).collect();
    let corners = corners.ok_or("must hold places as [longitude, latitude]")?;
    let outline: LineString = corners.iter().map(|at| Coord { x: at.lon, y: at.lat }).collect();
    if let Err(problem) = Polygon::new(outline, Vec::new()).check_validation() {
        return Err(format!("must be a simple polygon: {problem}").into());
    }
    match corners.iter().any(|at| world.area.bounds.contains(*at)) {
        true => Ok(corners),
        false => Err("is outside of the world's area".into()),
    }
}

fn feature(world: &World, zone: &Zone) -> wire::ZoneFeature {
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
            from: (zone.from > SimTime::START).then(|| rfc3339(world, zone.from)),
            until: (zone.until < SimTime::NEVER).then(|| rfc3339(world, zone.until)),
        },
    }
}
