//! Deliveries as their events tell them: records by id, lists in order of ids.

mod index;
mod road;

use std::collections::BTreeSet;
use std::sync::Arc;

use dashmap::DashMap;
use parking_lot::RwLock;

use crate::sim::delivery::{Bearer, Stage};
use crate::sim::event::{DeliveryEvent, Etas, Event, Happening};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::workflow::{FailureReason, WaitingFor};

use super::View;
use super::events::EventsAfter;
use super::paging::{self, AT_ONCE};
use super::reading::{DeliveryCounts, DeliveryStatus, Page};
use index::{Index, Standing};

/// How far a request's workflow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowState {
    /// Durable, and not in the world yet.
    Queued,
    Running,
    AwaitingDrone(WaitingFor),
    Scheduled,
    Failed(FailureReason),
    Cancelled,
}

/// All that is known of one delivery; every field follows from its events.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    pub id: DeliveryId,
    pub order: Arc<Order>,
    pub workflow: WorkflowState,
    pub stage: Stage,
    /// The one that carries it, comes for it, or brought it.
    pub bearer: Option<Bearer>,
    /// As last told; the actual times once reached.
    pub etas: Option<Etas>,
    /// Where the package is while no airborne drone says it better.
    pub resting_place: LatLon,
    pub events: Vec<Arc<Event>>,
}

impl DeliveryRecord {
    fn queued(id: DeliveryId, order: Arc<Order>) -> Self {
        DeliveryRecord {
            id,
            resting_place: order.pickup.location,
            order,
            workflow: WorkflowState::Queued,
            stage: Stage::Created,
            bearer: None,
            etas: None,
            events: Vec::new(),
        }
    }

    fn failed_on_board(&self) -> bool {
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
        let first = events.first()?;
        let Happening::Delivery(id, DeliveryEvent::Accepted { order }) = &first.happening else {
            return None;
        };
        let mut record = DeliveryRecord::queued(*id, Arc::clone(order));
        for event in &events {
            record.apply(event);
        }
        Some(record)
    }

    pub fn drone(&self) -> Option<DroneId> {
        match self.bearer {
            Some(Bearer::Drone(drone)) => Some(drone),
            Some(Bearer::Carrier) | None => None,
        }
    }

    pub fn seq(&self) -> u32 {
        self.events.last().map_or(0, |event| event.seq)
    }

    fn apply(&mut self, event: &Arc<Event>) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        match kind {
            DeliveryEvent::Accepted { .. } => self.workflow = WorkflowState::Running,
            // Whoever carried it does so no more.
            DeliveryEvent::Delayed { waiting_for } => {
                self.workflow = WorkflowState::AwaitingDrone(*waiting_for);
                if self.bearer.take().is_some() {
                    self.stage = Stage::Created;
                    self.etas = None;
                }
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
        self.events.push(Arc::clone(event));
    }
}

/// Which deliveries a list shows.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub owner: Option<String>,
    /// This one and no other.
    pub only: Option<DeliveryId>,
    pub stage: Option<Stage>,
}

/// What an event did to who carries a delivery.
pub(super) struct Change {
    pub drone_before: Option<DroneId>,
    pub drone: Option<DroneId>,
}

#[derive(Default)]
pub(super) struct Deliveries {
    records: DashMap<DeliveryId, DeliveryRecord>,
    index: RwLock<Index>,
    /// Changed since they were last saved.
    unsaved: RwLock<BTreeSet<DeliveryId>>,
}

impl Deliveries {
    pub(super) fn new(records: Vec<DeliveryRecord>) -> Self {
        let mut deliveries = Deliveries::default();
        for record in records {
            let owner = &record.order.owner.account;
            let index = deliveries.index.get_mut();
            index.add(record.id, owner, Standing::of(&record));
            deliveries.records.insert(record.id, record);
        }
        deliveries
    }

    pub(super) fn queue(&self, id: DeliveryId, order: Arc<Order>) {
        self.add_queued(id, order);
    }

    /// Adds the event; says which drone the delivery has, if it is under way, and which it had.
    pub(super) fn apply(&self, id: DeliveryId, event: &Arc<Event>) -> Option<Change> {
        if let Happening::Delivery(_, DeliveryEvent::Accepted { order }) = &event.happening {
            self.add_queued(id, Arc::clone(order));
        }
        let mut record = self.records.get_mut(&id)?;
        let before = Standing::of(&record);
        let drone_before = record.drone();
        record.apply(event);
        let after = Standing::of(&record);
        let change = Change {
            drone_before,
            drone: record.drone().filter(|_| !record.stage.is_terminal()),
        };
        // Nobody holds a record and the index at once.
        drop(record);
        if before != after {
            self.index.write().change(id, before, after);
        }
        self.unsaved.write().insert(id);
        Some(change)
    }

    pub(super) fn counts(&self) -> DeliveryCounts {
        self.index.read().counts()
    }

    pub(super) fn events_after(&self, id: DeliveryId, seq: u64, limit: usize) -> EventsAfter {
        match self.records.get(&id) {
            Some(record) => EventsAfter::from_kept(&record.events, seq, record.seq().into(), limit),
            None => EventsAfter::Gone,
        }
    }

    fn add_queued(&self, id: DeliveryId, order: Arc<Order>) {
        let record = DeliveryRecord::queued(id, order);
        let owner = Arc::clone(&record.order);
        let standing = Standing::of(&record);
        let mut is_new = false;
        self.records.entry(id).or_insert_with(|| {
            is_new = true;
            record
        });
        if is_new {
            self.index.write().add(id, &owner.owner.account, standing);
        }
    }
}

impl View {
    pub fn delivery(&self, id: DeliveryId) -> Option<DeliveryRecord> {
        self.deliveries.records.get(&id).map(|record| record.clone())
    }

    /// As [`View::delivery`], without copying the record.
    pub fn with_delivery<T>(&self, id: DeliveryId, look: impl FnOnce(&DeliveryRecord) -> T) -> Option<T> {
        self.deliveries.records.get(&id).map(|record| look(&record))
    }

    /// Where a delivery stands now: the drone's true place and its newest ETAs.
    pub fn delivery_status(&self, id: DeliveryId) -> Option<DeliveryStatus> {
        let now = self.now_in_order();
        let record = self.deliveries.records.get(&id)?;
        let mut status = DeliveryStatus {
            stage: record.stage,
            bearer: record.bearer,
            location: record.resting_place,
            height_m: 0.0,
            etas: record.etas,
            seq: record.seq(),
            tick: now.tick,
            at: now.at,
        };
        if record.stage.is_terminal() {
            // What a lost drone carried lies where that came down.
            let lost = record.drone().and_then(|drone| now.drones.lost_at(drone));
            if let Some(at) = lost.filter(|_| record.failed_on_board()) {
                status.location = at;
            }
            return Some(status);
        }
        if record.bearer == Some(Bearer::Carrier) && record.stage == Stage::HeadedToDropoff {
            status.location = road::place(&record, now.at);
        }
        if let Some(row) = record.drone().and_then(|drone| now.frame.row_of(drone)) {
            status.location = row.at;
            status.height_m = row.height_m.into();
            status.etas = record.etas.map(|told| Etas {
                pickup: row.pickup_eta.unwrap_or(told.pickup),
                delivery: row.delivery_eta.unwrap_or(told.delivery),
            });
        }
        Some(status)
    }

    /// Deliveries in order of their ids, from the first after `after` on.
    pub fn deliveries(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Page<DeliveryRecord, DeliveryId> {
        let id_of = |&id: &DeliveryId| id;
        let Page { items, next } = paging::page(after, limit, id_of, |from, wanted| {
            self.deliveries.index.read().look(filter, from, wanted, AT_ONCE)
        });
        let records = items.into_iter().filter_map(|id| self.delivery(id));
        // What has gone on since it was found is not shown as if it had not.
        let still = |record: &DeliveryRecord| filter.stage.is_none_or(|stage| stage == record.stage);
        Page {
            items: records.filter(still).collect(),
            next,
        }
    }

    /// The events of each delivery that changed since the last call: what a snapshot keeps.
    pub fn take_unsaved(&self) -> Vec<(DeliveryId, Vec<Arc<Event>>)> {
        let ids = std::mem::take(&mut *self.deliveries.unsaved.write());
        let record_of = |id| {
            self.deliveries
                .records
                .get(&id)
                .map(|record| (id, record.events.clone()))
        };
        ids.into_iter().filter_map(record_of).collect()
    }
}
