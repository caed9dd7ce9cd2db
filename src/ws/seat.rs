//! Room for sessions: a seat for each, from the first knock to the end of its connection.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use actix::{Addr, ArbiterHandle};

use super::Shared;
use super::session::CustomerSession;
use super::shard::{Enter, Left, Shard};

/// One of the sessions that the server has room for.
pub(super) struct Seat {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
}

impl Seat {
    /// `None` where all are taken.
    pub(super) fn take(shared: &Arc<Shared>) -> Option<Self> {
        let taken = shared.seats_taken.send_if_modified(|taken| {
            let free = *taken < shared.config.max_sessions;
            *taken += usize::from(free);
            free
        });
        if !taken {
            shared.telemetry.session_refused();
            return None;
        }
        Some(Seat {
            shared: Arc::clone(shared),
            number: shared.next_session.fetch_add(1, Relaxed),
        })
    }

    /// Where its session lives.
    pub(super) fn arbiter(&self) -> &ArbiterHandle {
        let shards = &self.shared.shards;
        &shards[self.number as usize % shards.len()].arbiter
    }

    fn shard(&self) -> &Addr<Shard> {
        let shards = &self.shared.shards;
        &shards[self.number as usize % shards.len()].sessions
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.seats_taken.send_modify(|taken| *taken -= 1);
    }
}

/// A session in its seat, which ends when this is dropped.
pub(super) struct Seated {
    pub(super) session: Addr<CustomerSession>,
    seat: Seat,
}

impl Seated {
    pub(super) fn new(seat: Seat, session: Addr<CustomerSession>) -> Self {
        seat.shard().do_send(Enter {
            number: seat.number,
            session: session.clone(),
        });
        seat.shared.telemetry.session_opened();
        Seated { session, seat }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.seat.shared
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let number = self.seat.number;
        self.seat.shard().do_send(Left { number });
        self.seat.shared.telemetry.session_ended();
    }
}
