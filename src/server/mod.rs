//! Composition: the only place that knows every part.
//!
//! Two worlds of threads meet here: the world's (an actix system with the engine, the
//! actors, and the sessions with their sockets) and the front door's (tokio's runtime with
//! axum). Addresses and channels cross, and each WebSocket once, after its handshake.

mod door;
mod metrics;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, ArbiterHandle, System};
use axum::serve::ListenerExt;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::actors::ingestion::{Durable, Gate, Ingestion, IngestionHandle};
use crate::auth::{self, Guard, KeyError, TokenKey};
use crate::engine::controls::Controls;
use crate::engine::inbox::Inbox;
use crate::engine::live::Live;
use crate::engine::metrics::Metrics;
use crate::engine::pace::Pace;
use crate::engine::recovery::{self, Recovered};
use crate::engine::{Halted, headless};
use crate::http::{self, Api, Basemap, Readiness};
use crate::sim::order::Command;
use crate::sim::world::World;
use crate::store::writer::Refused;
use crate::store::{self, Identity, IngestBatch, Store, StoreError, Writer};
use crate::view::View;
use crate::view::reading::Speed;
use crate::ws::{self, Gateway};

use door::Door;

/// Accepted and not yet admitted requests; beyond that clients hear 503.
const INGESTION_CAPACITY: usize = 100_000;
/// From the signal to the end, whatever clients do.
const DRAIN: Duration = Duration::from_secs(4);

/// How to serve a world.
#[derive(Clone, Debug)]
pub struct Options {
    /// A folder, or `:memory:`.
    pub data: String,
    /// Replaces an old store.
    pub fresh: bool,
    pub speed: Speed,
    pub paused: bool,
    pub threads: usize,
    /// Whether the scenario's own customers order.
    pub demand: bool,
    pub sessions: ws::Config,
    /// What the page's map lies on.
    pub basemap: Option<Basemap>,
    pub access: auth::Settings,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            data: store::IN_MEMORY.to_owned(),
            fresh: false,
            speed: Speed::Times(1.0),
            paused: false,
            threads: 1,
            demand: true,
            sessions: ws::Config::default(),
            basemap: None,
            access: auth::Settings::default(),
        }
    }
}

/// Why a server does not start, or ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the world stopped: {0}")]
    World(#[from] Halted),
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    #[error("the journal takes no commands: {0}")]
    Journal(#[from] Refused),
    #[error(transparent)]
    TokenKey(#[from] KeyError),
    #[error("the world's thread ended without a word")]
    WorldGone,
}

/// A running server. Dropping it does not stop it: [`Server::stop`] does.
pub struct Server {
    address: SocketAddr,
    view: Arc<View>,
    closing: watch::Sender<bool>,
    gateway: Gateway,
    http: JoinHandle<std::io::Result<()>>,
    world: WorldThread,
}

/// What the rest needs of the world once it is there.
struct Started {
    view: Arc<View>,
    ingestion: IngestionHandle,
    controls: Controls,
    inbox: Arc<Inbox>,
    writer: Writer,
    sessions_arbiters: Vec<ArbiterHandle>,
}

struct WorldThread {
    ended: oneshot::Receiver<Result<(), Halted>>,
    /// Dropped when the sessions, whose actors live there, are gone.
    _keep: oneshot::Sender<()>,
    writer: Writer,
}

/// Opens the store, brings the world to where it was, and serves it.
///
/// # Errors
/// A store that cannot be opened or belongs to another world, or one that cannot be
/// recovered.
pub async fn start(
    world: Arc<World>,
    options: Options,
    listener: TcpListener,
) -> Result<Server, ServerError> {
    let address = listener.local_addr()?;
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let store = store::open(&options.data, &identity, options.fresh)?;
    start_with(world, options, listener, store)
        .await
        .map(|server| Server { address, ..server })
}

/// As [`start`], with a store of the caller's.
///
/// # Errors
/// A store that cannot be recovered.
pub async fn start_with(
    world: Arc<World>,
    options: Options,
    listener: TcpListener,
    store: Box<dyn Store>,
) -> Result<Server, ServerError> {
    let (closing, closed) = watch::channel(false);
    let address = listener.local_addr()?;
    let guard = Arc::new(post_guard(&options, address)?);
    let mut registry = Registry::default();
    let tick_metrics = Metrics::register(&mut registry);
    let requests = http::telemetry::Requests::register(&mut registry);

    let (started, thread) = start_world(world, &options, store, tick_metrics, closed.clone()).await?;
    let view = Arc::clone(&started.view);
    let arbiters = started.sessions_arbiters.clone();
    let gateway = Gateway::new(
        Arc::clone(&view),
        Arc::clone(&guard),
        arbiters,
        options.sessions,
        closed.clone(),
    );
    let metrics = metrics::render(registry, &started, gateway.telemetry());
    let ready = closed.clone();
    let window = gateway.clone();
    let api = Api {
        view: Arc::clone(&view),
        commands: Arc::new(Door::new(&started, closed.clone())),
        ready: Arc::new(move || {
            if *ready.borrow() {
                Readiness::Draining
            } else {
                Readiness::Ready
            }
        }),
        metrics,
        requests,
        basemap: options.basemap,
        guard,
        streams: Arc::new(move |wish| window.stream(wish)),
    };
    let routes = http::router(api, gateway.route());
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a socket keeps Nagle's delay");
        }
    });
    let served = axum::serve(listener, routes).with_graceful_shutdown(until(closed));
    Ok(Server {
        address,
        view,
        closing,
        gateway,
        http: tokio::spawn(served.into_future()),
        world: thread,
    })
}

/// The guard with its key: given, the data folder's, or the process's own.
fn post_guard(options: &Options, address: SocketAddr) -> Result<Guard, KeyError> {
    let auth::Settings {
        mode,
        key,
        allowed_origins,
    } = options.access.clone();
    let key = match key {
        Some(key) => key,
        None if options.data == store::IN_MEMORY => TokenKey::of_this_process()?,
        None => TokenKey::in_folder(Path::new(&options.data))?,
    };
    let loopback = address.ip().is_loopback();
    Ok(Guard::new(mode, key, allowed_origins, loopback))
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Returns when the world ends by itself, which is a failure; cancel-safe.
    pub async fn failed(&mut self) -> ServerError {
        match (&mut self.world.ended).await {
            Ok(Err(halted)) => halted.into(),
            Ok(Ok(())) | Err(_) => ServerError::WorldGone,
        }
    }

    /// Stops accepting, finishes the tick, commits, closes the sessions. A store that does
    /// not take the last ticks in time gets one last try.
    ///
    /// # Errors
    /// What kept the last ticks from being committed.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.closing.send_replace(true);
        let WorldThread {
            mut ended,
            _keep,
            writer,
        } = self.world;
        let drained = async {
            self.gateway.drained().await;
            self.http.await
        };
        let (in_time, drained) = tokio::join!(timeout(DRAIN, &mut ended), timeout(DRAIN, drained));
        if drained.is_err() {
            tracing::warn!("some connections did not close in time");
        }
        // Also lets go of a world that waits for a stalled store.
        let closed = tokio::task::spawn_blocking(move || writer.close()).await;
        let ended = match in_time {
            Ok(ended) => ended,
            Err(_) => ended.await,
        };
        ended.map_err(|_| ServerError::WorldGone)??;
        closed.map_err(|_| ServerError::WorldGone)??;
        Ok(())
    }
}

async fn until(mut closed: watch::Receiver<bool>) {
    // A server that was dropped serves on.
    if closed.wait_for(|closed| *closed).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn start_world(
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
        0 => tracing::info!(data = options.data, "a new world begins"),
        tick => tracing::info!(tick, pending = pending.len(), "the world is where it was"),
    }
    let writer = Writer::start(store)?;
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
    let live = Live {
        engine,
        ingestion: ingestion.clone(),
        inbox: Arc::clone(&inbox),
        writer: writer.clone(),
        view: Arc::clone(&view),
        pace: Pace::new(options.speed, options.paused),
        controls: controlled,
        shutdown,
        stalls: writer.watch_stalled(),
        metrics,
    };
    let started = Started {
        view,
        ingestion,
        controls,
        inbox,
        writer,
        sessions_arbiters,
    };
    Ok((live, started))
}

/// A command that was found in the journal, or comes from the server itself.
fn without_room((seq, command): (u64, Command)) -> Durable {
    Durable {
        seq,
        command,
        _room: None,
    }
}

/// Shows at once when the store stalls: the clock that would show it stands still then.
fn follow_stalls(writer: &Writer, view: &Arc<View>) {
    let (mut stalled, view) = (writer.watch_stalled(), Arc::clone(view));
    actix::spawn(async move {
        loop {
            let now = *stalled.borrow_and_update();
            view.set_stalled(now);
            if stalled.changed().await.is_err() {
                break;
            }
        }
    });
}
