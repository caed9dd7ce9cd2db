//! What goes with a delivery from one owner to the next: from the scheduler's workflow to the
//! delivery's actor, and back where that lost who carried it.
//!
//! Whoever has the book numbers the delivery's events, so its numbering has one writer at a
//! time. Bound: so many people may wait for a word about one delivery, [`MOST_CONTACTS`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection};
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::order::{Contact, Order, Reschedule};

use super::{Context, Effects};

/// Notify-me requests of one delivery.
pub const MOST_CONTACTS: u32 = 16;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub order: Arc<Order>,
    /// Number of its last event.
    pub seq: u32,
    /// How often somebody set out for it; `Created` is told the first time.
    pub attempts: u32,
    /// How many notify-me requests were taken.
    pub contacts: u32,
}

impl Book {
    /// Of a request that nothing was told about yet.
    pub fn new(order: Arc<Order>) -> Self {
        Book {
            order,
            seq: 0,
            attempts: 0,
            contacts: 0,
        }
    }

    pub fn emit(&mut self, context: &Context, id: DeliveryId, event: DeliveryEvent, effects: &mut Effects) {
        effects.emit_delivery(context, &mut self.seq, id, event);
    }

    /// Enters what changes, and tells it.
    pub fn reschedule(
        &mut self,
        context: &Context,
        id: DeliveryId,
        change: &Reschedule,
        effects: &mut Effects,
    ) {
        self.order = Arc::new(change.of(&self.order));
        let order = Arc::clone(&self.order);
        self.emit(context, id, DeliveryEvent::Rescheduled { order }, effects);
    }

    /// Somebody wants to be told how it goes.
    pub fn notify(
        &mut self,
        context: &Context,
        id: DeliveryId,
        contact: Arc<Contact>,
        effects: &mut Effects,
    ) -> Decision {
        if self.contacts >= MOST_CONTACTS {
            return Decision::Refused(Objection::TooManyContacts);
        }
        self.contacts += 1;
        self.emit(context, id, DeliveryEvent::NotifyMeRequested { contact }, effects);
        Decision::Done
    }
}
