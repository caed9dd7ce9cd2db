//! A snapshot in slices, as tests write it, and what a model makes of them.

use super::Model;
use crate::store::{Flush, Slice};

impl Flush {
    /// The same in several flushes, one after the other: the commands with the first slice, and
    /// the ticks with the snapshot. So many actors and so many records are in each slice.
    pub(in crate::store) fn in_slices(mut self, rows: usize) -> Vec<Flush> {
        let mut parts = Vec::new();
        if let Some(snapshot) = &mut self.snapshot {
            let (actors, records) = (&mut snapshot.actors, &mut snapshot.records);
            while !actors.is_empty() || !records.is_empty() {
                let slice = Slice {
                    tick: snapshot.tick,
                    number: parts.len() as u64,
                    actors: actors.drain(..rows.min(actors.len())).collect(),
                    records: records.drain(..rows.min(records.len())).collect(),
                };
                parts.push(Flush {
                    ingest: std::mem::take(&mut self.ingest),
                    slice: Some(slice),
                    ..Flush::default()
                });
            }
        }
        parts.push(self);
        parts
    }
}

impl Model {
    pub(super) fn apply_slice(&mut self, slice: &Slice) {
        self.slices.push(slice.clone());
    }

    /// What slices are in becomes true with their snapshot.
    pub(super) fn settle_slices(&mut self) {
        for slice in std::mem::take(&mut self.slices) {
            self.put_states(&slice.actors, &slice.records);
        }
    }

    /// As the store is when it is opened again: slices without their snapshot never were.
    pub fn reopened(&mut self) {
        self.slices.clear();
    }
}
