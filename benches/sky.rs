//! The sky's step, in drone steps per second on one core: what bounds how many airborne
//! drones a tick can hold. Measured in the thread's own processor time.
//!
//! All drones fly deliveries of some 8 km in wind, in all phases from take-off to landing;
//! who lands is sent out again, so that this stays so.

#[path = "support/airborne.rs"]
mod airborne;
mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyhaul::sim::flight::{plan_delivery, time_to_pickup};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::time::SimTime;

use airborne::{Stand, errand};
use support::{city, thread_cpu};

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sky/step");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    for drones in [1_000_u32, 10_000, 100_000, 1_000_000] {
        let mut stand = None;
        group.throughput(Throughput::Elements(u64::from(drones)));
        group.bench_function(BenchmarkId::from_parameter(drones), |bencher| {
            let stand = stand.get_or_insert_with(|| Stand::busy(drones, "100ms"));
            bencher.iter_custom(|ticks| {
                let (began, mut sending) = (thread_cpu(), Duration::ZERO);
                for _ in 0..ticks {
                    let events = black_box(stand.step(None));
                    if !events.is_empty() {
                        let before = thread_cpu();
                        stand.send_out_again(&events);
                        sending += thread_cpu() - before;
                    }
                }
                thread_cpu() - began - sending
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
