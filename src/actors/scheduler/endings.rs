//! How workflows end: as deliveries that begin, as requests that come to nothing, or with the
//! supervisor; and what clients want of those that are not under way.

use crate::actors::book::Book;
use crate::actors::delivery::{Delivery, DeliveryMessage};
use crate::actors::fleet::FleetMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::{Context, Effect, Effects, Mail};
use crate::sim::command::{Decision, DeliveryWrite, Objection, ReplyTo};
use crate::sim::delivery::Bearer;
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::workflow::{Held, Move, Step, Then, WorkflowInput};

use super::Scheduler;
use super::workflow::Workflow;

impl Scheduler {
    pub(super) fn hand_over(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        let Some(workflow) = self.remove(id) else {
            return;
        };
        let Some(found) = workflow.found else {
            return tracing::error!(delivery = %id, "nobody bears a delivery that was to begin");
        };
        let told = found.etas(context.now);
        let delivery = Delivery::new(id, workflow.book, found.bearer, told);
        effects.0.push(Effect::Start(id, Box::new(delivery)));
        effects.send(Mail::Delivery(id, DeliveryMessage::Begin));
        if let Bearer::Drone(_) = found.bearer {
            effects.send(Mail::Fleet(FleetMessage::Depart { id, told }));
        }
        for message in workflow.early {
            effects.send(Mail::Delivery(id, message));
        }
    }

    pub(super) fn end(&mut self, context: &Context, id: DeliveryId, then: Then, effects: &mut Effects) {
        let Some(mut workflow) = self.remove(id) else {
            return;
        };
        if workflow.is_letter {
            self.letters -= 1;
            return effects.send(Mail::Supervisor(SupervisorMessage::LetGo { id }));
        }
        tell_end(context, id, &mut workflow, then, effects);
    }

    pub(super) fn give_up(
        &mut self,
        context: &Context,
        id: DeliveryId,
        step: Step,
        then: Then,
        effects: &mut Effects,
    ) {
        let is_letter = self.workflows.get(&id).is_some_and(|workflow| workflow.is_letter);
        if !is_letter && self.letters >= context.world.workflow.dead_letters {
            // Nothing is lost: it is tried again, at the longest intervals.
            let attempt = context.world.workflow.retries;
            return self.carry_out(context, id, Move::BackOffUndo { step, attempt, then }, effects);
        }
        let Some(mut workflow) = self.remove(id) else {
            return;
        };
        if !workflow.is_letter {
            self.letters += 1;
            tell_end(context, id, &mut workflow, then, effects);
        }
        let (book, held) = (Box::new(workflow.book), workflow.held);
        effects.send(Mail::Supervisor(SupervisorMessage::DeadLetter {
            id,
            book,
            held,
            step,
            then,
        }));
    }

    /// What an operator wants to be tried once more.
    pub(super) fn compensate(
        &mut self,
        context: &Context,
        id: DeliveryId,
        book: Book,
        held: Held,
        then: Then,
        effects: &mut Effects,
    ) {
        let mut workflow = Workflow::new(book, context.now);
        workflow.held = held;
        workflow.is_letter = true;
        self.workflows.insert(id, workflow);
        let next = match held.last() {
            Some(step) => Move::Undo {
                step,
                attempt: 1,
                then,
            },
            None => Move::End(then),
        };
        self.carry_out(context, id, next, effects);
    }

    fn remove(&mut self, id: DeliveryId) -> Option<Workflow> {
        let workflow = self.workflows.remove(&id)?;
        self.told.remove(&id);
        self.count_out(workflow.state);
        if let Some(due) = workflow.due {
            self.agenda.strike_out(due, id);
        }
        Some(workflow)
    }

    pub(super) fn write(
        &mut self,
        context: &Context,
        id: DeliveryId,
        write: DeliveryWrite,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        // A delivery that is under way has an actor of its own, which would have heard of it.
        let Some(workflow) = self.workflows.get_mut(&id).filter(|workflow| !workflow.is_letter) else {
            return effects.refuse(reply_to, Objection::Ended);
        };
        match write {
            DeliveryWrite::NotifyMe(contact) => {
                let decision = workflow.book.notify(context, id, contact, effects);
                effects.reply(reply_to, decision);
            }
            DeliveryWrite::Confirm(_) => effects.refuse(reply_to, Objection::NotWaiting),
            _ if workflow.book.picked_up => effects.refuse(reply_to, Objection::PickedUp),
            _ if !workflow.state.may_change() => effects.refuse(reply_to, Objection::Ended),
            DeliveryWrite::Reschedule(_) | DeliveryWrite::Entrust(_) if !workflow.book.takes_changes() => {
                effects.refuse(reply_to, Objection::TooManyChanges);
            }
            DeliveryWrite::Entrust(owner) => {
                workflow.book.entrust(context, id, &owner, effects);
                effects.reply(reply_to, Decision::Done);
            }
            DeliveryWrite::Cancel => {
                effects.reply(reply_to, Decision::Done);
                self.advance(context, id, WorkflowInput::Cancel, effects);
            }
            DeliveryWrite::Reschedule(change) if change.of(&workflow.book.order) == *workflow.book.order => {
                effects.reply(reply_to, Decision::Done);
            }
            DeliveryWrite::Reschedule(change) => {
                workflow.book.reschedule(context, id, &change, effects);
                workflow.servable = None;
                self.told.remove(&id);
                effects.reply(reply_to, Decision::Done);
                self.advance(context, id, WorkflowInput::Change, effects);
            }
        }
    }
}

fn tell_end(context: &Context, id: DeliveryId, workflow: &mut Workflow, then: Then, effects: &mut Effects) {
    let event = match then {
        Then::Fail(reason) => DeliveryEvent::Failed { reason },
        Then::Cancel => DeliveryEvent::Cancelled,
        Then::Anew => return,
    };
    workflow.book.emit(context, id, event, effects);
}
