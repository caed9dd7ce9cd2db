//! A whole tick of a busy city: admit, fly, decide, digest.
//!
//! The city's customers send all these drones out over five minutes, and after that order
//! as many deliveries as flights end, so that drones are in all phases of their flights.
//! Ticks are of two seconds: take-off, pick-up, drop-off and landing then make an event for
//! about one airborne drone in a hundred each tick.

mod support;

use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, System};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyhaul::engine::telemetry::Phase;
use skyhaul::engine::{Admission, Engine, Outcome};
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Happening};
use skyhaul::sim::time::SimTime;

use support::{city, now};

/// From take-off to landing in this city, on average.
const MEAN_FLIGHT_S: f64 = 566.0;
/// How long it takes to send them all out.
const RUSH_S: f64 = 300.0;

async fn tick(engine: &mut Engine) -> Outcome {
    engine.tick(Admission::default()).await.expect("no actor fails")
}

/// About this many drones in the air, in every phase of their flights.
async fn busy(airborne: u32) -> Engine {
    let mut world = city(3 * airborne / 2, "2s");
    let at = SimTime::from_secs;
    if let Some(demand) = &mut world.demand {
        let drones = f64::from(airborne);
        let rush = drones / RUSH_S;
        demand.rate_per_s = 1.0;
        demand.profile = vec![
            (at(0.0), rush),
            (at(RUSH_S), rush),
            (at(RUSH_S + 1.0), drones / MEAN_FLIGHT_S),
        ];
    }
    let mut engine =
        Engine::genesis(Arc::new(world), 1, vec![Arbiter::current()]).expect("one thread is enough");
    while engine.sky().airborne_count() < airborne as usize * 99 / 100 {
        tick(&mut engine).await;
    }
    engine
}

fn is_milestone(happening: &Happening) -> bool {
    use DeliveryEvent::{Completed, EtaChanged, PickedUp};
    use DroneEvent::{Landed, TakenOff};
    matches!(
        happening,
        Happening::Drone(_, TakenOff { .. } | Landed { .. })
            | Happening::Delivery(_, PickedUp { .. } | Completed { .. } | EtaChanged { .. })
    )
}

/// Where a tick's time goes, and how much happens in one.
async fn describe(engine: &mut Engine) {
    const TICKS: u32 = 5;
    let (mut times, mut happened) = ([Duration::ZERO; 4], 0);
    for _ in 0..TICKS {
        let outcome = tick(engine).await;
        for (sum, time) in times.iter_mut().zip(outcome.times) {
            *sum += time;
        }
        happened += outcome
            .events
            .iter()
            .filter(|event| is_milestone(&event.happening))
            .count();
    }
    let airborne = engine.sky().airborne_count();
    print!(
        "{airborne} in the air, of which {:.2} % have an event each tick;",
        100.0 * happened as f64 / f64::from(TICKS) / airborne as f64
    );
    for (phase, time) in Phase::ALL.iter().zip(times) {
        print!(
            " {} {:.2} ms",
            phase.as_str(),
            1e3 * time.as_secs_f64() / f64::from(TICKS)
        );
    }
    println!();
}

fn whole_tick(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(3));
    let system = System::new();
    for airborne in [1_000_u32, 100_000, 1_000_000] {
        let mut engine = None;
        group.throughput(Throughput::Elements(airborne.into()));
        group.bench_function(BenchmarkId::from_parameter(airborne), |bencher| {
            let engine = engine.get_or_insert_with(|| {
                let mut engine = system.block_on(busy(airborne));
                system.block_on(describe(&mut engine));
                engine
            });
            bencher.iter_custom(|ticks| {
                system.block_on(async {
                    let began = now();
                    for _ in 0..ticks {
                        tick(engine).await;
                    }
                    began.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole_tick);
criterion_main!(benches);
