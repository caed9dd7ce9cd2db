//! A delivery's way, event by event: what each made of it.

use std::sync::Arc;

use super::{DeliveryRecord, Place};
use crate::sim::delivery::Stage;
use crate::sim::event::{Etas, Event};

/// One event, and how the delivery stood once it had happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub event: Arc<Event>,
    pub stage: Stage,
    pub etas: Option<Etas>,
    /// Where the package's carrier, or else the package, was.
    pub place: Place,
}

impl DeliveryRecord {
    /// All of its events, in order.
    pub fn steps(&self) -> Vec<Step> {
        // Told again: the order may have been another one at the beginning.
        let Some(mut then) = self.beginning() else {
            return Vec::new();
        };
        let step = |(event, place): (&Arc<Event>, &Place)| {
            then.apply(event, None);
            Step {
                event: Arc::clone(event),
                stage: then.stage,
                etas: then.etas,
                place: *place,
            }
        };
        self.events.iter().zip(&self.places).map(step).collect()
    }
}

/// What was quoted, each time it was another thing than before, by the steps that did it.
pub fn quotes(steps: &[Step]) -> Vec<(&Step, Etas)> {
    let mut last = None;
    let mut quotes = Vec::new();
    for step in steps {
        // What has ended is not expected any more.
        let Some(etas) = step.etas.filter(|_| !step.stage.is_terminal()) else {
            continue;
        };
        // That the pick-up is over is no quote.
        if last.is_none_or(|last: Etas| last.delivery != etas.delivery) {
            quotes.push((step, etas));
        }
        last = Some(etas);
    }
    quotes
}
