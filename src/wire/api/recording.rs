//! The recording of a live world.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordingState {
    Off,
    Recording,
    /// It ended by itself, as where a disk is full; what was written until then can be played.
    Failed,
}

/// The recording that goes on, or the last one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    pub state: RecordingState,
    /// Null where there has been none.
    #[schema(required)]
    pub name: Option<String>,
    /// The file, on the server's machine.
    #[schema(required)]
    pub file: Option<String>,
    /// That can be played already.
    pub bytes: u64,
    /// The first moment in it, RFC 3339, simulated; null before there is one.
    #[schema(required)]
    pub from: Option<String>,
    /// Times at which ticks were left out, since the disk did not keep up.
    pub gaps: u64,
    /// What ended it by itself; else null.
    #[schema(required)]
    pub failure: Option<String>,
}

/// Begins a recording, or ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordingChange {
    pub state: WantedRecording,
    /// Letters, digits, `-`, `_` and `.`, at most 100, beginning with a letter or digit; the file's
    /// without `.mcap`. Where it is left out, `recording-` and the moment that it begins at.
    #[schema(nullable = false, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedRecording {
    Recording,
    Off,
}
