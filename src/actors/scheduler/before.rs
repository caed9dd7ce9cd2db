//! The scheduler as snapshots before format 3 hold it, when a workflow had one step.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::sim::ids::DeliveryId;

use super::Scheduler;

/// What was waiting then waited by alarms that nobody understands any more; so a world in which
/// something did is read by its own program alone, and one in which nothing did goes on.
#[derive(Deserialize)]
pub struct SchedulerBefore3 {
    workflows: BTreeMap<DeliveryId, ()>,
    _awaiting_third_party: usize,
    _awaiting_pickup_time: usize,
}

impl SchedulerBefore3 {
    /// Bytes of a scheduler with workflows do not read as one with none.
    pub fn idle(self) -> Option<Scheduler> {
        self.workflows.is_empty().then(Scheduler::default)
    }
}
