//! How much one client may ask (`--rate-limit`): so many requests a second, and as many at once.
//!
//! A client is the account of a token, or the user of one without an account; without either it
//! is an address. Those who are refused a token count as well, so that nobody tries many.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::access::is_guarded;
use super::failure::Failure;
use crate::auth::{Client, Grant};

/// After as many questions those are forgotten who could ask at once all they may: so what is
/// kept are the clients of about a second, and at most as many as this besides.
const SWEEP: u32 = 4_096;
pub struct RateLimit {
    limiter: RateLimiter<Client, DashMapStateStore<Client>, DefaultClock>,
    asked: AtomicU32,
}

impl RateLimit {
    /// `None` where nobody could ask anything.
    pub fn new(per_second: f64) -> Option<Self> {
        let between = Duration::try_from_secs_f64(per_second.recip()).ok()?;
        let at_once = NonZeroU32::new(per_second.ceil() as u32)?;
        let quota = Quota::with_period(between)?.allow_burst(at_once);
        Some(RateLimit {
            limiter: RateLimiter::dashmap(quota),
            asked: AtomicU32::new(0),
        })
    }

    /// How many clients are remembered.
    pub fn clients(&self) -> usize {
        self.limiter.len()
    }

    /// Counts a request, once it is known who sent it. The page, its documentation and health are
    /// for everybody at any time.
    pub fn count(&self, request: &Request) -> Result<(), Failure> {
        let path = request.uri().path();
        if !is_guarded(path) && path != "/ws" {
            return Ok(());
        }
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.limiter.retain_recent();
        }
        let counted = self.limiter.check_key(&client_of(request));
        counted.map_err(|refused| {
            let wait = refused.wait_time_from(self.limiter.clock().now());
            Failure::TooManyRequests(wait)
        })
    }
}

fn client_of(request: &Request) -> Client {
    let extensions = request.extensions();
    let viewer = extensions.get::<Grant>().map(|grant| &grant.viewer);
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    Client::of(viewer, peer.map(|peer| peer.0.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_must_let_somebody_ask_something() {
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(RateLimit::new(none).is_none(), "{none}");
        }
        for some in [0.001, 1.0, 0.5, 1e6] {
            assert!(RateLimit::new(some).is_some(), "{some}");
        }
    }
}
