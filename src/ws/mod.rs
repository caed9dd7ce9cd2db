//! The window: sessions, their subscriptions, and the fan-out to them.
//!
//! A beat (`fanout`) follows each published tick: it writes every drone's row once, in
//! order of the grid's cells (`layer`, `grid`), for each rate tier that somebody
//! wants (`tier`, `beat`). Each session is an actor (`session`) that copies from
//! the beat what its subscriptions (`topic`) follow, and writes it at once (`outlet`,
//! `connection`), unless its socket (`socket`) has not written the last batch: sessions pull,
//! so nothing piles up before a slow client, and nothing of theirs reaches the tick. Who lags
//! is sent less (`lag`). A connection begins as an HTTP request (`admission`, `upgrade`).
//! Sessions and sockets are spread over arbiters, each with all of theirs (`shard`). The
//! same session may speak through the body of an HTTP answer instead (`sse`).
//!
//! All sessions look at one world, each at its newest moment ([`Shared`]). Where there is a
//! recording, a session may look at another moment by itself: at a show of its own, with beats of
//! its own (`session/own`).

mod admission;
mod beat;
mod connection;
mod fanout;
mod grid;
mod ground;
mod lag;
mod layer;
mod moments;
mod outlet;
mod refusal;
mod seat;
mod session;
mod shard;
mod socket;
mod sse;
mod subscriptions;
mod telemetry;
#[cfg(test)]
mod tests;
mod tier;
mod topic;
mod upgrade;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix::{Actor, Addr, ArbiterHandle};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::auth::{Guard, host_of, origin_of};
use crate::view::View;
use crate::view::pasts::Pasts;
use crate::wire::stream::Encoding;

use beat::{Beat, Gauges};
use fanout::{Audience, FanOut};
use grid::Grid;
pub use lag::Patience;
pub use moments::{Looker, Moments};
pub use refusal::NoSession;
use seat::{Seat, Seated};
use session::{CustomerSession, Opening, Shown};
use shard::Shard;
pub use sse::{NoStream, Wish};
pub use telemetry::Telemetry;
use tier::Interest;
use upgrade::{Taken, Upgrade};

/// Longest message, and longest frame, that a client may send.
const LONGEST_MESSAGE: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub struct Config {
    /// Further handshakes are answered 503.
    pub max_sessions: usize,
    /// With clients that are slow.
    pub patience: Patience,
    /// What a client may say; the rest is answered `rate_limited`.
    pub messages_per_second: u32,
    /// How long a client that shows no token in its handshake has for its first message.
    pub token_within: Duration,
    /// How long a stream of server-sent events may be silent before it says that it is there.
    pub silence_most: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_sessions: 20_000,
            patience: Patience::default(),
            messages_per_second: 200,
            token_within: Duration::from_secs(5),
            silence_most: Duration::from_secs(15),
        }
    }
}

/// A handle to the window; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

/// What those share who look at the same moment, and the fan-out to them: nearly always all
/// sessions.
struct Shared {
    house: Arc<House>,
    view: Arc<View>,
    grid: Grid,
    interest: Arc<Interest>,
    newest: RwLock<Arc<Beat>>,
}

/// What all sessions share, whatever they look at.
struct House {
    guard: Arc<Guard>,
    config: Config,
    telemetry: Arc<Telemetry>,
    /// Other moments, for who wants to look at one by themselves.
    pasts: Arc<dyn Pasts>,
    moments: Arc<Moments>,
    /// Sessions and handshakes under way.
    seats_taken: watch::Sender<usize>,
    next_session: AtomicU64,
    shards: Vec<OnArbiter>,
    closing: watch::Receiver<bool>,
}

impl Shared {
    fn new(house: Arc<House>, view: Arc<View>) -> Self {
        let no_beat = Beat {
            epoch: view.clock().epoch,
            number: 0,
            slot: 0,
            tiers: Default::default(),
            gauges: Arc::new(Gauges::new(0)),
        };
        Shared {
            grid: Grid::of(&view.world().area),
            house,
            view,
            interest: Arc::default(),
            newest: RwLock::new(Arc::new(no_beat)),
        }
    }
}

/// A shard, and where it and its sessions live.
struct OnArbiter {
    arbiter: ArbiterHandle,
    sessions: Addr<Shard>,
}

impl Gateway {
    /// Starts the fan-out on the first of the arbiters: a beat is made where sessions wait for
    /// it, so that it wakes one thread less. `closing` turns true, once and for all, when the
    /// server shuts down. There must be an arbiter.
    pub fn new(
        view: Arc<View>,
        pasts: Arc<dyn Pasts>,
        guard: Arc<Guard>,
        arbiters: Vec<ArbiterHandle>,
        config: Config,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let first = arbiters.first().expect("sessions need an arbiter to live on");
        let first = first.clone();
        let shard = |arbiter: ArbiterHandle| OnArbiter {
            sessions: Shard::start_in_arbiter(&arbiter, |_| Shard::default()),
            arbiter,
        };
        let house = House {
            guard,
            config,
            telemetry: Arc::default(),
            pasts,
            moments: Arc::default(),
            seats_taken: watch::channel(0).0,
            next_session: AtomicU64::new(1),
            shards: arbiters.into_iter().map(shard).collect(),
            closing,
        };
        let shared = Arc::new(Shared::new(Arc::new(house), view));
        first.spawn(FanOut::new(Arc::clone(&shared), Audience::All).run());
        Gateway { shared }
    }

    /// `GET /ws`, for the front door to take in.
    pub fn route(&self) -> Router {
        Router::new()
            .route("/ws", get(handshake))
            .with_state(Arc::clone(&self.shared))
    }

    /// Other moments that sessions look at, for the front door to tell of.
    pub fn moments(&self) -> Arc<Moments> {
        Arc::clone(&self.shared.house.moments)
    }

    pub fn telemetry(&self) -> Arc<Telemetry> {
        Arc::clone(&self.shared.house.telemetry)
    }

    /// Returns when no session is open; of use once `closing` is true.
    pub async fn drained(&self) {
        let mut seats = self.shared.house.seats_taken.subscribe();
        // The sender lives in `shared`, so there is always an answer.
        let _ = seats.wait_for(|taken| *taken == 0).await;
    }
}

async fn handshake(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<Upgrade, (StatusCode, String)>,
) -> Result<Response, NoSession> {
    let upgrade = upgrade.map_err(|(status, why)| NoSession::NotAHandshake { status, why })?;
    let (host, origin) = (host_of(&headers, &uri), origin_of(&headers));
    let judged = shared.house.guard.reach.judge(host, origin);
    judged.map_err(NoSession::Stranger)?;
    let shown = admission::shown(&headers);
    let (encoding, protocol) = choose_encoding(&headers)?;
    if *shared.house.closing.borrow() {
        return Err(NoSession::ShuttingDown);
    }
    let seat = Seat::take(&shared).ok_or(NoSession::Full)?;
    Ok(upgrade.accept(protocol, move |taken| seat_session(taken, seat, encoding, shown)))
}

/// The first of the offered sub-protocols that is spoken here. A client that offers some
/// must offer one of these; one that offers none gets JSON, and no sub-protocol in the
/// answer.
fn choose_encoding(headers: &HeaderMap) -> Result<(Encoding, Option<HeaderValue>), NoSession> {
    let mut offered = admission::protocols(headers).peekable();
    if offered.peek().is_none() {
        return Ok((Encoding::Json, None));
    }
    match offered.find_map(Encoding::of_protocol) {
        Some(encoding) => Ok((encoding, Some(HeaderValue::from_static(encoding.protocol())))),
        None => {
            let [one, other] = Encoding::ALL.map(Encoding::protocol);
            Err(NoSession::NotAHandshake {
                status: StatusCode::BAD_REQUEST,
                why: format!("none of the sub-protocols offered is {one} or {other}"),
            })
        }
    }
}

/// Hands the socket to one of the arbiters.
fn seat_session(taken: Taken, seat: Seat, encoding: Encoding, shown: Shown) {
    let arbiter = seat.arbiter().clone();
    // Where the arbiter is no more, the socket is dropped, and the seat with it.
    arbiter.spawn(run_session(taken, seat, encoding, shown));
}

/// On the session's arbiter.
async fn run_session(taken: Taken, seat: Seat, encoding: Encoding, shown: Shown) {
    let shared = Arc::clone(&seat.shared);
    let from = taken.from();
    let Ok(socket) = taken.open(&seat).await else {
        return;
    };
    let (outlet, tray) = outlet::outlet();
    let opening = Opening::Handshake {
        shown,
        encoding,
        from,
    };
    let session = CustomerSession::new(Arc::clone(&shared), outlet, seat.number, opening);
    let seated = Seated::new(seat, session);
    socket::serve(socket, &seated.session, &tray, &shared).await;
}
