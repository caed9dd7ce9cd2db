//! Third-party transport: carries what no drone can.
//!
//! Owns the carrier's jobs, at most `[third_party] capacity` at once, and whether the carrier
//! answers at all; `sim/carrier` says what becomes of a job. Hears from the scheduler what to
//! carry and what to let go of, and answers; asked twice it answers the same. Tells the
//! delivery's actor how its package fares. A job is forgotten at its end. What somebody brings
//! here without a request becomes a delivery too, which this actor starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::carrier::{Job, Turn};
use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::delivery::Bearer;
use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::{FailureReason, Step, StepAnswer};

use super::book::Book;
use super::delivery::{Delivery, DeliveryMessage};
use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::{Context, Effect, Effects, Mail};

/// A customer hears that a van is later, or earlier, from this on.
const WORTH_TELLING: SimDuration = SimDuration(60_000_000);

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
        let is_full = self.jobs.len() >= carrier.capacity as usize;
        if std::mem::take(&mut self.misses_next) || context.now < self.down_until || is_full {
            return StepAnswer::Unavailable;
        }
        self.taken += 1;
        let job = carrier.plan(context.world.seed, id, order, context.now);
        let number = self.taken;
        self.jobs.insert(id, Taken { number, job });
        wake_for(id, number, job.first_turn(), effects);
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
        match turn {
            Turn::PickedUp => {
                let told = job.told_at_pickup();
                // First the time, so that heading for the drop-off is told with it.
                tell_if_worth_it(id, job.quoted, told, effects);
                effects.send(Mail::Delivery(id, DeliveryMessage::PickedUp));
            }
            Turn::HalfWay => tell_if_worth_it(id, job.told_at_pickup(), job.actual, effects),
            Turn::Delivered => effects.send(Mail::Delivery(id, DeliveryMessage::Delivered)),
            Turn::Failed => effects.send(Mail::Delivery(id, DeliveryMessage::CarrierFailed)),
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

fn tell_if_worth_it(id: DeliveryId, told: Etas, now: Etas, effects: &mut Effects) {
    let late = now
        .delivery
        .since(told.delivery)
        .max(told.delivery.since(now.delivery));
    if late >= WORTH_TELLING {
        effects.send(Mail::Delivery(id, DeliveryMessage::EtaMoved(now)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
    use crate::sim::carrier::Carrier;
    use crate::sim::event::Happening;

    fn bench(carrier: Carrier) -> Bench<Transport> {
        let mut world = world(1, 1);
        world.carrier = carrier;
        Bench::new(world, |_| Transport::default())
    }

    fn two_vans() -> Bench<Transport> {
        bench(Carrier {
            capacity: 2,
            ..Carrier::default()
        })
    }

    impl Bench<Transport> {
        fn carry(&mut self, number: u64) -> Vec<Effect> {
            let order = Arc::new(order(&self.context.world));
            let id = id(number);
            self.tell(TransportMessage::Carry { id, order })
        }

        /// Goes to the next alarm of these effects, and hears it.
        fn wait_for(&mut self, effects: &[Effect]) -> Vec<Effect> {
            let (at, Mail::Transport(message)) = alarms(effects)[0] else {
                panic!("{effects:?}")
            };
            let message = message.clone();
            self.context.now = at;
            self.tell(message)
        }

        fn undo(&mut self, number: u64) -> Vec<Effect> {
            self.tell(TransportMessage::Undo { id: id(number) })
        }

        fn down(&mut self, duration: Option<SimDuration>) -> Vec<Effect> {
            let reply_to = ReplyTo(1);
            self.tell(TransportMessage::Down { duration, reply_to })
        }
    }

    fn answer(effects: &[Effect]) -> StepAnswer {
        match sent(effects)[..] {
            [Mail::Scheduler(SchedulerMessage::Answered { answer, .. })] => *answer,
            _ => panic!("{effects:?}"),
        }
    }

    fn told(effects: &[Effect]) -> Vec<DeliveryMessage> {
        let to_delivery = |mail: &Mail| match mail {
            Mail::Delivery(_, message) => message.clone(),
            other => panic!("{other:?}"),
        };
        sent(effects).into_iter().map(to_delivery).collect()
    }

    #[test]
    fn a_package_is_picked_up_and_brought_and_its_van_is_free_again() {
        let mut bench = two_vans();
        let taken = bench.carry(1);
        let StepAnswer::Carried { etas: quoted } = answer(&taken) else {
            panic!("{taken:?}")
        };
        assert!(quoted.pickup > bench.context.now && quoted.delivery > quoted.pickup);
        let picked_up = bench.wait_for(&taken);
        assert_eq!(told(&picked_up).last(), Some(&DeliveryMessage::PickedUp));
        let half_way = bench.wait_for(&picked_up);
        let arrives = match told(&half_way)[..] {
            [DeliveryMessage::EtaMoved(etas)] => Some(etas.delivery),
            [] => None,
            _ => panic!("{half_way:?}"),
        };
        let delivered = bench.wait_for(&half_way);
        assert_eq!(told(&delivered), [DeliveryMessage::Delivered]);
        assert!(
            arrives.is_none_or(|at| at == bench.context.now),
            "as was told half-way"
        );
        assert!(bench.role.jobs.is_empty());
    }

    #[test]
    fn asked_twice_it_answers_the_same_and_one_van_is_taken() {
        let mut bench = two_vans();
        let first = answer(&bench.carry(1));
        bench.wait(30.0);
        let again = bench.carry(1);
        assert_eq!(answer(&again), first);
        assert!(alarms(&again).is_empty());
        assert!(matches!(answer(&bench.carry(2)), StepAnswer::Carried { .. }));
        assert_eq!(answer(&bench.carry(3)), StepAnswer::Unavailable, "both are taken");
    }

    #[test]
    fn what_is_undone_frees_its_van_and_its_alarms_mean_nothing_any_more() {
        let mut bench = two_vans();
        let taken = bench.carry(1);
        bench.carry(2);
        for _ in ["undone", "as it was"] {
            let step = Step::ThirdParty;
            let undone = Mail::Scheduler(SchedulerMessage::Undone { id: id(1), step });
            assert_eq!(sent(&bench.undo(1)), [&undone]);
        }
        assert!(matches!(answer(&bench.carry(3)), StepAnswer::Carried { .. }));
        bench.tell(TransportMessage::Withdraw { id: id(3) });
        assert!(matches!(answer(&bench.carry(1)), StepAnswer::Carried { .. }));
        assert!(bench.wait_for(&taken).is_empty(), "that was of the first job");
        assert_eq!(bench.role.jobs.len(), 2);
    }

    #[test]
    fn what_comes_without_a_request_becomes_one_delivery_however_often_it_is_asked() {
        let mut bench = two_vans();
        let ask = |bench: &mut Bench<Transport>, number| {
            let order = Arc::new(order(&bench.context.world));
            let (id, reply_to) = (id(number), ReplyTo(9));
            bench.tell(TransportMessage::CarryAlone { id, order, reply_to })
        };
        let first = ask(&mut bench, 1);
        assert!(matches!(
            events(&first)[..],
            [(1, Happening::Delivery(_, DeliveryEvent::Accepted { .. }))]
        ));
        assert_eq!(sent(&first), [&Mail::Delivery(id(1), DeliveryMessage::Begin)]);
        let done = Effect::Reply(ReplyTo(9), Decision::Done);
        assert_eq!(first.last(), Some(&done));
        assert_eq!(ask(&mut bench, 1), [done]);
        ask(&mut bench, 2);
        let refused = Decision::Refused(Objection::NotCarried);
        assert_eq!(ask(&mut bench, 3), [Effect::Reply(ReplyTo(9), refused)]);
    }

    #[test]
    fn a_job_that_fails_is_told_and_forgotten() {
        let mut bench = bench(Carrier {
            failure_rate: 1.0,
            ..Carrier::default()
        });
        let mut effects = bench.carry(1);
        while !bench.role.jobs.is_empty() {
            effects = bench.wait_for(&effects);
        }
        assert_eq!(told(&effects), [DeliveryMessage::CarrierFailed]);
        assert!(alarms(&effects).is_empty());
    }

    #[test]
    fn what_it_never_carries_is_refused_for_good() {
        let mut bench = bench(Carrier {
            max_payload_kg: 0.1,
            ..Carrier::default()
        });
        let refused = StepAnswer::Refused(FailureReason::CarrierRefused);
        assert_eq!(answer(&bench.carry(1)), refused);
    }

    #[test]
    fn while_it_is_down_it_takes_nothing_and_its_vans_go_on() {
        let mut bench = two_vans();
        let done = [Effect::Reply(ReplyTo(1), Decision::Done)];
        let no_effect = [Effect::Reply(ReplyTo(1), Decision::Refused(Objection::NoEffect))];
        let taken = bench.carry(1);
        assert_eq!(bench.down(Some(SimDuration::from_secs(60.0))), done);
        assert_eq!(bench.down(Some(SimDuration::from_secs(10.0))), no_effect);
        assert_eq!(answer(&bench.carry(2)), StepAnswer::Unavailable);
        assert!(matches!(answer(&bench.carry(1)), StepAnswer::Carried { .. }));
        bench.wait(60.0);
        assert_eq!(bench.down(None), done);
        assert_eq!(bench.down(None), no_effect);
        assert_eq!(answer(&bench.carry(2)), StepAnswer::Unavailable, "once");
        assert!(matches!(answer(&bench.carry(2)), StepAnswer::Carried { .. }));
        assert!(told(&bench.wait_for(&taken)).contains(&DeliveryMessage::PickedUp));
    }
}
