//! Whoever writes a recording: a thread of its own, so that a world hands over what happened and
//! goes on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use prost::Message;
use serde::Serialize;

use crate::sim::command::Command;
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;
use crate::store::Snapshot;
use crate::view::frame::DroneRow;
use crate::wire::event::EventBody;
use crate::wire::time::rfc3339;

use super::changes::Changes;
use super::keyframe::State;
use super::layout::{self, Topic};
use super::origin::Origin;
use super::positions::{Encoder, FixedRow};
use super::tape::{Tape, TapeError};

/// Ticks between the world and the thread that writes.
const AHEAD: usize = 128;
/// A chunk is closed after so many frames, or so many bytes, or so much simulated time: this much
/// a crash takes away, and this much is read to see one frame.
const CHUNK_FRAMES: u32 = 20;
const CHUNK_BYTES: u64 = 8 << 20;
const CHUNK_US: u64 = 60_000_000;

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

enum News {
    Tick(Box<TickNews>),
    Keyframe(Box<KeyframeNews>),
    Gap(Gap, SimTime),
    /// Nothing follows.
    End,
}

/// What changed of the state since the last one, up to the tick before; or all of it.
struct KeyframeNews {
    snapshot: Snapshot,
    at: SimTime,
    digest: [u8; 32],
    is_whole: bool,
}

/// Ticks that are missing.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Gap {
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
    /// Heard, and not written yet.
    waiting: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<Result<Recorded, TapeError>>>>,
}

impl Recorder {
    /// # Errors
    /// A place where nothing can be written.
    pub fn create(path: &Path, origin: Origin) -> Result<Self, TapeError> {
        let mut scribe = Scribe {
            tape: Tape::create(path)?,
            origin,
            encoder: Encoder::default(),
            state: State::default(),
            frames_in_chunk: 0,
            chunk_began: None,
            recorded: Recorded::default(),
        };
        scribe.write_origin()?;
        let (news, heard) = sync_channel(AHEAD);
        let waiting = Arc::new(AtomicUsize::new(0));
        let thread = std::thread::Builder::new().name("recorder".to_owned()).spawn({
            let waiting = Arc::clone(&waiting);
            move || scribe.run(&heard, &waiting)
        })?;
        Ok(Recorder {
            news,
            waiting,
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

    /// As [`Recorder::tick`], at once or not at all.
    ///
    /// # Errors
    /// See [`NoRoom`].
    pub fn try_tick(&self, news: TickNews) -> Result<(), NoRoom> {
        self.try_send(News::Tick(Box::new(news)))
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

    /// Whether all is written that was heard.
    pub fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    fn send(&self, news: News) -> Result<(), Full> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.news.send(news).map_err(|_| Full)
    }

    fn try_send(&self, news: News) -> Result<(), NoRoom> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.news.try_send(news).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
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

/// An event as the stream tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventMessage {
    seq: u64,
    tick: Tick,
    sim_time: String,
    event: EventBody,
}

struct Scribe {
    tape: Tape,
    origin: Origin,
    encoder: Encoder,
    state: State,
    frames_in_chunk: u32,
    chunk_began: Option<SimTime>,
    recorded: Recorded,
}

impl Scribe {
    fn run(mut self, news: &Receiver<News>, waiting: &AtomicUsize) -> Result<Recorded, TapeError> {
        for news in news {
            match news {
                News::Tick(tick) => self.tick(*tick)?,
                News::Keyframe(keyframe) => self.keyframe(*keyframe)?,
                News::Gap(gap, at) => self.gap(&gap, at)?,
                News::End => break,
            }
            waiting.fetch_sub(1, Ordering::AcqRel);
        }
        self.recorded.bytes = self.tape.finish()?;
        Ok(self.recorded)
    }

    /// In a chunk of its own: who opens the file reads it first.
    fn write_origin(&mut self) -> Result<(), TapeError> {
        let time_ns = self.origin.time_ns(SimTime::START);
        let text = serde_json::to_vec(&self.origin).expect("an origin is text and numbers");
        self.tape.write(Topic::Scenario, time_ns, &text)?;
        self.tape.close_chunk()
    }

    fn tick(&mut self, news: TickNews) -> Result<(), TapeError> {
        let time_ns = self.origin.time_ns(news.at);
        let began = *self.chunk_began.get_or_insert(news.at);
        for (number, command) in &news.commands {
            let message = layout::Command {
                tick: news.tick,
                number: *number,
                command: postcard::to_stdvec(command).expect("commands hold only plain values"),
            };
            self.tape
                .write(Topic::Commands, time_ns, &message.encode_to_vec())?;
        }
        for (seq, event) in (news.first_event..).zip(&news.changes.events) {
            let message = EventMessage {
                seq,
                tick: news.tick,
                sim_time: rfc3339(&news.world, event.at),
                event: EventBody::new(&news.world, &event.happening),
            };
            let text = serde_json::to_vec(&message).expect("an event is text and numbers");
            self.tape.write(Topic::Events, time_ns, &text)?;
        }
        if news.rows.is_some() || !news.changes.is_empty() || !news.commands.is_empty() {
            let message = layout::Journal {
                tick: news.tick,
                digest: news.digest.to_vec(),
                admitted_through: news.admitted_through,
                first_event: news.first_event,
                changes: postcard::to_stdvec(&news.changes).expect("changes hold only plain values"),
            };
            self.tape
                .write(Topic::Journal, time_ns, &message.encode_to_vec())?;
        }
        if let Some(rows) = &news.rows {
            self.frame(news.tick, news.at, rows)?;
        }
        let is_long = news.at.since(began).0 >= CHUNK_US || self.tape.open_bytes() >= CHUNK_BYTES;
        if self.frames_in_chunk >= CHUNK_FRAMES || is_long {
            self.close_chunk()?;
        }
        Ok(())
    }

    fn frame(&mut self, tick: Tick, at: SimTime, rows: &[DroneRow]) -> Result<(), TapeError> {
        let rows: Vec<FixedRow> = rows.iter().map(FixedRow::from).collect();
        self.recorded.frames += 1;
        self.recorded.rows += rows.len() as u64;
        let message = self.encoder.encode(tick, at, rows, self.frames_in_chunk == 0);
        self.frames_in_chunk += 1;
        let time_ns = self.origin.time_ns(at);
        self.tape
            .write(Topic::Positions, time_ns, &message.encode_to_vec())
    }

    /// In a chunk of its own, so that whoever wants positions need not read it.
    fn keyframe(&mut self, news: KeyframeNews) -> Result<(), TapeError> {
        self.close_chunk()?;
        let time_ns = self.origin.time_ns(news.at);
        if news.is_whole {
            self.state = State::default();
        }
        let history = self.state.merge(news.snapshot);
        let message = layout::Keyframe {
            tick: self.state.tick(),
            digest: news.digest.to_vec(),
            state: self.state.to_bytes(),
        };
        self.tape
            .write(Topic::Keyframes, time_ns, &message.encode_to_vec())?;
        self.recorded.keyframes += 1;
        self.close_chunk()?;
        if history.is_empty() {
            return Ok(());
        }
        let message = layout::History {
            tick: self.state.tick(),
            records: history.into_iter().map(|row| row.record).collect(),
        };
        self.tape
            .write(Topic::History, time_ns, &message.encode_to_vec())?;
        self.close_chunk()
    }

    /// In a chunk of its own, which whoever reads on comes by.
    fn gap(&mut self, gap: &Gap, at: SimTime) -> Result<(), TapeError> {
        self.close_chunk()?;
        let text = serde_json::to_vec(gap).expect("a gap is text and numbers");
        self.tape.write(Topic::Gaps, self.origin.time_ns(at), &text)?;
        self.close_chunk()
    }

    fn close_chunk(&mut self) -> Result<(), TapeError> {
        self.frames_in_chunk = 0;
        self.chunk_began = None;
        self.tape.close_chunk()
    }
}
