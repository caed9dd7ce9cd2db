//! `[workflow]`: how often and how fast requests' workflows try again.

use super::fields::Fields;
use super::kinds::Integer;
use super::times::{Duration, LONGEST};
use crate::sim::time::SimDuration;
use crate::sim::workflow::WorkflowRules;

const SOME_TIME: Duration = Duration(SimDuration(1)..=LONGEST);

/// Each key that is left out is as [`WorkflowRules::default`] has it.
pub(super) fn workflow(f: &mut Fields<'_>) -> WorkflowRules {
    let count = |read: u64| u32::try_from(read).unwrap_or(u32::MAX);
    WorkflowRules {
        step_timeout: f
            .or("step_timeout", "how long the owner of a step may take to answer", SOME_TIME, "\"10s\"")
            .value,
        retries: count(
            f.or(
                "retries",
                "how often a step, or its undoing, is asked for again after it failed for now",
                Integer(0..=100),
                "4",
            )
            .value,
        ),
        backoff: f
            .or(
                "backoff",
                "the wait before the first of these, at most; doubles with each, and at least half of it passes",
                SOME_TIME,
                "\"1s\"",
            )
            .value,
        backoff_max: f
            .or("backoff_max", "what that wait never exceeds", SOME_TIME, "\"30s\"")
            .value,
        breaker_failures: count(
            f.or(
                "breaker_failures",
                "failures in a row after which the carrier is left alone",
                Integer(1..=1_000_000),
                "5",
            )
            .value,
        ),
        breaker_pause: f
            .or("breaker_pause", "for how long, before one request may try", SOME_TIME, "\"30s\"")
            .value,
        dead_letters: f
            .or(
                "dead_letters",
                "how many requests that could not be undone are kept for operators; beyond that undoing is tried for as long as it takes",
                Integer(0..=10_000_000),
                "10000",
            )
            .value as usize,
    }
}
