//! What goes with a delivery from one owner to the next: from the scheduler's workflow to the
//! delivery's actor, and back where that lost who carried it.
//!
//! Whoever has the book numbers the delivery's events, so its numbering has one writer at a
//! time. Bounds: so many people may wait for a word about one delivery, [`MOST_CONTACTS`], and
//! so often it may be changed, as [`MOST_EVENTS`] allows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection};
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::{Moment, Notice};
use crate::sim::order::{Contact, Order, Owner, Reschedule};

use super::{Context, Effect, Effects};

/// From so many events on a delivery is changed no more: each change is one that its record
/// keeps. Without changes nothing comes near it.
pub const MOST_EVENTS: u32 = 1_000;

/// Notify-me requests of one delivery.
pub const MOST_CONTACTS: usize = 16;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub order: Arc<Order>,
    /// Number of its last event.
    pub seq: u32,
    /// How often somebody set out for it; `Created` is told the first time.
    pub attempts: u32,
    /// Who wants to be told.
    pub contacts: Vec<Arc<Contact>>,
    /// Whether the sender has given it away: no places are changed and nothing is cancelled
    /// from then on, wherever the package is.
    pub picked_up: bool,
    /// How often nobody gave the word that the order requires.
    pub unconfirmed: u32,
}

impl Book {
    /// Of a request that nothing was told about yet.
    pub fn new(order: Arc<Order>) -> Self {
        Book {
            order,
            seq: 0,
            attempts: 0,
            contacts: Vec::new(),
            picked_up: false,
            unconfirmed: 0,
        }
    }

    /// Numbers an event, and tells it to those who asked to be told.
    pub fn emit(&mut self, context: &Context, id: DeliveryId, event: DeliveryEvent, effects: &mut Effects) {
        let moment = Moment::of(&event);
        effects.emit_delivery(context, &mut self.seq, id, event);
        let Some(moment) = moment else { return };
        for to in self.contacts.iter().flat_map(|contact| contact.addressees()) {
            effects.0.push(Effect::Notify(Notice {
                delivery: id,
                to,
                moment,
                at: context.now,
            }));
        }
    }

    pub fn takes_changes(&self) -> bool {
        self.seq < MOST_EVENTS
    }

    /// Enters what changes, and tells it.
    pub fn reschedule(
        &mut self,
        context: &Context,
        id: DeliveryId,
        change: &Reschedule,
        effects: &mut Effects,
    ) {
        self.order_anew(context, id, change.of(&self.order), effects);
    }

    /// It is somebody else's from now on, who wants the same.
    pub fn entrust(&mut self, context: &Context, id: DeliveryId, owner: &Owner, effects: &mut Effects) {
        let order = Order {
            owner: owner.clone(),
            ..Order::clone(&self.order)
        };
        self.order_anew(context, id, order, effects);
    }

    fn order_anew(&mut self, context: &Context, id: DeliveryId, order: Order, effects: &mut Effects) {
        self.order = Arc::new(order);
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
        if self.contacts.len() >= MOST_CONTACTS {
            return Decision::Refused(Objection::TooManyContacts);
        }
        self.contacts.push(Arc::clone(&contact));
        self.emit(context, id, DeliveryEvent::NotifyMeRequested { contact }, effects);
        Decision::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, id, order, world};
    use crate::sim::geo::LatLon;
    use crate::sim::notice::Addressee;

    fn told(effects: &Effects) -> Vec<(&Addressee, Moment)> {
        let notices = effects.0.iter().filter_map(|effect| match effect {
            Effect::Notify(notice) => Some((&notice.to, notice.moment)),
            _ => None,
        });
        notices.collect()
    }

    #[test]
    fn who_asked_is_told_of_what_matters_in_each_way_they_named() {
        let world = world(1, 1);
        let mut book = Book::new(Arc::new(order(&world)));
        let context = Bench::new(world, |_| crate::actors::supervisor::Supervisor::default()).context;
        let contact = |email: Option<&str>, sms: Option<&str>| {
            Arc::new(Contact {
                email: email.map(str::to_owned),
                sms: sms.map(str::to_owned),
            })
        };
        let mut effects = Effects::default();
        for asking in [contact(Some("ada@example.com"), None), contact(None, Some("+1"))] {
            assert_eq!(book.notify(&context, id(1), asking, &mut effects), Decision::Done);
        }
        book.emit(&context, id(1), DeliveryEvent::Created, &mut effects);
        assert_eq!(told(&effects), [], "nothing that they want to hear of");

        let location = LatLon {
            lat: 37.7,
            lon: -122.4,
        };
        book.emit(
            &context,
            id(1),
            DeliveryEvent::Completed { location },
            &mut effects,
        );
        let (mail, sms) = (
            Addressee::Email("ada@example.com".into()),
            Addressee::Sms("+1".into()),
        );
        assert_eq!(
            told(&effects),
            [(&mail, Moment::Completed), (&sms, Moment::Completed)]
        );

        for _ in 2..MOST_CONTACTS {
            book.notify(&context, id(1), contact(None, Some("+2")), &mut effects);
        }
        let full = book.notify(&context, id(1), contact(None, Some("+3")), &mut effects);
        assert_eq!(full, Decision::Refused(Objection::TooManyContacts));
    }
}
