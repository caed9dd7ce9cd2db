//! A recording as a server: the same front door and window before a [`Playback`] in place of a
//! world.

use std::net::SocketAddr;
use std::sync::Arc;

use actix::{Arbiter, ArbiterHandle, System};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::auth::{self, Guard, TokenKey};
use crate::http::{self, Readiness};
use crate::recording::playback::Playback;
use crate::ws::{self, Gateway};

use super::connections::{Connections, House, Limits};
use super::process_metrics::ProcessMetrics;
use super::{DRAIN, ServerError};

/// How to serve a recording.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    pub limits: Limits,
    pub sessions: ws::Config,
    pub basemap: Option<http::Basemap>,
    pub access: auth::Settings,
}

/// A running server. Dropping it does not stop it: [`Replay::stop`] does.
pub struct Replay {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    gateway: Gateway,
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
    let view = Arc::clone(playback.view());
    let gateway = Gateway::new(
        Arc::clone(&view),
        Arc::clone(&guard),
        arbiters,
        options.sessions,
        closed.clone(),
    );
    let (ready, window) = (closed.clone(), gateway.clone());
    let api = http::Parts {
        view,
        commands: playback,
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
        requests,
        body_patience: options.limits.body,
        rate_limit: None,
        basemap: options.basemap,
        guard,
        exports: http::Exports::default(),
        streams: Arc::new(move |wish| window.stream(wish)),
    };
    let house = House {
        routes: http::router(api, gateway.route()),
        asks_for_addresses: false,
    };
    let served = Connections::new(options.limits).serve(listener, house, closed);
    Ok(Replay {
        address,
        closing,
        gateway,
        http: tokio::spawn(served),
        _keep: keep,
    })
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
        let drained = async {
            self.gateway.drained().await;
            self.http.await
        };
        if timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("some connections did not close in time");
        }
    }
}
