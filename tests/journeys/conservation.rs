//! Every request ends in exactly one way, and then nobody holds anything for it, whatever fails on
//! the way: in random worlds with faults at every step, customers who change their minds, falling
//! drones, drones and hubs that come and go, panicking actors, and never enough of anything.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use skyhaul::engine::{Admission, Engine};
use skyhaul::scenario;
use skyhaul::sim::command::{Command, DeliveryWrite};
use skyhaul::sim::event::{DeliveryEvent, Event, Happening, SupervisorEvent};
use skyhaul::sim::geo::LatLon;
use skyhaul::sim::ids::{DeliveryId, DroneId, HubId};
use skyhaul::sim::order::Reschedule;
use skyhaul::sim::roster::{Change, RosterWrite};
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;

/// Ticks of a second in which customers order.
const BUSY: Tick = 1_500;
/// By then everything is over, or it never will be.
const PATIENCE: Tick = 60_000;

#[derive(Clone, Debug)]
struct Case {
    seed: u64,
    drones: u32,
    chargers: u32,
    vans: u32,
    backlog: u32,
    max_wait: &'static str,
    when_full: &'static str,
    heaviest_kg: f64,
    retries: u32,
    /// When, as ticks, and what.
    faults: Vec<(Tick, String)>,
    /// Each so many events one customer calls off, or changes, what is ordered then.
    cancel_each: usize,
    change_each: usize,
    /// When, as ticks, and which drones and hubs operators add or withdraw.
    roster: Vec<(Tick, Change)>,
}

fn roster() -> impl Strategy<Value = Change> {
    let model = prop::sample::select(vec!["zipline-p2", "wing"]);
    let added = (0_u16..2, model, 1_u32..4).prop_map(|(hub, model, count)| Change::AddDrones {
        hub: HubId(hub),
        model: model.to_owned(),
        count,
    });
    let hub = Just(Change::AddHub {
        key: "park".into(),
        name: "Park".into(),
        location: LatLon {
            lat: 37.7596,
            lon: -122.4269,
        },
        pads: 2,
        chargers: 1,
    });
    let hub_withdrawn = (1_u16..2, any::<bool>()).prop_map(|(hub, with_drones)| Change::WithdrawHub {
        hub: HubId(hub),
        with_drones,
    });
    let withdrawn = (0_u32..16).prop_map(|drone| Change::WithdrawDrone(DroneId(drone)));
    prop_oneof![3 => added, 3 => hub, 1 => hub_withdrawn, 4 => withdrawn]
}

fn fault() -> impl Strategy<Value = String> {
    let step = prop::sample::select(vec!["account", "package", "third_party", "drone", "delivery"]);
    let how = prop::sample::select(vec![
        "kind = \"step_fail\"",
        "kind = \"step_fail\"\nmode = \"answer_lost\"",
        "kind = \"step_slow\"",
    ]);
    let long = prop::sample::select(vec![
        "",
        "duration = \"2s\"",
        "duration = \"40s\"",
        "duration = \"4m\"",
    ]);
    let of_step =
        (step, how, long).prop_map(|(step, how, long)| format!("{how}\ntarget = \"{step}\"\n{long}"));
    let victims = vec![
        "scheduler",
        "fleet",
        "drone",
        "delivery",
        "account",
        "package",
        "transport",
        "supervisor",
    ];
    let panic = prop::sample::select(victims)
        .prop_map(|victim| format!("kind = \"actor_panic\"\ntarget = \"{victim}\""));
    let falls = (0_u32..3).prop_map(|drone| format!("kind = \"rotor_out\"\ntarget = \"d-{drone}\""));
    let carrier = prop::sample::select(vec!["", "duration = \"3m\""])
        .prop_map(|long| format!("kind = \"carrier_down\"\n{long}"));
    let hub = Just("kind = \"hub_closed\"\ntarget = \"mission\"\nduration = \"3m\"".to_owned());
    prop_oneof![8 => of_step, 3 => panic, 1 => falls, 1 => carrier, 1 => hub]
}

fn case() -> impl Strategy<Value = Case> {
    let world = (any::<u32>(), 3_u32..12, 1_u32..4, 0_u32..6, 0_u32..12);
    let rules = (
        prop::sample::select(vec!["30s", "3m"]),
        prop::sample::select(vec!["third_party", "fail"]),
        prop::sample::select(vec![1.0, 4.0]),
        0_u32..4,
    );
    let faults = prop::collection::vec((1..BUSY, fault()), 0..24);
    let roster = prop::collection::vec((1..BUSY, roster()), 0..16);
    (world, rules, faults, 3_usize..40, 3_usize..40, roster).prop_map(
        |((seed, drones, chargers, vans, backlog), rules, faults, cancel_each, change_each, roster)| {
            let (max_wait, when_full, heaviest_kg, retries) = rules;
            Case {
                seed: seed.into(),
                drones,
                chargers,
                vans,
                backlog,
                max_wait,
                when_full,
                heaviest_kg,
                retries,
                faults,
                cancel_each,
                change_each,
                roster,
            }
        },
    )
}

fn world(case: &Case) -> World {
    let Case {
        seed,
        drones,
        chargers,
        vans,
        backlog,
        max_wait,
        when_full,
        heaviest_kg,
        retries,
        ..
    } = case;
    // Few enough that some hold.
    let pads = 1 + seed % 2;
    let positioning = ["none", "demand"][(seed / 2 % 2) as usize];
    let mut text = format!(
        r#"
name = "conservation"
seed = {seed}
start = "2026-06-01T18:00:00Z"
duration = "1h"
tick = "1s"
[area]
bbox = [-122.44, 37.74, -122.39, 37.78]
[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = {pads}
chargers = {chargers}
[[fleet]]
hub = "mission"
model = "zipline-p2"
count = {drones}
[model.zipline-p2]
base = "zipline-p2"
battery = {{ charge_power = 8000.0 }}
[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]
[[place]]
name = "General Hospital"
location = [37.7557, -122.4045]
[demand]
rate = "900/h"
dropoff = {{ spread = "places" }}
payload = {{ min = 0.2, max = {heaviest_kg} }}
expedited = 0.2
[dispatch]
backlog = {backlog}
max_wait = "{max_wait}"
when_full = "{when_full}"
positioning = "{positioning}"
[third_party]
capacity = {vans}
pickup_delay = "2m"
[workflow]
step_timeout = "5s"
retries = {retries}
backoff_max = "8s"
breaker_pause = "10s"
"#
    );
    for (at, fault) in &case.faults {
        writeln!(text, "[[fault]]\nat = \"{at}s\"\n{fault}").expect("a string takes all that is written");
    }
    let parsed = scenario::parse(&text, "conservation.toml", Path::new(""));
    parsed.unwrap_or_else(|log| panic!("{log:?}\n{text}")).world
}

/// What a case has come to.
#[derive(Default)]
struct Ledger {
    lives: BTreeMap<DeliveryId, Vec<Event>>,
    letters: BTreeMap<DeliveryId, u32>,
    events: usize,
}

impl Ledger {
    /// Answers with what customers want next.
    fn hear(&mut self, case: &Case, events: Vec<Event>) -> Vec<Command> {
        let mut wanted = Vec::new();
        for event in events {
            match &event.happening {
                Happening::Delivery(id, _) => {
                    let id = *id;
                    self.events += 1;
                    if self.events.is_multiple_of(case.cancel_each) {
                        wanted.push(Command::Delivery(id, DeliveryWrite::Cancel));
                    }
                    if self.events.is_multiple_of(case.change_each) {
                        let change = Reschedule {
                            expedited: Some(true),
                            ..Reschedule::default()
                        };
                        wanted.push(Command::Delivery(id, DeliveryWrite::Reschedule(Arc::new(change))));
                    }
                    self.lives.entry(id).or_default().push(event);
                }
                Happening::Supervisor(SupervisorEvent::DeadLettered { id, times, .. }) => {
                    self.letters.insert(*id, *times);
                }
                Happening::Supervisor(SupervisorEvent::Resolved { id }) => {
                    self.letters
                        .remove(id)
                        .expect("what is resolved was a dead letter");
                }
                _ => {}
            }
        }
        wanted
    }
}

async fn tick(engine: &mut Engine, commands: Vec<Command>) -> Vec<Event> {
    let through = engine.admitted_through() + commands.len() as u64;
    let outcome = engine.tick(Admission { through, commands }).await;
    outcome.expect("the world goes on").events
}

async fn live_through(case: &Case) -> Ledger {
    let world = Arc::new(world(case));
    let arbiter = actix::Arbiter::current();
    let mut engine = Engine::genesis(world, 1, vec![arbiter]).expect("one thread is enough");
    let mut ledger = Ledger::default();
    let mut wanted = Vec::new();
    while engine.tick_number() < BUSY {
        let events = tick(&mut engine, std::mem::take(&mut wanted)).await;
        wanted = ledger.hear(case, events);
        let next = engine.tick_number() + 1;
        let due = case.roster.iter().filter(|(tick, _)| *tick == next);
        wanted.extend(due.map(|(_, change)| {
            Command::Roster(RosterWrite {
                change: change.clone(),
                idempotency_key: None,
            })
        }));
        if engine.tick_number().is_multiple_of(100) {
            let audit = engine.audit().await.expect("everyone answers");
            assert_eq!(audit.wrong, Vec::<String>::new(), "at {}", engine.tick_number());
        }
    }
    wanted.push(Command::SetDemand(false));
    loop {
        let events = tick(&mut engine, std::mem::take(&mut wanted)).await;
        ledger.hear(case, events);
        if engine.tick_number().is_multiple_of(100) {
            let audit = engine.audit().await.expect("everyone answers");
            assert_eq!(audit.wrong, Vec::<String>::new(), "at {}", engine.tick_number());
            if audit.is_idle() {
                return ledger;
            }
            assert!(engine.tick_number() < PATIENCE, "it does not end: {audit:?}");
            wanted = ledger
                .letters
                .keys()
                .copied()
                .map(Command::RetryDeadLetter)
                .collect();
        }
    }
}

fn check(ledger: &Ledger) {
    for (id, life) in &ledger.lives {
        let numbers: Vec<u32> = life.iter().map(|event| event.seq).collect();
        assert!(
            numbers.iter().copied().eq(1..=numbers.len() as u32),
            "{id}: {numbers:?}"
        );
        let ends = life.iter().filter(|event| {
            matches!(
                event.happening,
                Happening::Delivery(
                    _,
                    DeliveryEvent::Completed { .. } | DeliveryEvent::Failed { .. } | DeliveryEvent::Cancelled
                )
            )
        });
        assert_eq!(ends.count(), 1, "{id}: {life:#?}");
        let last = &life[life.len() - 1];
        assert!(
            matches!(
                last.happening,
                Happening::Delivery(
                    _,
                    DeliveryEvent::Completed { .. } | DeliveryEvent::Failed { .. } | DeliveryEvent::Cancelled
                )
            ),
            "{id} goes on after its end: {life:#?}"
        );
        let begun =
            |event: &&Event| matches!(event.happening, Happening::Delivery(_, DeliveryEvent::Created));
        assert!(life.iter().filter(begun).count() <= 1, "{id} begins twice");
    }
    assert!(ledger.letters.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn every_request_ends_once_and_nothing_is_held_for_what_is_over(case in case()) {
        let ledger = actix::System::new().block_on(live_through(&case));
        prop_assert!(ledger.lives.len() > 100, "only {} requests", ledger.lives.len());
        check(&ledger);
    }
}
