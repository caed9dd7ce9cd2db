//! What `/metrics` shows of the recording that goes on.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::view::recordings::{RecordingState, Recordings};

use super::metrics::gauge;

pub struct RecordingMetrics(pub Arc<dyn Recordings>);

impl std::fmt::Debug for RecordingMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordingMetrics")
    }
}

impl Collector for RecordingMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        let encoder = &mut encoder;
        let reading = self.0.reading();
        let state = match reading.state {
            RecordingState::Off => 0,
            RecordingState::Recording => 1,
            RecordingState::Failed => 2,
        };
        let help = "1 while the world is recorded, 2 after a recording that could not go on, else 0";
        gauge(encoder, "skyhaul_recording_state", help, state)?;
        let help = "Bytes of the recording that can be read";
        gauge(encoder, "skyhaul_recording_bytes", help, reading.bytes)?;
        let help = "Times at which the recording left ticks out";
        gauge(encoder, "skyhaul_recording_gaps", help, reading.gaps)
    }
}
