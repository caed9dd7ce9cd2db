//! `/api/deliveryrequests`: takes requests in, and tells how far their workflows are.

use std::convert::Infallible;
use std::ops::Range;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{delivery_for, must};
use super::body::{ChangeText, parse};
use super::documents::{
    AccessProblems, BodyProblems, PastProblems, ReadProblems, TokenProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{Complaint, Complaints};
use super::order::read_order;
use super::parameters::PathId;
use super::quick_order::{self, Quick};
use crate::auth::{Viewer, What};
use crate::sim::event::{DeliveryEvent, Happening};
use crate::sim::ids::{DeliveryId, DeliveryName};
use crate::sim::order::Order;
use crate::sim::workflow::{FailureReason, Step, WaitingFor};
use crate::sim::world::World;
use crate::view::archive::Unread;
use crate::view::{DeliveryRecord, View, WorkflowState};
use crate::wire::api::Health;
use crate::wire::api::delivery_requests::{ExternalDelivery, RequestState, RequestStatus};
use crate::wire::api::problem::FieldProblem;

pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const MAX_KEY_BYTES: usize = 255;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(request_delivery))
        .routes(routes!(read_request))
        .routes(routes!(probe))
}

/// Request a delivery
///
/// Answers once the request is durable, with the same body and a `deliveryId` of the
/// server's own. A request with the key of an earlier one gets that one's answer.
#[utoipa::path(
    post,
    path = "/api/deliveryrequests",
    tag = "Delivery requests",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = ExternalDelivery,
    responses(
        (status = 202, description = "Accepted and durable", body = ExternalDelivery,
            headers(("Location" = String, description = "/api/deliveryrequests/{deliveryId}"))),
        BodyProblems,
        WriteProblems,
        AccessProblems,
    )
)]
async fn request_delivery(
    State(api): State<Api>,
    viewer: Viewer,
    IdempotencyKey(key): IdempotencyKey,
    ChangeText(body): ChangeText,
) -> Result<Response, Failure> {
    let mut complaints = Complaints::default();
    let key = complaints.note(|| IDEMPOTENCY_KEY.into(), key);
    let (order, echo) = Echo::read(&api.view.world(), body, &mut complaints)?;
    let (Some(mut order), Some(key)) = (order, key) else {
        return Err(complaints.into_failure());
    };
    must(&viewer, &What::OrderFor(&order.owner.account))?;
    order.owner.user = viewer.user().map(str::to_owned);
    let key = key.map(|key| keys_of(&viewer, key));
    // Only a key can make this a repeat, and only then is the order looked at again.
    let asked = key.is_some().then(|| order.clone());
    let accepted = api.commands.request_delivery(order, key).await?;
    if let (true, Some(asked)) = (accepted.repeated, asked) {
        let first = match api.view.find(accepted.id).await {
            // What the first one asked for nobody knows any more.
            Err(Unread::Moved(_)) => None,
            found => found?,
        };
        if first.is_some_and(|first| *first.look().first_order() != asked) {
            return Err(key_reused());
        }
    }
    Ok(accepted_response(accepted.id, echo))
}

/// Each account has keys of its own, so that nobody is answered for another's, or takes
/// one before another can. (A key of a client's own holds no control characters.)
fn keys_of(viewer: &Viewer, key: String) -> String {
    match viewer.account() {
        Some(account) => format!("{account}\u{1f}{key}"),
        None => key,
    }
}

/// The first answer would confirm an order that this is not.
pub(super) fn key_reused() -> Failure {
    Failure::WrongFields(vec![FieldProblem {
        pointer: IDEMPOTENCY_KEY.into(),
        detail: "was first used with another request; send that again, or take another key".into(),
    }])
}

/// Read before the body, and complained of with it.
struct IdempotencyKey(Result<Option<String>, Complaint>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(IdempotencyKey(idempotency_key(&parts.headers)))
    }
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Complaint> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let well_formed = (1..=MAX_KEY_BYTES).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match (well_formed, values.next(), value.to_str()) {
        (true, None, Ok(key)) => Ok(Some(key.to_owned())),
        _ => Err("must be 1 to 255 visible ASCII characters, and given once".into()),
    }
}

/// What the answer repeats of the body.
enum Echo {
    /// The text, and where its id stands.
    Text(Bytes, Option<Range<usize>>),
    Value(Value),
}

impl Echo {
    fn read(
        world: &World,
        body: Bytes,
        complaints: &mut Complaints,
    ) -> Result<(Option<Order>, Echo), Failure> {
        if let Some(Quick { order, id_at }) = Quick::read(world, &body) {
            return Ok((Some(order), Echo::Text(body, id_at)));
        }
        let value = parse(&body)?;
        Ok((read_order(world, &value, complaints), Echo::Value(value)))
    }

    /// Under the server's id.
    fn with_id(self, id: &str) -> Vec<u8> {
        match self {
            Echo::Text(body, id_at) => quick_order::echo(&body, id_at, id),
            Echo::Value(mut value) => {
                if let Value::Object(fields) = &mut value {
                    fields.insert("deliveryId".into(), Value::String(id.to_owned()));
                }
                serde_json::to_vec(&value).expect("a vector takes all that is written")
            }
        }
    }
}

/// The client's own body, under the server's id.
fn accepted_response(id: DeliveryId, echo: Echo) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let id = id.to_string();
    let location = HeaderValue::try_from(format!("/api/deliveryrequests/{id}"))
        .expect("ids are hexadecimal digits and hyphens");
    let headers = [(CONTENT_TYPE, JSON), (LOCATION, location)];
    (StatusCode::ACCEPTED, headers, echo.with_id(&id)).into_response()
}

/// How far a request's workflow has come
#[utoipa::path(
    get,
    path = "/api/deliveryrequests/{id}",
    tag = "Delivery requests",
    params(("id" = String, Path)),
    responses((status = 200, body = RequestStatus), ReadProblems, PastProblems, AccessProblems)
)]
async fn read_request(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<Json<RequestStatus>, Failure> {
    let record = delivery_for(&api, &viewer, name, "delivery request").await?;
    Ok(Json(status_of(&api.view, &record)))
}

pub(super) fn status_of(view: &View, record: &DeliveryRecord) -> RequestStatus {
    let reason = failure_of(record);
    let (state, step, attempts, waiting_for) = match record.workflow {
        WorkflowState::Queued => (RequestState::Queued, None, 0, None),
        WorkflowState::Running => (RequestState::Running, Some(Step::Account), 1, None),
        WorkflowState::AwaitingDrone(waiting_for) => {
            let step = match waiting_for {
                WaitingFor::ThirdParty => Step::ThirdParty,
                _ => Step::Drone,
            };
            (RequestState::AwaitingDrone, Some(step), 1, Some(waiting_for))
        }
        WorkflowState::Delayed {
            step,
            attempts,
            waiting_for,
        } => {
            let state = match waiting_for {
                WaitingFor::Retry | WaitingFor::Carrier => RequestState::Retrying,
                WaitingFor::Compensation => RequestState::Compensating,
                _ => RequestState::Running,
            };
            (state, Some(step), attempts, Some(waiting_for))
        }
        WorkflowState::Scheduled => (RequestState::Scheduled, Some(Step::Delivery), 1, None),
        WorkflowState::Failed(_) => {
            let (step, attempts) = failed_at(view, record);
            (RequestState::Failed, Some(step), attempts, None)
        }
        WorkflowState::Cancelled => (RequestState::Cancelled, None, 0, None),
    };
    // Its customer was told the end; what is still held is the operators' business.
    let letter = view.dead_letter(record.id);
    let (state, step) = match letter {
        Some(letter) => (RequestState::DeadLettered, Some(letter.step)),
        None => (state, step),
    };
    RequestStatus {
        delivery_id: record.id.to_string(),
        state,
        step,
        attempts,
        waiting_for: match letter {
            Some(_) => Some(WaitingFor::Compensation),
            None => waiting_for,
        },
        reason,
    }
}

/// The step that a failed workflow ended with, and how often it was tried.
fn failed_at(view: &View, record: &DeliveryRecord) -> (Step, u32) {
    let tries = record
        .events
        .iter()
        .rev()
        .find_map(|event| match event.happening {
            Happening::Delivery(
                _,
                DeliveryEvent::StepDelayed {
                    step,
                    attempts,
                    waiting_for: WaitingFor::Retry | WaitingFor::Answer,
                },
            ) => Some((step, attempts)),
            _ => None,
        });
    match failure_of(record).map(|reason| (reason, reason.step())) {
        // Its customer was told once, and it was tried as often as the scenario says.
        Some((FailureReason::CarrierFull, _)) => (Step::ThirdParty, view.world().workflow.retries + 1),
        Some((_, Some(step))) => (step, 1),
        _ => tries.unwrap_or((Step::Drone, 1)),
    }
}

/// A workflow that had done its part can still end in a delivery that failed.
fn failure_of(record: &DeliveryRecord) -> Option<FailureReason> {
    record
        .events
        .iter()
        .rev()
        .find_map(|event| match event.happening {
            Happening::Delivery(_, DeliveryEvent::Failed { reason }) => Some(reason),
            _ => None,
        })
}

/// Whether requests are taken at all
#[utoipa::path(
    get,
    path = "/api/probe",
    tag = "Delivery requests",
    responses((status = 200, body = Health), TokenProblems)
)]
async fn probe() -> Json<Health> {
    Json(Health { status: "ok".into() })
}
