//! The store in a folder, as an SQLite database with a write-ahead log, flushed at each commit.
//!
//! One connection, one process: a lock file keeps a second server out, while other programs
//! may still read. Opening and starting over are in `open`, the rules of rows in `rows`.

mod backup;
mod history;
mod migrate;
mod open;
mod outbox;
mod rows;
mod schema;
mod undo;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};

use super::rules::{self, Gathering};
use super::{Epoch, Flush, HistoryReader, Identity, MovedDay, Snapshot, Store, StoreError, SumRow, TickRow};
use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use crate::sim::time::Tick;

pub use backup::backup;
pub use open::{DATABASE, LOG, in_memory, open};
#[cfg(test)]
pub(super) use schema::FORMAT;

pub struct SqliteStore {
    conn: Connection,
    identity: Identity,
    epoch: Epoch,
    /// `None` for a store in memory.
    on_disk: Option<OnDisk>,
}

struct OnDisk {
    path: PathBuf,
    file: FileId,
    /// Held until the store is dropped.
    _lock: File,
}

/// Device and inode: which file a name stands for.
type FileId = (u64, u64);

fn file_id(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

impl SqliteStore {
    /// From this tick on the journal has every tick; of older ones it may have some.
    fn whole_from(&self) -> Result<Tick, StoreError> {
        let found = self
            .conn
            .prepare_cached("SELECT whole_from FROM snapshot")?
            .query_row([], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or(0))
    }

    /// SQLite would go on writing into a file that was deleted or moved away, and what is
    /// acknowledged there is lost with the process.
    fn check_in_place(&self) -> Result<(), StoreError> {
        let Some(OnDisk { path, file, .. }) = &self.on_disk else {
            return Ok(());
        };
        match file_id(path) {
            Ok(found) if found == *file => Ok(()),
            Ok(_) => Err(StoreError::Io {
                cause: format!("{} was replaced by another file", path.display()),
            }),
            Err(cause) => Err(StoreError::Io {
                cause: format!("{}: {cause}", path.display()),
            }),
        }
    }
}

impl Store for SqliteStore {
    fn append(&mut self, flush: &Flush) -> Result<(), StoreError> {
        self.check_in_place()?;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = rows::read_head(&tx)?;
        for batch in &flush.ingest {
            rows::put_batch(&tx, &mut head, batch)?;
        }
        for row in &flush.ticks {
            rows::put_tick(&tx, &mut head, row)?;
        }
        history::put_rows(&tx, &flush.ahead)?;
        if let Some(slice) = &flush.slice {
            undo::put_slice(&tx, slice)?;
        }
        if let Some(snapshot) = &flush.snapshot {
            rows::put_snapshot(&tx, &head, snapshot)?;
        }
        tx.commit()?;
        Ok(())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.check_in_place()?;
        self.conn.execute("UPDATE world SET probes = probes + 1", [])?;
        Ok(())
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        let last_tick = rows::read_head(&self.conn)?.last_tick;
        self.conn.execute(
            "UPDATE world SET epoch = ?1, epoch_after = ?2",
            params![epoch.0, last_tick],
        )?;
        self.epoch = epoch;
        Ok(())
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        let tx = self.conn.transaction()?;
        let found = tx
            .query_row(
                "SELECT tick, events_through, engine, totals FROM snapshot",
                [],
                |row| {
                    Ok(Snapshot {
                        tick: row.get(0)?,
                        events_through: row.get(1)?,
                        engine: row.get(2)?,
                        totals: row.get(3)?,
                        ..Snapshot::default()
                    })
                },
            )
            .optional()?;
        let Some(mut snapshot) = found else {
            return Ok(None);
        };
        snapshot.actors = tx
            .prepare("SELECT key, state FROM actor ORDER BY key")?
            .query_map([], |row| Ok((row.get(0)?, Some(row.get(1)?))))?
            .collect::<Result<_, _>>()?;
        Ok(Some(snapshot))
    }

    fn ticks_after(&mut self, tick: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        if tick + 1 < self.whole_from()? {
            return Err(StoreError::Pruned {
                what: "ticks",
                asked: tick + 1,
            });
        }
        let rows: Vec<TickRow> = self
            .conn
            .prepare_cached(
                "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick
                 WHERE tick > ?1 ORDER BY tick LIMIT ?2",
            )?
            .query_map(params![tick, limit], rows::read_tick)?
            .collect::<Result<_, _>>()?;
        rules::check_whole(tick, &rows)?;
        Ok(rows)
    }

    fn event_rows(&mut self, after: Tick, until: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        let rows = self
            .conn
            .prepare_cached(
                "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick
                 WHERE tick > max(?1, (SELECT epoch_after FROM world)) AND tick <= ?2 AND event_count > 0
                 ORDER BY tick LIMIT ?3",
            )?
            .query_map(params![after, until, limit], rows::read_tick)?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    }

    fn commands_from(&mut self, seq: u64, limit: usize) -> Result<Vec<(u64, Command)>, StoreError> {
        let seq = seq.max(1);
        // Batches do not overlap: the one that holds `seq` is the last that starts at or before it.
        let mut statement = self.conn.prepare_cached(
            "SELECT first_seq, commands FROM ingest
             WHERE first_seq >= coalesce((SELECT max(first_seq) FROM ingest WHERE first_seq <= ?1), 0)
             ORDER BY first_seq",
        )?;
        let mut batches = statement.query([seq])?;
        let mut gathering = Gathering::new(seq, limit);
        while !gathering.is_full() {
            let Some(row) = batches.next()? else { break };
            let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            gathering.add(row.get(0)?, bytes)?;
        }
        Ok(gathering.finish())
    }

    fn last_command_seq(&mut self) -> Result<u64, StoreError> {
        Ok(rows::read_head(&self.conn)?.last_seq)
    }

    fn last_tick(&mut self) -> Result<Tick, StoreError> {
        Ok(rows::read_head(&self.conn)?.last_tick)
    }

    fn records(
        &mut self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
        let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
        let records = self
            .conn
            .prepare_cached(
                "SELECT delivery_id, record FROM record WHERE delivery_id > ?1 ORDER BY delivery_id LIMIT ?2",
            )?
            .query_map(params![after, limit], |row| {
                Ok((DeliveryId::from_bytes(row.get(0)?), row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        Ok(records)
    }

    fn sums(&mut self, after: Option<(&str, Month)>, limit: usize) -> Result<Vec<SumRow>, StoreError> {
        history::sums(&self.conn, after, limit)
    }

    /// None for a store in memory, which is this connection's alone.
    fn reader(&mut self) -> Result<Option<Box<dyn HistoryReader>>, StoreError> {
        let Some(OnDisk { path, .. }) = &self.on_disk else {
            return Ok(None);
        };
        let reader = history::SqliteReader::open(path)?;
        Ok(Some(Box::new(reader)))
    }

    fn move_out(&mut self, day: &MovedDay, limit: usize) -> Result<usize, StoreError> {
        self.check_in_place()?;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed = history::move_out(&tx, day, limit)?;
        tx.commit()?;
        Ok(removed)
    }

    fn forget_keys(&mut self, before_wall_ms: u64, limit: usize) -> Result<usize, StoreError> {
        self.check_in_place()?;
        let forgotten = self
            .conn
            .prepare_cached(
                "DELETE FROM idempotency WHERE key IN
                 (SELECT key FROM idempotency WHERE kept_since < ?1 ORDER BY kept_since LIMIT ?2)",
            )?
            .execute(params![before_wall_ms, limit])?;
        Ok(forgotten)
    }

    fn outbox(&mut self, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, StoreError> {
        outbox::read(&self.conn, after, limit)
    }

    fn last_posted(&mut self) -> Result<u64, StoreError> {
        outbox::last(&self.conn)
    }

    fn take_off_outbox(&mut self, numbers: &[u64]) -> Result<(), StoreError> {
        self.check_in_place()?;
        outbox::take_off(&mut self.conn, numbers)
    }

    fn delivery_of_key(&mut self, key: &str) -> Result<Option<DeliveryId>, StoreError> {
        let bytes = self
            .conn
            .prepare_cached("SELECT delivery_id FROM idempotency WHERE key = ?1")?
            .query_row([key], |row| row.get(0))
            .optional()?;
        Ok(bytes.map(DeliveryId::from_bytes))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull { cause },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted) => {
                StoreError::Busy { cause }
            }
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => StoreError::Io { cause },
            _ => StoreError::Corrupt { what: cause },
        }
    }
}
