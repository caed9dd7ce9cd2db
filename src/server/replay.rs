//! A recording as a server: the same front door and window before a [`Playback`] in place of a
//! world.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Arbiter, ArbiterHandle, System};
use axum::Router;
use axum::routing::any;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::auth::{self, Guard, TokenKey};
use crate::http::{self, FrontDoor, Readiness};
use crate::recording::Shows;
use crate::recording::playback::Playback;
use crate::view::branches::Branches;
use crate::view::commands::Commands;
use crate::view::recordings::NoRecordings;
use crate::ws::{self, Gateway};

use super::beside::{self, Beside, Both};
use super::connections::{Connections, House, Limits};
use super::process_metrics::ProcessMetrics;
use super::workshop::Workshop;
use super::{DRAIN, ServerError};

/// How to serve a recording.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    pub limits: Limits,
    pub sessions: ws::Config,
    pub basemap: Option<http::Basemap>,
    pub access: auth::Settings,
    /// Another recording, shown beside.
    pub beside: Option<PathBuf>,
}

/// A running server. Dropping it does not stop it: [`Replay::stop`] does.
pub struct Replay {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    gateway: Gateway,
    workshop: Arc<Workshop>,
    http: JoinHandle<()>,
    /// Dropped when the sessions, whose actors live there, are gone.
    _keep: oneshot::Sender<()>,
}

/// Serves what is played.
///
/// # Errors
/// No threads to be had, or a listener that does not listen.
pub async fn replay(
    playback: Arc<Playback>,
    options: ReplayOptions,
    listener: TcpListener,
) -> Result<Replay, ServerError> {
    let (closing, closed) = watch::channel(false);
    let address = listener.local_addr()?;
    let auth::Settings {
        mode,
        key,
        allowed_origins,
    } = options.access;
    let key = match key {
        Some(key) => key,
        None => TokenKey::of_this_process()?,
    };
    let guard = Guard::new(mode, key, allowed_origins, address.ip().is_loopback());
    let guard = Arc::new(guard);
    let mut registry = Registry::default();
    let requests = http::telemetry::Requests::register(&mut registry);
    registry.register_collector(Box::new(ProcessMetrics));
    let (arbiters, keep) = start_arbiters().await?;
    let doors = Doors {
        guard,
        arbiters,
        sessions: options.sessions,
        closed: closed.clone(),
        requests,
        registry: Arc::new(registry),
        body_patience: options.limits.body,
        basemap: options.basemap,
    };
    let beside = Beside::new(Arc::clone(&playback), doors.clone());
    if let Some(path) = options.beside {
        let showing = Arc::clone(&beside);
        let shown = tokio::task::spawn_blocking(move || showing.show(&path));
        shown.await.map_err(|_| ServerError::WorldGone)??;
    }
    let workshop = Workshop::new(playback.path(), Arc::clone(&beside));
    let both = Arc::new(Both(Arc::clone(&beside)));
    let (routes, gateway) = doors.open(&playback, both, Some(Arc::clone(&workshop)));
    let pair = Router::new()
        .nest_service("/beside", any(beside::pass).with_state(beside))
        .fallback_service(routes);
    let house = House {
        routes: FrontDoor::new(pair),
        asks_for_addresses: false,
    };
    let served = Connections::new(options.limits).serve(listener, house, closed);
    Ok(Replay {
        address,
        closing,
        gateway,
        workshop,
        http: tokio::spawn(served),
        _keep: keep,
    })
}

/// What the door and the window of a recording need, whichever it is.
#[derive(Clone)]
pub(super) struct Doors {
    guard: Arc<Guard>,
    arbiters: Vec<ArbiterHandle>,
    sessions: ws::Config,
    closed: watch::Receiver<bool>,
    requests: http::telemetry::Requests,
    registry: Arc<Registry>,
    body_patience: Duration,
    basemap: Option<http::Basemap>,
}

impl Doors {
    /// Before what is played.
    pub(super) fn open(
        &self,
        playback: &Arc<Playback>,
        commands: Arc<dyn Commands>,
        workshop: Option<Arc<Workshop>>,
    ) -> (FrontDoor, Gateway) {
        let view = Arc::clone(playback.view());
        let gateway = Gateway::new(
            Arc::clone(&view),
            Arc::new(Shows::of(playback)),
            Arc::clone(&self.guard),
            self.arbiters.clone(),
            self.sessions.clone(),
            self.closed.clone(),
        );
        let (ready, window) = (self.closed.clone(), gateway.clone());
        let registry = Arc::clone(&self.registry);
        let api = http::Parts {
            view,
            commands,
            recordings: Arc::new(NoRecordings),
            ready: Arc::new(move || match *ready.borrow() {
                true => Readiness::Draining,
                false => Readiness::Ready,
            }),
            metrics: Arc::new(move || {
                let mut page = String::new();
                if let Err(error) = text::encode(&mut page, &registry) {
                    tracing::error!(%error, "the metrics cannot be written");
                }
                page
            }),
            requests: self.requests.clone(),
            body_patience: self.body_patience,
            rate_limit: None,
            basemap: self.basemap.clone(),
            guard: Arc::clone(&self.guard),
            exports: http::Exports::default(),
            branches: workshop.map(|workshop| workshop as Arc<dyn Branches>),
            streams: Arc::new(move |wish| window.stream(wish)),
            moments: gateway.moments(),
        };
        (http::router(api, gateway.route()), gateway)
    }
}

/// Where sessions live: a system of their own, until its end is dropped.
async fn start_arbiters() -> Result<(Vec<ArbiterHandle>, oneshot::Sender<()>), ServerError> {
    let (started, ready) = oneshot::channel();
    let (keep, released) = oneshot::channel::<()>();
    std::thread::Builder::new()
        .name("sessions".to_owned())
        .spawn(move || {
            System::new().block_on(async move {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let arbiters = (0..cores).map(|_| Arbiter::new().handle()).collect();
                let _server_is_gone = started.send(arbiters);
                let _released_by_dropping = released.await;
                System::current().stop();
            });
        })?;
    let arbiters = ready.await.map_err(|_| ServerError::WorldGone)?;
    Ok((arbiters, keep))
}

impl Replay {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting and closes the sessions.
    pub async fn stop(self) {
        self.closing.send_replace(true);
        let workshop = self.workshop;
        let drained = async {
            let _it_said_why = tokio::task::spawn_blocking(move || workshop.close()).await;
            self.gateway.drained().await;
            self.http.await
        };
        if timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
    }
}
