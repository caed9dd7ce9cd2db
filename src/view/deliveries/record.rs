//! One delivery's record: what its events, and those of the drones that flew for it, tell.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::road;
use crate::sim::delivery::{Bearer, Stage};
use crate::sim::event::{DeliveryEvent, Etas, Event, Happening};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::{FailureReason, Step, WaitingFor};
use crate::sim::world::World;

/// The first byte of a record as it is kept. An older one is a list of events alone, which
/// begins with how many there are: never with this.
const NOT_A_LIST: u8 = 0;
const FORMAT: u8 = 1;

/// How far a request's workflow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowState {
    /// Durable, and not in the world yet.
    Queued,
    Running,
    AwaitingDrone(WaitingFor),
    /// A step, or its undoing, did not go well yet.
    Delayed {
        step: Step,
        attempts: u32,
        waiting_for: WaitingFor,
    },
    Scheduled,
    Failed(FailureReason),
    Cancelled,
}

/// Where something was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    pub at: LatLon,
    pub height_m: f32,
}

impl Place {
    pub(in crate::view) fn on_ground(at: LatLon) -> Self {
        Place { at, height_m: 0.0 }
    }
}

/// A flight for a delivery, from take-off until the drone came down, at a hub or elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    pub drone: DroneId,
    pub ended: SimTime,
    pub energy_wh: f64,
    /// Over the ground.
    pub distance_m: f64,
    pub airborne_s: f64,
}

/// All that is known of one delivery; every field follows from events.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    pub id: DeliveryId,
    pub order: Arc<Order>,
    /// When it was first heard of: with its acceptance, or while it waited for that.
    pub since: SimTime,
    pub workflow: WorkflowState,
    pub stage: Stage,
    /// The one that carries it, comes for it, or brought it.
    pub bearer: Option<Bearer>,
    /// As last told; the actual times once reached.
    pub etas: Option<Etas>,
    /// Where the package is while no airborne drone says it better.
    pub resting_place: LatLon,
    /// Since when its package is created; `None` before, and where that was undone.
    pub(super) package_since: Option<SimTime>,
    /// When it came to its end.
    pub ended: Option<SimTime>,
    pub events: Vec<Arc<Event>>,
    /// By event: where the package's carrier, or else the package, was then.
    pub places: Vec<Place>,
    pub flights: Vec<Flight>,
    /// Drones that took off for it and are not on the ground yet.
    pub aloft: Vec<DroneId>,
}

/// As it is kept: the rest follows.
#[derive(Serialize, Deserialize)]
struct Kept<E> {
    events: E,
    places: Vec<Place>,
    flights: Vec<Flight>,
    aloft: Vec<DroneId>,
}

impl DeliveryRecord {
    pub(super) fn queued(id: DeliveryId, order: Arc<Order>, since: SimTime) -> Self {
        DeliveryRecord {
            id,
            resting_place: order.pickup.location,
            order,
            since,
            workflow: WorkflowState::Queued,
            stage: Stage::Created,
            bearer: None,
            etas: None,
            package_since: None,
            ended: None,
            events: Vec::new(),
            places: Vec::new(),
            flights: Vec::new(),
            aloft: Vec::new(),
        }
    }

    pub(super) fn failed_on_board(&self) -> bool {
        let is_pickup = |event: &Arc<Event>| {
            matches!(
                event.happening,
                Happening::Delivery(_, DeliveryEvent::PickedUp { .. })
            )
        };
        self.stage == Stage::Failed && self.events.iter().any(is_pickup)
    }

    /// Tells the record again from its events, the first of which is `Accepted`.
    /// `None` where it is not.
    pub fn from_events(events: Vec<Arc<Event>>) -> Option<Self> {
        let mut record = beginning_of(&events)?;
        for event in &events {
            record.apply(event, None);
        }
        Some(record)
    }

    /// As it was before its first event; `None` where there was none yet.
    pub(super) fn beginning(&self) -> Option<Self> {
        beginning_of(&self.events)
    }

    /// As it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let kept = Kept {
            events: &self.events,
            places: self.places.clone(),
            flights: self.flights.clone(),
            aloft: self.aloft.clone(),
        };
        postcard::to_extend(&kept, vec![NOT_A_LIST, FORMAT]).expect("records hold only plain values")
    }

    /// # Errors
    /// Bytes that are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let none = postcard::Error::DeserializeBadEncoding;
        let Some(kept) = bytes.strip_prefix(&[NOT_A_LIST]) else {
            let mut record = DeliveryRecord::from_events(postcard::from_bytes(bytes)?).ok_or(none)?;
            // Who carried it then has yet to come home.
            record.aloft = Vec::from_iter(record.drone().filter(|_| record.ended.is_none()));
            return Ok(record);
        };
        let kept: Kept<Vec<Arc<Event>>> = match kept.strip_prefix(&[FORMAT]) {
            Some(kept) => postcard::from_bytes(kept)?,
            None => return Err(none),
        };
        let mut record = DeliveryRecord::from_events(kept.events).ok_or(none)?;
        if kept.places.len() == record.events.len() {
            record.places = kept.places;
        }
        record.flights = kept.flights;
        record.aloft = kept.aloft;
        Ok(record)
    }

    /// When it came into the world; `None` while it waits for that.
    pub fn accepted(&self) -> Option<SimTime> {
        self.events.first().map(|first| first.at)
    }

    pub fn drone(&self) -> Option<DroneId> {
        match self.bearer {
            Some(Bearer::Drone(drone)) => Some(drone),
            Some(Bearer::Carrier) | None => None,
        }
    }

    /// What third-party transport takes for it, where that carries it.
    pub fn price(&self, world: &World) -> Option<f64> {
        (self.bearer == Some(Bearer::Carrier)).then(|| world.carrier.price_of(&self.order))
    }

    /// What was asked for, before anything of it was changed.
    pub fn first_order(&self) -> &Order {
        match self.events.first().map(|first| &first.happening) {
            Some(Happening::Delivery(_, DeliveryEvent::Accepted { order })) => order,
            _ => &self.order,
        }
    }

    pub fn seq(&self) -> u32 {
        self.events.last().map_or(0, |event| event.seq)
    }

    /// Whether nothing of it can change any more: it has ended, and who flew for it is down.
    pub fn is_settled(&self) -> bool {
        self.ended.is_some() && self.aloft.is_empty()
    }

    /// What its flights took out of batteries; `None` before the first of them has ended.
    pub fn energy_wh(&self) -> Option<f64> {
        let taken = self.flights.iter().map(|flight| flight.energy_wh);
        (!self.flights.is_empty()).then(|| taken.sum())
    }

    /// `carrier`: where its drone was then, unless that is lost.
    pub(super) fn apply(&mut self, event: &Arc<Event>, carrier: Option<Place>) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        self.package_since = self.package_after(kind, event.at);
        match kind {
            DeliveryEvent::Accepted { .. } => self.workflow = WorkflowState::Running,
            DeliveryEvent::Delayed {
                waiting_for: waiting_for @ WaitingFor::Return,
            } => {
                self.workflow = WorkflowState::AwaitingDrone(*waiting_for);
                self.etas = None;
            }
            DeliveryEvent::BroughtBack { location } => {
                self.workflow = WorkflowState::AwaitingDrone(WaitingFor::Drone);
                self.stage = Stage::Created;
                self.bearer = None;
                self.etas = None;
                self.resting_place = *location;
            }
            // Whoever carried it does so no more.
            DeliveryEvent::Delayed { waiting_for } => {
                self.workflow = WorkflowState::AwaitingDrone(*waiting_for);
                if self.bearer.take().is_some() {
                    if self.stage != Stage::Rescheduled {
                        self.stage = Stage::Created;
                    }
                    self.etas = None;
                }
            }
            DeliveryEvent::StepDelayed {
                step,
                attempts,
                waiting_for,
            } => {
                self.workflow = WorkflowState::Delayed {
                    step: *step,
                    attempts: *attempts,
                    waiting_for: *waiting_for,
                };
            }
            DeliveryEvent::Created => self.workflow = WorkflowState::Scheduled,
            DeliveryEvent::Assigned { drone, etas } => {
                self.workflow = WorkflowState::Scheduled;
                self.bearer = Some(Bearer::Drone(*drone));
                self.etas = Some(*etas);
            }
            DeliveryEvent::HandedToCarrier { etas } => {
                self.workflow = WorkflowState::Scheduled;
                self.bearer = Some(Bearer::Carrier);
                self.etas = Some(*etas);
            }
            DeliveryEvent::HeadedToPickup { etas } => {
                self.stage = Stage::HeadedToPickup;
                self.etas = Some(*etas);
            }
            DeliveryEvent::PickedUp { location } => {
                self.resting_place = *location;
                self.etas = self.etas.map(|etas| Etas {
                    pickup: event.at,
                    ..etas
                });
            }
            DeliveryEvent::HeadedToDropoff { etas } => {
                self.stage = Stage::HeadedToDropoff;
                self.etas = Some(*etas);
            }
            DeliveryEvent::EtaChanged { etas } => self.etas = Some(*etas),
            DeliveryEvent::Completed { location } => {
                self.stage = Stage::Completed;
                self.resting_place = *location;
                self.etas = self.etas.map(|etas| Etas {
                    delivery: event.at,
                    ..etas
                });
            }
            DeliveryEvent::Failed { reason } => {
                self.stage = Stage::Failed;
                self.workflow = WorkflowState::Failed(*reason);
                self.etas = None;
            }
            DeliveryEvent::Cancelled => {
                self.stage = Stage::Cancelled;
                self.workflow = WorkflowState::Cancelled;
                self.etas = None;
            }
            DeliveryEvent::Rescheduled { order } => {
                self.stage = Stage::Rescheduled;
                self.resting_place = order.pickup.location;
                self.order = Arc::clone(order);
                self.etas = None;
            }
            DeliveryEvent::AwaitingConfirmation { .. } | DeliveryEvent::NotifyMeRequested { .. } => {}
        }
        let place = match kind {
            DeliveryEvent::PickedUp { location } | DeliveryEvent::Completed { location } => {
                Place::on_ground(*location)
            }
            _ if self.bearer == Some(Bearer::Carrier) && self.stage == Stage::HeadedToDropoff => {
                Place::on_ground(road::place(self, event.at))
            }
            _ => carrier.unwrap_or(Place::on_ground(self.resting_place)),
        };
        self.ended = match self.stage.is_terminal() {
            true => self.ended.or(Some(event.at)),
            false => None,
        };
        self.events.push(Arc::clone(event));
        self.places.push(place);
    }

    pub(super) fn took_off(&mut self, drone: DroneId) {
        self.aloft.push(drone);
    }

    /// `flight` is what is known of it.
    pub(super) fn came_down(&mut self, drone: DroneId, flight: Option<Flight>) {
        self.aloft.retain(|aloft| *aloft != drone);
        self.flights.extend(flight);
    }
}

fn beginning_of(events: &[Arc<Event>]) -> Option<DeliveryRecord> {
    let first = events.first()?;
    match &first.happening {
        Happening::Delivery(id, DeliveryEvent::Accepted { order }) => {
            Some(DeliveryRecord::queued(*id, Arc::clone(order), first.at))
        }
        _ => None,
    }
}
