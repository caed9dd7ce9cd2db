//! Deliveries and their status, in the reference's spelling.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::delivery_requests::NameOrNumber;
use crate::sim::delivery::Stage;
use crate::sim::order::{ConfirmationRequired, ContainerSize};
use crate::wire::place::Location;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub id: String,
    pub owner: Owner,
    pub pickup: Location,
    pub dropoff: Location,
    /// As it was given.
    pub deadline: String,
    pub expedited: bool,
    pub confirmation_required: ConfirmationRequired,
    /// Null before a drone is assigned.
    #[schema(required, example = "d-17")]
    pub drone_id: Option<String>,
    /// The third party that carries it; null while none does.
    #[schema(required)]
    pub carrier: Option<String>,
    /// What the third party takes for it, in the scenario's money; only where one carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 12.34)]
    pub price: Option<f64>,
    /// What its package was tagged with, where that is anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A request names one account, which is both unless its token said which user it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    pub user_id: String,
    pub account_id: String,
}

/// A delivery in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedDelivery {
    #[serde(flatten)]
    pub delivery: Delivery,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryStatus {
    pub stage: Stage,
    /// The drone's place once one is assigned, on the ground too, or the van's; the pick-up before,
    /// the drop-off after.
    pub last_known_location: Location,
    /// As promised; the actual time once reached. Null while nobody has promised anything, and once
    /// it has failed. RFC 3339, simulated.
    #[serde(rename = "pickupETA")]
    #[schema(required, example = "2026-06-01T18:04:12.300Z")]
    pub pickup_eta: Option<String>,
    /// As `pickupETA`.
    #[serde(rename = "deliveryETA")]
    #[schema(required, example = "2026-06-01T18:09:47.100Z")]
    pub delivery_eta: Option<String>,
    /// A guess where nothing is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// While its drone brings it back: when it is at the hub, from where it sets out again.
    #[serde(rename = "returnETA", default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-06-01T18:14:02.000Z")]
    pub return_eta: Option<String>,
    /// What the third party takes for it, in the scenario's money; only where one carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 12.34)]
    pub price: Option<f64>,
}

/// When a delivery may come to be picked up and delivered, while no drone is found for it, or the
/// one that it has brings it back. Left out where nobody can know: while it waits for weather, for
/// room at the carrier's, or at a hub that is closed for good, and where nobody would take it twice.
/// Events tell of promises alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    #[serde(rename = "pickupETA")]
    #[schema(example = "2026-06-01T18:04:12.300Z")]
    pub pickup_eta: String,
    #[serde(rename = "deliveryETA")]
    #[schema(example = "2026-06-01T18:09:47.100Z")]
    pub delivery_eta: String,
}

/// A delivery as a client puts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "owner": {"userId": "ada", "accountId": "myowner"},
    "pickup": {"altitude": 0, "latitude": 37.7955, "longitude": -122.3937},
    "dropoff": {"altitude": 0, "latitude": 37.7596, "longitude": -122.4269},
    "confirmationRequired": "None",
    "deadline": "",
    "expedited": true
}))]
pub struct PutDelivery {
    /// What the path says, where it is given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub owner: PutOwner,
    pub pickup: Location,
    pub dropoff: Location,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expedited: Option<bool>,
    /// Any case, or the reference's number (0 to 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NameOrNumber>)]
    pub confirmation_required: Option<ConfirmationRequired>,
    /// Passed over: the world assigns its drones itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drone_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutOwner {
    /// A user of the account, unless the token says which; the account where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// It pays, and does not change any more.
    pub account_id: String,
}

/// What the drone service is asked to fly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "pickup": {"altitude": 0, "latitude": 37.7955, "longitude": -122.3937},
    "dropoff": {"altitude": 0, "latitude": 37.7596, "longitude": -122.4269},
    "packageDetails": [{"id": "mypackage", "size": "Small"}],
    "expedited": true
}))]
pub struct DroneDelivery {
    /// What the path says, where it is given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    pub pickup: Location,
    pub dropoff: Location,
    /// At most 16; they fly together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package_details: Option<Vec<PackageDetail>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expedited: Option<bool>,
}

/// One that was put by itself has the weight that it has there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PackageDetail {
    pub id: String,
    /// `Small`, `Medium` or `Large` in any case, or the reference's number (0 to 2).
    #[schema(value_type = NameOrNumber)]
    pub size: ContainerSize,
}
