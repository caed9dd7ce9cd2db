//! `skyhaul emit`: a simulated fleet's telemetry, or its customers' orders, sent in real time
//! to a backend of somebody's own.
//!
//! One thread lets the world go on and makes records when they are due ([`telemetry`],
//! [`orders`]); another hands them to where they go ([`outlet`]). Between them is a channel of
//! one batch: who takes records slowly makes the next batch late, which is counted and told,
//! and none is dropped. The world is not served, and nothing of it is kept.

mod orders;
pub mod outlet;
mod schedule;
mod tally;
mod telemetry;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::engine::Halted;
use crate::sim::time::SimDuration;
use crate::sim::world::World;

pub use outlet::{BadDestination, Destination, Unreachable};
use outlet::{Broken, Outlet};
use schedule::Schedule;
use tally::Sent;
pub use tally::Tally;

/// What is on its way gets so long at the end, and where somebody wants it to end.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_AT_STOP: Duration = Duration::from_secs(2);

/// What a record looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As `GET /api/drones/{id}` shows a drone.
    Skyhaul,
    /// A GeoJSON feature.
    Geojson,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// Every drone of the world, each beat; so many beats a second.
    Telemetry { hz: f64, shape: Shape },
    /// What the scenario's customers ask for, when they do, as delivery requests.
    Orders,
}

pub struct Options {
    pub what: What,
    pub to: Destination,
    /// Most records of one HTTP request.
    pub batch: usize,
    /// Simulated seconds a second.
    pub speed: f64,
    /// So much simulated time.
    pub until: SimDuration,
    pub threads: usize,
}

/// What is sent in one piece.
pub struct Record {
    /// What it is about, for destinations that sort by that: `drones/ID` or `orders`.
    pub key: String,
    pub json: Vec<u8>,
}

/// All that is due at one moment.
pub struct Batch {
    pub records: Vec<Record>,
    /// How long after its time it was handed over, in seconds; and whether that was so long that
    /// the next was due.
    pub late_s: f64,
    pub is_overdue: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    #[error("{0}")]
    Unreachable(#[from] Unreachable),
    #[error("the world stopped: {0}")]
    World(#[from] Halted),
    #[error("the thread of the world broke off")]
    Gone,
    #[error("the thread of the world cannot start: {0}")]
    Thread(#[from] std::io::Error),
}

/// Sends what is wanted until the time is over, `stop` says so, or nobody takes any more.
/// `show` hears how far it has come after each batch.
///
/// # Errors
/// A destination that cannot be reached at the start, or a world that fails. What a destination
/// refuses later is counted.
pub async fn emit(
    world: Arc<World>,
    options: Options,
    mut stop: watch::Receiver<bool>,
    mut show: impl FnMut(&Tally),
) -> Result<Tally, EmitError> {
    let mut outlet = Outlet::open(&options.to, options.what, options.batch).await?;
    let (batches, mut due) = mpsc::channel(1);
    let schedule = Schedule::new(options.speed, stop.clone());
    let source = start_source(world, &options, schedule, batches)?;
    let mut tally = Tally::default();
    let end = async { stop.wait_for(|stop| *stop).await.map(|_| ()) };
    tokio::pin!(end);
    let mut patience = PATIENCE;
    while let Some(batch) = due.recv().await {
        tally.hear(&batch);
        let count = batch.records.len() as u64;
        let sent = tokio::select! {
            sent = outlet.send(batch.records) => sent,
            // Somebody who takes nothing does not keep the program from ending.
            _ = &mut end => {
                patience = PATIENCE_AT_STOP;
                tally.sent(Sent::failed(count, "it was stopped while nobody took them"));
                break;
            }
        };
        match sent {
            Ok(sent) => tally.sent(sent),
            Err(Broken) => break,
        }
        show(&tally);
    }
    // The source sees that nobody listens any more.
    drop(due);
    match timeout(patience, outlet.close()).await {
        Ok(Ok(sent)) => tally.sent(sent),
        Ok(Err(Broken)) => {}
        Err(_) if tally.sent.failed > 0 => {}
        Err(_) => tally.sent(Sent::failed(1, "the last of it was not taken in time")),
    }
    source.await.map_err(|_| EmitError::Gone)??;
    Ok(tally)
}

/// The world on a thread of its own, which ends when its time is over or nobody listens.
fn start_source(
    world: Arc<World>,
    options: &Options,
    schedule: Schedule,
    batches: mpsc::Sender<Batch>,
) -> Result<tokio::sync::oneshot::Receiver<Result<(), Halted>>, std::io::Error> {
    let (end, ended) = tokio::sync::oneshot::channel();
    let until = options.until.0.div_ceil(world.tick.0).max(1);
    let (what, threads) = (options.what, options.threads);
    std::thread::Builder::new()
        .name("world".to_owned())
        .spawn(move || {
            let result = actix::System::new().block_on(async {
                match what {
                    What::Telemetry { hz, shape } => {
                        telemetry::emit(world, threads, until, hz, shape, schedule, batches).await
                    }
                    What::Orders => {
                        orders::emit(&world, until, schedule, batches).await;
                        Ok(())
                    }
                }
            });
            let _nobody_waits = end.send(result);
        })?;
    Ok(ended)
}
