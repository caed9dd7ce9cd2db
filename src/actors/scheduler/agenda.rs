//! What is due when: one alarm for all workflows.
//!
//! Nearly every step is answered in the tick in which it was asked, so nobody gets an alarm of
//! their own: who was asked is looked at in the next tick, and only who has not answered by then
//! gets an entry here. Bound: an alarm that nobody waits for any more still rings, so none is set
//! for later than [`HORIZON`]; what is further off is looked at again when that one rings.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::actors::{Context, Effects, Mail};
use crate::sim::ids::DeliveryId;
use crate::sim::time::{SimDuration, SimTime};

use super::SchedulerMessage;

const HORIZON: SimDuration = SimDuration(3_600_000_000);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Agenda {
    entries: BTreeSet<(SimTime, DeliveryId)>,
    /// Alarms that are set and have not rung.
    alarms: BTreeSet<SimTime>,
    /// Asked in this tick.
    asked: Vec<DeliveryId>,
}

impl Agenda {
    pub fn enter(&mut self, context: &Context, at: SimTime, id: DeliveryId, effects: &mut Effects) {
        self.entries.insert((at, id));
        self.set_alarm(context, at, effects);
    }

    pub fn strike_out(&mut self, at: SimTime, id: DeliveryId) {
        self.entries.remove(&(at, id));
    }

    /// To be looked at in the next tick.
    pub fn asked(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        if self.asked.is_empty() {
            effects.wake_at(context.now, Mail::Scheduler(SchedulerMessage::Look));
        }
        self.asked.push(id);
    }

    pub fn take_asked(&mut self) -> Vec<DeliveryId> {
        std::mem::take(&mut self.asked)
    }

    /// What is due by now, in order; sets the next alarm.
    pub fn take_due(&mut self, context: &Context, alarm: SimTime, effects: &mut Effects) -> Vec<DeliveryId> {
        self.alarms.remove(&alarm);
        let mut due = Vec::new();
        while let Some((_, id)) = self.entries.first().filter(|(at, _)| *at <= context.now) {
            due.push(*id);
            self.entries.pop_first();
        }
        if let Some((at, _)) = self.entries.first() {
            let at = *at;
            self.set_alarm(context, at, effects);
        }
        due
    }

    #[cfg(test)]
    pub fn next_due(&self) -> Option<SimTime> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// Unless one is set that rings by then.
    fn set_alarm(&mut self, context: &Context, at: SimTime, effects: &mut Effects) {
        let due = at.min(context.now + HORIZON);
        if at != SimTime::NEVER && self.alarms.first().is_none_or(|set| due < *set) {
            self.alarms.insert(due);
            effects.wake_at(due, Mail::Scheduler(SchedulerMessage::Alarm { due }));
        }
    }
}
