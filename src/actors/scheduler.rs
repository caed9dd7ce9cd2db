//! The scheduler: carries each request's workflow from acceptance to a delivery under way.
//!
//! Owns the workflows that are not finished; `sim/workflow` says what follows what. Hears
//! admitted requests from the engine and answers from the fleet; asks the fleet, starts
//! the delivery's actor. Bounds: at most `[dispatch] backlog` workflows wait for
//! third-party transport, and as many for their pick-up time (the fleet bounds those that
//! wait for a drone). On a panic the
//! world halts at the last committed tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{DeliveryWrite, Objection, ReplyTo};
use crate::sim::delivery::Bearer;
use crate::sim::dispatch::{self, Pair};
use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::time::SimTime;
use crate::sim::workflow::{
    self, FailureReason, Fallback, Move, Step, StepAnswer, WaitingFor, WorkflowInput, WorkflowState,
};
use crate::sim::world::World;

use super::book::Book;
use super::delivery::{Delivery, DeliveryMessage};
use super::fleet::FleetMessage;
use super::host::Role;
use super::{Context, Effect, Effects, Mail};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scheduler {
    workflows: BTreeMap<DeliveryId, Workflow>,
    awaiting_third_party: usize,
    awaiting_pickup_time: usize,
    /// Follows from the world; kept so that it is made once.
    #[serde(skip)]
    pairs: Vec<Pair>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Workflow {
    /// Handed on to the delivery's actor.
    book: Book,
    state: WorkflowState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SchedulerMessage {
    /// From the engine: a durable request, or one of the scenario's own.
    Admit { id: DeliveryId, order: Arc<Order> },
    /// From outside, about a delivery that is not under way.
    Write {
        id: DeliveryId,
        write: DeliveryWrite,
        reply_to: ReplyTo,
    },
    /// From the owner of a step: what became of it.
    Answered {
        id: DeliveryId,
        step: Step,
        answer: StepAnswer,
    },
    /// From the owner of a step: it is as if it had never been asked.
    Undone { id: DeliveryId, step: Step },
    /// From the fleet: this drone flies it.
    Assigned {
        id: DeliveryId,
        drone: DroneId,
        etas: Etas,
    },
    /// From the fleet: no drone yet; it stands in the fleet's queue.
    Queued { id: DeliveryId },
    /// From the fleet: no drone, and no room in the queue.
    NoRoom { id: DeliveryId },
    /// From the fleet: taken off the queue, as asked.
    Withdrawn { id: DeliveryId },
    /// From the delivery's actor, which ends: who carried it does so no more. Another way is to
    /// be found for what the book says.
    TakeBack { id: DeliveryId, book: Book, why: Lost },
    /// To itself: the scenario's patience is over.
    PatienceOver { id: DeliveryId },
    /// To itself: the sender's pick-up time has come.
    PickupTimeCame { id: DeliveryId },
}

/// Why a delivery under way has nobody who carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// Its drone will not come, or not with the package.
    Drone,
    /// The carrier let go of it.
    Carrier,
    /// It is to go other ways or at another time than its drone can.
    Rescheduled,
}

/// As snapshots before format 3 hold it.
#[derive(Deserialize)]
pub struct SchedulerBefore3 {
    workflows: BTreeMap<DeliveryId, WorkflowBefore3>,
    awaiting_third_party: usize,
    awaiting_pickup_time: usize,
}

#[derive(Deserialize)]
struct WorkflowBefore3 {
    order: Arc<Order>,
    state: WorkflowState,
    seq: u32,
}

impl From<WorkflowBefore3> for Workflow {
    fn from(before: WorkflowBefore3) -> Self {
        let book = Book {
            seq: before.seq,
            ..Book::new(before.order)
        };
        Workflow {
            book,
            state: before.state,
        }
    }
}

impl From<SchedulerBefore3> for Scheduler {
    fn from(before: SchedulerBefore3) -> Self {
        let workflows = before.workflows.into_iter();
        Scheduler {
            workflows: workflows.map(|(id, workflow)| (id, workflow.into())).collect(),
            awaiting_third_party: before.awaiting_third_party,
            awaiting_pickup_time: before.awaiting_pickup_time,
            pairs: Vec::new(),
        }
    }
}

impl Scheduler {
    pub fn new(world: &World) -> Self {
        Scheduler {
            workflows: BTreeMap::new(),
            awaiting_third_party: 0,
            awaiting_pickup_time: 0,
            pairs: dispatch::pairs(world),
        }
    }

    /// After a restore: what follows from the world is made again.
    pub fn with_world(self, world: &World) -> Self {
        Scheduler {
            pairs: dispatch::pairs(world),
            ..self
        }
    }

    fn admit(&mut self, context: &Context, id: DeliveryId, order: Arc<Order>, effects: &mut Effects) {
        let accepted = DeliveryEvent::Accepted {
            order: Arc::clone(&order),
        };
        let mut book = Book::new(order);
        book.emit(context, id, accepted, effects);
        self.begin(context, id, book, effects);
    }

    /// Finds a way for what nobody carries.
    fn begin(&mut self, context: &Context, id: DeliveryId, book: Book, effects: &mut Effects) {
        let servable = dispatch::is_servable(&context.world, &self.pairs, &book.order);
        let not_before = book.order.not_before;
        let state = WorkflowState::AskingFleet;
        self.workflows.insert(id, Workflow { book, state });
        let first = if !servable {
            self.fallback(context).without_drone()
        } else if not_before > context.now {
            self.wait_for_pickup_time(context, id, not_before, effects)
        } else {
            Move::AskFleet
        };
        self.carry_out(context, id, first, effects);
    }

    fn wait_for_pickup_time(
        &mut self,
        context: &Context,
        id: DeliveryId,
        not_before: SimTime,
        effects: &mut Effects,
    ) -> Move {
        if self.awaiting_pickup_time >= context.world.dispatch.backlog {
            return Move::Fail(FailureReason::BacklogFull);
        }
        self.awaiting_pickup_time += 1;
        effects.wake_at(
            not_before,
            Mail::Scheduler(SchedulerMessage::PickupTimeCame { id }),
        );
        Move::Wait(WaitingFor::PickupTime)
    }

    fn fallback(&self, context: &Context) -> Fallback {
        let rules = &context.world.dispatch;
        Fallback {
            when_full: rules.when_full,
            third_party_has_room: self.awaiting_third_party < rules.backlog,
        }
    }

    fn advance(&mut self, context: &Context, id: DeliveryId, input: WorkflowInput, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get(&id) else {
            return;
        };
        let next = workflow::next(workflow.state, input, self.fallback(context));
        self.carry_out(context, id, next, effects);
    }

    fn carry_out(&mut self, context: &Context, id: DeliveryId, next: Move, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        match next {
            Move::Stay => {}
            Move::AskFleet => {
                workflow.state = WorkflowState::AskingFleet;
                let order = Arc::clone(&workflow.book.order);
                effects.send(Mail::Fleet(FleetMessage::Assign { id, order }));
            }
            Move::Wait(waiting_for) => {
                workflow.state = WorkflowState::Waiting(waiting_for);
                let delayed = DeliveryEvent::Delayed { waiting_for };
                workflow.book.emit(context, id, delayed, effects);
                match waiting_for {
                    WaitingFor::ThirdParty => self.awaiting_third_party += 1,
                    WaitingFor::Drone => {
                        let over = context.now + context.world.dispatch.max_wait;
                        effects.wake_at(over, Mail::Scheduler(SchedulerMessage::PatienceOver { id }));
                    }
                    WaitingFor::PickupTime => {}
                }
            }
            Move::Fail(reason) => {
                let failed = DeliveryEvent::Failed { reason };
                workflow.book.emit(context, id, failed, effects);
                self.workflows.remove(&id);
            }
        }
    }

    fn start_delivery(&mut self, id: DeliveryId, bearer: Bearer, etas: Etas, effects: &mut Effects) {
        let Some(workflow) = self.workflows.remove(&id) else {
            return;
        };
        let delivery = Delivery::new(id, workflow.book, bearer, etas);
        effects.0.push(Effect::Start(id, Box::new(delivery)));
        effects.send(Mail::Delivery(id, DeliveryMessage::Begin));
    }
}

impl Role for Scheduler {
    type Message = SchedulerMessage;

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Scheduler(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: SchedulerMessage, effects: &mut Effects) {
        use SchedulerMessage as Message;
        match message {
            // A delivery that is under way has an actor of its own, which would have heard of it.
            Message::Write { reply_to, .. } => effects.refuse(reply_to, Objection::Ended),
            Message::Answered { .. } | Message::Undone { .. } => {}
            Message::TakeBack { id, mut book, .. } => {
                // So that its customer knows, whatever comes next.
                let waiting_for = WaitingFor::Drone;
                book.emit(context, id, DeliveryEvent::Delayed { waiting_for }, effects);
                self.begin(context, id, book, effects);
            }
            Message::Admit { id, order } => self.admit(context, id, order, effects),
            Message::Assigned { id, drone, etas } => {
                self.start_delivery(id, Bearer::Drone(drone), etas, effects);
            }
            Message::Queued { id } => self.advance(context, id, WorkflowInput::FleetQueuesIt, effects),
            Message::NoRoom { id } => self.advance(context, id, WorkflowInput::FleetHasNoRoom, effects),
            // Only the fleet knows whether a drone was found in the same breath.
            Message::PatienceOver { id } if self.workflows.contains_key(&id) => {
                effects.send(Mail::Fleet(FleetMessage::Withdraw { id }));
            }
            Message::PatienceOver { .. } => {}
            Message::Withdrawn { id } => self.advance(context, id, WorkflowInput::PatienceOver, effects),
            Message::PickupTimeCame { id } => {
                self.awaiting_pickup_time = self.awaiting_pickup_time.saturating_sub(1);
                self.advance(context, id, WorkflowInput::PickupTimeCame, effects);
            }
        }
    }
}

#[cfg(test)]
mod tests;
