//! When a delivery's package counts, and for whom: from when its workflow has come past the
//! package step on, and no longer where that was undone. That goes without an event of its own,
//! but follows from those that there are.

use std::sync::Arc;

use super::{DeliveryRecord, WorkflowState};
use crate::sim::event::DeliveryEvent;
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::Step;

/// A package that counts.
pub(in crate::view) struct Weight {
    order: Arc<Order>,
    /// When it was created.
    pub(in crate::view) since: SimTime,
}

impl Weight {
    pub(in crate::view) fn account(&self) -> &str {
        &self.order.owner.account
    }

    pub(in crate::view) fn kg(&self) -> f64 {
        self.order.package.weight_kg
    }
}

impl PartialEq for Weight {
    fn eq(&self, other: &Self) -> bool {
        let of = |weight: &Self| (weight.since, weight.kg());
        of(self) == of(other) && self.account() == other.account()
    }
}

impl DeliveryRecord {
    /// Its package, where that counts.
    pub(in crate::view) fn weight(&self) -> Option<Weight> {
        Some(Weight {
            since: self.package_since?,
            order: Arc::clone(&self.order),
        })
    }

    /// Since when its package is there, after this event.
    pub(super) fn package_after(&self, kind: &DeliveryEvent, at: SimTime) -> Option<SimTime> {
        if undoes_it(kind, self.workflow) {
            None
        } else if comes_after_it(kind) {
            self.package_since.or(Some(at))
        } else {
            self.package_since
        }
    }
}

/// Whether the workflow had come past the package step when this happened.
fn comes_after_it(kind: &DeliveryEvent) -> bool {
    match kind {
        DeliveryEvent::Delayed { .. }
        | DeliveryEvent::Created
        | DeliveryEvent::Assigned { .. }
        | DeliveryEvent::HandedToCarrier { .. } => true,
        DeliveryEvent::StepDelayed { step, .. } => *step > Step::Package,
        _ => false,
    }
}

/// Whether the workflow ends here, and with it what its steps did. A delivery under way that ends
/// undoes nothing: its package was there.
fn undoes_it(kind: &DeliveryEvent, before: WorkflowState) -> bool {
    match kind {
        DeliveryEvent::Failed { reason } => reason.ends_workflow(),
        DeliveryEvent::Cancelled => before != WorkflowState::Scheduled,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::order_of;
    use super::*;
    use crate::sim::event::{Etas, Event, Happening};
    use crate::sim::ids::{DeliveryId, DroneId};
    use crate::sim::workflow::{FailureReason, WaitingFor};

    /// Since which second a package counts that these things happened to, one a second.
    fn since(kinds: &[DeliveryEvent]) -> Option<u64> {
        let id = DeliveryId::from_bytes([1; 16]);
        let order = Arc::new(order_of("shop"));
        let accepted = DeliveryEvent::Accepted { order };
        let event = |(second, kind): (u64, &DeliveryEvent)| {
            Arc::new(Event {
                at: SimTime(second * 1_000_000),
                seq: second as u32 + 1,
                happening: Happening::Delivery(id, kind.clone()),
            })
        };
        let kinds = [&accepted].into_iter().chain(kinds);
        let record = DeliveryRecord::from_events((0..).zip(kinds).map(event).collect()).unwrap();
        let weight = record.weight()?;
        assert_eq!((weight.account(), weight.kg()), ("shop", 0.5));
        Some(weight.since.0 / 1_000_000)
    }

    #[test]
    fn a_package_counts_from_its_creation_until_that_is_undone() {
        let failed = |reason| DeliveryEvent::Failed { reason };
        let stuck = |step, waiting_for| DeliveryEvent::StepDelayed {
            step,
            attempts: 1,
            waiting_for,
        };
        let delayed = |waiting_for| DeliveryEvent::Delayed { waiting_for };
        let etas = Etas {
            pickup: SimTime(9),
            delivery: SimTime(9),
        };
        let assigned = DeliveryEvent::Assigned {
            drone: DroneId(1),
            etas,
        };
        let cancelled = DeliveryEvent::Cancelled;
        let created = DeliveryEvent::Created;
        let waits = delayed(WaitingFor::Drone);
        let retry = WaitingFor::Retry;

        assert_eq!(since(&[]), None);
        for step in [Step::Account, Step::Package] {
            assert_eq!(since(&[stuck(step, retry)]), None);
        }
        assert_eq!(since(&[stuck(Step::Package, WaitingFor::Compensation)]), None);
        assert_eq!(
            since(&[stuck(Step::Account, retry), stuck(Step::Drone, retry)]),
            Some(2)
        );
        let under_way = [waits.clone(), created.clone(), assigned.clone()];
        assert_eq!(since(&under_way), Some(1));
        let with = |end: &DeliveryEvent| since(&[&under_way[..], std::slice::from_ref(end)].concat());

        // By the account step; by the workflow; by the delivery.
        assert_eq!(since(&[failed(FailureReason::AccountSuspended)]), None);
        assert_eq!(
            since(&[waits.clone(), failed(FailureReason::NoDroneInTime)]),
            None
        );
        assert_eq!(with(&failed(FailureReason::DroneLost)), Some(1));
        let lost = [
            &under_way[..],
            &[waits.clone(), failed(FailureReason::NoDroneInTime)],
        ]
        .concat();
        assert_eq!(since(&lost), None);

        assert_eq!(since(&[waits.clone(), cancelled.clone()]), None);
        assert_eq!(with(&cancelled), Some(1), "its drone was on its way");
        assert_eq!(since(&[&under_way[..], &[waits, cancelled]].concat()), None);
        let home = [
            &under_way[..],
            &[delayed(WaitingFor::Return), failed(FailureReason::DroneLost)],
        ];
        assert_eq!(since(&home.concat()), Some(1), "on board to the end");
        let by_van = DeliveryEvent::HandedToCarrier { etas };
        assert_eq!(since(&[by_van]), Some(1));
    }
}
