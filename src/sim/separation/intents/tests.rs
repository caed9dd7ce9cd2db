//! Two flights over one crossing, one of them put off.

use proptest::prelude::*;

use super::super::super::catalogue;
use super::super::super::flight::plan_return;
use super::super::super::geo::Point;
use super::super::super::random::{Purpose, Stream};
use super::super::super::sky::tests::world;
use super::super::super::time::SimDuration;
use super::passing::meet;
use super::search::{MOST_STEPS, STEP};
use super::*;

const CROSSING: Point = Point {
    x: 2_500.0,
    y: 3_000.0,
};

/// From so far before the crossing to as far behind it; north or east, both on one level.
fn over_the_crossing(world: &World, east: bool, before_m: f64) -> FlightPlan {
    // A hair off the axis decides for the quadrant.
    let (x, y) = if east { (before_m, 1.0) } else { (0.0, before_m) };
    let at = |side: f64| Point {
        x: CROSSING.x + side * x,
        y: CROSSING.y + side * y,
    };
    let (model, air) = (&world.models[0], world.air(SimTime::START));
    plan_return(model, &air, at(-1.0), at(1.0)).unwrap().plan
}

fn calm() -> World {
    world(catalogue::model("wing").unwrap(), 4, 0.1, (0.0, 0.0))
}

fn accept(intents: &mut Intents, world: &World, drone: u32, plan: &FlightPlan, at_s: f64) -> f64 {
    let now = SimTime::from_secs(at_s);
    let begins = intents.accept(world, DroneId(drone), &world.models[0], plan, now, now);
    begins.since(now).as_secs()
}

#[test]
fn who_would_come_to_a_crossing_with_another_is_put_off_until_that_one_is_past() {
    let world = calm();
    let mut intents = Intents::default();
    let (first, second) = (
        over_the_crossing(&world, true, 1_800.0),
        over_the_crossing(&world, false, 1_800.0),
    );
    assert_eq!(
        accept(&mut intents, &world, 0, &first, 100.0),
        0.0,
        "nobody is there"
    );
    let delay_s = accept(&mut intents, &world, 1, &second, 100.0);
    assert!(delay_s > 0.0 && delay_s <= 20.0, "{delay_s}");
    assert_eq!(
        intents.begins(DroneId(1)),
        Some(SimTime::from_secs(100.0 + delay_s))
    );
    // Both of them are known now.
    let third = accept(&mut intents, &world, 2, &second, 100.0);
    assert!(third > delay_s, "{third}");
    assert_eq!(intents.count(), 3);
}

#[test]
fn another_level_another_time_or_a_flight_that_was_called_off_are_in_nobodys_way() {
    let world = calm();
    let eastwards = over_the_crossing(&world, true, 1_800.0);
    let westwards = over_the_crossing(&world, true, -1_800.0);
    let northwards = over_the_crossing(&world, false, 1_800.0);
    let fresh = || {
        let mut intents = Intents::default();
        accept(&mut intents, &world, 0, &eastwards, 100.0);
        intents
    };
    assert_eq!(
        accept(&mut fresh(), &world, 1, &westwards, 100.0),
        0.0,
        "40 m higher"
    );
    assert_eq!(
        accept(&mut fresh(), &world, 1, &northwards, 160.0),
        0.0,
        "a minute later"
    );
    let mut intents = fresh();
    intents.end(DroneId(0));
    assert_eq!(accept(&mut intents, &world, 1, &northwards, 100.0), 0.0);
    let mut intents = fresh();
    accept(&mut intents, &world, 1, &northwards, 5_000.0);
    assert_eq!(intents.count(), 1, "what is past is forgotten");
}

/// Without cells: every flight's every piece at every step. And how many are met then.
fn clearest_of_all(
    intents: &Intents,
    pieces: &[Piece],
    earliest: SimTime,
    minima: Minima,
) -> (SimTime, usize) {
    let terminals = &intents.laid.terminals;
    let later = |step: u32| earliest + SimDuration(STEP.0 * u64::from(step));
    let are_met = |step: &u32| {
        let begins_s = later(*step).as_secs();
        let meets = |(drone, intent): &(&DroneId, &Intent)| {
            let others = intent.pieces.iter().map(|saved| restored(**drone, *saved));
            others.into_iter().any(|other| {
                let is_met = |piece: &Piece| meet(&piece.later(begins_s), &other, minima, terminals);
                pieces.iter().any(is_met)
            })
        };
        intents.accepted.iter().filter(meets).count()
    };
    let step = (0..=MOST_STEPS).min_by_key(are_met).unwrap();
    (later(step), are_met(&step))
}

/// Flights of all that happens to them, each held against everybody when it is accepted.
/// Answers with how many were put off, and how many of them had no free way at all.
fn crowd(world: &World, seed: u64, flights: u32, side_m: f64, within_s: f64) -> (u32, u32) {
    let air = world.air(SimTime::START);
    let minima = wider(Minima::of(&world.separation));
    let mut stream = Stream::new(seed, 0, Purpose::Aloft);
    let mut drawn = |most: f64| most * stream.uniform();
    let mut intents = Intents::default();
    let (mut put_off, mut hopeless) = (0, 0);
    let mut now_s = 200.0;
    for drone in 0..flights {
        let model = &world.models[drawn(world.models.len() as f64) as usize];
        let mut place = || Point {
            x: drawn(side_m),
            y: drawn(side_m),
        };
        let (from, to) = (place(), place());
        let Ok(planned) = plan_return(model, &air, from, to) else {
            continue;
        };
        now_s += drawn(within_s / f64::from(flights));
        let now = SimTime::from_secs(now_s);
        let earliest = SimTime::from_secs(now_s + drawn(120.0));
        intents.lay(world);
        let pieces = intents.pieces_that_count(DroneId(drone), model, &planned.plan);
        let (shown, met) = clearest_of_all(&intents, &pieces, earliest, minima);
        let begins = intents.accept(world, DroneId(drone), model, &planned.plan, now, earliest);
        assert_eq!(begins, shown, "seed {seed}, drone {drone}");
        put_off += u32::from(begins > earliest);
        hopeless += u32::from(met > 0);
        match drone % 7 {
            // It is called off, goes another way, and is asked for anew by a copy.
            2 => intents.end(DroneId(drone - 1)),
            4 => intents.replace(world, DroneId(drone - 2), model, &planned.plan, now),
            6 => intents = intents.clone(),
            _ => {}
        }
    }
    let all: Vec<DroneId> = intents.accepted.keys().copied().collect();
    all.into_iter().for_each(|drone| intents.end(drone));
    assert!(
        intents.laid.index.is_empty() && intents.laid.ends.is_empty(),
        "nothing stays behind"
    );
    (put_off, hopeless)
}

#[test]
fn a_crowd_is_put_off_as_if_each_were_held_against_everybody() {
    let (put_off, _) = crowd(&calm(), 9, 80, 1_500.0, 0.0);
    assert!(put_off > 10, "{put_off}");
}

#[test]
fn where_no_step_is_free_the_fewest_are_met() {
    // So many over one place that nobody has it to itself within the five minutes.
    let (_, hopeless) = crowd(&calm(), 3, 220, 200.0, 0.0);
    assert!(hopeless > 10, "{hopeless}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_looked_up_is_what_a_look_at_everything_finds(
        seed: u64,
        side_m in 400.0..6_000.0,
        within_s in 0.0..2_000.0,
        wind in 0.0..8.0,
    ) {
        let model = catalogue::model(if seed % 2 == 0 { "wing" } else { "m600" }).unwrap();
        let world = world(model, 4, 0.1, (wind, 0.5 * wind));
        crowd(&world, seed, 60, side_m, within_s);
    }
}

#[test]
fn intents_survive_a_restart() {
    let world = calm();
    let mut intents = Intents::default();
    let (first, second) = (
        over_the_crossing(&world, true, 1_800.0),
        over_the_crossing(&world, false, 1_800.0),
    );
    accept(&mut intents, &world, 0, &first, 100.0);
    accept(&mut intents, &world, 1, &second, 100.0);
    let saved = postcard::to_stdvec(&intents).unwrap();
    let mut restored: Intents = postcard::from_bytes(&saved).unwrap();
    assert_eq!(restored, intents);
    let mut copied = intents.clone();
    assert_eq!(copied, intents);
    let anew = accept(&mut restored, &world, 2, &second, 101.0);
    assert_eq!(anew, accept(&mut copied, &world, 2, &second, 101.0));
    assert_eq!(anew, accept(&mut intents, &world, 2, &second, 101.0));
    assert!(anew > 0.0);
    assert_eq!(restored, intents);
}

#[test]
fn pieces_follow_the_plan_in_space_and_time() {
    let world = calm();
    let plan = over_the_crossing(&world, true, 1_800.0);
    let pieces = pieces(DroneId(0), &world.models[0], &plan);
    for (one, next) in pieces.iter().zip(&pieces[1..]) {
        let end = one.at(one.ends_s(), 0.0);
        let apart = (end.x - next.body.x).abs() + (end.y - next.body.y).abs();
        assert!(
            apart < 0.1 && (end.height - next.body.height).abs() < 0.1,
            "{one:?} {next:?}"
        );
        assert!((one.ends_s() - next.begins_s).abs() < 1e-3);
    }
    let whole: f64 = plan.legs().iter().map(|leg| leg.duration_s).sum();
    let unseen_s = whole - pieces.last().unwrap().ends_s();
    assert!(
        (0.0..3.0).contains(&unseen_s),
        "all but the last metre: {unseen_s}"
    );
}
