//! Whoever writes a recording: a thread of its own, so that a world hands over what happened and
//! goes on.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;

use crate::sim::command::Command;
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;
use crate::store::Snapshot;
use crate::view::frame::DroneRow;

use super::backlog::{Backlog, MESSAGES_MOST};
use super::changes::Changes;
use super::origin::Origin;
use super::progress::Progress;
use super::scribe::Scribe;
use super::tape::{Tape, TapeError};

/// Of memory, about, beside what a message has many of.
const MESSAGE_BYTES: usize = 1_024;
/// So often at most a chunk is closed for those who read along.
const FLUSHES_APART: Duration = Duration::from_secs(1);
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// What one tick brought.
pub struct TickNews {
    pub tick: Tick,
    pub at: SimTime,
    pub world: Arc<World>,
    pub digest: [u8; 32],
    pub admitted_through: u64,
    /// The number that its first event has, or would have.
    pub first_event: u64,
    /// By their numbers.
    pub commands: Vec<(u64, Command)>,
    pub changes: Changes,
    /// All airborne drones, where the tick is recorded.
    pub rows: Option<Vec<DroneRow>>,
}

pub(super) enum News {
    Tick(Box<TickNews>),
    Keyframe(Box<KeyframeNews>),
    Gap(Gap, SimTime),
    /// Somebody wants to read what there is.
    Flush(SyncSender<()>),
    /// Nothing follows.
    End,
}

impl News {
    /// That it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let of_many = match self {
            News::Tick(tick) => {
                let rows = tick.rows.as_ref().map_or(0, Vec::len) + tick.changes.carriers.len();
                let messages = tick.changes.events.len() + tick.changes.routes.len() + tick.commands.len();
                rows * size_of::<DroneRow>() + messages * MESSAGE_BYTES
            }
            News::Keyframe(keyframe) => keyframe.snapshot.bytes(),
            News::Gap(..) | News::Flush(_) | News::End => 0,
        };
        MESSAGE_BYTES + of_many
    }
}

/// What changed of the state since the last one, up to the tick before; or all of it.
pub(super) struct KeyframeNews {
    pub snapshot: Snapshot,
    pub at: SimTime,
    pub digest: [u8; 32],
    pub is_whole: bool,
}

/// Ticks that are missing.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Gap {
    from_tick: Tick,
    to_tick: Tick,
    reason: &'static str,
}

/// Why somebody who does not wait is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// There will be room.
    Busy,
    /// [`Recorder::finish`] says why.
    Ended,
}

/// Nothing is written any more; [`Recorder::finish`] says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording takes no more")]
pub struct Full;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    pub bytes: u64,
    pub frames: u64,
    /// Of all frames.
    pub rows: u64,
    pub keyframes: u64,
}

pub struct Recorder {
    news: SyncSender<News>,
    backlog: Arc<Backlog>,
    progress: Arc<Progress>,
    flushed: Mutex<Option<Instant>>,
    thread: Mutex<Option<JoinHandle<Result<Recorded, TapeError>>>>,
}

impl Recorder {
    /// In place of an old file.
    ///
    /// # Errors
    /// A place where nothing can be written.
    pub fn create(path: &Path, origin: Origin) -> Result<Self, TapeError> {
        Self::to(File::create(path)?, origin)
    }

    /// Where there is no file yet.
    ///
    /// # Errors
    /// See [`Recorder::create`].
    pub fn create_new(path: &Path, origin: Origin) -> Result<Self, TapeError> {
        Self::to(File::create_new(path)?, origin)
    }

    /// To an empty file.
    ///
    /// # Errors
    /// See [`Recorder::create`].
    pub fn to(file: File, origin: Origin) -> Result<Self, TapeError> {
        let progress = Arc::new(Progress::default());
        let scribe = Scribe::begin(Tape::on(file)?, origin, Arc::clone(&progress))?;
        let (news, heard) = sync_channel(MESSAGES_MOST + 1);
        let backlog = Arc::new(Backlog::default());
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn({
            let (backlog, progress) = (Arc::clone(&backlog), Arc::clone(&progress));
            move || {
                let written = scribe.run(&heard, &backlog);
                // Before anybody finds that nothing is heard any more.
                progress.end(written.as_ref().err().map(ToString::to_string));
                backlog.close();
                written
            }
        })?;
        Ok(Recorder {
            news,
            backlog,
            progress,
            flushed: Mutex::default(),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Waits for room.
    ///
    /// # Errors
    /// See [`Full`].
    pub fn tick(&self, news: TickNews) -> Result<(), Full> {
        self.send(News::Tick(Box::new(news)))
    }

    /// What changed of the state since the last one, as it is after the last tick.
    ///
    /// # Errors
    /// See [`Full`].
    pub fn keyframe(&self, snapshot: Snapshot, at: SimTime, digest: [u8; 32]) -> Result<(), Full> {
        self.send(News::Keyframe(Box::new(KeyframeNews {
            snapshot,
            at,
            digest,
            is_whole: false,
        })))
    }

    /// As [`Recorder::tick`], within this time or not at all.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn try_tick(&self, news: TickNews, patience: Duration) -> Result<(), NoRoom> {
        self.send_within(patience, News::Tick(Box::new(news)))
    }

    /// As [`Recorder::keyframe`], at once or not at all; or, where it is whole, without what was
    /// there before.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn try_keyframe(
        &self,
        snapshot: Snapshot,
        at: SimTime,
        digest: [u8; 32],
        is_whole: bool,
    ) -> Result<(), NoRoom> {
        self.try_send(News::Keyframe(Box::new(KeyframeNews {
            snapshot,
            at,
            digest,
            is_whole,
        })))
    }

    /// Ticks that were left out, up to this one.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn try_gap(&self, from_tick: Tick, to_tick: Tick, at: SimTime) -> Result<(), NoRoom> {
        let reason = "the recording did not keep up";
        let gap = Gap {
            from_tick,
            to_tick,
            reason,
        };
        self.try_send(News::Gap(gap, at))
    }

    /// Lets what was heard until now be read, where that has not just been done; waits a little.
    #[expect(clippy::disallowed_methods, reason = "chunks are not to be cut too small")]
    pub fn flush(&self) {
        {
            let mut flushed = self.flushed.lock();
            if flushed.is_some_and(|at| at.elapsed() < FLUSHES_APART) {
                return;
            }
            *flushed = Some(Instant::now());
        }
        let (done, is_done) = sync_channel(1);
        if self.try_send(News::Flush(done)).is_ok() {
            // Who is late reads what there is.
            let _in_time = is_done.recv_timeout(FLUSH_PATIENCE);
        }
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What was heard and is not written yet: messages, and bytes of memory that they take.
    pub(super) fn waiting(&self) -> (usize, usize) {
        self.backlog.waiting()
    }

    /// Whether all is written that was heard.
    pub fn is_idle(&self) -> bool {
        self.backlog.is_empty()
    }

    fn send(&self, news: News) -> Result<(), Full> {
        self.backlog.add(news.bytes());
        self.news.send(news).map_err(|_| Full)
    }

    fn try_send(&self, news: News) -> Result<(), NoRoom> {
        self.send_within(Duration::ZERO, news)
    }

    fn send_within(&self, patience: Duration, news: News) -> Result<(), NoRoom> {
        let bytes = news.bytes();
        if !self.backlog.add_within(patience, bytes) {
            return Err(NoRoom::Busy);
        }
        self.news.try_send(news).map_err(|error| {
            self.backlog.remove(bytes);
            match error {
                TrySendError::Full(_) => NoRoom::Busy,
                TrySendError::Disconnected(_) => NoRoom::Ended,
            }
        })
    }

    /// Writes what is left, and ends the file; once.
    ///
    /// # Errors
    /// A disk that took no more at some time.
    pub fn finish(&self) -> Result<Recorded, TapeError> {
        // One that has ended says why.
        let _ended = self.news.send(News::End);
        let thread = self.thread.lock().take().ok_or(TapeError::Gone)?;
        thread.join().unwrap_or(Err(TapeError::Gone))
    }
}
