//! What somebody wants delivered, checked and in SI units: the input of a workflow.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::geo::LatLon;
use super::ids::DeliveryId;
use super::time::SimTime;

/// One end of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    pub location: LatLon,
    /// As the client gave it, metres; shown back, not flown.
    pub altitude_m: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerSize {
    Small,
    Medium,
    Large,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfirmationRequired {
    FingerPrint,
    Picture,
    Voice,
    None,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    pub id: String,
    pub size: ContainerSize,
    pub weight_kg: f64,
    pub tag: Option<String>,
}

/// A request for one delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The account that pays.
    pub owner_id: String,
    pub pickup: Stop,
    pub dropoff: Stop,
    pub package: Package,
    pub expedited: bool,
    pub confirmation: ConfirmationRequired,
    /// Free text, as the reference has it.
    pub deadline: String,
    /// No pick-up before this; the start or the past mean at once.
    pub not_before: SimTime,
}

/// A write from outside, as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    RequestDelivery {
        id: DeliveryId,
        order: Arc<Order>,
        /// The client's `Idempotency-Key`, so that the first answer can be given again.
        idempotency_key: Option<String>,
    },
    /// Whether the scenario's own customers order from now on. They do at the beginning.
    SetDemand(bool),
    /// Something breaks.
    Inject(Fault),
}
