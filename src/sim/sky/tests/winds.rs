//! What the wind does to drones in the air, beside what was forecast.

use super::super::super::flight::Path;
use super::super::super::weather::{Change, Field, Grid, windage};
use super::*;

const EAST_M: f64 = 6_000.0;

/// Flies one errand to the end: when it delivered, what it took, and each tick's ground speed.
fn flown(world: &World, mission: &Mission) -> (f64, f64, Vec<f64>) {
    let mut sky = Sky::new(world);
    sky.fly(world, DRONE, mission.plan.clone(), SimTime::START)
        .unwrap();
    let (mut delivery_s, mut speeds) = (f64::NAN, Vec::new());
    for tick in 1..40_000 {
        let now = world.time_of(tick);
        for event in sky.step(world, now, None) {
            match event.kind {
                FlightEventKind::Reached(Milestone::Delivered) => delivery_s = now.as_secs(),
                FlightEventKind::Landed(log) => return (delivery_s, log.energy_wh, speeds),
                _ => {}
            }
        }
        speeds.extend(sky.airborne_one(DRONE).map(|drone| drone.ground_speed_mps));
    }
    panic!("it never landed");
}

fn eastward() -> Errand {
    Errand {
        home: Point::default(),
        ..errand((0.0, 0.0), (EAST_M, 0.0))
    }
}

fn planned(world: &World) -> Mission {
    plan_delivery(&world.models[0], &world.air(SimTime::START), &eastward()).unwrap()
}

fn big(mut model: Model) -> Model {
    model.battery.capacity_wh = 10_000.0;
    model
}

#[test]
fn twice_the_headwind_or_payload_costs_what_the_formulas_say() {
    for key in catalogue::keys() {
        let model = big(catalogue::model(key).unwrap());
        let airspeed = model.cruise_airspeed_mps;
        let headwind_mps = 0.12 * airspeed;
        let fly = |headwind_mps: f64, payload_kg: f64| {
            let world = world(model.clone(), 1, 0.1, (-headwind_mps, 0.0));
            let loaded = Errand {
                payload_kg,
                ..eastward()
            };
            let mission = plan_delivery(&world.models[0], &world.air(SimTime::START), &loaded).unwrap();
            let (delivery_s, energy_wh, _) = flown(&world, &mission);
            (mission, delivery_s, energy_wh)
        };
        let half_kg = 0.5 * model.max_payload_kg;
        let (calm, once, twice) = (
            fly(0.0, half_kg),
            fly(headwind_mps, half_kg),
            fly(2.0 * headwind_mps, half_kg),
        );
        let cruise = |mission: &Mission| {
            let mut lines = mission
                .plan
                .legs()
                .iter()
                .filter(|leg| matches!(leg.path, Path::Line { east, .. } if east > 0.5));
            *lines.next().unwrap()
        };
        for (headwind_mps, (mission, delivery_s, _)) in
            [(0.0, &calm), (headwind_mps, &once), (2.0 * headwind_mps, &twice)]
        {
            let leg = cruise(mission);
            let ground_mps = airspeed - headwind_mps * windage(leg.end().1);
            assert!((leg.target_mps - ground_mps).abs() < 1e-9, "{key}");
            // The way, and what both ramps take beyond it.
            let leg_s = EAST_M / ground_mps + ground_mps / model.acceleration_mps2;
            assert!((leg.duration_s - leg_s).abs() < 1e-6, "{key}: {leg_s}");
            let ahead_s = delivery_s - calm.1 - (leg_s - cruise(&calm.0).duration_s);
            assert!(ahead_s.abs() < 0.25, "{key}: {ahead_s}");
        }
        assert!(calm.2 < once.2 && once.2 < twice.2, "{key}");
        let heavy = fly(0.0, model.max_payload_kg);
        let out = |mission: &Mission, mass_kg: f64| {
            let watts = model
                .power
                .forward_w(model.empty_mass_kg + mass_kg, airspeed, AIR_DENSITY_KGPM3);
            watts * cruise(mission).duration_s / 3_600.0
        };
        // More of a battery by what the cruise out takes, and by what lifting and lowering do.
        let more_wh = out(&heavy.0, model.max_payload_kg) - out(&calm.0, half_kg);
        assert!(heavy.2 - calm.2 > 0.9 * more_wh && more_wh > 0.0, "{key}");
        assert!((heavy.1 - calm.1).abs() < 0.25, "{key}: a load is not slower");
    }
}

#[test]
fn what_was_not_forecast_is_met_in_the_air() {
    let mut world = world(big(wing()), 1, 0.1, (-5.0, 0.0));
    world.weather.forecast_error = 0.3;
    let seeds = 1..=20;
    for seed in seeds {
        world.seed = seed;
        let mission = planned(&world);
        let forecast = world.air(SimTime::START).wind(Point::default(), 10.0).0;
        let (delivery_s, energy_wh, _) = flown(&world, &mission);
        let stronger = forecast < -5.0;
        assert_eq!(delivery_s < mission.delivery_s, stronger, "{forecast}");
        if (forecast + 5.0).abs() < 0.2 {
            continue;
        }
        // Out against it and home with it: a stronger wind costs more than it gives.
        assert_eq!(energy_wh < mission.energy_wh, stronger, "{forecast}");
    }
}

#[test]
fn gusts_are_flown_through_and_come_again_after_a_stop() {
    let mut world = world(big(wing()), 1, 0.1, (-5.0, 0.0));
    let mission = planned(&world);
    let (calm_s, _, steady) = flown(&world, &mission);
    world.weather.gust_mps = 1.5;
    let (gusty_s, _, gusty) = flown(&world, &mission);
    assert_eq!(gusty, flown(&world, &mission).2, "the same seed");
    assert!((gusty_s / calm_s - 1.0).abs() < 0.05 && gusty_s != calm_s);
    // Once at speed: steady, or swinging by about the gusts of its height.
    let spread = |speeds: &[f64]| {
        let cruise = &speeds[800..1_900];
        let mean = cruise.iter().sum::<f64>() / cruise.len() as f64;
        (cruise
            .iter()
            .map(|speed| (speed - mean) * (speed - mean))
            .sum::<f64>()
            / cruise.len() as f64)
            .sqrt()
    };
    assert!(spread(&steady) < 1e-3, "{}", spread(&steady));
    assert!((0.7..4.0).contains(&spread(&gusty)), "{}", spread(&gusty));

    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    let mut stopped = sky.clone();
    for tick in 1..=900 {
        let now = world.time_of(tick);
        assert_eq!(sky.step(&world, now, None), stopped.step(&world, now, None));
        if tick % 300 == 0 {
            stopped = postcard::from_bytes(&postcard::to_stdvec(&stopped).unwrap()).unwrap();
        }
        assert!(sky.fingerprints().eq(stopped.fingerprints()), "tick {tick}");
    }
}

/// In a wind that nobody foretold, by every type: the newest time that was told is never over
/// before the drone is there, and is told anew where it moved far, or once when it comes down.
#[test]
fn nobody_is_promised_for_the_past() {
    for (key, seed) in catalogue::keys()
        .iter()
        .flat_map(|key| (1..=6).map(move |seed| (key, seed)))
    {
        let model = big(catalogue::model(key).unwrap());
        let wind_mps = 0.2 * model.cruise_airspeed_mps;
        let mut world = world(model, 1, 0.1, (-wind_mps, 0.0));
        (world.weather.forecast_error, world.weather.gust_mps, world.seed) = (0.2, 1.0, seed);
        let way = errand((2_000.0, 500.0), (EAST_M, 0.0));
        let mission = plan_delivery(&world.models[0], &world.air(SimTime::START), &way).unwrap();
        let mut sky = Sky::new(&world);
        let mut told = (mission.pickup_s, mission.delivery_s);
        let (mut reached, mut little) = (0, 0);
        sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
        for tick in 1.. {
            let now = world.time_of(tick);
            let now_s = now.as_secs();
            for event in sky.step(&world, now, None) {
                match event.kind {
                    FlightEventKind::EtaMoved { pickup, delivery } => {
                        let newest = (pickup.as_secs(), delivery.as_secs());
                        let moved_s = (newest.1 - told.1).abs().max((newest.0 - told.0).abs());
                        little += u32::from(moved_s < 5.0);
                        told = newest;
                    }
                    FlightEventKind::Reached(Milestone::PickedUp | Milestone::Delivered) => reached += 1,
                    _ => {}
                }
            }
            match reached {
                0 => assert!(told.0 > now_s - 0.11, "{key} {seed}: {} at {now_s}", told.0),
                1 => assert!(told.1 > now_s - 0.11, "{key} {seed}: {} at {now_s}", told.1),
                _ => break,
            }
        }
        assert!(little <= 4, "{key} {seed}: {little} times");
    }
}

#[test]
fn plans_know_the_winds_of_the_cells_on_their_way() {
    let mut world = world(big(wing()), 1, 0.1, (0.0, 0.0));
    let grid = Grid {
        west_m: -500.0,
        south_m: -5_000.0,
        cell_width_m: 2_000.0,
        cell_height_m: 10_000.0,
        columns: 4,
        rows: 1,
    };
    let winds = vec![(0.0, 0.0), (-8.0, 2.0), (-3.0, -9.0), (6.0, 0.0)];
    let at = SimTime::START;
    world.weather.mean = Field::new((0.0, 0.0), vec![Change { at, values: winds }], grid);
    let mission = planned(&world);
    let (delivery_s, energy_wh, speeds) = flown(&world, &mission);
    let fastest = speeds.iter().copied().fold(0.0, f64::max);
    assert!(fastest > 35.0, "with the wind of the last cell: {fastest}");
    assert!(
        (delivery_s / mission.delivery_s - 1.0).abs() < 0.03,
        "{delivery_s} {}",
        mission.delivery_s
    );
    assert!(
        (energy_wh / mission.energy_wh - 1.0).abs() < 0.03,
        "{energy_wh} {}",
        mission.energy_wh
    );
}

#[test]
fn who_cannot_get_ahead_is_not_blown_back() {
    let mut world = world(big(catalogue::model("m100").unwrap()), 1, 0.1, (0.0, 0.0));
    let mission = planned(&world);
    let gale = |at_s: f64, east: f64| Change {
        at: SimTime::from_secs(at_s),
        values: vec![(east, 0.0)],
    };
    world.weather.mean = Field::new(
        (0.0, 0.0),
        vec![gale(200.0, 0.0), gale(260.0, -15.0)],
        Grid::WHOLE,
    );
    let mut sky = Sky::new(&world);
    sky.fly(&world, DRONE, mission.plan, SimTime::START).unwrap();
    let place = |tick: u64, sky: &mut Sky| {
        sky.step(&world, world.time_of(tick), None);
        sky.airborne_one(DRONE).unwrap()
    };
    let before: Vec<Airborne> = (1..=3_000).map(|tick| place(tick, &mut sky)).collect();
    assert!(before.windows(2).all(|pair| pair[0].at.x <= pair[1].at.x));
    let still = &before[before.len() - 1];
    assert!(
        still.at.x > 300.0 && still.at.x < 5_000.0 && still.ground_speed_mps == 0.0,
        "{still:?}"
    );
    let later = place(3_001, &mut sky);
    assert!(later.at == still.at && later.energy_wh < still.energy_wh);
}
