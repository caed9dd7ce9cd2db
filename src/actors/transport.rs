//! Third-party transport: carries what no drone can.
//!
//! Owns the carrier's jobs, at most `[third_party] capacity` at once, and whether the carrier
//! answers at all; `sim/carrier` says what becomes of a job. Hears from the scheduler what to
//! carry and what to let go of, and answers; asked twice it answers the same. Tells the
//! delivery's actor how its package fares. A job is forgotten at its end. What somebody brings
//! here without a request becomes a delivery too, which this actor starts.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::carrier::{Job, Turn};
use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::delivery::Bearer;
use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::{FailureReason, Step, StepAnswer};

use super::book::Book;
use super::delivery::{Delivery, DeliveryMessage};
use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::{Context, Effect, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transport {
    jobs: BTreeMap<DeliveryId, Taken>,
    /// How many were ever taken: the number of the last.
    taken: u64,
    /// Takes nothing before this time.
    down_until: SimTime,
    /// Does not take the next job that it is asked for.
    misses_next: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Taken {
    /// Tells this job's alarms from those of an earlier one of the same delivery.
    number: u64,
    job: Job,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TransportMessage {
    /// From the scheduler: carry this.
    Carry { id: DeliveryId, order: Arc<Order> },
    /// From outside: carry this, for which there is no request.
    CarryAlone {
        id: DeliveryId,
        order: Arc<Order>,
        reply_to: ReplyTo,
    },
    /// From the scheduler: as if it had never been asked.
    Undo { id: DeliveryId },
    /// From the delivery's actor: nobody needs the van any more.
    Withdraw { id: DeliveryId },
    /// To itself: the job's next turn has come.
    Turned { id: DeliveryId, number: u64, turn: Turn },
    /// A fault: takes nothing for so long, or not the next job.
    Down {
        duration: Option<SimDuration>,
        reply_to: ReplyTo,
    },
    /// From the scheduler: whether it carries this, which is under way.
    Carries { id: DeliveryId, reply_to: ReplyTo },
}

impl Transport {
    /// Whose packages are in vans, or waited for by one.
    pub fn carried(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.jobs.keys().copied()
    }

    fn carry(
        &mut self,
        context: &Context,
        id: DeliveryId,
        order: &Order,
        effects: &mut Effects,
    ) -> StepAnswer {
        if let Some(taken) = self.jobs.get(&id) {
            return StepAnswer::Carried {
                etas: taken.job.quoted,
            };
        }
        let carrier = &context.world.carrier;
        if carrier.takes(order).is_err() {
            return StepAnswer::Refused(FailureReason::CarrierRefused);
        }
        if std::mem::take(&mut self.misses_next) || context.now < self.down_until {
            return StepAnswer::Unavailable;
        }
        if self.jobs.len() >= carrier.capacity as usize {
            return StepAnswer::Full;
        }
        self.taken += 1;
        let job = carrier.plan(context.world.seed, id, order, context.now);
        let number = self.taken;
        self.jobs.insert(id, Taken { number, job });
        wake_for(id, number, job.first_turn(context.now), effects);
        StepAnswer::Carried { etas: job.quoted }
    }

    /// A delivery that begins here: its only step is this one.
    fn carry_alone(
        &mut self,
        context: &Context,
        id: DeliveryId,
        order: Arc<Order>,
        effects: &mut Effects,
    ) -> Decision {
        let is_new = !self.jobs.contains_key(&id);
        let StepAnswer::Carried { etas } = self.carry(context, id, &order, effects) else {
            return Decision::Refused(Objection::NotCarried);
        };
        if is_new {
            let accepted = DeliveryEvent::Accepted {
                order: Arc::clone(&order),
            };
            let mut book = Book::new(order);
            book.emit(context, id, accepted, effects);
            let delivery = Delivery::new(id, book, Bearer::Carrier, etas);
            effects.0.push(Effect::Start(id, Box::new(delivery)));
            effects.send(Mail::Delivery(id, DeliveryMessage::Begin));
        }
        Decision::Done
    }

    fn turn(&mut self, id: DeliveryId, number: u64, turn: Turn, effects: &mut Effects) {
        let Some(taken) = self.jobs.get(&id).filter(|taken| taken.number == number) else {
            return;
        };
        let job = taken.job;
        let mut tell = |message| effects.send(Mail::Delivery(id, message));
        match turn {
            Turn::SetOut => tell(DeliveryMessage::EtaMoved(job.told_at_pickup())),
            Turn::PickedUp => tell(DeliveryMessage::PickedUp),
            Turn::HalfWay => tell(DeliveryMessage::EtaMoved(job.actual)),
            Turn::Delivered => tell(DeliveryMessage::Delivered),
            Turn::Failed => tell(DeliveryMessage::CarrierFailed),
        }
        match job.turn_after(turn) {
            Some(next) => wake_for(id, number, next, effects),
            None => {
                self.jobs.remove(&id);
            }
        }
    }

    fn go_down(&mut self, context: &Context, duration: Option<SimDuration>) -> Decision {
        match duration {
            None if self.misses_next => return Decision::Refused(Objection::NoEffect),
            None => self.misses_next = true,
            Some(duration) => {
                let until = context.now + duration;
                if until <= self.down_until {
                    return Decision::Refused(Objection::NoEffect);
                }
                self.down_until = until;
            }
        }
        Decision::Done
    }
}

fn wake_for(id: DeliveryId, number: u64, (at, turn): (SimTime, Turn), effects: &mut Effects) {
    let turned = TransportMessage::Turned { id, number, turn };
    effects.wake_at(at, Mail::Transport(turned));
}

impl Role for Transport {
    type Message = TransportMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn open(mail: Mail) -> Option<TransportMessage> {
        match mail {
            Mail::Transport(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: TransportMessage, effects: &mut Effects) {
        let step = Step::ThirdParty;
        match message {
            TransportMessage::Carry { id, order } => {
                let answer = self.carry(context, id, &order, effects);
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
            TransportMessage::CarryAlone { id, order, reply_to } => {
                let decision = self.carry_alone(context, id, order, effects);
                effects.reply(reply_to, decision);
            }
            TransportMessage::Carries { id, reply_to } => match self.jobs.contains_key(&id) {
                true => effects.reply(reply_to, Decision::Done),
                false => effects.refuse(reply_to, Objection::NotCarried),
            },
            TransportMessage::Undo { id } => {
                self.jobs.remove(&id);
                effects.send(Mail::Scheduler(SchedulerMessage::Undone { id, step }));
            }
            TransportMessage::Withdraw { id } => {
                self.jobs.remove(&id);
            }
            TransportMessage::Turned { id, number, turn } => self.turn(id, number, turn, effects),
            TransportMessage::Down { duration, reply_to } => {
                let decision = self.go_down(context, duration);
                effects.reply(reply_to, decision);
            }
        }
    }
}
