//! The sky's step, in drone steps per second on one core: what bounds how many airborne
//! drones a tick can hold.
//!
//! All drones fly deliveries of some 8 km in wind, in all phases from take-off to landing;
//! who lands is sent out again, so that this stays so.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyhaul::sim::flight::{Errand, plan_delivery, time_to_pickup};
use skyhaul::sim::geo::Point;
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::sky::{FlightEvent, FlightEventKind, Sky};
use skyhaul::sim::time::SimTime;
use skyhaul::sim::world::World;

use support::{city, now};

/// Legs of this many metres.
const RADIUS_M: f64 = 2_700.0;
/// Drones take off in so many waves, so many ticks apart: about one flight's time.
const WAVES: u32 = 100;
const TICKS_APART: u64 = 36;

fn errand(world: &World, drone: DroneId) -> Errand {
    let fleet = world.fleet_of(drone).expect("it is one of the city's");
    let hub = world.hub(fleet.hub).at;
    let angle = f64::from(drone.0);
    let at = |angle: f64| Point {
        x: hub.x + RADIUS_M * libm::cos(angle),
        y: hub.y + RADIUS_M * libm::sin(angle),
    };
    Errand {
        hub,
        pickup: at(angle),
        dropoff: at(angle + 1.0),
        home: hub,
        payload_kg: 0.8,
    }
}

/// A world's sky, and how far its time has come.
struct Stand {
    world: World,
    sky: Sky,
    tick: u64,
}

impl Stand {
    /// All drones of a city in the air, in all phases of their flights.
    fn busy(drones: u32) -> Self {
        let threads = rayon::ThreadPoolBuilder::new()
            .build()
            .expect("threads can be had");
        let mut world = city(drones, "100ms");
        for model in &mut world.models {
            // Nobody waits for a charger here.
            model.battery.capacity_wh = 1e6;
        }
        let mut stand = Stand {
            sky: Sky::new(&world),
            world,
            tick: 0,
        };
        for wave in 0..WAVES {
            for drone in (wave..drones).step_by(WAVES as usize) {
                stand.send_out(DroneId(drone));
            }
            for _ in 0..TICKS_APART {
                let events = stand.step(Some(&threads));
                stand.send_out_again(&events);
            }
        }
        assert_eq!(stand.sky.airborne_count(), drones as usize);
        stand
    }

    fn step(&mut self, threads: Option<&rayon::ThreadPool>) -> Vec<FlightEvent> {
        self.tick += 1;
        self.sky.step(&self.world, self.world.time_of(self.tick), threads)
    }

    fn send_out(&mut self, drone: DroneId) {
        let model = self.world.fleet_of(drone).expect("it is one of the city's").model;
        let errand = errand(&self.world, drone);
        let mission = plan_delivery(self.world.model(model), &self.world.air(SimTime::START), &errand);
        let plan = mission.expect("flyable in this wind").plan;
        let now = self.world.time_of(self.tick);
        let sent = self.sky.fly(&self.world, drone, plan, now);
        sent.expect("it begins at the hub");
    }

    fn send_out_again(&mut self, events: &[FlightEvent]) {
        for event in events {
            if matches!(event.kind, FlightEventKind::Landed(_)) {
                self.send_out(event.drone);
            }
        }
    }
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sky/step");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    for drones in [1_000_u32, 10_000, 100_000, 1_000_000] {
        let mut stand = None;
        group.throughput(Throughput::Elements(u64::from(drones)));
        group.bench_function(BenchmarkId::from_parameter(drones), |bencher| {
            let stand = stand.get_or_insert_with(|| Stand::busy(drones));
            bencher.iter_custom(|ticks| {
                let mut time = Duration::ZERO;
                for _ in 0..ticks {
                    let began = now();
                    let events = black_box(stand.step(None));
                    time += began.elapsed();
                    stand.send_out_again(&events);
                }
                time
            });
        });
    }
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let world = city(20, "100ms");
    let (model, errand) = (&world.models[0], errand(&world, DroneId(0)));
    let mut group = criterion.benchmark_group("flight");
    group.bench_function("plan_delivery", |bencher| {
        bencher.iter(|| plan_delivery(model, &world.air(SimTime::START), black_box(&errand)));
    });
    group.bench_function("time_to_pickup", |bencher| {
        bencher.iter(|| time_to_pickup(model, &world.air(SimTime::START), black_box(&errand)));
    });
    group.finish();
}

criterion_group!(benches, step, plan);
criterion_main!(benches);
