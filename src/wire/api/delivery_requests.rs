//! Requests for deliveries, and how far their workflows have come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::geo::LatLon;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Stop};
use crate::sim::time::SimTime;
use crate::sim::units::kg_to_pounds;
use crate::sim::workflow::{FailureReason, Step, WaitingFor};
use crate::sim::world::World;
use crate::wire::place::rounded;
use crate::wire::time::rfc3339;

/// A request as clients send it. Unknown fields are ignored, and come back in the answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "ownerId": "myowner",
    "pickupLocation": "Ferry Building",
    "dropOffLocation": "0,37.7596,-122.4269",
    "packageInfo": {"packageId": "mypackage", "size": "Small", "tag": "mytag", "weight": 1},
    "confirmationRequired": "None",
    "deadline": "",
    "expedited": true,
    "pickupTime": "2019-05-08T20:00:00.000Z"
}))]
pub struct ExternalDelivery {
    /// Ignored on the way in; made by the server on the way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    pub owner_id: String,
    /// `altitude,latitude,longitude`, `latitude,longitude`, or a name.
    pub pickup_location: String,
    /// As `pickupLocation`.
    pub drop_off_location: String,
    pub package_info: PackageInfo,
    /// Any case, or the reference's number (0 to 3).
    #[serde(default = "no_confirmation")]
    #[schema(value_type = Option<NameOrNumber>)]
    pub confirmation_required: ConfirmationRequired,
    /// Free text, kept and shown as it was given: nothing is measured by it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub deadline: String,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub expedited: bool,
    /// RFC 3339; the past means now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup_time: Option<String>,
}

impl ExternalDelivery {
    /// The request that asks for this order.
    pub fn of(world: &World, order: &Order) -> Self {
        let package = &order.package;
        ExternalDelivery {
            delivery_id: None,
            owner_id: order.owner.account.clone(),
            pickup_location: place_text(&order.pickup),
            drop_off_location: place_text(&order.dropoff),
            package_info: PackageInfo {
                package_id: package.id.clone(),
                size: package.size,
                weight: rounded(kg_to_pounds(package.weight_kg), 1e6),
                tag: package.tag.clone(),
            },
            confirmation_required: order.confirmation,
            deadline: order.deadline.clone(),
            expedited: order.expedited,
            pickup_time: (order.not_before > SimTime::START).then(|| rfc3339(world, order.not_before)),
        }
    }
}

/// `altitude,latitude,longitude`
fn place_text(stop: &Stop) -> String {
    let LatLon { lat, lon } = stop.location;
    format!("{},{},{}", stop.altitude_m, rounded(lat, 1e7), rounded(lon, 1e7))
}

fn no_confirmation() -> ConfirmationRequired {
    ConfirmationRequired::None
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageInfo {
    pub package_id: String,
    /// `Small`, `Medium` or `Large` in any case, or the reference's number (0 to 2).
    #[schema(value_type = NameOrNumber)]
    pub size: ContainerSize,
    /// Pounds, above 0; a number or a numeric string.
    #[schema(value_type = NameOrNumber)]
    pub weight: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A text, or the number that stands for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum NameOrNumber {
    Name(String),
    Number(f64),
}

/// How far the workflow of a request has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestStatus {
    pub delivery_id: String,
    pub state: RequestState,
    /// The step it is at, or ended with; null before the first.
    #[schema(required)]
    pub step: Option<Step>,
    /// How often that step was tried, as was told last: a carrier that stays full is told of once.
    pub attempts: u32,
    /// Null unless the workflow waits.
    #[schema(required)]
    pub waiting_for: Option<WaitingFor>,
    /// Why it came to nothing; absent unless it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FailureReason>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum RequestState {
    Queued,
    Running,
    AwaitingDrone,
    Retrying,
    Compensating,
    Scheduled,
    Failed,
    DeadLettered,
    Cancelled,
}

impl RequestState {
    pub const ALL: [RequestState; 9] = [
        RequestState::Queued,
        RequestState::Running,
        RequestState::AwaitingDrone,
        RequestState::Retrying,
        RequestState::Compensating,
        RequestState::Scheduled,
        RequestState::Failed,
        RequestState::DeadLettered,
        RequestState::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            RequestState::Queued => "Queued",
            RequestState::Running => "Running",
            RequestState::AwaitingDrone => "AwaitingDrone",
            RequestState::Retrying => "Retrying",
            RequestState::Compensating => "Compensating",
            RequestState::Scheduled => "Scheduled",
            RequestState::Failed => "Failed",
            RequestState::DeadLettered => "DeadLettered",
            RequestState::Cancelled => "Cancelled",
        }
    }
}
