//! What clients want of a delivery under way: to cancel it, to change it, to be told of it.
//!
//! Whether the package is on board only the drone knows, so it is asked before anything is
//! promised; changes that come in the meantime wait in order.

use crate::actors::transport::TransportMessage;
use crate::sim::command::{Decision, Objection};
use crate::sim::drone::Task;
use crate::sim::order::Reschedule;

use super::{
    Arc, Bearer, Context, Delivery, DeliveryEvent, DeliveryState, DeliveryWrite, DroneMessage, Effects, Etas,
    Lost, MOST_ASKED, Mail, ReplyTo,
};

/// What comes of a change at first.
pub(super) enum Taken {
    Decided,
    /// The drone has the word.
    DroneAsked,
    /// Decided, and the delivery has come to its end here.
    Ended,
}

impl Delivery {
    /// From outside.
    pub(super) fn write(
        &mut self,
        context: &Context,
        write: DeliveryWrite,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        if self.asked.is_empty() {
            if let Taken::DroneAsked = self.decide(context, &write, reply_to, effects) {
                self.asked.push_back((write, reply_to));
            }
        } else if self.asked.len() < MOST_ASKED {
            self.asked.push_back((write, reply_to));
        } else {
            effects.refuse(reply_to, Objection::Busy);
        }
    }

    fn decide(
        &mut self,
        context: &Context,
        write: &DeliveryWrite,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) -> Taken {
        let delivery = self.id;
        match write {
            DeliveryWrite::NotifyMe(contact) => {
                let decision = self.book.notify(context, delivery, Arc::clone(contact), effects);
                effects.reply(reply_to, decision);
                Taken::Decided
            }
            DeliveryWrite::Confirm(confirmation) => self.confirm(context, confirmation, reply_to, effects),
            _ if !self.may_change() => {
                effects.refuse(reply_to, Objection::PickedUp);
                Taken::Decided
            }
            DeliveryWrite::Reschedule(_) | DeliveryWrite::Entrust(_) if !self.book.takes_changes() => {
                effects.refuse(reply_to, Objection::TooManyChanges);
                Taken::Decided
            }
            DeliveryWrite::Entrust(owner) => {
                self.book.entrust(context, delivery, owner, effects);
                let etas = self.etas;
                self.emit(context, effects, DeliveryEvent::HeadedToPickup { etas });
                effects.reply(reply_to, Decision::Done);
                Taken::Decided
            }
            DeliveryWrite::Cancel => match self.bearer {
                Bearer::Drone(_) => {
                    self.tell_drone(DroneMessage::Release { delivery }, effects);
                    Taken::DroneAsked
                }
                Bearer::Carrier => {
                    effects.send(Mail::Transport(TransportMessage::Withdraw { id: delivery }));
                    self.cancel(context, reply_to, effects);
                    Taken::Ended
                }
            },
            DeliveryWrite::Reschedule(change) => self.change(context, change, reply_to, effects),
        }
    }

    fn may_change(&self) -> bool {
        self.state == DeliveryState::HeadedToPickup && !self.book.picked_up
    }

    fn cancel(&mut self, context: &Context, reply_to: ReplyTo, effects: &mut Effects) {
        self.emit(context, effects, DeliveryEvent::Cancelled);
        effects.reply(reply_to, Decision::Done);
        self.end(effects);
    }

    fn change(
        &mut self,
        context: &Context,
        change: &Reschedule,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) -> Taken {
        let changed = change.of(&self.book.order);
        if changed == *self.book.order {
            effects.reply(reply_to, Decision::Done);
            return Taken::Decided;
        }
        let order = &self.book.order;
        let same_flight = (changed.pickup, changed.dropoff, changed.confirmation)
            == (order.pickup, order.dropoff, order.confirmation);
        let later = change
            .not_before
            .is_some_and(|not_before| not_before > context.now);
        match self.bearer {
            _ if same_flight && !later => {
                self.changed(context, change, self.etas, reply_to, effects);
                Taken::Decided
            }
            Bearer::Drone(_) => {
                let task = Task::of(&context.world, self.id, &changed);
                let delivery = self.id;
                let message = match later {
                    true => DroneMessage::Release { delivery },
                    false => DroneMessage::Redirect { task: Box::new(task) },
                };
                self.tell_drone(message, effects);
                Taken::DroneAsked
            }
            Bearer::Carrier => {
                effects.send(Mail::Transport(TransportMessage::Withdraw { id: self.id }));
                self.find_another(context, change, reply_to, effects);
                Taken::Ended
            }
        }
    }

    /// On the same way, at these times.
    fn changed(
        &mut self,
        context: &Context,
        change: &Reschedule,
        etas: Etas,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        self.book.reschedule(context, self.id, change, effects);
        self.etas = etas;
        self.emit(context, effects, DeliveryEvent::HeadedToPickup { etas });
        effects.reply(reply_to, Decision::Done);
    }

    /// By somebody else, or later.
    fn find_another(
        &mut self,
        context: &Context,
        change: &Reschedule,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        self.book.reschedule(context, self.id, change, effects);
        effects.reply(reply_to, Decision::Done);
        self.hand_back(context, Lost::Rescheduled, effects);
    }

    /// The drone does not come: because nobody wants it to, or because it cannot go where it
    /// should now.
    pub(super) fn released(&mut self, context: &Context, effects: &mut Effects) {
        match self.asked.pop_front() {
            Some((DeliveryWrite::Cancel, reply_to)) => self.cancel(context, reply_to, effects),
            Some((DeliveryWrite::Reschedule(change), reply_to)) => {
                self.find_another(context, &change, reply_to, effects);
            }
            other => {
                self.asked.extend(other);
                tracing::error!(delivery = %self.id, "its drone was released, and nobody asked for that");
                self.hand_back(context, Lost::Drone, effects);
            }
        }
    }

    pub(super) fn redirected(&mut self, context: &Context, etas: Etas, effects: &mut Effects) {
        match self.asked.pop_front() {
            Some((DeliveryWrite::Reschedule(change), reply_to)) => {
                self.changed(context, &change, etas, reply_to, effects);
            }
            other => {
                self.asked.extend(other);
                tracing::error!(delivery = %self.id, "its drone goes elsewhere, and nobody asked for that");
            }
        }
        self.decide_next(context, effects);
    }

    /// What the drone was asked for does not come to be.
    pub(super) fn refused(&mut self, context: &Context, why: Objection, effects: &mut Effects) {
        if let Some((_, reply_to)) = self.asked.pop_front() {
            effects.refuse(reply_to, why);
        }
        self.decide_next(context, effects);
    }

    /// Those that waited for the drone's word, until it is asked again.
    fn decide_next(&mut self, context: &Context, effects: &mut Effects) {
        while let Some((write, reply_to)) = self.asked.pop_front() {
            match self.decide(context, &write, reply_to, effects) {
                Taken::Decided => {}
                Taken::DroneAsked => return self.asked.push_front((write, reply_to)),
                Taken::Ended => return,
            }
        }
    }
}
