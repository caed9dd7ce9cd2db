//! A workflow's way from admission to its delivery, message by message.

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
    let book = Book {
        seq: 2,
        ..Book::new(order)
    };
    let delivery = Delivery::new(id(1), book, Bearer::Drone(drone), etas());
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
