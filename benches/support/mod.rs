//! What the benches share: a city of any number of drones, orders for it, and a machine's
//! figures. The city has the shape of the shipped one: ten hubs, two types, wind.

#![allow(dead_code, reason = "each bench takes what it needs")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use skyhaul::scenario;
use skyhaul::sim::command::Command;
use skyhaul::sim::demand;
use skyhaul::sim::ids::DeliveryId;
use skyhaul::sim::order::Order;
use skyhaul::sim::world::World;

/// The same allocator as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HUBS: [(f64, f64); 10] = [
    (37.7599, -122.4148),
    (37.7765, -122.3950),
    (37.7803, -122.4787),
    (37.7432, -122.4757),
    (37.8040, -122.4325),
    (37.7822, -122.4470),
    (37.7390, -122.3895),
    (37.7235, -122.4356),
    (37.7320, -122.4715),
    (37.7680, -122.4075),
];

/// A city with this many drones, all parked. Batteries are swapped rather than charged, so
/// that it can go on for ever.
pub fn city(drones: u32, tick: &str) -> World {
    let fleets = 2 * HUBS.len() as u32;
    let mut text = format!(
        r#"
name = "bench"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "24h"
tick = "{tick}"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
unknown_places = "scatter"
[weather]
wind = {{ speed = 5.0, from = 270, gust = 1.5, forecast_error = 0.1 }}
[dispatch]
backlog = 10000
max_wait = "1h"
when_full = "fail"
[demand]
rate = "1000/s"
pickup = {{ at = "places" }}
dropoff = {{ spread = "area" }}
payload = {{ min = 0.2, max = 1.0 }}
[model.light]
base = "wing"
battery = {{ charge_power = 50000.0 }}
[model.heavy]
base = "zipline-p2"
battery = {{ charge_power = 50000.0 }}
"#
    );
    for (i, (lat, lon)) in HUBS.iter().enumerate() {
        let chargers = drones.div_ceil(HUBS.len() as u32);
        writeln!(
            text,
            "[[hub]]\nid = \"hub-{i}\"\nname = \"Hub {i}\"\nlocation = [{lat}, {lon}]\npads = 9\nchargers = {chargers}\n\
             [[place]]\nname = \"Place {i}\"\nlocation = [{}, {}]",
            lat + 0.004,
            lon - 0.006,
        )
        .expect("a string takes all that is written");
    }
    for fleet in 0..fleets {
        let share = drones / fleets + u32::from(fleet < drones % fleets);
        let model = if fleet % 2 == 0 { "light" } else { "heavy" };
        writeln!(
            text,
            "[[fleet]]\nhub = \"hub-{}\"\nmodel = \"{model}\"\ncount = {share}",
            fleet / 2
        )
        .expect("a string takes all that is written");
    }
    let parsed = scenario::parse(&text, "bench.toml", Path::new(""));
    parsed.expect("the bench's scenario has no mistakes").world
}

/// That many orders, as the city's own customers would send them.
pub fn orders(world: &World, count: usize) -> Vec<(DeliveryId, Arc<Order>)> {
    (1..)
        .flat_map(|tick| demand::arrivals(world, tick))
        .take(count)
        .collect()
}

pub fn commands(orders: &[(DeliveryId, Arc<Order>)]) -> Vec<Command> {
    let command = |(id, order): &(DeliveryId, Arc<Order>)| Command::RequestDelivery {
        id: *id,
        order: Arc::clone(order),
        idempotency_key: None,
    };
    orders.iter().map(command).collect()
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the machine")]
pub fn now() -> Instant {
    Instant::now()
}

/// What this thread has had of the processor so far, whoever else is busy.
pub fn thread_cpu() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    let [secs, nanos] = [spent.tv_sec, spent.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    Duration::from_secs(secs) + Duration::from_nanos(nanos)
}

pub fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Bytes of this process that are in memory.
pub fn resident_bytes() -> u64 {
    const PAGE: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells a process's memory");
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("the second figure is the resident pages") * PAGE
}
