//! A delivery under way on a bench: messages in, events and letters out.

use super::*;
use crate::actors::book::MOST_EVENTS;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::command::{Decision, Objection};
use crate::sim::event::Happening;
use crate::sim::order::{Confirmation, Contact, Owner, Reschedule};
use crate::sim::time::SimTime;

mod times;

const DRONE: DroneId = DroneId(0);
const ASKED: ReplyTo = ReplyTo(9);

fn bench() -> Bench<Delivery> {
    ordered(Bearer::Drone(DRONE), ConfirmationRequired::None)
}

fn ordered(bearer: Bearer, confirmation: ConfirmationRequired) -> Bench<Delivery> {
    let etas = Etas {
        pickup: SimTime::from_secs(60.0),
        delivery: SimTime::from_secs(120.0),
    };
    Bench::new(world(1, 1), |world| {
        let mut order = order(world);
        order.confirmation = confirmation;
        Delivery::new(id(1), Book::new(Arc::new(order)), bearer, etas)
    })
}

impl Bench<Delivery> {
    fn ask(&mut self, write: DeliveryWrite) -> Vec<Effect> {
        let reply_to = ASKED;
        self.tell(DeliveryMessage::Write { write, reply_to })
    }

    /// When it was expected there.
    fn at_door(&mut self) -> Vec<Effect> {
        self.role.etas.delivery = self.context.now + self.context.world.recipient.expected(true);
        self.tell(DeliveryMessage::PickedUp);
        self.tell(DeliveryMessage::AtDoor)
    }
}

fn told(effects: &[Effect]) -> Vec<DeliveryEvent> {
    let of_delivery = |(_, happening): (u32, &Happening)| match happening {
        Happening::Delivery(_, event) => Some(event.clone()),
        _ => None,
    };
    events(effects).into_iter().filter_map(of_delivery).collect()
}

fn replies(effects: &[Effect]) -> Vec<Decision> {
    let replies = effects.iter().filter_map(|effect| match effect {
        Effect::Reply(ASKED, decision) => Some(decision.clone()),
        _ => None,
    });
    replies.collect()
}

fn to_drone(message: DroneMessage) -> Mail {
    Mail::Drone(DRONE, message)
}

fn refused(why: Objection) -> Vec<Decision> {
    vec![Decision::Refused(why)]
}

fn elsewhere(bench: &Bench<Delivery>) -> DeliveryWrite {
    let hub = bench.context.world.hub(HubId(0)).location;
    DeliveryWrite::Reschedule(Arc::new(Reschedule {
        dropoff: Some(Stop {
            location: hub,
            altitude_m: 0.0,
        }),
        ..Reschedule::default()
    }))
}

/// The book that went back to the scheduler.
fn taken_back(effects: &[Effect]) -> Option<(Book, Lost)> {
    sent(effects).into_iter().find_map(|mail| match mail {
        Mail::Scheduler(SchedulerMessage::TakeBack { book, why, .. }) => Some((Book::clone(book), *why)),
        _ => None,
    })
}

#[test]
fn a_drone_that_is_lost_before_the_pickup_leaves_the_delivery_to_another() {
    let mut bench = bench();
    bench.tell(DeliveryMessage::Begin);
    let effects = bench.tell(DeliveryMessage::DroneLost);
    let (book, why) = taken_back(&effects).expect("its book goes back");
    assert_eq!(
        (book.seq, book.attempts, book.picked_up, why),
        (3, 1, false, Lost::Drone)
    );
    assert_eq!(effects.last(), Some(&Effect::End(id(1))));
    let again = Delivery::new(id(1), book, Bearer::Drone(DroneId(1)), bench.role.etas);
    bench.role = again;
    let effects = bench.tell(DeliveryMessage::Begin);
    assert!(
        matches!(told(&effects)[0], DeliveryEvent::Assigned { .. }),
        "created once"
    );
    assert_eq!(events(&effects)[0].0, 4, "its events go on in number");
}

#[test]
fn a_package_that_falls_with_its_drone_is_lost() {
    let mut bench = bench();
    bench.tell(DeliveryMessage::PickedUp);
    let effects = bench.tell(DeliveryMessage::DroneLost);
    let reason = FailureReason::DroneLost;
    assert_eq!(told(&effects), [DeliveryEvent::Failed { reason }]);
    assert_eq!(effects.last(), Some(&Effect::End(id(1))));
}

#[test]
fn a_delivery_that_loses_drone_after_drone_fails() {
    let mut bench = bench();
    bench.role.book.attempts = MOST_ATTEMPTS - 1;
    bench.tell(DeliveryMessage::Begin);
    let reason = FailureReason::TooManyAttempts;
    assert_eq!(
        told(&bench.tell(DeliveryMessage::DroneLost)),
        [DeliveryEvent::Failed { reason }]
    );
}

#[test]
fn what_the_carrier_takes_goes_through_the_same_stages_and_fails_for_its_own_reason() {
    let mut bench = ordered(Bearer::Carrier, ConfirmationRequired::None);
    let begun = bench.tell(DeliveryMessage::Begin);
    let numbers: Vec<_> = events(&begun).into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(told(&begun)[1], DeliveryEvent::HandedToCarrier { .. }));
    bench.tell(DeliveryMessage::PickedUp);
    let effects = bench.tell(DeliveryMessage::CarrierFailed);
    let reason = FailureReason::CarrierFailed;
    assert_eq!(told(&effects), [DeliveryEvent::Failed { reason }]);
    assert_eq!(effects.last(), Some(&Effect::End(id(1))));
}

#[test]
fn a_delivery_is_cancelled_when_its_drone_says_that_it_comes_without_the_package() {
    let mut bench = bench();
    let asked = bench.ask(DeliveryWrite::Cancel);
    assert_eq!(
        sent(&asked),
        [&to_drone(DroneMessage::Release { delivery: id(1) })]
    );
    assert!(replies(&asked).is_empty() && told(&asked).is_empty());
    let effects = bench.tell(DeliveryMessage::Released);
    assert_eq!(told(&effects), [DeliveryEvent::Cancelled]);
    assert_eq!(replies(&effects), [Decision::Done]);
    assert_eq!(effects.last(), Some(&Effect::End(id(1))));
}

#[test]
fn a_cancellation_that_meets_the_pickup_is_too_late() {
    let mut bench = bench();
    bench.ask(DeliveryWrite::Cancel);
    bench.tell(DeliveryMessage::PickedUp);
    let effects = bench.tell(DeliveryMessage::TooLate);
    assert_eq!(replies(&effects), refused(Objection::PickedUp));
    for write in [DeliveryWrite::Cancel, elsewhere(&bench)] {
        let effects = bench.ask(write);
        assert_eq!(replies(&effects), refused(Objection::PickedUp));
        assert!(sent(&effects).is_empty());
    }
}

#[test]
fn changes_wait_for_each_other_and_whoever_is_left_over_is_answered_by_the_scheduler() {
    let mut bench = bench();
    bench.ask(elsewhere(&bench));
    assert!(
        bench.ask(DeliveryWrite::Cancel).is_empty(),
        "the drone has the word"
    );
    assert!(bench.ask(DeliveryWrite::Cancel).is_empty());
    let etas = bench.role.etas;
    let effects = bench.tell(DeliveryMessage::Redirected(etas));
    assert!(matches!(
        told(&effects)[..],
        [
            DeliveryEvent::Rescheduled { .. },
            DeliveryEvent::HeadedToPickup { .. }
        ]
    ));
    assert_eq!(replies(&effects), [Decision::Done]);
    assert_eq!(
        sent(&effects),
        [&to_drone(DroneMessage::Release { delivery: id(1) })]
    );
    let effects = bench.tell(DeliveryMessage::Released);
    assert_eq!(told(&effects), [DeliveryEvent::Cancelled]);
    let (write, reply_to) = (DeliveryWrite::Cancel, ASKED);
    let late = SchedulerMessage::Write {
        id: id(1),
        write,
        reply_to,
    };
    assert_eq!(sent(&effects).last(), Some(&&Mail::Scheduler(late)));
}

#[test]
fn so_many_changes_may_wait_and_no_more() {
    let mut bench = bench();
    for _ in 0..MOST_ASKED {
        assert!(replies(&bench.ask(DeliveryWrite::Cancel)).is_empty());
    }
    assert_eq!(
        replies(&bench.ask(DeliveryWrite::Cancel)),
        refused(Objection::Busy)
    );
}

#[test]
fn whose_drone_stumbles_over_what_was_asked_waits_no_longer_and_the_next_has_its_turn() {
    let mut bench = bench();
    bench.ask(DeliveryWrite::Cancel);
    bench.ask(DeliveryWrite::Cancel);
    let effects = bench.tell(DeliveryMessage::NoWord);
    assert_eq!(replies(&effects), refused(Objection::Stumbled));
    let delivery = id(1);
    assert_eq!(sent(&effects), [&to_drone(DroneMessage::Release { delivery })]);
    let effects = bench.tell(DeliveryMessage::Released);
    assert_eq!(told(&effects), [DeliveryEvent::Cancelled]);
    assert_eq!(replies(&effects), [Decision::Done]);
}

#[test]
fn a_drone_that_cannot_go_elsewhere_leaves_the_changed_order_to_another() {
    let mut bench = bench();
    let change = elsewhere(&bench);
    bench.ask(change);
    let effects = bench.tell(DeliveryMessage::Released);
    assert!(matches!(told(&effects)[..], [DeliveryEvent::Rescheduled { .. }]));
    assert_eq!(replies(&effects), [Decision::Done]);
    let (book, why) = taken_back(&effects).unwrap();
    assert_eq!(why, Lost::Rescheduled);
    assert_eq!(
        book.order.dropoff.location,
        bench.context.world.hub(HubId(0)).location
    );
}

#[test]
fn a_new_deadline_needs_no_drone_and_no_change_is_no_event() {
    let mut bench = bench();
    let deadline = |text: &str| {
        DeliveryWrite::Reschedule(Arc::new(Reschedule {
            deadline: Some(text.to_owned()),
            ..Reschedule::default()
        }))
    };
    let effects = bench.ask(deadline("noon"));
    assert_eq!((told(&effects).len(), sent(&effects).len()), (2, 0));
    let effects = bench.ask(deadline("noon"));
    assert_eq!(
        (replies(&effects), told(&effects)),
        (vec![Decision::Done], vec![])
    );
}

#[test]
fn a_delivery_is_entrusted_to_its_owner_until_it_is_picked_up() {
    let mut bench = bench();
    let owner = Owner::account("cafe");
    let entrust = || DeliveryWrite::Entrust(Arc::new(owner.clone()));
    let before = bench.role.order().clone();
    let effects = bench.ask(entrust());
    assert_eq!(
        (replies(&effects), sent(&effects).len()),
        (vec![Decision::Done], 0)
    );
    let [
        DeliveryEvent::Rescheduled { order },
        DeliveryEvent::HeadedToPickup { .. },
    ] = &told(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    let owner = owner.clone();
    assert_eq!(**order, Order { owner, ..before });
    bench.tell(DeliveryMessage::PickedUp);
    assert_eq!(replies(&bench.ask(entrust())), refused(Objection::PickedUp));
}

#[test]
fn a_later_pickup_frees_the_drone_until_then() {
    let mut bench = bench();
    let later = SimTime::from_secs(3_000.0);
    let effects = bench.ask(DeliveryWrite::Reschedule(Arc::new(Reschedule {
        not_before: Some(later),
        ..Reschedule::default()
    })));
    assert_eq!(
        sent(&effects),
        [&to_drone(DroneMessage::Release { delivery: id(1) })]
    );
    let effects = bench.tell(DeliveryMessage::Released);
    assert_eq!(taken_back(&effects).unwrap().0.order.not_before, later);
}

#[test]
fn the_simulated_recipient_confirms_after_a_drawn_while() {
    let mut bench = ordered(Bearer::Drone(DRONE), ConfirmationRequired::Picture);
    let effects = bench.at_door();
    let required = ConfirmationRequired::Picture;
    assert_eq!(told(&effects), [DeliveryEvent::AwaitingConfirmation { required }]);
    let alarms = alarms(&effects);
    let (comes, alarm) = alarms[0];
    let after = comes.since(bench.context.now).as_secs();
    assert!((10.0..30.0).contains(&after), "{after}");
    let Mail::Delivery(_, confirms) = alarm.clone() else {
        panic!("{alarm:?}")
    };
    let effects = bench.tell(confirms);
    assert!(matches!(told(&effects)[..], [DeliveryEvent::Completed { .. }]));
    assert_eq!(
        sent(&effects)[0],
        &to_drone(DroneMessage::Confirmed { delivery: id(1) })
    );
    assert_eq!(effects.last(), Some(&Effect::End(id(1))));
}

#[test]
fn a_client_confirms_what_is_waited_for_and_nothing_else() {
    let confirm = |kind| {
        DeliveryWrite::Confirm(Arc::new(Confirmation {
            kind,
            given_at: SimTime::START,
            location: bench().context.world.hub(HubId(0)).location,
            blob_hash: [0; 32],
        }))
    };
    let voice = ConfirmationRequired::Voice;
    let effects = bench().ask(confirm(voice));
    assert_eq!(
        replies(&effects),
        refused(Objection::NotWaiting),
        "none is required"
    );
    let mut bench = ordered(Bearer::Drone(DRONE), voice);
    let effects = bench.ask(confirm(voice));
    assert_eq!(
        replies(&effects),
        refused(Objection::NotWaiting),
        "not at the door yet"
    );
    bench.at_door();
    let effects = bench.ask(confirm(ConfirmationRequired::Picture));
    assert_eq!(replies(&effects), refused(Objection::WrongConfirmation));
    let effects = bench.ask(confirm(voice));
    assert_eq!(replies(&effects), [Decision::Done]);
    assert!(matches!(told(&effects)[..], [DeliveryEvent::Completed { .. }]));
}

#[test]
fn who_never_comes_to_the_door_is_visited_once_more_and_then_no_more() {
    let mut bench = ordered(Bearer::Drone(DRONE), ConfirmationRequired::FingerPrint);
    Arc::get_mut(&mut bench.context.world).unwrap().recipient.never = 1.0;
    for visit in 0..MOST_VISITS_OF_A_DRONE {
        let effects = bench.at_door();
        let comes = DeliveryMessage::RecipientConfirms { visit };
        let mut alarms = alarms(&effects).into_iter();
        assert!(
            alarms.all(|(_, mail)| *mail != Mail::Delivery(id(1), comes.clone())),
            "nobody comes"
        );
        let effects = bench.tell(DeliveryMessage::PatienceOver { visit });
        let waiting_for = WaitingFor::Return;
        assert_eq!(told(&effects), [DeliveryEvent::Delayed { waiting_for }]);
        assert_eq!(
            sent(&effects),
            [&to_drone(DroneMessage::BringBack { delivery: id(1) })]
        );
        let effects = bench.tell(DeliveryMessage::Returned { hub: HubId(0) });
        assert!(matches!(told(&effects)[0], DeliveryEvent::BroughtBack { .. }));
        let reason = FailureReason::NotConfirmed;
        match taken_back(&effects) {
            Some((book, _)) => {
                assert_eq!(visit, 0);
                let hub = bench.context.world.hub(HubId(0)).location;
                assert_eq!(book.order.pickup.location, hub, "it sets out from the hub");
                assert_eq!(
                    book.order.not_before.since(bench.context.now),
                    bench.context.world.recipient.redeliver_after
                );
                bench.role = Delivery::new(id(1), book, Bearer::Drone(DRONE), bench.role.etas);
                assert_eq!(
                    replies(&bench.ask(DeliveryWrite::Cancel)),
                    refused(Objection::PickedUp)
                );
            }
            None => assert_eq!(
                (visit, told(&effects).pop()),
                (1, Some(DeliveryEvent::Failed { reason }))
            ),
        }
    }
}

const MOST_VISITS_OF_A_DRONE: u32 = Recipient::MOST_VISITS;

#[test]
fn a_van_comes_by_once_more_by_itself() {
    let mut bench = ordered(Bearer::Carrier, ConfirmationRequired::FingerPrint);
    Arc::get_mut(&mut bench.context.world).unwrap().recipient.never = 1.0;
    bench.wait(100.0);
    bench.tell(DeliveryMessage::PickedUp);
    let effects = bench.tell(DeliveryMessage::Delivered);
    assert!(matches!(
        told(&effects)[..],
        [DeliveryEvent::AwaitingConfirmation { .. }]
    ));
    let effects = bench.tell(DeliveryMessage::PatienceOver { visit: 0 });
    assert!(matches!(told(&effects)[..], [DeliveryEvent::EtaChanged { .. }]));
    let (at, alarm) = alarms(&effects)[0];
    let Mail::Delivery(_, again) = alarm.clone() else {
        panic!("{alarm:?}")
    };
    bench.context.now = at;
    let effects = bench.tell(again);
    assert!(matches!(
        told(&effects)[..],
        [DeliveryEvent::AwaitingConfirmation { .. }]
    ));
    assert!(
        bench.tell(DeliveryMessage::PatienceOver { visit: 0 }).is_empty(),
        "that was the first visit"
    );
    let effects = bench.tell(DeliveryMessage::PatienceOver { visit: 1 });
    let reason = FailureReason::NotConfirmed;
    assert_eq!(told(&effects), [DeliveryEvent::Failed { reason }]);
}

#[test]
fn so_many_are_told_and_no_more() {
    let mut bench = bench();
    let contact = Arc::new(Contact {
        email: Some("ada@example.org".into()),
        sms: None,
    });
    for _ in 0..crate::actors::book::MOST_CONTACTS {
        let effects = bench.ask(DeliveryWrite::NotifyMe(Arc::clone(&contact)));
        assert_eq!(replies(&effects), [Decision::Done]);
        assert_eq!(told(&effects).len(), 1);
    }
    let effects = bench.ask(DeliveryWrite::NotifyMe(contact));
    assert_eq!(replies(&effects), refused(Objection::TooManyContacts));
}

#[test]
fn a_delivery_is_changed_so_often_and_no_more() {
    let mut bench = bench();
    bench.tell(DeliveryMessage::Begin);
    bench.role.book.seq = MOST_EVENTS;
    let change = elsewhere(&bench);
    assert_eq!(replies(&bench.ask(change)), refused(Objection::TooManyChanges));
    let effects = bench.ask(DeliveryWrite::Cancel);
    let delivery = id(1);
    assert_eq!(sent(&effects), [&to_drone(DroneMessage::Release { delivery })]);
}

#[test]
fn an_alarm_of_a_visit_that_came_to_nothing_rings_for_no_later_one() {
    let mut bench = ordered(Bearer::Drone(DRONE), ConfirmationRequired::Picture);
    bench.tell(DeliveryMessage::Begin);
    bench.at_door();
    bench.tell(DeliveryMessage::TurnedBack);
    let effects = bench.tell(DeliveryMessage::Returned { hub: HubId(0) });
    let (book, _) = taken_back(&effects).expect("its book goes back");
    bench.role = Delivery::new(id(1), book, Bearer::Drone(DroneId(1)), bench.role.etas);
    bench.tell(DeliveryMessage::Begin);
    let rung = bench.at_door();
    assert_eq!(bench.tell(DeliveryMessage::PatienceOver { visit: 0 }), []);
    let patience = alarms(&rung).into_iter().find_map(|(_, mail)| match mail {
        Mail::Delivery(_, patience @ DeliveryMessage::PatienceOver { .. }) => Some(patience.clone()),
        _ => None,
    });
    let effects = bench.tell(patience.expect("nobody waits for ever"));
    let drone = Mail::Drone(DroneId(1), DroneMessage::BringBack { delivery: id(1) });
    assert_eq!(sent(&effects), [&drone]);
}
