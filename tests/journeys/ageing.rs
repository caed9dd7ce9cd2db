//! Batteries that age: what is flown wears them, and nobody is sent out with too little.

use std::collections::BTreeMap;
use std::path::Path;

use skyhaul::engine::headless;
use skyhaul::scenario;
use skyhaul::sim::ageing::Healths;
use skyhaul::sim::event::{DroneEvent, Happening};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::world::World;

/// Old batteries that are small for the area, and are soon older; so what they still hold decides
/// who flies what.
const OLD: &str = r#"
name = "old"
seed = 5
start = "2026-06-01T18:00:00Z"
duration = "14h"
tick = "1s"

[area]
bbox = [-122.47, 37.73, -122.37, 37.80]

[weather]
wind = { speed = 5.0, from = 250 }

[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 40
chargers = 40

[model.old]
base = "zipline-p2"
battery = { capacity = 200, charge_power = 800, cycles_to_80 = 20 }

[[fleet]]
hub = "mission"
model = "old"
count = 60
cycles = { min = 0, max = 40 }

[demand]
rate = "260/h"
pickup = { at = "hub" }
dropoff = { spread = "area" }
payload = { min = 0.2, max = 3.5 }
"#;

fn old() -> World {
    let parsed = scenario::parse(OLD, "old.toml", Path::new("")).expect("no mistakes");
    parsed.world
}

#[test]
fn over_a_thousand_missions_of_ageing_batteries_none_runs_low_and_each_wears_by_what_it_flew() {
    let world = old();
    let until = world.duration.0 / world.tick.0;
    let battery = world.models[0].battery;
    let mut flown_wh: BTreeMap<DroneId, f64> = BTreeMap::new();
    let (mut landings, mut low, mut lost) = (0, 0, 0);
    let engine = headless::run(world.clone().into(), 1, until, |engine, outcome| {
        for event in outcome.events {
            match event.happening {
                Happening::Drone(drone, DroneEvent::Landed { energy_wh, .. }) => {
                    *flown_wh.entry(drone).or_default() += energy_wh;
                    landings += 1;
                }
                Happening::Drone(_, DroneEvent::LowBattery) => low += 1,
                Happening::Drone(_, DroneEvent::Lost { .. }) => lost += 1,
                _ => {}
            }
        }
        for drone in outcome.grounded {
            let held_wh = engine
                .sky()
                .energy_wh(engine.world(), drone, engine.world().time_of(outcome.tick));
            let full_wh = engine.sky().health(drone) * battery.capacity_wh;
            assert!(
                held_wh.is_none_or(|held_wh| held_wh <= full_wh + 1e-9),
                "{drone}: {held_wh:?} of {full_wh}"
            );
        }
        true
    });
    let engine = engine.expect("the world goes on to its end");
    assert!(landings >= 1_000, "{landings} missions");
    assert_eq!((low, lost), (0, 0), "over {landings} missions");
    let at_start = Healths::at_start(&world);
    let mut flown_out = 0;
    for drone in (0..world.drone_count()).map(DroneId) {
        let full_cycles = flown_wh.get(&drone).copied().unwrap_or_default() / battery.capacity_wh;
        let expected = at_start.of(drone) - 0.2 * full_cycles / 20.0;
        let health = engine.sky().health(drone);
        assert!(
            (health - expected).abs() < 1e-9,
            "{drone}: {health}, not {expected}"
        );
        flown_out += u32::from(full_cycles > 5.0);
    }
    assert!(flown_out > 20, "{flown_out} fly much");
}
