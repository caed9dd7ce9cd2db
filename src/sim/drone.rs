//! A drone's mission as a state machine, apart from where it is (the sky's) and who
//! owns it (its actor).

use serde::{Deserialize, Serialize};

use super::geo::LatLon;
use super::ids::DeliveryId;

/// What a drone is doing, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DroneStatus {
    Parked,
    Charging,
    Climbing,
    Cruising,
    Descending,
    Hovering,
    Returning,
    Holding,
    Grounded,
    Lost,
}

impl DroneStatus {
    pub const ALL: [DroneStatus; 10] = [
        DroneStatus::Parked,
        DroneStatus::Charging,
        DroneStatus::Climbing,
        DroneStatus::Cruising,
        DroneStatus::Descending,
        DroneStatus::Hovering,
        DroneStatus::Returning,
        DroneStatus::Holding,
        DroneStatus::Grounded,
        DroneStatus::Lost,
    ];

    /// Whether a drone of this status stands or lies somewhere.
    pub fn is_on_ground(self) -> bool {
        use DroneStatus as S;
        matches!(self, S::Parked | S::Charging | S::Grounded | S::Lost)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            DroneStatus::Parked => "parked",
            DroneStatus::Charging => "charging",
            DroneStatus::Climbing => "climbing",
            DroneStatus::Cruising => "cruising",
            DroneStatus::Descending => "descending",
            DroneStatus::Hovering => "hovering",
            DroneStatus::Returning => "returning",
            DroneStatus::Holding => "holding",
            DroneStatus::Grounded => "grounded",
            DroneStatus::Lost => "lost",
        }
    }
}

/// Whose package a drone is busy with, and how far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum DroneState {
    /// On the ground, free or charging; the fleet may call.
    #[default]
    Docked,
    HeadedToPickup {
        delivery: DeliveryId,
    },
    HeadedToDropoff {
        delivery: DeliveryId,
    },
    Returning,
    Lost {
        at: LatLon,
    },
}

/// What moves a drone from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DroneInput {
    Assign(DeliveryId),
    PickedUp,
    Delivered,
    Landed,
    /// Down elsewhere than at a hub.
    Down {
        at: LatLon,
    },
}

/// The state machine does not allow this move: a bug, or a message that came too late.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a drone that is {state:?} cannot take {input:?}")]
pub struct ForbiddenMove {
    pub state: DroneState,
    pub input: DroneInput,
}

impl DroneState {
    pub fn next(self, input: DroneInput) -> Result<DroneState, ForbiddenMove> {
        use DroneInput as In;
        use DroneState as S;
        Ok(match (self, input) {
            (S::Docked, In::Assign(delivery)) => S::HeadedToPickup { delivery },
            (S::HeadedToPickup { delivery }, In::PickedUp) => S::HeadedToDropoff { delivery },
            (S::HeadedToDropoff { .. }, In::Delivered) => S::Returning,
            (S::Returning, In::Landed) => S::Docked,
            (S::HeadedToPickup { .. } | S::HeadedToDropoff { .. } | S::Returning, In::Down { at }) => {
                S::Lost { at }
            }
            (state, input) => return Err(ForbiddenMove { state, input }),
        })
    }

    /// The delivery that this drone still has to bring to its end.
    pub fn delivery(self) -> Option<DeliveryId> {
        match self {
            DroneState::HeadedToPickup { delivery } | DroneState::HeadedToDropoff { delivery } => {
                Some(delivery)
            }
            DroneState::Docked | DroneState::Returning | DroneState::Lost { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_and_every_forbidden_move() {
        let id = DeliveryId::new(1, [0; 10]);
        let to_pickup = DroneState::HeadedToPickup { delivery: id };
        let to_dropoff = DroneState::HeadedToDropoff { delivery: id };
        let at = LatLon {
            lat: 37.7,
            lon: -122.4,
        };
        let (fall, lost) = (DroneInput::Down { at }, DroneState::Lost { at });
        let states = [
            DroneState::Docked,
            to_pickup,
            to_dropoff,
            DroneState::Returning,
            lost,
        ];
        let inputs = [
            DroneInput::Assign(id),
            DroneInput::PickedUp,
            DroneInput::Delivered,
            DroneInput::Landed,
            fall,
        ];
        let allowed = [
            (DroneState::Docked, DroneInput::Assign(id), to_pickup),
            (to_pickup, DroneInput::PickedUp, to_dropoff),
            (to_dropoff, DroneInput::Delivered, DroneState::Returning),
            (DroneState::Returning, DroneInput::Landed, DroneState::Docked),
            (to_pickup, fall, lost),
            (to_dropoff, fall, lost),
            (DroneState::Returning, fall, lost),
        ];
        for state in states {
            for input in inputs {
                let expected = allowed.iter().find(|(s, i, _)| (*s, *i) == (state, input));
                match expected {
                    Some((_, _, next)) => assert_eq!(state.next(input), Ok(*next)),
                    None => assert_eq!(state.next(input), Err(ForbiddenMove { state, input })),
                }
            }
        }
    }
}
