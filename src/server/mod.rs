//! Composition: the only place that knows every part.
//!
//! Two worlds of threads meet here: the world's (an actix system with the engine, the
//! actors, and the sessions with their sockets) and the front door's (tokio's runtime with
//! axum). Addresses and channels cross, and each WebSocket once, after its handshake.

mod archive;
mod beside;
mod connections;
mod door;
mod eta_metrics;
mod metrics;
mod process_metrics;
mod recording_metrics;
mod replay;
mod retention;
#[cfg(test)]
mod tests;
mod workshop;
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::auth::{self, Guard, KeyError, TokenKey};
use crate::engine::Halted;
use crate::engine::metrics::Metrics;
use crate::engine::witness::Stand;
use crate::http::{self, Basemap, RateLimit, Readiness};
use crate::notify::{self, Courier};
use crate::recording::{NotShown, Studio};
use crate::sim::world::World;
use crate::store::writer::Refused;
use crate::store::{self, Identity, Store, StoreError};
use crate::view::pasts::{NoPasts, Pasts};
use crate::view::reading::Speed;
use crate::view::recordings::{NoRecordings, Recordings};
use crate::view::{RECENTLY_ENDED, View};
use crate::ws::{self, Gateway};

pub use connections::Limits;
use connections::{Connections, House};
use door::Door;
pub use replay::{Replay, ReplayOptions, replay};
pub use retention::Keep;
use retention::Retention;
use world::{Started, WorldThread, start_world};

/// From the signal to the end, whatever clients do.
const DRAIN: Duration = Duration::from_secs(4);
/// What is left then for a store that has not taken the last ticks.
const LAST_TRY: Duration = Duration::from_millis(900);

/// How to serve a world.
#[derive(Clone)]
pub struct Options {
    /// A folder, a database's URL, or `:memory:`.
    pub data: String,
    /// Replaces an old store.
    pub fresh: bool,
    pub speed: Speed,
    pub paused: bool,
    pub threads: usize,
    /// Whether the scenario's own customers order.
    pub demand: bool,
    /// Deliveries that stay in memory after their end, when they could go.
    pub recently_ended: usize,
    /// How long the store keeps history; for ever where it is left out.
    pub keep: Option<Keep>,
    pub limits: Limits,
    /// Requests a second of one client, where there is a limit.
    pub rate_limit: Option<f64>,
    pub sessions: ws::Config,
    /// What the page's map lies on.
    pub basemap: Option<Basemap>,
    pub access: auth::Settings,
    /// How notices leave.
    pub notices: notify::Settings,
    /// Who hears of all that happens: whoever records it.
    pub stand: Stand,
    /// Who may record it while it runs, and lets moments of the past be seen; it has the stand.
    pub studio: Option<Arc<Studio>>,
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
            recently_ended: RECENTLY_ENDED,
            keep: None,
            limits: Limits::default(),
            rate_limit: None,
            sessions: ws::Config::default(),
            basemap: None,
            access: auth::Settings::default(),
            notices: notify::Settings::default(),
            stand: Stand::default(),
            studio: None,
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
    #[error("the store does not answer, and the last ticks are not in it")]
    StoreSilent,
    #[error(transparent)]
    Notices(#[from] notify::SettingsError),
    #[error("the recording beside: {0}")]
    Beside(#[from] NotShown),
    #[error("the world's thread ended without a word")]
    WorldGone,
}

/// A running server. Dropping it does not stop it: [`Server::stop`] does.
pub struct Server {
    address: SocketAddr,
    view: Arc<View>,
    closing: watch::Sender<bool>,
    gateway: Gateway,
    http: JoinHandle<()>,
    world: WorldThread,
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
    let (data, fresh) = (options.data.clone(), options.fresh);
    // It may wait for a database, or for a server that is about to end.
    let opening = tokio::task::spawn_blocking(move || store::open(&data, &identity, fresh));
    let store = opening.await.map_err(|_| StoreError::Panicked)??;
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
    let retention = Retention {
        view: Arc::clone(&view),
        writer: started.writer.clone(),
        keep: options.keep.clone(),
    };
    tokio::spawn(retention.run(closed.clone()));
    let arbiters = started.sessions_arbiters.clone();
    let (pasts, recordings): (Arc<dyn Pasts>, Arc<dyn Recordings>) = match &options.studio {
        Some(studio) => {
            studio.attend(&view, started.controls.clone());
            (Arc::clone(studio) as _, Arc::clone(studio) as _)
        }
        None => (Arc::new(NoPasts), Arc::new(NoRecordings)),
    };
    let gateway = Gateway::new(
        Arc::clone(&view),
        pasts,
        Arc::clone(&guard),
        arbiters,
        options.sessions,
        closed.clone(),
    );
    let notices = Arc::new(notify::Telemetry::default());
    let courier = Courier::new(
        Arc::clone(&view.world()),
        started.writer.clone(),
        options.notices,
        Arc::clone(&notices),
    )?;
    tokio::spawn(courier.run(closed.clone()));
    let connections = Connections::new(options.limits);
    let rate_limit = options.rate_limit.and_then(RateLimit::new).map(Arc::new);
    let metrics = metrics::render(
        registry,
        &started,
        Arc::clone(&connections),
        rate_limit.clone(),
        gateway.telemetry(),
        notices,
        Arc::clone(&recordings),
    );
    let ready = closed.clone();
    let window = gateway.clone();
    let api = http::Parts {
        view: Arc::clone(&view),
        commands: Arc::new(Door::new(&started, closed.clone())),
        recordings,
        ready: Arc::new(move || {
            if *ready.borrow() {
                Readiness::Draining
            } else {
                Readiness::Ready
            }
        }),
        metrics,
        requests,
        body_patience: options.limits.body,
        rate_limit: rate_limit.clone(),
        basemap: options.basemap,
        guard,
        exports: http::Exports::default(),
        branches: None,
        streams: Arc::new(move |wish| window.stream(wish)),
        moments: gateway.moments(),
    };
    let routes = http::router(api, gateway.route());
    let house = House {
        routes,
        asks_for_addresses: rate_limit.is_some(),
    };
    let served = connections.serve(listener, house, closed);
    Ok(Server {
        address,
        view,
        closing,
        gateway,
        http: tokio::spawn(served),
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
        None if store::is_folder(&options.data) => TokenKey::in_folder(Path::new(&options.data))?,
        None => TokenKey::of_this_process()?,
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
        let closing = tokio::task::spawn_blocking(move || writer.close());
        let (closed, ended) = match in_time {
            Ok(ended) => (closing.await, ended),
            // A store that hangs is left behind with its thread: what it has is safe.
            Err(_) => match timeout(LAST_TRY, async { (closing.await, ended.await) }).await {
                Ok(both) => both,
                Err(_) => return Err(ServerError::StoreSilent),
            },
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
