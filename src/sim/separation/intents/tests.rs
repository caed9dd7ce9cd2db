//! Two flights over one crossing, one of them put off.

use super::super::super::catalogue;
use super::super::super::flight::plan_return;
use super::super::super::geo::Point;
use super::super::super::sky::tests::world;
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

/// Without cells: every flight's every piece at every step.
fn clearest_of_all(intents: &Intents, pieces: &[Piece], earliest: SimTime, minima: Minima) -> SimTime {
    let later = |step: u32| earliest + SimDuration(STEP.0 * u64::from(step));
    let are_met = |step: &u32| {
        let begins_s = later(*step).as_secs();
        let meets = |(drone, intent): &(&DroneId, &Intent)| {
            let others = intent.pieces.iter().map(|saved| restored(**drone, *saved));
            others.into_iter().any(|other| {
                pieces.iter().any(|piece| {
                    let begins_s = piece.begins_s + begins_s;
                    intents.meet(&Piece { begins_s, ..*piece }, &other, minima)
                })
            })
        };
        intents.accepted.iter().filter(meets).count()
    };
    later((0..=MOST_STEPS).min_by_key(are_met).unwrap())
}

#[test]
fn a_crowd_is_put_off_as_if_each_were_held_against_everybody() {
    let world = calm();
    let (model, air) = (&world.models[0], world.air(SimTime::START));
    let minima = wider(Minima::of(&world.separation));
    let mut stream =
        super::super::super::random::Stream::new(9, 0, super::super::super::random::Purpose::Aloft);
    let mut drawn = |metres: f64| metres * stream.uniform();
    let mut intents = Intents::default();
    let mut put_off = 0;
    for drone in 0..80 {
        let at = |x: f64, y: f64| Point { x, y };
        let (from, to) = (
            at(drawn(1_500.0), drawn(1_500.0)),
            at(drawn(1_500.0), drawn(1_500.0)),
        );
        let plan = plan_return(model, &air, from, to).unwrap().plan;
        let earliest = SimTime::from_secs(200.0 + drawn(120.0));
        intents.lay(&world);
        let pieces = pieces(DroneId(drone), model, &plan);
        let shown = clearest_of_all(&intents, &pieces, earliest, minima);
        let now = SimTime::from_secs(200.0);
        let begins = intents.accept(&world, DroneId(drone), model, &plan, now, earliest);
        assert_eq!(begins, shown, "drone {drone}");
        put_off += u32::from(begins > earliest);
        if drone % 7 == 6 {
            intents.end(DroneId(drone - 3));
        }
    }
    assert!(put_off > 10, "{put_off}");
    for drone in 0..80 {
        intents.end(DroneId(drone));
    }
    assert!(
        intents.cells.is_empty() && intents.ends.is_empty(),
        "nothing stays behind"
    );
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
    let anew = accept(&mut restored, &world, 2, &second, 101.0);
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
