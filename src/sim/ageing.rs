//! How batteries wear: a little by every flight, and at once where a cell gives out.
//!
//! A battery's health is the share of its type's capacity that it still has; a new one's is 1.
//! Cycles take from it linearly, as makers state it: after so many full ones four fifths are
//! left. What a plan must leave in reserve does not shrink with it, since headwinds, holds and
//! detours take as much out of an old battery as out of a new one; so what a mission needs is
//! the same for all drones of a type, and only what they hold differs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::DroneId;
use super::random::{Purpose, Stream};
use super::world::{Battery, World};

/// What batteries have left when their cycles, as makers count them, are over.
const LEFT_AFTER_CYCLES: f64 = 0.8;

/// No battery has less than this; it takes nobody anywhere.
const LEAST: f64 = 0.05;

/// Cells in series in a pack: the usual six of delivery drones' packs.
const CELLS_IN_SERIES: f64 = 6.0;

/// What is left of a battery, and of what it holds, as a share, when one of its cells gives out.
pub fn share_left_without_a_cell() -> f64 {
    1.0 - 1.0 / CELLS_IN_SERIES
}

/// What is left of this health after a flight that took so much out of the battery.
pub fn health_after(battery: &Battery, health: f64, used_wh: f64) -> f64 {
    match battery.cycles_to_80 {
        // It goes back to the hub's stock.
        _ if battery.swap_s.is_some() => health,
        Some(cycles) => {
            let full_cycles = used_wh / battery.capacity_wh;
            let faded = (1.0 - LEFT_AFTER_CYCLES) * full_cycles / cycles;
            (health - faded).max(LEAST.min(health))
        }
        None => health,
    }
}

/// The batteries that are not as new, by the drones that have them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Healths(BTreeMap<DroneId, f64>);

impl Healths {
    /// As the scenario's fleets begin.
    pub fn at_start(world: &World) -> Self {
        let mut healths = Healths::default();
        let mut first = 0;
        for fleet in &world.fleets {
            let battery = &world.model(fleet.model).battery;
            let (least, most) = fleet.cycles;
            let drones = (first..first + fleet.count).map(DroneId);
            for drone in drones.filter(|_| most > 0.0) {
                let mut stream = Stream::new(world.seed, drone.0.into(), Purpose::Cycles);
                let flown_wh = stream.uniform_in(least, most) * battery.capacity_wh;
                healths.set(drone, health_after(battery, 1.0, flown_wh));
            }
            first += fleet.count;
        }
        healths
    }

    pub fn of(&self, drone: DroneId) -> f64 {
        self.0.get(&drone).copied().unwrap_or(1.0)
    }

    pub fn set(&mut self, drone: DroneId, health: f64) {
        match health < 1.0 {
            true => self.0.insert(drone, health),
            false => self.0.remove(&drone),
        };
    }

    /// Whether nobody's is worn.
    pub fn all_new(&self) -> bool {
        self.0.is_empty()
    }

    pub fn worn(&self) -> impl Iterator<Item = (DroneId, f64)> + '_ {
        self.0.iter().map(|(drone, health)| (*drone, *health))
    }

    /// What a charger makes full: the drone's own battery of this type, or, where they are
    /// swapped, one of the hub's stock, which are kept as new.
    pub fn charged(&self, battery: &Battery, drone: DroneId) -> Battery {
        match battery.swap_s {
            Some(_) => *battery,
            None => battery.of_health(self.of(drone)),
        }
    }
}

impl Battery {
    /// One of this type, and of this health.
    pub fn of_health(&self, health: f64) -> Battery {
        Battery {
            capacity_wh: health * self.capacity_wh,
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::catalogue;
    use crate::sim::sky::tests::world;

    const BATTERY: Battery = Battery {
        capacity_wh: 100.0,
        reserve: 0.2,
        charge_power_w: 100.0,
        swap_s: None,
        cycles_to_80: Some(300.0),
    };

    #[test]
    fn after_its_cycles_a_battery_has_four_fifths_however_they_were_flown() {
        assert!((health_after(&BATTERY, 1.0, 30_000.0) - 0.8).abs() < 1e-12);
        let in_small_flights = (0..1_200).fold(1.0, |health, _| health_after(&BATTERY, health, 25.0));
        assert!((in_small_flights - 0.8).abs() < 1e-9, "{in_small_flights}");
        assert!((BATTERY.of_health(in_small_flights).capacity_wh - 80.0).abs() < 1e-7);
        // The rest of it fades as fast, down to what takes nobody anywhere.
        assert!((health_after(&BATTERY, 0.8, 30_000.0) - 0.6).abs() < 1e-12);
        assert_eq!(health_after(&BATTERY, 0.8, 9e9), LEAST);
        assert_eq!(health_after(&BATTERY, 0.01, 9e9), 0.01, "nothing is given back");
    }

    #[test]
    fn who_does_not_age_or_is_swapped_stays_as_it_is() {
        let ageless = Battery {
            cycles_to_80: None,
            ..BATTERY
        };
        let swapped = Battery {
            swap_s: Some(90.0),
            ..BATTERY
        };
        let mut healths = Healths::default();
        healths.set(DroneId(3), 0.5);
        for battery in [ageless, swapped] {
            assert_eq!(health_after(&battery, 0.9, 30_000.0), 0.9);
        }
        assert_eq!(healths.charged(&ageless, DroneId(3)).capacity_wh, 50.0);
        assert_eq!(healths.charged(&swapped, DroneId(3)).capacity_wh, 100.0);
        assert_eq!(healths.charged(&ageless, DroneId(4)).capacity_wh, 100.0);
        healths.set(DroneId(3), 1.0);
        assert!(healths.all_new());
    }

    #[test]
    fn fleets_begin_with_the_cycles_that_are_behind_them() {
        let mut world = world(catalogue::model("wing").unwrap(), 200, 1.0, (0.0, 0.0));
        assert!(Healths::at_start(&world).all_new());
        world.models[0].battery.cycles_to_80 = Some(300.0);
        world.fleets[0].cycles = (150.0, 300.0);
        let healths = Healths::at_start(&world);
        assert_eq!(healths, Healths::at_start(&world), "drawn from the seed");
        let drawn: Vec<f64> = healths.worn().map(|(_, health)| health).collect();
        assert_eq!(drawn.len(), 200);
        assert!(drawn.iter().all(|health| (0.8..=0.9).contains(health)));
        let mean = drawn.iter().sum::<f64>() / 200.0;
        assert!((mean - 0.85).abs() < 0.01, "{mean}");
    }
}
