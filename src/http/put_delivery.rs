//! `PUT /api/deliveries/{id}`: a delivery by an id of the client's own, made or replaced.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{must, named};
use super::body::ChangeBody;
use super::changes::{DELIVERY, deadline, write};
use super::deliveries::delivery_of;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, PastProblems};
use super::drone_deliveries::NOBODYS;
use super::failure::Failure;
use super::fields::{self, Complaint, Complaints, Fields};
use super::names;
use super::order::CONFIRMATIONS;
use super::parameters::PathId;
use crate::auth::{Parcel, Viewer, What};
use crate::sim::command::{DeliveryWrite, Objection};
use crate::sim::delivery::Stage;
use crate::sim::ids::{DeliveryId, DeliveryName};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Reschedule, Stop};
use crate::sim::time::SimTime;
use crate::view::commands::Refusal;
use crate::view::{DeliveryHandle, DeliveryRecord};
use crate::wire::api::deliveries::{Delivery, PutDelivery};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(put_delivery))
}

/// Put a delivery
///
/// Under an id of the client's own: a UUID, or any text, which becomes one (the answer's `id`)
/// and finds the delivery as well. Made with the first PUT, and asked for once however often
/// that is sent; replaced by later ones until the package is picked up, then 409. What is left
/// out is as if it had never been given. A PUT that changes nothing is always well. Nobody says
/// what the package is: it weighs nothing, and has the delivery's id.
///
/// Where an operator asked for its drone, or its van, first, and so before anybody said whose the
/// delivery is, the first PUT of an operator says it: the answer is 201, and the delivery is that
/// owner's from then on. No other delivery changes its account.
#[utoipa::path(
    put,
    path = "/api/deliveries/{id}",
    tag = "Deliveries",
    params(("id" = String, Path)),
    request_body = PutDelivery,
    responses(
        (status = 201, description = "Accepted and durable", body = Delivery,
            headers(("Location" = String, description = "/api/deliveries/{id}"))),
        (status = 204, description = "Replaced"),
        BodyProblems, ClockProblems, PastProblems, AccessProblems,
    )
)]
async fn put_delivery(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(text): PathId<String>,
    body: ChangeBody,
) -> Result<Response, Failure> {
    must(&viewer, &What::Write)?;
    let mut complaints = Complaints::default();
    let name = names::of_delivery(text, &mut complaints);
    let found = match name {
        Some(name) => named(&api, name).await?,
        None => None,
    };
    if let Some(handle) = &found {
        must_be_own(&viewer, &handle.look())?;
    }
    let wanted = Wanted::read(&body.value, name, &mut complaints);
    let (Some(name), Some(wanted), true) = (name, wanted, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    if let Some(handle) = found {
        let is_nobodys = is_for_the_taking(&api, &viewer, &handle.look(), &wanted);
        return match is_nobodys {
            true => entrust(&api, &handle, wanted).await,
            false => replace(&api, &handle, wanted).await,
        };
    }
    must(&viewer, &What::OrderFor(&wanted.account))?;
    let order = wanted.clone().into_order(name.own(), &viewer);
    let accepted = api.commands.put_delivery(name.own(), order).await?;
    let handle = api.view.find(accepted.id).await?;
    let handle = handle.ok_or(Failure::Unknown(DELIVERY))?;
    if accepted.repeated {
        // Another was quicker, whoever that was.
        must_be_own(&viewer, &handle.look())?;
        return replace(&api, &handle, wanted).await;
    }
    Ok(made(&api, &handle))
}

fn made(api: &Api, handle: &DeliveryHandle) -> Response {
    let made = delivery_of(&api.view.world(), &handle.look());
    let location = format!("/api/deliveries/{}", made.id);
    (StatusCode::CREATED, [(LOCATION, location)], Json(made)).into_response()
}

/// Before anybody is told what would be wrong with it.
fn must_be_own(viewer: &Viewer, record: &DeliveryRecord) -> Result<(), Failure> {
    must(viewer, &What::Delivery(&Parcel::of(record)))?;
    must(viewer, &What::OrderFor(&record.order.owner.account))
}

/// Whether nobody has said yet whose it is.
fn is_for_the_taking(api: &Api, viewer: &Viewer, record: &DeliveryRecord, wanted: &Wanted) -> bool {
    let account = &record.order.owner.account;
    let is_nobodys = account == NOBODYS || *account == api.view.world().carrier.name;
    is_nobodys && *account != wanted.account && viewer.account().is_none()
}

/// Its owner first, so that nothing that the owner wants is done for anybody else.
async fn entrust(api: &Api, handle: &DeliveryHandle, wanted: Wanted) -> Result<Response, Failure> {
    let id = handle.look().id;
    let owner = Owner {
        account: wanted.account.clone(),
        user: wanted.user.clone(),
    };
    write(api, id, DeliveryWrite::Entrust(Arc::new(owner))).await?;
    replace(api, handle, wanted).await?;
    Ok(made(api, handle))
}

async fn replace(api: &Api, handle: &DeliveryHandle, wanted: Wanted) -> Result<Response, Failure> {
    let (id, stage, change) = {
        let record = handle.look();
        (record.id, record.stage, wanted.changes(&record.order)?)
    };
    let is_as_wanted = change == Reschedule::default();
    if is_as_wanted && !matches!(stage, Stage::Cancelled | Stage::Failed) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if stage.is_terminal() {
        return Err(Refusal::Objected(Objection::Ended).into());
    }
    write(api, id, DeliveryWrite::Reschedule(Arc::new(change))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What a body says, checked.
#[derive(Clone)]
struct Wanted {
    account: String,
    user: Option<String>,
    pickup: Stop,
    dropoff: Stop,
    deadline: String,
    expedited: bool,
    confirmation: ConfirmationRequired,
}

impl Wanted {
    fn read(body: &Value, name: Option<DeliveryName>, complaints: &mut Complaints) -> Option<Self> {
        let mut fields = Fields::of_body(body, complaints);
        if let Some(name) = name {
            fields.same_delivery("id", name);
        }
        let mut owner = fields.object("owner", "/owner");
        let account = owner.required("accountId", fields::name);
        let user = owner.optional("userId", fields::name);
        let pickup = fields.location("pickup", "/pickup");
        let dropoff = fields.location("dropoff", "/dropoff");
        let deadline = fields.optional("deadline", deadline);
        let expedited = fields.optional("expedited", fields::boolean);
        let confirmation = fields.optional("confirmationRequired", |value| {
            fields::name_or_number(value, &CONFIRMATIONS)
        });
        fields.optional("droneId", |value| match value {
            Value::String(_) => Ok(()),
            _ => Err(Complaint::Borrowed("must be a string")),
        });
        let account = account?.to_owned();
        Some(Wanted {
            user: user.filter(|user| **user != account).map(str::to_owned),
            account,
            pickup: pickup?,
            dropoff: dropoff?,
            deadline: deadline.unwrap_or_default(),
            expedited: expedited.unwrap_or(false),
            confirmation: confirmation.unwrap_or(ConfirmationRequired::None),
        })
    }

    fn into_order(self, id: DeliveryId, viewer: &Viewer) -> Order {
        Order {
            owner: Owner {
                account: self.account,
                user: viewer.user().map(str::to_owned).or(self.user),
            },
            pickup: self.pickup,
            dropoff: self.dropoff,
            package: Package {
                id: id.to_string(),
                size: ContainerSize::Small,
                weight_kg: 0.0,
                tag: None,
            },
            expedited: self.expedited,
            confirmation: self.confirmation,
            deadline: self.deadline,
            not_before: SimTime::START,
        }
    }

    /// What this order must change to be as wanted.
    fn changes(self, order: &Order) -> Result<Reschedule, Failure> {
        if self.account != order.owner.account {
            let mut complaints = Complaints::default();
            complaints.add(
                "/owner/accountId",
                "cannot change: the delivery is another account's",
            );
            return Err(complaints.into_failure());
        }
        fn other<T: PartialEq>(wanted: T, now: &T) -> Option<T> {
            Some(wanted).filter(|wanted| wanted != now)
        }
        Ok(Reschedule {
            pickup: other(self.pickup, &order.pickup),
            dropoff: other(self.dropoff, &order.dropoff),
            deadline: other(self.deadline, &order.deadline),
            expedited: other(self.expedited, &order.expedited),
            confirmation: other(self.confirmation, &order.confirmation),
            not_before: None,
        })
    }
}
