//! Deliveries as their events tell them: records by id, lists in order of ids and of ends.
//!
//! In memory are those that go on, those that ended since the last snapshot, and a bounded
//! number that ended before ([`leaving`]). All others are in the archive.

mod brought;
mod earlier;
mod index;
mod leaving;
mod outlook;
mod recalled;
mod record;
mod road;
mod steps;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::BTreeSet;
use std::sync::Arc;

use dashmap::{DashMap, Entry};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::sim::delivery::{Bearer, Stage};
use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::WaitingFor;

use super::View;
use super::events::EventsAfter;
use super::paging::{self, AT_ONCE};
use super::reading::{DeliveryCounts, DeliveryStatus, Page};
pub(super) use earlier::TurnedBack;
use index::{Index, Standing};
pub(super) use leaving::Kept;
use leaving::Leaving;
pub use leaving::{Changes, RECENTLY_ENDED};
pub use outlook::Outlook;
use recalled::Recalled;
pub use record::{DeliveryRecord, Flight, Place, WorkflowState};
pub use steps::{Step, quotes};
pub(super) use weight::Weight;

/// A delivery's record, to be looked at again and again. It goes on where the delivery does;
/// while somebody has it, the delivery is in memory for everybody.
#[derive(Clone, Debug)]
pub struct DeliveryHandle(Arc<RwLock<DeliveryRecord>>);

impl DeliveryHandle {
    pub fn new(record: DeliveryRecord) -> Self {
        DeliveryHandle(Arc::new(RwLock::new(record)))
    }

    /// For a moment: while it is looked at, its next event waits.
    pub fn look(&self) -> RwLockReadGuard<'_, DeliveryRecord> {
        self.0.read()
    }

    /// At most `limit` of its events that follow number `seq`.
    pub fn events_after(&self, seq: u64, limit: usize) -> EventsAfter {
        let record = self.look();
        EventsAfter::from_kept(&record.events, seq, record.seq().into(), limit)
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

/// Which of those that have ended a list shows.
#[derive(Clone, Debug)]
pub struct EndFilter {
    pub owner: Option<String>,
    /// This one and no other.
    pub only: Option<DeliveryId>,
    /// Ended then or later.
    pub from: SimTime,
    /// Ended before.
    pub until: SimTime,
}

/// What an event did to who carries a delivery, and to what its package counts for.
#[derive(Default)]
pub(super) struct Change {
    pub drone_before: Option<DroneId>,
    pub drone: Option<DroneId>,
    pub weight_before: Option<Weight>,
    pub weight: Option<Weight>,
}

#[derive(Default)]
pub(super) struct Deliveries {
    records: DashMap<DeliveryId, DeliveryHandle>,
    recalled: Recalled,
    index: RwLock<Index>,
    leaving: Mutex<Leaving>,
}

impl Deliveries {
    /// `since`: when this is heard.
    pub(super) fn queue(
        &self,
        since: SimTime,
        requested: impl IntoIterator<Item = (DeliveryId, Arc<Order>)>,
    ) {
        let mut new = Vec::new();
        for (id, order) in requested {
            if let Entry::Vacant(place) = self.records.entry(id) {
                let record = DeliveryRecord::queued(id, Arc::clone(&order), since);
                new.push((id, order, Standing::of(&record)));
                place.insert(DeliveryHandle::new(record));
            }
        }
        if new.is_empty() {
            return;
        }
        let mut index = self.index.write();
        for (id, order, standing) in new {
            index.add(&order, id, standing);
        }
    }

    /// Those of another past take the places of all that are here.
    pub(super) fn take_over(&self, other: Deliveries) {
        let mut index = self.index.write();
        let mut leaving = self.leaving.lock();
        let others: BTreeSet<DeliveryId> = other.records.iter().map(|record| *record.key()).collect();
        // Whoever asks meanwhile finds what both have.
        for (id, record) in other.records {
            self.records.insert(id, record);
        }
        self.records.retain(|id, _| others.contains(id));
        *index = other.index.into_inner();
        *leaving = other.leaving.into_inner();
    }

    /// In memory, for whatever reason.
    pub(super) fn get(&self, id: DeliveryId) -> Option<DeliveryHandle> {
        self.known(id).or_else(|| self.recalled.get(id))
    }

    /// In memory by itself: something may happen to it yet, or did lately.
    fn known(&self, id: DeliveryId) -> Option<DeliveryHandle> {
        self.records.get(&id).map(|handle| handle.clone())
    }

    /// From the archive: it is found here from now on, as long as somebody has it.
    pub(super) fn recall(&self, record: DeliveryRecord) -> DeliveryHandle {
        self.recalled.put(record.id, DeliveryHandle::new(record))
    }

    /// Adds the event. Answers with the record as it is then, and says which drone the delivery
    /// has, if it is under way, and which it had; and so of its package's weight.
    pub(super) fn apply(
        &self,
        id: DeliveryId,
        event: &Arc<Event>,
        carrier: Option<Place>,
    ) -> Option<(DeliveryHandle, Change)> {
        if let Happening::Delivery(_, DeliveryEvent::Accepted { order }) = &event.happening {
            self.queue(event.at, [(id, Arc::clone(order))]);
        }
        let mut change = Change::default();
        let handle = self.change(id, |record| {
            change.drone_before = record.drone();
            change.weight_before = record.weight();
            record.apply(event, carrier);
            change.drone = record.drone().filter(|_| !record.stage.is_terminal());
            change.weight = record.weight();
        })?;
        Some((handle, change))
    }

    pub(super) fn took_off(&self, id: DeliveryId, drone: DroneId) {
        self.change(id, |record| record.took_off(drone));
    }

    pub(super) fn came_down(
        &self,
        id: DeliveryId,
        drone: DroneId,
        flight: Option<Flight>,
    ) -> Option<DeliveryHandle> {
        self.change(id, |record| record.came_down(drone, flight))
    }

    fn change(&self, id: DeliveryId, change: impl FnOnce(&mut DeliveryRecord)) -> Option<DeliveryHandle> {
        let Some(handle) = self.known(id) else {
            tracing::error!(delivery = %id, "something happened to a delivery that is not known, or over");
            return None;
        };
        let (before, after, orders, was_settled, is_settled) = {
            let mut record = handle.0.write();
            let (before, was_settled) = (Standing::of(&record), record.is_settled());
            let ordered = Arc::clone(&record.order);
            change(&mut record);
            let is_other = !Arc::ptr_eq(&ordered, &record.order);
            let orders = is_other.then(|| (ordered, Arc::clone(&record.order)));
            (
                before,
                Standing::of(&record),
                orders,
                was_settled,
                record.is_settled(),
            )
        };
        // Nobody holds a record and the index at once.
        if before != after {
            self.index.write().change(id, before, after);
        }
        if let Some((ordered, anew)) = orders {
            let mut index = self.index.write();
            index.leave(&ordered, id, after);
            index.recall(&anew, id, after);
        }
        self.leaving.lock().changed(id, is_settled && !was_settled);
        Some(handle)
    }

    pub(super) fn counts(&self) -> DeliveryCounts {
        self.index.read().counts()
    }

    pub(super) fn in_memory(&self) -> usize {
        self.index.read().len()
    }

    pub(super) fn newest_of_package(&self, package: &str, owner: Option<&str>) -> Option<DeliveryHandle> {
        let newest = self.index.read().newest_of_package(package, owner);
        self.get(newest?)
    }
}

impl View {
    /// Of those in memory; [`View::find`] puts it there from the archive.
    pub fn delivery(&self, id: DeliveryId) -> Option<DeliveryRecord> {
        self.with_delivery(id, DeliveryRecord::clone)
    }

    /// As [`View::delivery`], to follow it.
    pub fn handle(&self, id: DeliveryId) -> Option<DeliveryHandle> {
        self.as_shown(self.deliveries.get(id)?)
    }

    /// As [`View::delivery`], without copying the record.
    pub fn with_delivery<T>(&self, id: DeliveryId, look: impl FnOnce(&DeliveryRecord) -> T) -> Option<T> {
        let handle = self.handle(id)?;
        let record = handle.look();
        Some(look(&record))
    }

    /// As [`View::status_of`], of those in memory.
    pub fn delivery_status(&self, id: DeliveryId) -> Option<DeliveryStatus> {
        Some(self.status_of(&self.handle(id)?))
    }

    /// Where a delivery stands now: the drone's true place, and the ETAs as last told: whoever
    /// asks and whoever listens knows the same.
    pub fn status_of(&self, delivery: &DeliveryHandle) -> DeliveryStatus {
        let now = self.now_in_order();
        let record = delivery.look();
        let mut status = DeliveryStatus {
            stage: record.stage,
            bearer: record.bearer,
            price: record.price(&self.world()),
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
            return status;
        }
        // Told times are true to some seconds: what is due any moment is due now.
        if let Some(etas) = &mut status.etas {
            if record.stage != Stage::HeadedToDropoff {
                etas.pickup = etas.pickup.max(now.at);
            }
            etas.delivery = etas.delivery.max(now.at);
        }
        if record.bearer == Some(Bearer::Carrier) && record.stage == Stage::HeadedToDropoff {
            status.location = road::place(&record, now.at);
        }
        let Some(drone) = record.drone() else {
            return status;
        };
        if let Some(row) = now.frame.row_of(drone) {
            status.location = row.at;
            status.height_m = row.height_m.into();
        } else if let Some(hub) = now.drones.stands_at(drone) {
            status.location = self.world().hub(hub).location;
        }
        status
    }

    /// Those in memory, in order of their ids, from the first after `after` on.
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

    /// Those in memory that have ended, in the order in which they did, from the first after
    /// `after` on.
    pub fn ended_deliveries(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Page<DeliveryRecord, (SimTime, DeliveryId)> {
        let mark_of = |&mark: &(SimTime, DeliveryId)| mark;
        let Page { items, next } = paging::page(after, limit, mark_of, |from, wanted| {
            let index = self.deliveries.index.read();
            index.look_by_end(filter, from, wanted, AT_ONCE)
        });
        let records = items.into_iter().filter_map(|(_, id)| self.delivery(id));
        Page {
            items: records.filter(|record| record.ended.is_some()).collect(),
            next,
        }
    }

    /// How many deliveries wait for this, as far as their customers were told.
    pub fn waiting_for(&self, what: WaitingFor) -> usize {
        self.deliveries.index.read().waiting(what)
    }

    /// How many deliveries' records are in memory.
    pub fn deliveries_in_memory(&self) -> usize {
        self.deliveries.in_memory()
    }
}
