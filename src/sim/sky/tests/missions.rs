//! A thousand missions that planners called feasible, flown in the wind that there is.

use super::super::super::dispatch::with_margin_wh;
use super::super::super::random::{Purpose, Stream};
use super::super::super::weather::windage;
use super::*;

const MISSIONS: u32 = 1_000;
/// Missions that share a wind.
const OF_A_WIND: u32 = 10;
const TICK_S: f64 = 1.0;

/// What became of them.
#[derive(Debug, Default, PartialEq)]
struct Ends {
    landed: u32,
    dipped: u32,
    empty: u32,
    /// Watt-hours flown over those planned.
    worst: f64,
}

/// How well the wind is known, and how full batteries are beyond what was planned for: a share
/// of what is left of them.
#[derive(Clone, Copy)]
struct Known {
    gust_mps: f64,
    forecast_error: f64,
    spare: f64,
}

fn point(stream: &mut Stream, most_m: f64) -> Point {
    let (sin, cos) = libm::sincos(stream.uniform_in(0.0, std::f64::consts::TAU));
    let distance = most_m * stream.uniform().sqrt();
    Point {
        x: distance * cos,
        y: distance * sin,
    }
}

/// A world of one type in one wind, which its type may fly in and gets on in.
fn windy(stream: &mut Stream, number: u32, known: Known) -> World {
    let keys = catalogue::keys();
    let model = catalogue::model(keys[number as usize % keys.len()]).unwrap();
    let flyable_mps = 0.5 * model.cruise_airspeed_mps / windage(110.0);
    let speed = stream.uniform_in(0.0, flyable_mps.min(model.limits.wind_mps));
    let (sin, cos) = libm::sincos(stream.uniform_in(0.0, std::f64::consts::TAU));
    let mut world = world(model, OF_A_WIND, TICK_S, (speed * cos, speed * sin));
    world.weather.gust_mps = known.gust_mps;
    world.weather.forecast_error = known.forecast_error;
    world.seed = u64::from(number);
    world
}

fn errand_of(stream: &mut Stream, model: &Model) -> Errand {
    let home = Point::default();
    Errand {
        hub: home,
        pickup: match stream.below(2) {
            0 => home,
            _ => point(stream, 2_000.0),
        },
        dropoff: point(stream, 9_000.0),
        home,
        payload_kg: stream.uniform_in(0.0, model.max_payload_kg),
    }
}

/// Flies those missions of a wind that the planner calls feasible with a full battery.
fn fly(world: &World, stream: &mut Stream, known: Known, ends: &mut Ends) {
    let (model, air) = (&world.models[0], world.air(SimTime::START));
    let battery = &model.battery;
    let mut sky = Sky::new(world);
    let mut planned = Vec::new();
    while planned.len() < OF_A_WIND as usize {
        let drone = DroneId(planned.len() as u32);
        let Ok(mission) = plan_delivery(model, &air, &errand_of(stream, model)) else {
            continue;
        };
        let need_wh = with_margin_wh(mission.energy_wh) + battery.reserve * battery.capacity_wh;
        if need_wh > battery.capacity_wh {
            continue;
        }
        let energy_wh = need_wh + known.spare * stream.uniform() * (battery.capacity_wh - need_wh);
        planned.push(mission.energy_wh);
        sky.place_aloft(world, drone, mission.plan, energy_wh, SimTime::START)
            .unwrap();
    }
    for tick in 1.. {
        for event in sky.step(world, world.time_of(tick), None) {
            match event.kind {
                FlightEventKind::Landed(log) => {
                    ends.landed += 1;
                    let ratio = log.energy_wh / planned[event.drone.index()];
                    ends.worst = ends.worst.max(ratio);
                }
                FlightEventKind::LowBattery => ends.dipped += 1,
                FlightEventKind::Exhausted { .. } => ends.empty += 1,
                _ => {}
            }
        }
        if sky.airborne_count() == 0 {
            break;
        }
    }
}

fn flown(known: Known) -> Ends {
    let mut ends = Ends::default();
    for number in 0..MISSIONS / OF_A_WIND {
        let mut stream = Stream::new(77, number.into(), Purpose::Demand);
        let world = windy(&mut stream, number, known);
        fly(&world, &mut stream, known, &mut ends);
    }
    println!(
        "{MISSIONS} missions, forecast error {}, gusts {} m/s: {} dipped into the reserve ({:.1} %), {} fell",
        known.forecast_error,
        known.gust_mps,
        ends.dipped,
        100.0 * f64::from(ends.dipped) / f64::from(MISSIONS),
        ends.empty
    );
    ends
}

/// Batteries that hold just what the planner asks for, and not a watt-hour more.
const BARELY: Known = Known {
    gust_mps: 0.0,
    forecast_error: 0.0,
    spare: 0.0,
};

#[test]
fn in_the_wind_that_was_forecast_nobody_runs_dry_or_needs_the_reserve() {
    let ends = flown(BARELY);
    assert_eq!(
        (ends.landed, ends.dipped, ends.empty),
        (MISSIONS, 0, 0),
        "{ends:?}"
    );
    assert!(ends.worst < 1.01 && ends.worst > 0.99, "{ends:?}");
}

#[test]
fn in_gusts_nobody_runs_dry() {
    let ends = flown(Known {
        gust_mps: 1.5,
        ..BARELY
    });
    assert_eq!((ends.landed, ends.empty), (MISSIONS, 0), "{ends:?}");
}

#[test]
fn with_forecasts_that_err_some_need_the_reserve_and_nobody_runs_dry() {
    let erring = Known {
        gust_mps: 1.5,
        forecast_error: 0.15,
        spare: 1.0,
    };
    let ends = flown(erring);
    assert_eq!((ends.landed, ends.empty), (MISSIONS, 0), "{ends:?}");
    assert!(ends.dipped > 0 && ends.dipped < MISSIONS / 5, "{ends:?}");
}
