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
    order: Arc<Order>,
    state: WorkflowState,
    /// Number of the delivery's last event; handed on to the delivery's actor.
    seq: u32,
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
    /// To itself: the scenario's patience is over.
    PatienceOver { id: DeliveryId },
    /// To itself: the sender's pick-up time has come.
    PickupTimeCame { id: DeliveryId },
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
        let mut seq = 0;
        let accepted = DeliveryEvent::Accepted {
            order: Arc::clone(&order),
        };
        effects.emit_delivery(context, &mut seq, id, accepted);
        let servable = dispatch::is_servable(&context.world, &self.pairs, &order);
        let not_before = order.not_before;
        let state = WorkflowState::AskingFleet;
        self.workflows.insert(id, Workflow { order, state, seq });
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
                let order = Arc::clone(&workflow.order);
                effects.send(Mail::Fleet(FleetMessage::Assign { id, order }));
            }
            Move::Wait(waiting_for) => {
                workflow.state = WorkflowState::Waiting(waiting_for);
                effects.emit_delivery(
                    context,
                    &mut workflow.seq,
                    id,
                    DeliveryEvent::Delayed { waiting_for },
                );
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
                effects.emit_delivery(context, &mut workflow.seq, id, DeliveryEvent::Failed { reason });
                self.workflows.remove(&id);
            }
        }
    }

    fn start_delivery(&mut self, id: DeliveryId, bearer: Bearer, etas: Etas, effects: &mut Effects) {
        let Some(workflow) = self.workflows.remove(&id) else {
            return;
        };
        let delivery = Delivery::new(id, workflow.order, bearer, etas, workflow.seq);
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
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
    use crate::sim::event::Happening;
    use crate::sim::world::WhenFull;

    fn bench(when_full: WhenFull) -> Bench<Scheduler> {
        let mut world = world(1, 1);
        world.dispatch.when_full = when_full;
        Bench::new(world, Scheduler::new)
    }

    impl Bench<Scheduler> {
        fn admit(&mut self, number: u64, change: impl FnOnce(&mut Order)) -> Vec<Effect> {
            let mut order = order(&self.context.world);
            change(&mut order);
            let order = Arc::new(order);
            self.tell(SchedulerMessage::Admit {
                id: id(number),
                order,
            })
        }
    }

    /// The delivery's events, numbers first.
    fn told(effects: &[Effect]) -> Vec<(u32, DeliveryEvent)> {
        let of_delivery = |(seq, happening): (u32, &Happening)| match happening {
            Happening::Delivery(_, event) => Some((seq, event.clone())),
            _ => None,
        };
        events(effects).into_iter().filter_map(of_delivery).collect()
    }

    fn etas() -> Etas {
        let (pickup, delivery) = (SimTime::from_secs(60.0), SimTime::from_secs(120.0));
        Etas { pickup, delivery }
    }

    #[test]
    fn a_request_that_finds_a_drone_becomes_a_delivery_whose_events_go_on_in_number() {
        let mut bench = bench(WhenFull::Fail);
        let effects = bench.admit(1, |_| {});
        assert!(matches!(
            told(&effects)[..],
            [(1, DeliveryEvent::Accepted { .. })]
        ));
        assert!(matches!(
            sent(&effects)[..],
            [Mail::Fleet(FleetMessage::Assign { .. })]
        ));
        let waiting = bench.tell(SchedulerMessage::Queued { id: id(1) });
        let waiting_for = WaitingFor::Drone;
        assert_eq!(told(&waiting), [(2, DeliveryEvent::Delayed { waiting_for })]);
        let drone = DroneId(0);
        let effects = bench.tell(SchedulerMessage::Assigned {
            id: id(1),
            drone,
            etas: etas(),
        });
        let order = Arc::new(order(&bench.context.world));
        let delivery = Delivery::new(id(1), order, Bearer::Drone(drone), etas(), 2);
        assert_eq!(effects[0], Effect::Start(id(1), Box::new(delivery)));
        assert_eq!(sent(&effects), [&Mail::Delivery(id(1), DeliveryMessage::Begin)]);
        let (_, alarm) = alarms(&waiting)[0];
        let Mail::Scheduler(patience_over) = alarm.clone() else {
            panic!("{alarm:?}")
        };
        assert!(
            bench.tell(patience_over).is_empty(),
            "its patience does not matter any more"
        );
    }

    #[test]
    fn what_no_drone_can_carry_waits_for_third_party_transport_within_the_backlog() {
        let mut bench = bench(WhenFull::Fail);
        for number in 1..=2 {
            let effects = bench.admit(number, |order| order.package.weight_kg = 50.0);
            let waiting_for = WaitingFor::ThirdParty;
            assert_eq!(told(&effects)[1], (2, DeliveryEvent::Delayed { waiting_for }));
            assert!(sent(&effects).is_empty());
        }
        let effects = bench.admit(3, |order| order.package.weight_kg = 50.0);
        let reason = FailureReason::BacklogFull;
        assert_eq!(told(&effects)[1], (2, DeliveryEvent::Failed { reason }));
    }

    #[test]
    fn patience_ends_only_when_the_fleet_has_let_go() {
        let mut bench = bench(WhenFull::Fail);
        bench.admit(1, |_| {});
        let waiting = bench.tell(SchedulerMessage::Queued { id: id(1) });
        let (over, alarm) = alarms(&waiting)[0];
        assert_eq!(
            over.since(bench.context.now),
            bench.context.world.dispatch.max_wait
        );
        let Mail::Scheduler(patience_over) = alarm.clone() else {
            panic!("{alarm:?}")
        };
        let effects = bench.tell(patience_over);
        assert_eq!(
            sent(&effects),
            [&Mail::Fleet(FleetMessage::Withdraw { id: id(1) })]
        );
        let effects = bench.tell(SchedulerMessage::Withdrawn { id: id(1) });
        let reason = FailureReason::NoDroneInTime;
        assert_eq!(told(&effects), [(3, DeliveryEvent::Failed { reason })]);
    }

    #[test]
    fn a_pickup_in_the_future_waits_for_its_time() {
        let mut bench = bench(WhenFull::Fail);
        let later = SimTime::from_secs(600.0);
        let effects = bench.admit(1, |order| order.not_before = later);
        let waiting_for = WaitingFor::PickupTime;
        assert_eq!(told(&effects)[1], (2, DeliveryEvent::Delayed { waiting_for }));
        let came = SchedulerMessage::PickupTimeCame { id: id(1) };
        assert_eq!(alarms(&effects), [(later, &Mail::Scheduler(came.clone()))]);
        let effects = bench.tell(came.clone());
        assert!(matches!(
            sent(&effects)[..],
            [Mail::Fleet(FleetMessage::Assign { .. })]
        ));
        assert!(bench.tell(came).is_empty());
    }

    #[test]
    fn so_many_may_wait_for_their_pickup_time_and_no_more() {
        let mut bench = bench(WhenFull::ThirdParty);
        let later = SimTime::from_secs(600.0);
        let last_event = |effects: &[Effect]| told(effects).pop().map(|(_, event)| event);
        let (waiting_for, reason) = (WaitingFor::PickupTime, FailureReason::BacklogFull);
        for number in 1..=3 {
            let effects = bench.admit(number, |order| order.not_before = later);
            let expected = match number {
                1 | 2 => DeliveryEvent::Delayed { waiting_for },
                _ => DeliveryEvent::Failed { reason },
            };
            assert_eq!(last_event(&effects), Some(expected));
        }
        bench.tell(SchedulerMessage::PickupTimeCame { id: id(1) });
        let effects = bench.admit(4, |order| order.not_before = later);
        assert_eq!(
            last_event(&effects),
            Some(DeliveryEvent::Delayed { waiting_for }),
            "one has left"
        );
    }
}
