//! Every drone, each beat: parked ones too, as a fleet's telemetry has them.

use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use tokio::sync::mpsc;

use super::schedule::Schedule;
use super::{Batch, Record, Shape};
use crate::engine::recovery::{self, Recovered};
use crate::engine::{Admission, Halted, headless, publication};
use crate::sim::time::Tick;
use crate::sim::world::World;
use crate::store::{self, Identity};
use crate::view::reading::DroneReading;
use crate::view::{DroneFilter, shown};
use crate::wire::telemetry::{Telemetry, TelemetryFeature};
use crate::wire::time::rfc3339;

/// Simulated ticks after which deliveries that ended leave memory.
const FORGET_EVERY: Tick = 600;

/// So many beats a second of wall time, from the world's first moment to its `until`th tick.
pub(super) async fn emit(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    hz: f64,
    shape: Shape,
    mut schedule: Schedule,
    batches: mpsc::Sender<Batch>,
) -> Result<(), Halted> {
    let mut fleet = Fleet::begin(world, threads).await?;
    let beat_s = schedule.speed() / hz;
    for beat in 0_u64.. {
        let due_s = beat as f64 * beat_s;
        // Ticks are computed before they are due, so that the beat is not late by their time.
        let is_last = fleet.advance(due_s, until, &schedule).await?;
        if schedule.wait(due_s).await.is_err() {
            break;
        }
        let records = fleet.records(shape);
        let late_s = schedule.late_s(due_s);
        let batch = Batch {
            records,
            late_s,
            is_overdue: late_s * hz >= 1.0,
        };
        if batches.send(batch).await.is_err() || is_last {
            break;
        }
    }
    Ok(())
}

/// A world with its read side, which shows what the API would show, and without a server.
struct Fleet(Recovered);

impl Fleet {
    async fn begin(world: Arc<World>, threads: usize) -> Result<Self, Halted> {
        let identity = Identity {
            scenario_hash: [0; 32],
            seed: world.seed,
        };
        let mut store = store::open(store::IN_MEMORY, &identity, true)?;
        let arbiters = headless::arbiters(threads);
        let recovered = recovery::recover(store.as_mut(), world, threads, arbiters).await?;
        Ok(Fleet(recovered))
    }

    /// To the last tick that has begun by this time; answers whether that is the last of all.
    async fn advance(&mut self, sim_s: f64, until: Tick, schedule: &Schedule) -> Result<bool, Halted> {
        let Recovered { engine, view, .. } = &mut self.0;
        let due = sim_s / engine.world().tick.as_secs();
        // A beat's time is a sum of shares, and a tick's is not.
        let due = (due + 1e-6) as Tick;
        while engine.tick_number() < due.min(until) && !schedule.is_stopped() {
            let outcome = engine.tick(Admission::default()).await?;
            let (_, mut publication) = publication::split(engine, outcome);
            let tick = publication.tick;
            if tick.is_multiple_of(FORGET_EVERY) {
                drop(view.take_changes());
                publication.kept = Some(tick - 1);
            }
            view.publish(publication);
        }
        Ok(engine.tick_number() >= until)
    }

    fn records(&self, shape: Shape) -> Vec<Record> {
        let view = &self.0.view;
        let (world, clock) = (view.world(), view.clock());
        let (sim_time, sent_at) = (rfc3339(&world, clock.at), wall_ms());
        let all = world.drone_count() as usize;
        let drones = view.drones(&DroneFilter::default(), None, all).items;
        let record = |drone: DroneReading| {
            let telemetry = Telemetry {
                drone: shown::drone(&world, &drone),
                tick: clock.tick,
                sim_time: sim_time.clone(),
                sent_at,
            };
            record(telemetry, shape)
        };
        drones.into_par_iter().map(record).collect()
    }
}

fn record(telemetry: Telemetry, shape: Shape) -> Record {
    let key = format!("drones/{}", telemetry.drone.id);
    let json = match shape {
        Shape::Skyhaul => serde_json::to_vec(&telemetry),
        Shape::Geojson => serde_json::to_vec(&TelemetryFeature::from(telemetry)),
    };
    Record {
        key,
        json: json.expect("telemetry is strings and numbers"),
    }
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
