//! Which drone takes a request: the feasible one with the earliest pick-up.
//!
//! Drones of one type at one hub differ only in their charge, so the choice is between
//! (hub, type) pairs; the fleet's actor then sends its fullest drone of the pair.

use super::flight::{self, Errand, Mission};
use super::ids::{HubId, ModelId};
use super::order::Order;
use super::world::World;

/// A flight may take this much more than its plan says: the sky steps by ticks, the plan
/// integrates exactly (a property test holds the sky to it).
const PLAN_ERROR: f64 = 1.01;

/// A hub and a drone type at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub hub: HubId,
    pub model: ModelId,
}

/// The pairs that this world's fleets make up, each once, in order.
pub fn pairs(world: &World) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = world
        .fleets
        .iter()
        .map(|fleet| Pair {
            hub: fleet.hub,
            model: fleet.model,
        })
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Where a drone of this hub would fly for the order.
pub fn errand(world: &World, hub: HubId, order: &Order) -> Errand {
    let base = world.hub(hub).at;
    Errand {
        hub: base,
        pickup: world.area.point(order.pickup.location),
        dropoff: world.area.point(order.dropoff.location),
        home: base,
        payload_kg: order.package.weight_kg,
    }
}

/// The mission as a drone of this pair would fly it; `None` where the type cannot.
pub fn mission(world: &World, pair: Pair, order: &Order) -> Option<Mission> {
    flight::plan_delivery(
        world.model(pair.model),
        &world.weather,
        &errand(world, pair.hub, order),
    )
    .ok()
}

/// Energy that a battery must hold at take-off, the reserve included.
pub fn energy_needed_wh(world: &World, pair: Pair, mission: &Mission) -> f64 {
    let battery = &world.model(pair.model).battery;
    mission.energy_wh * PLAN_ERROR + battery.reserve * battery.capacity_wh
}

/// The pair and mission with the earliest pick-up among those whose fullest drone
/// (`energy_wh` by pair, `None` where no drone is free) can do it.
pub fn earliest_pickup(
    world: &World,
    pairs: &[Pair],
    order: &Order,
    energy_wh: impl Fn(usize) -> Option<f64>,
) -> Option<(usize, Mission)> {
    let mut candidates: Vec<(f64, usize, f64)> = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        let Some(energy) = energy_wh(index) else { continue };
        let errand = errand(world, pair.hub, order);
        let time = flight::time_to_pickup(world.model(pair.model), &world.weather, &errand);
        if let Ok(pickup_s) = time {
            candidates.push((pickup_s, index, energy));
        }
    }
    candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    candidates.into_iter().find_map(|(_, index, energy)| {
        let mission = mission(world, pairs[index], order)?;
        (energy_needed_wh(world, pairs[index], &mission) <= energy).then_some((index, mission))
    })
}

/// Whether any drone of this world could do it with a full battery. If not, only
/// third-party transport can.
pub fn is_servable(world: &World, pairs: &[Pair], order: &Order) -> bool {
    let full = |index: usize| Some(world.model(pairs[index].model).battery.capacity_wh);
    let inside = |stop: &super::order::Stop| world.area.bounds.contains(stop.location);
    inside(&order.pickup) && inside(&order.dropoff) && earliest_pickup(world, pairs, order, full).is_some()
}
