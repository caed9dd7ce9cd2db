//! Recording a live world, as operators begin and end it; whoever writes the file answers.

use crate::sim::time::SimTime;

use super::commands::Answer;

/// At most one recording at a time.
pub trait Recordings: Send + Sync {
    fn reading(&self) -> RecordingReading;

    /// Begins a recording of this name; one that goes on by this name goes on.
    fn start(&self, name: String) -> Answer<'_, (), NotRecording>;

    /// Ends the one that goes on, if one does; answers when its file is whole.
    fn stop(&self) -> Answer<'_, (), NotRecording>;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordingState {
    #[default]
    Off,
    Recording,
    /// It ended by itself; what was written until then can be read.
    Failed,
}

/// The recording that goes on, or the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingReading {
    pub state: RecordingState,
    pub name: Option<String>,
    /// Where it is, as the server's machine names it.
    pub file: Option<String>,
    /// That can be read already.
    pub bytes: u64,
    /// The first moment in it, once there is one.
    pub from: Option<SimTime>,
    /// Times at which ticks were left out, as the disk did not keep up.
    pub gaps: u64,
    /// What waits to be written: messages, and the memory that they take.
    pub waiting: usize,
    pub waiting_bytes: usize,
    /// What ended it.
    pub failure: Option<String>,
}

/// Why no recording begins, or ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecording {
    #[error("nobody said where recordings are kept: give `skyhaul serve` a folder with --recordings")]
    NoFolder,
    #[error("there is a recording {name:?} already, and none is replaced; choose another name")]
    Exists { name: String },
    #[error("{name:?} is being recorded; end that first")]
    Busy { name: String },
    #[error("it cannot be written: {0}")]
    Unwritable(String),
}

/// Where nothing is recorded.
pub struct NoRecordings;

impl Recordings for NoRecordings {
    fn reading(&self) -> RecordingReading {
        RecordingReading::default()
    }

    fn start(&self, _: String) -> Answer<'_, (), NotRecording> {
        Box::pin(async { Err(NotRecording::NoFolder) })
    }

    fn stop(&self) -> Answer<'_, (), NotRecording> {
        Box::pin(async { Ok(()) })
    }
}
