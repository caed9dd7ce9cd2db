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
    /// At the door, where the order requires the recipient's word.
    AwaitingConfirmation,
    /// On board, on the way to the hub that the drone came from.
    ComingBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryInput {
    PickedUp,
    /// The door is reached, and the recipient's word required.
    AtDoor,
    Delivered,
    Confirmed,
    /// Nobody came to the door in time.
    Unconfirmed,
    /// The drone goes home with what it has on board, or without.
    TurnedBack,
    /// At the hub.
    Returned,
    DroneLost,
    CarrierFailed,
}

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    GoesOn(DeliveryState),
    Completed,
    Failed,
    /// Somebody else must carry it.
    TakenBack,
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
        use Outcome::{Completed, Failed, GoesOn, TakenBack};
        match (self, input) {
            (S::HeadedToPickup, In::PickedUp) => Ok(GoesOn(S::HeadedToDropoff)),
            (S::HeadedToPickup, In::DroneLost | In::TurnedBack) => Ok(TakenBack),
            (S::HeadedToDropoff, In::AtDoor) => Ok(GoesOn(S::AwaitingConfirmation)),
            (S::HeadedToDropoff, In::Delivered) => Ok(Completed),
            (S::AwaitingConfirmation, In::Confirmed) => Ok(Completed),
            (S::AwaitingConfirmation, In::Unconfirmed) => Ok(GoesOn(S::ComingBack)),
            (S::HeadedToDropoff | S::AwaitingConfirmation, In::TurnedBack) => Ok(GoesOn(S::ComingBack)),
            (S::ComingBack, In::Returned) => Ok(TakenBack),
            (_, In::DroneLost | In::CarrierFailed) => Ok(Failed),
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
        use Outcome::{Completed, Failed, GoesOn, TakenBack};
        let inputs = [
            In::PickedUp,
            In::AtDoor,
            In::Delivered,
            In::Confirmed,
            In::Unconfirmed,
            In::TurnedBack,
            In::Returned,
            In::DroneLost,
            In::CarrierFailed,
        ];
        let to_dropoff = Some(GoesOn(S::HeadedToDropoff));
        let at_door = Some(GoesOn(S::AwaitingConfirmation));
        let back = Some(GoesOn(S::ComingBack));
        let (taken, done, fails) = (Some(TakenBack), Some(Completed), Some(Failed));
        #[rustfmt::skip]
        let table = [
            (S::HeadedToPickup,       [to_dropoff, None, None, None, None, taken, None, taken, fails]),
            (S::HeadedToDropoff,      [None, at_door, done, None, None, back, None, fails, fails]),
            (S::AwaitingConfirmation, [None, None, None, done, back, back, None, fails, fails]),
            (S::ComingBack,           [None, None, None, None, None, None, taken, fails, fails]),
        ];
        for (state, row) in table {
            for (input, expected) in inputs.into_iter().zip(row) {
                let expected = expected.ok_or(ForbiddenMove { state, input });
                assert_eq!(state.next(input), expected, "{state:?} {input:?}");
            }
        }
    }
}
