//! Drones on the ground: where, and with what charge. Nothing here is stepped.

use serde::{Deserialize, Serialize};

use super::super::ageing::{Healths, health_after};
use super::super::energy::energy_after;
use super::super::geo::Point;
use super::super::ids::{DroneId, HubId};
use super::super::time::SimTime;
use super::super::world::World;
use super::{LOST, ON_GROUND, Sky};

/// A drone on the ground. Charging is not stepped: the charge follows from the time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grounded {
    pub hub: HubId,
    /// At `charging_since`, or for good while not charging.
    pub energy_wh: f64,
    pub charging_since: Option<SimTime>,
}

/// Columns by drone index; stale for those in the air. Of those lost the energy is what they had.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ground {
    hub: Vec<HubId>,
    energy_wh: Vec<f64>,
    /// Microseconds; [`NOT_CHARGING`] while not.
    charging_since: Vec<u64>,
    /// Of the batteries of all drones, those in the air too. Saved by itself.
    #[serde(skip)]
    pub(super) healths: Healths,
}

const NOT_CHARGING: u64 = u64::MAX;

impl Ground {
    /// Everyone at their fleet's hub with a full battery.
    pub fn full(world: &World) -> Self {
        let mut ground = Ground {
            hub: Vec::new(),
            energy_wh: Vec::new(),
            charging_since: Vec::new(),
            healths: Healths::at_start(world),
        };
        ground.grow(world);
        for (drone, health) in ground.healths.worn() {
            ground.energy_wh[drone.index()] *= health;
        }
        ground
    }

    /// Those of the world's drones that are not here yet, at their hubs with full new batteries.
    pub fn grow(&mut self, world: &World) {
        let mut first = 0;
        for fleet in &world.fleets {
            let drones = (first + fleet.count) as usize;
            if self.hub.len() < drones {
                self.hub.resize(drones, fleet.hub);
                let full_wh = world.model(fleet.model).battery.capacity_wh;
                self.energy_wh.resize(drones, full_wh);
            }
            first += fleet.count;
        }
        self.charging_since.resize(self.hub.len(), NOT_CHARGING);
    }

    pub fn get(&self, drone: DroneId) -> Grounded {
        let i = drone.index();
        let since = self.charging_since[i];
        Grounded {
            hub: self.hub[i],
            energy_wh: self.energy_wh[i],
            charging_since: (since != NOT_CHARGING).then_some(SimTime(since)),
        }
    }

    /// What the battery holds at `now`.
    pub fn energy_wh(&self, world: &World, drone: DroneId, now: SimTime) -> f64 {
        let Grounded {
            energy_wh,
            charging_since,
            ..
        } = self.get(drone);
        match (charging_since, world.fleet_of(drone)) {
            (Some(since), Some(fleet)) => {
                let battery = self.healths.charged(&world.model(fleet.model).battery, drone);
                energy_after(&battery, energy_wh, now.since(since).as_secs())
            }
            _ => energy_wh,
        }
    }

    pub fn set_charging(&mut self, world: &World, drone: DroneId, charging: bool, now: SimTime) {
        if charging == self.get(drone).charging_since.is_some() {
            return;
        }
        self.energy_wh[drone.index()] = self.energy_wh(world, drone, now);
        self.charging_since[drone.index()] = if charging { now.0 } else { NOT_CHARGING };
        let battery = world
            .fleet_of(drone)
            .map(|fleet| world.model(fleet.model).battery);
        let is_another = battery.is_some_and(|battery| {
            battery.swap_s.is_some() && self.energy_wh[drone.index()] >= battery.capacity_wh
        });
        if is_another && !charging {
            self.healths.set(drone, 1.0);
        }
    }

    /// Somewhere, for good, with this left.
    pub fn lie(&mut self, drone: DroneId, energy_wh: f64) {
        self.energy_wh[drone.index()] = energy_wh;
    }

    /// After a flight that took so much, with this left.
    pub fn land(&mut self, world: &World, drone: DroneId, at: Point, used_wh: f64, energy_wh: f64) {
        let i = drone.index();
        self.hub[i] = nearest_hub(world, drone, at);
        self.energy_wh[i] = energy_wh;
        self.charging_since[i] = NOT_CHARGING;
        if let Some(fleet) = world.fleet_of(drone) {
            let (battery, health) = (&world.model(fleet.model).battery, self.healths.of(drone));
            self.healths.set(drone, health_after(battery, health, used_wh));
        }
    }
}

impl Sky {
    /// Takes in those of the world's drones that are not here yet, like [`Sky::new`].
    pub fn grow(&mut self, world: &World) {
        self.places.resize(world.drone_count() as usize, ON_GROUND);
        self.ground.grow(world);
    }

    /// Takes a drone on the ground out of the world. No effect on others.
    pub fn retire(&mut self, drone: DroneId) {
        if self.is_grounded(drone) {
            self.places[drone.index()] = LOST;
        }
    }
}

/// Where a drone that comes down there is then. Of the hubs that are nearest its own, else the
/// first that is in service, else the first: two hubs may share a place.
pub fn nearest_hub(world: &World, drone: DroneId, at: Point) -> HubId {
    let own = world.fleet_of(drone).map_or(HubId(0), |fleet| fleet.hub);
    let of = |hub: HubId| (world.hub(hub).at.distance(at), world.roster.is_hub_withdrawn(hub));
    let mut nearest = (of(own), own);
    for hub in world.hub_ids() {
        if of(hub) < nearest.0 {
            nearest = (of(hub), hub);
        }
    }
    nearest.1
}
