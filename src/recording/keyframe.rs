//! Whole states, from snapshots that only have what changed since the one before.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use serde::{Deserialize, Serialize};

use crate::engine::look;
use crate::sim::calendar::Month;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::world::World;
use crate::store::{HistoryRow, Snapshot, SumRow};
use crate::view::{DeliveryRecord, Restored, View};

use super::difference;
use super::file::{Chunk, FileError, Recording};
use super::layout::{self, Topic};
use super::past::records_of;
use super::projector::NotShown;

/// Deliveries that ended lately, and how lately: gauges are about no more, but where very many end.
const RECENT: usize = 1_500;
const GAUGED: SimDuration = SimDuration(300_000_000);

/// The state after a tick, whole. Postcard has no names: a change of fields is a new
/// [`super::layout::FORMAT`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    tick: Tick,
    events_through: u64,
    engine: Vec<u8>,
    actors: BTreeMap<Vec<u8>, Vec<u8>>,
    totals: Vec<u8>,
    records: BTreeMap<DeliveryId, Vec<u8>>,
    sums: BTreeMap<(String, Month), Sums>,
}

impl State {
    /// Brings it to where the snapshot was taken; answers with what is history from then on.
    pub fn merge(&mut self, snapshot: Snapshot) -> Vec<HistoryRow> {
        self.tick = snapshot.tick;
        self.events_through = snapshot.events_through;
        self.engine = snapshot.engine;
        self.totals = snapshot.totals;
        for (address, state) in snapshot.actors {
            match state {
                Some(state) => self.actors.insert(address, state),
                None => self.actors.remove(&address),
            };
        }
        self.records.extend(snapshot.records);
        for id in snapshot
            .history
            .iter()
            .map(|row| row.id)
            .chain(snapshot.gone_ahead)
        {
            self.records.remove(&id);
        }
        for row in snapshot.sums {
            self.sums.insert((row.owner, row.month), row.sums);
        }
        snapshot.history
    }

    pub fn tick(&self) -> Tick {
        self.tick
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a state holds only plain values")
    }

    /// # Errors
    /// Bytes that are no state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// As a store would give it back, with what a store has beside it.
    pub fn into_snapshot(self) -> Snapshot {
        let actors = self.actors.into_iter();
        let sums = self.sums.into_iter();
        let sum_row = |((owner, month), sums)| SumRow { owner, month, sums };
        Snapshot {
            tick: self.tick,
            events_through: self.events_through,
            engine: self.engine,
            actors: actors.map(|(key, state)| (key, Some(state))).collect(),
            totals: self.totals,
            records: self.records.into_iter().collect(),
            sums: sums.map(sum_row).collect(),
            ..Snapshot::default()
        }
    }
}

/// A read side as the whole state in this chunk has it.
fn state_of(
    recording: &Recording,
    chunk: usize,
    scenario: &Arc<World>,
) -> Result<(View, Arc<World>), NotShown> {
    let (world, mut restored) = restored_of(recording, chunk, scenario)?;
    restored.recent = recent(recording, &recording.chunks()[chunk]);
    Ok((View::new(Arc::clone(&world), restored), world))
}

/// Those that had left memory by the state in this chunk, the oldest first: as many of the last as
/// gauges over a window of time are about. What is damaged is not counted.
fn recent(recording: &Recording, state: &Chunk) -> Vec<DeliveryRecord> {
    let has_left = |chunk: &&Chunk| chunk.topics.contains(&Topic::History) && chunk.from_ns <= state.from_ns;
    let at = recording.origin.at(state.from_ns);
    let mut found = BTreeMap::new();
    for chunk in recording.chunks().iter().filter(has_left).rev() {
        for bytes in records_of(recording, chunk).unwrap_or_default() {
            if let Ok(record) = DeliveryRecord::from_bytes(&bytes)
                && let Some(ended) = record.ended
            {
                found.insert((ended, record.id), record);
            }
        }
        let is_long_ago = |((ended, _), _): (&(SimTime, _), _)| at.since(*ended) > GAUGED;
        if found.len() >= RECENT && found.first_key_value().is_some_and(is_long_ago) {
            break;
        }
    }
    found.into_values().collect()
}

/// The last of the whole states in these chunks that can be read, and in which it is.
pub(super) fn last_state(
    recording: &Recording,
    chunks: &[usize],
    scenario: &Arc<World>,
) -> Result<(View, Arc<World>, usize), NotShown> {
    let mut unread = NotShown::File(FileError::Nothing);
    for &chunk in chunks.iter().rev() {
        match state_of(recording, chunk, scenario) {
            Ok((view, world)) => return Ok((view, world, chunk)),
            Err(error) => unread = error,
        }
    }
    Err(unread)
}

/// What that read side begins with.
pub(super) fn restored_of(
    recording: &Recording,
    chunk: usize,
    scenario: &Arc<World>,
) -> Result<(Arc<World>, Restored), NotShown> {
    let state = State::from_bytes(&state_in(recording, chunk)?).map_err(FileError::from)?;
    Ok(look::look(Arc::clone(scenario), state.into_snapshot())?)
}

/// The bytes of the whole state that this chunk has, or has the difference of.
pub(super) fn state_in(recording: &Recording, chunk: usize) -> Result<Vec<u8>, FileError> {
    let chunks = recording.chunks();
    let keyframe = keyframe_in(recording, &chunks[chunk])?;
    if keyframe.difference.is_empty() {
        return Ok(keyframe.state);
    }
    let to_ns = recording.origin.time_ns(SimTime(keyframe.to_sim_time_us));
    let is_base = |chunk: &&Chunk| chunk.from_ns == to_ns && chunk.topics.contains(&Topic::Keyframes);
    let missing = || FileError::Damaged("a whole state is missing".to_owned());
    let base = chunks[..chunk].iter().rfind(is_base).ok_or_else(missing)?;
    let base = keyframe_in(recording, base)?;
    difference::apply(&base.state, &keyframe.difference)
        .map_err(|_| FileError::Damaged("a state is not as it was written".to_owned()))
}

fn keyframe_in(recording: &Recording, chunk: &Chunk) -> Result<layout::Keyframe, FileError> {
    let messages = recording.messages(chunk)?;
    let keyframe = messages.iter().rfind(|message| message.topic == Topic::Keyframes);
    let keyframe = keyframe.ok_or_else(|| FileError::Damaged("a state is missing".to_owned()))?;
    Ok(layout::Keyframe::decode(keyframe.data.as_slice())?)
}
