//! A delivery's stages: what a customer sees, and which stage may follow which.

use serde::{Deserialize, Serialize};

use super::ids::DroneId;

/// The reference's stages, with `Failed` added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    Created,
    Rescheduled,
    HeadedToPickup,
    HeadedToDropoff,
    Completed,
    Cancelled,
    Failed,
}

impl Stage {
    pub const ALL: [Stage; 7] = [
        Stage::Created,
        Stage::Rescheduled,
        Stage::HeadedToPickup,
        Stage::HeadedToDropoff,
        Stage::Completed,
        Stage::Cancelled,
        Stage::Failed,
    ];

    pub fn is_terminal(self) -> bool {
        matches!(self, Stage::Completed | Stage::Cancelled | Stage::Failed)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Created => "Created",
            Stage::Rescheduled => "Rescheduled",
            Stage::HeadedToPickup => "HeadedToPickup",
            Stage::HeadedToDropoff => "HeadedToDropoff",
            Stage::Completed => "Completed",
            Stage::Cancelled => "Cancelled",
            Stage::Failed => "Failed",
        }
    }
}

/// Who has, or comes for, the package of a delivery under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bearer {
    Drone(DroneId),
    /// A van of third-party transport.
    Carrier,
}

/// Where a delivery under way stands; its end is the end of its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryState {
    HeadedToPickup,
    HeadedToDropoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryInput {
    PickedUp,
    Delivered,
    DroneLost,
    CarrierFailed,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    GoesOn(DeliveryState),
    Completed,
    Failed,
}

/// The state machine does not allow this move: a bug, or a message that came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state:?} cannot take {input:?}")]
pub struct ForbiddenMove {
    pub state: DeliveryState,
    pub input: DeliveryInput,
}

impl DeliveryState {
    pub fn next(self, input: DeliveryInput) -> Result<Outcome, ForbiddenMove> {
        use DeliveryInput as In;
        use DeliveryState as S;
        match (self, input) {
            (S::HeadedToPickup, In::PickedUp) => Ok(Outcome::GoesOn(S::HeadedToDropoff)),
            (S::HeadedToDropoff, In::Delivered) => Ok(Outcome::Completed),
            (_, In::DroneLost | In::CarrierFailed) => Ok(Outcome::Failed),
            (state, input) => Err(ForbiddenMove { state, input }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_and_every_forbidden_move() {
        use DeliveryInput as In;
        use DeliveryState as S;
        let forbidden = |state, input| Err(ForbiddenMove { state, input });
        let table = [
            (
                S::HeadedToPickup,
                In::PickedUp,
                Ok(Outcome::GoesOn(S::HeadedToDropoff)),
            ),
            (
                S::HeadedToPickup,
                In::Delivered,
                forbidden(S::HeadedToPickup, In::Delivered),
            ),
            (S::HeadedToPickup, In::DroneLost, Ok(Outcome::Failed)),
            (
                S::HeadedToDropoff,
                In::PickedUp,
                forbidden(S::HeadedToDropoff, In::PickedUp),
            ),
            (S::HeadedToDropoff, In::Delivered, Ok(Outcome::Completed)),
            (S::HeadedToDropoff, In::DroneLost, Ok(Outcome::Failed)),
            (S::HeadedToPickup, In::CarrierFailed, Ok(Outcome::Failed)),
            (S::HeadedToDropoff, In::CarrierFailed, Ok(Outcome::Failed)),
        ];
        for (state, input, expected) in table {
            assert_eq!(state.next(input), expected);
        }
    }
}
