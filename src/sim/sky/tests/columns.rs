//! What the sky promises about its columns, whoever flies: order, threads, restoring,
//! batteries, changes of plan.

use super::super::super::energy::energy_after;
use super::super::super::flight::{Whereabouts, plan_home};
use super::*;

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
            let plan = plan_delivery(&world.models[0], &world.air(SimTime::START), &errand)
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
        &world.air(SimTime::START),
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
        &world.air(SimTime::START),
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
    let home = |at: Point, height_m| {
        let from = Whereabouts {
            at,
            height_m,
            ..sky.fix(DRONE).unwrap().whereabouts()
        };
        let home = Point {
            x: 5_000.0,
            y: before.at.y + 1_000.0,
        };
        let air = world.air(SimTime::START);
        plan_home(&world.models[0], &air, from, home, 0.0).unwrap().plan
    };
    let aside = Point {
        x: before.at.x + 2.0,
        y: before.at.y,
    };
    let plans = [(aside, 50.0), (before.at, 52.0), (before.at, before.height_m)];
    let [elsewhere, higher, here] = plans.map(|(at, height_m)| home(at, height_m));
    let way_home_m: f64 = here.legs().iter().map(|leg| leg.path.ground_length()).sum();
    assert_eq!(sky.fly(&world, DRONE, elsewhere, now), Err(Discontinuous));
    assert_eq!(sky.fly(&world, DRONE, higher, now), Err(Discontinuous));
    assert_eq!(sky.airborne_one(DRONE), Some(before));

    sky.fly(&world, DRONE, here, now).unwrap();
    let after = sky.airborne_one(DRONE).unwrap();
    assert_eq!((after.at, after.energy_wh), (before.at, before.energy_wh));
    assert_eq!(after.heading_rad, before.heading_rad);
    assert_eq!(
        after.ground_speed_mps, before.ground_speed_mps,
        "it goes on and brakes"
    );
    let landed = (801..4_000).find_map(|tick| {
        let events = sky.step(&world, world.time_of(tick), None);
        events.into_iter().find_map(|event| match event.kind {
            FlightEventKind::SetDown { log, .. } => Some(log),
            _ => None,
        })
    });
    let flown_m = before.at.distance(Point::default());
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
    let plan = plan_delivery(&world.models[0], &world.air(SimTime::START), &home)
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
    let battery = &world.models[0].battery;
    assert_eq!(
        energy(&sky, 660.0),
        energy_after(battery, empty, 60.0),
        "as the fleet reckons"
    );
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
        &world.air(SimTime::START),
        &errand((5_000.0, 0.0), (0.0, 0.0)),
    )
    .unwrap();
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    let mut told = Vec::new();
    for tick in 1..=1_000 {
        if tick == 500 {
            sky.chunks[0].change_motion(0, |motion| {
                motion.airspeed *= 0.8;
                motion.target *= 0.8;
            });
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
