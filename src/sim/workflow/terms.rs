//! The words of a workflow: steps, what their owners answer, what is waited for, why it failed.

use serde::{Deserialize, Serialize};

use crate::sim::event::Etas;

/// A step of the workflow; each asks the actor that owns the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Account,
    Package,
    ThirdParty,
    Drone,
    Delivery,
}

impl Step {
    pub const ALL: [Step; 5] = [
        Step::Account,
        Step::Package,
        Step::ThirdParty,
        Step::Drone,
        Step::Delivery,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Step::Account => "account",
            Step::Package => "package",
            Step::ThirdParty => "third_party",
            Step::Drone => "drone",
            Step::Delivery => "delivery",
        }
    }

    /// Whether its owner holds something from then on: an account is only looked at, and a
    /// delivery that has begun is undone by nobody but itself.
    fn holds(self) -> bool {
        matches!(self, Step::Package | Step::ThirdParty | Step::Drone)
    }
}

/// Steps whose owners may hold something for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held(u8);

impl Held {
    pub fn with(self, step: Step) -> Self {
        match step.holds() {
            true => Held(self.0 | 1 << step as u8),
            false => self,
        }
    }

    pub fn without(self, step: Step) -> Self {
        Held(self.0 & !(1 << step as u8))
    }

    pub fn has(self, step: Step) -> bool {
        self.0 & 1 << step as u8 != 0
    }

    /// The last of them: the first to be undone.
    pub fn last(self) -> Option<Step> {
        Step::ALL.into_iter().rfind(|step| self.has(*step))
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of the workflow.
    pub fn iter(self) -> impl Iterator<Item = Step> {
        Step::ALL.into_iter().filter(move |step| self.has(*step))
    }
}

/// What the owner of a step says when it is asked to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepAnswer {
    Done,
    /// Not now; it may go well another time.
    Unavailable,
    /// Never, however often it is asked.
    Refused(FailureReason),
    /// Third-party transport carries it, and expects to be there at these times.
    Carried {
        etas: Etas,
    },
    /// Not now, as whoever does it does as much as it can; nothing is wrong with it.
    Full,
}

/// What a delayed workflow needs before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// A drone that could do it is busy or charging.
    Drone,
    /// The time before which the sender does not want a pick-up.
    PickupTime,
    /// No drone of this world could ever do it; third-party transport must.
    ThirdParty,
    /// The owner of a step, who was asked and says nothing.
    Answer,
    /// The next try at a step that failed for now.
    Retry,
    /// Whoever has to let go of what was done for it.
    Compensation,
    /// Its drone, with the package on board, to come home: it sets out again from there.
    Return,
    /// Third-party transport, which has as many jobs as it takes, to have room for one more.
    Carrier,
    /// Weather that drones may fly in.
    Weather,
}

impl WaitingFor {
    pub const ALL: [WaitingFor; 9] = [
        WaitingFor::Drone,
        WaitingFor::PickupTime,
        WaitingFor::ThirdParty,
        WaitingFor::Answer,
        WaitingFor::Retry,
        WaitingFor::Compensation,
        WaitingFor::Return,
        WaitingFor::Carrier,
        WaitingFor::Weather,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            WaitingFor::Drone => "drone",
            WaitingFor::PickupTime => "pickup_time",
            WaitingFor::ThirdParty => "third_party",
            WaitingFor::Answer => "answer",
            WaitingFor::Retry => "retry",
            WaitingFor::Compensation => "compensation",
            WaitingFor::Return => "return",
            WaitingFor::Carrier => "carrier",
            WaitingFor::Weather => "weather",
        }
    }
}

/// Why a request came to nothing; for people, and final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// No drone within the scenario's patience, and `when_full = "fail"`.
    NoDroneInTime,
    /// The scenario's backlog of waiting requests is full.
    BacklogFull,
    /// The drone that carried it was lost.
    DroneLost,
    /// Third-party transport took it, and could not bring it.
    CarrierFailed,
    /// No drone of this world can carry it, and third-party transport never would.
    CarrierRefused,
    /// The account that orders is suspended.
    AccountSuspended,
    /// Nobody registered the account that orders, and `[accounts] unknown = "refuse"`.
    AccountUnknown,
    /// The account that orders would be one more than the world has room for.
    AccountsFull,
    /// The owner of a step could not do it, however often it was asked.
    StepUnavailable,
    /// Nobody gave the word that the order requires; the package was brought back.
    NotConfirmed,
    /// Too many drones set out for it in vain.
    TooManyAttempts,
    /// Third-party transport had as many jobs as it takes, however often it was asked.
    CarrierFull,
    /// As many requests as the scenario allows wait for their pick-up time already.
    ScheduleFull,
    /// A mistake in this program: whoever was to take it in panicked over it.
    InternalError,
}

impl FailureReason {
    /// The step that says so; any may be unavailable.
    pub fn step(self) -> Option<Step> {
        match self {
            FailureReason::NoDroneInTime
            | FailureReason::BacklogFull
            | FailureReason::ScheduleFull
            | FailureReason::DroneLost => Some(Step::Drone),
            FailureReason::CarrierFailed | FailureReason::CarrierRefused | FailureReason::CarrierFull => {
                Some(Step::ThirdParty)
            }
            FailureReason::AccountSuspended
            | FailureReason::AccountUnknown
            | FailureReason::AccountsFull
            | FailureReason::InternalError => Some(Step::Account),
            FailureReason::NotConfirmed | FailureReason::TooManyAttempts => Some(Step::Delivery),
            FailureReason::StepUnavailable => None,
        }
    }

    /// Whether the workflow says so, which undoes what its steps did. Else a delivery does that was
    /// under way.
    pub fn ends_workflow(self) -> bool {
        match self {
            FailureReason::NoDroneInTime
            | FailureReason::BacklogFull
            | FailureReason::CarrierRefused
            | FailureReason::AccountSuspended
            | FailureReason::AccountUnknown
            | FailureReason::AccountsFull
            | FailureReason::CarrierFull
            | FailureReason::ScheduleFull
            | FailureReason::InternalError
            | FailureReason::StepUnavailable => true,
            FailureReason::DroneLost
            | FailureReason::CarrierFailed
            | FailureReason::NotConfirmed
            | FailureReason::TooManyAttempts => false,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            FailureReason::NoDroneInTime => "no_drone_in_time",
            FailureReason::BacklogFull => "backlog_full",
            FailureReason::DroneLost => "drone_lost",
            FailureReason::CarrierFailed => "carrier_failed",
            FailureReason::CarrierRefused => "carrier_refused",
            FailureReason::AccountSuspended => "account_suspended",
            FailureReason::AccountUnknown => "account_unknown",
            FailureReason::AccountsFull => "accounts_full",
            FailureReason::StepUnavailable => "step_unavailable",
            FailureReason::NotConfirmed => "not_confirmed",
            FailureReason::TooManyAttempts => "too_many_attempts",
            FailureReason::CarrierFull => "carrier_full",
            FailureReason::ScheduleFull => "schedule_full",
            FailureReason::InternalError => "internal_error",
        }
    }
}
