//! The world's thread: an actix system in which the world is brought to where it was, and
//! lives on until the server lets go of it.

use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, ArbiterHandle, System};
use tokio::sync::{oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::archive::StoredPast;
use super::{Options, ServerError};
use crate::actors::ingestion::{Durable, Gate, Ingestion, IngestionHandle};
use crate::engine::controls::Controls;
use crate::engine::inbox::Inbox;
use crate::engine::live::Live;
use crate::engine::metrics::Metrics;
use crate::engine::pace::Pace;
use crate::engine::recovery::{self, Recovered};
use crate::engine::writes::Writes;
use crate::engine::{Halted, headless};
use crate::sim::command::Command;
use crate::sim::world::World;
use crate::store::{self, IngestBatch, Reader, Store, Writer};
use crate::view::View;

/// Accepted and not yet admitted requests; beyond that clients hear 503. One takes about
/// 1.2 KB, its record on the read side included.
const INGESTION_CAPACITY: usize = 500_000;
/// A flush that takes longer than this is one of a store that hangs.
const OVERDUE: Duration = Duration::from_secs(2);
/// How often it is looked whether one does.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the rest needs of the world once it is there.
pub(super) struct Started {
    pub(super) view: Arc<View>,
    pub(super) ingestion: IngestionHandle,
    pub(super) controls: Controls,
    pub(super) writes: Writes,
    pub(super) inbox: Arc<Inbox>,
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    pub(super) sessions_arbiters: Vec<ArbiterHandle>,
}

pub(super) struct WorldThread {
    pub(super) ended: oneshot::Receiver<Result<(), Halted>>,
    /// Dropped when the sessions, whose actors live there, are gone.
    pub(super) _keep: oneshot::Sender<()>,
    pub(super) writer: Writer,
}

pub(super) async fn start_world(
    world: Arc<World>,
    options: &Options,
    store: Box<dyn Store>,
    metrics: Metrics,
    closed: watch::Receiver<bool>,
) -> Result<(Started, WorldThread), ServerError> {
    let (ready, started) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let (keep, released) = oneshot::channel();
    let options = options.clone();
    std::thread::Builder::new()
        .name("world".to_owned())
        .spawn(move || {
            System::new().block_on(async move {
                match bring_up(world, &options, store, metrics, closed).await {
                    Ok((live, started)) => {
                        let _server_is_gone = ready.send(Ok(started));
                        let _server_is_gone = end.send(live.run().await);
                        let _released_by_dropping = released.await;
                    }
                    Err(error) => {
                        let _server_is_gone = ready.send(Err(error));
                    }
                }
                System::current().stop();
            });
        })?;
    let started = started.await.map_err(|_| ServerError::WorldGone)??;
    let thread = WorldThread {
        ended,
        _keep: keep,
        writer: started.writer.clone(),
    };
    Ok((started, thread))
}

/// On the world's thread: from the store to a world that is ready to go on.
async fn bring_up(
    world: Arc<World>,
    options: &Options,
    mut store: Box<dyn Store>,
    metrics: Metrics,
    shutdown: watch::Receiver<bool>,
) -> Result<(Live, Started), ServerError> {
    let mut next_seq = store.last_command_seq()? + 1;
    let threads = options.threads;
    let recovered = recovery::recover(store.as_mut(), world, threads, headless::arbiters(threads)).await?;
    let demand = recovered.demand();
    let Recovered {
        engine,
        view,
        pending,
    } = recovered;
    match engine.tick_number() {
        0 => tracing::info!(data = store::shown(&options.data), "a new world begins"),
        tick => tracing::info!(tick, pending = pending.len(), "the world is where it was"),
    }
    let beside = store.reader()?;
    let writer = Writer::start(store)?;
    let reader = Reader::start(beside, &writer)?;
    view.look_into(Arc::new(StoredPast::new(reader.clone())));
    view.keep_recent(options.recently_ended);
    let inbox = Arc::new(Inbox::new(Arc::clone(&view)));
    inbox.pass(pending.into_iter().map(without_room).collect());
    if demand != options.demand {
        let command = Command::SetDemand(options.demand);
        let batch = IngestBatch {
            first_seq: next_seq,
            commands: vec![command.clone()],
        };
        writer.append_commands(batch).await?;
        inbox.pass(vec![without_room((next_seq, command))]);
        next_seq += 1;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sessions_arbiters = (0..cores).map(|_| Arbiter::new().handle()).collect();
    let gate: Arc<dyn Gate> = inbox.clone();
    // Of its own, so that no fan-out delays an answer.
    let ingestion_arbiter = Arbiter::new().handle();
    let ingestion = Ingestion::start(
        &ingestion_arbiter,
        writer.clone(),
        gate,
        next_seq,
        INGESTION_CAPACITY,
    );
    follow_stalls(&writer, &view);
    let (controls, controlled) = Controls::new();
    let (writes, gate) = Writes::new(ingestion.clone());
    let live = Live {
        engine,
        gate,
        inbox: Arc::clone(&inbox),
        writer: writer.clone(),
        view: Arc::clone(&view),
        pace: Pace::new(options.speed, options.paused),
        controls: controlled,
        shutdown,
        stalls: writer.watch_stalled(),
        metrics,
        stand: Arc::clone(&options.stand),
    };
    let started = Started {
        view,
        ingestion,
        controls,
        writes,
        inbox,
        writer,
        reader,
        sessions_arbiters,
    };
    Ok((live, started))
}

/// A command that was found in the journal, or comes from the server itself.
fn without_room((seq, command): (u64, Command)) -> Durable {
    Durable {
        seq,
        command,
        answer: None,
        _room: None,
    }
}

/// Shows at once when the store stalls: the clock that would show it stands still then.
fn follow_stalls(writer: &Writer, view: &Arc<View>) {
    let (writer, view) = (writer.clone(), Arc::clone(view));
    let mut stalled = writer.watch_stalled();
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    actix::spawn(async move {
        loop {
            let now = *stalled.borrow_and_update();
            view.set_stalled(now);
            tokio::select! {
                changed = stalled.changed() => if changed.is_err() { break },
                _ = looks.tick() => writer.stall_if_flushing_for(OVERDUE),
            }
        }
    });
}
