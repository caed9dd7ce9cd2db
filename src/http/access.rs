//! The front door's side of who may what: every request shows who it is before a handler
//! sees it, and handlers ask the viewer before they tell.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Api;
use super::delivery_requests::IDEMPOTENCY_KEY;
use super::failure::Failure;
use crate::auth::{Denied, Grant, Guard, Parcel, Sight, Viewer, What, bearer_of, host_of, origin_of};
use crate::sim::ids::DeliveryName;
use crate::view::{DeliveryHandle, DeliveryRecord};

/// How long browsers may remember what they were allowed to ask.
const PREFLIGHT_KEPT: Duration = Duration::from_secs(600);

/// What is not for everybody. All else is the page, its documentation, and health.
pub fn is_guarded(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/shows/") || path == "/metrics"
}

/// Refuses what only a browser would send that was led here by a foreign page, or under a
/// name that is not this server's.
pub fn turn_strangers_away(guard: &Guard, request: &Request) -> Result<(), Failure> {
    let host = host_of(request.headers(), request.uri());
    let origin = origin_of(request.headers()).filter(|_| is_guarded(request.uri().path()));
    Ok(guard.reach.judge(host, origin)?)
}

/// Lets nobody on to what is not for everybody who does not show a token where one is
/// needed, or shows one that is no good.
pub fn ask_who_it_is(guard: &Guard, request: &mut Request) -> Result<(), Failure> {
    if is_guarded(request.uri().path()) {
        let presented = bearer_of(request.headers())?;
        let grant = guard.admit(presented.as_ref())?;
        request.extensions_mut().insert(grant);
    }
    Ok(())
}

/// Whom [`ask_who_it_is`] let in, and until when. A route that it does not guard has nobody
/// to ask.
impl FromRequestParts<Api> for Grant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Failure> {
        let grant = parts.extensions.get::<Grant>().cloned();
        grant.ok_or(Failure::Unauthorized(Denied::Missing))
    }
}

/// Whom [`ask_who_it_is`] let in.
impl FromRequestParts<Api> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let grant = Grant::from_request_parts(parts, api).await?;
        Ok(grant.viewer)
    }
}

/// Who may control: for handlers that need to know no more.
pub struct Operator;

impl FromRequestParts<Api> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Failure> {
        let viewer = Viewer::from_request_parts(parts, api).await?;
        must(&viewer, &What::Control).map(|()| Operator)
    }
}

pub fn must(viewer: &Viewer, what: &What<'_>) -> Result<(), Failure> {
    if viewer.may(what) {
        return Ok(());
    }
    Err(Failure::Forbidden(match what {
        What::Control | What::Everything => ONLY_OPERATORS,
        What::OrderFor(_) => "this token does not order for that account",
        What::ListOf(_) => "this token does not list what that account has",
        What::Write => "this token is to look at one delivery",
        What::Package(_) => "this token is not for that package",
        What::Account(_) => "this token does not show that account",
        What::Delivery(_) | What::PlaceOf(_) => NOT_YOUR_DELIVERY,
        What::Drone(_) => NOT_YOUR_DRONE,
    }))
}

pub const ONLY_OPERATORS: &str = "only operators may do this";
pub const NOT_YOUR_DELIVERY: &str = "this token is not for that delivery";
pub const NOT_YOUR_DRONE: &str = "this token does not show that drone, or not now";

pub fn drone_must_be_seen(sight: Sight) -> Result<(), Failure> {
    match sight {
        Sight::Seen => Ok(()),
        Sight::Forbidden => Err(Failure::Forbidden(NOT_YOUR_DRONE)),
        Sight::Unknown => Err(Failure::Unknown("drone")),
    }
}

/// The delivery, under way or long over, where there is one and the viewer may see it.
pub async fn delivery_for(
    api: &Api,
    viewer: &Viewer,
    name: Option<DeliveryName>,
    kind: &'static str,
) -> Result<DeliveryRecord, Failure> {
    let handle = handle_for(api, viewer, name, kind).await?;
    let record = handle.look();
    Ok(record.clone())
}

/// The same, to ask more about it: as long as somebody has this, it is found by its id.
pub async fn handle_for(
    api: &Api,
    viewer: &Viewer,
    name: Option<DeliveryName>,
    kind: &'static str,
) -> Result<DeliveryHandle, Failure> {
    let name = name.ok_or(Failure::Unknown(kind))?;
    let handle = named(api, name).await?.ok_or(Failure::Unknown(kind))?;
    must(viewer, &What::Delivery(&Parcel::of(&handle.look())))?;
    Ok(handle)
}

/// The delivery that goes by this name, for nobody to see yet.
pub async fn named(api: &Api, name: DeliveryName) -> Result<Option<DeliveryHandle>, Failure> {
    for id in name.ids() {
        if let Some(handle) = api.view.find(id).await? {
            return Ok(Some(handle));
        }
    }
    Ok(None)
}

/// Lets pages of the origins that this server shares with read its answers.
pub fn sharing(guard: &Arc<Guard>) -> CorsLayer {
    let guard = Arc::clone(guard);
    let shared = AllowOrigin::predicate(move |origin, _| {
        origin
            .to_str()
            .is_ok_and(|origin| guard.reach.shares_with(origin))
    });
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let idempotency_key = HeaderName::from_bytes(IDEMPOTENCY_KEY.as_bytes()).expect("a header's name");
    CorsLayer::new()
        .allow_origin(shared)
        .allow_methods(methods)
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            idempotency_key,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([LOCATION, RETRY_AFTER, WWW_AUTHENTICATE])
        .max_age(PREFLIGHT_KEPT)
}
