//! The handle to the one thread that owns the store.
//!
//! What waits while a flush runs shares the next one: all batches of commands, and the ticks
//! up to the first that carries a snapshot. An answer is given only when its flush is durable,
//! and answers come in the order of the calls.
//!
//! **When full.** Batches are refused as [`Refused::Busy`]; a tick waits, so that the engine
//! runs at most [`TICKS_AHEAD`] ticks ahead of what is durable.
//!
//! **When the store fails for a while** the writer is *stalled*: batches are refused, ticks are
//! kept and tried again until they succeed. One that hangs counts as stalled too, as long as
//! somebody looks ([`Writer::stall_if_flushing_for`]). When it fails for good the writer ends, and every
//! call answers with that error.

mod ahead;
mod flusher;
mod queue;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::rules::wall_ms;
use super::{Found, HistoryQuery, IngestBatch, KEYS_KEPT, MovedDay, Snapshot, Store, StoreError, TickRow};
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use flusher::{Flusher, SPARED_FOR};
use queue::{Shared, WaitingBatch, WaitingChore, WaitingLookup, WaitingTick};

/// Ticks that may be computed before the first of them is durable.
pub const TICKS_AHEAD: usize = 64;
/// Batches that may wait.
pub const BATCHES_WAITING: usize = 1024;
/// Look-ups that may wait: as many as requests may be on their way into the world, since each
/// of them may carry a key, and a flush takes long enough for many to come.
pub const LOOKUPS_WAITING: usize = 500_000;

/// Chores that may wait: questions about history where there is no way beside the writer, and
/// what retention asks for.
pub const CHORES_WAITING: usize = 1_024;

/// Why commands were not taken. None of them is in the store, and none will be, unless the
/// server dies before the next flush: then a refused batch may turn out to be there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many batches wait as may: try again soon.
    #[error("too many batches wait for the store")]
    Busy,
    /// The store is stalled or gone.
    #[error("the store is unavailable")]
    Unavailable,
    /// A batch before this one was refused, so its numbers would leave a hole (or are taken):
    /// number it again, from `expected` on.
    #[error("the next command must have number {expected}")]
    OutOfSequence { expected: u64 },
}

/// The handle: clone it freely. The thread ends with [`Writer::close`] or with the last handle.
#[derive(Clone)]
pub struct Writer {
    thread: Arc<WriterThread>,
}

struct WriterThread {
    shared: Arc<Shared>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread that owns the store from now on.
    ///
    /// # Errors
    /// The store's own where its end cannot be read, `Io` where no thread can be had.
    pub fn start(store: Box<dyn Store>) -> Result<Self, StoreError> {
        Self::start_sparing(store, SPARED_FOR)
    }

    /// As [`Writer::start`], with how long a snapshot's rows make way for commands.
    fn start_sparing(mut store: Box<dyn Store>, spared_for: Duration) -> Result<Self, StoreError> {
        let next_seq = store.last_command_seq()? + 1;
        let posted = store.last_posted()?;
        let shared = Arc::new(Shared::new());
        shared.posted.send_replace(posted);
        let flusher = Flusher::new(store, Arc::clone(&shared), next_seq, spared_for);
        let handle = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || flusher.run())
            .map_err(|cause: io::Error| StoreError::Io {
                cause: cause.to_string(),
            })?;
        Ok(Writer {
            thread: Arc::new(WriterThread {
                shared,
                handle: Mutex::new(Some(handle)),
            }),
        })
    }

    /// Resolves when the batch is durable, or when it is certain that it is not.
    ///
    /// Batches must continue one another's numbers in the order of the calls. One batch at a
    /// time is the simplest way: a refused one leaves no hole then, and commands that arrive
    /// meanwhile gather for the next. A call that was dropped half-way may have succeeded.
    pub async fn append_commands(&self, batch: IngestBatch) -> Result<(), Refused> {
        let (answer, answered) = oneshot::channel();
        self.shared().offer_batch(WaitingBatch { batch, answer })?;
        answered.await.unwrap_or(Err(Refused::Unavailable))
    }

    /// Waits for room, then hands the tick over; what it returns resolves when it is durable.
    /// A snapshot's tick is `row.tick` or an earlier one.
    pub async fn commit_tick(&self, row: TickRow, snapshot: Option<Snapshot>) -> PendingTick {
        let (answer, answered) = oneshot::channel();
        // A closed semaphore means that the queue is closed too, and refuses the tick itself.
        let room = Arc::clone(&self.shared().tick_room).acquire_owned().await.ok();
        self.shared().push_tick(WaitingTick {
            row,
            snapshot,
            answer,
            _room: room,
        });
        PendingTick { answered }
    }

    /// The delivery that a durable command requested under this key; batches that still wait
    /// are the caller's to remember.
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn delivery_of_key(&self, key: String) -> Result<Option<DeliveryId>, Refused> {
        let (answer, answered) = oneshot::channel();
        self.shared().offer_lookup(WaitingLookup { key, answer })?;
        answered.await.unwrap_or(Err(Refused::Unavailable))
    }

    /// What the store has in its history; of use where [`Store::reader`] has no other way.
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn history(&self, query: HistoryQuery) -> Result<Found, Refused> {
        self.chore(|answer| WaitingChore::History { query, answer }).await
    }

    /// As [`Store::move_out`].
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn move_out(&self, day: MovedDay, limit: usize) -> Result<usize, Refused> {
        self.chore(|answer| WaitingChore::MoveOut { day, limit, answer })
            .await
    }

    /// Forgets some of the idempotency keys that are older than [`KEYS_KEPT`].
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn forget_old_keys(&self, limit: usize) -> Result<usize, Refused> {
        let kept_ms = u64::try_from(KEYS_KEPT.as_millis()).unwrap_or(u64::MAX);
        let before_wall_ms = wall_ms().saturating_sub(kept_ms);
        self.chore(|answer| WaitingChore::ForgetKeys {
            before_wall_ms,
            limit,
            answer,
        })
        .await
    }

    /// At most `limit` notices in the outbox with numbers above `after`, in their order.
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn outbox(&self, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, Refused> {
        self.chore(|answer| WaitingChore::Outbox { after, limit, answer })
            .await
    }

    /// Removes a notice from the outbox.
    ///
    /// # Errors
    /// `Busy` and `Unavailable`, as for commands.
    pub async fn take_off_outbox(&self, number: u64) -> Result<(), Refused> {
        let numbers = vec![number];
        self.chore(|answer| WaitingChore::TakeOffOutbox { numbers, answer })
            .await
    }

    /// Follows the number of the last notice in the outbox.
    pub fn watch_posted(&self) -> watch::Receiver<u64> {
        self.shared().posted.subscribe()
    }

    async fn chore<T>(
        &self,
        chore: impl FnOnce(oneshot::Sender<Result<T, Refused>>) -> WaitingChore,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        self.shared().offer_chore(chore(answer))?;
        answered.await.unwrap_or(Err(Refused::Unavailable))
    }

    pub fn gauges(&self) -> &Gauges {
        &self.shared().gauges
    }

    /// Follows whether the store takes no writes: while it is stalled, and from its end on.
    pub fn watch_stalled(&self) -> watch::Receiver<bool> {
        self.shared().stalled.subscribe()
    }

    /// Counts the store as stalled where a flush has been under way for this long, until it is
    /// through: whoever looks often enough knows of a disk or a database that hangs long before
    /// that tells an error.
    pub fn stall_if_flushing_for(&self, most: Duration) {
        #[expect(
            clippy::disallowed_methods,
            reason = "watches the disk, nothing is decided by it"
        )]
        let now = Instant::now();
        if self.shared().stall_if_flushing_for(most, now) {
            tracing::error!("the store does not answer: nothing becomes durable");
        }
    }

    /// Why the writer takes nothing more, once that is so.
    pub fn ended_by(&self) -> Option<StoreError> {
        self.shared().ended_by()
    }

    /// The queues by name, with what waits now and the bound.
    pub fn queues(&self) -> [(&'static str, usize, usize); 4] {
        let (batches, lookups, chores) = self.shared().waiting();
        let ticks = TICKS_AHEAD - self.shared().tick_room.available_permits();
        [
            ("store_commands", batches, BATCHES_WAITING),
            ("store_ticks", ticks, TICKS_AHEAD),
            ("store_lookups", lookups, LOOKUPS_WAITING),
            ("store_chores", chores, CHORES_WAITING),
        ]
    }

    /// Takes nothing more, makes durable what waits, and returns when the thread has ended.
    /// Blocks for a flush or two; a stalled store gets one last try.
    ///
    /// # Errors
    /// The error that ended the writer before all was durable.
    pub fn close(&self) -> Result<(), StoreError> {
        self.thread.close()
    }

    fn shared(&self) -> &Shared {
        &self.thread.shared
    }
}

impl WriterThread {
    fn close(&self) -> Result<(), StoreError> {
        self.shared.close();
        // Held while joining: whoever else closes waits for the end as well.
        if let Some(handle) = self.handle.lock().take() {
            let _panic_was_reported = handle.join();
        }
        match self.shared.ended_by() {
            None | Some(StoreError::Closed) => Ok(()),
            Some(error) => Err(error),
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store's writer ended before all was durable");
        }
    }
}

/// A tick on its way to the disk. Dropping it does not take the tick back.
pub struct PendingTick {
    answered: oneshot::Receiver<Result<(), StoreError>>,
}

impl Future for PendingTick {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answered)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}

/// Numbers of the writer for the operators; each is right by itself, not with the others.
#[derive(Debug, Default)]
pub struct Gauges {
    flushes: AtomicU64,
    rows: AtomicU64,
    last_flush_micros: AtomicU64,
    stalled: AtomicBool,
}

impl Gauges {
    /// Flushes that became durable.
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Journal rows in them: batches and ticks.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// How long the last of them took.
    pub fn last_flush_micros(&self) -> u64 {
        self.last_flush_micros.load(Ordering::Relaxed)
    }

    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}
