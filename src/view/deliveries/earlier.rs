//! Deliveries as they were at a moment that a recording was turned back to: told again from their
//! events up to then. Nothing is undone in what is kept.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{DeliveryHandle, DeliveryRecord, EventsAfter, View};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::SimTime;

/// The moment that is shown, where deliveries were told on from there.
pub(in crate::view) struct TurnedBack(AtomicU64);

impl Default for TurnedBack {
    fn default() -> Self {
        TurnedBack(AtomicU64::new(SimTime::NEVER.0))
    }
}

impl TurnedBack {
    pub fn to(&self, at: SimTime) {
        self.0.store(at.0, Ordering::Release);
    }

    /// Deliveries are told as of the moment that is shown.
    pub fn forget(&self) {
        self.to(SimTime::NEVER);
    }

    fn at(&self) -> Option<SimTime> {
        let at = SimTime(self.0.load(Ordering::Acquire));
        (at != SimTime::NEVER).then_some(at)
    }
}

impl DeliveryRecord {
    /// As it was then, without what its flights came to; `None` where it was not accepted yet.
    pub fn as_of(&self, at: SimTime) -> Option<Self> {
        let known = self.events.iter().take_while(|event| event.at <= at);
        let mut then = Self::from_events(known.cloned().collect())?;
        then.places = self.places[..then.events.len()].to_vec();
        Some(then)
    }

    fn is_after(&self, at: SimTime) -> bool {
        self.events.last().map_or(self.since, |last| last.at) > at
    }
}

impl View {
    /// Whether deliveries were told on from the moment that is shown.
    pub fn is_turned_back(&self) -> bool {
        self.turned_back.at().is_some()
    }

    /// As it was then, of those in memory.
    pub fn delivery_at(&self, id: DeliveryId, at: SimTime) -> Option<DeliveryRecord> {
        self.deliveries.get(id)?.look().as_of(at)
    }

    /// Events of a delivery up to the moment that is shown.
    pub(in crate::view) fn delivery_events_after(
        &self,
        id: DeliveryId,
        seq: u64,
        limit: usize,
    ) -> EventsAfter {
        let Some(handle) = self.handle(id) else {
            return EventsAfter::Gone;
        };
        // Who was told of later ones has heard it all.
        let is_ahead = self.is_turned_back() && seq > u64::from(handle.look().seq());
        match is_ahead {
            true => EventsAfter::Next(Vec::new()),
            false => handle.events_after(seq, limit),
        }
    }

    /// Drones that had not got yet then what they are said to be on.
    pub(in crate::view) fn not_yet_on(&self, at: SimTime) -> Vec<DroneId> {
        let had_not = |&(drone, delivery): &(DroneId, DeliveryId)| {
            let then = self.delivery_at(delivery, at);
            then.is_none_or(|then| then.drone() != Some(drone))
        };
        let pairs = self.carried();
        pairs
            .iter()
            .filter(|pair| had_not(pair))
            .map(|(drone, _)| *drone)
            .collect()
    }

    /// As it was at the moment that is shown; `None` where there was no such delivery yet.
    pub(super) fn as_shown(&self, handle: DeliveryHandle) -> Option<DeliveryHandle> {
        let Some(at) = self.turned_back.at() else {
            return Some(handle);
        };
        let then = {
            let record = handle.look();
            record.is_after(at).then(|| record.as_of(at))
        };
        match then {
            None => Some(handle),
            Some(then) => then.map(DeliveryHandle::new),
        }
    }
}
