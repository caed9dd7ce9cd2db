//! What became of each delivery of a run: how long its customer waited for it, and a row for
//! whoever wants to analyse it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::SimTime;

use super::quality::{mean, percentile};

/// In which of a summary's buckets a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    InProgress,
    Completed,
    /// Brought by third-party transport, or on its way by it.
    ThirdParty,
    Failed,
    Cancelled,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::InProgress => "in_progress",
            Outcome::Completed => "completed",
            Outcome::ThirdParty => "third_party",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub expedited: bool,
    pub payload_kg: f64,
    pub accepted: SimTime,
    /// When its customer was first told when it would come, and what. A new schedule is quoted anew.
    pub quoted: Option<(SimTime, SimTime)>,
    pub picked_up: Option<SimTime>,
    pub ended: Option<SimTime>,
    pub outcome: Outcome,
}

/// From acceptance to the door, by whoever brought it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waits {
    pub count: u64,
    pub mean_seconds: Option<f64>,
    pub p50_seconds: Option<f64>,
    pub p95_seconds: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Fulfilment {
    pub all: Waits,
    pub expedited: Waits,
}

/// A listener that keeps a row for each delivery that is open, and where asked for those that
/// ended.
#[derive(Default)]
pub struct Deliveries {
    open: BTreeMap<DeliveryId, DeliveryRow>,
    keeps_ended: bool,
    ended: Vec<DeliveryRow>,
    waits_s: Vec<f64>,
    waits_expedited_s: Vec<f64>,
}

impl Deliveries {
    pub fn new(keeps_ended: bool) -> Self {
        Deliveries {
            keeps_ended,
            ..Deliveries::default()
        }
    }

    pub fn hear(&mut self, at: SimTime, id: DeliveryId, event: &DeliveryEvent) {
        match event {
            DeliveryEvent::Accepted { order } => {
                self.open.insert(id, DeliveryRow::new(id, at, order));
            }
            DeliveryEvent::Assigned { etas, .. } => {
                self.change(id, |row| row.is_assigned(at, etas));
            }
            DeliveryEvent::Rescheduled { .. } => self.change(id, |row| row.quoted = None),
            DeliveryEvent::PickedUp { .. } => self.change(id, |row| row.picked_up = Some(at)),
            DeliveryEvent::HandedToCarrier { .. } => {
                self.change(id, |row| row.outcome = Outcome::ThirdParty);
            }
            // Whoever had it, somebody else is looked for.
            DeliveryEvent::Delayed { .. } => self.change(id, |row| row.outcome = Outcome::InProgress),
            DeliveryEvent::Completed { .. } => self.end(at, id, None),
            DeliveryEvent::Failed { .. } => self.end(at, id, Some(Outcome::Failed)),
            DeliveryEvent::Cancelled => self.end(at, id, Some(Outcome::Cancelled)),
            DeliveryEvent::Created
            | DeliveryEvent::HeadedToPickup { .. }
            | DeliveryEvent::HeadedToDropoff { .. }
            | DeliveryEvent::EtaChanged { .. }
            | DeliveryEvent::StepDelayed { .. }
            | DeliveryEvent::AwaitingConfirmation { .. }
            | DeliveryEvent::BroughtBack { .. }
            | DeliveryEvent::NotifyMeRequested { .. } => {}
        }
    }

    fn change(&mut self, id: DeliveryId, change: impl FnOnce(&mut DeliveryRow)) {
        if let Some(row) = self.open.get_mut(&id) {
            change(row);
        }
    }

    /// `None`: it was brought, by whoever has it.
    fn end(&mut self, at: SimTime, id: DeliveryId, outcome: Option<Outcome>) {
        let Some(mut row) = self.open.remove(&id) else {
            return;
        };
        row.ended = Some(at);
        row.outcome = match (outcome, row.outcome) {
            (Some(outcome), _) => outcome,
            (None, Outcome::ThirdParty) => Outcome::ThirdParty,
            (None, _) => Outcome::Completed,
        };
        if outcome.is_none() {
            let waited_s = at.since(row.accepted).as_secs();
            self.waits_s.push(waited_s);
            if row.expedited {
                self.waits_expedited_s.push(waited_s);
            }
        }
        if self.keeps_ended {
            self.ended.push(row);
        }
    }

    pub fn fulfilment(&self) -> Fulfilment {
        Fulfilment {
            all: waits(&self.waits_s),
            expedited: waits(&self.waits_expedited_s),
        }
    }

    /// All rows that are kept, in the order of the deliveries' ids.
    pub fn into_rows(self) -> Vec<DeliveryRow> {
        let mut rows = self.ended;
        if self.keeps_ended {
            rows.extend(self.open.into_values());
        }
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }
}

impl DeliveryRow {
    fn new(id: DeliveryId, accepted: SimTime, order: &Order) -> Self {
        DeliveryRow {
            id,
            expedited: order.expedited,
            payload_kg: order.package.weight_kg,
            accepted,
            quoted: None,
            picked_up: None,
            ended: None,
            outcome: Outcome::InProgress,
        }
    }

    fn is_assigned(&mut self, at: SimTime, etas: &Etas) {
        self.quoted.get_or_insert((at, etas.delivery));
        self.outcome = Outcome::InProgress;
    }
}

fn waits(seconds: &[f64]) -> Waits {
    Waits {
        count: seconds.len() as u64,
        mean_seconds: mean(seconds),
        p50_seconds: percentile(seconds, 0.5),
        p95_seconds: percentile(seconds, 0.95),
    }
}
