//! How deliveries leave memory: a snapshot takes what changed since the last, with those that
//! have settled for good; when it is durable they go, but for the last few of them.
//!
//! Whoever asks looks into memory first and into the archive then. So one that is in both is
//! shown once, and there is no moment at which it is in neither.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::index::{Group, Standing};
use super::{Deliveries, DeliveryHandle, DeliveryRecord};
use crate::sim::calendar::Month;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::{SimTime, Tick};
use crate::view::View;

/// Deliveries that stay in memory after their end, when they could go.
pub const RECENTLY_ENDED: usize = 10_000;

/// What a snapshot keeps of the read side.
pub struct Changes {
    /// Those that go on, or are not down yet.
    pub changed: Vec<DeliveryHandle>,
    /// Those of which nothing will change any more.
    pub settled: Vec<DeliveryHandle>,
    /// By account and month, as they are now.
    pub sums: Vec<(String, Month, Sums)>,
    /// For [`crate::view::Restored::totals`].
    pub totals: Vec<u8>,
}

pub(super) struct Leaving {
    /// Since they were last saved.
    changed: BTreeSet<DeliveryId>,
    /// How many of these have settled.
    settled: usize,
    /// In snapshots that are not durable yet, by the snapshots' ticks.
    on_their_way: VecDeque<(Tick, Vec<DeliveryId>)>,
    /// In the archive, and in memory too; the oldest first.
    recent: VecDeque<DeliveryId>,
    pub(super) recent_most: usize,
    totals: Totals,
}

impl Default for Leaving {
    fn default() -> Self {
        Leaving {
            changed: BTreeSet::new(),
            settled: 0,
            on_their_way: VecDeque::new(),
            recent: VecDeque::new(),
            recent_most: RECENTLY_ENDED,
            totals: Totals::default(),
        }
    }
}

/// Those that are in the archive, or on their way there.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Totals {
    archived: BTreeMap<Group, u64>,
}

impl Leaving {
    pub(super) fn changed(&mut self, id: DeliveryId, has_settled: bool) {
        self.changed.insert(id);
        self.settled += usize::from(has_settled);
    }
}

/// What was kept of deliveries, as a stopped world left it.
pub(in crate::view) struct Kept {
    /// Those that went on.
    pub(in crate::view) records: Vec<DeliveryRecord>,
    /// Of the archive, the last that ended; the oldest first.
    pub(in crate::view) recent: Vec<DeliveryRecord>,
    pub(in crate::view) totals: Vec<u8>,
}

impl Deliveries {
    pub(in crate::view) fn restore(kept: Kept) -> Self {
        let mut deliveries = Deliveries::default();
        let (index, leaving) = (deliveries.index.get_mut(), deliveries.leaving.get_mut());
        for record in kept.records {
            let id = record.id;
            index.add(&record.order, id, Standing::of(&record));
            // Those of older stores, which kept no history.
            if record.is_settled() {
                leaving.changed(id, true);
            }
            deliveries.records.insert(id, DeliveryHandle::new(record));
        }
        for record in kept.recent {
            let id = record.id;
            index.recall(&record.order, id, Standing::of(&record));
            leaving.recent.push_back(id);
            deliveries.records.insert(id, DeliveryHandle::new(record));
        }
        // Empty where there was no snapshot, or an old one: then nothing is archived.
        leaving.totals = postcard::from_bytes(&kept.totals).unwrap_or_default();
        for (group, number) in &leaving.totals.archived {
            index.count(*group, *number);
        }
        deliveries
    }

    pub(super) fn take(&self) -> (Vec<DeliveryHandle>, Vec<DeliveryHandle>) {
        let ids = {
            let mut leaving = self.leaving.lock();
            leaving.settled = 0;
            std::mem::take(&mut leaving.changed)
        };
        let handles = ids.into_iter().filter_map(|id| self.get(id));
        handles.partition(|handle| !handle.look().is_settled())
    }

    pub(super) fn depart(&self, tick: Tick, settled: &[DeliveryHandle]) -> Vec<u8> {
        let mut leaving = self.leaving.lock();
        let mut ids = Vec::with_capacity(settled.len());
        for handle in settled {
            let record = handle.look();
            *leaving
                .totals
                .archived
                .entry(Standing::of(&record).group())
                .or_default() += 1;
            ids.push(record.id);
        }
        if !ids.is_empty() {
            leaving.on_their_way.push_back((tick, ids));
        }
        postcard::to_stdvec(&leaving.totals).expect("totals hold only plain values")
    }

    /// Those that a durable snapshot has may go, the last few aside.
    pub(super) fn arrived(&self, tick: Tick) {
        let mut gone = Vec::new();
        {
            let mut leaving = self.leaving.lock();
            while leaving.on_their_way.front().is_some_and(|(at, _)| *at <= tick) {
                let arrived = leaving.on_their_way.pop_front();
                leaving
                    .recent
                    .extend(arrived.into_iter().flat_map(|(_, ids)| ids));
            }
            let surplus = leaving.recent.len().saturating_sub(leaving.recent_most);
            gone.extend(leaving.recent.drain(..surplus));
        }
        self.let_go_of(gone);
    }

    /// Those of the last few that ended before this moment go, too.
    fn let_go_before(&self, until: SimTime) {
        let old: BTreeSet<_> = self.index.read().ended_before(until).into_iter().collect();
        let mut gone = Vec::new();
        self.leaving.lock().recent.retain(|id| {
            let is_old = old.contains(id);
            gone.extend(is_old.then_some(*id));
            !is_old
        });
        self.let_go_of(gone);
    }

    fn let_go_of(&self, gone: Vec<DeliveryId>) {
        for id in gone {
            // Nobody gets hold of it in between.
            let remember = |id: &DeliveryId, handle: &DeliveryHandle| {
                self.recalled.leaves(*id, handle);
                true
            };
            let Some((_, handle)) = self.records.remove_if(&id, remember) else {
                continue;
            };
            let (order, standing) = {
                let record = handle.look();
                (record.order.clone(), Standing::of(&record))
            };
            self.index.write().leave(&order, id, standing);
        }
    }
}

impl Deliveries {
    fn touch_all(&self) {
        // What only waits for its admission has nothing to keep yet.
        let is_live = |record: &DeliveryRecord| !record.is_settled() && !record.events.is_empty();
        let live = self.records.iter().filter(|handle| is_live(&handle.look()));
        let live: Vec<DeliveryId> = live.map(|handle| *handle.key()).collect();
        self.leaving.lock().changed.extend(live);
    }
}

impl View {
    /// The next changes have all deliveries that go on, and all sums.
    pub fn touch_all(&self) {
        self.deliveries.touch_all();
        self.sums.touch_all();
    }

    /// All that changed since the last call; `tick` is the newest.
    pub fn take_changes(&self) -> Changes {
        let tick = self.now.read().tick;
        let (changed, settled) = self.deliveries.take();
        let totals = self.deliveries.depart(tick, &settled);
        Changes {
            changed,
            settled,
            sums: self.sums.take_changed(),
            totals,
        }
    }

    /// What [`View::take_changes`] gave at this tick, and before, is durable.
    pub fn kept(&self, tick: Tick) {
        self.deliveries.arrived(tick);
    }

    /// Whether all that ended before this moment is in the archive.
    pub fn has_kept_all_before(&self, until: SimTime) -> bool {
        let ended = self.deliveries.index.read().ended_before(until);
        let leaving = self.deliveries.leaving.lock();
        let kept: BTreeSet<_> = leaving.recent.iter().collect();
        ended.iter().all(|id| kept.contains(id))
    }

    /// The archive lets go of all that ended before this moment, and so does memory: nobody is told
    /// here what nobody is told there.
    pub fn moved_out_before(&self, until: SimTime) {
        self.deliveries.let_go_before(until);
    }

    /// Deliveries that have settled and wait for the next snapshot.
    pub fn waiting_to_leave(&self) -> usize {
        self.deliveries.leaving.lock().settled
    }

    /// From now on so many of those that have ended, and are archived, stay in memory.
    pub fn keep_recent(&self, most: usize) {
        self.deliveries.leaving.lock().recent_most = most;
        self.deliveries.arrived(Tick::MIN);
    }
}
