//! Who writes a recording, on the recorder's thread: what was heard becomes messages, and chunks.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use prost::Message;
use serde::Serialize;

use crate::sim::time::{SimTime, Tick};
use crate::view::frame::DroneRow;
use crate::wire::event::EventBody;
use crate::wire::time::rfc3339;

use super::backlog::Backlog;
use super::difference::Base;
use super::foxglove::Followed;
use super::keyframe::State;
use super::layout::{self, Topic};
use super::origin::Origin;
use super::positions::{Encoder, FixedRow};
use super::progress::Progress;
use super::recorder::{Gap, KeyframeNews, News, Recorded, TickNews};
use super::tape::{Tape, TapeError};

/// A chunk is closed after so many frames, or so many bytes, or so much simulated time: this much
/// a crash takes away, and this much is read to see one frame.
const CHUNK_FRAMES: u32 = 20;
const CHUNK_BYTES: u64 = 8 << 20;
const CHUNK_US: u64 = 60_000_000;

/// An event as the stream tells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventMessage {
    seq: u64,
    tick: Tick,
    sim_time: String,
    event: EventBody,
}

pub(super) struct Scribe {
    tape: Tape,
    followed: Followed,
    progress: Arc<Progress>,
    origin: Origin,
    encoder: Encoder,
    state: State,
    base: Option<Base>,
    frames_in_chunk: u32,
    /// The tick that the chunk has a journal of, the last.
    journalled: Option<Tick>,
    chunk_began: Option<SimTime>,
    recorded: Recorded,
}

impl Scribe {
    /// The file begins with what it is a recording of.
    pub fn begin(mut tape: Tape, origin: Origin, progress: Arc<Progress>) -> Result<Self, TapeError> {
        let mut scribe = Scribe {
            followed: Followed::on(&mut tape, &origin)?,
            tape,
            progress,
            origin,
            encoder: Encoder::default(),
            state: State::default(),
            base: None,
            frames_in_chunk: 0,
            journalled: None,
            chunk_began: None,
            recorded: Recorded::default(),
        };
        scribe.write_origin()?;
        Ok(scribe)
    }

    pub fn run(mut self, news: &Receiver<News>, backlog: &Backlog) -> Result<Recorded, TapeError> {
        for news in news {
            let bytes = news.bytes();
            match news {
                News::Tick(tick) => self.tick(*tick)?,
                News::Keyframe(keyframe) => self.keyframe(*keyframe)?,
                News::Gap(gap, at) => self.gap(&gap, at)?,
                News::Flush(done) => {
                    self.close_chunk()?;
                    let _somebody_waits = done.try_send(());
                }
                News::End => break,
            }
            backlog.remove(bytes);
        }
        self.recorded.bytes = self.tape.finish()?;
        Ok(self.recorded)
    }

    /// In a chunk of its own: who opens the file reads it first.
    fn write_origin(&mut self) -> Result<(), TapeError> {
        let time_ns = self.origin.time_ns(SimTime::START);
        let text = serde_json::to_vec(&self.origin).expect("an origin is text and numbers");
        self.tape.write(Topic::Scenario, time_ns, &text)?;
        self.close_chunk()
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
        // The last frame may follow what its tick brought.
        let is_told = self.journalled == Some(news.tick);
        if news.rows.is_some() && !is_told || !news.changes.is_empty() || !news.commands.is_empty() {
            self.journalled = Some(news.tick);
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
        self.progress.frame_at(at);
        let time_ns = self.origin.time_ns(at);
        self.followed.write(&mut self.tape, &rows, time_ns)?;
        let message = self.encoder.encode(tick, at, rows, self.frames_in_chunk == 0);
        self.frames_in_chunk += 1;
        self.tape
            .write(Topic::Positions, time_ns, &message.encode_to_vec())
    }

    /// In a chunk of its own, so that whoever wants positions need not read it.
    fn keyframe(&mut self, news: KeyframeNews) -> Result<(), TapeError> {
        self.close_chunk()?;
        let time_ns = self.origin.time_ns(news.at);
        if news.is_whole {
            self.state = State::default();
            self.base = None;
        }
        let history = self.state.merge(news.snapshot);
        let state = self.state.to_bytes();
        let (difference, to) = match &mut self.base {
            Some(base) => (base.difference(&state)?, base.at),
            None => (None, SimTime::START),
        };
        let mut message = layout::Keyframe {
            tick: self.state.tick(),
            digest: news.digest.to_vec(),
            ..layout::Keyframe::default()
        };
        match difference {
            Some(difference) => (message.difference, message.to_sim_time_us) = (difference, to.0),
            None => {
                message.state.clone_from(&state);
                self.base = Some(Base::new(news.at, state));
            }
        }
        self.tape
            .write(Topic::Keyframes, time_ns, &message.encode_to_vec())?;
        self.recorded.keyframes += 1;
        self.close_chunk()?;
        self.progress.state_at(news.at);
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
        self.progress.gap();
        self.close_chunk()
    }

    fn close_chunk(&mut self) -> Result<(), TapeError> {
        self.frames_in_chunk = 0;
        self.journalled = None;
        self.chunk_began = None;
        self.tape.close_chunk()?;
        self.progress.readable(self.tape.written_bytes()?);
        Ok(())
    }
}
