//! What of a large snapshot goes ahead of it, some rows in each flush, so that nobody waits for
//! all of it at once.

use std::vec::IntoIter;

use crate::sim::ids::DeliveryId;
use crate::sim::time::Tick;
use crate::store::{Flush, HistoryRow, Slice, Snapshot};

/// Rows that were taken out of a snapshot and are not written yet.
pub(super) struct Ahead {
    tick: Tick,
    /// The next slice's number.
    number: u64,
    history: IntoIter<HistoryRow>,
    actors: IntoIter<(Vec<u8>, Option<Vec<u8>>)>,
    records: IntoIter<(DeliveryId, Vec<u8>)>,
}

/// How many rows of a snapshot may go ahead.
pub(super) fn rows_of(snapshot: &Snapshot) -> usize {
    snapshot.history.len() + snapshot.actors.len() + snapshot.records.len()
}

impl Ahead {
    /// Takes out of the snapshot all that may go ahead.
    pub fn of(snapshot: &mut Snapshot) -> Self {
        let history = std::mem::take(&mut snapshot.history);
        snapshot.gone_ahead.extend(history.iter().map(|row| row.id));
        Ahead {
            tick: snapshot.tick,
            number: 0,
            history: history.into_iter(),
            actors: std::mem::take(&mut snapshot.actors).into_iter(),
            records: std::mem::take(&mut snapshot.records).into_iter(),
        }
    }

    /// Adds the next rows to a flush, no more than these; tells whether there were any.
    pub fn add_to(&mut self, flush: &mut Flush, rows: usize) -> bool {
        flush.ahead = self.history.by_ref().take(rows).collect();
        let rows = rows - flush.ahead.len();
        let actors: Vec<_> = self.actors.by_ref().take(rows).collect();
        let rows = rows - actors.len();
        let records: Vec<_> = self.records.by_ref().take(rows).collect();
        if !actors.is_empty() || !records.is_empty() {
            flush.slice = Some(Slice {
                tick: self.tick,
                number: self.number,
                actors,
                records,
            });
            self.number += 1;
        }
        flush.slice.is_some() || !flush.ahead.is_empty()
    }
}
