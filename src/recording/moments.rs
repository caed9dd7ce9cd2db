//! What a chunk has of each tick, put together.

use std::collections::BTreeMap;

use prost::Message;

use crate::sim::time::{SimTime, Tick};
use crate::view::frame::DroneRow;

use super::changes::Changes;
use super::file::{FileError, Recording};
use super::layout::{self, Topic};
use super::positions::Decoder;
use super::projector::NotShown;

/// What was recorded of one tick.
pub(super) struct Moment {
    pub tick: Tick,
    pub at: SimTime,
    pub digest: [u8; 32],
    pub changes: Changes,
    /// Where positions were recorded.
    pub rows: Option<Vec<DroneRow>>,
}

/// `with_rows`: where they are recorded.
pub(super) fn moments_of(
    recording: &Recording,
    chunk: usize,
    with_rows: bool,
) -> Result<Vec<Moment>, NotShown> {
    let mut moments: BTreeMap<Tick, Moment> = BTreeMap::new();
    let mut decoder = Decoder::default();
    let origin = &recording.origin;
    let empty = |tick, at| Moment {
        tick,
        at,
        digest: [0; 32],
        changes: Changes::default(),
        rows: None,
    };
    for message in recording.messages(&recording.chunks()[chunk])? {
        let at = origin.at(message.time_ns);
        match message.topic {
            Topic::Journal => {
                let journal = layout::Journal::decode(message.data.as_slice()).map_err(FileError::from)?;
                let moment = moments
                    .entry(journal.tick)
                    .or_insert_with(|| empty(journal.tick, at));
                moment.digest = <[u8; 32]>::try_from(journal.digest.as_slice()).unwrap_or_default();
                moment.changes = postcard::from_bytes(&journal.changes).map_err(FileError::from)?;
            }
            Topic::Positions if with_rows => {
                let positions =
                    layout::Positions::decode(message.data.as_slice()).map_err(FileError::from)?;
                let rows = decoder.decode(&positions).map_err(FileError::from)?;
                let moment = moments
                    .entry(positions.tick)
                    .or_insert_with(|| empty(positions.tick, at));
                moment.rows = Some(rows.iter().map(|row| row.shown()).collect());
            }
            _ => {}
        }
    }
    Ok(moments.into_values().collect())
}
