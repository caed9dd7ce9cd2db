//! Separation at 100,000 airborne: what counting losses and conflicts costs a tick, on one core
//! and on two.
//!
//! A dense city of 30 by 30 km: all drones cruise on the four levels, a fifth are on their way
//! up or down, in the directions that the levels are for. A tick of 100 ms looks for losses
//! everywhere and for conflicts in a tenth of the rows of cells; one of a second in all of
//! them. On one core in the thread's own processor time, on two in time that passes.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::random::{Purpose, Stream};
use skyhaul::sim::route::LEVELS_M;
use skyhaul::sim::separation::{Body, Separation};
use skyhaul::sim::time::SimTime;
use skyhaul::sim::world::World;

use support::{city, now, thread_cpu};

const SIDE_M: f64 = 30_000.0;

/// Drones spread evenly over the square, each on the level of its heading.
fn bodies(count: u32, look_ahead_s: f32) -> Vec<Body> {
    let mut stream = Stream::new(5, 0, Purpose::Aloft);
    let mut body = |drone| {
        let quadrant = (stream.uniform() * 4.0) as usize % 4;
        let within = stream.uniform() * std::f64::consts::FRAC_PI_2;
        // Clockwise from north: north-east, south-east, south-west, north-west.
        let heading = within + quadrant as f64 * std::f64::consts::FRAC_PI_2;
        let (sin, cos) = libm::sincos(heading);
        let speed = 20.0 + 9.0 * stream.uniform();
        let is_upright = stream.uniform() < 0.2;
        let climb = if stream.uniform() < 0.5 { 4.0 } else { -3.0 };
        let place = |share: f64| ((share - 0.5) * SIDE_M) as f32;
        let left_s = (stream.uniform() * 120.0) as f32;
        Body {
            drone: DroneId(drone),
            x: place(stream.uniform()),
            y: place(stream.uniform()),
            height: match is_upright {
                true => (LEVELS_M[quadrant] * stream.uniform()) as f32 + 1.0,
                false => LEVELS_M[quadrant] as f32,
            },
            east: if is_upright { 0.0 } else { (speed * sin) as f32 },
            north: if is_upright { 0.0 } else { (speed * cos) as f32 },
            up: if is_upright { climb } else { 0.0 },
            lasts_s: left_s.min(look_ahead_s),
        }
    };
    (0..count).map(&mut body).collect()
}

/// Time goes on, and everybody with it; who leaves the city comes in on the other side.
struct Stand {
    world: World,
    separation: Separation,
    bodies: Vec<Body>,
    tick: u64,
}

impl Stand {
    fn of(drones: u32, tick: &str) -> Self {
        let world = city(20, tick);
        let mut stand = Stand {
            bodies: bodies(drones, world.separation.look_ahead.as_secs() as f32),
            world,
            separation: Separation::default(),
            tick: 0,
        };
        // Until as many encounters are under way as ever will be.
        while stand.now() < SimTime::from_secs(15.0) {
            stand.look(None);
        }
        stand
    }

    fn now(&self) -> SimTime {
        self.world.time_of(self.tick)
    }

    fn look(&mut self, pool: Option<&rayon::ThreadPool>) -> Duration {
        self.tick += 1;
        let dt = self.world.tick.as_secs() as f32;
        let half = SIDE_M as f32 / 2.0;
        let around = |at: f32| {
            if at.abs() > half {
                at - 2.0 * half * at.signum()
            } else {
                at
            }
        };
        for body in &mut self.bodies {
            let (x, y) = body.after(dt);
            (body.x, body.y) = (around(x), around(y));
        }
        let now_at = self.now();
        let (began, began_cpu) = (now(), thread_cpu());
        black_box(self.separation.look_at(&self.world, &self.bodies, now_at, pool));
        match pool {
            Some(_) => began.elapsed(),
            None => thread_cpu() - began_cpu,
        }
    }
}

fn look(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("separation");
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    let two = rayon::ThreadPoolBuilder::new().num_threads(2).build();
    let two = two.expect("threads can be had");
    for (drones, tick) in [
        (100, "100ms"),
        (3_000, "1s"),
        (10_000, "100ms"),
        (100_000, "100ms"),
        (100_000, "1s"),
    ] {
        for (threads, pool) in [(1, None), (2, Some(&two))] {
            let mut stand = None;
            group.throughput(Throughput::Elements(u64::from(drones)));
            let name = BenchmarkId::new(format!("tick of {tick}, {threads} threads"), drones);
            group.bench_function(name, |bencher| {
                let stand = stand.get_or_insert_with(|| Stand::of(drones, tick));
                bencher.iter_custom(|ticks| (0..ticks).map(|_| stand.look(pool)).sum());
            });
            if let Some(stand) = stand {
                let counts = stand.separation.counts();
                println!(
                    "{} conflicts, {} losses in {:.0} s, {} pairs under way",
                    counts.conflicts,
                    counts.losses,
                    stand.now().as_secs(),
                    stand.separation.under_way()
                );
            }
        }
    }
    group.finish();
}

criterion_group!(benches, look);
criterion_main!(benches);
