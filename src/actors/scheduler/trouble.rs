//! Injected faults of steps: what strikes whoever is asked next.
//!
//! They strike where the scheduler asks and listens, so that any owner of a step can be made to
//! fail, to be slow or to be unheard, and none of them knows. Bound: so many at a time,
//! [`MOST`]; beyond that one more is refused.

use serde::{Deserialize, Serialize};

use crate::sim::fault::StepFault;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::Step;

const MOST: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Troubles(Vec<Trouble>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Trouble {
    step: Step,
    fault: StepFault,
    /// `None` strikes once.
    until: Option<SimTime>,
}

impl Troubles {
    /// Whether there was room for it.
    pub fn add(&mut self, step: Step, fault: StepFault, lasts: Option<SimDuration>, now: SimTime) -> bool {
        self.0
            .retain(|trouble| trouble.until.is_none_or(|until| now < until));
        let has_room = self.0.len() < MOST;
        if has_room {
            let until = lasts.map(|lasts| now + lasts);
            self.0.push(Trouble { step, fault, until });
        }
        has_room
    }

    /// What strikes this call of the step's owner: the fault that was injected first.
    pub fn strike(&mut self, step: Step, now: SimTime) -> Option<StepFault> {
        if self.0.is_empty() {
            return None;
        }
        self.0
            .retain(|trouble| trouble.until.is_none_or(|until| now < until));
        let index = self.0.iter().position(|trouble| trouble.step == step)?;
        let Trouble { fault, until, .. } = self.0[index];
        if until.is_none() {
            self.0.remove(index);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> SimTime {
        SimTime::from_secs(secs)
    }

    #[test]
    fn what_has_no_duration_strikes_once_and_only_its_step() {
        let mut troubles = Troubles::default();
        assert!(troubles.add(Step::Drone, StepFault::Fail, None, at(0.0)));
        assert_eq!(troubles.strike(Step::Package, at(9.0)), None);
        assert_eq!(troubles.strike(Step::Drone, at(9.0)), Some(StepFault::Fail));
        assert_eq!(troubles.strike(Step::Drone, at(9.0)), None);
    }

    #[test]
    fn what_has_a_duration_strikes_always_until_that_is_over() {
        let mut troubles = Troubles::default();
        let lasts = Some(SimDuration::from_secs(10.0));
        assert!(troubles.add(Step::Account, StepFault::AnswerLost, lasts, at(5.0)));
        for now in [5.0, 9.0, 14.9] {
            assert_eq!(
                troubles.strike(Step::Account, at(now)),
                Some(StepFault::AnswerLost)
            );
        }
        assert_eq!(troubles.strike(Step::Account, at(15.0)), None);
    }

    #[test]
    fn there_is_room_for_so_many_and_again_when_one_is_over() {
        let mut troubles = Troubles::default();
        for _ in 0..MOST {
            assert!(troubles.add(Step::Drone, StepFault::Fail, None, at(0.0)));
        }
        assert!(!troubles.add(Step::Drone, StepFault::Fail, None, at(0.0)));
        troubles.strike(Step::Drone, at(1.0));
        assert!(troubles.add(Step::Drone, StepFault::Fail, None, at(1.0)));
    }
}
