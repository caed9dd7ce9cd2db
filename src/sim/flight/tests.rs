//! Plans against hand calculation, and what holds for every plan.

use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;
use crate::sim::airspace::OPEN;
use crate::sim::catalogue;
use crate::sim::time::SimTime;
use crate::sim::units::AIR_DENSITY_KGPM3;
use crate::sim::weather::Weather;

fn air(weather: &Weather) -> Air<'_> {
    Air::forecast(weather, &OPEN, 0, SimTime::START)
}

fn weather(wind_east_mps: f64, wind_north_mps: f64) -> Weather {
    Weather::steady(wind_east_mps, wind_north_mps, AIR_DENSITY_KGPM3)
}

fn point(x: f64, y: f64) -> Point {
    Point { x, y }
}

fn wing() -> Model {
    catalogue::model("wing").unwrap()
}

#[test]
fn a_way_home_by_hand() {
    // East at level 70 m: 29 m/s reached and left at 2.5 m/s² in 11.6 s each; then 70 m
    // down at 3 m/s, reached and left at 1.5 m/s² in 2 s each.
    let model = wing();
    let home = plan_return(
        &model,
        &air(&weather(0.0, 0.0)),
        point(-2_900.0, 0.0),
        point(0.0, 0.0),
    )
    .unwrap();
    let expected = 2_900.0 / 29.0 + 11.6 + 70.0 / 3.0 + 2.0;
    assert!((home.landing_s - expected).abs() < 1e-9, "{}", home.landing_s);
    assert_eq!(home.plan.start(), (point(-2_900.0, 0.0), 70.0));
    assert_eq!((home.plan.end(), home.distance_m), (point(0.0, 0.0), 2_900.0));

    // Half of both ramps is slower than the wing carries.
    let mass = model.empty_mass_kg;
    let hover_w = model.power.hover_w(&model, mass, AIR_DENSITY_KGPM3);
    let fast_s = 2_900.0 / 29.0 + 11.6 - 11.6;
    let fast_m = 2_900.0 - 2.0 * 0.5 * 2.5 * 5.8 * 5.8;
    let per_metre = (model.power.forward_w(mass, 29.0, AIR_DENSITY_KGPM3) - 20.0) / 29.0;
    let joules = hover_w * (home.landing_s - fast_s) + 20.0 * fast_s + per_metre * fast_m;
    assert!(
        (home.energy_wh - joules / 3_600.0).abs() < 1e-9,
        "{}",
        home.energy_wh
    );
}

#[test]
fn a_turn_at_29_mps_and_30_degrees_of_bank_has_a_radius_of_148_m() {
    let route = Route {
        from: point(0.0, 0.0),
        via: vec![point(3_000.0, 0.0)],
        to: point(3_000.0, 3_000.0),
        level_m: 50.0,
    };
    let home = plan_return_along(&wing(), &air(&weather(0.0, 0.0)), &route, 50.0).unwrap();
    let radius = home.plan.legs().iter().find_map(|leg| match leg.path {
        Path::Arc { radius_m, .. } => Some(radius_m),
        _ => None,
    });
    assert!((radius.unwrap() - 148.5).abs() < 0.1, "{radius:?}");
}

#[test]
fn what_cannot_be_flown_is_refused_with_its_reason() {
    let errand = Errand {
        hub: point(0.0, 0.0),
        pickup: point(1_000.0, 0.0),
        dropoff: point(0.0, 2_000.0),
        home: point(0.0, 0.0),
        payload_kg: 1.0,
    };
    let plan = |errand: &Errand, weather: &Weather| {
        let mission = plan_delivery(&wing(), &air(weather), errand).map(|_| ());
        assert_eq!(
            time_to_pickup(&wing(), &air(weather), errand).map(|_| ()),
            mission
        );
        mission
    };
    assert_eq!(plan(&errand, &weather(5.0, 5.0)), Ok(()));
    assert_eq!(plan(&errand, &weather(0.0, 25.0)), Err(Infeasible::TooWindy));
    let heavy = Errand {
        payload_kg: 1.2,
        ..errand
    };
    assert_eq!(plan(&heavy, &weather(0.0, 0.0)), Err(Infeasible::TooHeavy));
}

#[test]
fn climbs_cost_climbing_power_and_loaded_descents_the_hover_of_the_load() {
    let mut seen = std::collections::BTreeSet::new();
    for key in catalogue::keys() {
        let model = catalogue::model(key).unwrap();
        let errand = Errand {
            hub: point(0.0, 0.0),
            pickup: point(2_000.0, 0.0),
            dropoff: point(2_000.0, 3_000.0),
            home: point(0.0, 0.0),
            payload_kg: model.max_payload_kg,
        };
        let weather = weather(3.0, 1.0);
        let mission = plan_delivery(&model, &air(&weather), &errand).unwrap();
        for leg in mission.plan.legs() {
            let mass_kg = model.empty_mass_kg + leg.payload_kg;
            let hover_w = model.power.hover_w(&model, mass_kg, AIR_DENSITY_KGPM3);
            let climb_w = model.power.climb_w(&model, mass_kg, AIR_DENSITY_KGPM3);
            let law = leg.power(&model, &air(&weather));
            let watts = |mps: f64| law.base_w + law.slope_w_per_mps * mps;
            let expected = match leg.phase {
                Phase::Climb => [(0.0, hover_w), (model.climb_mps, climb_w)],
                Phase::Descend => [(0.0, hover_w), (model.descent_mps, hover_w)],
                _ => continue,
            };
            for (mps, expected_w) in expected {
                assert!((watts(mps) / expected_w - 1.0).abs() < 1e-9, "{key}: {leg:?}");
            }
            seen.insert((leg.phase == Phase::Climb, leg.payload_kg > 0.0));
        }
    }
    assert_eq!(seen.len(), 4, "climbs and descents, with and without a load");
}

#[test]
fn wind_and_payload_cost_energy() {
    let errand = |payload_kg| Errand {
        hub: point(0.0, 0.0),
        pickup: point(0.0, 0.0),
        dropoff: point(5_000.0, 0.0),
        home: point(0.0, 0.0),
        payload_kg,
    };
    for key in catalogue::keys() {
        let model = catalogue::model(key).unwrap();
        let energy = |payload, wind| {
            let mission = plan_delivery(&model, &air(&weather(wind, 0.0)), &errand(payload));
            mission.unwrap().energy_wh
        };
        assert!(energy(model.max_payload_kg, 0.0) > energy(0.0, 0.0), "{key}");
        assert!(
            energy(0.0, 0.4 * model.cruise_airspeed_mps) > energy(0.0, 0.0),
            "{key}"
        );
    }
}

fn place() -> impl Strategy<Value = Point> {
    (-5_000.0..5_000.0f64, -5_000.0..5_000.0f64).prop_map(|(x, y)| point(x, y))
}

fn route() -> impl Strategy<Value = Route> {
    let via = proptest::collection::vec(place(), 0..6);
    (place(), via, place()).prop_map(|(from, via, to)| Route {
        via,
        ..Route::direct(from, to)
    })
}

fn any_weather() -> impl Strategy<Value = Weather> {
    (0.0..18.0f64, 0.0..TAU).prop_map(|(speed, to)| weather(speed * libm::cos(to), speed * libm::sin(to)))
}

proptest! {
    #[test]
    fn the_quick_answer_is_the_plans_own(
        (hub, pickup, dropoff) in (place(), place(), place()), weather in any_weather(), near in any::<bool>(),
    ) {
        let pickup = if near { point(hub.x + 7.0, hub.y) } else { pickup };
        let errand = Errand { hub, pickup, dropoff, home: hub, payload_kg: 0.5 };
        match (time_to_pickup(&wing(), &air(&weather), &errand), plan_delivery(&wing(), &air(&weather), &errand)) {
            (Ok(seconds), Ok(mission)) => {
                prop_assert_eq!(seconds, mission.pickup_s);
                let costs_wh = delivery_costs_wh(&wing(), &air(&weather), &errand);
                prop_assert_eq!(costs_wh.map(f64::to_bits), Ok(mission.energy_wh.to_bits()));
                prop_assert!(mission.pickup_s < mission.delivery_s && mission.delivery_s < mission.landing_s);
            }
            (quick, whole) => prop_assert!(whole.is_err(), "{:?} {:?}", quick, whole),
        }
    }

    #[test]
    fn legs_join_in_place_speed_and_course(route in route(), weather in any_weather()) {
        let model = wing();
        let Ok(mission) = plan_return_along(&model, &air(&weather), &route, route.level_m) else { return Ok(()) };
        let legs = mission.plan.legs();
        for pair in legs.windows(2) {
            let ((end, height_m), (start, next_height_m)) = (pair[0].end(), pair[1].path.start());
            prop_assert!(end.distance(start) < 1e-6 && height_m == next_height_m, "{:?}", pair);
            prop_assert_eq!(pair[0].exit_mps, pair[1].entry_mps);
            let before = pair[0].path.direction(pair[0].path.length());
            let after = pair[1].path.direction(0.0);
            let cosine = before.0 * after.0 + before.1 * after.1;
            prop_assert!(cosine > 1.0 - 1e-6 || pair[0].exit_mps == 0.0, "{:?}", pair);
        }
        for leg in legs {
            let gained = (leg.exit_mps * leg.exit_mps - leg.entry_mps * leg.entry_mps).abs();
            let acceleration = leg.profile(&model).acceleration;
            prop_assert!(gained <= 2.0 * acceleration * leg.path.length() + 1e-6, "{:?}", leg);
            prop_assert!(leg.entry_mps.max(leg.exit_mps) <= leg.target_mps, "{:?}", leg);
            if let Path::Arc { radius_m, .. } = leg.path {
                let lateral = leg.target_mps * leg.target_mps / radius_m;
                prop_assert!(lateral <= 9.81 * libm::tan(model.max_bank_rad) + 1e-9);
                prop_assert!(leg.target_mps / radius_m <= model.yaw_rate_radps + 1e-9);
            }
        }
        let bytes = postcard::to_stdvec(&mission.plan).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<FlightPlan>(&bytes).unwrap(), &mission.plan);
        prop_assert!(bytes.len() < 100 * legs.len(), "{} bytes, {} legs", bytes.len(), legs.len());
    }
}
