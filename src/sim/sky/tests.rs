//! Flights flown against their plans, and everything the sky promises about its columns.

use proptest::prelude::*;

use super::super::catalogue;
use super::super::flight::{Errand, Itinerary, Mission, plan_along, plan_delivery, plan_return_along};
use super::super::geo::{Area, BoundingBox, LatLon, LocalFrame};
use super::super::route::Route;
use super::super::time::SimDuration;
use super::super::units::AIR_DENSITY_KGPM3;
use super::super::wind::Weather;
use super::super::world::{DispatchRules, Fleet, Hub, UnknownPlaces, WhenFull};
use super::*;

const ORIGIN: LatLon = LatLon {
    lat: 37.76,
    lon: -122.43,
};

fn hub(x: f64, y: f64) -> Hub {
    Hub {
        key: format!("hub-{x}-{y}"),
        name: String::new(),
        location: ORIGIN,
        at: Point { x, y },
        pads: 4,
        chargers: 4,
    }
}

/// Two hubs 5 km apart; `count` drones of the model at the first.
fn world(model: Model, count: u32, tick_s: f64, wind: (f64, f64)) -> World {
    World {
        name: "test".to_owned(),
        description: String::new(),
        seed: 1,
        start_unix_us: 0,
        duration: SimDuration::from_secs(3_600.0),
        tick: SimDuration::from_secs(tick_s),
        area: Area {
            bounds: BoundingBox {
                west: -123.0,
                south: 37.0,
                east: -122.0,
                north: 38.0,
            },
            frame: LocalFrame::at(ORIGIN),
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        },
        unknown_places: UnknownPlaces::Refuse,
        hubs: vec![hub(0.0, 0.0), hub(5_000.0, 0.0)],
        models: vec![model],
        fleets: vec![Fleet {
            hub: HubId(0),
            model: ModelId(0),
            count,
            aloft: 0.0,
        }],
        places: Vec::new(),
        zones: Vec::new(),
        weather: Weather {
            wind_east_mps: wind.0,
            wind_north_mps: wind.1,
            air_density_kgpm3: AIR_DENSITY_KGPM3,
        },
        demand: None,
        scripted: Vec::new(),
        dispatch: DispatchRules {
            backlog: 0,
            max_wait: SimDuration::ZERO,
            when_full: WhenFull::Fail,
        },
        scenario_hash: [0; 32],
    }
}

fn wing() -> Model {
    catalogue::model("wing").unwrap()
}

/// From the first hub to a shop, to a customer, home to the second.
fn errand(pickup: (f64, f64), dropoff: (f64, f64)) -> Errand {
    let point = |(x, y)| Point { x, y };
    Errand {
        hub: point((0.0, 0.0)),
        pickup: point(pickup),
        dropoff: point(dropoff),
        home: point((5_000.0, 0.0)),
        payload_kg: 0.3,
    }
}

const DRONE: DroneId = DroneId(0);

/// What one flight of drone 0 was like.
struct Flown {
    pickup_s: f64,
    delivery_s: f64,
    landing_s: f64,
    log: FlightLog,
    ticks: Vec<(SimTime, Airborne)>,
}

fn fly_alone(world: &World, mission: &Mission) -> Flown {
    let mut sky = Sky::new(world);
    sky.fly(world, DRONE, mission.plan.clone(), SimTime::START)
        .unwrap();
    let mut flown = Flown {
        pickup_s: f64::NAN,
        delivery_s: f64::NAN,
        landing_s: f64::NAN,
        log: FlightLog {
            energy_wh: 0.0,
            distance_m: 0.0,
            airborne_s: 0.0,
        },
        ticks: vec![(SimTime::START, sky.airborne_one(DRONE).unwrap())],
    };
    let latest_s = mission.landing_s + 60.0;
    for tick in 1.. {
        let now = world.time_of(tick);
        assert!(now.as_secs() < latest_s, "still up {latest_s} s after take-off");
        for event in sky.step(world, now, None) {
            match event.kind {
                FlightEventKind::Reached(Milestone::PickedUp) => flown.pickup_s = now.as_secs(),
                FlightEventKind::Reached(Milestone::Delivered) => flown.delivery_s = now.as_secs(),
                FlightEventKind::Landed(log) => {
                    (flown.log, flown.landing_s) = (log, now.as_secs());
                    assert_eq!(sky.grounded(DRONE).unwrap().hub, HubId(1));
                    return flown;
                }
                FlightEventKind::LowBattery => {}
                other => panic!("{other:?} in constant wind with a big battery"),
            }
        }
        flown.ticks.push((now, sky.airborne_one(DRONE).unwrap()));
    }
    unreachable!()
}

fn place() -> impl Strategy<Value = (f64, f64)> {
    (-3_000.0..3_000.0f64, -3_000.0..3_000.0f64)
}

fn via() -> impl Strategy<Value = Vec<Point>> {
    proptest::collection::vec(place().prop_map(|(x, y)| Point { x, y }), 0..4)
}

prop_compose! {
    /// A flight of any type in any flyable wind, with way-points.
    fn any_flight()(
        key in proptest::sample::select(catalogue::keys()),
        tick_s in proptest::sample::select(vec![0.02, 0.1, 0.25, 1.0]),
        (gale, from) in (0.0..0.5f64, 0.0..TAU),
        (pickup, dropoff) in (place(), place()),
        (out, home) in (via(), via()),
    ) -> Option<(World, Mission)> {
        let mut model = catalogue::model(key).unwrap();
        let speed = gale * model.cruise_airspeed_mps;
        let wind = (speed * libm::cos(from), speed * libm::sin(from));
        let mut itinerary = Itinerary::direct(&errand(pickup, dropoff));
        itinerary.to_dropoff.via = out;
        itinerary.home.via = home;
        model.battery.capacity_wh = 10_000.0;
        let world = world(model, 1, tick_s, wind);
        let mission = plan_along(&world.models[0], &world.weather, &itinerary).ok()?;
        Some((world, mission))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_flight_keeps_its_plan(flight in any_flight()) {
        let Some((world, mission)) = flight else { return Ok(()) };
        let tick_s = world.tick.as_secs();
        let flown = fly_alone(&world, &mission);
        let late = |flown: f64, planned: f64| (flown - planned - 0.5 * tick_s).abs();
        for (flown, planned) in [
            (flown.pickup_s, mission.pickup_s),
            (flown.delivery_s, mission.delivery_s),
            (flown.landing_s, mission.landing_s),
        ] {
            prop_assert!(late(flown, planned) <= 3.0 * tick_s, "{flown} planned {planned}");
        }
        let (used, planned) = (flown.log.energy_wh, mission.energy_wh);
        prop_assert!((used / planned - 1.0).abs() < 0.01, "{used} Wh, planned {planned}");
        prop_assert!((flown.log.distance_m - mission.distance_m).abs() < 1e-6 * mission.distance_m + 1e-6);
        for (at, drone) in &flown.ticks {
            let off = |eta: SimTime, actual: f64| (eta.as_secs() - actual).abs();
            if let Some(eta) = drone.pickup_eta {
                prop_assert!(off(eta, flown.pickup_s) < 2.0, "{at:?} {eta:?}");
            }
            if let Some(eta) = drone.delivery_eta {
                prop_assert!(off(eta, flown.delivery_s) < 2.0, "{at:?} {eta:?}");
            }
        }
    }

    #[test]
    fn nothing_jumps(flight in any_flight()) {
        let Some((world, mission)) = flight else { return Ok(()) };
        let (tick_s, model) = (world.tick.as_secs(), &world.models[0]);
        let flown = fly_alone(&world, &mission);
        let targets = mission.plan.legs().iter().map(|leg| leg.target_mps);
        let fastest = targets.fold(0.0, f64::max);
        for pair in flown.ticks.windows(2) {
            let (before, after) = (&pair[0].1, &pair[1].1);
            let speed = before.ground_speed_mps.max(before.vertical_speed_mps.abs());
            let most = fastest.min(speed + model.acceleration_mps2 * tick_s) * tick_s;
            let (flat, up) = (before.at.distance(after.at), after.height_m - before.height_m);
            prop_assert!((flat * flat + up * up).sqrt() <= most + 1e-6, "{before:?} {after:?}");
            prop_assert!((0.0..=122.0).contains(&after.height_m));

            let turn = (after.heading_rad - before.heading_rad).abs();
            let turn = turn.min(TAU - turn);
            prop_assert!(turn <= model.yaw_rate_radps * tick_s + 1e-5, "{before:?} {after:?}");

            let on_ground = before.height_m == 0.0 && after.height_m == 0.0;
            prop_assert!(after.energy_wh <= before.energy_wh);
            prop_assert!(after.energy_wh < before.energy_wh || on_ground, "flies for free: {after:?}");
        }
    }
}

#[test]
fn a_leg_takes_its_planned_time_within_a_tick() {
    let world = world(wing(), 1, 0.1, (6.0, -3.0));
    let mission = plan_delivery(
        &world.models[0],
        &world.weather,
        &errand((1_500.0, 900.0), (-800.0, 2_000.0)),
    );
    let mission = mission.unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan.clone(), SimTime::START)
        .unwrap();
    let (mut leg, mut began_s, mut seen) = (0, 0.0, 0);
    for tick in 1.. {
        let now = world.time_of(tick);
        sky.step(&world, now, None);
        let Some(chunk) = sky.chunks.first() else { break };
        if chunk.flights[0].leg != leg {
            let planned = mission.plan.legs()[leg as usize].duration_s;
            let flown = now.as_secs() - began_s;
            assert!(
                (flown - planned).abs() <= 0.1 + 1e-6,
                "leg {leg}: {flown} planned {planned}"
            );
            (leg, began_s, seen) = (chunk.flights[0].leg, now.as_secs(), seen + 1);
        }
    }
    assert_eq!(seen + 1, mission.plan.legs().len());
}

#[test]
fn goods_at_the_hub_are_loaded_on_the_ground() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let mission = plan_delivery(
        &world.models[0],
        &world.weather,
        &errand((10.0, 5.0), (2_000.0, 0.0)),
    )
    .unwrap();
    assert_eq!(mission.pickup_s, world.models[0].handover_s);
    let flown = fly_alone(&world, &mission);
    let loading = &flown.ticks[100].1;
    assert_eq!(loading.status, DroneStatus::Parked);
    assert_eq!((loading.height_m, loading.ground_speed_mps), (0.0, 0.0));
    assert_eq!(loading.energy_wh, world.models[0].battery.capacity_wh);
    let aloft = mission.landing_s - mission.pickup_s;
    assert!(
        (flown.log.airborne_s - aloft).abs() < 0.1,
        "{} {aloft}",
        flown.log.airborne_s
    );
}

/// Several chunks of drones on short errands, taking off over some minutes, so that rows
/// come and go; returns every event and fingerprint.
fn busy_hour(threads: Option<usize>, restore_at: Option<u64>) -> (Vec<Vec<FlightEvent>>, Vec<u64>) {
    const DRONES: u32 = 9_000;
    let mut model = wing();
    (model.handover_s, model.climb_mps, model.descent_mps) = (5.0, 12.0, 10.0);
    model.battery.capacity_wh = 24.0;
    let world = world(model, DRONES, 1.0, (4.0, 2.0));
    let pool = threads.map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
    let mut sky = Sky::new(&world);
    let (mut events, mut fingerprints) = (Vec::new(), Vec::new());
    for tick in 1..=150u64 {
        for i in (0..DRONES).filter(|i| u64::from(i % 3) * 5 + 1 == tick) {
            let angle = f64::from(i);
            let at = |radius: f64| (radius * libm::cos(angle), radius * libm::sin(angle));
            let errand = Errand {
                home: Point::default(),
                ..errand(at(40.0 + f64::from(i % 50)), at(f64::from(i % 7) * 60.0))
            };
            let plan = plan_delivery(&world.models[0], &world.weather, &errand)
                .unwrap()
                .plan;
            sky.fly(&world, DroneId(i), plan, world.time_of(tick - 1))
                .unwrap();
        }
        events.push(sky.step(&world, world.time_of(tick), pool.as_ref()));
        fingerprints.extend(sky.fingerprints());
        if restore_at == Some(tick) {
            sky = postcard::from_bytes(&postcard::to_stdvec(&sky).unwrap()).unwrap();
        }
    }
    (events, fingerprints)
}

#[test]
fn threads_and_a_stop_in_between_change_nothing() {
    let alone = busy_hour(None, None);
    assert!(alone == busy_hour(Some(1), Some(77)), "restored");
    assert!(alone == busy_hour(Some(2), None), "two threads");
    let events: Vec<_> = alone.0.iter().flatten().collect();
    let count = |kind: fn(&FlightEventKind) -> bool| events.iter().filter(|e| kind(&e.kind)).count();
    assert!(count(|kind| matches!(kind, FlightEventKind::Landed(_))) > 1_000);
    assert!(count(|kind| matches!(kind, FlightEventKind::LowBattery)) > 100);
    assert!(count(|kind| matches!(kind, FlightEventKind::Exhausted { .. })) > 10);
    assert!(
        alone
            .0
            .iter()
            .all(|tick| tick.is_sorted_by_key(|event| event.drone))
    );
}

#[test]
fn an_empty_battery_is_told_of_twice_and_ends_the_flight() {
    let mut model = wing();
    model.battery.capacity_wh = 12.0;
    let world = world(model, 2, 0.1, (0.0, 0.0));
    let mission = plan_delivery(
        &world.models[0],
        &world.weather,
        &errand((2_000.0, 0.0), (0.0, 2_000.0)),
    )
    .unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan.clone(), SimTime::START)
        .unwrap();
    let events: Vec<_> = (1..3_000)
        .flat_map(|tick| sky.step(&world, world.time_of(tick), None))
        .filter(|event| !matches!(event.kind, FlightEventKind::Reached(_)))
        .map(|event| event.kind)
        .collect();
    let [
        FlightEventKind::LowBattery,
        FlightEventKind::Exhausted { log, .. },
    ] = &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(log.energy_wh, 12.0);
    assert!(log.distance_m > 100.0 && log.airborne_s > 10.0);
    assert!(sky.is_lost(DRONE) && sky.grounded(DRONE).is_none() && sky.airborne_count() == 0);
    let plan = mission.plan;
    assert_eq!(sky.fly(&world, DRONE, plan, SimTime::START), Err(Discontinuous));
    assert!(sky.grounded(DroneId(1)).is_some());
}

#[test]
fn a_plan_changes_in_the_air_only_from_where_the_drone_is() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let mission = plan_delivery(
        &world.models[0],
        &world.weather,
        &errand((4_000.0, 3_000.0), (0.0, 0.0)),
    )
    .unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    for tick in 1..=800 {
        sky.step(&world, world.time_of(tick), None);
    }
    let now = world.time_of(800);
    let before = sky.airborne_one(DRONE).unwrap();
    let home = |from: Point, height_m| {
        let route = Route::direct(
            from,
            Point {
                x: 5_000.0,
                y: before.at.y + 1_000.0,
            },
        );
        plan_return_along(&world.models[0], &world.weather, &route, height_m)
            .unwrap()
            .plan
    };
    let aside = Point {
        x: before.at.x + 2.0,
        y: before.at.y,
    };
    assert_eq!(sky.fly(&world, DRONE, home(aside, 50.0), now), Err(Discontinuous));
    assert_eq!(
        sky.fly(&world, DRONE, home(before.at, 52.0), now),
        Err(Discontinuous)
    );
    assert_eq!(sky.airborne_one(DRONE), Some(before));

    sky.fly(&world, DRONE, home(before.at, before.height_m), now)
        .unwrap();
    let after = sky.airborne_one(DRONE).unwrap();
    assert_eq!((after.at, after.energy_wh), (before.at, before.energy_wh));
    assert_eq!(after.heading_rad, before.heading_rad);
    assert!(
        after.ground_speed_mps > 0.5 * before.ground_speed_mps,
        "{after:?}"
    );
    let landed = (801..4_000).find_map(|tick| {
        let events = sky.step(&world, world.time_of(tick), None);
        events.into_iter().find_map(|event| match event.kind {
            FlightEventKind::Landed(log) => Some(log),
            _ => None,
        })
    });
    let flown_m = before.at.distance(Point::default());
    let way_home_m = before.at.distance(Point {
        x: 5_000.0,
        y: before.at.y + 1_000.0,
    });
    assert!((landed.unwrap().distance_m - flown_m - way_home_m).abs() < 1e-3);
}

#[test]
fn batteries_rise_only_on_a_charger() {
    let mut world = world(wing(), 2, 0.1, (0.0, 0.0));
    world.hubs.truncate(1);
    let home = Errand {
        home: Point::default(),
        ..errand((0.0, 0.0), (900.0, 0.0))
    };
    let plan = plan_delivery(&world.models[0], &world.weather, &home)
        .unwrap()
        .plan;
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, plan.clone(), SimTime::START).unwrap();
    sky.set_charging(&world, DRONE, true, SimTime::START);
    let landing = (1..10_000).find(|&tick| {
        sky.step(&world, world.time_of(tick), None);
        !sky.is_airborne(DRONE)
    });
    let landed = world.time_of(landing.unwrap());
    let after = |seconds: f64| landed + SimDuration::from_secs(seconds);
    let energy = |sky: &Sky, seconds| sky.energy_wh(&world, DRONE, after(seconds)).unwrap();
    let empty = energy(&sky, 0.0);
    assert!(empty < world.models[0].battery.capacity_wh);
    assert_eq!(energy(&sky, 600.0), empty);
    sky.set_charging(&world, DRONE, true, after(600.0));
    assert!(energy(&sky, 660.0) > empty);
    sky.set_charging(&world, DRONE, false, after(660.0));
    let charged = energy(&sky, 660.0);
    assert!(charged > empty);
    assert_eq!(energy(&sky, 9_000.0), charged);
    sky.set_charging(&world, DRONE, true, after(9_000.0));
    sky.fly(&world, DRONE, plan, after(9_060.0)).unwrap();
    let [taken] = [sky.airborne_one(DRONE).unwrap().energy_wh];
    assert!(taken > charged && taken <= world.models[0].battery.capacity_wh);
}

#[test]
fn a_slower_drone_tells_its_new_times_once() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let mission = plan_delivery(
        &world.models[0],
        &world.weather,
        &errand((5_000.0, 0.0), (0.0, 0.0)),
    )
    .unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    let mut told = Vec::new();
    for tick in 1..=1_000 {
        if tick == 500 {
            sky.chunks[0].target[0] *= 0.8;
        }
        let events = sky.step(&world, world.time_of(tick), None);
        told.extend(events.into_iter().map(|event| (tick, event.kind)));
    }
    let [(tick, FlightEventKind::EtaMoved { pickup, .. })] = told[..] else {
        panic!("{told:?}");
    };
    assert!((500..=510).contains(&tick));
    assert!(pickup.as_secs() > mission.pickup_s + 5.0);
}
