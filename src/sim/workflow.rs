//! What a request goes through between acceptance and a delivery under way.

use serde::{Deserialize, Serialize};

/// The reference's steps that exist so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    ThirdParty,
    Drone,
    Delivery,
}

/// What a delayed workflow needs before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// A drone that could do it is busy or charging.
    Drone,
    /// The time before which the sender does not want a pick-up.
    PickupTime,
    /// No drone of this world could ever do it; third-party transport must.
    ThirdParty,
}

/// Why a request came to nothing; for people, and final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// No drone within the scenario's patience, and `when_full = "fail"`.
    NoDroneInTime,
    /// The scenario's backlog of waiting requests is full.
    BacklogFull,
    /// The drone that carried it was lost.
    DroneLost,
}
