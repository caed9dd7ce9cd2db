//! What holds for every delivery and every drone of a busy day, whatever the seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::run::{self, Summary};
use skyhaul::sim::command::Command;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::ids::{DeliveryId, DroneId, HubId};
use skyhaul::sim::order::Order;
use skyhaul::sim::world::World;

use crate::support::worlds::{busy, busy_where, tiny};

const THREADS: usize = 1;

/// Whom an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Delivery(DeliveryId),
    Drone(DroneId),
    Hub(HubId),
    Supervisor,
    Account(String),
    Package(String),
}

fn subject(event: &Event) -> Subject {
    match &event.happening {
        Happening::Delivery(id, _) => Subject::Delivery(*id),
        Happening::Drone(id, _) => Subject::Drone(*id),
        Happening::Hub(id, _) => Subject::Hub(*id),
        Happening::Supervisor(_) => Subject::Supervisor,
        Happening::Account(event) => Subject::Account(event.account().id.clone()),
        Happening::Package(stored) => Subject::Package(stored.package.id.clone()),
    }
}

/// All that happened, by whom it happened to, in order.
type Lives = BTreeMap<Subject, Vec<Event>>;

/// A day of the world, while which no battery leaves its bounds.
fn live_through(world: World) -> Lives {
    let until = world.duration.0 / world.tick.0;
    let mut lives = Lives::new();
    let run = headless::run(world.into(), THREADS, until, |engine, outcome| {
        for event in outcome.events {
            lives.entry(subject(&event)).or_default().push(event);
        }
        for drone in &outcome.grounded {
            assert_grounded_battery(engine.world(), *drone, engine.sky().grounded(*drone));
        }
        true
    });
    run.expect("the world goes on to its end");
    lives
}

fn assert_grounded_battery(world: &World, drone: DroneId, grounded: Option<skyhaul::sim::sky::Grounded>) {
    let Some(grounded) = grounded else { return };
    let fleet = world.fleet_of(drone).expect("every drone belongs to a fleet");
    let capacity_wh = world.model(fleet.model).battery.capacity_wh;
    assert!(
        (0.0..=capacity_wh).contains(&grounded.energy_wh),
        "{drone} holds {} of {capacity_wh} Wh",
        grounded.energy_wh
    );
}

fn worlds() -> impl Iterator<Item = World> {
    let busy = (1..=6).map(|seed| World { seed, ..busy() });
    busy.chain([tiny()])
}

#[test]
fn every_subject_is_numbered_without_holes_and_in_time() {
    for world in worlds() {
        for (subject, events) in live_through(world) {
            for (expected, event) in (1..).zip(&events) {
                assert_eq!(event.seq, expected, "{subject:?}");
            }
            assert!(
                events.is_sorted_by_key(|event| event.at),
                "{subject:?} goes back in time"
            );
        }
    }
}

fn ends(event: &Event) -> bool {
    let Happening::Delivery(_, event) = &event.happening else {
        return false;
    };
    matches!(
        event,
        DeliveryEvent::Completed { .. } | DeliveryEvent::Failed { .. }
    )
}

#[test]
fn a_delivery_begins_once_and_ends_at_most_once_with_nothing_after_it() {
    let (mut completed, mut failed) = (0, 0);
    for world in worlds() {
        for (subject, events) in live_through(world) {
            if !matches!(subject, Subject::Delivery(_)) {
                continue;
            }
            let accepted = |event: &Event| {
                matches!(
                    &event.happening,
                    Happening::Delivery(_, DeliveryEvent::Accepted { .. })
                )
            };
            assert!(accepted(&events[0]), "{subject:?} begins with {:?}", events[0]);
            assert!(!events[1..].iter().any(accepted), "{subject:?} begins twice");
            let end = events.iter().position(ends);
            assert!(
                end.is_none_or(|end| end == events.len() - 1),
                "{subject:?} goes on after its end"
            );
            match end.map(|end| &events[end].happening) {
                Some(Happening::Delivery(_, DeliveryEvent::Completed { .. })) => completed += 1,
                Some(_) => failed += 1,
                None => {}
            }
        }
    }
    assert!(
        completed > 100 && failed > 20,
        "a day that shows little: {completed} completed, {failed} failed"
    );
}

#[test]
fn a_drone_lands_as_often_as_it_takes_off_having_used_energy_on_its_way() {
    let mut landings = 0;
    for world in worlds() {
        let models = (0..world.drone_count()).map(DroneId);
        let capacities: Vec<f64> = models
            .map(|drone| {
                world
                    .model(world.fleet_of(drone).expect("a fleet").model)
                    .battery
                    .capacity_wh
            })
            .collect();
        for (subject, events) in live_through(world) {
            let Subject::Drone(drone) = subject else { continue };
            let (mut airborne, mut held) = (false, false);
            for event in &events {
                match &event.happening {
                    Happening::Drone(_, DroneEvent::TakenOff { delivery, .. }) => {
                        assert!(!airborne && delivery.is_some(), "{drone} takes off in the air");
                        (airborne, held) = (true, false);
                    }
                    Happening::Drone(
                        _,
                        DroneEvent::Landed {
                            energy_wh,
                            distance_m,
                            airborne_s,
                            ..
                        },
                    ) => {
                        assert!(airborne, "{drone} lands on the ground");
                        assert!(
                            *energy_wh > 0.0 && *energy_wh <= capacities[drone.index()],
                            "{event:?}"
                        );
                        assert!(*distance_m > 0.0 && *airborne_s > 0.0, "{event:?}");
                        airborne = false;
                        landings += 1;
                    }
                    Happening::Drone(_, DroneEvent::CameTooClose { proximity: near, .. }) => {
                        assert!(airborne && near.other != drone, "{event:?}");
                        assert!(
                            near.distance_m < 50.0 && near.height_difference_m < 15.0,
                            "{event:?}"
                        );
                    }
                    // For a pad, which is what the reserve is for.
                    Happening::Drone(_, DroneEvent::Holding) => {
                        assert!(airborne, "{drone} holds on the ground");
                        held = true;
                    }
                    Happening::Drone(_, DroneEvent::LowBattery) if held => {}
                    Happening::Drone(_, other) => panic!("{drone} in steady wind: {other:?}"),
                    _ => {}
                }
            }
        }
    }
    assert!(landings > 100, "only {landings} landings");
}

#[test]
fn the_summary_balances_and_agrees_with_the_events() {
    for world in worlds() {
        let until = world.duration.0 / world.tick.0;
        let lives = live_through(world.clone());
        let ended = run::run(world.into(), THREADS, until, false, |_| {});
        let summary = ended.expect("the world goes on to its end").summary;
        let totals = summary.deliveries;
        let parts =
            totals.completed + totals.cancelled + totals.failed + totals.third_party + totals.in_progress;
        assert_eq!(totals.requested, parts, "{totals:?}");

        let flights: Vec<Flight> = lives.values().flatten().filter_map(flight).collect();
        let lives: Vec<&Vec<Event>> = lives
            .iter()
            .filter_map(|(subject, events)| matches!(subject, Subject::Delivery(_)).then_some(events))
            .collect();
        let under_way = lives.iter().filter(|events| !events.iter().any(ends));
        assert_eq!(totals.requested, lives.len() as u64);
        let (by_van, others): (Vec<&&Vec<Event>>, Vec<_>) =
            under_way.partition(|events| is_with_carrier(events));
        assert_eq!(totals.in_progress, others.len() as u64);
        assert!(totals.third_party >= by_van.len() as u64);
        assert_flights_add_up(&summary, &flights);
        assert_sane(&summary);
    }
}

/// Who comes for it, or has it, is the carrier.
fn is_with_carrier(events: &[Event]) -> bool {
    let bearer = events.iter().rev().find_map(|event| match event.happening {
        Happening::Delivery(_, DeliveryEvent::HandedToCarrier { .. }) => Some(true),
        Happening::Delivery(_, DeliveryEvent::Assigned { .. } | DeliveryEvent::Delayed { .. }) => Some(false),
        _ => None,
    });
    bearer.unwrap_or(false)
}

struct Flight {
    energy_wh: f64,
    distance_m: f64,
    airborne_s: f64,
}

fn flight(event: &Event) -> Option<Flight> {
    match event.happening {
        Happening::Drone(
            _,
            DroneEvent::Landed {
                energy_wh,
                distance_m,
                airborne_s,
                ..
            },
        ) => Some(Flight {
            energy_wh,
            distance_m,
            airborne_s,
        }),
        _ => None,
    }
}

fn assert_flights_add_up(summary: &Summary, flights: &[Flight]) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
    let sum = |part: fn(&Flight) -> f64| flights.iter().map(part).sum::<f64>();
    let (energy_wh, airborne_s) = (sum(|flight| flight.energy_wh), sum(|flight| flight.airborne_s));
    let km = sum(|flight| flight.distance_m) / 1_000.0;
    let energy = &summary.energy;
    assert!(near(energy.total_wh, energy_wh), "{energy:?}");
    assert!(near(energy.wh_per_km.unwrap(), energy_wh / km), "{energy:?}");
    let hours = summary.separation.flight_hours / (airborne_s / 3_600.0);
    assert!(hours > 0.99 && hours < 1.5, "{hours} of those that ended");
    // Whoever is still up, or loads on the ground, is in the mean and in no flight that ended.
    let flown = airborne_s / summary.sim_seconds;
    assert!(
        summary.airborne_mean > 0.9 * flown && summary.airborne_mean < 1.5 * flown,
        "{} up, {flown} by flights that ended",
        summary.airborne_mean
    );
}

/// What the world's own customers ordered, and when.
fn orders(world: World) -> Vec<(f64, Arc<Order>)> {
    let order = |event: &Event| match &event.happening {
        Happening::Delivery(_, DeliveryEvent::Accepted { order }) => {
            Some((event.at.as_secs(), Arc::clone(order)))
        }
        _ => None,
    };
    live_through(world).values().flatten().filter_map(order).collect()
}

#[test]
fn customers_order_as_often_and_as_much_as_the_scenario_says() {
    let orders: Vec<_> = (1..=6)
        .flat_map(|seed| orders(World { seed, ..busy() }))
        .collect();
    // 240 an hour for half an hour, six times: 720, give or take four standard deviations.
    assert!((613..=827).contains(&orders.len()), "{} orders", orders.len());
    let share = |fits: fn(&Order) -> bool| {
        orders.iter().filter(|(_, order)| fits(order)).count() as f64 / orders.len() as f64
    };
    assert!((0.14..0.26).contains(&share(|order| order.expedited)));
    assert_eq!(share(|order| (0.2..=3.8).contains(&order.package.weight_kg)), 1.0);
    for heavier_half in [false, true] {
        let (low, high) = if heavier_half { (2.0, 3.8) } else { (0.2, 2.0) };
        let weights = orders.iter().map(|(_, order)| order.package.weight_kg);
        let here = weights.filter(|kg| (low..high).contains(kg)).count() as f64 / orders.len() as f64;
        assert!((0.42..0.58).contains(&here), "{here} weigh {low} to {high} kg");
    }
}

#[test]
fn a_scripted_request_comes_at_its_time_and_once() {
    let story = r#"[[request]]
at = "2m"
pickup = "Dolores Park"
dropoff = "City Hall"
payload = 0.8
tag = "hero"

[demand]"#;
    let orders = orders(busy_where("[demand]", story));
    let heroes: Vec<_> = orders
        .iter()
        .filter(|(_, order)| order.package.tag.as_deref() == Some("hero"))
        .collect();
    let [(at, order)] = heroes[..] else {
        panic!("{} heroes", heroes.len())
    };
    assert!((120.0..=120.1).contains(at), "at {at} s");
    assert_eq!(order.package.weight_kg, 0.8);
}

fn assert_sane(summary: &Summary) {
    let energy = &summary.energy;
    let held = summary.fleet_use.holds > 0;
    assert!(
        held || energy.reserve_dips == 0,
        "steady wind is planned for: {energy:?}"
    );
    assert!(
        energy.total_wh > 0.0 && energy.wh_per_km.is_some_and(|wh| (1.0..500.0).contains(&wh)),
        "{energy:?}"
    );
    assert!(summary.airborne_mean <= f64::from(summary.drones));
    assert!(
        summary
            .eta
            .late_share
            .is_none_or(|share| (0.0..=1.0).contains(&share))
    );
}

/// The customers go home, and the world goes on until nobody waits: then every delivery
/// has ended, once.
#[test]
fn when_the_customers_stop_every_delivery_comes_to_its_one_end() {
    const RUSH: u64 = 18_000;
    const LONG_ENOUGH: u64 = 200_000;
    let ended = actix::System::new().block_on(async {
        let arbiters = headless::arbiters(THREADS);
        // Nothing that only third-party transport could carry: that waits.
        let world = busy_where("max = 3.8", "max = 3.4");
        let mut engine = Engine::genesis(world.into(), THREADS, arbiters).expect("one thread is enough");
        let mut open = BTreeMap::new();
        let mut ended = 0;
        while engine.tick_number() < LONG_ENOUGH && (engine.tick_number() <= RUSH || !open.is_empty()) {
            let mut admission = Admission::default();
            if engine.tick_number() == RUSH {
                admission.commands.push(Command::SetDemand(false));
            }
            for event in engine.tick(admission).await.expect("nobody panics").events {
                let Happening::Delivery(id, kind) = &event.happening else {
                    continue;
                };
                if matches!(kind, DeliveryEvent::Accepted { .. }) {
                    assert_eq!(open.insert(*id, event.at), None, "{id} begins twice");
                } else if ends(&event) {
                    assert!(open.remove(id).is_some(), "{id} ends twice, or before it began");
                    ended += 1;
                } else {
                    assert!(open.contains_key(id), "{id} goes on after its end: {kind:?}");
                }
            }
        }
        assert!(open.is_empty(), "these never end: {open:?}");
        ended
    });
    assert!(ended > 50, "{ended} is not busy");
}
