//! A circuit breaker: who fails again and again is left alone for a while.
//!
//! Pure: its owner says what happened and when, and asks before each call.

use serde::{Deserialize, Serialize};

use super::time::{SimDuration, SimTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Breaker {
    /// Calls go through; so many in a row have failed.
    Closed { failures: u32 },
    /// None goes through before this time.
    Open { until: SimTime },
    /// One went through at this time to see how it goes; the others wait for its answer.
    HalfOpen { tried: SimTime },
}

/// As people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    Closed,
    Open,
    HalfOpen,
}

impl BreakerState {
    pub const ALL: [BreakerState; 3] = [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

    pub fn as_str(self) -> &'static str {
        match self {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half_open",
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Breaker::Closed { failures: 0 }
    }
}

impl Breaker {
    pub fn state(self) -> BreakerState {
        match self {
            Breaker::Closed { .. } => BreakerState::Closed,
            Breaker::Open { .. } => BreakerState::Open,
            Breaker::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether a call may go through now. `answered_within` is how long one may take: a trial
    /// that says nothing for longer is none.
    pub fn admits(&mut self, now: SimTime, answered_within: SimDuration) -> bool {
        let admits = match *self {
            Breaker::Closed { .. } => return true,
            Breaker::Open { until } => now >= until,
            Breaker::HalfOpen { tried } => now >= tried + answered_within,
        };
        if admits {
            *self = Breaker::HalfOpen { tried: now };
        }
        admits
    }

    pub fn succeeded(&mut self) {
        *self = Breaker::default();
    }

    /// Opens for `pause` with the `most`th failure in a row, or with that of the trial.
    pub fn failed(&mut self, now: SimTime, most: u32, pause: SimDuration) {
        let open = Breaker::Open { until: now + pause };
        *self = match *self {
            Breaker::Closed { failures } if failures + 1 < most => Breaker::Closed {
                failures: failures + 1,
            },
            // What was under way when it opened says nothing new.
            Breaker::Open { until } => Breaker::Open { until },
            Breaker::Closed { .. } | Breaker::HalfOpen { .. } => open,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: SimDuration = SimDuration(100);
    const PATIENCE: SimDuration = SimDuration(10);

    fn at(micros: u64) -> SimTime {
        SimTime(micros)
    }

    #[test]
    fn it_opens_with_so_many_failures_in_a_row_and_not_before() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(at(1), 3, PAUSE);
            breaker.failed(at(1), 3, PAUSE);
            assert!(breaker.admits(at(1), PATIENCE));
            breaker.succeeded();
        }
        for _ in 0..3 {
            breaker.failed(at(2), 3, PAUSE);
        }
        assert_eq!(breaker, Breaker::Open { until: at(102) });
        assert!(!breaker.admits(at(101), PATIENCE));
        breaker.failed(at(101), 3, PAUSE);
        assert_eq!(
            breaker,
            Breaker::Open { until: at(102) },
            "it does not open for longer"
        );
    }

    #[test]
    fn after_its_pause_one_may_try_and_decides_for_all() {
        for succeeds in [true, false] {
            let mut breaker = Breaker::Open { until: at(100) };
            assert!(breaker.admits(at(100), PATIENCE));
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
            assert!(
                !breaker.admits(at(105), PATIENCE),
                "the others wait for its answer"
            );
            match succeeds {
                true => breaker.succeeded(),
                false => breaker.failed(at(107), 3, PAUSE),
            }
            assert_eq!(breaker.admits(at(108), PATIENCE), succeeds);
        }
    }

    #[test]
    fn a_trial_without_an_answer_does_not_keep_it_shut_for_ever() {
        let mut breaker = Breaker::HalfOpen { tried: at(100) };
        assert!(!breaker.admits(at(109), PATIENCE));
        assert!(breaker.admits(at(110), PATIENCE));
        assert!(!breaker.admits(at(111), PATIENCE));
    }
}
