//! Room for sessions: a seat for each, from the first knock to the end of its connection.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use actix::{Actor, Addr, ArbiterHandle};

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
        let taken = shared.house.seats_taken.send_if_modified(|taken| {
            let free = *taken < shared.house.config.max_sessions;
            *taken += usize::from(free);
            free
        });
        if !taken {
            shared.house.telemetry.session_refused();
            return None;
        }
        Some(Seat {
            shared: Arc::clone(shared),
            number: shared.house.next_session.fetch_add(1, Relaxed),
        })
    }

    /// Where its session lives.
    pub(super) fn arbiter(&self) -> &ArbiterHandle {
        &self.shared.house.shards[self.shard_number()].arbiter
    }

    /// The place of its shard among all.
    pub(super) fn shard_number(&self) -> usize {
        self.number as usize % self.shared.house.shards.len()
    }

    fn shard(&self) -> &Addr<Shard> {
        &self.shared.house.shards[self.shard_number()].sessions
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.house.seats_taken.send_modify(|taken| *taken -= 1);
    }
}

/// A session in its seat, which ends when this is dropped.
pub(super) struct Seated {
    pub(super) session: Addr<CustomerSession>,
    seat: Seat,
}

impl Seated {
    pub(super) fn new(seat: Seat, session: CustomerSession) -> Self {
        let reach = session.reach();
        let session = CustomerSession::start_in_arbiter(seat.arbiter(), move |_| session);
        seat.shard().do_send(Enter {
            number: seat.number,
            session: session.clone(),
            reach,
        });
        seat.shared.house.telemetry.session_opened();
        Seated { session, seat }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.seat.shared
    }

    pub(super) fn sent(&self, messages: u64, bytes: u64) {
        let telemetry = &self.seat.shared.house.telemetry;
        telemetry.sent(self.seat.shard_number(), messages, bytes);
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let number = self.seat.number;
        self.seat.shard().do_send(Left { number });
        self.seat.shared.house.telemetry.session_ended();
    }
}
