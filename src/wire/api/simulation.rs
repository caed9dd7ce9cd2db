//! The clock: how it stands and what may be asked of it.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::time::Tick;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    pub state: SimulationState,
    /// Simulated seconds per wall second that are wanted.
    pub speed: Speed,
    pub tick: Tick,
    #[schema(example = "2026-06-01T18:00:00.000Z")]
    pub sim_time: String,
    /// Simulated seconds per wall second over the last few seconds.
    pub real_time_factor: f64,
    /// How late the last tick started.
    pub tick_slip_ms: f64,
    /// Chained over all ticks, in hexadecimal.
    pub digest: String,
    /// Changes when the world's past does.
    #[schema(example = "e1")]
    pub epoch: String,
    /// Of a recording that is played; a live world has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback: Option<Playback>,
}

/// What of a recording is played, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Playback {
    /// RFC 3339, simulated.
    pub from: String,
    pub to: String,
    /// From the end to the beginning, and on.
    #[serde(rename = "loop")]
    pub is_loop: bool,
    /// Simulated, from one recorded frame to the next.
    pub frame_seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SimulationState {
    Running,
    Paused,
    Stalled,
}

/// Slowest and fastest that a recording is played, forwards or backwards.
pub const PLAYBACK_SPEEDS: RangeInclusive<f64> = 0.1..=1_000.0;

/// A factor above 0 and up to 10,000, or as fast as it goes. Of a recording 0.1 to 1,000, below 0
/// for backwards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Speed {
    Times(f64),
    Named(NamedSpeed),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedSpeed {
    Max,
}

/// Any of these; what is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"state": "running", "speed": 10}))]
pub struct SimulationChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<WantedState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    /// Pauses by itself once this tick is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_at_tick: Option<Tick>,
    /// Go to this moment: in playback only; a live world answers 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sim_time: Option<String>,
    /// From the end to the beginning and on: in playback only; a live world answers 409.
    #[serde(default, rename = "loop", skip_serializing_if = "Option::is_none")]
    pub is_loop: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedState {
    Running,
    Paused,
}

/// How far to go; one tick where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"ticks": 10}))]
pub struct StepRequest {
    /// 1 to 1,000,000
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub ticks: Option<u64>,
}
