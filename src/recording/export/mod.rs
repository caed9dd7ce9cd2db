//! Recordings as files for other programs. Read chunk by chunk and written as it comes, so that
//! memory does not grow with the recording: at most the flights that are under way are held.

mod flights;
mod sinks;
mod table;
mod tracks;
mod who;

use std::io::Write;

use prost::Message;

use crate::sim::geo::BoundingBox;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::SimTime;

use super::cadence::Cadence;
use super::changes::Changes;
use super::file::{Chunk, FileError, Recording};
use super::layout::{self, Topic};
use super::positions::{Decoder, FixedRow};
use sinks::Sink;
use who::Who;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Tracks as lines, with Unix milliseconds as the fourth coordinate.
    Geojson,
    Czml,
    Csv,
    Parquet,
    /// Of one drone, or one delivery.
    Gpx,
}

/// What of a recording is wanted.
#[derive(Clone, Debug)]
pub struct Filter {
    pub drone: Option<DroneId>,
    /// The flights that were made for it.
    pub delivery: Option<DeliveryId>,
    pub from: SimTime,
    /// That moment too.
    pub to: SimTime,
    pub bounds: Option<BoundingBox>,
    /// At most so many frames a simulated second.
    pub hz: Option<f64>,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            drone: None,
            delivery: None,
            from: SimTime::START,
            to: SimTime::NEVER,
            bounds: None,
            hz: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("it cannot be written: {0}")]
    Write(#[from] std::io::Error),
    #[error("it cannot be written: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("the recording ends at {}", clock(*.0))]
    Over(SimTime),
    #[error("the recording begins at {}", clock_from(*.0))]
    NotYet(SimTime),
    #[error("the recording has no delivery {0}")]
    NoDelivery(DeliveryId),
    #[error("the recording has no drone {0}")]
    NoDrone(DroneId),
}

/// `01:02:03`
pub fn clock(at: SimTime) -> String {
    let seconds = at.0 / 1_000_000;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The same of a beginning: a whole second that is not before it.
pub fn clock_from(at: SimTime) -> String {
    clock(SimTime(at.0.next_multiple_of(1_000_000)))
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub frames: u64,
    pub rows: u64,
}

/// Writes what the filter lets through. `progress` hears after each chunk which share of the
/// file is behind it, in thousandths.
///
/// # Errors
/// A recording that cannot be read, a window outside of it, or a sink that takes no more.
pub fn export(
    recording: &Recording,
    format: Format,
    filter: &Filter,
    out: impl Write + Send,
    mut progress: impl FnMut(u64),
) -> Result<Exported, ExportError> {
    let (begin, end) = (recording.begin(), recording.end());
    if filter.from > end {
        return Err(ExportError::Over(end));
    }
    if filter.to < begin {
        return Err(ExportError::NotYet(begin));
    }
    let to = filter.to.min(end);
    let mut sink = sinks::open(format, &recording.origin, filter.from, to, out)?;
    let mut walk = Walk {
        filter,
        decoder: Decoder::default(),
        who: Who::of(filter),
        has_flown: false,
        // Half a tick early is no other frame.
        cadence: filter.hz.map(|hz| Cadence::new(hz, recording.frame_period())),
        exported: Exported::default(),
    };
    let chunks: Vec<&Chunk> = recording.chunks().iter().collect();
    for (done, chunk) in chunks.iter().enumerate() {
        walk.read(recording, chunk, sink.as_mut())?;
        progress((done as u64 + 1) * 1_000 / chunks.len() as u64);
    }
    if let (Some(delivery), false) = (filter.delivery, walk.who.was_there()) {
        return Err(ExportError::NoDelivery(delivery));
    }
    if let (Some(drone), false) = (filter.drone, walk.has_flown)
        && !has_drone(recording, drone)?
    {
        return Err(ExportError::NoDrone(drone));
    }
    sink.finish()?;
    Ok(walk.exported)
}

/// Whether the scenario has it, or an operator added it.
fn has_drone(recording: &Recording, drone: DroneId) -> Result<bool, FileError> {
    let Ok(scenario) = recording.origin.world() else {
        return Ok(true);
    };
    if drone.0 < scenario.drone_count() {
        return Ok(true);
    }
    // Each change has all before it.
    let mut roster = Vec::new();
    for chunk in recording.chunks() {
        if !chunk.topics.contains(&Topic::Journal) {
            continue;
        }
        for message in recording.messages(chunk)? {
            if message.topic != Topic::Journal {
                continue;
            }
            let journal = layout::Journal::decode(message.data.as_slice())?;
            let changes: Changes = postcard::from_bytes(&journal.changes)?;
            if let Some(changes) = changes.world {
                roster = changes.roster;
            }
        }
    }
    let world = scenario.with_changes(roster);
    Ok(world.is_ok_and(|world| drone.0 < world.drone_count()))
}

struct Walk<'a> {
    filter: &'a Filter,
    decoder: Decoder,
    who: Who,
    /// The one drone that is wanted was in the air at some time.
    has_flown: bool,
    cadence: Option<Cadence>,
    exported: Exported,
}

impl Walk<'_> {
    fn read(&mut self, recording: &Recording, chunk: &Chunk, sink: &mut dyn Sink) -> Result<(), ExportError> {
        let origin = &recording.origin;
        let is_before = origin.at(chunk.until_ns) < self.filter.from;
        let is_after = origin.at(chunk.from_ns) > self.filter.to;
        let has_rows = chunk.topics.contains(&Topic::Positions) && !is_before;
        let has_who = chunk.topics.contains(&Topic::Journal) && self.who.follows_events();
        if is_after || !(has_rows || has_who) {
            return Ok(());
        }
        for message in recording.messages(chunk)? {
            match message.topic {
                Topic::Journal if has_who => {
                    let journal =
                        layout::Journal::decode(message.data.as_slice()).map_err(FileError::from)?;
                    self.who.hear(&journal.changes).map_err(FileError::from)?;
                }
                Topic::Gaps => sink.gap()?,
                Topic::Positions if has_rows => {
                    let positions =
                        layout::Positions::decode(message.data.as_slice()).map_err(FileError::from)?;
                    let rows = self.decoder.decode(&positions).map_err(FileError::from)?;
                    self.frame(SimTime(positions.sim_time_us), rows, sink)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn frame(
        &mut self,
        at: SimTime,
        mut rows: Vec<FixedRow>,
        sink: &mut dyn Sink,
    ) -> Result<(), ExportError> {
        self.has_flown |= rows.iter().any(|row| Some(row.drone) == self.filter.drone);
        let is_wanted = self.cadence.is_none_or(|cadence| cadence.is_due(at));
        if at < self.filter.from || at > self.filter.to || !is_wanted {
            return Ok(());
        }
        rows.retain(|row| {
            let is_inside = self.filter.bounds.is_none_or(|bounds| bounds.contains(row.at()));
            self.who.is_wanted(row.drone) && is_inside
        });
        self.exported.frames += 1;
        self.exported.rows += rows.len() as u64;
        sink.frame(at, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_told_as_a_second_that_lies_inside() {
        let told = |us| clock_from(SimTime(us));
        assert_eq!(told(300_000_000), "00:05:00");
        assert_eq!(told(300_000_001), "00:05:01");
        assert_eq!(told(3_599_900_000), "01:00:00");
    }
}
