//! How drones move whatever happens to them: within their types' limits, and through a squall.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skyhaul::engine::headless;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Happening};
use skyhaul::sim::geo::Point;
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::separation::Means;
use skyhaul::sim::units::GRAVITY_MPS2;
use skyhaul::sim::world::World;

use crate::support::trouble;
use crate::support::worlds::busy_where;

/// Metres east, north and up: a place, or a second's way.
type Vector = [f64; 3];

fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn level(of: Vector) -> f64 {
    libm::hypot(of[0], of[1])
}

/// Nobody's speed changes by more than its type accelerates, turns and climbs, from tick to tick, nor
/// does anybody climb or sink faster than its type.
#[test]
fn in_all_trouble_nobody_moves_as_no_drone_can() {
    const ROUNDING_MPS: f64 = 0.1;
    let mut world = World::clone(&trouble::world());
    world.separation.tactical = vec![Means::Level, Means::Slow, Means::Hold];
    let world = Arc::new(world);
    let tick_s = world.tick.as_secs();
    let mut places: BTreeMap<DroneId, Vector> = BTreeMap::new();
    let mut velocities: BTreeMap<DroneId, Vector> = BTreeMap::new();
    let (mut flown, mut changes) = (0_u64, 0_u64);
    let run = headless::run(Arc::clone(&world), 1, 18_000, |engine, outcome| {
        let (mut now, mut moved) = (BTreeMap::new(), BTreeMap::new());
        for drone in engine.sky().airborne() {
            let Point { x, y } = drone.at;
            let at: Vector = [x, y, drone.height_m];
            now.insert(drone.drone, at);
            let Some(before) = places.get(&drone.drone) else {
                continue;
            };
            let velocity = minus(at, *before).map(|metres| metres / tick_s);
            moved.insert(drone.drone, velocity);
            let Some(was) = velocities.get(&drone.drone) else {
                continue;
            };
            flown += 1;
            let model = world.model(world.fleet_of(drone.drone).unwrap().model);
            let change = minus(velocity, *was);
            let turning = GRAVITY_MPS2 * libm::tan(model.max_bank_rad);
            let most = 1.02 * libm::hypot(model.acceleration_mps2, turning) * tick_s + ROUNDING_MPS;
            let who = format!("tick {}: {drone:?}, {was:?} {velocity:?}", outcome.tick);
            assert!(level(change) <= most, "{who}");
            let sloping = if level(velocity) > 0.5 {
                0.5 * model.acceleration_mps2
            } else {
                0.0
            };
            let most = 1.02 * (model.vertical_acceleration_mps2 + sloping) * tick_s + ROUNDING_MPS;
            assert!(change[2].abs() <= most, "{who}");
            assert!(velocity[2] <= 1.02 * model.climb_mps + ROUNDING_MPS, "{who}");
            assert!(velocity[2] >= -1.02 * model.descent_mps - ROUNDING_MPS, "{who}");
        }
        let mut heard = BTreeSet::new();
        for event in &outcome.events {
            let (who, kind) = match &event.happening {
                Happening::Delivery(id, DeliveryEvent::Delayed { .. }) => (id.to_string(), "Delayed"),
                Happening::Delivery(id, DeliveryEvent::EtaChanged { .. }) => (id.to_string(), "EtaChanged"),
                Happening::Drone(drone, DroneEvent::Diverted) => (drone.to_string(), "Diverted"),
                _ => continue,
            };
            let is_first = heard.insert((who.clone(), kind));
            assert!(is_first, "{who} twice {kind} at tick {}", outcome.tick);
        }
        let is_change = |event: &DroneEvent| {
            matches!(
                event,
                DroneEvent::Diverted | DroneEvent::Holding | DroneEvent::Fault(_)
            )
        };
        let told = outcome.events.iter();
        changes += told
            .filter(|event| matches!(&event.happening, Happening::Drone(_, event) if is_change(event)))
            .count() as u64;
        (places, velocities) = (now, moved);
        true
    });
    run.expect("the world goes on");
    assert!(
        flown > 50_000 && changes > 50,
        "{flown} ticks flown, {changes} changes"
    );
}

/// A minute of a wind that nobody can fly in.
const SQUALL: &str = r#"
[[fault]]
at = "10m"
kind = "wind_shift"
speed = 20.0
from = 250
duration = "1m"

[[place]]
"#;

#[test]
fn a_squall_of_a_minute_brings_hardly_anybody_down() {
    let world = Arc::new(busy_where("[[place]]", SQUALL));
    let (mut aloft, mut holding, mut lost, mut taken_off) = (0, 0, 0, 0);
    let mut met = None;
    let run = headless::run(world, 1, 9_000, |engine, outcome| {
        if outcome.tick == 6_000 {
            aloft = engine.sky().airborne_count();
        }
        let since = outcome.tick.saturating_sub(6_000);
        let of_drones = outcome.events.iter().filter_map(|event| match &event.happening {
            Happening::Drone(_, event) => Some(event),
            _ => None,
        });
        for event in of_drones.filter(|_| since > 0) {
            match event {
                DroneEvent::Holding => holding += 1,
                DroneEvent::Lost { .. } => lost += 1,
                DroneEvent::WeatherAlarm(_) => met = met.or(Some(since)),
                DroneEvent::TakenOff { .. } if met.is_some_and(|met| met < since) && since < 600 => {
                    taken_off += 1;
                }
                _ => {}
            }
        }
        true
    });
    run.expect("the world goes on");
    assert!(aloft >= 5, "{aloft} in the air");
    assert!(holding > 0, "somebody waits");
    assert!(lost * 10 <= aloft, "{lost} of {aloft} came down");
    assert!(
        met.is_some_and(|met| met < 100),
        "{met:?}: stations look half a minute later"
    );
    assert_eq!(taken_off, 0, "into weather that somebody has met");
}
