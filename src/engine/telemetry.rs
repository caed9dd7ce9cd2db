//! How long the tick's phases take. Looks at the wall clock, and never tells the world.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Admit,
    Fly,
    Decide,
    Digest,
}

impl Phase {
    pub const ALL: [Phase; 4] = [Phase::Admit, Phase::Fly, Phase::Decide, Phase::Digest];

    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Admit => "admit",
            Phase::Fly => "fly",
            Phase::Decide => "decide",
            Phase::Digest => "digest",
        }
    }
}

/// By phase, in the order of [`Phase::ALL`].
pub type PhaseTimes = [Duration; Phase::ALL.len()];

pub struct Stopwatch {
    lap_began: Instant,
    times: PhaseTimes,
}

#[expect(clippy::disallowed_methods, reason = "measures the machine, not the world")]
fn wall_now() -> Instant {
    Instant::now()
}

impl Stopwatch {
    pub fn start() -> Self {
        Stopwatch {
            lap_began: wall_now(),
            times: PhaseTimes::default(),
        }
    }

    /// Books the time since the last lap to this phase.
    pub fn lap(&mut self, phase: Phase) {
        let now = wall_now();
        self.times[phase as usize] += now - self.lap_began;
        self.lap_began = now;
    }

    pub fn times(self) -> PhaseTimes {
        self.times
    }
}
