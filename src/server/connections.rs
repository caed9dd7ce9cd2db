//! TCP connections: how many there are at a time, and how long each may take to say something.
//! What is asked over them is the front door's.
//!
//! Whoever comes when every place is taken is told so and sent away. There are a few places for
//! that as well; where they are taken too, the kernel keeps newcomers waiting. A WebSocket gives
//! its place back with its handshake, since sessions have seats of their own.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::sleep;
use tower::{ServiceExt, service_fn};

use super::until;
use crate::http::{self, FrontDoor};

/// How many are sent away at a time.
const PORCH: usize = 64;
/// How long one of those may take to say what it wants, and to send it.
const PORCH_PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes of a request's head.
const LONGEST_HEAD: usize = 64 * 1024;
/// How long nobody is accepted when the machine has nothing left to do it with.
const BREATH: Duration = Duration::from_secs(1);

/// What clients may take up by being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// HTTP connections at a time, event streams included.
    pub connections: usize,
    /// How long a connection may take until the head of its next request is there.
    pub head: Duration,
    /// How long the body of a request may take.
    pub body: Duration,
    /// How long the kernel waits for a client that reads nothing of what it has for it.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 25_000,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            // Sessions that read nothing are ended before that, with a word.
            unread: Duration::from_secs(60),
        }
    }
}

/// The places that connections take.
pub struct Connections {
    limits: Limits,
    free: Arc<Semaphore>,
    turned_away: AtomicU64,
}

/// What is on the other side of the connections.
pub struct House {
    pub routes: FrontDoor,
    /// Whether it wants to know the address of each client.
    pub asks_for_addresses: bool,
}

impl Connections {
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Connections {
            limits,
            free: Arc::new(Semaphore::new(limits.connections)),
            turned_away: AtomicU64::new(0),
        })
    }

    /// How many there are, and how many there may be.
    pub fn queue(&self) -> (usize, usize) {
        let bound = self.limits.connections;
        (bound.saturating_sub(self.free.available_permits()), bound)
    }

    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Accepts until told to close; returns when the last connection has ended.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, house: House, closed: watch::Receiver<bool>) {
        let porch = Arc::new(Semaphore::new(PORCH));
        let (inside, outside) = (protocol(self.limits.head), protocol(PORCH_PATIENCE));
        let sorry = TowerToHyperService::new(service_fn(turn_away));
        let mut closing = pin!(until(closed.clone()));
        loop {
            let newcomer = async {
                let step = Arc::clone(&porch).acquire_owned().await;
                (accept(&listener).await, step.expect("nobody closes the porch"))
            };
            let ((socket, client), step) = tokio::select! {
                newcomer = newcomer => newcomer,
                () = &mut closing => break,
            };
            self.prepare(&socket);
            if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
                drop(step);
                let client = house.asks_for_addresses.then_some(client);
                let routes = house.routes.clone();
                let routes = routes.map_request(move |request| introduced(request, client));
                let routes = TowerToHyperService::new(routes);
                attend(&inside, socket, routes, place, closed.clone());
            } else {
                self.turned_away.fetch_add(1, Ordering::Relaxed);
                attend(&outside, socket, sorry, step, closed.clone());
            }
        }
        drop(listener);
        for (places, all) in [(&self.free, self.limits.connections), (&porch, PORCH)] {
            // Nobody closes them; and there are not so many.
            let _ = places.acquire_many(u32::try_from(all).unwrap_or(u32::MAX)).await;
        }
    }

    fn prepare(&self, socket: &TcpStream) {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "a socket keeps Nagle's delay");
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(socket).set_tcp_user_timeout(Some(self.limits.unread)) {
            tracing::debug!(%error, "a socket waits for its reader as long as the kernel likes");
        }
    }
}

/// How requests are read. Not by the builder that finds the version out by itself: it keeps no
/// time until it has.
fn protocol(head: Duration) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(LONGEST_HEAD);
    builder
}

/// Serves a connection to its end, which gives its place back. When all is to end, it ends with
/// the answer that is under way.
fn attend<S>(
    protocol: &Builder,
    socket: TcpStream,
    service: S,
    place: OwnedSemaphorePermit,
    closed: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    let connection = protocol.serve_connection(TokioIo::new(socket), service);
    tokio::spawn(async move {
        let mut connection = pin!(connection.with_upgrades());
        let ended = tokio::select! {
            biased;
            ended = &mut connection => ended,
            () = until(closed) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::trace!(%error, "a connection broke off");
        }
        drop(place);
    });
}

/// Handlers learn who is at the other end only where that matters: it costs each request a little.
fn introduced(request: Request<Incoming>, client: Option<SocketAddr>) -> Request {
    let mut request = request.map(Body::new);
    if let Some(client) = client {
        request.extensions_mut().insert(ConnectInfo(client));
    }
    request
}

async fn turn_away(request: Request<Incoming>) -> Result<Response, Infallible> {
    Ok(http::turn_away(request.map(Body::new), PORCH_PATIENCE).await)
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_clients_own(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

/// Who left while they were accepted is nobody's trouble.
fn is_clients_own(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
