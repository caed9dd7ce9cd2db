//! Who makes way, and by what: hand-made conflicts.

use super::super::super::catalogue;
use super::super::super::flight::Velocity;
use super::super::super::geo::Point;
use super::super::super::ids::DroneId;
use super::super::body::Pair;
use super::*;

const MINIMA: Minima = Minima {
    horizontal_m: 50.0,
    vertical_m: 15.0,
    look_ahead_s: 20.0,
};

const EASTWARDS: Course = Course {
    east: 1.0,
    north: 0.0,
    left_m: 2_000.0,
};

fn body(drone: u32, (x, y): (f32, f32), (east, north): (f32, f32)) -> Body {
    Body {
        drone: DroneId(drone),
        x,
        y,
        height: 50.0,
        east,
        north,
        up: 0.0,
        lasts_s: 20.0,
    }
}

fn party(drone: u32, is_loaded: bool, battery: f64) -> Party {
    let at = Point { x: 0.0, y: 0.0 };
    Party {
        body: body(drone, (0.0, 0.0), (20.0, 0.0)),
        fix: Fix {
            at,
            height_m: 50.0,
            velocity: Velocity::along((1.0, 0.0, 0.0), 20.0),
            energy_wh: 100.0,
        },
        course: Some(EASTWARDS),
        is_loaded,
        battery,
    }
}

#[test]
fn who_carries_less_has_more_left_or_came_later_makes_way_whichever_is_named_first() {
    let loaded = party(1, true, 0.5);
    let empty = party(2, false, 0.5);
    let fuller = party(3, true, 0.8);
    let later = party(9, true, 0.5);
    let climbing = Party {
        course: None,
        ..empty
    };
    for (keeps, makes_way) in [
        (loaded, empty),
        (loaded, fuller),
        (loaded, later),
        (climbing, loaded),
    ] {
        assert_eq!(yields(&keeps, &makes_way), Some(1));
        assert_eq!(yields(&makes_way, &keeps), Some(0));
    }
    assert_eq!(yields(&climbing, &climbing), None);
}

/// For one that flies east at 20 m/s.
fn advice(other: Body, in_s: f32, free: [bool; 4]) -> Advice {
    let own = body(1, (0.0, 0.0), (20.0, 0.0));
    assert!(
        own.meets(&other, MINIMA)
            .is_some_and(|seconds| (seconds - in_s).abs() < 1.0)
    );
    Advice {
        conflict: Conflict {
            pair: Pair::of(DroneId(1), other.drone),
            bodies: [own, other],
            in_s,
        },
        own: 0,
        fix: party(1, false, 1.0).fix,
        course: EASTWARDS,
        free,
        is_last: false,
    }
}

#[test]
fn head_on_only_another_level_helps_and_the_nearest_is_first() {
    let model = catalogue::model("wing").unwrap();
    let head_on = advice(
        body(2, (400.0, 0.0), (-20.0, 0.0)),
        8.75,
        [false, true, false, true],
    );
    let by = |means| manoeuvres(means, &head_on, &model, MINIMA);
    assert_eq!(
        by(Means::Level),
        [Manoeuvre::Level { to_m: 70.0 }, Manoeuvre::Level { to_m: 110.0 }]
    );
    assert_eq!((by(Means::Slow), by(Means::Hold)), (vec![], vec![]));
    let mut too_late = head_on;
    too_late.conflict.in_s = 2.0;
    assert_eq!(manoeuvres(Means::Level, &too_late, &model, MINIMA), []);
}

#[test]
fn at_a_crossing_slowing_down_or_a_stop_lets_the_other_pass() {
    let model = catalogue::model("wing").unwrap();
    let crossing = advice(body(2, (300.0, -300.0), (0.0, 20.0)), 12.5, [false; 4]);
    let by = |means| manoeuvres(means, &crossing, &model, MINIMA);
    assert_eq!(by(Means::Level), [], "nowhere is it free");
    assert!(matches!(by(Means::Slow)[..], [Manoeuvre::Slow { .. }]));
    assert!(matches!(by(Means::Hold)[..], [Manoeuvre::Hold { .. }]));
}
