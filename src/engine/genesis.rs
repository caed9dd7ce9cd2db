//! The world before its first tick: everyone at their hub, but for the share that the
//! scenario wants in the air.

use crate::actors::drone::Drone;
use crate::actors::fleet::Fleet;
use crate::actors::scheduler::Scheduler;
use crate::sim::flight;
use crate::sim::geo::Point;
use crate::sim::ids::DroneId;
use crate::sim::random::{Purpose, Stream};
use crate::sim::sky::Sky;
use crate::sim::time::SimTime;
use crate::sim::world::{Fleet as FleetOfWorld, World};

use super::cast::Roles;

/// Drones that are aloft at the start are this far from home at most, metres.
const ALOFT_RADIUS_M: f64 = 5_000.0;

pub fn sky_and_roles(world: &World) -> (Sky, Roles) {
    let mut sky = Sky::new(world);
    let aloft = launch_aloft(world, &mut sky);
    let drones = (0..world.drone_count()).map(DroneId);
    let role_of = |id| match aloft.binary_search(&id) {
        Ok(_) => Drone::returning(id),
        Err(_) => Drone::docked(id),
    };
    let roles = Roles {
        scheduler: Scheduler::new(world),
        fleet: Fleet::new(world, &aloft),
        drones: drones.map(role_of).collect(),
        deliveries: Vec::new(),
    };
    (sky, roles)
}

/// Puts each fleet's share of drones on the way home; answers who they are, in order.
fn launch_aloft(world: &World, sky: &mut Sky) -> Vec<DroneId> {
    let mut aloft = Vec::new();
    let mut first = 0;
    for fleet in &world.fleets {
        let count = (f64::from(fleet.count) * fleet.aloft) as u32;
        for drone in (first..first + count).map(DroneId) {
            if launch(world, fleet, drone, sky) {
                aloft.push(drone);
            }
        }
        first += fleet.count;
    }
    aloft
}

fn launch(world: &World, fleet: &FleetOfWorld, drone: DroneId, sky: &mut Sky) -> bool {
    let model = world.model(fleet.model);
    let home = world.hub(fleet.hub).at;
    let mut stream = Stream::new(world.seed, drone.0.into(), Purpose::Aloft);
    let from = Point {
        x: home.x + stream.uniform_in(-ALOFT_RADIUS_M, ALOFT_RADIUS_M),
        y: home.y + stream.uniform_in(-ALOFT_RADIUS_M, ALOFT_RADIUS_M),
    };
    let Ok(mission) = flight::plan_return(model, &world.weather, from, home) else {
        return false;
    };
    let usable_wh = model.battery.capacity_wh * (1.0 - model.battery.reserve);
    mission.energy_wh <= usable_wh && sky.fly(world, drone, mission.plan, SimTime::START).is_ok()
}
