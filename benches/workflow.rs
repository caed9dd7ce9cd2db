//! Deliveries through all five steps of their workflows: half a minute's burst over a million
//! parked drones, how many a second, counted where the last step starts the delivery, by
//! outcome; and how many ticks they took from their admission until then.
//!
//! First the world alone, without a store or a read side, which is the engine's own share.
//! Then the same with each tick committed to SQLite on the disk and published, one tick
//! computed while the last is on its way, as the server does it. Requests are made, and written
//! to the journal, between ticks; that time does not count.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, System};
use skyhaul::engine::recovery::{self, Recovered};
use skyhaul::engine::{Admission, Engine, Outcome, publication};
use skyhaul::sim::demand;
use skyhaul::sim::event::{DeliveryEvent, Event, Happening};
use skyhaul::sim::ids::DeliveryId;
use skyhaul::sim::order::Order;
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;
use skyhaul::store::writer::PendingTick;
use skyhaul::store::{Identity, IngestBatch, Writer, sqlite};
use skyhaul::view::{Publication, View};

use support::{city, commands, now, per_second, thread_cpu};

const DRONES: u32 = 1_000_000;
const BURST: Duration = Duration::from_secs(30);
/// As many as the engine takes in at once.
const EACH_TICK: usize = 16_384;
/// The fewest drones that the burst leaves parked: it is over when no more are.
const LEFT_PARKED: usize = 100_000;

/// What becomes of requests, as their events tell.
#[derive(Default)]
struct Outcomes {
    /// When those were admitted that nothing is known of yet.
    admitted: BTreeMap<DeliveryId, Tick>,
    /// Ticks from the admission to the fifth step.
    took: Vec<Tick>,
    counts: BTreeMap<&'static str, usize>,
}

impl Outcomes {
    fn hear(&mut self, tick: Tick, event: &Event) {
        let Happening::Delivery(id, kind) = &event.happening else {
            return;
        };
        let name = match kind {
            DeliveryEvent::Accepted { .. } => {
                self.admitted.insert(*id, tick);
                return;
            }
            DeliveryEvent::Created => "under way",
            DeliveryEvent::HandedToCarrier { .. } => "  of these with third-party transport",
            DeliveryEvent::Delayed { .. } => "waited for a drone",
            DeliveryEvent::StepDelayed { .. } => "waited for a step",
            DeliveryEvent::Failed { .. } => "failed",
            _ => return,
        };
        *self.counts.entry(name).or_insert(0) += 1;
        if *kind == DeliveryEvent::Created
            && let Some(admitted) = self.admitted.remove(id)
        {
            self.took.push(tick - admitted);
        }
    }

    fn show(&mut self, requests: usize, mut ticks: Vec<Duration>, time: Duration) {
        println!(
            "{requests} requests over {DRONES} parked drones in {:.1} s:",
            time.as_secs_f64()
        );
        for (name, count) in &self.counts {
            println!("  {name}: {count}, {:.0}/s", per_second(*count, time));
        }
        self.took.sort_unstable();
        ticks.sort_unstable();
        let [p50, p95, p99] = [50, 95, 99].map(|percent| at_percent(&self.took, percent));
        println!("  ticks from admission to the fifth step: p50 {p50}, p95 {p95}, p99 {p99}");
        let [p50, p95, p99] = [50, 95, 99].map(|percent| at_percent(&ticks, percent));
        println!("  a tick of {EACH_TICK} took: p50 {p50:.0?}, p95 {p95:.0?}, p99 {p99:.0?}");
    }
}

fn at_percent<T: Copy + Default>(sorted: &[T], percent: usize) -> T {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

/// Where ticks go: to the disk, and then to the read side.
struct Outside {
    writer: Writer,
    view: Arc<View>,
    /// The last tick, on its way.
    last: Option<(Publication, PendingTick)>,
}

impl Outside {
    /// The journal has each command before a tick takes it.
    async fn accept(&self, admission: &Admission) {
        let batch = IngestBatch {
            first_seq: admission.through + 1 - admission.commands.len() as u64,
            commands: admission.commands.clone(),
        };
        self.writer
            .append_commands(batch)
            .await
            .expect("the disk takes it");
    }

    async fn take(&mut self, engine: &Engine, outcome: Outcome) {
        let (row, publication) = publication::split(engine, outcome);
        let pending = self.writer.commit_tick(row, None).await;
        self.publish_last().await;
        self.last = Some((publication, pending));
    }

    async fn publish_last(&mut self) {
        if let Some((publication, pending)) = self.last.take() {
            pending.await.expect("the disk takes it");
            self.view.publish(publication);
        }
    }
}

fn customers() -> (World, Arc<World>) {
    let with_customers = city(DRONES, "100ms");
    // The orders are handed in: nobody else is to order meanwhile.
    let world = Arc::new(World {
        demand: None,
        ..with_customers.clone()
    });
    (with_customers, world)
}

async fn burst(mut engine: Engine, customers: &World, mut outside: Option<Outside>) {
    let mut outcomes = Outcomes::default();
    let (mut requests, mut ticks) = (0, Vec::new());
    let (mut time, mut cpu) = (Duration::ZERO, Duration::ZERO);
    let mut orders = (1..).flat_map(|tick| demand::arrivals(customers, tick));
    while time < BURST && requests + EACH_TICK <= DRONES as usize - LEFT_PARKED {
        let some: Vec<(DeliveryId, Arc<Order>)> = orders.by_ref().take(EACH_TICK).collect();
        requests += some.len();
        let admission = Admission {
            through: engine.admitted_through() + some.len() as u64,
            commands: commands(&some),
        };
        if let Some(outside) = &outside {
            outside.accept(&admission).await;
        }
        let (began, cpu_before) = (now(), thread_cpu());
        let outcome = engine.tick(admission).await.expect("no actor fails");
        let mut took = began.elapsed();
        cpu += thread_cpu() - cpu_before;
        for event in &outcome.events {
            outcomes.hear(outcome.tick, event);
        }
        if let Some(outside) = &mut outside {
            let (began, cpu_before) = (now(), thread_cpu());
            outside.take(&engine, outcome).await;
            took += began.elapsed();
            cpu += thread_cpu() - cpu_before;
        }
        time += took;
        ticks.push(took);
    }
    if let Some(outside) = &mut outside {
        let began = now();
        outside.publish_last().await;
        time += began.elapsed();
    }
    outcomes.show(requests, ticks, time);
    let each = cpu.as_secs_f64() / requests as f64;
    println!("  CPU of the world's thread: {:.1} µs a request", each * 1e6);
}

async fn world_alone() {
    println!("the world alone, one thread:");
    let (customers, world) = customers();
    let engine = Engine::genesis(world, 1, vec![Arbiter::current()]).expect("one thread is enough");
    burst(engine, &customers, None).await;
}

async fn with_store_and_view() {
    println!("with commit to the disk and publication:");
    let (customers, world) = customers();
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let dir = tempfile::tempdir().expect("there is room for a folder");
    let mut store = sqlite::open(dir.path(), &identity, true).expect("the folder is empty");
    let recovered = recovery::recover(&mut store, world, 1, vec![Arbiter::current()]).await;
    let Recovered { engine, view, .. } = recovered.expect("an empty store is a new world");
    let writer = Writer::start(Box::new(store)).expect("a thread is to be had");
    let outside = Outside {
        writer,
        view,
        last: None,
    };
    burst(engine, &customers, Some(outside)).await;
}

fn main() {
    System::new().block_on(world_alone());
    System::new().block_on(with_store_and_view());
}
