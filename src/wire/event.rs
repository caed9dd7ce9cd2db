//! Events as listeners and history read them: `{"kind": …}` and what belongs to the kind.

mod hub;
mod services;

use serde::Serialize;
use utoipa::ToSchema;

pub use hub::HubKind;
pub use services::{AccountEventKind, PackageKind, SupervisorKind};

use super::place::Location;
use super::time::rfc3339;
use crate::sim::event::{DeliveryEvent, DroneEvent, Etas, Happening, Proximity};
use crate::sim::fault::FlightFault;
use crate::sim::geo::LatLon;
use crate::sim::ids::HubId;
use crate::sim::order::ConfirmationRequired;
use crate::sim::weather::Breach;
use crate::sim::workflow::{FailureReason, WaitingFor};
use crate::sim::world::World;

/// What happened and to whom. Number and time belong to the message that carries it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum EventBody {
    #[serde(rename_all = "camelCase")]
    Delivery {
        #[serde(flatten)]
        kind: DeliveryKind,
        delivery_id: String,
    },
    #[serde(rename_all = "camelCase")]
    Drone {
        #[serde(flatten)]
        kind: DroneKind,
        drone_id: String,
    },
    Hub {
        #[serde(flatten)]
        kind: HubKind,
        hub: String,
    },
    Supervisor(SupervisorKind),
    #[serde(rename_all = "camelCase")]
    Package {
        #[serde(flatten)]
        kind: PackageKind,
        package_id: String,
    },
    #[serde(rename_all = "camelCase")]
    Account {
        #[serde(flatten)]
        kind: AccountEventKind,
        account_id: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum DeliveryKind {
    #[schema(rename_all = "camelCase")]
    Accepted {
        owner_id: String,
        pickup: Location,
        dropoff: Location,
        payload_kg: f64,
        expedited: bool,
    },
    #[schema(rename_all = "camelCase")]
    Delayed {
        waiting_for: WaitingFor,
    },
    Created,
    #[schema(rename_all = "camelCase")]
    Assigned {
        drone_id: String,
        #[serde(flatten)]
        etas: EtasBody,
    },
    HeadedToPickup(EtasBody),
    PickedUp {
        location: Location,
    },
    HeadedToDropoff(EtasBody),
    EtaChanged(EtasBody),
    Completed {
        location: Location,
    },
    Failed {
        reason: FailureReason,
    },
    /// Third-party transport comes for it.
    #[schema(rename_all = "camelCase")]
    HandedToCarrier {
        carrier: String,
        #[serde(flatten)]
        etas: EtasBody,
    },
    Cancelled,
    /// New times follow, as soon as there are any.
    Rescheduled {
        pickup: Location,
        dropoff: Location,
        deadline: String,
    },
    #[schema(rename_all = "camelCase")]
    AwaitingConfirmation {
        confirmation_required: ConfirmationRequired,
    },
    /// Somebody wants to be told how it goes; who, is not said.
    NotifyMeRequested,
}

/// The event's kind as it is spelt everywhere.
pub fn name_of(event: &DeliveryEvent) -> &'static str {
    match event {
        DeliveryEvent::Accepted { .. } => "Accepted",
        DeliveryEvent::Delayed { .. }
        | DeliveryEvent::StepDelayed { .. }
        | DeliveryEvent::BroughtBack { .. } => "Delayed",
        DeliveryEvent::Created => "Created",
        DeliveryEvent::Assigned { .. } => "Assigned",
        DeliveryEvent::HeadedToPickup { .. } => "HeadedToPickup",
        DeliveryEvent::PickedUp { .. } => "PickedUp",
        DeliveryEvent::HeadedToDropoff { .. } => "HeadedToDropoff",
        DeliveryEvent::EtaChanged { .. } => "EtaChanged",
        DeliveryEvent::Completed { .. } => "Completed",
        DeliveryEvent::Failed { .. } => "Failed",
        DeliveryEvent::HandedToCarrier { .. } => "HandedToCarrier",
        DeliveryEvent::Cancelled => "Cancelled",
        DeliveryEvent::Rescheduled { .. } => "Rescheduled",
        DeliveryEvent::AwaitingConfirmation { .. } => "AwaitingConfirmation",
        DeliveryEvent::NotifyMeRequested { .. } => "NotifyMeRequested",
    }
}

/// RFC 3339, simulated.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EtasBody {
    pub pickup_eta: String,
    pub delivery_eta: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum DroneKind {
    #[schema(rename_all = "camelCase")]
    TakenOff {
        hub: String,
        #[schema(required)]
        delivery_id: Option<String>,
    },
    Landed {
        hub: String,
        #[serde(flatten)]
        flight: FlightBody,
    },
    LowBattery,
    Fault {
        fault: FlightFault,
    },
    /// Waits in the air.
    Holding,
    /// Goes elsewhere than it was sent.
    Diverted,
    Lost {
        location: Location,
        #[serde(flatten)]
        flight: FlightBody,
    },
    /// An operator added it, parked at its hub.
    Added {
        hub: String,
    },
    /// An operator withdrew it, and it has left the world.
    Withdrawn,
    /// It came too close to another drone.
    #[schema(rename_all = "camelCase")]
    LossOfSeparation {
        other_drone_id: String,
        location: Location,
        /// Over the ground.
        distance_m: f64,
        height_difference_m: f64,
    },
    /// The weather around it is more than its type may fly in, or it gets nowhere in it.
    WeatherAlarm {
        reason: Breach,
    },
}

/// What a flight took, from take-off to its end.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlightBody {
    pub energy_wh: f64,
    /// Metres over the ground.
    pub distance_m: f64,
    pub airborne_seconds: f64,
}

impl EventBody {
    pub fn new(world: &World, happening: &Happening) -> Self {
        match happening {
            Happening::Delivery(id, event) => EventBody::Delivery {
                kind: delivery_kind(world, event),
                delivery_id: id.to_string(),
            },
            Happening::Drone(id, event) => EventBody::Drone {
                kind: drone_kind(world, event),
                drone_id: id.to_string(),
            },
            Happening::Supervisor(event) => EventBody::Supervisor(services::supervisor_kind(world, event)),
            Happening::Hub(hub, event) => EventBody::Hub {
                kind: hub::hub_kind(world, event),
                hub: hub_key(world, *hub),
            },
            Happening::Package(stored) => EventBody::Package {
                kind: services::package_kind(stored),
                package_id: stored.package.id.clone(),
            },
            Happening::Account(event) => EventBody::Account {
                kind: services::account_kind(event),
                account_id: event.account().id.clone(),
            },
        }
    }
}

fn delivery_kind(world: &World, event: &DeliveryEvent) -> DeliveryKind {
    match event {
        DeliveryEvent::Accepted { order } => DeliveryKind::Accepted {
            owner_id: order.owner.account.clone(),
            pickup: Location::new(order.pickup.location, order.pickup.altitude_m),
            dropoff: Location::new(order.dropoff.location, order.dropoff.altitude_m),
            payload_kg: order.package.weight_kg,
            expedited: order.expedited,
        },
        DeliveryEvent::StepDelayed { waiting_for, .. } | DeliveryEvent::Delayed { waiting_for } => {
            DeliveryKind::Delayed {
                waiting_for: *waiting_for,
            }
        }
        DeliveryEvent::Created => DeliveryKind::Created,
        DeliveryEvent::Assigned { drone, etas } => DeliveryKind::Assigned {
            drone_id: drone.to_string(),
            etas: etas_body(world, etas),
        },
        DeliveryEvent::HeadedToPickup { etas } => DeliveryKind::HeadedToPickup(etas_body(world, etas)),
        DeliveryEvent::PickedUp { location } => DeliveryKind::PickedUp {
            location: on_ground(*location),
        },
        DeliveryEvent::HeadedToDropoff { etas } => DeliveryKind::HeadedToDropoff(etas_body(world, etas)),
        DeliveryEvent::EtaChanged { etas } => DeliveryKind::EtaChanged(etas_body(world, etas)),
        DeliveryEvent::Completed { location } => DeliveryKind::Completed {
            location: on_ground(*location),
        },
        DeliveryEvent::Failed { reason } => DeliveryKind::Failed { reason: *reason },
        DeliveryEvent::HandedToCarrier { etas } => DeliveryKind::HandedToCarrier {
            carrier: world.carrier.name.clone(),
            etas: etas_body(world, etas),
        },
        DeliveryEvent::Cancelled => DeliveryKind::Cancelled,
        DeliveryEvent::Rescheduled { order } => DeliveryKind::Rescheduled {
            pickup: Location::of_stop(&order.pickup),
            dropoff: Location::of_stop(&order.dropoff),
            deadline: order.deadline.clone(),
        },
        DeliveryEvent::AwaitingConfirmation { required } => DeliveryKind::AwaitingConfirmation {
            confirmation_required: *required,
        },
        DeliveryEvent::NotifyMeRequested { .. } => DeliveryKind::NotifyMeRequested,
        DeliveryEvent::BroughtBack { .. } => DeliveryKind::Delayed {
            waiting_for: WaitingFor::Drone,
        },
    }
}

fn drone_kind(world: &World, event: &DroneEvent) -> DroneKind {
    match event {
        DroneEvent::TakenOff { hub, delivery } => DroneKind::TakenOff {
            hub: hub_key(world, *hub),
            delivery_id: delivery.map(|id| id.to_string()),
        },
        DroneEvent::Landed {
            hub,
            energy_wh,
            distance_m,
            airborne_s,
        } => DroneKind::Landed {
            hub: hub_key(world, *hub),
            flight: flight(*energy_wh, *distance_m, *airborne_s),
        },
        DroneEvent::LowBattery => DroneKind::LowBattery,
        DroneEvent::Fault(fault) => DroneKind::Fault { fault: *fault },
        DroneEvent::Holding => DroneKind::Holding,
        DroneEvent::Diverted => DroneKind::Diverted,
        DroneEvent::Added { hub } => DroneKind::Added {
            hub: hub_key(world, *hub),
        },
        DroneEvent::Withdrawn => DroneKind::Withdrawn,
        DroneEvent::LossOfSeparation(proximity) => loss_of_separation(proximity, 0.0),
        DroneEvent::CameTooClose { proximity, height_m } => loss_of_separation(proximity, *height_m),
        DroneEvent::WeatherAlarm(reason) => DroneKind::WeatherAlarm { reason: *reason },
        DroneEvent::Lost {
            location,
            energy_wh,
            distance_m,
            airborne_s,
        } => DroneKind::Lost {
            location: on_ground(*location),
            flight: flight(*energy_wh, *distance_m, *airborne_s),
        },
    }
}

fn loss_of_separation(proximity: &Proximity, height_m: f32) -> DroneKind {
    DroneKind::LossOfSeparation {
        other_drone_id: proximity.other.to_string(),
        location: Location::new(proximity.location, rounded(height_m)),
        distance_m: rounded(proximity.distance_m),
        height_difference_m: rounded(proximity.height_difference_m),
    }
}

fn etas_body(world: &World, etas: &Etas) -> EtasBody {
    EtasBody {
        pickup_eta: rfc3339(world, etas.pickup),
        delivery_eta: rfc3339(world, etas.delivery),
    }
}

fn flight(energy_wh: f64, distance_m: f64, airborne_seconds: f64) -> FlightBody {
    FlightBody {
        energy_wh,
        distance_m,
        airborne_seconds,
    }
}

fn hub_key(world: &World, hub: HubId) -> String {
    world.hub(hub).key.clone()
}

/// To a tenth.
fn rounded(metres: f32) -> f64 {
    (f64::from(metres) * 10.0).round() / 10.0
}

fn on_ground(at: LatLon) -> Location {
    Location::new(at, 0.0)
}
