//! Whole states, from snapshots that only have what changed since the one before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::calendar::Month;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::Tick;
use crate::store::{HistoryRow, Snapshot, SumRow};

/// The state after a tick, whole. Postcard has no names: a change of fields is a new
/// [`super::layout::FORMAT`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    tick: Tick,
    events_through: u64,
    engine: Vec<u8>,
    actors: BTreeMap<Vec<u8>, Vec<u8>>,
    totals: Vec<u8>,
    records: BTreeMap<DeliveryId, Vec<u8>>,
    sums: BTreeMap<(String, Month), Sums>,
}

impl State {
    /// Brings it to where the snapshot was taken; answers with what is history from then on.
    pub fn merge(&mut self, snapshot: Snapshot) -> Vec<HistoryRow> {
        self.tick = snapshot.tick;
        self.events_through = snapshot.events_through;
        self.engine = snapshot.engine;
        self.totals = snapshot.totals;
        for (address, state) in snapshot.actors {
            match state {
                Some(state) => self.actors.insert(address, state),
                None => self.actors.remove(&address),
            };
        }
        self.records.extend(snapshot.records);
        for id in snapshot
            .history
            .iter()
            .map(|row| row.id)
            .chain(snapshot.gone_ahead)
        {
            self.records.remove(&id);
        }
        for row in snapshot.sums {
            self.sums.insert((row.owner, row.month), row.sums);
        }
        snapshot.history
    }

    pub fn tick(&self) -> Tick {
        self.tick
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a state holds only plain values")
    }

    /// # Errors
    /// Bytes that are no state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// As a store would give it back, with what a store has beside it.
    pub fn into_snapshot(self) -> Snapshot {
        let actors = self.actors.into_iter();
        let sums = self.sums.into_iter();
        let sum_row = |((owner, month), sums)| SumRow { owner, month, sums };
        Snapshot {
            tick: self.tick,
            events_through: self.events_through,
            engine: self.engine,
            actors: actors.map(|(key, state)| (key, Some(state))).collect(),
            totals: self.totals,
            records: self.records.into_iter().collect(),
            sums: sums.map(sum_row).collect(),
            ..Snapshot::default()
        }
    }
}
