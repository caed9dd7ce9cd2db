//! Fleets that never fly, whatever is ordered, and what keeps them on the ground.

use std::collections::BTreeSet;

use super::capacity::{self, health_at_start};
use super::diagnostic::{At, Log};
use super::document::{self, Document};
use crate::sim::air::Air;
use crate::sim::airspace::Airspace;
use crate::sim::flight::{Errand, Mission, plan_delivery};
use crate::sim::geo::Point;
use crate::sim::ids::ModelId;
use crate::sim::route::LEVELS_M;
use crate::sim::time::SimTime;
use crate::sim::weather::{Breach, Weather, speed_mps};
use crate::sim::world::{Fleet, Model, World};

/// Who cannot bring a package this far, metres, is of no use.
const NEAR_M: f64 = 500.0;
/// To somewhere near: metres east and north.
pub(super) const NEAR_WAYS: [(f64, f64); 4] = [(NEAR_M, 0.0), (0.0, NEAR_M), (-NEAR_M, 0.0), (0.0, -NEAR_M)];
/// What goes nearly empty carries this share of what it could.
pub(super) const LIGHT: f64 = 0.1;
/// So many moments of a run are looked at.
const MOMENTS: u64 = 8;

/// What is wrong, and what would be right.
type Words = (String, String);

/// Who was told of.
pub(super) struct Grounded {
    /// Nobody is left who flies.
    pub all: bool,
    pub types: BTreeSet<ModelId>,
}

/// Warns of each.
pub(super) fn warn_of_grounded(document: &Document, world: &World, log: &mut Log) -> Grounded {
    let fleets = document.fleets.iter().flat_map(|fleets| &fleets.value);
    let mut told = BTreeSet::new();
    let mut all = true;
    for (fleet, keys) in world.fleets.iter().zip(fleets) {
        let Some((what, remedy)) = reason(world, fleet, &keys.value) else {
            // Of a zone over its hub that one's own line tells.
            all &= is_under_zone(world, fleet);
            continue;
        };
        if told.insert((fleet.model, what.clone())) {
            let span = keys.value.model.as_ref().map_or(&keys.span, |model| &model.span);
            log.warn(span, what, remedy);
        }
    }
    let types = told.into_iter().map(|(model, _)| model).collect();
    Grounded { all, types }
}

fn is_under_zone(world: &World, fleet: &Fleet) -> bool {
    let hub = world.hub(fleet.hub).at;
    world.airspace.is_shut(SimTime::START, hub, 0.0, LEVELS_M[0])
}

fn reason(world: &World, fleet: &Fleet, keys: &document::Fleet) -> Option<Words> {
    let model = world.model(fleet.model);
    let hub = world.hub(fleet.hub);
    if capacity::flyable(world, fleet) == 0.0 {
        let breach = world.air(SimTime::START).breach(&model.limits, hub.at);
        return Some(kept_by_weather(world, fleet, model, breach?));
    }
    let (open, still) = (Airspace::default(), calm_weather(world));
    let calm = Air::forecast(&still, &open, world.seed, SimTime::START);
    let health = health_at_start(world, fleet).1;
    let battery = &model.battery;
    let usable_wh = battery.capacity_wh * (health - battery.reserve);
    let needs_wh = needs_wh(model, &calm, hub.at)?;
    if needs_wh > usable_wh {
        return too_little_battery(model, health, needs_wh, keys.cycles.as_ref());
    }
    let at = |moment| SimTime(world.duration.0 / MOMENTS * moment);
    let gets_on = (0..MOMENTS).any(|moment| {
        let air = Air::forecast(&world.weather, &open, world.seed, at(moment));
        needs_wh_anywhere(model, &air, hub.at).is_some_and(|needs_wh| needs_wh <= usable_wh)
    });
    (!gets_on).then(|| {
        let wind_mps = forecast_mps(world, hub.at);
        let what = format!(
            "drones of type `{}` cannot fly {NEAR_M} m and back in the wind over hub `{}`, {wind_mps:.0} m/s at the start",
            model.key, hub.key
        );
        let remedy = format!(
            "give the day less wind, or the type more than its {} m/s of `airspeed`, or more battery",
            model.cruise_airspeed_mps
        );
        (what, remedy)
    })
}

pub(super) fn calm_weather(world: &World) -> Weather {
    Weather::steady(0.0, 0.0, world.weather.air_density_kgpm3)
}

fn forecast_mps(world: &World, at: Point) -> f64 {
    speed_mps(world.air(SimTime::START).conditions(at).wind)
}

fn kept_by_weather(world: &World, fleet: &Fleet, model: &Model, breach: Breach) -> Words {
    let hub = world.hub(fleet.hub);
    let conditions = world.air(SimTime::START).conditions(hub.at);
    let limits = &model.limits;
    let (what, is, most, key) = match breach {
        Breach::Gust => ("gusts of", conditions.gust_mps, limits.gust_mps, "max_gust"),
        Breach::Rain => ("rain of", conditions.rain_mmph, limits.rain_mmph, "max_rain"),
        Breach::Wind | Breach::NoHeadway => (
            "a wind of",
            speed_mps(conditions.wind),
            limits.wind_mps,
            "max_wind",
        ),
    };
    let are = if breach == Breach::Gust { "are" } else { "is" };
    let unit = if breach == Breach::Rain { "mm/h" } else { "m/s" };
    (
        format!(
            "drones of type `{}` at hub `{}` never take off: {what} {is:.1} {unit} {are} forecast at the start, they fly in {most} {unit} at most, and it gets no better",
            model.key, hub.key
        ),
        format!("give the day other weather, or the type another `{key}`"),
    )
}

fn too_little_battery<T>(model: &Model, health: f64, needs_wh: f64, cycles: Option<&At<T>>) -> Option<Words> {
    let battery = &model.battery;
    let usable_wh = (battery.capacity_wh * (health - battery.reserve)).max(0.0);
    let is_worn = cycles.is_some() && needs_wh <= battery.capacity_wh * (1.0 - battery.reserve);
    // Those that have nothing left are told of where their cycles are.
    if is_worn && health <= battery.reserve {
        return None;
    }
    let what = format!(
        "drones of type `{}` cannot fly {NEAR_M} m and back: that takes {needs_wh:.1} Wh, and their batteries hold {usable_wh:.1} Wh above the reserve",
        model.key
    );
    let enough_wh = (needs_wh / (1.0 - battery.reserve)).ceil();
    let remedy = match is_worn {
        true => "give the fleet fewer `cycles`".to_owned(),
        false => format!("give the type a `battery.capacity` well above {enough_wh} Wh"),
    };
    Some((what, remedy))
}

/// To the east and back.
fn needs_wh(model: &Model, air: &Air<'_>, hub: Point) -> Option<f64> {
    near_mission(model, air, hub, (NEAR_M, 0.0)).map(|mission| mission.energy_wh)
}

/// The least of four ways.
fn needs_wh_anywhere(model: &Model, air: &Air<'_>, hub: Point) -> Option<f64> {
    let needed = NEAR_WAYS
        .iter()
        .filter_map(|way| near_mission(model, air, hub, *way));
    needed.map(|mission| mission.energy_wh).min_by(f64::total_cmp)
}

/// A nearly empty one from the hub, so far east and north and back.
pub(super) fn near_mission(
    model: &Model,
    air: &Air<'_>,
    hub: Point,
    (east_m, north_m): (f64, f64),
) -> Option<Mission> {
    let errand = Errand {
        hub,
        pickup: hub,
        dropoff: Point {
            x: hub.x + east_m,
            y: hub.y + north_m,
        },
        home: hub,
        payload_kg: LIGHT * model.max_payload_kg,
    };
    plan_delivery(model, air, &errand).ok()
}
