//! How often and how fast a workflow tries again.

use crate::sim::ids::DeliveryId;
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimDuration;

/// How often and how fast a workflow tries again: the scenario's `[workflow]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkflowRules {
    /// How long the owner of a step may take.
    pub step_timeout: SimDuration,
    /// How often a step, or its undo, is asked again after it failed for now.
    pub retries: u32,
    /// Before the first of them; doubles with each.
    pub backoff: SimDuration,
    /// It grows no longer than this.
    pub backoff_max: SimDuration,
    /// Failures of the carrier in a row that open its breaker.
    pub breaker_failures: u32,
    /// How long it stays open before one request may try.
    pub breaker_pause: SimDuration,
    /// What the supervisor keeps for operators at most.
    pub dead_letters: usize,
}

impl Default for WorkflowRules {
    fn default() -> Self {
        WorkflowRules {
            step_timeout: SimDuration::from_secs(10.0),
            retries: 4,
            backoff: SimDuration::from_secs(1.0),
            backoff_max: SimDuration::from_secs(30.0),
            breaker_failures: 5,
            breaker_pause: SimDuration::from_secs(30.0),
            dead_letters: 10_000,
        }
    }
}

impl WorkflowRules {
    /// The wait after this attempt: exponential, bounded, and with jitter of its own for each
    /// delivery, so that those who failed together do not come back together.
    pub fn backoff_after(&self, attempt: u32, seed: u64, id: DeliveryId) -> SimDuration {
        const LEAST: f64 = 0.5;
        let doubled = 1_u64 << attempt.saturating_sub(1).min(32);
        let longest = self.backoff.0.saturating_mul(doubled).min(self.backoff_max.0);
        let [_, _, _, _, _, _, _, _, tail @ ..] = *id.as_bytes();
        let mut stream = Stream::new(seed, u64::from_le_bytes(tail), Purpose::Backoff);
        let share = (0..attempt.min(64)).fold(1.0, |_, _| stream.uniform_in(LEAST, 1.0));
        SimDuration((longest as f64 * share) as u64)
    }
}
