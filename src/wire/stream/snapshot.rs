//! What a `snapshot` holds: the state of a topic's subject.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::sim::delivery::Stage;
use crate::wire::api::simulation::{SimulationState, Speed};
use crate::wire::drone::Drone;
use crate::wire::hub::Hub;
use crate::wire::place::Location;

/// The state of a topic's subject, under the subject's kind.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Snapshot {
    Delivery(DeliverySnapshot),
    Drone(Drone),
    Hub(Hub),
    Fleet(Fleet),
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliverySnapshot {
    pub id: String,
    pub stage: Stage,
    /// Null before a drone is assigned.
    #[schema(required)]
    pub drone_id: Option<String>,
    /// The third party that carries it; only where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// What the third party takes for it, in the scenario's money; only where one carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    pub location: Location,
    /// Null while there is no plan; the actual time once reached. RFC 3339, simulated.
    #[schema(required)]
    pub pickup_eta: Option<String>,
    /// As `pickupEta`.
    #[schema(required)]
    pub delivery_eta: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    pub drones: u32,
    pub airborne: u32,
    pub charging: u32,
    pub lost: u32,
    /// Drones by status; all statuses are listed.
    pub by_status: BTreeMap<&'static str, u32>,
    pub speed: Speed,
    pub real_time_factor: f64,
    /// Wall time that a tick takes to compute.
    pub tick_ms: f64,
    pub tick_slip_ms: f64,
    /// `running`, `paused` or `stalled`.
    #[schema(value_type = SimulationState)]
    pub state: &'static str,
    /// How many look on.
    pub sessions: u64,
    pub deliveries: DeliveryCounts,
    /// Over the last five simulated minutes.
    pub completed_per_minute: f64,
    /// Null before the first completed delivery.
    #[schema(required)]
    pub eta_error: Option<EtaError>,
}

/// How promised times held, of the last thousand deliveries that drones completed. The errors
/// beside `samples` are those of the first quotes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtaError {
    pub samples: u32,
    #[serde(flatten)]
    pub at_quote: ErrorSpread,
    /// Mean of actual minus quoted: positive means that deliveries come late.
    pub bias_seconds: f64,
    /// Over a minute after the quote.
    pub late_share: f64,
    /// Of what was told when the package was on board; null where nothing was.
    #[schema(required)]
    pub at_pickup: Option<ErrorSpread>,
    /// Of what was told so long before the end, the longest first.
    pub by_time_to_go: Vec<TimeToGo>,
    /// How often what a customer was told jumped by more than five seconds, a delivery.
    pub jumps: f64,
}

/// Median and 95th percentile of absolute errors, in seconds and as shares of the trip from the
/// first quote to the door.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorSpread {
    pub p50_seconds: f64,
    pub p95_seconds: f64,
    pub p50_share: f64,
    pub p95_share: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeToGo {
    pub seconds: u32,
    /// That had been quoted by then; no others are in this row.
    pub trips: u32,
    #[serde(flatten)]
    pub error: ErrorSpread,
    /// Of the first quotes of the same trips.
    pub at_quote: ErrorSpread,
}

/// `accepted` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryCounts {
    pub accepted: u64,
    pub waiting: u64,
    pub under_way: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}
