//! At the door, where an order requires the recipient's word.
//!
//! The simulated recipient comes after a drawn while, or never; a client may give the word
//! first. Who is not met in time is visited once more: a drone brings the package home first, a
//! van comes by again.

use crate::sim::command::{Decision, Objection};
use crate::sim::order::{Confirmation, ConfirmationRequired};
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::Recipient;

use super::changes::Taken;
use super::{
    Bearer, Context, Delivery, DeliveryEvent, DeliveryInput, DeliveryMessage, DeliveryState, DroneMessage,
    Effects, Etas, FailureReason, Mail, Outcome, ReplyTo,
};

/// How long the slowest recipients take, of what they take on average.
const SLOWEST: f64 = 1.5;

impl Delivery {
    pub(super) fn wait_at_door(&mut self, context: &Context, effects: &mut Effects) {
        if self.moves(DeliveryInput::AtDoor).is_some() {
            self.ring(context, effects);
        }
    }

    fn ring(&mut self, context: &Context, effects: &mut Effects) {
        let required = self.book.order.confirmation;
        self.emit(context, effects, DeliveryEvent::AwaitingConfirmation { required });
        let visit = self.visit();
        let patience = context.world.recipient.patience;
        let mut wake = |after: SimDuration, message| {
            effects.wake_at(context.now + after, Mail::Delivery(self.id, message));
        };
        if let Some(after) = self.comes_after(context).filter(|after| *after < patience) {
            wake(after, DeliveryMessage::RecipientConfirms { visit });
        }
        wake(patience, DeliveryMessage::PatienceOver { visit });
        let by = context.now + context.world.recipient.expected(true);
        self.expect_by(context, by, context.now, effects);
    }

    /// That the recipient has come, on a visit that began `since`.
    fn expect_by(&mut self, context: &Context, by: SimTime, since: SimTime, effects: &mut Effects) {
        let delivery = by;
        self.update_etas(
            context,
            Etas {
                delivery,
                ..self.etas
            },
            effects,
        );
        let visit = self.visit();
        let nobody_yet = DeliveryMessage::NobodyYet { visit, since };
        effects.wake_at(self.etas.delivery, Mail::Delivery(self.id, nobody_yet));
    }

    /// Who takes longer than most comes by the time of those who take longest, or else as long as
    /// somebody waits for them.
    pub(super) fn nobody_yet(
        &mut self,
        context: &Context,
        visit: u32,
        since: SimTime,
        effects: &mut Effects,
    ) {
        let recipient = &context.world.recipient;
        let patience_over = since + recipient.patience;
        if !self.waits_at_door(visit) || context.now >= patience_over {
            return;
        }
        let latest = since + SimDuration::from_secs(recipient.confirm_after.as_secs() * SLOWEST);
        let by = if context.now < latest {
            latest.min(patience_over)
        } else {
            patience_over
        };
        self.expect_by(context, by, since, effects);
    }

    /// Numbers the visits of all who set out for it, so that an alarm of one that came to nothing
    /// rings for no other.
    fn visit(&self) -> u32 {
        self.book.attempts.saturating_sub(1) * Recipient::MOST_VISITS + self.book.unconfirmed
    }

    /// How long the recipient takes on this visit; `None` for one who never comes.
    fn comes_after(&self, context: &Context) -> Option<SimDuration> {
        let recipient = &context.world.recipient;
        let mut entity = [0; 8];
        entity.copy_from_slice(&self.id.as_bytes()[8..]);
        let mut stream = Stream::new(context.world.seed, u64::from_le_bytes(entity), Purpose::Recipient);
        let never = stream.uniform() < recipient.never;
        let draws = (0..=self.book.unconfirmed).map(|_| stream.uniform_in(2.0 - SLOWEST, SLOWEST));
        let share = draws.last().filter(|_| !never)?;
        Some(SimDuration::from_secs(recipient.confirm_after.as_secs() * share))
    }

    /// A client's word.
    pub(super) fn confirm(
        &mut self,
        context: &Context,
        confirmation: &Confirmation,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) -> Taken {
        let required = self.book.order.confirmation;
        if required == ConfirmationRequired::None || self.state != DeliveryState::AwaitingConfirmation {
            effects.refuse(reply_to, Objection::NotWaiting);
            return Taken::Decided;
        }
        if confirmation.kind != required {
            effects.refuse(reply_to, Objection::WrongConfirmation);
            return Taken::Decided;
        }
        effects.reply(reply_to, Decision::Done);
        self.hand_over(context, effects);
        Taken::Ended
    }

    pub(super) fn recipient_confirms(&mut self, context: &Context, visit: u32, effects: &mut Effects) {
        if self.waits_at_door(visit) {
            self.hand_over(context, effects);
        }
    }

    fn waits_at_door(&self, visit: u32) -> bool {
        self.state == DeliveryState::AwaitingConfirmation && self.visit() == visit
    }

    fn hand_over(&mut self, context: &Context, effects: &mut Effects) {
        if self.moves(DeliveryInput::Confirmed) == Some(Outcome::Completed) {
            let delivery = self.id;
            self.tell_drone(DroneMessage::Confirmed { delivery }, effects);
            self.complete(context, effects);
        }
    }

    pub(super) fn patience_over(&mut self, context: &Context, visit: u32, effects: &mut Effects) {
        if !self.waits_at_door(visit) {
            return;
        }
        self.book.unconfirmed += 1;
        match self.bearer {
            Bearer::Drone(_) => {
                self.moves(DeliveryInput::Unconfirmed);
                let delivery = self.id;
                self.tell_drone(DroneMessage::BringBack { delivery }, effects);
                self.tell_return(context, effects);
            }
            Bearer::Carrier if self.book.unconfirmed >= Recipient::MOST_VISITS => {
                self.fail(context, FailureReason::NotConfirmed, effects);
            }
            Bearer::Carrier => {
                let again = context.now + context.world.recipient.redeliver_after;
                let mut etas = self.etas;
                etas.delivery = again + context.world.recipient.expected(true);
                self.update_etas(context, etas, effects);
                let visit = self.visit();
                let message = DeliveryMessage::CarrierComesAgain { visit };
                effects.wake_at(again, Mail::Delivery(self.id, message));
            }
        }
    }

    pub(super) fn carrier_comes_again(&mut self, context: &Context, visit: u32, effects: &mut Effects) {
        if self.waits_at_door(visit) {
            self.ring(context, effects);
        }
    }
}
