//! How far a recording is while it is written: for whoever reads it meanwhile, and whoever asks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sim::time::SimTime;

#[derive(Default)]
pub(super) struct Progress {
    /// Up to here the file has whole chunks, and their index.
    readable_bytes: AtomicU64,
    /// When the first whole state is of, and one microsecond more; 0 before there is one.
    begun: AtomicU64,
    /// When the last frame is of.
    until: AtomicU64,
    gaps: AtomicU64,
    /// Nothing is written any more; why, where that was not wished for.
    ended: OnceLock<Option<String>>,
}

impl Progress {
    pub fn readable_bytes(&self) -> u64 {
        self.readable_bytes.load(Ordering::Acquire)
    }

    pub fn readable(&self, bytes: u64) {
        self.readable_bytes.store(bytes, Ordering::Release);
    }

    /// The first moment that can be seen.
    pub fn from(&self) -> Option<SimTime> {
        self.begun.load(Ordering::Acquire).checked_sub(1).map(SimTime)
    }

    /// A whole state was written; only the first counts.
    pub fn state_at(&self, at: SimTime) {
        let first = self
            .begun
            .compare_exchange(0, at.0 + 1, Ordering::AcqRel, Ordering::Acquire);
        let _an_earlier_one_stands = first;
    }

    pub fn frame_at(&self, at: SimTime) {
        self.until.store(at.0, Ordering::Release);
    }

    /// How far it can be seen, once nothing is written any more.
    pub fn ended_at(&self) -> Option<SimTime> {
        let until = || SimTime(self.until.load(Ordering::Acquire));
        self.has_ended().then(until)
    }

    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Relaxed)
    }

    pub fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    pub fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Why nothing is written any more, though somebody would.
    pub fn failure(&self) -> Option<&str> {
        self.ended.get()?.as_deref()
    }

    pub fn end(&self, failure: Option<String>) {
        let _said_once = self.ended.set(failure);
    }
}
