//! Deliveries that have left memory and that somebody looks at all the same: they are found
//! as long as whoever asked for them, or followed them to their end, lets go of them.
//!
//! Bounded by those who look: requests under way, and sessions with their topics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use dashmap::DashMap;
use parking_lot::RwLock;

use super::{DeliveryHandle, DeliveryRecord};
use crate::sim::ids::DeliveryId;

/// Entries that nobody has any more are looked for when there are more than this, or twice as
/// many as were left the last time.
const SWEPT_AT_LEAST: usize = 1_024;

#[derive(Default)]
pub(super) struct Recalled {
    held: DashMap<DeliveryId, Weak<RwLock<DeliveryRecord>>>,
    left_last_time: AtomicUsize,
}

impl Recalled {
    pub(super) fn get(&self, id: DeliveryId) -> Option<DeliveryHandle> {
        self.held.get(&id)?.upgrade().map(DeliveryHandle)
    }

    /// The one that is there, where there is one: so all have the same.
    pub(super) fn put(&self, id: DeliveryId, handle: DeliveryHandle) -> DeliveryHandle {
        self.sweep();
        let mut held = self.held.entry(id).or_default();
        match held.upgrade() {
            Some(before) => DeliveryHandle(before),
            None => {
                *held = Arc::downgrade(&handle.0);
                handle
            }
        }
    }

    /// It is taken out of memory, perhaps under somebody's eyes.
    pub(super) fn leaves(&self, id: DeliveryId, handle: &DeliveryHandle) {
        if Arc::strong_count(&handle.0) > 1 {
            self.sweep();
            self.held.insert(id, Arc::downgrade(&handle.0));
        }
    }

    fn sweep(&self) {
        let left = self.left_last_time.load(Ordering::Relaxed);
        if self.held.len() > SWEPT_AT_LEAST.max(2 * left) {
            self.held.retain(|_, handle| handle.strong_count() > 0);
            self.left_last_time.store(self.held.len(), Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}
