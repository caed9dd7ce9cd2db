//! The supervisor: what nobody else could bring to an end.
//!
//! Owns the dead letters: requests that came to nothing and for which somebody still holds
//! something, because undoing it failed for good. Hears of them from the scheduler, and from
//! operators that one is to be tried again, which hands it back to the scheduler. Hears of the
//! carrier's breaker and of actors that panicked, and tells of all in numbered events. Retries
//! and compensation are the scheduler's, by the rule of `sim/workflow`. Bound: `[workflow]
//! dead_letters`, which the scheduler keeps. After a panic it goes on from before the message
//! that brought it about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::actor::Actor;
use crate::sim::breaker::BreakerState;
use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::event::{Happening, SupervisorEvent};
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::sim::workflow::{Held, Step, Then};

use super::book::Book;
use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    letters: BTreeMap<DeliveryId, DeadLetter>,
    breaker: Option<BreakerState>,
    /// By kind of actor.
    panics: BTreeMap<String, u64>,
    /// Number of its last event.
    seq: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    book: Book,
    held: Held,
    /// Whose undo failed.
    pub step: Step,
    then: Then,
    pub since: SimTime,
    /// How often it was given up.
    pub times: u32,
    /// The scheduler has it, and tries again.
    is_tried: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SupervisorMessage {
    /// From the scheduler: the step cannot be undone.
    DeadLetter {
        id: DeliveryId,
        book: Box<Book>,
        held: Held,
        step: Step,
        then: Then,
    },
    /// From the scheduler: nobody holds anything for it any more.
    LetGo { id: DeliveryId },
    /// From outside: try it again.
    Retry { id: DeliveryId, reply_to: ReplyTo },
    /// From the scheduler: the carrier's breaker.
    BreakerMoved { state: BreakerState },
    /// From the engine: somebody panicked over a message.
    Panicked { actor: Actor },
}

impl Supervisor {
    pub fn letters(&self) -> impl Iterator<Item = (DeliveryId, &DeadLetter)> + '_ {
        self.letters.iter().map(|(id, letter)| (*id, letter))
    }

    pub fn breaker(&self) -> BreakerState {
        self.breaker.unwrap_or(BreakerState::Closed)
    }

    /// How often each kind of actor panicked.
    pub fn panics(&self) -> &BTreeMap<String, u64> {
        &self.panics
    }

    pub fn seq(&self) -> u32 {
        self.seq
    }

    fn emit(&mut self, context: &Context, event: SupervisorEvent, effects: &mut Effects) {
        effects.emit(context, &mut self.seq, Happening::Supervisor(event));
    }

    fn retry(&mut self, id: DeliveryId, reply_to: ReplyTo, effects: &mut Effects) {
        let Some(letter) = self.letters.get_mut(&id) else {
            return effects.refuse(reply_to, Objection::NoDeadLetter);
        };
        effects.reply(reply_to, Decision::Done);
        if letter.is_tried {
            return;
        }
        letter.is_tried = true;
        effects.send(Mail::Scheduler(SchedulerMessage::Compensate {
            id,
            book: Box::new(letter.book.clone()),
            held: letter.held,
            then: letter.then,
        }));
    }
}

impl Role for Supervisor {
    type Message = SupervisorMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn open(mail: Mail) -> Option<SupervisorMessage> {
        match mail {
            Mail::Supervisor(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: SupervisorMessage, effects: &mut Effects) {
        match message {
            SupervisorMessage::DeadLetter {
                id,
                book,
                held,
                step,
                then,
            } => {
                let before = self.letters.remove(&id);
                let letter = DeadLetter {
                    book: *book,
                    held,
                    step,
                    then,
                    since: before.as_ref().map_or(context.now, |before| before.since),
                    times: before.map_or(0, |before| before.times) + 1,
                    is_tried: false,
                };
                let (since, times) = (letter.since, letter.times);
                self.letters.insert(id, letter);
                let event = SupervisorEvent::DeadLettered {
                    id,
                    step,
                    since,
                    times,
                };
                self.emit(context, event, effects);
            }
            SupervisorMessage::LetGo { id } => {
                if self.letters.remove(&id).is_some() {
                    self.emit(context, SupervisorEvent::Resolved { id }, effects);
                }
            }
            SupervisorMessage::Retry { id, reply_to } => self.retry(id, reply_to, effects),
            SupervisorMessage::BreakerMoved { state } => {
                self.breaker = Some(state);
                self.emit(context, SupervisorEvent::BreakerMoved { state }, effects);
            }
            SupervisorMessage::Panicked { actor } => {
                *self.panics.entry(actor.kind().to_owned()).or_default() += 1;
                self.emit(context, SupervisorEvent::ActorPanicked { actor }, effects);
            }
        }
    }
}
