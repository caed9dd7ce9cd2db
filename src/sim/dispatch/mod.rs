//! Which drone takes which request: what all policies share, and the choice among them.
//!
//! Drones of one type at one hub differ only in their charge, so the choice is between
//! (hub, type) pairs; the fleet's actor then sends its least charged drone of the pair that
//! suffices. A policy is a small file of its own behind [`Policy`]. Nothing here is drawn or
//! summed across threads: where two ways are as good, the one of the lower number is taken.

mod batch;
pub mod claims;
mod earliest_pickup;
mod ground_stop;
mod nearest;

use jiff::Timestamp;

use super::air::Air;
use super::drone::Task;
use super::fleet_index::Pair;
use super::flight::{self, Errand, Infeasible, Itinerary, Mission};
use super::geo::Point;
use super::ids::HubId;
use super::motion::positive;
use super::order::{ConfirmationRequired, Order, Stop};
use super::route;
use super::time::{SimDuration, SimTime};
use super::weather::{Breach, Conditions};
use super::world::{Model, PolicyKind, World};

pub use self::ground_stop::{breach, on_way, waits_for_weather};

/// How drones are chosen. Those who wait do so in one order whatever the policy: expedited
/// requests first, then those with a deadline, the earliest first, then by arrival.
pub trait Policy: Sync {
    /// Whether requests wait for the next round, and are then served together, every
    /// `[dispatch] batch_every`. Otherwise each is served as it comes, and each drone that comes
    /// free takes the first in order that it can.
    fn in_rounds(&self) -> bool {
        false
    }

    /// The pair and mission for a request that has just come; `None` lets it wait.
    fn at_once(&self, _at: Moment<'_>, _order: &Order, _free: &dyn Free) -> Option<(usize, Mission)> {
        None
    }

    /// Who of those who wait gets which pair; `waiting` is in their order. Who is not named
    /// waits on.
    fn round(&self, _at: Moment<'_>, _waiting: &[Waiting<'_>], _free: &dyn Free) -> Vec<Match> {
        Vec::new()
    }
}

impl PolicyKind {
    pub fn policy(self) -> &'static dyn Policy {
        match self {
            PolicyKind::Nearest => &nearest::Nearest,
            PolicyKind::EarliestPickup => &earliest_pickup::EarliestPickup,
            PolicyKind::Batch => &batch::Batch,
        }
    }
}

/// A world at a time.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub world: &'a World,
    pub now: SimTime,
}

/// The drones that may leave, by the numbers of their pairs.
pub trait Free {
    /// What the fullest of the pair holds that is not saved; `None` where none may leave.
    fn fullest_wh(&self, pair: usize) -> Option<f64>;

    /// What each of the pair's fullest holds, at most so many of them, the fullest first; those
    /// that are saved among them.
    fn energies_wh(&self, pair: usize, at_most: usize) -> Vec<f64>;

    /// How many of its fullest are saved for those who have a claim ([`claims`]).
    fn saved(&self, _pair: usize) -> usize {
        0
    }
}

/// A request that waits for the next round.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    pub order: &'a Order,
    pub since: SimTime,
    /// The drone that is saved for it, if one is.
    pub saved: Option<claims::Place>,
}

/// What a round has found for one of those who wait.
#[derive(Clone, Debug)]
pub struct Match {
    /// Its place among them.
    pub waiting: usize,
    pub pair: usize,
    pub mission: Mission,
}

/// When the order is to be there at the latest, if what it says is a time; most deadlines are
/// words for people.
pub fn deadline(world: &World, order: &Order) -> Option<SimTime> {
    let moment: Timestamp = order.deadline.parse().ok()?;
    Some(world.sim_time(moment.as_microsecond()))
}

/// So many of those who wait are looked at in a round: some may suit no drone that is free.
pub const MOST_IN_A_ROUND: usize = 256;

/// A flight may take this much more than its plan says: the sky steps by ticks, the plan
/// integrates exactly (a property test holds the sky to it).
const PLAN_ERROR: f64 = 1.01;

/// So many beginnings and ends of zones are looked ahead for who waits for one.
const MOST_CHANGES_OF_ZONES: usize = 16;

/// What taking a drone that lifts more than another type that would do counts for, for each such
/// type: as if it took so much longer. Without it light parcels fly with strong drones that are a
/// little quicker, and heavy ones wait: over San Francisco it is the difference between being
/// worse than `nearest` and better, for `batch` and for `earliest-pickup`.
const SPARING: SimDuration = SimDuration(120_000_000);

/// How many types could carry it that lift less than the pair's.
fn weaker_types(world: &World, pair: usize, order: &Order) -> u32 {
    let own_kg = world.model(world.pairs().get(pair).model).max_payload_kg;
    let enough = |model: &&Model| model.max_payload_kg >= order.package.weight_kg;
    let weaker = world.models.iter().filter(enough);
    weaker.filter(|model| model.max_payload_kg < own_kg).count() as u32
}

/// Where a drone of this hub would fly for the order.
pub fn errand(world: &World, hub: HubId, order: &Order) -> Errand {
    let stops = [&order.pickup, &order.dropoff].map(|stop| world.area.point(stop.location));
    errand_between(world, hub, stops, order.package.weight_kg)
}

fn errand_of(world: &World, hub: HubId, task: &Task) -> Errand {
    errand_between(world, hub, [task.pickup, task.dropoff], task.payload_kg)
}

fn errand_between(world: &World, hub: HubId, [pickup, dropoff]: [Point; 2], payload_kg: f64) -> Errand {
    let base = world.hub(hub).at;
    Errand {
        hub: base,
        pickup,
        dropoff,
        home: base,
        payload_kg,
    }
}

/// The mission as a drone of this pair would fly it; `None` where the type cannot, or may not in
/// this weather. Its energy is enough for a recipient who does not come to the door.
pub fn mission(world: &World, now: SimTime, pair: Pair, order: &Order) -> Option<Mission> {
    let is_confirmed = order.confirmation != ConfirmationRequired::None;
    mission_on(world, now, pair, &errand(world, pair.hub, order), is_confirmed).ok()
}

/// Why there is no mission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The type may not fly in this weather.
    Weather(Breach),
    /// Zones leave no way.
    Closed,
    Infeasible,
}

impl From<Infeasible> for Unfit {
    fn from(infeasible: Infeasible) -> Self {
        match infeasible {
            Infeasible::NoWay => Unfit::Closed,
            Infeasible::TooHeavy | Infeasible::TooWindy => Unfit::Infeasible,
        }
    }
}

/// The mission of a drone that stands at its hub with this to do.
///
/// # Errors
/// Why there is none.
pub fn mission_of(world: &World, now: SimTime, pair: Pair, task: &Task) -> Result<Mission, Unfit> {
    let errand = errand_of(world, pair.hub, task);
    mission_on(world, now, pair, &errand, task.confirmed)
}

fn mission_on(
    world: &World,
    now: SimTime,
    pair: Pair,
    errand: &Errand,
    is_confirmed: bool,
) -> Result<Mission, Unfit> {
    let (model, air) = (world.model(pair.model), world.air(now));
    if let Some(breach) = breach(model, &air, errand) {
        return Err(Unfit::Weather(breach));
    }
    Ok(plan(world, model, &air, errand, is_confirmed)?)
}

fn plan(
    world: &World,
    model: &Model,
    air: &Air<'_>,
    errand: &Errand,
    is_confirmed: bool,
) -> Result<Mission, Infeasible> {
    flight::plan_in_time(air, |air| {
        let mut mission = flight::plan_delivery(model, air, errand)?;
        mission.energy_wh += waiting_wh(world, model, air, errand, is_confirmed)?;
        Ok(mission)
    })
}

/// When zones have let go of the way of who is kept for this, if that is by then.
pub fn opens(world: &World, now: SimTime, pair: Pair, task: &Task, by: SimTime) -> Option<SimTime> {
    let (model, air) = (world.model(pair.model), world.air(now));
    let errand = errand_of(world, pair.hub, task);
    let is_open = |at: &SimTime| Itinerary::of(model, &air.under_zones_of(*at), &errand).is_ok();
    changes_of_zones(world, now, by).find(is_open)
}

fn changes_of_zones(world: &World, now: SimTime, by: SimTime) -> impl Iterator<Item = SimTime> + '_ {
    world.airspace.changes(now, by).take(MOST_CHANGES_OF_ZONES)
}

/// Energy that a battery of this pair must hold at take-off for the order, as for its
/// [`mission`], which is more to make; `None` where the type cannot, or may not.
pub fn need_wh(world: &World, now: SimTime, pair: Pair, order: &Order) -> Option<f64> {
    let (model, air) = (world.model(pair.model), world.air(now));
    match breach(model, &air, &errand(world, pair.hub, order)) {
        None => need_in_wh(world, &air, pair, order),
        Some(_) => None,
    }
}

/// The same in whatever weather.
fn need_in_wh(world: &World, air: &Air<'_>, pair: Pair, order: &Order) -> Option<f64> {
    let model = world.model(pair.model);
    let errand = errand(world, pair.hub, order);
    let is_confirmed = order.confirmation != ConfirmationRequired::None;
    let flown_wh = flight::delivery_costs_wh(model, air, &errand);
    let waiting_wh = || waiting_wh(world, model, air, &errand, is_confirmed);
    let planned_wh = match flown_wh.and_then(|flown_wh| Ok(flown_wh + waiting_wh()?)) {
        Err(Infeasible::NoWay) => plan(world, model, air, &errand, is_confirmed).map(|plan| plan.energy_wh),
        planned => planned,
    };
    Some(with_reserve_wh(world, pair, planned_wh.ok()?))
}

/// Where the recipient has to confirm, the drone may wait at the door for as long as it does.
fn waiting_wh(
    world: &World,
    model: &Model,
    air: &Air<'_>,
    errand: &Errand,
    is_confirmed: bool,
) -> Result<f64, Infeasible> {
    if !is_confirmed {
        return Ok(0.0);
    }
    let patience_s = world.recipient.patience.as_secs();
    let (door, home) = (errand.dropoff, errand.home);
    flight::waiting_costs_wh(model, air, door, home, errand.payload_kg, patience_s)
}

/// Energy that a battery must hold at take-off, the reserve included.
pub fn energy_needed_wh(world: &World, pair: Pair, mission: &Mission) -> f64 {
    with_reserve_wh(world, pair, mission.energy_wh)
}

fn with_reserve_wh(world: &World, pair: Pair, planned_wh: f64) -> f64 {
    let battery = &world.model(pair.model).battery;
    with_margin_wh(planned_wh) + battery.reserve * battery.capacity_wh
}

/// What a battery must hold for a flight that is planned to take so much; without the reserve.
pub fn with_margin_wh(planned_wh: f64) -> f64 {
    planned_wh * PLAN_ERROR
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
/// battery. If not, only third-party transport can. Weather that a type waits for on the ground
/// passes: what counts is whether it could in a calm. So do zones that end before requests have
/// waited for too long.
pub fn is_servable(world: &World, now: SimTime, order: &Order) -> bool {
    let inside = |stop: &Stop| world.area.bounds.contains(stop.location);
    let candidates = nearest_first(world, now, order);
    let (by, air) = (now + world.dispatch.max_wait, world.air(now));
    let mut later = changes_of_zones(world, now, by);
    let is_servable_in = |air: Air<'_>| candidates.iter().any(|one| could(world, &air, order, one.index));
    inside(&order.pickup)
        && inside(&order.dropoff)
        && (is_servable_in(air) || later.any(|at| is_servable_in(air.under_zones_of(at))))
}

/// Whether a drone of the pair could do it with a full battery, in a calm where the weather keeps it.
fn could(world: &World, air: &Air<'_>, order: &Order, index: usize) -> bool {
    let (pairs, pair) = (world.pairs(), world.pairs().get(index));
    let model = world.model(pair.model);
    let is_kept = breach(model, air, &errand(world, pair.hub, order)).is_some();
    let flown_in = match is_kept {
        true => air.felt(Conditions::default()),
        false => *air,
    };
    let suffices = |need_wh| need_wh <= model.battery.capacity_wh;
    pairs.in_service(index) > 0 && need_in_wh(world, &flown_in, pair, order).is_some_and(suffices)
}
