//! Who waits at the other end: their word at the door, and where they want to be told how a
//! delivery goes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::delivery_for;
use super::body::ChangeBody;
use super::changes::{DELIVERY, write};
use super::documents::{AccessProblems, BodyProblems, ClockProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{self, Complaint, Complaints, Fields};
use super::order::{CONFIRMATIONS, moment};
use super::parameters::PathId;
use crate::auth::Viewer;
use crate::sim::command::DeliveryWrite;
use crate::sim::ids::DeliveryName;
use crate::sim::order::{Confirmation, ConfirmationRequired, Contact};
use crate::wire::api::changes::{ConfirmationRequest, NotifyMeRequest};

/// Most characters of a print, picture or voice, as text.
const MAX_BLOB: usize = 262_144;
const MAX_EMAIL: usize = 254;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(confirm))
        .routes(routes!(notify_me))
}

/// Give the recipient's word
///
/// For a delivery whose order requires one, once its drone or van waits at the door; before,
/// after, and where none is required, 409. Of the blob only a hash is kept.
#[utoipa::path(
    post,
    path = "/api/deliveries/{id}/confirmations",
    tag = "Deliveries",
    params(("id" = String, Path)),
    request_body = ConfirmationRequest,
    responses((status = 200, description = "The delivery is completed"), ReadProblems, BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn confirm(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
    body: ChangeBody,
) -> Result<StatusCode, Failure> {
    let record = delivery_for(&api, &viewer, name, DELIVERY).await?;
    let world = &api.view.world();
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    let given_at = fields
        .object("dateTime", "/dateTime")
        .required("dateTimeValue", |value| moment(world, value));
    let location = fields.location("geoCoordinates", "/geoCoordinates");
    let kind = fields.required("confirmationType", |value| {
        match fields::name_or_number(value, &CONFIRMATIONS)? {
            ConfirmationRequired::None => Err("must be FingerPrint, Picture or Voice".into()),
            kind => Ok(kind),
        }
    });
    let blob = fields.optional("confirmationBlob", |value| fields::text(value, MAX_BLOB));
    let (Some(given_at), Some(stop), Some(kind), true) = (given_at, location, kind, complaints.is_empty())
    else {
        return Err(complaints.into_failure());
    };
    let confirmation = Confirmation {
        kind,
        given_at,
        location: stop.location,
        blob_hash: *blake3::hash(blob.unwrap_or_default().as_bytes()).as_bytes(),
    };
    write(&api, record.id, DeliveryWrite::Confirm(Arc::new(confirmation))).await?;
    Ok(StatusCode::OK)
}

/// Ask to be told how a delivery goes
///
/// By electronic mail, by text message, or both; at most 16 for each delivery.
#[utoipa::path(
    post,
    path = "/api/deliveries/{id}/notifymerequests",
    tag = "Deliveries",
    params(("id" = String, Path)),
    request_body = NotifyMeRequest,
    responses((status = 204, description = "Noted"), ReadProblems, BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn notify_me(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
    body: ChangeBody,
) -> Result<StatusCode, Failure> {
    let record = delivery_for(&api, &viewer, name, DELIVERY).await?;
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    let contact = Contact {
        email: fields.optional("emailAddress", email).flatten(),
        sms: fields.optional("sms", telephone).flatten(),
    };
    if complaints.is_empty() && contact.email.is_none() && contact.sms.is_none() {
        complaints.add("/emailAddress", "or sms must say how to reach you");
    }
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    write(&api, record.id, DeliveryWrite::NotifyMe(Arc::new(contact))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `None` for an empty text.
fn email(value: &Value) -> Result<Option<String>, Complaint> {
    let text = fields::text(value, MAX_EMAIL)?;
    if text.is_empty() {
        return Ok(None);
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c);
    let is_address = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(odd)
    });
    match is_address {
        true => Ok(Some(text.to_owned())),
        false => Err("must be an address like ada@example.org".into()),
    }
}

/// `None` for an empty text.
fn telephone(value: &Value) -> Result<Option<String>, Complaint> {
    let text = fields::text(value, 32)?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let others = |c: char| !c.is_ascii_digit() && !"+-. ()/".contains(c);
    match (4..=15).contains(&digits) && !text.contains(others) {
        true => Ok(Some(text.to_owned())),
        false => Err("must be a telephone number of 4 to 15 digits".into()),
    }
}
