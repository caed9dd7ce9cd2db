//! What clients change of deliveries that they ordered: they cancel and reschedule them. Each is
//! answered when the tick that decided is committed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{delivery_for, must};
use super::body::ChangeBody;
use super::deliveries::delivery_of;
use super::delivery_requests::status_of;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{self, Complaint, Complaints, Fields};
use super::order::{MAX_TEXT, moment, stop};
use super::parameters::PathId;
use crate::auth::{Viewer, What};
use crate::sim::command::{Command, DeliveryWrite, Objection};
use crate::sim::delivery::Stage;
use crate::sim::ids::{DeliveryId, DeliveryName};
use crate::sim::order::Reschedule;
use crate::view::DeliveryRecord;
use crate::view::commands::Refusal;
use crate::wire::api::changes::{DeliveryChange, RescheduledDelivery};
use crate::wire::api::deliveries::Delivery;
use crate::wire::api::delivery_requests::RequestStatus;

pub const DELIVERY: &str = "delivery";
const REQUEST: &str = "delivery request";

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(cancel_request))
        .routes(routes!(cancel_delivery))
        .routes(routes!(reschedule_request))
        .routes(routes!(reschedule_delivery))
}

/// The delivery, where this viewer may change it.
pub async fn own(
    api: &Api,
    viewer: &Viewer,
    name: Option<DeliveryName>,
    kind: &'static str,
) -> Result<DeliveryRecord, Failure> {
    let record = delivery_for(api, viewer, name, kind).await?;
    must(viewer, &What::OrderFor(&record.order.owner.account))?;
    Ok(record)
}

pub async fn write(api: &Api, id: DeliveryId, write: DeliveryWrite) -> Result<(), Failure> {
    api.commands.write(Command::Delivery(id, write)).await?;
    Ok(())
}

pub async fn cancel(
    api: &Api,
    viewer: &Viewer,
    name: Option<DeliveryName>,
    kind: &'static str,
) -> Result<(), Failure> {
    let record = own(api, viewer, name, kind).await?;
    // What is cancelled stays so: asked twice, the answer is the same.
    if record.stage == Stage::Cancelled {
        return Ok(());
    }
    match write(api, record.id, DeliveryWrite::Cancel).await {
        Err(Failure::Refused(Refusal::Objected(Objection::Ended))) => {
            let now = delivery_for(api, viewer, Some(record.id.into()), kind).await?;
            match now.stage {
                Stage::Cancelled => Ok(()),
                _ => Err(Refusal::Objected(Objection::Ended).into()),
            }
        }
        other => other,
    }
}

/// Call a delivery off
///
/// Until the package is picked up; then 409. A drone on its way turns home. What is called off
/// already stays so.
#[utoipa::path(
    delete,
    path = "/api/deliveryrequests/{id}",
    tag = "Delivery requests",
    params(("id" = String, Path)),
    responses((status = 204, description = "Called off"), ReadProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn cancel_request(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<StatusCode, Failure> {
    cancel(&api, &viewer, name, REQUEST).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Call a delivery off, under the reference's other path
#[utoipa::path(
    delete,
    path = "/api/deliveries/{id}",
    tag = "Deliveries",
    params(("id" = String, Path)),
    responses((status = 200, description = "Called off"), ReadProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn cancel_delivery(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<StatusCode, Failure> {
    cancel(&api, &viewer, name, DELIVERY).await?;
    Ok(StatusCode::OK)
}

/// Change places or times of a delivery
///
/// Until the package is picked up; then 409, for the drop-off too. The drone on its way goes
/// there instead, if its battery allows; else another one does. A pick-up time to come frees the
/// drone until then. What is left out stays as it is.
#[utoipa::path(
    patch,
    path = "/api/deliveryrequests/{id}",
    tag = "Delivery requests",
    params(("id" = String, Path)),
    request_body = RescheduledDelivery,
    responses((status = 200, body = RequestStatus), ReadProblems, BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn reschedule_request(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
    body: ChangeBody,
) -> Result<Json<RequestStatus>, Failure> {
    let record = own(&api, &viewer, name, REQUEST).await?;
    let world = &api.view.world();
    let place = |value| stop(world, value);
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.same_delivery("deliveryId", record.id.into());
    let change = Reschedule {
        pickup: fields.optional("pickupLocation", place),
        dropoff: fields.optional("dropOffLocation", place),
        deadline: fields.optional("deadline", deadline),
        not_before: fields.optional("pickupTime", |value| moment(world, value)),
        ..Reschedule::default()
    };
    let record = reschedule(&api, &viewer, record, change, complaints).await?;
    Ok(Json(status_of(&api.view, &record)))
}

/// Change places or deadline of a delivery
///
/// Until the package is picked up; then 409, for the drop-off too.
#[utoipa::path(
    patch,
    path = "/api/deliveries/{id}",
    tag = "Deliveries",
    params(("id" = String, Path)),
    request_body = DeliveryChange,
    responses((status = 200, body = Delivery), ReadProblems, BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn reschedule_delivery(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
    body: ChangeBody,
) -> Result<Json<Delivery>, Failure> {
    let record = own(&api, &viewer, name, DELIVERY).await?;
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.same_delivery("id", record.id.into());
    let change = Reschedule {
        pickup: fields.optional_location("pickup", "/pickup"),
        dropoff: fields.optional_location("dropoff", "/dropoff"),
        deadline: fields.optional("deadline", deadline),
        ..Reschedule::default()
    };
    let record = reschedule(&api, &viewer, record, change, complaints).await?;
    Ok(Json(delivery_of(&api.view.world(), &record)))
}

async fn reschedule(
    api: &Api,
    viewer: &Viewer,
    record: DeliveryRecord,
    change: Reschedule,
    complaints: Complaints,
) -> Result<DeliveryRecord, Failure> {
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    write(api, record.id, DeliveryWrite::Reschedule(Arc::new(change))).await?;
    delivery_for(api, viewer, Some(record.id.into()), DELIVERY).await
}

pub fn deadline(value: &Value) -> Result<String, Complaint> {
    fields::text(value, MAX_TEXT).map(str::to_owned)
}
