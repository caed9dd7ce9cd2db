//! What a request goes through between acceptance and a delivery under way.
//!
//! Pure: the scheduler's actor asks what comes next and carries it out. Account, package
//! and third-party steps join here when their services do.

use serde::{Deserialize, Serialize};

use super::event::Etas;
use super::world::WhenFull;

/// A step of the workflow; each asks the actor that owns the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Account,
    Package,
    ThirdParty,
    Drone,
    Delivery,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Account => "account",
            Step::Package => "package",
            Step::ThirdParty => "third_party",
            Step::Drone => "drone",
            Step::Delivery => "delivery",
        }
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
}

impl WaitingFor {
    pub fn as_str(self) -> &'static str {
        match self {
            WaitingFor::Drone => "drone",
            WaitingFor::PickupTime => "pickup_time",
            WaitingFor::ThirdParty => "third_party",
        }
    }

    /// The step that a workflow stands at while it waits for this.
    pub fn step(self) -> Step {
        match self {
            WaitingFor::Drone | WaitingFor::PickupTime => Step::Drone,
            WaitingFor::ThirdParty => Step::ThirdParty,
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
}

impl FailureReason {
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
        }
    }
}

/// Where a workflow stands. It ends by leaving the scheduler: scheduled, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkflowState {
    /// The fleet was asked and has not answered.
    AskingFleet,
    Waiting(WaitingFor),
}

/// What happened to a workflow that could move it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkflowInput {
    /// The fleet has no free drone that can do it, and keeps it in its queue.
    FleetQueuesIt,
    /// The fleet's queue is full.
    FleetHasNoRoom,
    /// The scenario's patience is over, and the fleet took it off its queue.
    PatienceOver,
    PickupTimeCame,
}

/// What the scheduler does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    AskFleet,
    Wait(WaitingFor),
    Fail(FailureReason),
    /// The message came too late to matter.
    Stay,
}

/// What the scenario allows a workflow that finds no drone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    pub when_full: WhenFull,
    /// Whether one more may wait for third-party transport.
    pub third_party_has_room: bool,
}

impl Fallback {
    /// The move of a request that no drone of this world could carry, however long it
    /// waits: third-party transport is its only way, whatever `when_full` says.
    pub fn without_drone(self) -> Move {
        if self.third_party_has_room {
            Move::Wait(WaitingFor::ThirdParty)
        } else {
            Move::Fail(FailureReason::BacklogFull)
        }
    }

    /// The move of a request that finds no drone in time.
    pub fn hand_over(self, otherwise: FailureReason) -> Move {
        match self.when_full {
            WhenFull::Fail => Move::Fail(otherwise),
            WhenFull::ThirdParty => self.without_drone(),
        }
    }
}

/// The one rule of what follows what.
pub fn next(state: WorkflowState, input: WorkflowInput, fallback: Fallback) -> Move {
    use WorkflowInput as In;
    use WorkflowState as S;
    match (state, input) {
        (S::AskingFleet, In::FleetQueuesIt) => Move::Wait(WaitingFor::Drone),
        (S::AskingFleet, In::FleetHasNoRoom) => fallback.hand_over(FailureReason::BacklogFull),
        (S::Waiting(WaitingFor::Drone), In::PatienceOver) => fallback.hand_over(FailureReason::NoDroneInTime),
        (S::Waiting(WaitingFor::PickupTime), In::PickupTimeCame) => Move::AskFleet,
        _ => Move::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_and_every_late_message() {
        let roomy = Fallback {
            when_full: WhenFull::ThirdParty,
            third_party_has_room: true,
        };
        let states = [
            WorkflowState::AskingFleet,
            WorkflowState::Waiting(WaitingFor::Drone),
            WorkflowState::Waiting(WaitingFor::PickupTime),
            WorkflowState::Waiting(WaitingFor::ThirdParty),
        ];
        let inputs = [
            WorkflowInput::FleetQueuesIt,
            WorkflowInput::FleetHasNoRoom,
            WorkflowInput::PatienceOver,
            WorkflowInput::PickupTimeCame,
        ];
        let moves: Vec<Vec<Move>> = states
            .iter()
            .map(|state| inputs.iter().map(|input| next(*state, *input, roomy)).collect())
            .collect();
        let (stay, wait) = (Move::Stay, Move::Wait);
        assert_eq!(
            moves,
            [
                [wait(WaitingFor::Drone), wait(WaitingFor::ThirdParty), stay, stay],
                [stay, stay, wait(WaitingFor::ThirdParty), stay],
                [stay, stay, stay, Move::AskFleet],
                [stay, stay, stay, stay],
            ]
        );
    }

    #[test]
    fn without_third_party_transport_a_request_fails_for_its_own_reason() {
        let strict = Fallback {
            when_full: WhenFull::Fail,
            third_party_has_room: true,
        };
        let full = Fallback {
            when_full: WhenFull::ThirdParty,
            third_party_has_room: false,
        };
        let reason = FailureReason::NoDroneInTime;
        assert_eq!(strict.hand_over(reason), Move::Fail(reason));
        assert_eq!(full.hand_over(reason), Move::Fail(FailureReason::BacklogFull));
    }
}
