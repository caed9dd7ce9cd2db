//! Flights flown against their plans, by drones of all types in all winds.

use std::f64::consts::TAU;

use proptest::prelude::*;

use super::super::super::drone::DroneStatus;
use super::*;

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
                FlightEventKind::LowBattery
                | FlightEventKind::EtaMoved { .. }
                | FlightEventKind::WeatherAlarm(_)
                | FlightEventKind::Reached(Milestone::OverHub) => {}
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
        model.battery.capacity_wh = 10_000.0;
        let world = world(model, 1, tick_s, wind);
        let air = world.air(SimTime::START);
        let mut itinerary = Itinerary::of(&world.models[0], &air, &errand(pickup, dropoff)).ok()?;
        itinerary.to_dropoff.via = out;
        itinerary.home.via = home;
        let mission = plan_along(&world.models[0], &air, &itinerary).ok()?;
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
            prop_assert!((flat * flat + up * up).sqrt() <= most + 1e-3, "{before:?} {after:?}");
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
        &world.air(SimTime::START),
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
        &world.air(SimTime::START),
        &errand((10.0, 5.0), (2_000.0, 0.0)),
    )
    .unwrap();
    assert_eq!(mission.pickup_s, world.models[0].handover_s);
    let flown = fly_alone(&world, &mission);
    let loading = &flown.ticks[100].1;
    assert_eq!(loading.status, DroneStatus::Hovering);
    assert_eq!((loading.height_m, loading.ground_speed_mps), (0.0, 0.0));
    assert_eq!(loading.energy_wh, world.models[0].battery.capacity_wh);
    let aloft = mission.landing_s - mission.pickup_s;
    assert!(
        (flown.log.airborne_s - aloft).abs() < 0.1,
        "{} {aloft}",
        flown.log.airborne_s
    );
}
