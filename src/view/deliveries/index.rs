//! Which deliveries there are, by whose they are and how far they have come.
//!
//! It knows ids alone, so that a list is found without looking at records. What it says of
//! a delivery may be a moment older than the delivery's record. Counts are of all deliveries
//! ever; the rest is of those in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::WaitingFor;
use crate::view::paging::{AT_ONCE, Look};
use crate::view::reading::DeliveryCounts;

use super::brought::Brought;
use super::{DeliveryFilter, DeliveryRecord, EndFilter, WorkflowState};

#[derive(Default)]
pub(super) struct Index {
    all: BTreeSet<DeliveryId>,
    by_owner: BTreeMap<String, BTreeSet<DeliveryId>>,
    /// In the order of [`Stage::ALL`].
    by_stage: [BTreeSet<DeliveryId>; Stage::ALL.len()],
    brought: Brought,
    by_end: BTreeSet<(SimTime, DeliveryId)>,
    counts: DeliveryCounts,
    /// How many wait for each, in the order of [`WaitingFor::ALL`].
    waiting: [usize; WaitingFor::ALL.len()],
}

/// How far a delivery has come, as lists and counts tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    stage: Stage,
    group: Group,
    ended: Option<SimTime>,
    /// As [`DeliveryRecord::since`].
    since: SimTime,
    waiting_for: Option<WaitingFor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Group {
    Waiting,
    UnderWay,
    Completed,
    Failed,
    Cancelled,
}

impl Standing {
    pub(super) fn of(record: &DeliveryRecord) -> Self {
        Standing {
            stage: record.stage,
            ended: record.ended,
            since: record.since,
            waiting_for: match record.workflow {
                WorkflowState::AwaitingDrone(waiting_for) | WorkflowState::Delayed { waiting_for, .. } => {
                    Some(waiting_for)
                }
                _ => None,
            },
            group: match (record.stage, record.workflow) {
                (Stage::Completed, _) => Group::Completed,
                (Stage::Failed, _) => Group::Failed,
                (Stage::Cancelled, _) => Group::Cancelled,
                (_, WorkflowState::Scheduled) => Group::UnderWay,
                _ => Group::Waiting,
            },
        }
    }

    pub(super) fn group(self) -> Group {
        self.group
    }
}

impl Index {
    /// A delivery that was not known before.
    pub(super) fn add(&mut self, order: &Order, id: DeliveryId, standing: Standing) {
        self.recall(order, id, standing);
        self.count(standing.group, 1);
    }

    /// How many that were accepted before it have yet to set out; `None` of more than are looked
    /// at at once.
    pub(super) fn waiting_before(&self, id: DeliveryId) -> Option<usize> {
        let waiting = &self.by_stage[Stage::Created as usize];
        let before = waiting.range(..id).take(AT_ONCE + 1).count();
        (before <= AT_ONCE).then_some(before)
    }

    /// Of those that have yet to set out, so many that were accepted first.
    pub(super) fn first_waiting(&self, at_most: usize) -> Vec<DeliveryId> {
        let waiting = &self.by_stage[Stage::Created as usize];
        waiting.iter().take(at_most).copied().collect()
    }

    /// `number` deliveries that are not, or no longer, in memory.
    pub(super) fn count(&mut self, group: Group, number: u64) {
        self.counts.accepted += number;
        *self.count_of(group) += number;
    }

    /// One that is counted already.
    pub(super) fn recall(&mut self, order: &Order, id: DeliveryId, standing: Standing) {
        self.all.insert(id);
        put(&mut self.by_owner, &order.owner.account, id);
        self.brought.put(order, standing.since, id);
        self.by_stage[standing.stage as usize].insert(id);
        self.waits_for(standing, 1);
        self.by_end.extend(standing.ended.map(|ended| (ended, id)));
    }

    /// Leaves memory, and goes on being counted.
    pub(super) fn leave(&mut self, order: &Order, id: DeliveryId, standing: Standing) {
        self.all.remove(&id);
        take(&mut self.by_owner, &order.owner.account, id);
        self.brought.take(order, standing.since, id);
        self.by_stage[standing.stage as usize].remove(&id);
        self.waits_for(standing, -1);
        if let Some(ended) = standing.ended {
            self.by_end.remove(&(ended, id));
        }
    }

    pub(super) fn change(&mut self, id: DeliveryId, before: Standing, after: Standing) {
        if before.stage != after.stage {
            self.by_stage[before.stage as usize].remove(&id);
            self.by_stage[after.stage as usize].insert(id);
        }
        if before.ended != after.ended {
            if let Some(ended) = before.ended {
                self.by_end.remove(&(ended, id));
            }
            self.by_end.extend(after.ended.map(|ended| (ended, id)));
        }
        *self.count_of(before.group) -= 1;
        *self.count_of(after.group) += 1;
        self.waits_for(before, -1);
        self.waits_for(after, 1);
    }

    fn waits_for(&mut self, standing: Standing, by: isize) {
        if let Some(what) = standing.waiting_for {
            let count = &mut self.waiting[what as usize];
            *count = count.saturating_add_signed(by);
        }
    }

    /// How many wait for this.
    pub(super) fn waiting(&self, what: WaitingFor) -> usize {
        self.waiting[what as usize]
    }

    /// How many are in memory.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Those in memory that ended before this moment: a bounded number.
    pub(super) fn ended_before(&self, until: SimTime) -> Vec<DeliveryId> {
        let ended = self.by_end.iter().take_while(|(ended, _)| *ended < until);
        ended.map(|(_, id)| *id).collect()
    }

    /// As [`Brought::newest`].
    pub(super) fn newest_of_package(&self, package: &str, owner: Option<&str>) -> Option<DeliveryId> {
        self.brought.newest(package, owner)
    }

    /// Of those that ended in this span, those after `after`, in the order of their ends.
    pub(super) fn look_by_end(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        wanted: usize,
        at_once: usize,
    ) -> Look<(SimTime, DeliveryId), (SimTime, DeliveryId)> {
        let owned = match &filter.owner {
            Some(owner) => match self.by_owner.get(owner) {
                Some(ids) => Some(ids),
                None => return Look::among(std::iter::empty(), wanted, at_once, Some),
            },
            None => None,
        };
        // No id is below the nil one.
        let first = (filter.from, DeliveryId::from_bytes([0; 16]));
        let from = match after.filter(|after| *after >= first) {
            Some(after) => Bound::Excluded(after),
            None => Bound::Included(first),
        };
        let ended = self.by_end.range((from, Bound::Unbounded)).copied();
        let in_time = ended.take_while(|(ended, _)| *ended < filter.until);
        Look::among(in_time, wanted, at_once, |(ended, id)| {
            let is_wanted =
                filter.only.is_none_or(|only| only == id) && owned.is_none_or(|owned| owned.contains(&id));
            is_wanted.then_some((ended, id))
        })
    }

    pub(super) fn counts(&self) -> DeliveryCounts {
        self.counts
    }

    fn count_of(&mut self, group: Group) -> &mut u64 {
        match group {
            Group::Waiting => &mut self.counts.waiting,
            Group::UnderWay => &mut self.counts.under_way,
            Group::Completed => &mut self.counts.completed,
            Group::Failed => &mut self.counts.failed,
            Group::Cancelled => &mut self.counts.cancelled,
        }
    }

    /// Of the deliveries that the filter admits, those after `after`, in order.
    pub(super) fn look(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        wanted: usize,
        at_once: usize,
    ) -> Look<DeliveryId, DeliveryId> {
        let range = match filter.only {
            Some(only) if after.is_some_and(|after| after >= only) => {
                return Look::among(std::iter::empty(), wanted, at_once, Some);
            }
            Some(only) => (Bound::Included(only), Bound::Included(only)),
            None => (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded),
        };
        let nobodys = BTreeSet::new();
        let owners = filter
            .owner
            .as_ref()
            .map(|owner| self.by_owner.get(owner).unwrap_or(&nobodys));
        let stages = filter.stage.map(|stage| &self.by_stage[stage as usize]);
        // The shorter list is walked: those under way are few, and so are most owners'.
        let (walked, kept) = match (owners, stages) {
            (Some(owners), Some(stages)) if owners.len() <= stages.len() => (owners, Some(stages)),
            (Some(owners), Some(stages)) => (stages, Some(owners)),
            (Some(one), None) | (None, Some(one)) => (one, None),
            (None, None) => (&self.all, None),
        };
        Look::among(walked.range(range).copied(), wanted, at_once, |id| {
            kept.is_none_or(|kept| kept.contains(&id)).then_some(id)
        })
    }
}

fn put(ids: &mut BTreeMap<String, BTreeSet<DeliveryId>>, key: &str, id: DeliveryId) {
    if let Some(ids) = ids.get_mut(key) {
        ids.insert(id);
    } else {
        ids.insert(key.to_owned(), BTreeSet::from([id]));
    }
}

/// What has nothing left is forgotten.
fn take(ids: &mut BTreeMap<String, BTreeSet<DeliveryId>>, key: &str, id: DeliveryId) {
    if let Some(of_key) = ids.get_mut(key) {
        of_key.remove(&id);
        if of_key.is_empty() {
            ids.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::deliveries::tests::order_of;
    use crate::view::paging::page;
    use proptest::prelude::*;

    fn id(number: u16) -> DeliveryId {
        DeliveryId::new(number.into(), [0; 10])
    }

    fn standing(stage: Stage) -> Standing {
        let group = match stage {
            Stage::Completed => Group::Completed,
            Stage::Failed => Group::Failed,
            Stage::Cancelled => Group::Cancelled,
            Stage::HeadedToPickup | Stage::HeadedToDropoff => Group::UnderWay,
            Stage::Created | Stage::Rescheduled => Group::Waiting,
        };
        Standing {
            stage,
            group,
            ended: None,
            since: SimTime::START,
            waiting_for: (stage == Stage::Rescheduled).then_some(WaitingFor::PickupTime),
        }
    }

    proptest! {
        #[test]
        fn lists_are_those_of_all_deliveries_that_match(
            // Each delivery's owner, and the stages that it went through.
            world in proptest::collection::vec((0_u8..3, proptest::collection::vec(0_usize..7, 0..4)), 0..40),
            limit in 1_usize..6,
            at_once in 1_usize..6,
        ) {
            let mut index = Index::default();
            let mut truth = Vec::new();
            for (number, (owner, stages)) in world.iter().enumerate() {
                let (id, owner) = (id(number as u16), format!("owner-{owner}"));
                let mut now = Stage::Created;
                index.add(&order_of(&owner), id, standing(now));
                for &stage in stages {
                    let next = Stage::ALL[stage];
                    index.change(id, standing(now), standing(next));
                    now = next;
                }
                truth.push((id, owner, now));
            }
            let owners = [None, Some("owner-0"), Some("owner-1"), Some("nobody")];
            let stages = [None, Some(Stage::Created), Some(Stage::HeadedToDropoff), Some(Stage::Completed)];
            for (owner, stage, only) in each_with_each(&owners, &stages) {
                let filter = DeliveryFilter {
                    owner: owner.map(str::to_owned),
                    stage,
                    only,
                };
                let expected: Vec<_> = truth.iter().filter(|(id, of, at)| {
                    owner.is_none_or(|owner| of == owner)
                        && stage.is_none_or(|stage| *at == stage)
                        && only.is_none_or(|only| *id == only)
                }).map(|(id, ..)| *id).collect();
                let mut seen = Vec::new();
                let mut after = None;
                loop {
                    let page = page(after, limit, |&id| id, |from, room| index.look(&filter, from, room, at_once));
                    seen.extend(page.items);
                    match page.next {
                        Some(next) => after = Some(next),
                        None => break,
                    }
                }
                prop_assert_eq!(seen, expected, "{:?}", filter);
            }
            let ended = |stage| truth.iter().filter(|(.., at)| *at == stage).count() as u64;
            let counts = index.counts();
            prop_assert_eq!(counts.completed, ended(Stage::Completed));
            prop_assert_eq!(counts.failed, ended(Stage::Failed));
            prop_assert_eq!(counts.cancelled, ended(Stage::Cancelled));
            prop_assert_eq!(counts.accepted, truth.len() as u64);
            prop_assert_eq!(index.waiting(WaitingFor::PickupTime) as u64, ended(Stage::Rescheduled));
            prop_assert_eq!(
                counts.accepted,
                counts.waiting + counts.under_way + counts.completed + counts.failed + counts.cancelled
            );
        }
    }

    /// Each owner with each stage, for all deliveries and for one.
    fn each_with_each<'a>(
        owners: &'a [Option<&'a str>],
        stages: &'a [Option<Stage>],
    ) -> impl Iterator<Item = (Option<&'a str>, Option<Stage>, Option<DeliveryId>)> {
        owners.iter().flat_map(move |&owner| {
            stages
                .iter()
                .flat_map(move |&stage| [None, Some(id(3))].map(move |only| (owner, stage, only)))
        })
    }

    #[test]
    fn finding_the_few_under_way_does_not_walk_the_many_that_ended() {
        let mut index = Index::default();
        for number in 0..5_000 {
            let stage = if number == 4_999 {
                Stage::HeadedToPickup
            } else {
                Stage::Completed
            };
            index.add(&order_of("cafe"), id(number), standing(stage));
        }
        for owner in [None, Some("cafe".to_owned())] {
            let filter = DeliveryFilter {
                owner,
                stage: Some(Stage::HeadedToPickup),
                only: None,
            };
            // One candidate at once, so a second look would show that there were others.
            let look = index.look(&filter, None, 2, 2);
            assert_eq!((look.found, look.go_on_after), (vec![id(4_999)], None));
        }
    }
}
