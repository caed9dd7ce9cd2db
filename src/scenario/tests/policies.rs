//! The dispatch policies, each against what it says of itself.

use proptest::prelude::*;

use super::choices::Charges;
use super::*;
use crate::sim::dispatch::claims::Place;
use crate::sim::dispatch::{self, Free, Match, Moment, Waiting};
use crate::sim::fleet_index::Pair;
use crate::sim::geo::LatLon;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::world::{PolicyKind, World};

const PICKUP: LatLon = LatLon {
    lat: 37.75,
    lon: -122.42,
};
/// Degrees of longitude here.
const KM: f64 = 1.0 / 88.1;

/// A hub for each (kilometres east of the pick-up, type); still air.
fn world(hubs: &[(f64, &str)]) -> World {
    let mut source = r#"
name = "policies"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "1h"
[area]
bbox = [-122.52, 37.70, -122.32, 37.80]
"#
    .to_owned();
    for (number, (east_km, model)) in hubs.iter().enumerate() {
        let lon = PICKUP.lon + east_km * KM;
        source += &format!(
            "[[hub]]\nid = \"h{number}\"\nlocation = [{}, {lon}]\n\
             [[fleet]]\nhub = \"h{number}\"\nmodel = \"{model}\"\ncount = 1\n",
            PICKUP.lat
        );
    }
    parse(&source, "policies.toml", Path::new("")).unwrap().world
}

/// Half a kilometre from a place so far east of the usual one.
fn order(east_km: f64, kg: f64) -> Order {
    let stop = |lat, lon| Stop {
        location: LatLon { lat, lon },
        altitude_m: 0.0,
    };
    let lon = PICKUP.lon + east_km * KM;
    Order {
        owner: Owner::account("shop"),
        pickup: stop(PICKUP.lat, lon),
        dropoff: stop(PICKUP.lat + 0.0045, lon),
        package: Package {
            id: "p".into(),
            size: ContainerSize::Small,
            weight_kg: kg,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    }
}

fn full(world: &World) -> Vec<Option<f64>> {
    let pairs = world.pairs().all().iter();
    pairs
        .map(|pair| Some(world.model(pair.model).battery.capacity_wh))
        .collect()
}

fn at_once(policy: PolicyKind, world: &World, order: &Order) -> Option<usize> {
    let now = SimTime::START;
    let found = policy
        .policy()
        .at_once(Moment { world, now }, order, &Charges(&full(world)));
    found.map(|(pair, _)| pair)
}

/// (request, pair) of a round ten minutes after the start.
fn round(world: &World, waiting: &[(&Order, f64)], energy_wh: &[Option<f64>]) -> Vec<(usize, usize)> {
    let waiting: Vec<Waiting<'_>> = waiting
        .iter()
        .map(|(order, since)| Waiting {
            order,
            since: SimTime::from_secs(*since),
            saved: None,
        })
        .collect();
    let now = SimTime::from_secs(600.0);
    let found = PolicyKind::Batch
        .policy()
        .round(Moment { world, now }, &waiting, &Charges(energy_wh));
    let named = |found: Match| (found.waiting, found.pair);
    found.into_iter().map(named).collect()
}

#[test]
fn the_nearest_is_not_always_the_first_to_be_there() {
    let world = world(&[(2.5, "m100"), (2.6, "wing"), (-5.0, "wing")]);
    let order = order(0.0, 0.3);
    assert_eq!(at_once(PolicyKind::Nearest, &world, &order), Some(0));
    assert_eq!(at_once(PolicyKind::EarliestPickup, &world, &order), Some(1));
    assert_eq!(
        at_once(PolicyKind::Batch, &world, &order),
        None,
        "it waits for the round"
    );
}

#[test]
fn the_nearest_that_can_is_taken() {
    let world = world(&[(0.5, "m100"), (1.0, "wing"), (3.0, "zipline-p2")]);
    assert_eq!(at_once(PolicyKind::Nearest, &world, &order(0.0, 1.0)), Some(1));
    assert_eq!(at_once(PolicyKind::Nearest, &world, &order(0.0, 3.0)), Some(2));
    assert_eq!(at_once(PolicyKind::Nearest, &world, &order(0.0, 9.0)), None);
}

#[test]
fn a_round_sees_that_the_nearest_for_one_is_the_only_near_one_for_another() {
    let world = world(&[(0.0, "wing"), (3.0, "wing")]);
    let (between, beyond) = (order(1.0, 0.5), order(-2.0, 0.5));
    let found = round(&world, &[(&between, 0.0), (&beyond, 0.0)], &full(&world));
    assert_eq!(found, [(0, 1), (1, 0)]);
}

#[test]
fn as_many_as_possible_are_served() {
    let world = world(&[(0.2, "zipline-p2"), (6.0, "wing")]);
    let (light, heavy) = (order(0.0, 0.5), order(0.0, 3.0));
    let found = round(&world, &[(&light, 0.0), (&heavy, 0.0)], &full(&world));
    assert_eq!(found, [(0, 1), (1, 0)]);
    let found = round(&world, &[(&heavy, 0.0), (&heavy, 0.0)], &full(&world));
    assert_eq!(found, [(0, 0)], "only one of them can lift it");
}

#[test]
fn who_gets_the_only_drone() {
    let world = world(&[(1.0, "wing")]);
    let only = |first: &Order, second: &Order, since: f64| {
        let found = round(&world, &[(first, since), (second, 590.0)], &full(&world));
        assert_eq!(found.len(), 1);
        found[0].0
    };
    let usual = order(0.0, 0.5);
    let expedited = Order {
        expedited: true,
        ..usual.clone()
    };
    let due = |deadline: &str| Order {
        deadline: deadline.to_owned(),
        ..usual.clone()
    };
    assert_eq!(only(&usual, &usual, 0.0), 0, "who has waited longer");
    assert_eq!(
        only(&usual, &order(0.9, 0.5), 500.0),
        0,
        "ninety seconds count more than two of flight"
    );
    assert_eq!(only(&usual, &order(0.9, 0.5), 589.0), 1, "else the shorter way");
    assert_eq!(only(&usual, &expedited, 0.0), 1);
    assert_eq!(
        only(&usual, &due("2026-06-01T18:05:00Z"), 0.0),
        1,
        "it is late already"
    );
    assert_eq!(only(&usual, &due("2026-06-01T20:00:00Z"), 0.0), 0, "it has time");
    assert_eq!(only(&usual, &due("before lunch"), 0.0), 0, "words are for people");
}

#[test]
fn a_strong_drone_is_spared_for_who_needs_it() {
    let world = world(&[(0.5, "zipline-p2"), (2.5, "wing")]);
    let light = order(0.0, 0.5);
    assert_eq!(at_once(PolicyKind::Nearest, &world, &light), Some(0));
    assert_eq!(at_once(PolicyKind::EarliestPickup, &world, &light), Some(1));
    assert_eq!(round(&world, &[(&light, 0.0)], &full(&world)), [(0, 1)]);
    let only_strong = [full(&world)[0], None];
    assert_eq!(
        round(&world, &[(&light, 0.0)], &only_strong),
        [(0, 0)],
        "but not for long"
    );
}

/// What a round weighs: seconds to the door, and two minutes for each weaker type that would do.
fn worth_s(world: &World, pair: Pair, order: &Order, delivery_s: f64) -> f64 {
    let own_kg = world.model(pair.model).max_payload_kg;
    let kilograms = world.models.iter().map(|model| model.max_payload_kg);
    let weaker = kilograms.filter(|kg| *kg < own_kg && *kg >= order.package.weight_kg);
    delivery_s + 120.0 * weaker.count() as f64
}

/// The least sum of that among the ways to serve as many as possible: (how many, s).
fn best_of_all(world: &World, orders: &[Order], energy_wh: &mut [Option<f64>]) -> (usize, f64) {
    let Some((order, others)) = orders.split_first() else {
        return (0, 0.0);
    };
    let mut best = best_of_all(world, others, energy_wh);
    for index in 0..energy_wh.len() {
        let pair = world.pairs().get(index);
        let Some(mission) = dispatch::mission(world, SimTime::from_secs(600.0), pair, order) else {
            continue;
        };
        let Some(energy) = energy_wh[index] else { continue };
        if dispatch::energy_needed_wh(world, pair, &mission) > energy {
            continue;
        }
        energy_wh[index] = None;
        let (served, sum_s) = best_of_all(world, others, energy_wh);
        energy_wh[index] = Some(energy);
        let with = (
            served + 1,
            sum_s + worth_s(world, pair, order, mission.delivery_s),
        );
        if with.0 > best.0 || with.0 == best.0 && with.1 < best.1 {
            best = with;
        }
    }
    best
}

#[test]
fn a_round_is_as_good_as_the_best_of_all_ways() {
    let hubs = [(-3.0, "wing"), (0.5, "m100"), (1.0, "zipline-p2"), (4.0, "wing")];
    let world = world(&hubs);
    let capacity = full(&world);
    proptest!(|(
        orders in prop::collection::vec((-4.0..4.0_f64, 0.1..3.0_f64), 1..5),
        charges in prop::collection::vec(prop::option::of(0.0..1.0_f64), hubs.len()),
    )| {
        let orders: Vec<Order> = orders.into_iter().map(|(east_km, kg)| order(east_km, kg)).collect();
        let mut energy: Vec<Option<f64>> = capacity.iter().zip(&charges)
            .map(|(full, charge)| Some((*full)? * (*charge)?))
            .collect();
        let waiting: Vec<(&Order, f64)> = orders.iter().map(|order| (order, 600.0)).collect();
        let found = round(&world, &waiting, &energy);
        let now = SimTime::from_secs(600.0);
        let takes = |(request, pair): &(usize, usize)| {
            let pair = world.pairs().get(*pair);
            let order = &orders[*request];
            let mission = dispatch::mission(&world, now, pair, order).unwrap();
            worth_s(&world, pair, order, mission.delivery_s)
        };
        let sum_s: f64 = found.iter().map(takes).sum();
        let (served, best_s) = best_of_all(&world, &orders, &mut energy);
        prop_assert_eq!(found.len(), served);
        if found.len() == orders.len() {
            prop_assert!((sum_s - best_s).abs() < 0.01, "{sum_s} {best_s}");
        }
    });
}

/// All drones are saved.
struct Saved<'a>(Charges<'a>);

impl Free for Saved<'_> {
    fn fullest_wh(&self, _: usize) -> Option<f64> {
        None
    }

    fn energies_wh(&self, pair: usize, at_most: usize) -> Vec<f64> {
        self.0.energies_wh(pair, at_most)
    }

    fn saved(&self, _: usize) -> usize {
        1
    }
}

#[test]
fn a_round_gives_what_is_saved_to_who_has_a_claim() {
    let world = world(&[(0.2, "wing")]);
    let (order, energy_wh) = (order(0.0, 0.3), full(&world));
    let given = |saved| {
        let since = SimTime::START;
        let waiting = [None, saved].map(|saved| Waiting {
            order: &order,
            since,
            saved,
        });
        let now = SimTime::from_secs(600.0);
        let at = Moment { world: &world, now };
        let free = Saved(Charges(&energy_wh));
        let found = PolicyKind::Batch.policy().round(at, &waiting, &free);
        found.into_iter().map(|found| found.waiting).collect::<Vec<_>>()
    };
    let place = |behind| Some(Place { pair: 0, behind });
    assert_eq!((given(None), given(place(0))), (vec![], vec![1]));
    assert!(given(place(1)).is_empty(), "it is saved for another");
}
