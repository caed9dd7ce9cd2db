//! Drones and hubs added and withdrawn while the world runs: for operators.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::ChangeBody;
use super::delivery_requests::{IDEMPOTENCY_KEY, idempotency_key, key_reused};
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, QueryProblems, ReadProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields, name};
use super::parameters::{NoParameters, Parameters, PathId};
use crate::sim::command::{Command, Decision, Objection};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::roster::{CHARGERS_MOST, Change, DRONES_AT_ONCE, PADS_MOST, RosterWrite};
use crate::view::commands::Refusal;
use crate::view::shown;
use crate::wire::api::roster::{AddedDrones, NewDrones, NewHub};
use crate::wire::drone::Drone;
use crate::wire::hub::Hub;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(add_drones))
        .routes(routes!(withdraw_drone))
        .routes(routes!(add_hub))
        .routes(routes!(withdraw_hub))
}

/// As in a scenario that does not say.
const PADS: u32 = 8;
const CHARGERS: u32 = 16;

/// Add drones
///
/// They are parked at their hub with full batteries when the answer comes, and fly like all
/// others. Numbers are never given twice. A request with the key of an earlier one gets that
/// one's answer, and adds nothing. 409 where the hub is withdrawn, or where the world has been
/// given as much as it takes (10,000 additions).
#[utoipa::path(
    post,
    path = "/api/drones",
    tag = "World",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewDrones,
    responses(
        (status = 201, body = AddedDrones),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn add_drones(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    headers: HeaderMap,
    body: ChangeBody,
) -> Result<(StatusCode, Json<AddedDrones>), Failure> {
    let mut complaints = Complaints::default();
    let key = complaints.note(|| IDEMPOTENCY_KEY.into(), idempotency_key(&headers));
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["hub", "model", "count"]);
    let hub = fields.required("hub", |value| hub_of(&api, value));
    let model = fields.required("model", |value| model(&api, value));
    let count = fields.optional("count", |value| count(value, DRONES_AT_ONCE));
    let (Some(hub), Some(model), Some(key), true) = (hub, model, key, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let change = Change::AddDrones {
        hub,
        model: model.to_owned(),
        count: count.unwrap_or(1),
    };
    let Decision::Drones { first, count } = write(&api, change, key).await? else {
        return Err(key_reused());
    };
    let ids = (first.0..first.0 + count).map(|drone| DroneId(drone).to_string());
    Ok((StatusCode::CREATED, Json(AddedDrones { ids: ids.collect() })))
}

/// Withdraw a drone
///
/// One that stands at its hub, or lies somewhere, is out of the world when the answer comes: 204.
/// One in the air takes nothing on any more; what it has on board it brings to its end, what it has
/// not picked up yet another drone gets. It is out of the world once it is down: 202, with the
/// drone as it is now. Whoever is out is in no list any more, and asking for it answers 404.
#[utoipa::path(
    delete,
    path = "/api/drones/{id}",
    tag = "World",
    params(("id" = String, Path, example = "d-17")),
    responses(
        (status = 202, description = "It leaves when it is down", body = Drone),
        (status = 204, description = "It is out of the world"),
        QueryProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn withdraw_drone(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    PathId(id): PathId<DroneId>,
) -> Result<Response, Failure> {
    let id = id.filter(|id| api.view.drone(*id).is_some());
    let id = id.ok_or(Failure::Unknown("drone"))?;
    write(&api, Change::WithdrawDrone(id), None).await?;
    Ok(match api.view.drone(id) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(reading) => {
            let drone = shown::drone(&api.view.world(), &reading);
            (StatusCode::ACCEPTED, Json(drone)).into_response()
        }
    })
}

/// Add a hub
///
/// It has no drones yet: `POST /api/drones` adds them. Its id and name must be its own, and are
/// not given again when it is withdrawn. A request with the key of an earlier one gets that one's
/// answer. The scenario's own customers go on as if it were not there.
#[utoipa::path(
    post,
    path = "/api/hubs",
    tag = "World",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = NewHub,
    responses(
        (status = 201, body = Hub, headers(("Location" = String, description = "/api/hubs/{id}"))),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn add_hub(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    headers: HeaderMap,
    body: ChangeBody,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Hub>), Failure> {
    let mut complaints = Complaints::default();
    let key = complaints.note(|| IDEMPOTENCY_KEY.into(), idempotency_key(&headers));
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["id", "name", "location", "pads", "chargers"]);
    let id = fields.required("id", hub_key);
    let name = fields.optional("name", name);
    let pads = fields.optional("pads", |value| count(value, PADS_MOST));
    let chargers = fields.optional("chargers", |value| count(value, CHARGERS_MOST));
    let location = location(&api, &mut fields);
    let (Some(id), Some(location), Some(key), true) = (id, location, key, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let change = Change::AddHub {
        key: id.to_owned(),
        name: name.unwrap_or(id).to_owned(),
        location,
        pads: pads.unwrap_or(PADS),
        chargers: chargers.unwrap_or(CHARGERS),
    };
    write(&api, change, key).await?;
    // A repeat may come when it is withdrawn again.
    let hub = api.view.hub_of_key(id).and_then(|hub| shown(&api, hub));
    let hub = hub.ok_or(Refusal::Objected(Objection::HubWithdrawn))?;
    let location = HeaderValue::try_from(format!("/api/hubs/{id}"));
    let location = location.expect("a hub's key is letters, digits, hyphens and underscores");
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(hub)))
}

/// Withdraw a hub
///
/// 409 while drones belong to it, unless `drones=withdraw` withdraws them with it. Nobody leaves
/// from it any more; those who are in the air still land there. It is out of the world with the
/// last of its drones: 204 where that is at once, 202 where some are still in the air.
#[utoipa::path(
    delete,
    path = "/api/hubs/{id}",
    tag = "World",
    params(
        ("id" = String, Path, example = "mission"),
        ("drones" = Option<String>, Query, description = "`withdraw`: its drones go with it"),
    ),
    responses(
        (status = 202, description = "It leaves when the last of its drones is down", body = Hub),
        (status = 204, description = "It is out of the world"),
        QueryProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn withdraw_hub(
    State(api): State<Api>,
    _: Operator,
    PathId(id): PathId<String>,
    mut parameters: Parameters,
) -> Result<Response, Failure> {
    let drones = parameters.optional("drones", |text| match text {
        "withdraw" => Ok(()),
        _ => Err("must be withdraw, or left out".into()),
    });
    parameters.finish()?;
    let hub = id.and_then(|id| api.view.hub_of_key(&id));
    let hub = hub.ok_or(Failure::Unknown("hub"))?;
    let with_drones = drones.is_some();
    write(&api, Change::WithdrawHub { hub, with_drones }, None).await?;
    Ok(match shown(&api, hub) {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(hub) => (StatusCode::ACCEPTED, Json(hub)).into_response(),
    })
}

pub(super) async fn write(
    api: &Api,
    change: Change,
    idempotency_key: Option<String>,
) -> Result<Decision, Failure> {
    let write = RosterWrite {
        change,
        idempotency_key,
    };
    match api.commands.write(Command::Roster(write)).await {
        Ok(written) => Ok(written.decision),
        Err(Refusal::Objected(Objection::KeyReused)) => Err(key_reused()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// `None` for one that is out of the world.
fn shown(api: &Api, hub: HubId) -> Option<Hub> {
    let hubs = api.view.hubs();
    let reading = hubs.iter().find(|reading| reading.hub == hub)?;
    Some(shown::hub(&api.view.world(), reading, true))
}

fn hub_of(api: &Api, value: &Value) -> Result<HubId, Complaint> {
    let hub = name(value).map(|key| api.view.hub_of_key(key))?;
    hub.ok_or("no hub has this id".into())
}

fn model<'v>(api: &Api, value: &'v Value) -> Result<&'v str, Complaint> {
    let model = name(value)?;
    match api.view.world().knows_model(model) {
        true => Ok(model),
        false => Err("neither this world nor the catalogue has a drone type of this name".into()),
    }
}

/// As a scenario spells ids.
fn hub_key(value: &Value) -> Result<&str, Complaint> {
    let key = value.as_str().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let is_key = (1..=64).contains(&key.len()) && !key.starts_with(['-', '_']) && key.chars().all(allowed);
    match is_key {
        true => Ok(key),
        false => Err(
            "must be up to 64 lower-case letters, digits, `-` and `_`, and begin with a letter or digit"
                .into(),
        ),
    }
}

fn count(value: &Value, most: u32) -> Result<u32, Complaint> {
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
    let count = count.filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| format!("must be a whole number from 1 to {most}").into())
}

fn location(api: &Api, fields: &mut Fields<'_, '_>) -> Option<LatLon> {
    let mut place = fields.object("location", "/location");
    place.nothing_but(&["latitude", "longitude", "altitude"]);
    let at = place.coordinates()?.location;
    if api.view.world().area.bounds.contains(at) {
        return Some(at);
    }
    fields.required("location", |_| {
        Err::<(), _>("is outside of the world's area".into())
    });
    None
}
