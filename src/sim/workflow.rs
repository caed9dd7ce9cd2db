//! What a request goes through between acceptance and a delivery under way.
//!
//! Pure: the scheduler's actor asks what comes next and carries it out. [`next`] is the one
//! rule for what a failure means: ask again, undo what was done, or give up to the supervisor.

mod terms;
#[cfg(test)]
mod tests;
mod tries;

use serde::{Deserialize, Serialize};

use super::world::WhenFull;

pub use terms::{FailureReason, Held, Step, StepAnswer, WaitingFor};
pub use tries::WorkflowRules;

/// How a workflow ends whose request is not carried out; or why it is at its beginning again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    Fail(FailureReason),
    Cancel,
    /// What is wanted has changed: the way is looked for again.
    Anew,
}

/// Where a workflow stands. It ends by leaving the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkflowState {
    /// The owner of the step was asked, so many times by now, and has not answered.
    Asking { step: Step, attempt: u32 },
    /// It could not; it is asked again when the back-off is over.
    BackingOff { step: Step, attempt: u32 },
    /// In the fleet's queue, within the scenario's patience.
    AwaitingDrone,
    /// Patience is over: the fleet was asked to take it off its queue, unless a drone was found.
    Withdrawing { attempt: u32 },
    /// Until the sender's pick-up time.
    AwaitingPickupTime,
    /// The owner of the step was asked to undo it, and has not answered.
    Undoing { step: Step, attempt: u32, then: Then },
    /// It could not; it is asked again when the back-off is over.
    UndoBackingOff { step: Step, attempt: u32, then: Then },
}

impl WorkflowState {
    /// The step it stands at, and how often that was tried.
    pub fn at(self) -> (Step, u32) {
        match self {
            WorkflowState::Asking { step, attempt }
            | WorkflowState::BackingOff { step, attempt }
            | WorkflowState::Undoing { step, attempt, .. }
            | WorkflowState::UndoBackingOff { step, attempt, .. } => (step, attempt),
            WorkflowState::AwaitingDrone | WorkflowState::AwaitingPickupTime => (Step::Drone, 1),
            WorkflowState::Withdrawing { attempt } => (Step::Drone, attempt),
        }
    }

    /// Whether its request may still be called off or changed.
    pub fn may_change(self) -> bool {
        !matches!(
            self,
            WorkflowState::Undoing {
                then: Then::Fail(_) | Then::Cancel,
                ..
            } | WorkflowState::UndoBackingOff {
                then: Then::Fail(_) | Then::Cancel,
                ..
            }
        )
    }
}

/// What happened to a workflow that could move it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowInput {
    Done(Step),
    Unavailable(Step),
    Refused(Step, FailureReason),
    /// Third-party transport has as many jobs as it takes.
    CarrierFull,
    /// The fleet has no free drone that can do it, and keeps it in its queue.
    Queued,
    /// The fleet's queue is full.
    NoRoom,
    /// The fleet took it off its queue.
    Withdrawn,
    Undone(Step),
    /// The time has come that it waited for: the limit of a step, the end of a back-off or of
    /// the scenario's patience, the pick-up time.
    Due,
    /// Nobody wants it any more.
    Cancel,
    /// Something else is wanted, at another place or time.
    Change,
}

/// What the scheduler does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Ask the owner of the step.
    Ask {
        step: Step,
        attempt: u32,
    },
    /// Ask it again in a while.
    BackOff {
        step: Step,
        attempt: u32,
        waiting_for: WaitingFor,
    },
    AwaitDrone,
    /// Ask the fleet to take it off its queue.
    Withdraw {
        attempt: u32,
    },
    AwaitPickupTime,
    Undo {
        step: Step,
        attempt: u32,
        then: Then,
    },
    BackOffUndo {
        step: Step,
        attempt: u32,
        then: Then,
    },
    /// The delivery is under way.
    HandOver,
    /// Nothing is held for it any more.
    End(Then),
    /// An undo failed for good: the supervisor owns what is left of it.
    GiveUp {
        step: Step,
        then: Then,
    },
    /// The message came too late to matter.
    Stay,
}

/// What the rule has to know of the request and of the scenario.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// Steps that are to be undone where it comes to nothing: every one that was asked and is
    /// not known to hold nothing.
    pub held: Held,
    /// Whether a drone of this world could ever do it.
    pub servable: bool,
    /// Whether its pick-up time is still to come.
    pub too_early: bool,
    /// Whether one more may be kept waiting for another try.
    pub has_room: bool,
    /// Whether one more may be kept waiting for its pick-up time.
    pub has_room_for_later: bool,
    pub when_full: WhenFull,
    /// How often a step is asked again.
    pub retries: u32,
}

impl Circumstances {
    /// The move to the step after account and package.
    pub fn find_way(self) -> Move {
        match (self.servable, self.too_early, self.has_room_for_later) {
            (false, _, _) => self.ask(Step::ThirdParty),
            (true, false, _) => self.ask(Step::Drone),
            (true, true, true) => Move::AwaitPickupTime,
            (true, true, false) => self.fail(FailureReason::ScheduleFull),
        }
    }

    fn ask(self, step: Step) -> Move {
        Move::Ask { step, attempt: 1 }
    }

    fn after(self, step: Step) -> Move {
        match step {
            Step::Account => self.ask(Step::Package),
            Step::Package => self.find_way(),
            Step::ThirdParty | Step::Drone => self.ask(Step::Delivery),
            Step::Delivery => Move::HandOver,
        }
    }

    /// What becomes of a request that finds no drone in time.
    fn without_drone(self, otherwise: FailureReason) -> Move {
        let let_go = Circumstances {
            held: self.held.without(Step::Drone),
            ..self
        };
        match self.when_full {
            WhenFull::ThirdParty => let_go.ask(Step::ThirdParty),
            WhenFull::Fail => let_go.fail(otherwise),
        }
    }

    pub fn fail(self, reason: FailureReason) -> Move {
        self.unwind(Then::Fail(reason))
    }

    /// Undoes what is held, the last step first.
    fn unwind(self, then: Then) -> Move {
        let kept = |step: Step| then == Then::Anew && step == Step::Package;
        match self.held.last().filter(|step| !kept(*step)) {
            Some(step) => Move::Undo {
                step,
                attempt: 1,
                then,
            },
            None if then == Then::Anew => self.find_way(),
            None => Move::End(then),
        }
    }

    fn without(self, step: Step) -> Self {
        Circumstances {
            held: self.held.without(step),
            ..self
        }
    }

    fn failed(self, step: Step, attempt: u32) -> Move {
        self.again(step, attempt, WaitingFor::Retry, FailureReason::StepUnavailable)
    }

    /// Once more, unless it was asked too often, which is then the `reason`.
    fn again(self, step: Step, attempt: u32, waiting_for: WaitingFor, reason: FailureReason) -> Move {
        if attempt > self.retries {
            return self.fail(reason);
        }
        // Who holds its place for want of an answer is one of those that wait.
        match self.has_room {
            true => Move::BackOff {
                step,
                attempt,
                waiting_for,
            },
            false => self.fail(FailureReason::BacklogFull),
        }
    }

    fn undo_failed(self, step: Step, attempt: u32, then: Then) -> Move {
        match (attempt > self.retries, then) {
            (false, _) => Move::BackOffUndo { step, attempt, then },
            (true, Then::Anew) => Move::GiveUp {
                step,
                then: Then::Fail(FailureReason::StepUnavailable),
            },
            (true, _) => Move::GiveUp { step, then },
        }
    }
}

/// The one rule of what follows what.
pub fn next(state: WorkflowState, input: WorkflowInput, given: Circumstances) -> Move {
    use WorkflowInput as In;
    use WorkflowState as S;
    match (state, input) {
        (S::Asking { step, .. } | S::BackingOff { step, .. }, In::Done(done)) if step == done => {
            given.after(step)
        }
        (S::AwaitingDrone | S::Withdrawing { .. }, In::Done(Step::Drone)) => given.after(Step::Drone),
        (S::Asking { step, attempt }, In::Unavailable(other)) if step == other => given.failed(step, attempt),
        (S::Asking { step, attempt }, In::Due) => given.failed(step, attempt),
        (
            S::Asking {
                step: step @ Step::ThirdParty,
                attempt,
            },
            In::CarrierFull,
        ) => given.again(step, attempt, WaitingFor::Carrier, FailureReason::CarrierFull),
        (S::Asking { step, .. } | S::BackingOff { step, .. }, In::Refused(other, reason))
            if step == other =>
        {
            given.without(step).fail(reason)
        }
        (S::BackingOff { step, attempt }, In::Due) => Move::Ask {
            step,
            attempt: attempt + 1,
        },
        (
            S::Asking {
                step: Step::Drone, ..
            },
            In::Queued,
        ) => Move::AwaitDrone,
        (
            S::Asking {
                step: Step::Drone, ..
            },
            In::NoRoom,
        ) => given.without_drone(FailureReason::BacklogFull),
        (S::AwaitingDrone, In::Due) => Move::Withdraw { attempt: 1 },
        (S::Withdrawing { .. }, In::Withdrawn) => given.without_drone(FailureReason::NoDroneInTime),
        (S::Withdrawing { attempt }, In::Due) if attempt > given.retries => {
            given.fail(FailureReason::StepUnavailable)
        }
        (S::Withdrawing { attempt }, In::Due) => Move::Withdraw { attempt: attempt + 1 },
        (S::AwaitingPickupTime, In::Due) => given.ask(Step::Drone),
        (S::Undoing { step, then, .. } | S::UndoBackingOff { step, then, .. }, In::Undone(undone))
            if step == undone =>
        {
            given.without(step).unwind(then)
        }
        (S::Undoing { step, attempt, then }, In::Due) => given.undo_failed(step, attempt, then),
        (S::Undoing { step, attempt, then }, In::Unavailable(other)) if step == other => {
            given.undo_failed(step, attempt, then)
        }
        (S::UndoBackingOff { step, attempt, then }, In::Due) => Move::Undo {
            step,
            attempt: attempt + 1,
            then,
        },
        (
            S::Undoing {
                step,
                attempt,
                then: Then::Anew,
            },
            In::Cancel,
        ) => Move::Undo {
            step,
            attempt,
            then: Then::Cancel,
        },
        (
            S::UndoBackingOff {
                step,
                then: Then::Anew,
                ..
            },
            In::Cancel,
        ) => Move::Undo {
            step,
            attempt: 1,
            then: Then::Cancel,
        },
        (S::Undoing { .. } | S::UndoBackingOff { .. }, _) => Move::Stay,
        (_, In::Cancel) => given.unwind(Then::Cancel),
        // Neither looks at what changes.
        (
            S::Asking {
                step: Step::Account | Step::Package,
                ..
            }
            | S::BackingOff {
                step: Step::Account | Step::Package,
                ..
            },
            In::Change,
        ) => Move::Stay,
        (_, In::Change) => given.unwind(Then::Anew),
        _ => Move::Stay,
    }
}
