//! Durable truth: the journal, the snapshots and the look-up records, behind one coarse trait.
//!
//! The journal is one row per batch of accepted commands and one row per tick. A snapshot
//! carries only what changed since the one before it and is merged into the tables of actors
//! and records, so these always hold the full state at the newest snapshot's tick; or, while a
//! large one goes ahead in slices, what it takes to come back to that (`undo`).
//!
//! **What is recoverable.** The state at the last committed tick: load the newest snapshot,
//! admit the journal's commands again at the ticks that admitted them, and compare digests.
//! Older states are not, since an actor's row is overwritten by each snapshot that touches it.
//! The ticks and commands since the *previous* snapshot are kept all the same. Older ticks are
//! kept where they have events that a listener may still ask for: each snapshot says from which
//! tick on. Idempotency keys are kept until they are forgotten by age ([`KEYS_KEPT`]).
//!
//! This room knows rows and bytes. What an actor's state or a tick's events mean, and when to
//! take a snapshot, is the engine's business.

mod error;
pub mod faulty;
mod history;
pub mod postgres;
pub mod reader;
mod rules;
pub mod sqlite;
mod undo;
pub mod writer;

#[cfg(test)]
mod places;
#[cfg(test)]
mod slice_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use crate::sim::time::Tick;

pub use error::StoreError;
pub use history::{Found, HistoryQuery, HistoryReader, HistoryRow, MovedDay, SumRow};
pub use reader::Reader;
pub use writer::Writer;

/// The location that means "in memory, gone at the end".
pub const IN_MEMORY: &str = ":memory:";

/// The formats of [`Snapshot::engine`] that this program reads, told by its first byte; it
/// writes the last. The store knows them so that it can refuse a world that this program does
/// not read before it rewrites anything of it. Format 6 is not among them: no release wrote it,
/// and alarms that were set in it would be read as others.
pub const SNAPSHOT_FORMATS: [u8; 6] = [1, 2, 3, 4, 5, 7];

/// Where, in a data folder, the files are of days that were moved out of the store.
pub const HISTORY_FOLDER: &str = "history";

/// How long an idempotency key makes a repeat of its request, at least, by the wall clock.
pub const KEYS_KEPT: Duration = Duration::from_secs(48 * 3_600);

/// Commands accepted together, numbered without holes: the first command ever is number 1.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestBatch {
    pub first_seq: u64,
    pub commands: Vec<Command>,
}

impl IngestBatch {
    /// The number that the command after this batch has.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + self.commands.len() as u64
    }
}

/// What one tick decided. The first tick is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickRow {
    pub tick: Tick,
    /// The highest number of a command admitted up to and including this tick; 0 before the first.
    pub admitted_through: u64,
    /// The number that this tick's first event has, or would have: events are numbered from 1
    /// through all ticks.
    pub first_event: u64,
    pub event_count: u32,
    pub events: Vec<u8>,
    pub digest: [u8; 32],
    /// What goes to the outbox with it. For writing only: read, it is empty.
    pub notices: Vec<Notice>,
}

impl TickRow {
    /// The number of the last event up to and including this tick.
    pub fn events_through(&self) -> u64 {
        self.first_event + u64::from(self.event_count) - 1
    }

    /// As it reads back.
    pub fn as_kept(&self) -> TickRow {
        TickRow {
            notices: Vec::new(),
            ..self.clone()
        }
    }
}

/// The state after `tick`, as far as it changed since the snapshot before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub tick: Tick,
    /// The number of the last event up to and including this tick.
    pub events_through: u64,
    /// Listeners may still ask for events from this tick on. For writing only: read, it is 0.
    pub keep_events_from: Tick,
    /// All that is not an actor's: always whole. Begins with one of [`SNAPSHOT_FORMATS`].
    pub engine: Vec<u8>,
    /// Actors touched since the last snapshot by their key; `None` for one that ended. Without
    /// those that went ahead in slices.
    pub actors: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The read side's own totals: always whole; empty where none were kept.
    pub totals: Vec<u8>,
    /// Look-up records of deliveries that go on, new or changed. Without those that went ahead.
    pub records: Vec<(DeliveryId, Vec<u8>)>,
    /// Those that have ended since: kept for good, and no longer among the records.
    pub history: Vec<HistoryRow>,
    /// The same of those whose rows went ahead.
    pub gone_ahead: Vec<DeliveryId>,
    /// The accounts' sums that changed, as they are now.
    pub sums: Vec<SumRow>,
}

impl Snapshot {
    /// Of what it holds most of.
    pub fn bytes(&self) -> usize {
        let actors = self.actors.iter();
        let actors = actors.map(|(key, state)| key.len() + state.as_ref().map_or(0, Vec::len));
        let records = self.records.iter().map(|(_, record)| record.len());
        let history = self.history.iter().map(|row| row.record.len());
        self.engine.len() + self.totals.len() + actors.chain(records).chain(history).sum::<usize>()
    }

    /// Both in one, which are of the same tick: all that this one has, as the later one has it.
    #[must_use]
    pub fn followed_by(mut self, later: Snapshot) -> Snapshot {
        let actors: BTreeMap<_, _> = self.actors.into_iter().chain(later.actors).collect();
        let records: BTreeMap<_, _> = self.records.into_iter().chain(later.records).collect();
        let sums = self.sums.into_iter().chain(later.sums);
        let sums: BTreeMap<_, _> = sums.map(|row| ((row.owner, row.month), row.sums)).collect();
        self.history.extend(later.history);
        self.gone_ahead.extend(later.gone_ahead);
        Snapshot {
            actors: actors.into_iter().collect(),
            records: records.into_iter().collect(),
            history: self.history,
            gone_ahead: self.gone_ahead,
            sums: (sums.into_iter())
                .map(|((owner, month), sums)| SumRow { owner, month, sums })
                .collect(),
            ..later
        }
    }

    /// Those that are no longer among the records.
    fn ended(&self) -> impl Iterator<Item = &DeliveryId> {
        let rows = self.history.iter().map(|row| &row.id);
        rows.chain(&self.gone_ahead)
    }
}

/// A part of a snapshot to come: its states overwrite those of the snapshot before, and are put
/// back where a store is opened without the snapshot that they are of.
///
/// The slices of a snapshot are appended in the order of their numbers, none of another's
/// among them, and then that snapshot with the rest. Until then actors and records as they
/// read are neither snapshot's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// The coming snapshot's, which is later than the newest one's. It need not be kept yet.
    pub tick: Tick,
    /// From 0 for each snapshot, without holes.
    pub number: u64,
    /// As [`Snapshot::actors`].
    pub actors: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// As [`Snapshot::records`]. Those of deliveries that have ended stay until the snapshot
    /// itself takes them away.
    pub records: Vec<(DeliveryId, Vec<u8>)>,
}

/// What becomes durable together or not at all: first the commands, then the ticks that
/// admitted them, then the snapshot, whose tick must be among those already kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flush {
    pub ingest: Vec<IngestBatch>,
    pub ticks: Vec<TickRow>,
    /// Rows of a snapshot that is to come, so that nobody waits for all of it at once. They
    /// ended in ticks that are kept; a store that has them and not the snapshot makes them
    /// again, as the same, when those ticks are executed again.
    pub ahead: Vec<HistoryRow>,
    /// Actors and records of it, which that snapshot then does not hold.
    pub slice: Option<Slice>,
    pub snapshot: Option<Snapshot>,
}

impl Flush {
    pub fn is_empty(&self) -> bool {
        let Flush {
            ingest,
            ticks,
            ahead,
            slice,
            snapshot,
        } = self;
        let no_rows = ingest.is_empty() && ticks.is_empty() && ahead.is_empty();
        no_rows && slice.is_none() && snapshot.is_none()
    }
}

/// Which world a store belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub scenario_hash: [u8; 32],
    pub seed: u64,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scenario ")?;
        for byte in &self.scenario_hash[..6] {
            write!(f, "{byte:02x}")?;
        }
        write!(f, " with seed {}", self.seed)
    }
}

/// Which history a sequence number belongs to; listeners see it as `e1795276800000`. A new
/// world's is the time at which it began, so that no two worlds share one; within a folder it
/// only ever grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    pub fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// Where the truth is kept. Every call blocks, so only the writer's thread makes them once
/// the server runs; recovery makes its reads before that.
pub trait Store: HistoryReader {
    /// Makes a flush durable: when this returns `Ok`, a loss of power does not undo it.
    ///
    /// After an error nothing of it can be seen, or all of it (the commit went through and
    /// only its acknowledgement was lost). Repeating the call is always right: rows already
    /// there are compared and accepted.
    ///
    /// # Errors
    /// Those for which [`StoreError::is_retryable`] holds may go away by themselves.
    /// [`StoreError::Corrupt`] where a row is there with other content,
    /// [`StoreError::OutOfOrder`] where the flush would leave a hole.
    fn append(&mut self, flush: &Flush) -> Result<(), StoreError>;

    /// Writes and flushes something without meaning, to learn whether writing works again.
    fn probe(&mut self) -> Result<(), StoreError>;

    fn identity(&self) -> Identity;

    fn epoch(&self) -> Epoch;

    /// Also parts with the events so far: [`Store::event_rows`] has those of this epoch only.
    fn set_epoch(&mut self, epoch: Epoch) -> Result<(), StoreError>;

    /// The newest snapshot with *all* actors, none of them `None`, in the order of their keys.
    /// Its records, history and sums are left empty: read them with [`Store::records`],
    /// [`HistoryReader::history`] and [`Store::sums`].
    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError>;

    /// At most `limit` ticks that follow `tick`, in order without a hole.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] where the tick that follows is no longer kept, or may not be.
    fn ticks_after(&mut self, tick: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError>;

    /// At most `limit` ticks of this epoch that have events, after `after` and up to `until`, as
    /// far back as they are kept, in order.
    fn event_rows(&mut self, after: Tick, until: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError>;

    /// At most `limit` commands from number `seq` on, in order without a hole.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] where command `seq` is no longer kept.
    fn commands_from(&mut self, seq: u64, limit: usize) -> Result<Vec<(u64, Command)>, StoreError>;

    /// The highest number of a durable command; 0 before the first. After a failed `append`
    /// this answers only once that append can no longer become visible.
    fn last_command_seq(&mut self) -> Result<u64, StoreError>;

    /// The last durable tick; 0 before the first.
    fn last_tick(&mut self) -> Result<Tick, StoreError>;

    /// At most `limit` records with ids above `after`, in the order of ids.
    fn records(
        &mut self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError>;

    /// At most `limit` sums that follow those of this account and month, in order of both.
    fn sums(&mut self, after: Option<(&str, Month)>, limit: usize) -> Result<Vec<SumRow>, StoreError>;

    /// Another way to history, for a thread of its own, so that readers never wait for the
    /// writer; `None` where there is none, and the store itself must be asked.
    fn reader(&mut self) -> Result<Option<Box<dyn HistoryReader>>, StoreError>;

    /// Removes at most `limit` of the deliveries that ended on this day, and remembers of each
    /// where it went; answers how many it removed, so that none means that all are gone. The first call, whatever it
    /// removes, makes it known that the day's file is complete. Durable like an append.
    fn move_out(&mut self, day: &MovedDay, limit: usize) -> Result<usize, StoreError>;

    /// Forgets at most `limit` idempotency keys that became durable before this moment of the
    /// wall clock, in milliseconds since 1970, the oldest first; answers how many.
    fn forget_keys(&mut self, before_wall_ms: u64, limit: usize) -> Result<usize, StoreError>;

    /// At most `limit` notices in the outbox with numbers above `after`, in their order. A number
    /// is never given twice.
    fn outbox(&mut self, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, StoreError>;

    /// The number of the last notice that was put into the outbox; 0 before the first.
    fn last_posted(&mut self) -> Result<u64, StoreError>;

    /// Removes these notices, as far as they are there. Durable like an append.
    fn take_off_outbox(&mut self, numbers: &[u64]) -> Result<(), StoreError>;

    /// The delivery that a durable command requested under this key; the first if several did.
    fn delivery_of_key(&mut self, key: &str) -> Result<Option<DeliveryId>, StoreError>;
}

/// Whether `--data` names a folder, which can hold more than the store.
pub fn is_folder(data: &str) -> bool {
    data != IN_MEMORY && !data.contains("://")
}

/// What people are shown of `--data`: a URL's password stays out of it.
pub fn shown(data: &str) -> String {
    if is_folder(data) || data == IN_MEMORY {
        data.to_owned()
    } else {
        postgres::without_password(data)
    }
}

/// Opens the store that `--data` names: a folder, a database's URL or [`IN_MEMORY`]. With
/// `fresh` an old store there is replaced by an empty one whose epoch is higher.
///
/// # Errors
/// Every variant but [`StoreError::Closed`] and [`StoreError::OutOfOrder`].
pub fn open(data: &str, identity: &Identity, fresh: bool) -> Result<Box<dyn Store>, StoreError> {
    if data == IN_MEMORY {
        return Ok(Box::new(sqlite::in_memory(identity)?));
    }
    if is_folder(data) {
        return Ok(Box::new(sqlite::open(Path::new(data), identity, fresh)?));
    }
    Ok(Box::new(postgres::open(data, identity, fresh)?))
}
