//! Writes from outside: what stands in the journal, and what is decided about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::ids::DeliveryId;
use super::order::Order;

/// A write from outside, as it stands in the journal. New kinds go to the end: old journals
/// are read by position.
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
    /// Something about one delivery, for whoever owns it by then.
    Delivery(DeliveryId, DeliveryWrite),
}

/// What a client wants of a delivery that was requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeliveryWrite {
    /// Nobody is to deliver it any more. Too late from the pick-up on.
    Cancel,
}

/// Whom a decision is for: the command by its number in the journal. Nobody listens while the
/// journal is executed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplyTo(pub u64);

/// What an actor decided about a command that its sender waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    Done,
    Refused(Objection),
}

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Objection {
    /// It came when there was nothing to change any more.
    #[error(
        "the fault came too late: the drone was no longer in the air, or the hub is closed for longer already"
    )]
    NoEffect,
    #[error("the delivery has ended")]
    Ended,
    #[error("the package has been picked up")]
    PickedUp,
}
