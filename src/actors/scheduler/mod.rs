//! The scheduler: carries each request's workflow from acceptance to a delivery under way.
//!
//! Owns the workflows that are not finished, the carrier's circuit breaker, and the injected
//! faults of steps. `sim/workflow` says what follows what; this asks the owners of the steps,
//! hears their answers, keeps their time limits ([`agenda`]), and starts the delivery's actor.
//! Hears admitted requests from the engine, writes about what is not under way from outside,
//! and from a delivery that lost its bearer that it is to find another. Bounds: at most
//! `[dispatch] backlog` workflows are kept waiting for another try, and `[dispatch] scheduled` for
//! their pick-up time (the fleet bounds those that wait for a drone); what cannot be undone goes to the supervisor, and
//! where that is full it is tried again for as long as it takes. After a panic it goes on from
//! before the message that brought it about; whoever waited for that is asked again.

mod agenda;
mod before;
mod calls;
mod endings;
mod message;
#[cfg(test)]
mod tests;
mod trouble;
mod workflow;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::breaker::Breaker;
use crate::sim::command::{Decision, Objection};
use crate::sim::dispatch;
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::{
    self as rule, Circumstances, FailureReason, Held, Move, Step, WaitingFor, WorkflowInput, WorkflowState,
};

use super::accounts::AccountMessage;
use super::book::Book;
use super::fleet::FleetMessage;
use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::transport::TransportMessage;
use super::{Context, Effects, Mail};

use agenda::Agenda;
pub use before::SchedulerBefore3;
use message::Heard;
pub use message::{Lost, SchedulerMessage};
use trouble::Troubles;
use workflow::Workflow;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scheduler {
    workflows: BTreeMap<DeliveryId, Workflow>,
    agenda: Agenda,
    /// How many are kept waiting for another try.
    waiting: usize,
    troubles: Troubles,
    breaker: Breaker,
    /// How many dead letters the supervisor has.
    letters: usize,
    /// Each state of each workflow has a number of its own, so that an answer that comes late is
    /// known as such.
    next_turn: u64,
    /// What customers were told last that their requests wait for, where nothing else was told
    /// since: it is not told twice.
    told: BTreeMap<DeliveryId, WaitingFor>,
    /// How many wait for their pick-up time; counted anew on restore.
    #[serde(skip)]
    scheduled: usize,
}

impl Scheduler {
    /// Whose workflows are not finished.
    pub fn ids(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.workflows.keys().copied()
    }

    /// With its workflows counted, as what was saved may have counted them otherwise.
    pub fn counted(mut self) -> Self {
        (self.waiting, self.scheduled) = (0, 0);
        let states: Vec<WorkflowState> = self.workflows.values().map(|workflow| workflow.state).collect();
        for state in states {
            self.count_in(state);
        }
        self
    }

    /// One more is in this state.
    fn count_in(&mut self, state: WorkflowState) {
        if let Some(count) = self.count_of(state) {
            *count += 1;
        }
    }

    /// One less is.
    fn count_out(&mut self, state: WorkflowState) {
        if let Some(count) = self.count_of(state) {
            *count -= 1;
        }
    }

    /// Where those are counted who are kept waiting as this one is.
    fn count_of(&mut self, state: WorkflowState) -> Option<&mut usize> {
        match state {
            WorkflowState::BackingOff { .. } => Some(&mut self.waiting),
            WorkflowState::AwaitingPickupTime => Some(&mut self.scheduled),
            _ => None,
        }
    }

    fn accept(&mut self, context: &Context, id: DeliveryId, order: Arc<Order>, effects: &mut Effects) {
        let accepted = DeliveryEvent::Accepted {
            order: Arc::clone(&order),
        };
        let mut book = Book::new(order);
        book.emit(context, id, accepted, effects);
        self.workflows.insert(id, Workflow::new(book, context.now));
    }

    fn admit(&mut self, context: &Context, id: DeliveryId, order: Arc<Order>, effects: &mut Effects) {
        // Two may have come upon one id of their own at the same time.
        if self.workflows.contains_key(&id) {
            return;
        }
        #[cfg(test)]
        let deadline = order.deadline.clone();
        self.accept(context, id, order, effects);
        #[cfg(test)]
        super::testing::stumble_over(&deadline);
        let (step, attempt) = (Step::Account, 1);
        self.carry_out(context, id, Move::Ask { step, attempt }, effects);
    }

    /// As if the first step had been refused: whoever asked for it hears why.
    fn turn_away(&mut self, context: &Context, id: DeliveryId, order: Arc<Order>, effects: &mut Effects) {
        if self.workflows.contains_key(&id) {
            return;
        }
        self.accept(context, id, order, effects);
        let refused = WorkflowInput::Refused(Step::Account, FailureReason::InternalError);
        self.advance(context, id, refused, effects);
    }

    /// Finds another way for what nobody carries any more. Its package is still held.
    fn take_back(&mut self, context: &Context, id: DeliveryId, book: Book, why: Lost, effects: &mut Effects) {
        let mut workflow = Workflow::new(book, context.now);
        workflow.held = Held::default().with(Step::Package);
        workflow.van_leaves(context.now);
        self.workflows.insert(id, workflow);
        if why == Lost::BroughtBack {
            self.told.insert(id, WaitingFor::Drone);
        }
        let Some(given) = self.circumstances(context, id) else {
            return;
        };
        let next = given.find_way();
        // So that its customer knows, whatever comes next; a wait for its time is told as such.
        if next != Move::AwaitPickupTime {
            self.tell_what_for(context, id, effects);
        }
        self.carry_out(context, id, next, effects);
    }

    fn circumstances(&mut self, context: &Context, id: DeliveryId) -> Option<Circumstances> {
        let world = &context.world;
        let workflow = self.workflows.get_mut(&id)?;
        let order = &workflow.book.order;
        // It takes planning, so it is looked at only by those who have come so far.
        let has_come_so_far = !workflow.held.is_empty();
        if workflow.servable.is_none() && has_come_so_far {
            workflow.servable = Some(dispatch::is_servable(world, context.now, order));
        }
        Some(Circumstances {
            held: workflow.held,
            servable: workflow.servable.unwrap_or(true),
            too_early: order.not_before > context.now,
            has_room: self.waiting < world.dispatch.backlog,
            has_room_for_later: self.scheduled < world.dispatch.scheduled,
            when_full: world.dispatch.when_full,
            retries: world.workflow.retries,
        })
    }

    fn advance(&mut self, context: &Context, id: DeliveryId, input: WorkflowInput, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        workflow.held = match input {
            WorkflowInput::NoRoom | WorkflowInput::Withdrawn => workflow.held.without(Step::Drone),
            WorkflowInput::Refused(step, _) | WorkflowInput::Undone(step) => workflow.held.without(step),
            _ => workflow.held,
        };
        if input == WorkflowInput::Undone(Step::ThirdParty) {
            workflow.van_leaves(context.now);
        }
        let state = workflow.state;
        if let Some(given) = self.circumstances(context, id) {
            self.carry_out(context, id, rule::next(state, input, given), effects);
        }
    }

    fn carry_out(&mut self, context: &Context, id: DeliveryId, next: Move, effects: &mut Effects) {
        match next {
            Move::Stay => {}
            Move::Ask { step, attempt } => self.ask(context, id, step, attempt, effects),
            Move::BackOff {
                step,
                attempt,
                waiting_for,
            } => {
                self.enter(id, WorkflowState::BackingOff { step, attempt });
                self.wait_for(context, id, waiting_for, effects);
                self.due_after_backoff(context, id, attempt, effects);
            }
            Move::AwaitDrone => {
                self.enter(id, WorkflowState::AwaitingDrone);
                self.tell_what_for(context, id, effects);
                self.due_at(
                    context,
                    id,
                    context.now + context.world.dispatch.max_wait,
                    effects,
                );
            }
            Move::Withdraw { attempt } => {
                self.enter(id, WorkflowState::Withdrawing { attempt });
                self.call(context, id, Mail::Fleet(FleetMessage::Withdraw { id }), effects);
            }
            Move::AwaitPickupTime => {
                self.enter(id, WorkflowState::AwaitingPickupTime);
                self.wait_for(context, id, WaitingFor::PickupTime, effects);
                let not_before = self
                    .workflows
                    .get(&id)
                    .map(|workflow| workflow.book.order.not_before);
                self.due_at(context, id, not_before.unwrap_or(context.now), effects);
            }
            Move::Undo { step, attempt, then } => self.undo(context, id, step, attempt, then, effects),
            Move::BackOffUndo { step, attempt, then } => {
                self.enter(id, WorkflowState::UndoBackingOff { step, attempt, then });
                self.wait_for(context, id, WaitingFor::Compensation, effects);
                self.due_after_backoff(context, id, attempt, effects);
            }
            Move::HandOver => self.hand_over(context, id, effects),
            Move::End(then) => self.end(context, id, then, effects),
            Move::GiveUp { step, then } => self.give_up(context, id, step, then, effects),
        }
    }

    /// Leaves a state for another, and what belonged to the first alone.
    fn enter(&mut self, id: DeliveryId, state: WorkflowState) {
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        if let Some(due) = workflow.due.take() {
            self.agenda.strike_out(due, id);
        }
        let before = std::mem::replace(&mut workflow.state, state);
        workflow.strike = None;
        workflow.turn = self.next_turn;
        self.next_turn += 1;
        self.count_out(before);
        self.count_in(state);
    }

    fn due_at(&mut self, context: &Context, id: DeliveryId, at: SimTime, effects: &mut Effects) {
        if let Some(workflow) = self.workflows.get_mut(&id) {
            workflow.due = Some(at);
            self.agenda.enter(context, at, id, effects);
        }
    }

    fn due_after_backoff(&mut self, context: &Context, id: DeliveryId, attempt: u32, effects: &mut Effects) {
        let world = &context.world;
        let pause = world.workflow.backoff_after(attempt, world.seed, id);
        self.due_at(context, id, context.now + pause, effects);
    }

    /// Tells the customer, unless that knows it already or was told its end.
    fn wait_for(
        &mut self,
        context: &Context,
        id: DeliveryId,
        waiting_for: WaitingFor,
        effects: &mut Effects,
    ) {
        let Some(workflow) = self.workflows.get_mut(&id).filter(|workflow| !workflow.is_letter) else {
            return;
        };
        let (step, attempts) = workflow.state.at();
        let of_step = DeliveryEvent::StepDelayed {
            step,
            attempts,
            waiting_for,
        };
        let event = match waiting_for {
            WaitingFor::Drone
            | WaitingFor::Weather
            | WaitingFor::PickupTime
            | WaitingFor::ThirdParty
            | WaitingFor::Return => DeliveryEvent::Delayed { waiting_for },
            WaitingFor::Carrier => of_step,
            // Each try is news.
            WaitingFor::Answer | WaitingFor::Retry | WaitingFor::Compensation => {
                self.told.remove(&id);
                return workflow.book.emit(context, id, of_step, effects);
            }
        };
        if self.told.insert(id, waiting_for) != Some(waiting_for) {
            workflow.book.emit(context, id, event, effects);
        }
    }
}

impl Role for Scheduler {
    type Message = SchedulerMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn entries(&self) -> usize {
        self.workflows.len()
    }

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Scheduler(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: SchedulerMessage, effects: &mut Effects) {
        use SchedulerMessage as Message;
        match message {
            Message::Admit { id, order } => self.admit(context, id, order, effects),
            Message::TurnAway { id, order } => self.turn_away(context, id, order, effects),
            Message::Write { id, write, reply_to } => self.write(context, id, write, reply_to, effects),
            Message::Answered { id, step, answer } => {
                self.hear(context, id, Heard::Answer(step, answer), effects);
            }
            Message::Undone { id, step } => self.hear(context, id, Heard::Undone(step), effects),
            Message::Assigned { id, drone, etas } => {
                self.hear(context, id, Heard::Assigned(drone, etas), effects);
            }
            Message::Queued { id } if self.awaits_drone(id) => self.tell_what_for(context, id, effects),
            Message::Queued { id } => self.hear(context, id, Heard::Queued, effects),
            Message::NoRoom { id } => self.hear(context, id, Heard::NoRoom, effects),
            Message::Withdrawn { id } => self.hear(context, id, Heard::Withdrawn, effects),
            Message::TakeBack { id, book, why } => self.take_back(context, id, *book, why, effects),
            Message::Early { id, message } => {
                if let Some(workflow) = self.workflows.get_mut(&id) {
                    workflow.hears_early(context.now, *message);
                }
            }
            Message::Trouble {
                step,
                fault,
                lasts,
                reply_to,
            } => match self.troubles.add(step, fault, lasts, context.now) {
                true => effects.reply(reply_to, Decision::Done),
                false => effects.refuse(reply_to, Objection::NoEffect),
            },
            Message::Compensate { id, book, held, then } => {
                self.compensate(context, id, *book, held, then, effects);
            }
            Message::CarryAlone { id, order, reply_to } => {
                let order = order.filter(|_| !self.workflows.contains_key(&id));
                effects.send(match order {
                    // It has no workflow, and its account is looked at all the same.
                    Some(order) => Mail::Accounts(AccountMessage::Vouch {
                        account: order.owner.account.clone(),
                        mail: Box::new(Mail::Transport(TransportMessage::CarryAlone {
                            id,
                            order,
                            reply_to,
                        })),
                        reply_to,
                        otherwise: Objection::NotCarried,
                    }),
                    None => Mail::Transport(TransportMessage::Carries { id, reply_to }),
                });
            }
            Message::Look => self.look(context, effects),
            Message::Alarm { due } => self.alarm(context, due, effects),
            Message::Late { id, turn, answer } => {
                let is_awaited = |workflow: &Workflow| workflow.turn == turn;
                if self.workflows.get(&id).is_some_and(is_awaited) {
                    self.take_in(context, id, answer, effects);
                }
            }
        }
    }
}
