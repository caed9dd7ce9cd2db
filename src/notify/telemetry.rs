//! The courier's figures for the operators.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start; each is right by itself, not with the others.
#[derive(Debug, Default)]
pub struct Telemetry {
    delivered: AtomicU64,
    retried: AtomicU64,
    given_up: AtomicU64,
    in_hand: AtomicU64,
}

impl Telemetry {
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Tries that failed and are repeated.
    pub fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Letters that were hopeless.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Letters that the courier holds now; the outbox may have more.
    pub fn in_hand(&self) -> u64 {
        self.in_hand.load(Ordering::Relaxed)
    }

    pub(super) fn count_delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_given_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_in_hand(&self, count: usize) {
        self.in_hand.store(count as u64, Ordering::Relaxed);
    }
}
