//! Making way on the way to a door, and the flight goes on without a jump.

use super::super::super::catalogue;
use super::super::super::sky::tests::world;
use super::super::super::time::SimTime;
use super::super::{Milestone, Velocity};
use super::*;

const HERE: Whereabouts = Whereabouts {
    at: Point { x: 900.0, y: 200.0 },
    height_m: 50.0,
    velocity: Velocity {
        east_mps: 28.0,
        ..Velocity::NONE
    },
};

const EASTWARDS: Course = Course {
    east: 1.0,
    north: 0.0,
    left_m: 3_000.0,
};

fn onward() -> Onward {
    Onward::Errand(Rest {
        pickup: None,
        dropoff: Point { x: 3_900.0, y: 200.0 },
        home: Point { x: 0.0, y: 0.0 },
        payload_kg: 0.5,
        handover_left_s: None,
    })
}

#[test]
fn every_manoeuvre_joins_what_is_flown_before_and_after() {
    let model = catalogue::model("wing").unwrap();
    let world = world(model.clone(), 1, 0.1, (3.0, -2.0));
    let air = world.air(SimTime::START);
    let (level, slow, hold) = (
        Manoeuvre::Level { to_m: 90.0 },
        Manoeuvre::Slow {
            share: 0.5,
            seconds: 20.0,
        },
        Manoeuvre::Hold { seconds: 10.0 },
    );
    let plan = |manoeuvre| plan_manoeuvre(&model, &air, (HERE, EASTWARDS), manoeuvre, onward()).unwrap();
    for (manoeuvre, height_m) in [(level, 90.0), (slow, 50.0), (hold, 50.0)] {
        let mission = plan(manoeuvre).expect("there is room");
        let legs = mission.plan.legs();
        assert_eq!(mission.plan.start(), (HERE.at, 50.0));
        assert_eq!(legs[0].entry_mps, 28.0);
        for (one, next) in legs.iter().zip(&legs[1..]) {
            let ((end, end_m), (start, start_m)) = (one.end(), next.path.start());
            assert!(
                end.distance(start) < 1e-6 && (end_m - start_m).abs() < 1e-6,
                "{one:?} {next:?}"
            );
            if !one.path.is_hold() && !next.path.is_hold() {
                assert!(
                    next.entry_mps - one.exit_mps < 1e-9 && one.exit_mps - next.entry_mps < 0.5,
                    "{one:?} {next:?}"
                );
            }
            assert!(one.duration_s.is_finite() && one.duration_s > 0.0, "{one:?}");
        }
        let cruise = legs
            .iter()
            .find(|leg| matches!(leg.path, Path::Line { .. }))
            .unwrap();
        assert!((cruise.end().1 - height_m).abs() < 1e-9, "{}", cruise.end().1);
        assert!(mission.plan.time_to(Milestone::Delivered, 0).is_some());
        assert_eq!(mission.plan.end(), Point { x: 0.0, y: 0.0 });
    }
    let usual_s = plan(Manoeuvre::Slow {
        share: 1.0,
        seconds: 1.0,
    });
    let later = |manoeuvre| plan(manoeuvre).unwrap().delivery_s - usual_s.as_ref().unwrap().delivery_s;
    assert!(
        later(slow) > 5.0 && later(hold) > 10.0,
        "{} {}",
        later(slow),
        later(hold)
    );
}

#[test]
fn on_a_course_that_is_nearly_done_there_is_no_room() {
    let model = catalogue::model("wing").unwrap();
    let world = world(model.clone(), 1, 0.1, (0.0, 0.0));
    let short = Course {
        left_m: 150.0,
        ..EASTWARDS
    };
    let manoeuvre = Manoeuvre::Level { to_m: 70.0 };
    let plan = plan_manoeuvre(
        &model,
        &world.air(SimTime::START),
        (HERE, short),
        manoeuvre,
        onward(),
    );
    assert!(plan.unwrap().is_none());
}

#[test]
fn in_a_head_wind_no_slope_lifts_a_drone_faster_than_it_climbs() {
    let model = catalogue::model("m600").unwrap();
    let world = world(model.clone(), 1, 0.1, (-5.5, 0.0));
    let air = world.air(SimTime::START);
    let from = Whereabouts {
        velocity: Velocity::along((1.0, 0.0, 0.0), 10.0),
        ..HERE
    };
    let manoeuvre = Manoeuvre::Level { to_m: 110.0 };
    let mission = plan_manoeuvre(&model, &air, (from, EASTWARDS), manoeuvre, onward()).unwrap();
    let legs = mission.expect("there is room").plan;
    let climbs_mps = legs.legs().iter().filter_map(|leg| match leg.path {
        Path::Slope { from, from_m, .. } => {
            let (level, _, up) = leg.path.direction(0.0);
            let wind = air.wind(from, from_m);
            let met = (level * wind.0, level * wind.1);
            Some(up * ground_speed(model.cruise_airspeed_mps, met, (1.0, 0.0))?)
        }
        _ => None,
    });
    let fastest_mps = climbs_mps.fold(0.0, f64::max);
    assert!(fastest_mps > 0.8 * model.climb_mps, "{fastest_mps}");
    assert!(fastest_mps < 1.001 * model.climb_mps, "{fastest_mps}");
}
