//! For tests: a store that fails on purpose, and copies of a store's files as a crash or a
//! torn write would leave them. Nothing in the program itself uses this.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::{
    Epoch, Flush, Found, HistoryQuery, HistoryReader, Identity, MovedDay, Snapshot, Store, StoreError,
    SumRow, TickRow,
};
use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use crate::sim::time::Tick;

/// When an append fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing of it is kept.
    BeforeCommit,
    /// All of it is kept, and only the acknowledgement is lost.
    AfterCommit,
}

/// The remote control of a [`FaultyStore`]; clone it before the store goes to its thread.
#[derive(Clone, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
    released: Arc<Condvar>,
}

/// As long as it lives, appends wait.
pub struct HeldAppends {
    faults: Faults,
}

impl HeldAppends {
    /// Lets so many through; those after them go on waiting.
    pub fn let_through(&self, appends: u64) {
        let mut plan = self.faults.plan.lock();
        plan.held_after = plan.held_after.map(|last| last + appends);
        self.faults.released.notify_all();
    }
}

impl Drop for HeldAppends {
    fn drop(&mut self) {
        self.faults.plan.lock().held_after = None;
        self.faults.released.notify_all();
    }
}

#[derive(Default)]
struct Plan {
    appends: u64,
    armed: Vec<(u64, Moment, StoreError)>,
    writes_fail: Option<StoreError>,
    reads_fail: Option<StoreError>,
    /// The last append that need not wait, where others do.
    held_after: Option<u64>,
    append_waits: bool,
}

impl Faults {
    /// Lets the nth append from now on fail; 1 is the next.
    pub fn fail_append(&self, nth: u64, moment: Moment, error: StoreError) {
        let mut plan = self.plan.lock();
        let at = plan.appends + nth;
        plan.armed.push((at, moment, error));
    }

    /// Lets every write fail with this error, until it is `None` again.
    pub fn fail_writes(&self, error: Option<StoreError>) {
        self.plan.lock().writes_fail = error;
    }

    /// Lets every read fail with this error, until it is `None` again.
    pub fn fail_reads(&self, error: Option<StoreError>) {
        self.plan.lock().reads_fail = error;
    }

    /// Lets appends wait until what this returns is dropped.
    pub fn hold_appends(&self) -> HeldAppends {
        let mut plan = self.plan.lock();
        plan.held_after = Some(plan.appends);
        drop(plan);
        HeldAppends { faults: self.clone() }
    }

    /// Whether an append stands waiting for [`Faults::hold_appends`] to end.
    pub fn is_append_held(&self) -> bool {
        self.plan.lock().append_waits
    }

    fn next_append(&self) -> Result<Option<(Moment, StoreError)>, StoreError> {
        let mut plan = self.plan.lock();
        plan.append_waits = true;
        let is_held = |plan: &mut Plan| plan.held_after.is_some_and(|last| plan.appends >= last);
        self.released.wait_while(&mut plan, is_held);
        plan.append_waits = false;
        plan.appends += 1;
        if let Some(error) = &plan.writes_fail {
            return Err(error.clone());
        }
        let now = plan.appends;
        let armed = plan.armed.iter().position(|(at, ..)| *at == now);
        Ok(armed
            .map(|index| plan.armed.swap_remove(index))
            .map(|(_, moment, error)| (moment, error)))
    }

    fn check_write(&self) -> Result<(), StoreError> {
        self.plan.lock().writes_fail.clone().map_or(Ok(()), Err)
    }

    fn check_read(&self) -> Result<(), StoreError> {
        self.plan.lock().reads_fail.clone().map_or(Ok(()), Err)
    }
}

pub struct FaultyStore {
    inner: Box<dyn Store>,
    faults: Faults,
}

impl FaultyStore {
    pub fn new(inner: Box<dyn Store>, faults: Faults) -> Self {
        FaultyStore { inner, faults }
    }

    fn read<T>(
        &mut self,
        read: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.faults.check_read()?;
        read(self.inner.as_mut())
    }
}

impl Store for FaultyStore {
    fn append(&mut self, flush: &Flush) -> Result<(), StoreError> {
        match self.faults.next_append()? {
            None => self.inner.append(flush),
            Some((Moment::BeforeCommit, error)) => Err(error),
            Some((Moment::AfterCommit, error)) => self.inner.append(flush).and(Err(error)),
        }
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.faults.check_write()?;
        self.inner.probe()
    }

    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn epoch(&self) -> Epoch {
        self.inner.epoch()
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        self.faults.check_write()?;
        self.inner.set_epoch(epoch)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        self.read(|store| store.latest_snapshot())
    }

    fn ticks_after(&mut self, tick: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        self.read(|store| store.ticks_after(tick, limit))
    }

    fn event_rows(&mut self, after: Tick, until: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        self.read(|store| store.event_rows(after, until, limit))
    }

    fn commands_from(&mut self, seq: u64, limit: usize) -> Result<Vec<(u64, Command)>, StoreError> {
        self.read(|store| store.commands_from(seq, limit))
    }

    fn last_command_seq(&mut self) -> Result<u64, StoreError> {
        self.read(|store| store.last_command_seq())
    }

    fn last_tick(&mut self) -> Result<Tick, StoreError> {
        self.read(|store| store.last_tick())
    }

    fn records(
        &mut self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
        self.read(|store| store.records(after, limit))
    }

    fn sums(&mut self, after: Option<(&str, Month)>, limit: usize) -> Result<Vec<SumRow>, StoreError> {
        self.read(|store| store.sums(after, limit))
    }

    fn move_out(&mut self, day: &MovedDay, limit: usize) -> Result<usize, StoreError> {
        self.faults.check_write()?;
        self.inner.move_out(day, limit)
    }

    fn forget_keys(&mut self, before_wall_ms: u64, limit: usize) -> Result<usize, StoreError> {
        self.faults.check_write()?;
        self.inner.forget_keys(before_wall_ms, limit)
    }

    /// Readers are as faulty as their store.
    fn reader(&mut self) -> Result<Option<Box<dyn HistoryReader>>, StoreError> {
        let inner = self.read(|store| store.reader())?;
        let faults = self.faults.clone();
        let faulty = |inner| Box::new(FaultyReader { inner, faults }) as Box<dyn HistoryReader>;
        Ok(inner.map(faulty))
    }

    fn outbox(&mut self, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, StoreError> {
        self.read(|store| store.outbox(after, limit))
    }

    fn last_posted(&mut self) -> Result<u64, StoreError> {
        self.read(|store| store.last_posted())
    }

    fn take_off_outbox(&mut self, numbers: &[u64]) -> Result<(), StoreError> {
        self.faults.check_write()?;
        self.inner.take_off_outbox(numbers)
    }

    fn delivery_of_key(&mut self, key: &str) -> Result<Option<DeliveryId>, StoreError> {
        self.read(|store| store.delivery_of_key(key))
    }
}

impl HistoryReader for FaultyStore {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        self.read(|store| store.history(query))
    }
}

struct FaultyReader {
    inner: Box<dyn HistoryReader>,
    faults: Faults,
}

impl HistoryReader for FaultyReader {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        self.faults.check_read()?;
        self.inner.history(query)
    }
}

/// What became of the write-ahead log's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tear {
    /// All that was written is there: the process was killed.
    None,
    /// The file ends at this byte: the rest never left the page cache.
    CutAt(u64),
    /// From this byte on other bytes stand there: the write was torn.
    Overwritten { at: u64, with: Vec<u8> },
}

/// Copies the files of the store in `from`, which may be in use, to the folder `to`.
///
/// # Errors
/// Those of the file system.
pub fn copy_as_after_crash(from: &Path, to: &Path, tear: &Tear) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::copy(database(from), database(to))?;
    match fs::copy(log(from), log(to)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        copied => copied?,
    };
    let mut copy = OpenOptions::new().write(true).open(log(to))?;
    match tear {
        Tear::None => Ok(()),
        Tear::CutAt(length) => copy.set_len(*length),
        Tear::Overwritten { at, with } => {
            copy.seek(SeekFrom::Start(*at))?;
            copy.write_all(with)
        }
    }
}

/// How long the write-ahead log of the store in `dir` is, bytes; 0 where there is none.
pub fn log_bytes(dir: &Path) -> u64 {
    fs::metadata(log(dir)).map_or(0, |meta| meta.len())
}

fn database(dir: &Path) -> PathBuf {
    dir.join(super::sqlite::DATABASE)
}

fn log(dir: &Path) -> PathBuf {
    dir.join(super::sqlite::LOG)
}
