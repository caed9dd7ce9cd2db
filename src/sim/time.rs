//! Simulated time: whole microseconds since the scenario's start, and nothing else.
//!
//! The wall clock never enters here; turning a [`SimTime`] into a date needs the
//! world's start, which [`crate::sim::world::World`] holds.

use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: f64 = 1_000_000.0;

/// A moment: microseconds since the scenario's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimTime(pub u64);

/// A span of simulated time in microseconds; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimDuration(pub u64);

impl SimTime {
    pub const START: SimTime = SimTime(0);
    /// After everything: a moment that does not come.
    pub const NEVER: SimTime = SimTime(u64::MAX);

    pub fn as_secs(self) -> f64 {
        self.0 as f64 / MICROS_PER_SECOND
    }

    /// The nearest microsecond; negative and not-a-number become the start.
    pub fn from_secs(secs: f64) -> Self {
        SimTime(SimDuration::from_secs(secs).0)
    }

    /// Zero where `earlier` is in fact later.
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    pub const ZERO: SimDuration = SimDuration(0);
    /// From any moment on it ends at [`SimTime::NEVER`].
    pub const FOREVER: SimDuration = SimDuration(u64::MAX);

    pub fn as_secs(self) -> f64 {
        self.0 as f64 / MICROS_PER_SECOND
    }

    /// The nearest microsecond; negative and not-a-number become zero.
    pub fn from_secs(secs: f64) -> Self {
        SimDuration((secs * MICROS_PER_SECOND + 0.5) as u64)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, span: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}

impl Sub for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: SimTime) -> SimDuration {
        self.since(earlier)
    }
}

/// Ticks counted since the scenario's start; tick 0 is the state before the first one.
pub type Tick = u64;
