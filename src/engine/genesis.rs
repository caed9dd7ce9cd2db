//! The world before its first tick: everyone at their hub, but for the share that the
//! scenario wants in the air.

use crate::actors::accounts::Accounts;
use crate::actors::drone::Drone;
use crate::actors::fleet::Fleet;
use crate::actors::packages::Packages;
use crate::actors::scheduler::Scheduler;
use crate::actors::supervisor::Supervisor;
use crate::actors::transport::Transport;
use crate::sim::flight;
use crate::sim::ids::DroneId;
use crate::sim::random::{Purpose, Stream};
use crate::sim::sky::Sky;
use crate::sim::time::SimTime;
use crate::sim::world::{Fleet as FleetOfWorld, World};

use super::cast::Roles;

/// Places that are drawn for a drone that is to be aloft; who gets home from none of them
/// stays on the ground.
const TRIES: usize = 16;

pub fn sky_and_roles(world: &World) -> (Sky, Roles) {
    let mut sky = Sky::new(world);
    let aloft = launch_aloft(world, &mut sky);
    let drones = (0..world.drone_count()).map(DroneId);
    let role_of = |id| match aloft.binary_search(&id) {
        Ok(_) => Drone::returning(id),
        Err(_) => Drone::docked(id),
    };
    let roles = Roles {
        scheduler: Scheduler::default(),
        fleet: Fleet::new(world, &aloft),
        drones: drones.map(role_of).collect(),
        deliveries: Vec::new(),
        accounts: Accounts::new(world),
        packages: Packages::default(),
        transport: Transport::default(),
        supervisor: Supervisor::default(),
    };
    (sky, roles)
}

/// Puts each fleet's share of drones on the way home; answers who they are, in order.
fn launch_aloft(world: &World, sky: &mut Sky) -> Vec<DroneId> {
    let mut aloft = Vec::new();
    let mut first = 0;
    for fleet in &world.fleets {
        let count = (f64::from(fleet.count) * fleet.aloft).round() as u32;
        for drone in (first..first + count).map(DroneId) {
            if launch(world, fleet, drone, sky) {
                aloft.push(drone);
            }
        }
        first += fleet.count;
    }
    aloft
}

/// Whether a place was found from which it gets home.
fn launch(world: &World, fleet: &FleetOfWorld, drone: DroneId, sky: &mut Sky) -> bool {
    let model = world.model(fleet.model);
    let home = world.hub(fleet.hub).at;
    let full_wh = sky.health(drone) * model.battery.capacity_wh;
    let mut stream = Stream::new(world.seed, drone.0.into(), Purpose::Aloft);
    let mission = (0..TRIES).find_map(|_| {
        let from = world.area.bounds.at(stream.uniform(), stream.uniform());
        let mission =
            flight::plan_return(model, &world.air(SimTime::START), world.area.point(from), home).ok()?;
        // The way out has taken about as much as the way home will.
        let energy_wh = full_wh - mission.energy_wh;
        let reserve_wh = model.battery.capacity_wh * model.battery.reserve;
        (energy_wh >= mission.energy_wh + reserve_wh).then_some((mission.plan, energy_wh))
    });
    mission.is_some_and(|(plan, energy_wh)| {
        sky.place_aloft(world, drone, plan, energy_wh, SimTime::START)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing;
    use crate::sim::drone::DroneState;
    use crate::sim::ids::HubId;

    #[test]
    fn the_share_that_is_aloft_flies_home_and_the_fleet_does_not_count_on_it() {
        let mut world = testing::world(10, 4);
        world.fleets[0].aloft = 0.5;
        let (mut sky, roles) = sky_and_roles(&world);
        assert_eq!(sky.airborne_count(), 5);
        assert!(
            sky.airborne()
                .all(|drone| world.area.bounds.contains(world.area.frame.to_latlon(drone.at)))
        );
        let states: Vec<_> = roles.drones.iter().map(|drone| drone.state).collect();
        assert_eq!(states[..5], [DroneState::Returning; 5]);
        assert_eq!(states[5..], [DroneState::Docked; 5]);
        let (twin, _) = sky_and_roles(&world);
        assert!(sky.airborne().eq(twin.airborne()), "drawn from the seed");
        for tick in 1..=36_000 {
            sky.step(&world, world.time_of(tick), None);
        }
        assert_eq!(sky.airborne_count(), 0, "all are home within the hour");
        assert!((0..5).all(|drone| sky.grounded(DroneId(drone)).is_some()));
    }

    #[test]
    fn where_two_hubs_share_a_place_each_drone_lands_at_its_own() {
        let mut world = testing::world(4, 4);
        let mut twin = world.hubs[0].clone();
        twin.key = "twin".to_owned();
        world.hubs.push(twin);
        world.fleets[0].hub = HubId(1);
        world.fleets[0].aloft = 1.0;
        let (mut sky, _) = sky_and_roles(&world);
        for tick in 1..=36_000 {
            sky.step(&world, world.time_of(tick), None);
        }
        let hub_of = |drone| sky.grounded(DroneId(drone)).map(|grounded| grounded.hub);
        assert!((0..4).all(|drone| hub_of(drone) == Some(HubId(1))));
    }
}
