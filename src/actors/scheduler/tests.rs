//! A workflow's way from admission to its delivery, message by message.

mod full_carrier;
mod late;
mod letting_go;
mod taken_back;

use super::*;
use crate::actors::Effect;
use crate::actors::accounts::AccountMessage;
use crate::actors::book::MOST_EVENTS;
use crate::actors::delivery::{Delivery, DeliveryMessage};
use crate::actors::packages::PackageMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::actors::transport::TransportMessage;
use crate::sim::breaker::BreakerState;
use crate::sim::command::{DeliveryWrite, ReplyTo};
use crate::sim::delivery::Bearer;
use crate::sim::event::{Etas, Happening};
use crate::sim::fault::StepFault;
use crate::sim::ids::DroneId;
use crate::sim::order::Reschedule;
use crate::sim::time::SimDuration;
use crate::sim::workflow::{FailureReason, StepAnswer, Then, WorkflowRules};
use crate::sim::world::WhenFull;
use crate::sim::world::World;

const DRONE: DroneId = DroneId(0);

fn bench(when_full: WhenFull) -> Bench<Scheduler> {
    let mut world = world(1, 1);
    world.dispatch.when_full = when_full;
    Bench::new(world, |_| Scheduler::default())
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

    fn answer(&mut self, number: u64, step: Step, answer: StepAnswer) -> Vec<Effect> {
        let id = id(number);
        self.tell(SchedulerMessage::Answered { id, step, answer })
    }

    fn undone(&mut self, number: u64, step: Step) -> Vec<Effect> {
        let id = id(number);
        self.tell(SchedulerMessage::Undone { id, step })
    }

    /// As far as the step after the package.
    fn admit_and_pack(&mut self, number: u64, change: impl FnOnce(&mut Order)) -> Vec<Effect> {
        self.admit(number, change);
        self.answer(number, Step::Account, StepAnswer::Done);
        self.answer(number, Step::Package, StepAnswer::Done)
    }

    fn assign(&mut self, number: u64) -> Vec<Effect> {
        let (id, etas) = (id(number), etas());
        self.tell(SchedulerMessage::Assigned {
            id,
            drone: DRONE,
            etas,
        })
    }

    /// The tick after: who has not answered gets a time limit.
    fn look(&mut self) -> Vec<Effect> {
        let asked = self.context.now;
        self.context.now += SimDuration(1);
        let effects = self.tell(SchedulerMessage::Look);
        self.context.now = asked;
        effects
    }

    /// Lets time pass up to the alarm that these effects set.
    fn ring(&mut self, effects: &[Effect]) -> Vec<Effect> {
        let alarms = alarms(effects);
        let (due, mail) = alarms.last().expect("an alarm is set");
        self.context.now = *due;
        let Mail::Scheduler(message) = (*mail).clone() else {
            panic!("{mail:?}")
        };
        self.tell(message)
    }

    fn trouble(&mut self, step: Step, fault: StepFault, lasts: Option<f64>) {
        self.tell(SchedulerMessage::Trouble {
            step,
            fault,
            lasts: lasts.map(SimDuration::from_secs),
            reply_to: ReplyTo(9),
        });
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

fn delayed(step: Step, attempts: u32, waiting_for: WaitingFor) -> DeliveryEvent {
    DeliveryEvent::StepDelayed {
        step,
        attempts,
        waiting_for,
    }
}

fn heavy(order: &mut Order) {
    order.package.weight_kg = 50.0;
}

#[test]
fn a_request_goes_from_owner_to_owner_and_becomes_a_delivery_whose_events_go_on_in_number() {
    let mut bench = bench(WhenFull::Fail);
    let effects = bench.admit(1, |_| {});
    assert!(matches!(
        told(&effects)[..],
        [(1, DeliveryEvent::Accepted { .. })]
    ));
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Accounts(AccountMessage::Check { .. })]
    ));
    let effects = bench.answer(1, Step::Account, StepAnswer::Done);
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Packages(PackageMessage::Create { .. })]
    ));
    let effects = bench.answer(1, Step::Package, StepAnswer::Done);
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Fleet(FleetMessage::Assign { .. })]
    ));
    let waiting = bench.tell(SchedulerMessage::Queued { id: id(1) });
    let waiting_for = WaitingFor::Drone;
    assert_eq!(told(&waiting), [(2, DeliveryEvent::Delayed { waiting_for })]);
    let effects = bench.assign(1);
    let order = Arc::new(order(&bench.context.world));
    let book = Book {
        seq: 2,
        ..Book::new(order)
    };
    let delivery = Delivery::new(id(1), book, Bearer::Drone(DRONE), etas());
    assert_eq!(effects[0], Effect::Start(id(1), Box::new(delivery)));
    assert_eq!(
        sent(&effects),
        [
            &Mail::Delivery(id(1), DeliveryMessage::Begin),
            &Mail::Fleet(FleetMessage::Depart {
                id: id(1),
                told: etas()
            })
        ]
    );
    assert!(bench.look().is_empty(), "all have answered");
    assert!(
        bench.ring(&waiting).is_empty(),
        "its patience does not matter any more"
    );
}

#[test]
fn what_no_drone_can_carry_goes_to_the_carrier_and_begins_with_it() {
    let mut bench = bench(WhenFull::Fail);
    let effects = bench.admit_and_pack(1, heavy);
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Transport(TransportMessage::Carry { .. })]
    ));
    let effects = bench.answer(1, Step::ThirdParty, StepAnswer::Carried { etas: etas() });
    assert!(matches!(&effects[0], Effect::Start(_, delivery)
        if **delivery == Delivery::new(id(1), Book { seq: 1, ..Book::new(bench_order(&bench)) }, Bearer::Carrier, etas())));
    assert_eq!(sent(&effects), [&Mail::Delivery(id(1), DeliveryMessage::Begin)]);
}

fn bench_order(bench: &Bench<Scheduler>) -> Arc<Order> {
    let mut order = order(&bench.context.world);
    heavy(&mut order);
    Arc::new(order)
}

#[test]
fn a_step_that_fails_for_now_is_asked_again_so_often_and_then_undone_from_the_back() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, heavy);
    let retries = WorkflowRules::default().retries;
    for attempt in 1..=retries {
        let refused = bench.answer(1, Step::ThirdParty, StepAnswer::Unavailable);
        let expected = delayed(Step::ThirdParty, attempt, WaitingFor::Retry);
        assert_eq!(told(&refused), [(1 + attempt, expected)]);
        bench.ring(&refused);
    }
    let given_up = bench.answer(1, Step::ThirdParty, StepAnswer::Unavailable);
    assert!(told(&given_up).is_empty(), "the end comes when nothing is held");
    let undo = |mail: Vec<&Mail>| mail.into_iter().cloned().collect::<Vec<_>>();
    assert!(undo(sent(&given_up)).contains(&Mail::Transport(TransportMessage::Undo { id: id(1) })));
    let effects = bench.undone(1, Step::ThirdParty);
    assert_eq!(
        sent(&effects),
        [&Mail::Packages(PackageMessage::Undo { id: id(1) })]
    );
    let effects = bench.undone(1, Step::Package);
    let reason = FailureReason::StepUnavailable;
    assert_eq!(told(&effects), [(2 + retries, DeliveryEvent::Failed { reason })]);
    assert!(bench.role.workflows.is_empty());
}

#[test]
fn what_is_refused_is_not_tried_again() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit(1, |_| {});
    let reason = FailureReason::AccountSuspended;
    let effects = bench.answer(1, Step::Account, StepAnswer::Refused(reason));
    assert_eq!(told(&effects), [(2, DeliveryEvent::Failed { reason })]);
    assert!(sent(&effects).is_empty(), "nobody holds anything");
}

#[test]
fn a_step_that_is_done_but_unheard_of_is_undone_where_the_request_fails() {
    let mut bench = bench(WhenFull::Fail);
    bench.trouble(Step::Package, StepFault::AnswerLost, Some(1_000.0));
    bench.admit(1, |_| {});
    let mut effects = bench.answer(1, Step::Account, StepAnswer::Done);
    for _ in 0..=WorkflowRules::default().retries {
        assert!(
            sent(&effects)
                .iter()
                .any(|mail| matches!(mail, Mail::Packages(PackageMessage::Create { .. })))
        );
        assert!(bench.answer(1, Step::Package, StepAnswer::Done).is_empty());
        let looked = bench.look();
        let timed_out = bench.ring(&looked);
        effects = match sent(&timed_out).is_empty() {
            true => bench.ring(&timed_out),
            false => timed_out,
        };
    }
    assert_eq!(
        sent(&effects),
        [&Mail::Packages(PackageMessage::Undo { id: id(1) })]
    );
}

#[test]
fn an_undo_that_fails_for_good_becomes_a_dead_letter_and_can_be_tried_again() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, |_| {});
    bench.trouble(Step::Package, StepFault::Fail, Some(1_000.0));
    let reply_to = ReplyTo(1);
    let write = DeliveryWrite::Cancel;
    let id = id(1);
    let effects = bench.tell(SchedulerMessage::Write { id, write, reply_to });
    assert_eq!(effects[0], Effect::Reply(reply_to, Decision::Done));
    let mut effects = bench.undone(1, Step::Drone);
    for attempt in 1..=WorkflowRules::default().retries {
        let (seq, event) = told(&effects).remove(0);
        assert_eq!(
            (seq, event),
            (
                1 + attempt,
                delayed(Step::Package, attempt, WaitingFor::Compensation)
            )
        );
        effects = bench.ring(&effects);
    }
    assert_eq!(
        told(&effects).last().map(|(_, event)| event),
        Some(&DeliveryEvent::Cancelled)
    );
    let letter = sent(&effects)[0].clone();
    let Mail::Supervisor(SupervisorMessage::DeadLetter {
        book,
        held,
        step,
        then,
        ..
    }) = letter
    else {
        panic!("{letter:?}")
    };
    assert_eq!((step, then), (Step::Package, Then::Cancel));
    assert!(bench.role.workflows.is_empty());

    bench.wait(1_000.0);
    let effects = bench.tell(SchedulerMessage::Compensate { id, book, held, then });
    assert_eq!(sent(&effects), [&Mail::Packages(PackageMessage::Undo { id })]);
    let effects = bench.undone(1, Step::Package);
    assert!(told(&effects).is_empty(), "its customer was told the end");
    assert_eq!(
        sent(&effects),
        [&Mail::Supervisor(SupervisorMessage::LetGo { id })]
    );
}

#[test]
fn where_the_supervisor_has_no_room_an_undo_is_tried_for_as_long_as_it_takes() {
    let mut world = world(1, 1);
    world.workflow.dead_letters = 0;
    world.workflow.retries = 0;
    let mut bench = Bench::new(world, |_| Scheduler::default());
    bench.admit_and_pack(1, |_| {});
    bench.trouble(Step::Package, StepFault::Fail, Some(200.0));
    bench.tell(SchedulerMessage::Write {
        id: id(1),
        write: DeliveryWrite::Cancel,
        reply_to: ReplyTo(1),
    });
    bench.undone(1, Step::Drone);
    assert_eq!(bench.role.workflows.len(), 1);
    let mut tries = 0;
    loop {
        tries += 1;
        let entries = bench.role.agenda.clone();
        let due = entries.next_due().expect("it is tried again");
        bench.context.now = due;
        let effects = bench.tell(SchedulerMessage::Alarm { due });
        if let [mail] = sent(&effects)[..] {
            assert_eq!(mail, &Mail::Packages(PackageMessage::Undo { id: id(1) }));
            break;
        }
    }
    assert!(tries > 10, "{tries}");
    let effects = bench.undone(1, Step::Package);
    assert!(matches!(told(&effects)[..], [(_, DeliveryEvent::Cancelled)]));
}

#[test]
fn patience_ends_only_when_the_fleet_has_let_go() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, |_| {});
    let waiting = bench.tell(SchedulerMessage::Queued { id: id(1) });
    let (over, _) = *alarms(&waiting).last().unwrap();
    assert_eq!(
        over.since(bench.context.now),
        bench.context.world.dispatch.max_wait
    );
    let effects = bench.ring(&waiting);
    assert_eq!(
        sent(&effects),
        [&Mail::Fleet(FleetMessage::Withdraw { id: id(1) })]
    );
    bench.tell(SchedulerMessage::Withdrawn { id: id(1) });
    let effects = bench.undone(1, Step::Package);
    let reason = FailureReason::NoDroneInTime;
    assert_eq!(told(&effects), [(3, DeliveryEvent::Failed { reason })]);
}

#[test]
fn a_pickup_in_the_future_waits_for_its_time() {
    let mut bench = bench(WhenFull::Fail);
    let later = SimTime::from_secs(600.0);
    let effects = bench.admit_and_pack(1, |order| order.not_before = later);
    let waiting_for = WaitingFor::PickupTime;
    assert_eq!(told(&effects), [(2, DeliveryEvent::Delayed { waiting_for })]);
    assert_eq!(alarms(&effects)[0].0, later);
    let effects = bench.ring(&effects);
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Fleet(FleetMessage::Assign { .. })]
    ));
}

#[test]
fn so_many_may_wait_for_their_pickup_time_and_no_more() {
    let mut bench = bench(WhenFull::ThirdParty);
    let later = SimTime::from_secs(600.0);
    for number in 1..=3 {
        let effects = bench.admit_and_pack(number, |order| order.not_before = later);
        let waiting_for = WaitingFor::PickupTime;
        assert_eq!(told(&effects), [(2, DeliveryEvent::Delayed { waiting_for })]);
    }
    bench.admit_and_pack(4, |order| order.not_before = later);
    let effects = bench.undone(4, Step::Package);
    let reason = FailureReason::ScheduleFull;
    assert_eq!(told(&effects), [(2, DeliveryEvent::Failed { reason })]);

    // All of its places are left to those who try again; and what was saved counts the same.
    let saved = postcard::to_stdvec(&bench.role).expect("it is plain values");
    let read: Scheduler = postcard::from_bytes(&saved).expect("it was just written");
    assert_eq!(read.counted(), bench.role);
    for number in 5..=6 {
        bench.admit(number, |_| {});
        let effects = bench.answer(number, Step::Account, StepAnswer::Unavailable);
        assert_eq!(
            told(&effects),
            [(2, delayed(Step::Account, 1, WaitingFor::Retry))]
        );
    }
    bench.admit(7, |_| {});
    let effects = bench.answer(7, Step::Account, StepAnswer::Unavailable);
    let reason = FailureReason::BacklogFull;
    assert_eq!(told(&effects), [(2, DeliveryEvent::Failed { reason })]);
}

#[test]
fn a_change_of_plan_undoes_the_drone_alone_and_looks_for_a_way_again() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, |_| {});
    bench.tell(SchedulerMessage::Queued { id: id(1) });
    let change = crate::sim::order::Reschedule {
        expedited: Some(true),
        ..Default::default()
    };
    let effects = bench.tell(SchedulerMessage::Write {
        id: id(1),
        write: DeliveryWrite::Reschedule(Arc::new(change)),
        reply_to: ReplyTo(1),
    });
    assert!(matches!(
        told(&effects)[..],
        [(3, DeliveryEvent::Rescheduled { .. })]
    ));
    assert_eq!(sent(&effects), [&Mail::Fleet(FleetMessage::Undo { id: id(1) })]);
    assert!(
        bench.assign(1).is_empty(),
        "a drone that was found for the old plan comes too late"
    );
    let effects = bench.undone(1, Step::Drone);
    assert!(
        matches!(sent(&effects)[..], [Mail::Fleet(FleetMessage::Assign { order, .. })] if order.expedited)
    );
}

#[test]
fn the_breaker_leaves_a_failing_carrier_alone_and_lets_one_try_after_its_pause() {
    let mut bench = bench(WhenFull::Fail);
    let failures = WorkflowRules::default().breaker_failures.into();
    let is_asked = |effects: &[Effect]| {
        sent(effects)
            .iter()
            .any(|mail| matches!(mail, Mail::Transport(_)))
    };
    let moved = |effects: &[Effect]| {
        sent(effects).into_iter().find_map(|mail| match mail {
            Mail::Supervisor(SupervisorMessage::BreakerMoved { state }) => Some(*state),
            _ => None,
        })
    };
    bench.context = Context {
        world: Arc::new(World {
            dispatch: crate::sim::world::DispatchRules {
                backlog: 100,
                ..bench.context.world.dispatch.clone()
            },
            ..World::clone(&bench.context.world)
        }),
        ..bench.context.clone()
    };
    for number in 1..=failures {
        assert!(is_asked(&bench.admit_and_pack(number, heavy)));
        let effects = bench.answer(number, Step::ThirdParty, StepAnswer::Unavailable);
        assert_eq!(
            moved(&effects),
            (number == failures).then_some(BreakerState::Open)
        );
    }
    assert!(!is_asked(&bench.admit_and_pack(failures + 1, heavy)));
    bench.wait(WorkflowRules::default().breaker_pause.as_secs());
    let trial = bench.admit_and_pack(failures + 2, heavy);
    assert_eq!(
        (is_asked(&trial), moved(&trial)),
        (true, Some(BreakerState::HalfOpen))
    );
    assert!(!is_asked(&bench.admit_and_pack(failures + 3, heavy)));
    let effects = bench.answer(
        failures + 2,
        Step::ThirdParty,
        StepAnswer::Carried { etas: etas() },
    );
    assert_eq!(moved(&effects), Some(BreakerState::Closed));
    assert!(is_asked(&bench.admit_and_pack(failures + 4, heavy)));
}

#[test]
fn a_far_order_has_one_alarm_however_many_near_ones_come_and_go() {
    let mut bench = bench(WhenFull::Fail);
    let due = |effects: &[Effect]| -> Vec<SimTime> {
        let alarms = alarms(effects).into_iter();
        let of_agenda = |(at, mail): (SimTime, &Mail)| {
            matches!(mail, Mail::Scheduler(SchedulerMessage::Alarm { .. })).then_some(at)
        };
        alarms.filter_map(of_agenda).collect()
    };
    let years = SimTime::from_secs(1e9);
    let far = bench.admit_and_pack(1, |order| order.not_before = years);
    assert_eq!(due(&far), [SimTime::from_secs(3_600.0)], "it is looked at again");
    for number in 2..40 {
        let soon = bench.context.now + SimDuration::from_secs(1.0);
        let near = bench.admit_and_pack(number, |order| order.not_before = soon);
        assert_eq!(due(&near), [soon]);
        let rung = bench.ring(&near);
        assert!(matches!(
            sent(&rung)[..],
            [Mail::Fleet(FleetMessage::Assign { .. })]
        ));
        assert_eq!(due(&rung), []);
    }
    let hour = bench.ring(&far);
    assert_eq!(due(&hour), [SimTime::from_secs(7_200.0)]);
    bench.context.now = years;
    let last = bench.tell(SchedulerMessage::Alarm { due: years });
    assert!(matches!(
        sent(&last)[..],
        [Mail::Fleet(FleetMessage::Assign { .. })]
    ));
}

#[test]
fn a_van_is_heard_before_the_delivery_begins_and_not_when_it_has_left() {
    let early = |message| SchedulerMessage::Early {
        id: id(1),
        message: Box::new(message),
    };
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, heavy);
    bench.wait(30.0);
    bench.tell(early(DeliveryMessage::PickedUp));
    bench.tell(early(DeliveryMessage::DroneLost));
    let begun = bench.answer(1, Step::ThirdParty, StepAnswer::Carried { etas: etas() });
    assert_eq!(
        sent(&begun),
        [DeliveryMessage::Begin, DeliveryMessage::PickedUp]
            .map(|message| Mail::Delivery(id(1), message))
            .iter()
            .collect::<Vec<_>>()
    );

    // Its customer wants it elsewhere just when the van comes to nothing.
    let book = Box::new(Book::new(bench_order(&bench)));
    let why = Lost::Rescheduled;
    bench.tell(SchedulerMessage::TakeBack { id: id(1), book, why });
    bench.tell(early(DeliveryMessage::CarrierFailed));
    let begun = bench.answer(1, Step::ThirdParty, StepAnswer::Carried { etas: etas() });
    assert_eq!(sent(&begun), [&Mail::Delivery(id(1), DeliveryMessage::Begin)]);
}

#[test]
fn a_request_is_changed_so_often_and_no_more() {
    let mut bench = bench(WhenFull::Fail);
    bench.admit_and_pack(1, |order| order.not_before = SimTime::from_secs(1e9));
    let mut taken = 0;
    loop {
        let change = Reschedule {
            deadline: Some(taken.to_string()),
            ..Reschedule::default()
        };
        let effects = bench.tell(SchedulerMessage::Write {
            id: id(1),
            write: DeliveryWrite::Reschedule(Arc::new(change)),
            reply_to: ReplyTo(1),
        });
        if effects.contains(&Effect::Reply(
            ReplyTo(1),
            Decision::Refused(Objection::TooManyChanges),
        )) {
            break;
        }
        taken += 1;
        assert!(taken < MOST_EVENTS);
    }
    assert!(taken > 100, "{taken}");
    let effects = bench.tell(SchedulerMessage::Write {
        id: id(1),
        write: DeliveryWrite::Cancel,
        reply_to: ReplyTo(1),
    });
    assert!(
        effects.contains(&Effect::Reply(ReplyTo(1), Decision::Done)),
        "it can be called off"
    );
}
