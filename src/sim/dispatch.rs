//! Which drone takes a request: the feasible one with the earliest pick-up.
//!
//! Drones of one type at one hub differ only in their charge, so the choice is between
//! (hub, type) pairs; the fleet's actor then sends its fullest drone of the pair.

use super::fleet_index::Pair;
use super::flight::{self, Errand, Mission};
use super::ids::HubId;
use super::motion::positive;
use super::order::{ConfirmationRequired, Order, Stop};
use super::route;
use super::time::SimTime;
use super::world::World;

/// A flight may take this much more than its plan says: the sky steps by ticks, the plan
/// integrates exactly (a property test holds the sky to it).
const PLAN_ERROR: f64 = 1.01;

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

/// The mission as a drone of this pair would fly it; `None` where the type cannot. Its energy
/// is enough for a recipient who does not come to the door.
pub fn mission(world: &World, now: SimTime, pair: Pair, order: &Order) -> Option<Mission> {
    let (model, air) = (world.model(pair.model), world.air(now));
    let errand = errand(world, pair.hub, order);
    let mut mission = flight::plan_delivery(model, &air, &errand).ok()?;
    if order.confirmation != ConfirmationRequired::None {
        let patience_s = world.recipient.patience.as_secs();
        let (door, home) = (errand.dropoff, errand.home);
        let waiting = flight::waiting_costs_wh(model, &air, door, home, errand.payload_kg, patience_s);
        mission.energy_wh += waiting.ok()?;
    }
    Some(mission)
}

/// Energy that a battery must hold at take-off, the reserve included.
pub fn energy_needed_wh(world: &World, pair: Pair, mission: &Mission) -> f64 {
    let battery = &world.model(pair.model).battery;
    with_margin_wh(mission.energy_wh) + battery.reserve * battery.capacity_wh
}

/// What a battery must hold for a flight that is planned to take so much; without the reserve.
pub fn with_margin_wh(planned_wh: f64) -> f64 {
    planned_wh * PLAN_ERROR
}

/// The pair and mission with the earliest pick-up among those whose fullest drone
/// (`energy_wh` by pair, `None` where no drone is free) can do it; the first such pair
/// where several are as early.
pub fn earliest_pickup(
    world: &World,
    now: SimTime,
    order: &Order,
    energy_wh: impl Fn(usize) -> Option<f64>,
) -> Option<(usize, Mission)> {
    let air = world.air(now);
    let mut best: Option<(usize, Mission)> = None;
    for Candidate { soonest_s, index } in nearest_first(world, now, order) {
        if best
            .as_ref()
            .is_some_and(|(_, mission)| mission.pickup_s < soonest_s)
        {
            break;
        }
        let Some(energy) = energy_wh(index) else { continue };
        let Pair { hub, model } = world.pairs().get(index);
        let errand = errand(world, hub, order);
        let model = world.model(model);
        let Ok(pickup_s) = flight::time_to_pickup(model, &air, &errand) else {
            continue;
        };
        let is_earlier = |(known, mission): &(usize, Mission)| {
            pickup_s
                .total_cmp(&mission.pickup_s)
                .then(index.cmp(known))
                .is_lt()
        };
        if best.as_ref().is_none_or(is_earlier) {
            best = able(world, now, order, index, energy).or(best);
        }
    }
    best
}

/// A pair, and a time before which it cannot be at the pick-up, seconds.
struct Candidate {
    soonest_s: f64,
    index: usize,
}

/// All pairs, the soonest first. The bound takes a fraction of what a flight's true time
/// takes to make, and spares making it for all but the nearest few.
fn nearest_first(world: &World, now: SimTime, order: &Order) -> Vec<Candidate> {
    let pickup = world.area.point(order.pickup.location);
    let wind_mps = world.air(now).strongest_mps(route::HIGHEST_M);
    let bound = |(index, pair): (usize, &Pair)| {
        let model = world.model(pair.model);
        let distance_m = world.hub(pair.hub).at.distance(pickup);
        let flown_s = (distance_m - flight::AT_HUB_M) / (model.cruise_airspeed_mps + wind_mps);
        Candidate {
            soonest_s: positive(flown_s) + model.handover_s,
            index,
        }
    };
    let mut candidates: Vec<Candidate> = world.pairs().all().iter().enumerate().map(bound).collect();
    candidates.sort_unstable_by(|a, b| a.soonest_s.total_cmp(&b.soonest_s));
    candidates
}

/// The pair's mission, if a battery that holds `energy_wh` can do it.
fn able(
    world: &World,
    now: SimTime,
    order: &Order,
    index: usize,
    energy_wh: f64,
) -> Option<(usize, Mission)> {
    let pair = world.pairs().get(index);
    let mission = mission(world, now, pair, order)?;
    (energy_needed_wh(world, pair, &mission) <= energy_wh).then_some((index, mission))
}

/// Whether any drone of this world, those aside that are withdrawn, could do it with a full
/// battery. If not, only third-party transport can.
pub fn is_servable(world: &World, now: SimTime, order: &Order) -> bool {
    let inside = |stop: &Stop| world.area.bounds.contains(stop.location);
    let pairs = world.pairs();
    let can = |Candidate { index, .. }: Candidate| {
        let full_wh = world.model(pairs.get(index).model).battery.capacity_wh;
        pairs.in_service(index) > 0 && able(world, now, order, index, full_wh).is_some()
    };
    inside(&order.pickup) && inside(&order.dropoff) && nearest_first(world, now, order).into_iter().any(can)
}
