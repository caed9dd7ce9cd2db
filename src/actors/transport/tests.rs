//! A van's jobs, one message at a time.

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
    let newest = |effects: &[Effect]| match told(effects)[..] {
        [DeliveryMessage::EtaMoved(etas)] => etas,
        _ => panic!("{effects:?}"),
    };
    let set_out = bench.wait_for(&taken);
    assert!(bench.context.now < quoted.pickup, "before what was told is over");
    let there = newest(&set_out);
    let picked_up = bench.wait_for(&set_out);
    assert_eq!(told(&picked_up), [DeliveryMessage::PickedUp]);
    assert_eq!(bench.context.now, there.pickup, "as was told when it set out");
    let half_way = bench.wait_for(&picked_up);
    assert!(bench.context.now < there.delivery, "before what was told is over");
    let arrives = newest(&half_way).delivery;
    let delivered = bench.wait_for(&half_way);
    assert_eq!(told(&delivered), [DeliveryMessage::Delivered]);
    assert_eq!(bench.context.now, arrives, "as was told half-way");
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
    assert_eq!(answer(&bench.carry(3)), StepAnswer::Full, "both are taken");
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
    let set_out = bench.wait_for(&taken);
    assert_eq!(told(&bench.wait_for(&set_out)), [DeliveryMessage::PickedUp]);
}
