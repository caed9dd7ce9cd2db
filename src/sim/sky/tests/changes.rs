//! Changes of plan in the air: whatever comes when, a drone is flown within its type's limits,
//! and what is planned from there is what is flown.

use std::f64::consts::TAU;

use proptest::prelude::*;

use super::super::super::flight::{
    Course, Leg, Manoeuvre, Onward, Path, Phase, Rest, Velocity, Whereabouts, plan_hold_beside, plan_home,
    plan_landing, plan_manoeuvre, plan_rest, plan_wait,
};
use super::super::super::units::GRAVITY_MPS2;
use super::super::super::weather::windage;
use super::*;

#[derive(Clone, Debug)]
enum Change {
    Cancel,
    Redirect { to: (f64, f64) },
    Wait { seconds: f64 },
    HoldBeside,
    LandHere,
    RotorOut,
    MakeWay(Manoeuvre),
}

fn manoeuvre() -> impl Strategy<Value = Manoeuvre> {
    prop_oneof![
        proptest::sample::select(vec![50.0, 70.0, 90.0, 110.0]).prop_map(|to_m| Manoeuvre::Level { to_m }),
        (5.0..20.0f64).prop_map(|seconds| Manoeuvre::Slow { share: 0.6, seconds }),
        (5.0..20.0f64).prop_map(|seconds| Manoeuvre::Hold { seconds }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Cancel),
        (-3_000.0..3_000.0f64, -3_000.0..3_000.0f64).prop_map(|to| Change::Redirect { to }),
        (1.0..60.0f64).prop_map(|seconds| Change::Wait { seconds }),
        Just(Change::HoldBeside),
        Just(Change::LandHere),
        Just(Change::RotorOut),
        manoeuvre().prop_map(Change::MakeWay),
        manoeuvre().prop_map(Change::MakeWay),
    ]
}

prop_compose! {
    fn any_world()(
        key in proptest::sample::select(catalogue::keys()),
        tick_s in proptest::sample::select(vec![0.05, 0.1, 0.25]),
        (gale, from) in (0.0..0.5f64, 0.0..TAU),
        gust_mps in proptest::sample::select(vec![0.0, 0.0, 1.5, 4.0]),
    ) -> World {
        let mut model = catalogue::model(key).unwrap();
        let speed = gale * model.cruise_airspeed_mps;
        model.battery.capacity_wh = 10_000.0;
        let mut world = world(model, 1, tick_s, (speed * libm::cos(from), speed * libm::sin(from)));
        world.weather.gust_mps = gust_mps;
        world
    }
}

const HOME: Point = Point { x: 5_000.0, y: 0.0 };
const HOMEWARD: Onward = Onward::Home {
    home: HOME,
    payload_kg: 0.0,
};

/// What is left to do once this has happened.
fn after(goal: Onward, event: &FlightEventKind) -> Onward {
    match (goal, event) {
        (Onward::Errand(rest), FlightEventKind::Reached(Milestone::PickedUp)) => {
            Onward::Errand(Rest { pickup: None, ..rest })
        }
        (_, FlightEventKind::Reached(Milestone::Delivered)) => HOMEWARD,
        (goal, _) => goal,
    }
}

/// What is flown from there; `None` where it cannot be.
fn replanned(
    world: &World,
    sky: &mut Sky,
    change: &Change,
    goal: &mut Onward,
    limps: &mut bool,
    now: SimTime,
) -> Option<Mission> {
    let air = world.air(now);
    let fix = sky.fix(DRONE)?;
    let from = fix.whereabouts();
    if matches!(change, Change::RotorOut) {
        sky.limp(world, DRONE);
        *limps = true;
    }
    let whole = &world.models[0];
    let limping = whole.limping();
    let model = if *limps { &limping } else { whole };
    let rest = |(x, y)| Rest {
        pickup: None,
        dropoff: Point { x, y },
        home: HOME,
        payload_kg: 0.3,
        handover_left_s: None,
    };
    let mission = match *change {
        Change::Cancel => plan_home(model, &air, from, HOME, 0.3),
        Change::RotorOut => {
            let home = plan_home(model, &air, from, HOME, 0.3);
            home.or_else(|_| Ok(plan_landing(model, &air, from, 0.0, 0.3)))
        }
        Change::Redirect { to } => plan_rest(model, &air, from, &rest(to)),
        Change::Wait { seconds } => plan_wait(model, &air, from, seconds, Phase::Hold, HOME, 0.0),
        Change::HoldBeside => {
            let beside = Point {
                x: from.at.x + 100.0,
                ..from.at
            };
            plan_hold_beside(model, &air, from, beside, 20.0, HOME, 0.0)
        }
        Change::LandHere => Ok(plan_landing(model, &air, from, 5.0, 0.0)),
        Change::MakeWay(manoeuvre) => {
            let (chunk, row) = sky.row_of(DRONE)?;
            let body = bodies::body(chunk, row, 20.0);
            let course: Course = sky.party(world, body)?.course?;
            return plan_manoeuvre(model, &air, (from, course), manoeuvre, *goal).ok()?;
        }
    };
    *goal = match *change {
        Change::Redirect { to } => Onward::Errand(rest(to)),
        _ => HOMEWARD,
    };
    mission.ok()
}

/// The mean velocity over a tick.
fn velocity(before: &Airborne, after: &Airborne, tick_s: f64) -> Velocity {
    Velocity {
        east_mps: (after.at.x - before.at.x) / tick_s,
        north_mps: (after.at.y - before.at.y) / tick_s,
        up_mps: (after.height_m - before.height_m) / tick_s,
    }
}

/// Of the velocities of two ticks, in a wind that gusts so much over planned.
fn check_limits(world: &World, [was, is]: [Velocity; 2]) -> Result<(), TestCaseError> {
    const ROUNDING_MPS: f64 = 0.06;
    let (model, tick_s) = (&world.models[0], world.tick.as_secs());
    let turning = GRAVITY_MPS2 * libm::tan(model.max_bank_rad);
    let flat = |of: Velocity| Velocity { up_mps: 0.0, ..of };
    let level_mps = flat(was).off_mps(flat(is));
    let most_mps = libm::hypot(model.acceleration_mps2, turning) * tick_s;
    prop_assert!(
        level_mps <= 1.01 * most_mps + ROUNDING_MPS,
        "{level_mps} of {most_mps}: {was:?} {is:?}"
    );
    // Who slows down on a slope climbs less, and who bends into one gains less ground.
    let sloping = match flat(is).speed_mps() > 0.5 {
        true => was.up_mps.abs().max(is.up_mps.abs()) / was.speed_mps().max(is.speed_mps()),
        false => 0.0,
    };
    let straight = was.east_mps * is.north_mps - was.north_mps * is.east_mps;
    if straight.abs() < 1e-6 * flat(was).speed_mps() * flat(is).speed_mps() {
        let most_mps = (model.acceleration_mps2 + sloping * model.vertical_acceleration_mps2) * tick_s;
        prop_assert!(
            level_mps <= 1.01 * most_mps + ROUNDING_MPS,
            "{level_mps} of {most_mps}: {was:?} {is:?}"
        );
    }
    let upright_mps = (was.up_mps - is.up_mps).abs();
    let most_mps = (model.vertical_acceleration_mps2 + sloping * model.acceleration_mps2) * tick_s;
    prop_assert!(
        upright_mps <= 1.02 * most_mps + ROUNDING_MPS,
        "{upright_mps} of {most_mps}: {was:?} {is:?}"
    );
    prop_assert!(is.up_mps <= 1.01 * model.climb_mps + ROUNDING_MPS, "{is:?}");
    prop_assert!(is.up_mps >= -1.01 * model.descent_mps - ROUNDING_MPS, "{is:?}");
    Ok(())
}

/// Nobody gains on its type's airspeed: who is beyond it, by a gust that it has yet to slow down in
/// or with a rotor less, does not come to be more so.
fn check_airspeed(
    world: &World,
    sky: &Sky,
    now: SimTime,
    after: &Airborne,
    [was, is]: [Velocity; 2],
) -> Result<(), TestCaseError> {
    const ROUNDING_MPS: f64 = 0.06;
    let (mean, gust) = (world.weather.wind(0, now), sky.gusts.of(0));
    let share = windage(after.height_m);
    let wind = (share * (mean.0 + gust.0), share * (mean.1 + gust.1));
    let through_mps = |of: Velocity| libm::hypot(of.east_mps - wind.0, of.north_mps - wind.1);
    let blown_mps = share * libm::hypot(gust.0, gust.1);
    // A slope is flown by the wind at its beginning, which is weaker or stronger than at its end.
    let sheared_mps = match was.up_mps.abs() + is.up_mps.abs() > ROUNDING_MPS {
        true => 0.2 * libm::hypot(wind.0, wind.1),
        false => 0.0,
    };
    let slack_mps = blown_mps + sheared_mps + ROUNDING_MPS;
    let most_mps = 1.01 * world.models[0].cruise_airspeed_mps + slack_mps;
    let airspeed_mps = through_mps(is);
    prop_assert!(
        airspeed_mps <= most_mps.max(through_mps(was) + ROUNDING_MPS),
        "{airspeed_mps} of {most_mps}: {was:?} {is:?} in {wind:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn whatever_changes_when_nothing_moves_beyond_its_limits(
        world in any_world(),
        pickup in (-3_000.0..3_000.0f64, -3_000.0..3_000.0f64),
        dropoff in (-3_000.0..3_000.0f64, -3_000.0..3_000.0f64),
        changes in proptest::collection::vec((change(), 1.0..180.0f64), 1..5),
    ) {
        let tick_s = world.tick.as_secs();
        let air = world.air(SimTime::START);
        let Ok(mission) = plan_delivery(&world.models[0], &air, &errand(pickup, dropoff)) else {
            return Ok(());
        };
        let errand = errand(pickup, dropoff);
        let mut goal = Onward::Errand(Rest {
            pickup: Some(errand.pickup),
            dropoff: errand.dropoff,
            home: HOME,
            payload_kg: errand.payload_kg,
            handover_left_s: None,
        });
        let mut sky = Sky::new(&world);
        sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
        let (mut changes, mut limps) = (changes.into_iter(), false);
        let mut next = changes.next();
        let mut due_s = next.as_ref().map_or(f64::INFINITY, |(_, after_s)| *after_s);
        let mut promised: Option<(f64, f64)> = None;
        let mut before = sky.airborne_one(DRONE).unwrap();
        let mut was = Velocity::NONE;
        for tick in 1..200_000 {
            let now = world.time_of(tick);
            let events = sky.step(&world, now, None);
            let Some(after) = sky.airborne_one(DRONE) else {
                if let Some((landing_s, left_wh)) = promised.filter(|_| world.weather.gust_mps == 0.0) {
                    let late_s = now.as_secs() - landing_s;
                    prop_assert!(late_s.abs() <= 4.0 * tick_s + 0.02 * landing_s, "{late_s} s late");
                    if let Some(grounded) = sky.grounded(DRONE) {
                        let off_wh = (grounded.energy_wh - left_wh).abs();
                        let flown_wh = 10_000.0 - left_wh;
                        prop_assert!(off_wh <= 0.02 * flown_wh + 0.5, "{off_wh} of {flown_wh} Wh");
                    }
                }
                return Ok(());
            };
            let is = velocity(&before, &after, tick_s);
            check_limits(&world, [was, is])?;
            check_airspeed(&world, &sky, now, &after, [was, is])?;
            (before, was) = (after, is);
            goal = events.iter().fold(goal, |goal, event| self::after(goal, &event.kind));
            if now.as_secs() >= due_s {
                let (change, _) = next.take().unwrap();
                if let Some(mission) = replanned(&world, &mut sky, &change, &mut goal, &mut limps, now) {
                    let energy_wh = sky.fix(DRONE).unwrap().energy_wh;
                    promised = Some((now.as_secs() + mission.landing_s, energy_wh - mission.energy_wh));
                    let accepted = sky.fly(&world, DRONE, mission.plan, now);
                    prop_assert_eq!(accepted, Ok(()), "{:?}", change);
                }
                next = changes.next();
                due_s = next.as_ref().map_or(f64::INFINITY, |(_, after_s)| now.as_secs() + after_s);
            }
        }
        prop_assert!(false, "it never comes down");
    }
}

#[test]
fn a_slope_against_a_gale_takes_as_long_as_planned() {
    let model = catalogue::model("m100").unwrap();
    // Against all but 1.2 m/s of what it makes at 70 m.
    let gale = -(model.cruise_airspeed_mps - 1.2) / windage(70.0);
    let mut world = world(model, 1, 0.1, (gale, 0.0));
    world.models[0].battery.capacity_wh = 10_000.0;
    let (model, mut now) = (&world.models[0], SimTime::START);
    let air = world.air(now);
    let mission = plan_home(
        model,
        &air,
        Whereabouts::at_rest(Point { x: 0.0, y: 0.0 }, 0.0),
        HOME,
        0.0,
    );
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.unwrap().plan, now).unwrap();
    for _ in 0..600 {
        now += world.tick;
        sky.step(&world, now, None);
    }
    let from = sky.fix(DRONE).unwrap().whereabouts();
    assert_eq!(from.height_m, 70.0);
    let course = Course {
        east: 1.0,
        north: 0.0,
        left_m: HOME.x - from.at.x,
    };
    let down = Manoeuvre::Level { to_m: 50.0 };
    let mission = plan_manoeuvre(model, &air, (from, course), down, HOMEWARD);
    let plan = mission.unwrap().unwrap().plan;
    let slope = |leg: &&Leg| matches!(leg.path, Path::Bend { .. } | Path::Slope { .. });
    let planned_s: f64 = plan
        .legs()
        .iter()
        .take_while(slope)
        .map(|leg| leg.duration_s)
        .sum();
    assert!(planned_s > 20.0, "{planned_s}");
    let begins = now;
    sky.fly(&world, DRONE, plan, now).unwrap();
    while sky.airborne_one(DRONE).unwrap().height_m > 50.0 + 1e-3 {
        now += world.tick;
        sky.step(&world, now, None);
    }
    let taken_s = now.since(begins).as_secs();
    assert!((taken_s - planned_s).abs() < 1.0, "{taken_s} of {planned_s}");
}

/// Of a drone that goes up to another level once it is so fast: the greatest vertical acceleration,
/// and the seconds that it takes.
fn goes_up(world: &World, begins_mps: f64) -> (f64, f64) {
    let (model, mut now) = (&world.models[0], SimTime::START);
    let start = Whereabouts::at_rest(Point { x: 0.0, y: 0.0 }, 0.0);
    let mission = plan_home(model, &world.air(now), start, HOME, 0.0).unwrap();
    let mut sky = Sky::new(world);
    sky.fly(world, DRONE, mission.plan, now).unwrap();
    let flown = |sky: &Sky| sky.airborne_one(DRONE).unwrap();
    while flown(&sky).ground_speed_mps < begins_mps {
        now += world.tick;
        sky.step(world, now, None);
    }
    let from = sky.fix(DRONE).unwrap().whereabouts();
    let course = Course {
        east: 1.0,
        north: 0.0,
        left_m: HOME.x - from.at.x,
    };
    let up = Manoeuvre::Level { to_m: 110.0 };
    let mission = plan_manoeuvre(model, &world.air(now), (from, course), up, HOMEWARD);
    let plan = mission.unwrap().expect("there is room").plan;
    sky.fly(world, DRONE, plan, now).unwrap();
    let (mut was_mps, mut most_mps2, began) = (0.0, 0.0_f64, now);
    while flown(&sky).height_m < 109.99 {
        now += world.tick;
        sky.step(world, now, None);
        let up_mps = flown(&sky).vertical_speed_mps;
        most_mps2 = most_mps2.max((up_mps - was_mps).abs() / world.tick.as_secs());
        was_mps = up_mps;
    }
    (most_mps2, now.since(began).as_secs())
}

#[test]
fn a_slope_into_a_stronger_wind_takes_no_more_than_the_types_vertical_acceleration() {
    // At full speed, while it still gains, and hardly off.
    for (east_mps, begins_mps) in [(-7.0, 21.9), (7.0, 35.9), (0.0, 15.0), (-7.0, 12.0), (0.0, 0.7)] {
        let world = world(wing(), 1, 0.1, (east_mps / windage(70.0), 0.0));
        let (most_mps2, taken_s) = goes_up(&world, begins_mps);
        let limit_mps2 = 1.03 * world.models[0].vertical_acceleration_mps2;
        assert!(most_mps2 < limit_mps2, "{east_mps}, {begins_mps}: {most_mps2}");
        assert!(taken_s < 30.0, "{east_mps}, {begins_mps}: {taken_s} s");
    }
}

#[test]
fn in_gusts_it_takes_no_more_either() {
    let mut worst = 0.0_f64;
    for key in ["wing", "m600"] {
        for seed in 1..=50 {
            let model = catalogue::model(key).unwrap();
            let begins_mps = 0.9 * model.cruise_airspeed_mps;
            let mut world = world(model, 1, 0.1, (0.0, 0.0));
            (world.seed, world.weather.gust_mps) = (seed, 1.5);
            let (most_mps2, _) = goes_up(&world, begins_mps);
            worst = worst.max(most_mps2 / world.models[0].vertical_acceleration_mps2);
        }
    }
    assert!(worst < 1.05, "{worst} of what the types do");
}

#[test]
fn a_drone_in_full_flight_brakes_as_hard_as_it_may_and_no_harder() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let model = &world.models[0];
    let from = Whereabouts {
        at: Point { x: 0.0, y: 0.0 },
        height_m: 70.0,
        velocity: Velocity::along((0.6, 0.8, 0.0), model.cruise_airspeed_mps),
    };
    let waits = plan_wait(
        model,
        &world.air(SimTime::START),
        from,
        30.0,
        Phase::Hold,
        HOME,
        0.0,
    )
    .unwrap();
    let braking = &waits.plan.legs()[0];
    let braking_s = model.cruise_airspeed_mps / model.acceleration_mps2;
    assert!(
        (braking.duration_s - braking_s).abs() < 0.01,
        "{}",
        braking.duration_s
    );
    let (rests, height_m) = braking.end();
    let braking_m = 0.5 * model.cruise_airspeed_mps * braking_s;
    assert!((rests.distance(from.at) - braking_m).abs() < 0.02 && height_m == 70.0);
    assert!((rests.y / rests.x - 0.8 / 0.6).abs() < 1e-9, "on its way");
}

#[test]
fn a_drone_that_stops_keeps_its_nose_where_it_was() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let air = world.air(SimTime::START);
    let model = &world.models[0];
    let mission = plan_delivery(model, &air, &errand((-1_500.0, 0.0), (900.0, 900.0))).unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    for tick in 1..=300 {
        sky.step(&world, world.time_of(tick), None);
    }
    let nose_rad = |sky: &Sky| sky.airborne().next().unwrap().heading_rad;
    let west_rad = nose_rad(&sky);
    let from = sky.fix(DRONE).unwrap().whereabouts();
    assert!(from.velocity.east_mps < -20.0, "{from:?}");
    let waits = plan_wait(model, &air, from, 30.0, Phase::Hold, HOME, 0.0).unwrap();
    sky.fly(&world, DRONE, waits.plan, world.time_of(300)).unwrap();
    for tick in 301..=450 {
        sky.step(&world, world.time_of(tick), None);
        assert!((nose_rad(&sky) - west_rad).abs() < 1e-3, "tick {tick}");
    }
    assert!(sky.fix(DRONE).unwrap().whereabouts().velocity.speed_mps() < 0.1);
}

#[test]
fn a_plan_that_does_not_begin_as_the_drone_moves_is_refused() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let air = world.air(SimTime::START);
    let mission = plan_delivery(&world.models[0], &air, &errand((1_500.0, 0.0), (900.0, 900.0))).unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    for tick in 1..=300 {
        sky.step(&world, world.time_of(tick), None);
    }
    let from = sky.fix(DRONE).unwrap().whereabouts();
    assert!(from.velocity.speed_mps() > 20.0, "{from:?}");
    let now = world.time_of(300);
    let at_rest = Whereabouts::at_rest(from.at, from.height_m);
    let back = Point { x: -900.0, y: 0.0 };
    let [dead, braking] =
        [at_rest, from].map(|from| plan_home(&world.models[0], &air, from, back, 0.0).unwrap());
    assert_eq!(sky.fly(&world, DRONE, dead.plan, now), Err(Discontinuous));
    assert_eq!(sky.fly(&world, DRONE, braking.plan, now), Ok(()));
}
