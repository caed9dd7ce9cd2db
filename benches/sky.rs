//! The sky's step, in drone steps per second on one core: what bounds how many airborne
//! drones a tick can hold.
//!
//! All drones are on delivery flights of 12 km, begun at different times, so that at any
//! tick a few change legs and expected times are refreshed as in a running world.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyhaul::sim::catalogue;
use skyhaul::sim::flight::{Errand, plan_delivery, time_to_pickup};
use skyhaul::sim::geo::{Area, BoundingBox, LatLon, LocalFrame, Point};
use skyhaul::sim::ids::{DroneId, HubId, ModelId};
use skyhaul::sim::sky::Sky;
use skyhaul::sim::time::SimDuration;
use skyhaul::sim::wind::Weather;
use skyhaul::sim::world::{DispatchRules, Fleet, Hub, UnknownPlaces, WhenFull, World};

const MIDDLE: LatLon = LatLon {
    lat: 37.765,
    lon: -122.435,
};

fn world(drones: u32) -> World {
    let mut model = catalogue::model("wing").expect("in the catalogue");
    model.battery.capacity_wh = 1_000.0;
    World {
        name: "bench".to_owned(),
        description: String::new(),
        seed: 1,
        start_unix_us: 0,
        duration: SimDuration::from_secs(3_600.0),
        tick: SimDuration::from_secs(0.1),
        area: Area {
            bounds: BoundingBox {
                west: -122.52,
                south: 37.70,
                east: -122.35,
                north: 37.83,
            },
            frame: LocalFrame::at(MIDDLE),
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        },
        unknown_places: UnknownPlaces::Refuse,
        hubs: vec![Hub {
            key: "hub".to_owned(),
            name: "Hub".to_owned(),
            location: MIDDLE,
            at: Point::default(),
            pads: 1,
            chargers: 1,
        }],
        models: vec![model],
        fleets: vec![Fleet {
            hub: HubId(0),
            model: ModelId(0),
            count: drones,
            aloft: 0.0,
        }],
        places: Vec::new(),
        zones: Vec::new(),
        weather: Weather {
            wind_east_mps: 4.0,
            wind_north_mps: -2.0,
            air_density_kgpm3: 1.225,
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

fn errand(i: u32) -> Errand {
    let angle = f64::from(i);
    let at = |angle: f64| Point {
        x: 4_000.0 * libm::cos(angle),
        y: 4_000.0 * libm::sin(angle),
    };
    Errand {
        hub: Point::default(),
        pickup: at(angle),
        dropoff: at(angle + 1.0),
        home: Point::default(),
        payload_kg: 0.8,
    }
}

/// All drones in the air, a hundred waves half a second apart; the tick that was flown last.
fn busy_sky(world: &World) -> (Sky, u64) {
    const WAVES: u32 = 100;
    let mut sky = Sky::new(world);
    let mut tick = 0;
    for wave in 0..WAVES {
        for i in (wave..world.drone_count()).step_by(WAVES as usize) {
            let mission = plan_delivery(&world.models[0], &world.weather, &errand(i));
            let plan = mission.expect("flyable in this wind").plan;
            sky.fly(world, DroneId(i), plan, world.time_of(tick))
                .expect("begins at the hub");
        }
        for _ in 0..if wave + 1 < WAVES { 5 } else { 0 } {
            tick += 1;
            sky.step(world, world.time_of(tick), None);
        }
    }
    assert_eq!(sky.airborne_count(), world.drone_count() as usize);
    (sky, tick)
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sky/step");
    group.sample_size(10);
    for drones in [1_000u32, 100_000, 1_000_000] {
        let world = world(drones);
        let (mut sky, mut tick) = busy_sky(&world);
        let fresh = if drones < 1_000_000 {
            Some((sky.clone(), tick))
        } else {
            None
        };
        let ends = tick + 3_000;
        group.throughput(Throughput::Elements(u64::from(drones)));
        group.bench_function(BenchmarkId::from_parameter(drones), |bencher| {
            bencher.iter(|| {
                if let (Some(fresh), true) = (&fresh, tick > ends) {
                    (sky, tick) = fresh.clone();
                }
                tick += 1;
                black_box(sky.step(&world, world.time_of(tick), None))
            });
        });
        assert_eq!(
            sky.airborne_count(),
            drones as usize,
            "drones landed during the bench"
        );
    }
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let world = world(1);
    let mut group = criterion.benchmark_group("flight");
    group.bench_function("plan_delivery", |bencher| {
        bencher.iter(|| plan_delivery(&world.models[0], &world.weather, black_box(&errand(7))));
    });
    group.bench_function("time_to_pickup", |bencher| {
        bencher.iter(|| time_to_pickup(&world.models[0], &world.weather, black_box(&errand(7))));
    });
    group.finish();
}

criterion_group!(benches, step, plan);
criterion_main!(benches);
