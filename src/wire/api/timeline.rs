//! A recording at a glance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What there is to see in a recording, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// RFC 3339, simulated.
    #[schema(example = "2026-06-01T18:00:00.000Z")]
    pub from: String,
    pub to: String,
    /// Deliveries completed in each of so many stretches of equal length.
    pub buckets: Vec<u64>,
    /// In the order of their times; at most 2,000.
    pub marks: Vec<Mark>,
    /// Marks beyond those, which are left out evenly.
    pub unmarked: u64,
    /// Up to where the recording has been read for this; null once that is all of it.
    #[schema(required)]
    pub gathered: Option<String>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub at: String,
    pub kind: MarkKind,
    /// The fault, the reason of a failure, `separation`, or `drone_lost`.
    #[schema(example = "rotor_out")]
    pub what: String,
    pub of: MarkedKind,
    /// Of the drone, delivery or hub.
    #[schema(example = "d-17")]
    pub id: String,
    /// The other drone of a loss of separation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    /// Of a drone, or a hub that was closed.
    Fault,
    /// Of separation.
    Loss,
    /// Of a delivery, or a drone that was lost.
    Failure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MarkedKind {
    Drone,
    Delivery,
    Hub,
}
