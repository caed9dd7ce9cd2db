//! How many deliveries an hour the fleet can serve, before anything flies.

use super::diagnostic::Log;
use super::document::Document;
use crate::sim::ageing;
use crate::sim::demand;
use crate::sim::flight::{Errand, plan_delivery};
use crate::sim::geo::LatLon;
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimTime;
use crate::sim::weather::FORECAST_EVERY;
use crate::sim::world::{Demand, Fleet, Model, PickupAt, World};

/// An estimate: steady state, every drone busy, hubs chosen without regard to the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// At the demand's peak.
    pub offered_per_s: f64,
    pub served_per_s: f64,
    /// As long as every landing finds a pad.
    pub unhurried_per_s: f64,
    /// What more of would serve most.
    pub bottleneck: Bottleneck,
    /// Share of the drones' time in which the forecast keeps them on the ground.
    pub grounded: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bottleneck {
    Drones,
    Chargers,
    Pads,
}

/// Quick enough to do on every start, enough for [`ERROR`].
const SAMPLES: u32 = 256;

/// At so many moments at most the forecast is looked at.
const FORECASTS: u64 = 144;

/// What the estimate may be off by, as a share: within it nobody is warned.
const ERROR: f64 = 0.05;

/// What the scenario's demand asks of its fleet; `None` without demand.
pub fn estimate(world: &World) -> Option<Capacity> {
    let demand = world.demand.as_ref()?;
    let orders = samples(world, demand, world.area.bounds.middle());
    let mut fleets: Vec<Service> = world
        .fleets
        .iter()
        .map(|fleet| {
            serve(
                world,
                fleet,
                &samples(world, demand, world.hub(fleet.hub).location),
            )
        })
        .collect();
    fleets.sort_by(|a, b| b.max_payload_kg.total_cmp(&a.max_payload_kg));

    let served_per_s = keeps_up(&fleets, &orders, Service::served_per_s);
    let without = |bottleneck: Bottleneck| {
        let freed = |fleet: &Service| fleet.served_without_per_s(bottleneck);
        (bottleneck, keeps_up(&fleets, &orders, freed))
    };
    let freed = [Bottleneck::Chargers, Bottleneck::Pads].map(without).into_iter();
    let freed = freed.filter(|(_, per_s)| *per_s > served_per_s * (1.0 + ERROR));
    let worst = freed.max_by(|a, b| a.1.total_cmp(&b.1));
    let peak = demand
        .profile
        .iter()
        .map(|(_, factor)| *factor)
        .fold(f64::NAN, f64::max);
    let peak = if peak.is_nan() { 1.0 } else { peak };
    Some(Capacity {
        offered_per_s: demand.rate_per_s * peak,
        served_per_s,
        unhurried_per_s: keeps_up(&fleets, &orders, Service::unhurried_per_s),
        bottleneck: worst.map_or(Bottleneck::Drones, |(bottleneck, _)| bottleneck),
        grounded: grounded(world),
    })
}

/// Of such orders, served so fast by each of the fleets, the strongest first. Heavy orders need
/// heavy drones, and light ones take what is left: the fleets keep up only if they do so for every
/// class "heavier than …" by itself.
fn keeps_up(fleets: &[Service], orders: &[Sample], served_per_s: impl Fn(&Service) -> f64) -> f64 {
    let mut all_per_s = f64::INFINITY;
    let mut stronger_per_s = 0.0;
    for (index, fleet) in fleets.iter().enumerate() {
        stronger_per_s += served_per_s(fleet);
        let next_payload_kg = fleets.get(index + 1).map_or(0.0, |fleet| fleet.max_payload_kg);
        let heavier = orders.iter().filter(|order| {
            order.payload_kg > next_payload_kg && order.payload_kg <= fleets[0].max_payload_kg
        });
        let share = heavier.count() as f64 / orders.len() as f64;
        if share > 0.0 {
            all_per_s = all_per_s.min(stronger_per_s / share);
        }
    }
    match all_per_s.is_finite() {
        true => all_per_s,
        false => 0.0,
    }
}

/// Of all drones' time.
fn grounded(world: &World) -> f64 {
    let count = |fleet: &Fleet| f64::from(fleet.count);
    let drones: f64 = world.fleets.iter().map(count).sum();
    let kept = world
        .fleets
        .iter()
        .map(|fleet| count(fleet) * (1.0 - flyable(world, fleet)));
    kept.sum::<f64>() / drones.max(1.0)
}

/// Share of the time in which the forecast over its hub lets a fleet fly.
pub(super) fn flyable(world: &World, fleet: &Fleet) -> f64 {
    let (limits, hub) = (&world.model(fleet.model).limits, world.hub(fleet.hub).at);
    let moments = (world.duration.0 / FORECAST_EVERY.0).clamp(1, FORECASTS);
    let at = |moment: u64| SimTime(world.duration.0 / moments * moment);
    let fair = (0..moments).filter(|&moment| world.air(at(moment)).breach(limits, hub).is_none());
    fair.count() as f64 / moments as f64
}

/// An order as the demand might make it.
struct Sample {
    /// `None` picks up at the hub that the drone comes from.
    pickup: Option<LatLon>,
    dropoff: LatLon,
    payload_kg: f64,
}

/// As they would be for drones of a hub in this place.
fn samples(world: &World, demand: &Demand, hub: LatLon) -> Vec<Sample> {
    (0..SAMPLES)
        .map(|index| sample(world, demand, hub, index))
        .collect()
}

fn sample(world: &World, demand: &Demand, hub: LatLon, index: u32) -> Sample {
    // Seed 0: the estimate is the scenario's, whatever the run's seed.
    let mut stream = Stream::new(0, u64::from(index), Purpose::Demand);
    let pickup = match demand.pickup {
        PickupAt::Places => Some(place(world, &mut stream)),
        PickupAt::Hub => None,
    };
    let dropoff = demand::draw_dropoff(world, demand, pickup.unwrap_or(hub), &mut stream);
    let (min, max) = demand.payload_kg;
    Sample {
        pickup,
        dropoff,
        payload_kg: stream.uniform_in(min, max),
    }
}

fn place(world: &World, stream: &mut Stream) -> LatLon {
    let count = u32::try_from(world.places.len()).unwrap_or(u32::MAX).max(1);
    let place = world.places.get(stream.below(count) as usize);
    place.map_or(world.area.bounds.middle(), |place| place.location)
}

/// What a fleet does for those of the orders that it can fly: how many its drones, their part of
/// the hub's chargers, and their part of its pads let through; of the pads those that take off,
/// since who finds none free in the end comes down beside them, and those that land on them too.
struct Service {
    max_payload_kg: f64,
    by_drones_per_s: f64,
    by_chargers_per_s: f64,
    by_pads_per_s: f64,
    by_landings_per_s: f64,
}

impl Service {
    fn unhurried_per_s(&self) -> f64 {
        self.served_per_s().min(self.by_landings_per_s)
    }

    fn served_per_s(&self) -> f64 {
        self.served_without_per_s(Bottleneck::Drones)
            .min(self.by_drones_per_s)
    }

    /// With as much of this as it takes.
    fn served_without_per_s(&self, bottleneck: Bottleneck) -> f64 {
        let bounds = [
            (Bottleneck::Drones, self.by_drones_per_s),
            (Bottleneck::Chargers, self.by_chargers_per_s),
            (Bottleneck::Pads, self.by_pads_per_s),
        ];
        let others = bounds.into_iter().filter(|(bound, _)| *bound != bottleneck);
        others.map(|(_, per_s)| per_s).fold(f64::INFINITY, f64::min)
    }
}

fn serve(world: &World, fleet: &Fleet, orders: &[Sample]) -> Service {
    let model = world.model(fleet.model);
    let cycles: Vec<Cycle> = orders
        .iter()
        .filter_map(|order| cycle(world, fleet, model, order))
        .collect();
    let mut service = Service {
        max_payload_kg: model.max_payload_kg,
        by_drones_per_s: 0.0,
        by_chargers_per_s: 0.0,
        by_pads_per_s: 0.0,
        by_landings_per_s: 0.0,
    };
    if !cycles.is_empty() {
        let mean_s = |part: fn(&Cycle) -> f64| cycles.iter().map(part).sum::<f64>() / cycles.len() as f64;
        let (hub, fair) = (world.hub(fleet.hub), flyable(world, fleet));
        let neighbours = world.fleets.iter().filter(|other| other.hub == fleet.hub);
        let drones: f64 = neighbours.map(|other| f64::from(other.count)).sum();
        let part = f64::from(fleet.count) / drones;
        let of_hub = |count: u32| f64::from(count) * part * fair;
        service.by_drones_per_s =
            f64::from(fleet.count) * fair / mean_s(|cycle| cycle.flight_s + cycle.charge_s);
        service.by_chargers_per_s = of_hub(hub.chargers) / mean_s(|cycle| cycle.charge_s);
        service.by_pads_per_s = of_hub(hub.pads) / mean_s(|cycle| cycle.take_off_s);
        service.by_landings_per_s = of_hub(hub.pads) / mean_s(|cycle| cycle.take_off_s + cycle.land_s);
    }
    service
}

/// Of a fleet's batteries: the worst and the best, as shares of what new ones hold.
pub(super) fn health_at_start(world: &World, fleet: &Fleet) -> (f64, f64) {
    let battery = &world.model(fleet.model).battery;
    let (fewest, most) = fleet.cycles;
    let after = |cycles: f64| ageing::health_after(battery, 1.0, cycles * battery.capacity_wh);
    (after(most), after(fewest))
}

/// How long an order keeps a drone busy: out and back, then charging what it used; and how long
/// of that, and until it is moved off, it takes a pad up.
struct Cycle {
    flight_s: f64,
    charge_s: f64,
    take_off_s: f64,
    land_s: f64,
}

/// `None` where the type cannot fly the order.
fn cycle(world: &World, fleet: &Fleet, model: &Model, order: &Sample) -> Option<Cycle> {
    let home = world.hub(fleet.hub);
    let hub = home.at;
    let errand = Errand {
        hub,
        pickup: order.pickup.map_or(hub, |at| world.area.point(at)),
        dropoff: world.area.point(order.dropoff),
        home: hub,
        payload_kg: order.payload_kg,
    };
    let mission = plan_delivery(model, &world.air(SimTime::START), &errand).ok()?;
    let (worst, best) = health_at_start(world, fleet);
    let usable_wh = model.battery.capacity_wh * (0.5 * (worst + best) - model.battery.reserve);
    if mission.energy_wh > usable_wh {
        return None;
    }
    const SECONDS_PER_HOUR: f64 = 3_600.0;
    let charging_s = mission.energy_wh / model.battery.charge_power_w * SECONDS_PER_HOUR;
    let charge_s = model.battery.swap_s.unwrap_or(charging_s);
    Some(Cycle {
        flight_s: mission.landing_s,
        charge_s,
        take_off_s: mission.plan.on_pad_s(),
        land_s: mission.plan.descent_s() + home.turnaround.as_secs(),
    })
}

pub(super) fn warn_of_overload(document: &Document, world: &World, log: &mut Log) {
    let rate = document
        .demand
        .as_ref()
        .and_then(|demand| demand.value.rate.as_ref());
    let (Some(rate), Some(capacity)) = (rate, estimate(world)) else {
        return;
    };
    let is_beyond = |per_s: f64| capacity.offered_per_s > per_s * (1.0 + ERROR);
    let per_hour = |per_s: f64| (per_s * 3_600.0 + 0.5) as u64;
    let offered = per_hour(capacity.offered_per_s);
    if is_beyond(capacity.served_per_s) {
        let served = per_hour(capacity.served_per_s);
        let (why, remedy) = why_no_more(&capacity);
        log.warn(
            &rate.span,
            format!("offered {offered}/h at the peak, the fleet serves about {served}/h{why}"),
            remedy,
        );
    } else if is_beyond(capacity.unhurried_per_s) {
        let unhurried = per_hour(capacity.unhurried_per_s);
        log.warn(
            &rate.span,
            format!(
                "offered {offered}/h at the peak, the pads take about {unhurried}/h: drones will hold, and land beside them"
            ),
            "lower the rate, or give the hubs more `pads`",
        );
    }
}

/// And what would help.
fn why_no_more(capacity: &Capacity) -> (String, &'static str) {
    let kept = (capacity.grounded * 100.0 + 0.5) as u64;
    let (why, remedy) = match (kept, capacity.bottleneck) {
        (0, _) if capacity.served_per_s == 0.0 => (
            ", since none of its types can fly such orders from its hubs",
            "ask for shorter ways or lighter payloads, or give the types more battery",
        ),
        (0, Bottleneck::Drones) => ("", "lower the rate, or add drones"),
        (0, Bottleneck::Chargers) => (
            ", since its chargers keep up with no more",
            "lower the rate, or give the hubs more `chargers`",
        ),
        (0, Bottleneck::Pads) => (
            ", since its pads let no more take off",
            "lower the rate, or give the hubs more `pads`",
        ),
        (100, _) => (
            ", since the weather keeps all of it on the ground",
            "give the types other limits, or the day other weather",
        ),
        _ => {
            let why = format!(", since the weather keeps it on the ground for {kept} % of the time");
            return (why, "lower the rate, add drones, or give the types other limits");
        }
    };
    (why.to_owned(), remedy)
}
