//! The thread's side: from what waits to one flush, to its answers, and through a stall.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Refused;
use super::ahead::{Ahead, rows_of};
use super::queue::{Shared, WaitingBatch, WaitingChore, WaitingLookup, WaitingTick, Work};
use crate::store::{Flush, Store, StoreError};

/// Rows of a snapshot in one flush, which takes some ten milliseconds where they are history's,
const ROWS_AT_ONCE: usize = 512;
/// and beside commands, which are not to wait that long for rows that nobody waits for.
const ROWS_BESIDE_COMMANDS: usize = 64;
/// Commands come one batch after the other. So some turns without any must have passed until
/// none is expected,
const TURNS_WITHOUT: u32 = 8;
/// and until then the rows wait so long for the next, to share its flush.
const PATIENCE: Duration = Duration::from_millis(3);
/// But the ticks after them wait for them to be through, and so does whoever looks at the world,
/// and the clock itself where it needs another snapshot. So commands are spared for no longer.
pub(super) const SPARED_FOR: Duration = Duration::from_millis(500);

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Flusher {
    store: Box<dyn Store>,
    shared: Arc<Shared>,
    /// The number that the next command must have.
    next_seq: u64,
    trailing: Option<Trailing>,
    /// Turns since the last that had commands.
    without_commands: u32,
    /// So long a snapshot's rows make way for commands.
    spared_for: Duration,
}

/// A tick whose snapshot is large: its rows go ahead some at a time, beside what else there is
/// to write, and the ticks after it wait.
struct Trailing {
    tick: WaitingTick,
    ahead: Ahead,
    since: Instant,
}

/// A flush and those who wait for it.
#[derive(Default)]
struct Pending {
    flush: Flush,
    batches: Vec<oneshot::Sender<Result<(), Refused>>>,
    ticks: Vec<TickAnswer>,
}

struct TickAnswer {
    answer: oneshot::Sender<Result<(), StoreError>>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Whatever ends the thread, a panic included, nobody is left waiting.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end(&StoreError::Panicked);
        } else {
            self.0.end(&self.0.ended_by().unwrap_or(StoreError::Closed));
        }
    }
}

impl Flusher {
    pub fn new(store: Box<dyn Store>, shared: Arc<Shared>, next_seq: u64, spared_for: Duration) -> Self {
        Flusher {
            store,
            shared,
            next_seq,
            trailing: None,
            without_commands: TURNS_WITHOUT,
            spared_for,
        }
    }

    pub fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        while let Some(work) = self.next_work() {
            if let Err(error) = self.turn(work) {
                tracing::error!(%error, "the store failed for good");
                self.shared.end(&error);
                if let Some(Trailing { tick, .. }) = self.trailing.take() {
                    let _caller_gone = tick.answer.send(Err(error));
                }
            }
        }
    }

    fn next_work(&self) -> Option<Work> {
        match &self.trailing {
            Some(trailing) => {
                let patience = self.spares_commands(trailing).then_some(PATIENCE);
                Some(self.shared.take_beside(patience.unwrap_or_default()))
            }
            None => self.shared.take(),
        }
    }

    /// Whether commands are expected, and nobody has waited for too long because of that.
    fn spares_commands(&self, trailing: &Trailing) -> bool {
        self.without_commands < TURNS_WITHOUT && trailing.since.elapsed() < self.spared_for
    }

    fn turn(&mut self, work: Work) -> Result<(), StoreError> {
        for lookup in work.lookups {
            self.look_up(lookup);
        }
        if let Some(chore) = work.chore {
            self.do_chore(chore);
        }
        self.without_commands = match work.batches.is_empty() {
            true => self.without_commands.saturating_add(1),
            false => 0,
        };
        let mut pending = Pending::default();
        for waiting in work.batches {
            self.add_batch(&mut pending, waiting);
        }
        for waiting in work.ticks {
            self.add_tick(&mut pending, waiting);
        }
        if let Some(mut trailing) = self.trailing.take() {
            let rows = match self.spares_commands(&trailing) {
                true => ROWS_BESIDE_COMMANDS,
                false => ROWS_AT_ONCE,
            };
            match trailing.ahead.add_to(&mut pending.flush, rows) {
                true => self.trailing = Some(trailing),
                false => pending.add_tick(trailing.tick),
            }
        }
        if pending.flush.is_empty() {
            return Ok(());
        }
        let mut result = self.append(&pending.flush);
        if let Err(error) = &result
            && error.is_retryable()
        {
            result = self.ride_out(&mut pending, error);
        }
        if result.is_ok() && pending.flush.ticks.iter().any(|row| !row.notices.is_empty()) {
            self.tell_posted();
        }
        pending.answer(&result);
        result
    }

    /// The courier looks into the outbox when it hears of a new number.
    fn tell_posted(&mut self) {
        match self.store.last_posted() {
            Ok(last) => {
                self.shared.posted.send_replace(last);
            }
            Err(error) => tracing::warn!(%error, "the outbox cannot be read; the next notice tries again"),
        }
    }

    fn look_up(&mut self, lookup: WaitingLookup) {
        let found = self.store.delivery_of_key(&lookup.key).map_err(|error| {
            tracing::warn!(%error, "an idempotency key could not be looked up");
            Refused::Unavailable
        });
        let _caller_gone = lookup.answer.send(found);
    }

    fn do_chore(&mut self, chore: WaitingChore) {
        match chore {
            WaitingChore::History { query, answer } => {
                let _caller_gone = answer.send(told(self.store.history(&query)));
            }
            WaitingChore::MoveOut { day, limit, answer } => {
                let _caller_gone = answer.send(told(self.store.move_out(&day, limit)));
            }
            WaitingChore::ForgetKeys {
                before_wall_ms,
                limit,
                answer,
            } => {
                let _caller_gone = answer.send(told(self.store.forget_keys(before_wall_ms, limit)));
            }
            WaitingChore::Outbox { after, limit, answer } => {
                let _caller_gone = answer.send(told(self.store.outbox(after, limit)));
            }
            WaitingChore::TakeOffOutbox { numbers, answer } => {
                let _caller_gone = answer.send(told(self.store.take_off_outbox(&numbers)));
            }
        }
    }

    fn add_batch(&mut self, pending: &mut Pending, waiting: WaitingBatch) {
        let WaitingBatch { batch, answer } = waiting;
        if batch.first_seq != self.next_seq {
            let _caller_gone = answer.send(Err(Refused::OutOfSequence {
                expected: self.next_seq,
            }));
            return;
        }
        self.next_seq = batch.next_seq();
        pending.flush.ingest.push(batch);
        pending.batches.push(answer);
    }

    fn add_tick(&mut self, pending: &mut Pending, mut tick: WaitingTick) {
        match &mut tick.snapshot {
            Some(snapshot) if rows_of(snapshot) > ROWS_AT_ONCE => {
                let ahead = Ahead::of(snapshot);
                #[expect(
                    clippy::disallowed_methods,
                    reason = "decides in how many flushes rows are written, and not what is"
                )]
                let since = Instant::now();
                self.trailing = Some(Trailing { tick, ahead, since });
            }
            _ => pending.add_tick(tick),
        }
    }

    fn append(&mut self, flush: &Flush) -> Result<(), StoreError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "measures the disk, nothing is decided by it"
        )]
        let start = Instant::now();
        self.shared.flush_begins(start);
        let appended = self.store.append(flush);
        let was_overdue = self.shared.flush_ends(appended.is_ok());
        appended?;
        if was_overdue {
            tracing::info!("the store works again");
        }
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let gauges = &self.shared.gauges;
        gauges.last_flush_micros.store(micros, Ordering::Relaxed);
        gauges.flushes.fetch_add(1, Ordering::Relaxed);
        gauges
            .rows
            .fetch_add((flush.ingest.len() + flush.ticks.len()) as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Tries until the ticks are durable, or, where the flush has none, until writing works
    /// again. Closing the writer leaves one last try.
    fn ride_out(&mut self, pending: &mut Pending, error: &StoreError) -> Result<(), StoreError> {
        tracing::error!(%error, remedy = error.remedy(), "the store stalls: nothing becomes durable");
        self.shared.stall();
        let mut pause = FIRST_PAUSE;
        loop {
            self.settle_batches(pending);
            let last_try = self.shared.pause(pause);
            let result = if pending.flush.is_empty() {
                self.store.probe()
            } else {
                self.append(&pending.flush)
            };
            match result {
                Ok(()) => {
                    if pending.flush.is_empty() {
                        tracing::info!("the store works again");
                    }
                    self.shared.resume();
                    return Ok(());
                }
                Err(error) if last_try || !error.is_retryable() => return Err(error),
                Err(_) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    /// Refuses the batches of a failed flush once it is certain that they were not committed.
    /// Where they were, or where it cannot be known yet, they stay for the next try.
    fn settle_batches(&mut self, pending: &mut Pending) {
        let Some(last_batch) = pending.flush.ingest.last() else {
            return;
        };
        let Ok(last_seq) = self.store.last_command_seq() else {
            return;
        };
        if last_seq + 1 >= last_batch.next_seq() {
            return;
        }
        self.next_seq = last_seq + 1;
        pending.flush.ingest.clear();
        for answer in pending.batches.drain(..) {
            let _caller_gone = answer.send(Err(Refused::Unavailable));
        }
    }
}

/// That a chore failed does not stall the journal, whose next flush sees for itself.
fn told<T>(done: Result<T, StoreError>) -> Result<T, Refused> {
    done.map_err(|error| {
        tracing::warn!(%error, "the store did not do what was asked of it");
        Refused::Unavailable
    })
}

impl Pending {
    fn add_tick(&mut self, waiting: WaitingTick) {
        let WaitingTick {
            row,
            snapshot,
            answer,
            _room,
        } = waiting;
        self.flush.ticks.push(row);
        self.flush.snapshot = snapshot;
        self.ticks.push(TickAnswer { answer, _room });
    }

    fn answer(self, result: &Result<(), StoreError>) {
        for answer in self.batches {
            let _caller_gone = answer.send(result.clone().map_err(|_| Refused::Unavailable));
        }
        for tick in self.ticks {
            let _caller_gone = tick.answer.send(result.clone());
        }
    }
}
