//! `/api/thirdpartydeliveries`: asks third-party transport itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{must, named};
use super::body::ChangeBody;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{Complaints, Fields};
use super::names;
use super::parameters::PathId;
use crate::auth::{Parcel, Viewer, What};
use crate::sim::command::{Command, Objection};
use crate::sim::delivery::{Bearer, Stage};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package};
use crate::sim::time::SimTime;
use crate::view::DeliveryRecord;
use crate::view::commands::Refusal;
use crate::wire::api::third_party::ThirdPartyDelivery;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(carry))
}

/// Ask third-party transport to carry something
///
/// `true` where it does, or did. For a delivery that was requested nothing changes: its own
/// workflow asks the carrier when no drone can take it. An id that is not known yet becomes a
/// delivery that the carrier takes at once, of the account that asks, or else of one with the
/// carrier's own name, until an operator's `PUT /api/deliveries/{id}` says whose it is. The account
/// is looked at as with every request, and made on first use; where it is suspended, or the carrier
/// is full or down, the answer is `false`, and there is no delivery. Asked twice it answers the
/// same, and one van comes.
#[utoipa::path(
    put,
    path = "/api/thirdpartydeliveries/{deliveryId}",
    tag = "Third-party transport",
    params(("deliveryId" = String, Path, description = "A UUID, or any text, which becomes one")),
    request_body = ThirdPartyDelivery,
    responses((status = 200, body = bool, content_type = "application/json"), BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn carry(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(text): PathId<String>,
    body: ChangeBody,
) -> Result<Json<bool>, Failure> {
    must(&viewer, &What::Write)?;
    let mut complaints = Complaints::default();
    let name = names::of_delivery(text, &mut complaints);
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    if let Some(name) = name {
        fields.same_delivery("deliveryId", name);
    }
    let pickup = fields.location("pickup", "/pickup");
    let dropoff = fields.location("dropoff", "/dropoff");
    let (Some(name), Some(pickup), Some(dropoff), true) = (name, pickup, dropoff, complaints.is_empty())
    else {
        return Err(complaints.into_failure());
    };
    if let Some(handle) = named(&api, name).await? {
        let record = handle.look();
        must(&viewer, &What::Delivery(&Parcel::of(&record)))?;
        return Ok(Json(is_carried(&record)));
    }
    let id = name.own();
    let world = api.view.world();
    let account = viewer.account().unwrap_or(&world.carrier.name);
    let order = Order {
        owner: Owner {
            account: account.to_owned(),
            user: viewer.user().map(str::to_owned),
        },
        pickup,
        dropoff,
        // Nobody says what it is.
        package: Package {
            id: id.to_string(),
            size: ContainerSize::Small,
            weight_kg: 0.0,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    };
    let command = Command::CarryByThirdParty(id, Arc::new(order));
    match api.commands.write(command).await {
        Ok(_) => Ok(Json(true)),
        Err(Refusal::Objected(Objection::NotCarried)) => Ok(Json(false)),
        Err(refusal) => Err(refusal.into()),
    }
}

fn is_carried(record: &DeliveryRecord) -> bool {
    record.bearer == Some(Bearer::Carrier) && !matches!(record.stage, Stage::Failed | Stage::Cancelled)
}
