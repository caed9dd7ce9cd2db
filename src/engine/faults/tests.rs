//! Real panics, of actors in a running engine: nobody waits for ever, and all is as it was.

use std::sync::Arc;

use actix::Arbiter;

use super::*;
use crate::actors::testing::{self, STUMBLES, STUMBLING, id};
use crate::engine::{Admission, Outcome};
use crate::sim::account::Account;
use crate::sim::actor::Actor;
use crate::sim::command::{AccountWrite, Command};
use crate::sim::event::{AccountEvent, DeliveryEvent, DroneEvent, Happening, SupervisorEvent};
use crate::sim::ids::{DeliveryId, HubId};
use crate::sim::order::Order;
use crate::sim::time::SimDuration;
use crate::sim::workflow::FailureReason;

fn request(number: u64, order: Order) -> Command {
    Command::RequestDelivery {
        id: id(number),
        order: Arc::new(order),
        idempotency_key: None,
    }
}

fn register(name: &str, id: &str) -> Command {
    let name = name.to_owned();
    let account = Account::on_first_use(id);
    Command::Account(AccountWrite::Register(Account { name, ..account }))
}

/// What so many ticks come to when these commands are admitted in the first of them.
fn run(commands: Vec<Command>, threads: usize) -> Vec<Outcome> {
    run_for(100, commands, threads)
}

fn run_for(ticks: usize, commands: Vec<Command>, threads: usize) -> Vec<Outcome> {
    actix::System::new().block_on(async {
        let world = Arc::new(testing::world(4, 4));
        let arbiters = (0..threads).map(|_| Arbiter::new().handle()).collect();
        let mut engine = Engine::genesis(world, threads, arbiters).unwrap();
        let mut admission = Admission {
            through: commands.len() as u64,
            commands,
        };
        let mut outcomes = Vec::new();
        for _ in 0..ticks {
            outcomes.push(engine.tick(std::mem::take(&mut admission)).await.unwrap());
        }
        outcomes
    })
}

fn deliveries(outcomes: &[Outcome]) -> Vec<(DeliveryId, DeliveryEvent)> {
    let events = outcomes.iter().flat_map(|outcome| &outcome.events);
    let of_delivery = |happening: &Happening| match happening {
        Happening::Delivery(id, event) => Some((*id, event.clone())),
        _ => None,
    };
    events.filter_map(|event| of_delivery(&event.happening)).collect()
}

fn panics(outcomes: &[Outcome]) -> Vec<Actor> {
    outcomes
        .iter()
        .flat_map(|outcome| outcome.panics.clone())
        .collect()
}

fn commands() -> Vec<Command> {
    let good = testing::order(&testing::world(4, 4));
    let bad = Order {
        deadline: STUMBLES.to_owned(),
        ..good.clone()
    };
    let nowhere = Fault::HubClosed(HubId(999), SimDuration::from_secs(60.0));
    vec![
        request(1, good.clone()),
        request(2, bad),
        request(3, good),
        register("Café", "cafe"),
        register(STUMBLES, "stumbles"),
        register("Bar", "bar"),
        Command::Inject(nowhere),
    ]
}

#[test]
fn a_request_whose_admission_panics_fails_and_the_others_go_on() {
    let outcomes = run(commands(), 1);
    let told = deliveries(&outcomes);
    let of = |number| {
        let events = told.iter().filter(move |(of, _)| *of == id(number));
        events.map(|(_, event)| event.clone()).collect::<Vec<_>>()
    };
    let reason = FailureReason::InternalError;
    assert!(
        matches!(of(2)[..], [DeliveryEvent::Accepted { .. }, DeliveryEvent::Failed { reason: why }] if why == reason)
    );
    for number in [1, 3] {
        assert!(
            of(number)
                .iter()
                .any(|event| matches!(event, DeliveryEvent::HeadedToPickup { .. }))
        );
    }
    assert_eq!(
        panics(&outcomes),
        [Actor::Scheduler, Actor::Fleet, Actor::Accounts]
    );
    assert_eq!(outcomes[0].panics.len(), 3, "once, and not again");
}

#[test]
fn whoever_wrote_what_an_actor_panicked_over_is_answered_and_nothing_of_it_is_there() {
    let outcomes = run(commands(), 1);
    let mut replies: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| outcome.replies.clone())
        .collect();
    replies.sort_by_key(|(ReplyTo(number), _)| *number);
    let stumbled = Decision::Refused(Objection::Stumbled);
    let expected = [
        (4, Decision::Done),
        (5, stumbled.clone()),
        (6, Decision::Done),
        (7, stumbled),
    ];
    assert_eq!(
        replies,
        expected.map(|(number, decision)| (ReplyTo(number), decision))
    );
    let events = outcomes.iter().flat_map(|outcome| &outcome.events);
    let accounts: Vec<_> = events
        .filter_map(|event| match &event.happening {
            Happening::Account(event) => match &**event {
                AccountEvent::Registered(account) => Some(account.id.as_str()),
                AccountEvent::Changed(_) => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(accounts, ["cafe", "bar", "shop"]);
}

#[test]
fn what_comes_of_panics_is_the_same_whatever_the_threads() {
    let digests = [1, 2].map(|threads| run(commands(), threads).last().map(|outcome| outcome.digest));
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_panic_over_the_news_of_a_panic_is_no_news() {
    let context = Context {
        world: Arc::new(testing::world(1, 1)),
        tick: 1,
        now: crate::sim::time::SimTime::START,
    };
    let news = Mail::Supervisor(SupervisorMessage::Panicked {
        actor: Actor::Supervisor,
    });
    let (mut mail, mut decided, mut wakes) = (Vec::new(), Decided::default(), Wakes::default());
    for owed in [news.owed(), None] {
        let words = "again".to_owned();
        make_good(
            &context,
            Address::Supervisor,
            Panicked {
                words,
                owed,
                dropped: None,
            },
            &mut mail,
            &mut wakes,
            &mut decided,
        );
    }
    assert_eq!(mail, [news], "of the injected one alone");
    assert_eq!(decided.panics.len(), 2);
}

#[test]
fn who_waits_for_what_an_actor_panicked_over_does_not_wait_for_ever() {
    let order = testing::order(&testing::world(4, 4));
    let commands = STUMBLING.map(|number| request(number, order.clone())).to_vec();
    let outcomes = run_for(400, commands, 1);
    let stumbled = panics(&outcomes);
    let of_fleet = stumbled.iter().filter(|actor| **actor == Actor::Fleet).count();
    assert_eq!((of_fleet, stumbled.len()), (2, 4), "{stumbled:?}");
    let events = outcomes.iter().flat_map(|outcome| &outcome.events);
    let taken_off: Vec<_> = events
        .filter_map(|event| match &event.happening {
            Happening::Drone(_, DroneEvent::TakenOff { delivery, .. }) => Some((event.at, delivery.unwrap())),
            _ => None,
        })
        .collect();
    for number in STUMBLING {
        let (at, _) = taken_off
            .iter()
            .find(|(_, of)| *of == id(number))
            .expect("it leaves");
        assert!(at.as_secs() < 30.0, "{at:?}");
    }
}

/// The supervisor's own events of it.
#[test]
fn operators_hear_of_each_panic() {
    let outcomes = run(commands(), 1);
    let events = outcomes.iter().flat_map(|outcome| &outcome.events);
    let told = events.filter(|event| {
        matches!(
            event.happening,
            Happening::Supervisor(SupervisorEvent::ActorPanicked { .. })
        )
    });
    assert_eq!(told.count(), 3);
}
