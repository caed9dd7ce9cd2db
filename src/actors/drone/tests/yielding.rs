//! Making way on a bench: what a battery has to be enough for.

use super::*;
use crate::sim::flight::Course;
use crate::sim::route::level_of_heading;
use crate::sim::separation::{Advice, Body, Conflict, Means, Pair};

/// Two kilometres from home, on its way there at full speed, when somebody crosses in ten seconds,
/// with so much in its battery: whether it stops for that.
fn stops(energy_wh: f64) -> bool {
    let mut bench = flying(DroneState::Returning);
    let mut world = World::clone(&bench.context.world);
    world.separation.tactical = vec![Means::Hold];
    let fleet = world.fleet_of(DroneId(0)).unwrap();
    let cruise_mps = world.model(fleet.model).cruise_airspeed_mps;
    let hub = world.hub(HubId(0)).at;
    bench.context.world = Arc::new(world);
    let at = Point {
        x: hub.x + 2_000.0,
        ..hub
    };
    let height_m = level_of_heading(at, hub);
    let own = Body {
        drone: DroneId(0),
        x: at.x as f32,
        y: at.y as f32,
        height: height_m as f32,
        east: -cruise_mps as f32,
        north: 0.0,
        up: 0.0,
        lasts_s: 20.0,
    };
    let other = Body {
        drone: DroneId(1),
        x: own.x + 10.0 * own.east,
        y: own.y - 150.0,
        east: 0.0,
        north: 15.0,
        ..own
    };
    let advice = Advice {
        conflict: Conflict {
            pair: Pair::of(own.drone, other.drone),
            bodies: [own, other],
            in_s: 8.0,
        },
        own: 0,
        fix: Fix {
            at,
            height_m,
            velocity: Velocity::along((-1.0, 0.0, 0.0), cruise_mps),
            energy_wh,
        },
        course: Course {
            east: -1.0,
            north: 0.0,
            left_m: 2_000.0,
        },
        free: [false; 4],
        is_last: false,
    };
    let conflict = advice.conflict;
    let effects = bench.tell(DroneMessage::MakeWay(Box::new(advice)));
    let stops = effects
        .iter()
        .any(|effect| matches!(effect, Effect::MakeWay(DroneId(0), _, _)));
    let declines = effects.contains(&Effect::Decline(DroneId(0), conflict));
    assert!(stops != declines, "{effects:?}");
    stops
}

#[test]
fn who_stops_for_another_spends_no_reserve_on_it_but_who_is_in_it_already_may() {
    let world = world(1, 1);
    let battery = &world.model(world.fleet_of(DroneId(0)).unwrap().model).battery;
    let reserve_wh = battery.reserve * battery.capacity_wh;
    let by_battery: Vec<bool> = (0..200)
        .map(|step| stops(reserve_wh + 0.5 * f64::from(step)))
        .collect();
    let mut answers = by_battery.clone();
    answers.dedup();
    assert_eq!(answers, [true, false, true], "{by_battery:?}");
    assert!(!stops(0.5), "it would not come home");
}
