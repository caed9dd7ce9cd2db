//! Deliveries and their status, in the reference's spelling.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::delivery::Stage;
use crate::sim::order::ConfirmationRequired;
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
    /// The drone's place while one is under way, or the van's; the pick-up before, the drop-off after.
    pub last_known_location: Location,
    /// Null while there is no plan; the actual time once reached. RFC 3339, simulated.
    #[serde(rename = "pickupETA")]
    #[schema(required, example = "2026-06-01T18:04:12.300Z")]
    pub pickup_eta: Option<String>,
    /// As `pickupETA`.
    #[serde(rename = "deliveryETA")]
    #[schema(required, example = "2026-06-01T18:09:47.100Z")]
    pub delivery_eta: Option<String>,
}
