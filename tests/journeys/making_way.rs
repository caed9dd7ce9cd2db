//! Drones that make way for each other all noon long: what it costs them, and what it must not.

use std::collections::BTreeSet;
use std::sync::Arc;

use skyhaul::engine::headless;
use skyhaul::scenario;
use skyhaul::sim::event::{DroneEvent, Happening};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::separation::Means;
use skyhaul::sim::world::World;

use crate::support::worlds::shipped;

/// An hour of a noon at which they meet all the time, in a wind that is as forecast.
fn crowded(seed: u64) -> World {
    let mut world = scenario::load(&shipped("lunch")).expect("a shipped world").world;
    world.seed = seed;
    world.separation.tactical = vec![Means::Level, Means::Slow, Means::Hold];
    if let Some(demand) = &mut world.demand {
        demand.rate_per_s = 900.0 / 3_600.0;
    }
    world
}

/// What came of an hour.
#[derive(Debug, Default)]
struct Hour {
    made_way: u64,
    dipped: u64,
    /// Of those who waited over their hub for a pad on the same flight, which is what the reserve is
    /// for.
    waited_and_dipped: u64,
    lost: u64,
}

fn flown(seed: u64) -> Hour {
    let world = Arc::new(crowded(seed));
    let until = 3_600_000_000 / world.tick.0;
    let (mut hour, mut waiting) = (Hour::default(), BTreeSet::<DroneId>::new());
    let run = headless::run(world, 1, until, |engine, outcome| {
        let made_way = engine.separation().counts().resolutions;
        let nobody_makes_way = made_way == hour.made_way;
        hour.made_way = made_way;
        for event in &outcome.events {
            let Happening::Drone(drone, event) = &event.happening else {
                continue;
            };
            match event {
                DroneEvent::TakenOff { .. } => {
                    waiting.remove(drone);
                }
                DroneEvent::Holding if nobody_makes_way => {
                    waiting.insert(*drone);
                }
                DroneEvent::LowBattery if waiting.contains(drone) => hour.waited_and_dipped += 1,
                DroneEvent::LowBattery => hour.dipped += 1,
                DroneEvent::Lost { .. } => hour.lost += 1,
                _ => {}
            }
        }
        true
    });
    run.expect("the world goes on");
    hour
}

#[test]
fn nobody_makes_way_on_its_reserve_while_all_is_as_forecast() {
    for seed in [42, 43, 44] {
        let hour = flown(seed);
        assert!(hour.made_way > 100, "seed {seed}: {hour:?}");
        assert_eq!((hour.dipped, hour.lost), (0, 0), "seed {seed}: {hour:?}");
    }
}
