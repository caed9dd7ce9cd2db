//! Hubs with few pads or chargers beside their drones, where the file does not say how much is asked
//! for: where it does, [`super::capacity`] holds that against them.

use super::diagnostic::{Log, counted};
use super::document::Document;
use super::grounded::{NEAR_WAYS, calm_weather, near_mission};
use crate::sim::air::Air;
use crate::sim::airspace::Airspace;
use crate::sim::ids::HubId;
use crate::sim::time::SimTime;
use crate::sim::world::{Fleet, Model, World};

const MINUTE_S: f64 = 60.0;
const HOUR_S: f64 = 3_600.0;
/// All of a hub's drones should have taken off after this, seconds.
const LONGEST_LAUNCH_S: f64 = 20.0 * MINUTE_S;
/// And be charged again after this.
const LONGEST_CHARGE_S: f64 = 12.0 * HOUR_S;

pub(super) fn warn_of_crowds(document: &Document, world: &World, log: &mut Log) {
    if world.demand.is_some() {
        return;
    }
    let hubs = document.hubs.iter().flat_map(|hubs| &hubs.value);
    for ((id, hub), keys) in world.hub_ids().zip(&world.hubs).zip(hubs) {
        let drones = counted(drones_at(world, id) as usize, "drone");
        let (pads, chargers) = (f64::from(hub.pads), f64::from(hub.chargers));
        let launch_s = for_each_drone(world, id, |fleet| take_off_s(world, fleet)) / pads;
        if launch_s > LONGEST_LAUNCH_S {
            let pads = counted(hub.pads as usize, "pad");
            let message = format!(
                "hub `{}` has {pads} for {drones}: it takes about {} until all of them have taken off",
                hub.key,
                about(launch_s)
            );
            log.warn(
                &keys.value.pads.span,
                message,
                "give it more `pads`, or fewer drones",
            );
        }
        let charge_s = for_each_drone(world, id, |fleet| charge_s(world.model(fleet.model))) / chargers;
        if charge_s > LONGEST_CHARGE_S {
            let chargers = counted(hub.chargers as usize, "charger");
            let message = format!(
                "hub `{}` has {chargers} for {drones}: it takes about {} to charge all of them",
                hub.key,
                about(charge_s)
            );
            log.warn(
                &keys.value.chargers.span,
                message,
                "give it more `chargers`, or fewer drones",
            );
        }
    }
}

fn drones_at(world: &World, hub: HubId) -> f64 {
    for_each_drone(world, hub, |_| 1.0)
}

/// The sum over those that live at the hub.
fn for_each_drone(world: &World, hub: HubId, each: impl Fn(&Fleet) -> f64) -> f64 {
    let fleets = world.fleets.iter().filter(|fleet| fleet.hub == hub);
    fleets.map(|fleet| f64::from(fleet.count) * each(fleet)).sum()
}

/// How long one that picks up elsewhere takes a pad up; nothing where it does not fly.
fn take_off_s(world: &World, fleet: &Fleet) -> f64 {
    let (open, still) = (Airspace::default(), calm_weather(world));
    let air = Air::forecast(&still, &open, world.seed, SimTime::START);
    let (model, hub) = (world.model(fleet.model), world.hub(fleet.hub).at);
    let mission = near_mission(model, &air, hub, NEAR_WAYS[0]);
    mission.map_or(0.0, |mission| mission.plan.on_pad_s() - model.handover_s)
}

/// From the reserve to nearly full.
fn charge_s(model: &Model) -> f64 {
    let battery = &model.battery;
    let charged_s = battery.capacity_wh * (1.0 - battery.reserve) / battery.charge_power_w * HOUR_S;
    battery.swap_s.unwrap_or(charged_s)
}

/// For people.
fn about(seconds: f64) -> String {
    const LONG_S: f64 = 2.0 * HOUR_S;
    match seconds < LONG_S {
        true => format!("{:.0} min", seconds / MINUTE_S),
        false => format!("{:.0} h", seconds / HOUR_S),
    }
}
