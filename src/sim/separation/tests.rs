//! Hand-made geometry, the grids against every pair, and encounters from end to end.

use proptest::prelude::*;

use super::super::catalogue;
use super::super::sky::tests;
use super::super::world::Hub;
use super::cells::Turn;
use super::grid::Grid;
use super::sweep::{Predicted, Sweep};
use super::terminals::Terminals;
use super::*;

const MINIMA: Minima = Minima {
    horizontal_m: 50.0,
    vertical_m: 15.0,
    look_ahead_s: 20.0,
};
const ALL: Turn = Turn { now: 0, of: 1 };

fn world() -> World {
    tests::world(catalogue::model("wing").unwrap(), 1, 0.5, (0.0, 0.0))
}

fn body(drone: u32, (x, y, height): (f32, f32, f32), (east, north, up): (f32, f32, f32)) -> Body {
    Body {
        drone: DroneId(drone),
        x,
        y,
        height,
        east,
        north,
        up,
        lasts_s: MINIMA.look_ahead_s,
    }
}

fn meets(one: &Body, other: &Body) -> Option<f32> {
    let in_s = one.meets(other, MINIMA);
    assert_eq!(
        in_s.is_some(),
        other.meets(one, MINIMA).is_some(),
        "{one:?} {other:?}"
    );
    in_s
}

#[test]
fn head_on_on_one_level_they_meet_when_what_is_between_is_flown() {
    let one = body(1, (0.0, 0.0, 70.0), (20.0, 0.0, 0.0));
    let other = body(2, (450.0, 0.0, 70.0), (-20.0, 0.0, 0.0));
    assert!((meets(&one, &other).unwrap() - 10.0).abs() < 1e-4);
    let further = Body { x: 900.0, ..other };
    assert_eq!(meets(&one, &further), None, "it is beyond what is looked ahead");
    let aside = Body { y: 50.1, ..other };
    assert_eq!(meets(&one, &aside), None);
    let behind = Body { x: -60.0, ..other };
    assert_eq!(meets(&one, &behind), None, "it is past");
}

#[test]
fn crossing_they_meet_only_if_they_come_to_the_crossing_together() {
    let one = body(1, (-200.0, 0.0, 70.0), (20.0, 0.0, 0.0));
    let other = body(2, (0.0, -200.0, 70.0), (0.0, 20.0, 0.0));
    let in_s = meets(&one, &other).unwrap();
    assert!(
        (in_s - (10.0 - 50.0 / (20.0 * 2_f32.sqrt()))).abs() < 1e-3,
        "{in_s}"
    );
    let late = Body { y: -300.0, ..other };
    assert_eq!(meets(&one, &late), None);
    let turning = Body {
        lasts_s: 3.0,
        ..other
    };
    assert_eq!(meets(&one, &turning), None, "its leg ends before");
}

#[test]
fn overtaking_they_meet_at_the_difference_of_their_speeds() {
    let slow = body(1, (100.0, 10.0, 90.0), (0.0, 15.0, 0.0));
    let fast = body(2, (100.0, -90.0, 90.0), (0.0, 25.0, 0.0));
    assert!((meets(&slow, &fast).unwrap() - 5.0).abs() < 1e-3);
    let as_fast = Body { north: 15.0, ..fast };
    assert_eq!(meets(&slow, &as_fast), None);
}

#[test]
fn over_one_place_levels_keep_apart_and_climbs_through_them_do_not() {
    let low = body(1, (5.0, 5.0, 50.0), (20.0, 0.0, 0.0));
    let high = body(2, (5.0, 5.0, 70.0), (20.0, 0.0, 0.0));
    assert_eq!((meets(&low, &high), low.lost(&high, MINIMA)), (None, None));
    let climbing = body(3, (305.0, 5.0, 40.0), (0.0, 0.0, 1.0));
    assert!((meets(&high, &climbing).unwrap() - 15.0).abs() < 1e-3);
    let level = Body { height: 56.0, ..high };
    let lost = low.lost(&level, MINIMA).unwrap();
    assert_eq!((lost.horizontal_m, lost.vertical_m), (0.0, 6.0));
    assert!((lost.depth(MINIMA) - 0.6).abs() < 1e-6);
    assert_eq!(meets(&low, &level), Some(0.0), "they have met");
}

/// Each pair by itself.
fn every_pair<T>(bodies: &[Body], of: impl Fn(&Body, &Body) -> Option<T>) -> Vec<(Pair, T)> {
    let mut found = Vec::new();
    for (number, one) in bodies.iter().enumerate() {
        for other in &bodies[number + 1..] {
            let pair = Pair::of(one.drone, other.drone);
            found.extend(of(one, other).map(|of| (pair, of)));
        }
    }
    found.sort_by_key(|(pair, _)| *pair);
    found
}

fn drawn() -> impl Strategy<Value = Vec<Body>> {
    let place = (-900.0..900.0_f32, -900.0..900.0_f32, 0.0..120.0_f32);
    let level = (-30.0..30.0_f32, -30.0..30.0_f32, Just(0.0_f32));
    let upright = (Just(0.0_f32), Just(0.0_f32), -5.0..5.0_f32);
    let velocity = prop_oneof![3 => level, 1 => upright];
    let one = (place, velocity, 0.0..20.0_f32).prop_map(|(at, velocity, lasts_s)| Body {
        lasts_s,
        ..body(0, at, velocity)
    });
    proptest::collection::vec(one, 2..160).prop_map(|mut bodies| {
        // Numbers in no order of rows.
        let count = bodies.len() as u32;
        for (row, body) in bodies.iter_mut().enumerate() {
            body.drone = DroneId((row as u32 * 7_919) % 10_007 + 10_007 * (row as u32 % 2) + count);
        }
        bodies
    })
}

/// Of those who are outside of all volumes.
fn outside(terminals: &Terminals, bodies: &[Body]) -> Vec<Body> {
    let bodies = bodies.iter().copied();
    bodies
        .filter(|body| !terminals.contain((body.x, body.y)))
        .collect()
}

proptest! {
    #[test]
    fn the_grids_find_what_every_pair_shows(bodies in drawn(), ticks in 1..12_u16) {
        let mut terminals = Terminals::default();
        terminals.follow(&world());
        let outside = outside(&terminals, &bodies);
        let shown = every_pair(&outside, |one, other| one.lost(other, MINIMA));
        let mut grid = Grid::default();
        grid.lay(&bodies, &terminals, MINIMA, None);
        let found = grid.lost(MINIMA, None);
        prop_assert_eq!(found.iter().map(|lost| (lost.pair, lost.closeness)).collect::<Vec<_>>(), shown);

        let shown: Vec<Pair> = every_pair(&outside, |one, other| one.meets(other, MINIMA))
            .into_iter().map(|(pair, _)| pair).collect();
        let mut sweep = Sweep::default();
        let mut pairs = |turn| {
            let found = sweep.predicted(grid.bodies(), grid.in_terminal(), MINIMA, turn, None);
            found.into_iter().map(|found| found.pair).collect::<Vec<_>>()
        };
        prop_assert_eq!(pairs(ALL), shown.clone());
        // Over all turns everybody is found once at least.
        let mut over_turns: Vec<Pair> =
            (0..ticks).flat_map(|now| pairs(Turn { now, of: ticks })).collect();
        over_turns.sort_unstable();
        over_turns.dedup();
        prop_assert_eq!(over_turns, shown);
    }

    #[test]
    fn around_a_hub_they_are_found_to_whom_anybody_at_all_is_too_close(bodies in drawn(), shrink in 1..20_u8) {
        // The closer together, the more there are whom others in any cell are close to.
        let bodies: Vec<Body> = bodies.into_iter().map(|body| Body {
            x: body.x / f32::from(shrink),
            y: body.y / f32::from(shrink),
            ..body
        }).collect();
        let mut terminals = Terminals::default();
        terminals.follow(&world());
        let is_crowded = |one: &&Body| {
            let mut others = bodies.iter().filter(|other| other.drone != one.drone);
            terminals.contain((one.x, one.y)) && others.any(|other| one.lost(other, MINIMA).is_some())
        };
        let mut shown: Vec<DroneId> = bodies.iter().filter(is_crowded).map(|body| body.drone).collect();
        let mut grid = Grid::default();
        grid.lay(&bodies, &terminals, MINIMA, None);
        let rows = grid.crowded(MINIMA, None);
        let mut found: Vec<DroneId> = rows.iter().map(|row| grid.bodies()[*row as usize].drone).collect();
        shown.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, shown);
    }
}

#[test]
fn threads_and_the_order_of_rows_change_nothing() {
    let mut stream = super::super::random::Stream::new(3, 0, super::super::random::Purpose::Aloft);
    let mut drawn = |width: f64| ((stream.uniform() - 0.5) * width) as f32;
    let mut bodies: Vec<Body> = (0..12_000)
        .map(|drone| {
            let at = (drawn(8_000.0), drawn(8_000.0), 70.0 + drawn(60.0));
            body(drone, at, (drawn(50.0), drawn(50.0), 0.0))
        })
        .collect();
    // Of all against all there are too many pairs; of these there are not.
    let some = &bodies[..2_500];
    let shown = every_pair(some, meets);
    let alone = Sweep::default().predicted(some, &[false; 2_500], MINIMA, ALL, None);
    let found: Vec<_> = alone.into_iter().map(|found| (found.pair, found.in_s)).collect();
    assert!(
        found == shown && found.len() > 100,
        "{} {}",
        found.len(),
        shown.len()
    );
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let mut world = world();
    world.separation.terminal_m = 1_000.0;
    let mut terminals = Terminals::default();
    terminals.follow(&world);
    let found = |bodies: &[Body], pool: Option<&rayon::ThreadPool>| {
        let mut grid = Grid::default();
        grid.lay(bodies, &terminals, MINIMA, pool);
        let lost = grid.lost(MINIMA, pool);
        let turn = Turn { now: 2, of: 5 };
        let predicted = Sweep::default().predicted(grid.bodies(), grid.in_terminal(), MINIMA, turn, pool);
        let crowded = grid.crowded(MINIMA, pool).into_iter();
        let mut crowded: Vec<DroneId> = crowded.map(|row| grid.bodies()[row as usize].drone).collect();
        crowded.sort_unstable();
        let lost: Vec<_> = lost.into_iter().map(|lost| (lost.pair, lost.closeness)).collect();
        let predicted: Vec<_> = predicted
            .into_iter()
            .map(|found| (found.pair, found.in_s))
            .collect();
        (lost, predicted, crowded)
    };
    let alone = found(&bodies, None);
    let counts = (alone.0.len(), alone.1.len(), alone.2.len());
    assert!(
        counts.0 > 1_000 && counts.1 > 1_000 && counts.2 > 100,
        "{counts:?}"
    );
    assert!(found(&bodies, Some(&pool)) == alone);
    bodies.reverse();
    assert!(found(&bodies, Some(&pool)) == alone);
}

/// A world, and drones that fly straight on through it.
struct Scene {
    world: World,
    separation: Separation,
    bodies: Vec<Body>,
    now: SimTime,
}

impl Scene {
    fn of(bodies: Vec<Body>) -> Self {
        Scene {
            world: world(),
            separation: Separation::default(),
            bodies,
            now: SimTime::START,
        }
    }

    /// New losses of so many ticks.
    fn fly(&mut self, ticks: u32) -> Vec<Loss> {
        let dt = self.world.tick;
        let tick = |_| {
            self.now += dt;
            for body in &mut self.bodies {
                (body.x, body.y) = body.after(dt.as_secs() as f32);
            }
            let seen = self.separation.look_at(&self.world, &self.bodies, self.now, None);
            seen.losses
        };
        (0..ticks).flat_map(tick).collect()
    }
}

fn far_from_hubs(world: &World, (x, y): (f32, f32)) -> bool {
    let away = |hub: &Hub| {
        hub.at.distance(Point {
            x: x.into(),
            y: y.into(),
        }) > 1_000.0
    };
    world.hubs.iter().all(away)
}

#[test]
fn an_encounter_counts_once_as_conflict_and_once_as_loss_however_long_it_lasts() {
    let one = body(4, (6_000.0, 6_000.0, 70.0), (20.0, 0.0, 0.0));
    let other = body(2, (6_500.0, 6_000.0, 75.0), (-20.0, 0.0, 0.0));
    let mut scene = Scene::of(vec![one, other]);
    assert!(far_from_hubs(&scene.world, (6_000.0, 6_000.0)));
    assert!(scene.fly(4).is_empty());
    let counts = *scene.separation.counts();
    assert_eq!((counts.conflicts, counts.losses), (1, 0), "it is predicted");
    assert_eq!(counts.prevention_rate(), Some(1.0));
    let losses = scene.fly(60);
    assert_eq!(losses.len(), 1);
    assert_eq!(losses[0].drones, [DroneId(2), DroneId(4)]);
    assert!(losses[0].at[0].x > losses[0].at[1].x, "each where it is");
    let counts = *scene.separation.counts();
    assert_eq!(
        (counts.conflicts, counts.losses, counts.terminal_losses),
        (1, 1, 0)
    );
    assert_eq!(counts.prevention_rate(), Some(0.0));
    assert!(
        (counts.severity().unwrap() - 2.0 / 3.0).abs() < 1e-6,
        "5 of 15 m: {counts:?}"
    );
    assert!(counts.closest_m().unwrap() <= 10.0);
    assert!((counts.airborne_s - 64.0).abs() < 1e-9);
    assert_eq!(scene.separation.under_way(), 0, "it is over");
    (scene.bodies[0].x, scene.bodies[1].x) = (6_000.0, 6_300.0);
    scene.fly(40);
    let counts = *scene.separation.counts();
    assert_eq!((counts.conflicts, counts.losses), (2, 2), "and another begins");
}

#[test]
fn who_turns_off_in_time_is_a_conflict_that_was_prevented() {
    let one = body(1, (6_000.0, 6_000.0, 70.0), (20.0, 0.0, 0.0));
    let other = body(2, (6_500.0, 6_000.0, 70.0), (-20.0, 0.0, 0.0));
    let mut scene = Scene::of(vec![one, other]);
    scene.fly(4);
    scene.bodies[0].height = 90.0;
    assert!(scene.fly(60).is_empty());
    let counts = scene.separation.counts();
    assert_eq!((counts.conflicts, counts.losses), (1, 0));
    assert_eq!((counts.prevention_rate(), counts.severity()), (Some(1.0), None));
}

#[test]
fn around_a_hub_drones_are_counted_and_nothing_is_predicted() {
    let hub = world().hubs[0].at;
    let (x, y) = (hub.x as f32, hub.y as f32);
    let one = body(1, (x - 100.0, y, 70.0), (10.0, 0.0, 0.0));
    let other = body(2, (x + 100.0, y, 70.0), (-10.0, 0.0, 0.0));
    let mut scene = Scene::of(vec![one, other]);
    assert!(scene.fly(20).is_empty());
    let counts = *scene.separation.counts();
    assert_eq!(
        (counts.conflicts, counts.losses, counts.terminal_losses),
        (0, 0, 2),
        "each of the two, once"
    );
    // Who is outside of it is not counted.
    let outside = body(3, (x + 180.0, y, 70.0), (0.0, 0.0, 0.0));
    let inside = body(4, (x + 140.0, y, 70.0), (0.0, 0.0, 0.0));
    let mut scene = Scene::of(vec![outside, inside]);
    assert!(scene.fly(20).is_empty());
    assert_eq!(scene.separation.counts().terminal_losses, 1);
    scene.world.separation.terminal_m = 0.0;
    assert_eq!(
        scene.fly(2).len(),
        1,
        "without the volume it is a loss like any other"
    );
}

#[test]
fn those_around_hubs_and_those_elsewhere_are_each_counted_once_whatever_their_numbers() {
    let hub = world().hubs[0].at;
    let (x, y) = (hub.x as f32, hub.y as f32);
    let around = [2, 5, 8].map(|drone| body(drone, (x + drone as f32, y, 70.0), (0.0, 0.0, 0.0)));
    let elsewhere = [[1, 9], [3, 4], [6, 7]].map(|[one, other]| {
        let y = 6_000.0 + 500.0 * one as f32;
        let comes = body(other, (6_500.0, y, 75.0), (-20.0, 0.0, 0.0));
        [body(one, (6_000.0, y, 70.0), (20.0, 0.0, 0.0)), comes]
    });
    let mut scene = Scene::of([&around[..], elsewhere.as_flattened()].concat());
    assert_eq!(scene.fly(60).len(), 3);
    let counts = *scene.separation.counts();
    assert_eq!(
        (counts.conflicts, counts.losses, counts.terminal_losses),
        (3, 3, 3)
    );
}

#[test]
fn what_is_under_way_survives_a_restart() {
    let one = body(1, (6_000.0, 6_000.0, 70.0), (20.0, 0.0, 0.0));
    let other = body(2, (6_500.0, 6_000.0, 75.0), (-20.0, 0.0, 0.0));
    let mut scene = Scene::of(vec![one, other]);
    scene.fly(25);
    let saved = postcard::to_stdvec(&scene.separation).unwrap();
    let before = *scene.separation.counts();
    assert_eq!(before.losses, 1);
    scene.separation = postcard::from_bytes(&saved).unwrap();
    scene.fly(2);
    let counts = scene.separation.counts();
    assert_eq!(
        (counts.conflicts, counts.losses),
        (before.conflicts, before.losses)
    );
    assert!(
        postcard::to_stdvec(&Separation::default())
            .unwrap()
            .iter()
            .all(|byte| *byte == 0),
        "older snapshots are read so"
    );
}

#[test]
fn wider_registers_find_the_same_to_the_bit() {
    let mut stream = super::super::random::Stream::new(5, 0, super::super::random::Purpose::Aloft);
    let mut drawn = |width: f64| ((stream.uniform() - 0.5) * width) as f32;
    // So close together that most are held against eight others at a time.
    let bodies: Vec<Body> = (0..1_500)
        .map(|drone| {
            let at = (drawn(3_000.0), drawn(3_000.0), 70.0 + drawn(60.0));
            body(drone, at, (drawn(50.0), drawn(50.0), drawn(4.0)))
        })
        .collect();
    for turn in [ALL, Turn { now: 1, of: 3 }] {
        let found = |processor: pulp::Arch| {
            let nobody = vec![false; bodies.len()];
            let predicted = Sweep::on(processor).predicted(&bodies, &nobody, MINIMA, turn, None);
            let bits = |found: Predicted| (found.pair, found.rows, found.in_s.to_bits());
            predicted.into_iter().map(bits).collect::<Vec<_>>()
        };
        let (plain, wide) = (found(pulp::Arch::Scalar), found(pulp::Arch::new()));
        assert!(plain == wide, "{turn:?}");
        assert!(plain.len() > 500, "{turn:?}: {}", plain.len());
    }
}
