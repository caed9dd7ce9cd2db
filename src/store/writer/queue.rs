//! What waits for the writer's thread, and the gate that closes in front of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use super::{BATCHES_WAITING, CHORES_WAITING, Gauges, LOOKUPS_WAITING, Refused, TICKS_AHEAD};
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use crate::store::{Found, HistoryQuery, IngestBatch, MovedDay, Snapshot, StoreError, TickRow};

pub(super) struct WaitingBatch {
    pub batch: IngestBatch,
    pub answer: oneshot::Sender<Result<(), Refused>>,
}

pub(super) struct WaitingTick {
    pub row: TickRow,
    pub snapshot: Option<Snapshot>,
    pub answer: oneshot::Sender<Result<(), StoreError>>,
    /// Kept until the answer is given, so that the bound counts ticks not yet durable.
    pub _room: Option<OwnedSemaphorePermit>,
}

pub(super) struct WaitingLookup {
    pub key: String,
    pub answer: oneshot::Sender<Result<Option<DeliveryId>, Refused>>,
}

/// What only the store itself can do, beside the journal: it is done in the order of asking.
pub(super) enum WaitingChore {
    History {
        query: HistoryQuery,
        answer: oneshot::Sender<Result<Found, Refused>>,
    },
    MoveOut {
        day: MovedDay,
        limit: usize,
        answer: oneshot::Sender<Result<usize, Refused>>,
    },
    ForgetKeys {
        before_wall_ms: u64,
        limit: usize,
        answer: oneshot::Sender<Result<usize, Refused>>,
    },
    Outbox {
        after: u64,
        limit: usize,
        answer: oneshot::Sender<Result<Vec<(u64, Notice)>, Refused>>,
    },
    TakeOffOutbox {
        numbers: Vec<u64>,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
}

impl WaitingChore {
    fn refuse(self) {
        match self {
            WaitingChore::History { answer, .. } => {
                let _caller_gone = answer.send(Err(Refused::Unavailable));
            }
            WaitingChore::Outbox { answer, .. } => {
                let _caller_gone = answer.send(Err(Refused::Unavailable));
            }
            WaitingChore::TakeOffOutbox { answer, .. } => {
                let _caller_gone = answer.send(Err(Refused::Unavailable));
            }
            WaitingChore::MoveOut { answer, .. } | WaitingChore::ForgetKeys { answer, .. } => {
                let _caller_gone = answer.send(Err(Refused::Unavailable));
            }
        }
    }
}

/// What one turn of the thread takes.
#[derive(Default)]
pub(super) struct Work {
    pub batches: VecDeque<WaitingBatch>,
    pub ticks: Vec<WaitingTick>,
    pub lookups: VecDeque<WaitingLookup>,
    /// One a turn, so that ticks never wait for more than one.
    pub chore: Option<WaitingChore>,
}

impl Work {
    pub fn refuse_outside(self) {
        for waiting in self.batches {
            let _caller_gone = waiting.answer.send(Err(Refused::Unavailable));
        }
        for waiting in self.lookups {
            let _caller_gone = waiting.answer.send(Err(Refused::Unavailable));
        }
        if let Some(chore) = self.chore {
            chore.refuse();
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Gate {
    Open,
    /// Ticks only.
    Stalled,
    /// Nothing more, for this reason.
    Shut(StoreError),
}

struct Queue {
    gate: Gate,
    /// When the flush that is under way began.
    flushing_since: Option<Instant>,
    batches: VecDeque<WaitingBatch>,
    /// Bounded by the permits that its members hold.
    ticks: VecDeque<WaitingTick>,
    lookups: VecDeque<WaitingLookup>,
    chores: VecDeque<WaitingChore>,
}

pub(super) struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    pub tick_room: Arc<Semaphore>,
    pub gauges: Gauges,
    pub stalled: watch::Sender<bool>,
    /// Number of the last notice in the outbox.
    pub posted: watch::Sender<u64>,
}

impl Shared {
    pub fn new() -> Self {
        Shared {
            queue: Mutex::new(Queue {
                gate: Gate::Open,
                flushing_since: None,
                batches: VecDeque::new(),
                ticks: VecDeque::new(),
                lookups: VecDeque::new(),
                chores: VecDeque::new(),
            }),
            wake: Condvar::new(),
            tick_room: Arc::new(Semaphore::new(TICKS_AHEAD)),
            gauges: Gauges::default(),
            stalled: watch::Sender::new(false),
            posted: watch::Sender::new(0),
        }
    }

    pub fn offer_batch(&self, waiting: WaitingBatch) -> Result<(), Refused> {
        let mut queue = self.queue.lock();
        queue.check_room(queue.batches.len(), BATCHES_WAITING)?;
        queue.batches.push_back(waiting);
        self.wake.notify_one();
        Ok(())
    }

    pub fn offer_lookup(&self, waiting: WaitingLookup) -> Result<(), Refused> {
        let mut queue = self.queue.lock();
        queue.check_room(queue.lookups.len(), LOOKUPS_WAITING)?;
        queue.lookups.push_back(waiting);
        self.wake.notify_one();
        Ok(())
    }

    pub fn offer_chore(&self, waiting: WaitingChore) -> Result<(), Refused> {
        let mut queue = self.queue.lock();
        queue.check_room(queue.chores.len(), CHORES_WAITING)?;
        queue.chores.push_back(waiting);
        self.wake.notify_one();
        Ok(())
    }

    pub fn push_tick(&self, waiting: WaitingTick) {
        let mut queue = self.queue.lock();
        if let Gate::Shut(reason) = &queue.gate {
            let _caller_gone = waiting.answer.send(Err(reason.clone()));
            return;
        }
        queue.ticks.push_back(waiting);
        self.wake.notify_one();
    }

    /// Batches, look-ups and chores that wait.
    pub fn waiting(&self) -> (usize, usize, usize) {
        let queue = self.queue.lock();
        (queue.batches.len(), queue.lookups.len(), queue.chores.len())
    }

    /// Blocks until there is something to do; `None` when there never will be again.
    pub fn take(&self) -> Option<Work> {
        let mut queue = self.queue.lock();
        loop {
            let work = queue.take();
            if work.is_some() || matches!(queue.gate, Gate::Shut(_)) {
                return work;
            }
            self.wake.wait(&mut queue);
        }
    }

    pub fn flush_begins(&self, now: Instant) {
        self.queue.lock().flushing_since = Some(now);
    }

    /// Tells whether the store had been given up for stalled meanwhile.
    pub fn flush_ends(&self, is_durable: bool) -> bool {
        let mut queue = self.queue.lock();
        queue.flushing_since = None;
        let was_overdue = queue.gate == Gate::Stalled;
        if is_durable && was_overdue {
            self.open_again(queue);
        }
        was_overdue
    }

    /// A store that hangs gives no error for a long time. Where the flush under way takes longer
    /// than this it is as good as stalled; tells whether that is news.
    pub fn stall_if_flushing_for(&self, most: Duration, now: Instant) -> bool {
        let queue = self.queue.lock();
        let took = queue
            .flushing_since
            .map(|since| now.saturating_duration_since(since));
        let is_news = queue.gate == Gate::Open && took.is_some_and(|took| took >= most);
        if is_news {
            self.shut_but_for_ticks(queue);
        }
        is_news
    }

    /// What may be done beside a tick that waits: all but the ticks after it. Waits for commands
    /// for no longer than this.
    pub fn take_beside(&self, patience: Duration) -> Work {
        let mut queue = self.queue.lock();
        let nothing_else = |queue: &mut Queue| {
            queue.batches.is_empty()
                && queue.lookups.is_empty()
                && queue.chores.is_empty()
                && queue.gate == Gate::Open
        };
        self.wake.wait_while_for(&mut queue, nothing_else, patience);
        Work {
            batches: std::mem::take(&mut queue.batches),
            lookups: std::mem::take(&mut queue.lookups),
            chore: queue.chores.pop_front(),
            ticks: Vec::new(),
        }
    }

    /// Lets in ticks only, and refuses the rest of what waits: none of it was tried.
    pub fn stall(&self) {
        self.shut_but_for_ticks(self.queue.lock());
    }

    fn shut_but_for_ticks(&self, mut queue: MutexGuard<'_, Queue>) {
        if queue.gate == Gate::Open {
            queue.gate = Gate::Stalled;
        }
        let refused = Work {
            batches: std::mem::take(&mut queue.batches),
            lookups: std::mem::take(&mut queue.lookups),
            ..Work::default()
        };
        let chores = std::mem::take(&mut queue.chores);
        self.tell_stalled(true);
        drop(queue);
        refused.refuse_outside();
        chores.into_iter().for_each(WaitingChore::refuse);
    }

    pub fn resume(&self) {
        self.open_again(self.queue.lock());
    }

    /// Told while the queue is held, so that the gate and what is told of it go together.
    fn open_again(&self, mut queue: MutexGuard<'_, Queue>) {
        if queue.gate == Gate::Stalled {
            queue.gate = Gate::Open;
        }
        self.tell_stalled(false);
    }

    fn tell_stalled(&self, stalled: bool) {
        self.gauges.stalled.store(stalled, Ordering::Relaxed);
        self.stalled.send_replace(stalled);
    }

    /// Waits for `time` or for the end; tells whether the end has come.
    pub fn pause(&self, time: Duration) -> bool {
        let mut queue = self.queue.lock();
        let still_wanted = |queue: &mut Queue| !matches!(queue.gate, Gate::Shut(_));
        self.wake.wait_while_for(&mut queue, still_wanted, time);
        matches!(queue.gate, Gate::Shut(_))
    }

    /// Takes nothing more; what waits is still done.
    pub fn close(&self) {
        let mut queue = self.queue.lock();
        if !matches!(queue.gate, Gate::Shut(_)) {
            queue.gate = Gate::Shut(StoreError::Closed);
        }
        drop(queue);
        self.tick_room.close();
        self.wake.notify_all();
    }

    /// Takes nothing more, and answers what waits with the error.
    pub fn end(&self, error: &StoreError) {
        let mut queue = self.queue.lock();
        queue.gate = Gate::Shut(error.clone());
        while let Some(work) = queue.take() {
            for waiting in work.ticks {
                let _caller_gone = waiting.answer.send(Err(error.clone()));
            }
            Work {
                ticks: Vec::new(),
                ..work
            }
            .refuse_outside();
        }
        drop(queue);
        self.tick_room.close();
        self.tell_stalled(true);
    }

    pub fn ended_by(&self) -> Option<StoreError> {
        match &self.queue.lock().gate {
            Gate::Shut(reason) => Some(reason.clone()),
            Gate::Open | Gate::Stalled => None,
        }
    }
}

impl Queue {
    fn check_room(&self, waiting: usize, bound: usize) -> Result<(), Refused> {
        match self.gate {
            Gate::Open if waiting < bound => Ok(()),
            Gate::Open => Err(Refused::Busy),
            Gate::Stalled | Gate::Shut(_) => Err(Refused::Unavailable),
        }
    }

    fn take(&mut self) -> Option<Work> {
        // A flush holds one snapshot at most.
        let snapshot_at = self.ticks.iter().position(|tick| tick.snapshot.is_some());
        let ticks = snapshot_at.map_or(self.ticks.len(), |at| at + 1);
        let work = Work {
            batches: std::mem::take(&mut self.batches),
            ticks: self.ticks.drain(..ticks).collect(),
            lookups: std::mem::take(&mut self.lookups),
            chore: self.chores.pop_front(),
        };
        let nothing = work.batches.is_empty()
            && work.ticks.is_empty()
            && work.lookups.is_empty()
            && work.chore.is_none();
        if nothing { None } else { Some(work) }
    }
}
