//! Which drone takes a request, in a shipped world: the quick search against trying all.

use proptest::prelude::*;

use super::*;
use crate::sim::demand;
use crate::sim::dispatch::{self, Free, Moment};
use crate::sim::fleet_index::Pair;
use crate::sim::order::Order;
use crate::sim::world::{Model, PolicyKind, World};

/// What the rule says, in so many words: the earliest pick-up, a drone that lifts more than
/// another type that would do counting as two minutes later for each such type.
fn earliest_of_all(
    world: &World,
    pairs: &[Pair],
    order: &Order,
    energy_wh: &[Option<f64>],
) -> Option<(usize, f64)> {
    let able = pairs.iter().enumerate().filter_map(|(index, pair)| {
        let mission = dispatch::mission(world, SimTime::START, *pair, order)?;
        let need_wh = dispatch::energy_needed_wh(world, *pair, &mission);
        let quick_wh = dispatch::need_wh(world, SimTime::START, *pair, order);
        assert_eq!(quick_wh.map(f64::to_bits), Some(need_wh.to_bits()), "bit for bit");
        let enough = need_wh <= energy_wh[index]?;
        let lifts_kg = |model: &Model| model.max_payload_kg;
        let own_kg = lifts_kg(world.model(pair.model));
        let would_do =
            |model: &&Model| lifts_kg(model) >= order.package.weight_kg && lifts_kg(model) < own_kg;
        let spared_s = 120.0 * world.models.iter().filter(would_do).count() as f64;
        enough.then_some((index, mission.pickup_s, mission.pickup_s + spared_s))
    });
    let best = able.min_by(|a, b| a.2.total_cmp(&b.2));
    best.map(|(index, pickup_s, _)| (index, pickup_s))
}

/// One drone a pair at most, with this charge.
pub(super) struct Charges<'a>(pub &'a [Option<f64>]);

impl Free for Charges<'_> {
    fn fullest_wh(&self, pair: usize) -> Option<f64> {
        self.0[pair]
    }

    fn energies_wh(&self, pair: usize, at_most: usize) -> Vec<f64> {
        self.0[pair].into_iter().take(at_most).collect()
    }
}

#[test]
fn the_earliest_pick_up_is_found() {
    let world = load(&shipped("san-francisco.toml")).unwrap().world;
    let pairs = world.pairs().all();
    let capacity = |pair: &Pair| world.model(pair.model).battery.capacity_wh;
    let full: Vec<_> = pairs.iter().map(|pair| Some(capacity(pair))).collect();
    proptest!(|(
        tick in 0..100_000_u64,
        charges in prop::collection::vec(prop::option::of(0.0..1.0_f64), pairs.len()),
        kg in 0.1..6.0_f64,
        hub in prop::option::of(0..world.hubs.len()),
    )| {
        let energy: Vec<_> = pairs.iter().zip(&charges)
            .map(|(pair, charge)| charge.map(|share| share * capacity(pair)))
            .collect();
        let arrived = (tick..).find_map(|tick| demand::arrivals(&world, tick).pop());
        let mut order = Order::clone(&arrived.unwrap().1);
        order.package.weight_kg = kg;
        if let Some(hub) = hub {
            order.pickup.location = world.hubs[hub].location;
        }
        let at = Moment { world: &world, now: SimTime::START };
        let policy = PolicyKind::EarliestPickup.policy();
        let found = policy.at_once(at, &order, &Charges(&energy));
        let found = found.map(|(index, mission)| (index, mission.pickup_s));
        prop_assert_eq!(found, earliest_of_all(&world, pairs, &order, &energy));
        prop_assert_eq!(
            dispatch::is_servable(&world, SimTime::START, &order),
            earliest_of_all(&world, pairs, &order, &full).is_some()
        );
    });
}
