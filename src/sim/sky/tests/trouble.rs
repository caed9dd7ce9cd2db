//! Weather that becomes too much in the air, landings elsewhere than at hubs, and lost rotors.

use super::super::super::flight::{Whereabouts, plan_landing};
use super::super::super::weather::{Breach, Change, Field, Grid, Limits};
use super::*;

fn eastward() -> Errand {
    Errand {
        home: Point::default(),
        ..errand((0.0, 0.0), (6_000.0, 0.0))
    }
}

/// Tells what the sky tells of one drone that sets out to the east, until it is down.
fn told(world: &World, until_s: f64) -> Vec<(f64, FlightEventKind)> {
    let mission = plan_delivery(&world.models[0], &world.air(SimTime::START), &eastward()).unwrap();
    let mut sky = Sky::new(world);
    sky.fly(world, DRONE, mission.plan, SimTime::START).unwrap();
    let mut told = Vec::new();
    let ticks = (until_s / world.tick.as_secs()) as u64;
    for tick in 1..=ticks {
        let now = world.time_of(tick);
        let events = sky.step(world, now, None).into_iter();
        told.extend(events.map(|event| (now.as_secs(), event.kind)));
    }
    told
}

fn alarms(told: &[(f64, FlightEventKind)]) -> Vec<(f64, Breach)> {
    let alarm = |(at, kind): &(f64, FlightEventKind)| match kind {
        FlightEventKind::WeatherAlarm(breach) => Some((*at, *breach)),
        _ => None,
    };
    told.iter().filter_map(alarm).collect()
}

/// From nothing at the first moment to this at the second.
fn rising<V: super::super::super::weather::Blend>(nothing: V, from_s: f64, to_s: f64, value: V) -> Field<V> {
    let change = |at, value| Change {
        at: SimTime::from_secs(at),
        values: vec![value],
    };
    Field::new(
        nothing,
        vec![change(from_s, nothing), change(to_s, value)],
        Grid::WHOLE,
    )
}

#[test]
fn rain_beyond_the_limit_is_told_of_once_an_episode_and_when_it_has_lasted() {
    for tick_s in [0.1, 2.0] {
        let mut world = world(wing(), 1, tick_s, (0.0, 0.0));
        let limit = world.models[0].limits.rain_mmph;
        world.weather.rain = rising(0.0, 60.0, 62.0, 2.0 * limit);
        let told = alarms(&told(&world, 200.0));
        let [(at, Breach::Rain)] = told[..] else {
            panic!("{told:?}");
        };
        assert!((65.0..=70.0).contains(&at), "{at}");
    }
}

#[test]
fn a_shower_that_is_over_at_once_is_no_trouble_and_two_that_last_are_two() {
    let showers = |lasts_s: f64| {
        let mut world = world(wing(), 1, 0.1, (0.0, 0.0));
        let change = |at, rain| Change {
            at: SimTime::from_secs(at),
            values: vec![rain],
        };
        let changes = [60.0, 120.0].into_iter().flat_map(|from| {
            let until = from + lasts_s;
            [(from - 0.1, 0.0), (from, 90.0), (until, 90.0), (until + 0.1, 0.0)]
        });
        let changes = changes.map(|(at, rain)| change(at, rain)).collect();
        world.weather.rain = Field::new(0.0, changes, Grid::WHOLE);
        alarms(&told(&world, 200.0)).len()
    };
    assert_eq!(showers(3.0), 0);
    assert_eq!(showers(20.0), 2);
}

#[test]
fn who_gets_nowhere_against_the_wind_says_so_whatever_its_limits() {
    let mut world = world(catalogue::model("m100").unwrap(), 1, 0.1, (0.0, 0.0));
    world.models[0].limits = Limits::NONE;
    world.weather.mean = rising((0.0, 0.0), 60.0, 61.0, (-12.0, 0.0));
    let told = alarms(&told(&world, 200.0));
    assert!(matches!(told[..], [(_, Breach::NoHeadway)]), "{told:?}");
}

#[test]
fn a_plan_that_ends_elsewhere_than_at_a_hub_sets_the_drone_down_there() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let at = Point { x: 1_200.0, y: 40.0 };
    let from = Whereabouts::at_rest(at, 70.0);
    let landing = plan_landing(&world.models[0], &world.air(SimTime::START), from, 0.0, 0.0);
    let mut sky = Sky::new(&world);
    sky.place_aloft(&world, DRONE, landing.plan, 90.0, SimTime::START)
        .unwrap();
    let events = (1..2_000).flat_map(|tick| sky.step(&world, world.time_of(tick), None));
    let kinds: Vec<_> = events.map(|event| event.kind).collect();
    let [FlightEventKind::SetDown { at: down, log }] = &kinds[..] else {
        panic!("{kinds:?}");
    };
    assert_eq!(*down, at);
    assert!(log.energy_wh > 0.0 && log.airborne_s > 20.0, "{log:?}");
    assert!(sky.is_lost(DRONE));
}

#[test]
fn a_limping_drone_is_slower_on_this_leg_and_the_next_until_it_is_down() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let mission = plan_delivery(&world.models[0], &world.air(SimTime::START), &eastward()).unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    let limping_mps = world.models[0].limping().cruise_airspeed_mps;
    let fastest = |sky: &mut Sky, from: u64, until: u64| {
        let speed = |tick| {
            sky.step(&world, world.time_of(tick), None);
            sky.airborne_one(DRONE).unwrap().ground_speed_mps
        };
        (from..until).map(speed).fold(0.0, f64::max)
    };
    assert!(fastest(&mut sky, 1, 1_000) > 28.0);
    sky.limp(&world, DRONE);
    let restored: Sky = postcard::from_bytes(&postcard::to_stdvec(&sky).unwrap()).unwrap();
    let mut restored = restored.with_few(sky.few().clone());
    for sky in [&mut sky, &mut restored] {
        fastest(sky, 1_000, 1_300);
        let then = fastest(sky, 1_300, 5_000);
        assert!((then - limping_mps).abs() < 0.01, "{then}");
    }
    assert!(sky.airborne().eq(restored.airborne()));
}
