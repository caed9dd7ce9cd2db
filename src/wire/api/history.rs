//! What became of deliveries, and what they came to by month.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deliveries::ListedDelivery;
use crate::sim::delivery::Stage;
use crate::wire::place::Location;

/// A delivery with all that happened to it, ended or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryHistory {
    pub delivery: ListedDelivery,
    /// In order.
    pub events: Vec<PastEvent>,
    /// What the customer was told, each time it was another thing.
    pub quoted_etas: Vec<QuotedEtas>,
    /// What its flights took out of batteries, Wh, as far as they are over; null where no
    /// drone has flown for it, or the first has yet to land.
    #[schema(required)]
    pub energy_wh: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastEvent {
    /// From 1, without holes.
    pub seq: u32,
    #[schema(example = "HeadedToPickup")]
    pub kind: String,
    /// From then on.
    pub stage: Stage,
    /// RFC 3339, simulated.
    pub sim_time: String,
    /// Where its carrier was then, as far as the viewer may see that; the pick-up place before
    /// there is one.
    pub location: Location,
    /// As expected then; null where nothing was. RFC 3339, simulated.
    #[schema(required)]
    pub delivery_eta: Option<String>,
}

/// RFC 3339, simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotedEtas {
    /// When it was told.
    pub sim_time: String,
    pub pickup_eta: String,
    pub delivery_eta: String,
}

/// Deliveries completed in the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliverySummary {
    pub count: u64,
}

/// Of the packages that were taken on in the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageSummary {
    /// Pounds.
    pub total_weight: f64,
}

/// Of drones that came back to the ground in the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Utilization {
    pub traveled_miles: f64,
    pub assigned_hours: f64,
}
