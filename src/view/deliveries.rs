//! Deliveries as their events tell them: records by id, lists in order of ids.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use dashmap::DashMap;
use parking_lot::RwLock;

use crate::sim::delivery::Stage;
use crate::sim::event::{DeliveryEvent, Etas, Event, Happening};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::workflow::{FailureReason, WaitingFor};

use super::View;
use super::events::EventsAfter;
use super::reading::{DeliveryCounts, DeliveryStatus, Page};

/// How far a request's workflow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowState {
    /// Durable, and not in the world yet.
    Queued,
    Running,
    AwaitingDrone(WaitingFor),
    Scheduled,
    Failed(FailureReason),
}

/// All that is known of one delivery; every field follows from its events.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    pub id: DeliveryId,
    pub order: Arc<Order>,
    pub workflow: WorkflowState,
    pub stage: Stage,
    pub drone: Option<DroneId>,
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
            drone: None,
            etas: None,
            events: Vec::new(),
        }
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

    pub fn seq(&self) -> u32 {
        self.events.last().map_or(0, |event| event.seq)
    }

    fn apply(&mut self, event: &Arc<Event>) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        match kind {
            DeliveryEvent::Accepted { .. } => self.workflow = WorkflowState::Running,
            DeliveryEvent::Delayed { waiting_for } => {
                self.workflow = WorkflowState::AwaitingDrone(*waiting_for);
            }
            DeliveryEvent::Created => self.workflow = WorkflowState::Scheduled,
            DeliveryEvent::Assigned { drone, etas } => {
                self.drone = Some(*drone);
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
                if self.workflow != WorkflowState::Scheduled {
                    self.workflow = WorkflowState::Failed(*reason);
                }
            }
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

#[derive(Default)]
struct Index {
    all: BTreeSet<DeliveryId>,
    by_owner: BTreeMap<String, BTreeSet<DeliveryId>>,
    counts: DeliveryCounts,
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
        let deliveries = Deliveries::default();
        for record in records {
            deliveries.list(record.id, &record.order);
            deliveries.recount(None, Some(&record));
            deliveries.records.insert(record.id, record);
        }
        deliveries
    }

    pub(super) fn queue(&self, id: DeliveryId, order: Arc<Order>) {
        self.add_queued(id, order);
    }

    /// Adds the event; says which drone the delivery has.
    pub(super) fn apply(&self, id: DeliveryId, event: &Arc<Event>) -> Option<DroneId> {
        if let Happening::Delivery(_, DeliveryEvent::Accepted { order }) = &event.happening {
            self.add_queued(id, Arc::clone(order));
        }
        let mut record = self.records.get_mut(&id)?;
        let before = group_of(&record);
        record.apply(event);
        let after = group_of(&record);
        let drone = record.drone;
        drop(record);
        self.move_count(before, after);
        self.unsaved.write().insert(id);
        drone
    }

    pub(super) fn counts(&self) -> DeliveryCounts {
        self.index.read().counts
    }

    pub(super) fn events_after(&self, id: DeliveryId, seq: u64, limit: usize) -> EventsAfter {
        match self.records.get(&id) {
            Some(record) => EventsAfter::from_kept(&record.events, seq, record.seq().into(), limit),
            None => EventsAfter::Gone,
        }
    }

    fn add_queued(&self, id: DeliveryId, order: Arc<Order>) {
        let mut is_new = false;
        self.records.entry(id).or_insert_with(|| {
            is_new = true;
            DeliveryRecord::queued(id, Arc::clone(&order))
        });
        if is_new {
            self.list(id, &order);
            self.recount(None, self.records.get(&id).as_deref());
        }
    }

    fn list(&self, id: DeliveryId, order: &Order) {
        let mut index = self.index.write();
        index.all.insert(id);
        if let Some(ids) = index.by_owner.get_mut(&order.owner.account) {
            ids.insert(id);
        } else {
            index
                .by_owner
                .insert(order.owner.account.clone(), BTreeSet::from([id]));
        }
    }

    fn recount(&self, before: Option<&DeliveryRecord>, after: Option<&DeliveryRecord>) {
        self.move_count(
            before.map_or(Group::None, group_of),
            after.map_or(Group::None, group_of),
        );
    }

    fn move_count(&self, before: Group, after: Group) {
        if before != after {
            let counts = &mut self.index.write().counts;
            if let Some(count) = before.count(counts) {
                *count -= 1;
            } else {
                counts.accepted += 1;
            }
            if let Some(count) = after.count(counts) {
                *count += 1;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    None,
    Waiting,
    UnderWay,
    Completed,
    Failed,
}

impl Group {
    fn count(self, counts: &mut DeliveryCounts) -> Option<&mut u64> {
        match self {
            Group::None => None,
            Group::Waiting => Some(&mut counts.waiting),
            Group::UnderWay => Some(&mut counts.under_way),
            Group::Completed => Some(&mut counts.completed),
            Group::Failed => Some(&mut counts.failed),
        }
    }
}

fn group_of(record: &DeliveryRecord) -> Group {
    match (record.stage, record.workflow) {
        (Stage::Completed, _) => Group::Completed,
        (Stage::Failed | Stage::Cancelled, _) => Group::Failed,
        (_, WorkflowState::Scheduled) => Group::UnderWay,
        _ => Group::Waiting,
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
        let now = self.now.read();
        let record = self.deliveries.records.get(&id)?;
        let mut status = DeliveryStatus {
            stage: record.stage,
            drone: record.drone,
            location: record.resting_place,
            height_m: 0.0,
            etas: record.etas,
            seq: record.seq(),
            tick: now.tick,
            at: now.at,
        };
        if record.stage.is_terminal() {
            return Some(status);
        }
        if let Some(row) = record.drone.and_then(|drone| now.frame.row_of(drone)) {
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
        let range = match filter.only {
            Some(only) if after.is_some_and(|after| after >= only) => return Page::empty(),
            Some(only) => (Bound::Included(only), Bound::Included(only)),
            None => (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded),
        };
        let ids: Vec<DeliveryId> = {
            let index = self.deliveries.index.read();
            let listed = match &filter.owner {
                Some(owner) => index.by_owner.get(owner),
                None => Some(&index.all),
            };
            let in_range = listed.into_iter().flat_map(|ids| ids.range(range));
            let wanted = in_range.filter(|id| self.has_stage(**id, filter.stage));
            wanted.take(limit + 1).copied().collect()
        };
        let mut items: Vec<_> = ids.into_iter().filter_map(|id| self.delivery(id)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more {
            items.last().map(|last| last.id)
        } else {
            None
        };
        Page { items, next }
    }

    fn has_stage(&self, id: DeliveryId, stage: Option<Stage>) -> bool {
        let Some(stage) = stage else { return true };
        self.deliveries
            .records
            .get(&id)
            .is_some_and(|record| record.stage == stage)
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
