//! What happened: facts that the tick commits, listeners read and the digest covers.
//!
//! Each event is numbered within its subject by the actor that owns the subject, so a
//! topic's numbering has no holes and survives a restart. The read side is a pure
//! projection of these events and of the positions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::actor::Actor;
use super::breaker::BreakerState;
use super::fault::FlightFault;
use super::geo::LatLon;
use super::ids::{DeliveryId, DroneId, HubId, ModelId};
use super::order::{ConfirmationRequired, Contact, Order, StoredPackage};
use super::time::SimTime;
use super::weather::Breach;
use super::workflow::{FailureReason, Step, WaitingFor};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: SimTime,
    /// Number within the subject, from 1, without holes.
    pub seq: u32,
    pub happening: Happening,
}

/// The event by whom it happened to; an event's kind cannot be had without its subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Happening {
    Delivery(DeliveryId, DeliveryEvent),
    Drone(DroneId, DroneEvent),
    Hub(HubId, HubEvent),
    Supervisor(SupervisorEvent),
    /// Boxed, as the next: they are rare and long, and every event is as long as the longest.
    Account(Box<AccountEvent>),
    /// Somebody put a package by itself.
    Package(Box<StoredPackage>),
}

/// When pick-up and drop-off are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Etas {
    pub pickup: SimTime,
    pub delivery: SimTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeliveryEvent {
    /// Admitted into the world; its workflow has begun. Always number 1.
    Accepted {
        order: Arc<Order>,
    },
    /// The workflow cannot go on yet.
    Delayed {
        waiting_for: WaitingFor,
    },
    /// The workflow's last step: the delivery exists and is under way.
    Created,
    /// The first quote is given here.
    Assigned {
        drone: DroneId,
        etas: Etas,
    },
    HeadedToPickup {
        etas: Etas,
    },
    PickedUp {
        location: LatLon,
    },
    HeadedToDropoff {
        etas: Etas,
    },
    EtaChanged {
        etas: Etas,
    },
    Completed {
        location: LatLon,
    },
    Failed {
        reason: FailureReason,
    },
    /// Third-party transport comes for it; the first quote, where no drone gave one before.
    HandedToCarrier {
        etas: Etas,
    },
    Cancelled,
    /// What is to be done is another thing from now on.
    Rescheduled {
        order: Arc<Order>,
    },
    /// At the door: the recipient's word is missing.
    AwaitingConfirmation {
        required: ConfirmationRequired,
    },
    /// Somebody wants to be told how it goes. Whoever reads a delivery's events is not told
    /// who.
    NotifyMeRequested {
        contact: Arc<Contact>,
    },
    /// A step, or its undoing, did not go well yet.
    StepDelayed {
        step: Step,
        /// How often it was tried.
        attempts: u32,
        waiting_for: WaitingFor,
    },
    /// Its drone came home with the package, which sets out again from here.
    BroughtBack {
        location: LatLon,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DroneEvent {
    TakenOff {
        hub: HubId,
        delivery: Option<DeliveryId>,
    },
    /// Back at a hub: what the flight took out of the battery and how far it went.
    Landed {
        hub: HubId,
        energy_wh: f64,
        distance_m: f64,
        airborne_s: f64,
    },
    /// The state of charge fell below the reserve in the air.
    LowBattery,
    /// Came down elsewhere than at a hub, for good.
    Lost {
        location: LatLon,
        energy_wh: f64,
        distance_m: f64,
        airborne_s: f64,
    },
    /// Something broke in the air.
    Fault(FlightFault),
    /// Waits in the air.
    Holding,
    /// Goes elsewhere than it was sent.
    Diverted,
    /// An operator added it to the world, parked at this hub.
    Added { hub: HubId },
    /// An operator withdrew it, and it has left the world.
    Withdrawn,
    /// As stores before format 7 have it: it came too close to another, and nobody said how high.
    LossOfSeparation(Proximity),
    /// The weather around it is more than its type may fly in, or than it gets on in.
    WeatherAlarm(Breach),
    /// It came too close to another in the air, outside of all terminal volumes, at this height.
    CameTooClose { proximity: Proximity, height_m: f32 },
}

/// As one of two sees the other at the moment in which they lose separation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proximity {
    pub other: DroneId,
    /// Where the one is whose event it is.
    pub location: LatLon,
    /// Over the ground.
    pub distance_m: f32,
    pub height_difference_m: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HubEvent {
    /// As stores before format 6 have it; drones that charge, and that wait for a charger.
    QueueChanged {
        charging: u32,
        queued: u32,
    },
    /// Nobody takes off before this time, which may be never.
    Closed {
        until: SimTime,
    },
    Opened,
    /// An operator added it to the world.
    Added,
    /// An operator withdrew it, and the last of its drones has left the world.
    Withdrawn,
    QueuesChanged(HubQueues),
    /// The weather, as forecast or as seen, keeps this type on the ground.
    GroundStopped {
        model: ModelId,
        breach: Breach,
    },
    /// It may take off again.
    GroundStopLifted {
        model: ModelId,
    },
}

/// Who waits at a hub, and for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubQueues {
    /// Drones that charge.
    pub charging: u32,
    /// Drones that wait for a charger.
    pub queued: u32,
    /// Drones in the air that wait for a pad.
    pub holding: u32,
    /// Drones that wait on the ground to leave.
    pub departing: u32,
    /// So many landings so far found no pad in time, and were made beside.
    pub beside_pads: u32,
}

/// What operators should know of the workflows and of those who carry them out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SupervisorEvent {
    /// A step of a request that came to nothing could not be undone; somebody still holds
    /// something for it.
    DeadLettered {
        id: DeliveryId,
        step: Step,
        since: SimTime,
        /// How often it was given up.
        times: u32,
    },
    /// Nobody holds anything for it any more.
    Resolved { id: DeliveryId },
    /// The circuit breaker around the carrier.
    BreakerMoved { state: BreakerState },
    /// An actor panicked, and goes on from its state before the message that it dropped.
    ActorPanicked { actor: Actor },
}

/// What the account is from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountEvent {
    Registered(Account),
    Changed(Account),
}

impl AccountEvent {
    pub fn account(&self) -> &Account {
        match self {
            AccountEvent::Registered(account) | AccountEvent::Changed(account) => account,
        }
    }
}
