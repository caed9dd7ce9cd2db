//! A drone's mission as a state machine, apart from where it is (the sky's) and who
//! owns it (its actor).

use serde::{Deserialize, Serialize};

use super::geo::{LatLon, Point};
use super::ids::DeliveryId;
use super::order::{ConfirmationRequired, Order};
use super::world::World;

/// What a drone is doing, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DroneStatus {
    Parked,
    Charging,
    Climbing,
    Cruising,
    Descending,
    /// In place to take up or hand over its package; types that land for it stand.
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

/// What a drone was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub delivery: DeliveryId,
    pub pickup: Point,
    pub dropoff: Point,
    pub payload_kg: f64,
    /// Whether the recipient's word is required.
    pub confirmed: bool,
}

impl Task {
    pub fn of(world: &World, delivery: DeliveryId, order: &Order) -> Self {
        Task {
            delivery,
            pickup: world.area.point(order.pickup.location),
            dropoff: world.area.point(order.dropoff.location),
            payload_kg: order.package.weight_kg,
            confirmed: order.confirmation != ConfirmationRequired::None,
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
        task: Task,
    },
    HeadedToDropoff {
        task: Task,
    },
    /// At the door with the package, until the recipient has confirmed.
    AtDoor {
        task: Task,
    },
    /// On the way home with the package.
    BringingBack {
        task: Task,
    },
    Returning,
    Lost {
        at: LatLon,
    },
    /// Not in the world any more.
    Withdrawn,
}

/// What moves a drone from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DroneInput {
    Assign(Task),
    /// To other places than it was sent to.
    Redirect(Task),
    PickedUp,
    /// At the end of the hand-over.
    Delivered,
    Confirmed,
    /// Home, with what is on board.
    TurnBack,
    Landed,
    /// Down elsewhere than at a hub.
    Down {
        at: LatLon,
    },
    /// Out of the world, from wherever it stands or lies.
    Withdraw,
    /// Off to its own hub, from another.
    FlyHome,
}

/// The state machine does not allow this move: a bug, or a message that came too late.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a drone that is {state:?} cannot take {input:?}")]
pub struct ForbiddenMove {
    pub state: DroneState,
    pub input: DroneInput,
}

impl DroneState {
    pub fn next(self, input: DroneInput) -> Result<DroneState, Box<ForbiddenMove>> {
        use DroneInput as In;
        use DroneState as S;
        Ok(match (self, input) {
            (S::Docked, In::Assign(task)) => S::HeadedToPickup { task },
            (S::HeadedToPickup { .. }, In::Redirect(task)) => S::HeadedToPickup { task },
            (S::HeadedToPickup { task }, In::PickedUp) => S::HeadedToDropoff { task },
            (S::HeadedToPickup { .. }, In::TurnBack) => S::Returning,
            (S::HeadedToDropoff { task }, In::Delivered) if task.confirmed => S::AtDoor { task },
            (S::HeadedToDropoff { .. }, In::Delivered) | (S::AtDoor { .. }, In::Confirmed) => S::Returning,
            (S::HeadedToDropoff { task } | S::AtDoor { task }, In::TurnBack) => S::BringingBack { task },
            // A flight ends at home, whatever came in between.
            (state, In::Landed) if state.is_in_the_air() => S::Docked,
            (state, In::Down { at }) if state.is_in_the_air() => S::Lost { at },
            (S::Docked, In::FlyHome) => S::Returning,
            (S::Docked | S::Lost { .. }, In::Withdraw) => S::Withdrawn,
            (state, input) => return Err(Box::new(ForbiddenMove { state, input })),
        })
    }

    pub fn is_in_the_air(self) -> bool {
        use DroneState as S;
        !matches!(self, S::Docked | S::Lost { .. } | S::Withdrawn)
    }

    /// What this drone still has to bring to its end.
    pub fn task(self) -> Option<Task> {
        match self {
            DroneState::HeadedToPickup { task }
            | DroneState::HeadedToDropoff { task }
            | DroneState::AtDoor { task }
            | DroneState::BringingBack { task } => Some(task),
            DroneState::Docked | DroneState::Returning | DroneState::Lost { .. } | DroneState::Withdrawn => {
                None
            }
        }
    }

    /// What hangs below it, kilograms.
    pub fn payload_kg(self) -> f64 {
        match self {
            DroneState::HeadedToDropoff { task }
            | DroneState::AtDoor { task }
            | DroneState::BringingBack { task } => task.payload_kg,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_and_every_forbidden_move() {
        use DroneInput as In;
        use DroneState as S;
        let task = Task {
            delivery: DeliveryId::new(1, [0; 10]),
            pickup: Point { x: 0.0, y: 0.0 },
            dropoff: Point { x: 900.0, y: 0.0 },
            payload_kg: 0.5,
            confirmed: false,
        };
        let signed = Task {
            confirmed: true,
            ..task
        };
        let at = LatLon {
            lat: 37.7,
            lon: -122.4,
        };
        let (fall, lost) = (In::Down { at }, S::Lost { at });
        let to_pickup = S::HeadedToPickup { task };
        let to_dropoff = S::HeadedToDropoff { task };
        let to_door = S::HeadedToDropoff { task: signed };
        let (at_door, back) = (S::AtDoor { task: signed }, S::BringingBack { task: signed });
        let in_the_air = [to_pickup, to_dropoff, to_door, at_door, back, S::Returning];
        let inputs = [
            In::Assign(task),
            In::Redirect(signed),
            In::PickedUp,
            In::Delivered,
            In::Confirmed,
            In::TurnBack,
            In::Landed,
            fall,
            In::Withdraw,
            In::FlyHome,
        ];
        let mut allowed = vec![
            (S::Docked, In::FlyHome, S::Returning),
            (S::Docked, In::Assign(task), to_pickup),
            (
                to_pickup,
                In::Redirect(signed),
                S::HeadedToPickup { task: signed },
            ),
            (to_pickup, In::PickedUp, to_dropoff),
            (to_pickup, In::TurnBack, S::Returning),
            (to_dropoff, In::Delivered, S::Returning),
            (to_door, In::Delivered, at_door),
            (at_door, In::Confirmed, S::Returning),
            (to_dropoff, In::TurnBack, S::BringingBack { task }),
            (to_door, In::TurnBack, back),
            (at_door, In::TurnBack, back),
            (S::Docked, In::Withdraw, S::Withdrawn),
            (lost, In::Withdraw, S::Withdrawn),
        ];
        for state in in_the_air {
            allowed.extend([(state, In::Landed, S::Docked), (state, fall, lost)]);
        }
        for state in in_the_air.into_iter().chain([S::Docked, lost, S::Withdrawn]) {
            for input in inputs {
                let expected = allowed.iter().find(|(s, i, _)| (*s, *i) == (state, input));
                match expected {
                    Some((_, _, next)) => assert_eq!(state.next(input), Ok(*next)),
                    None => assert_eq!(state.next(input), Err(Box::new(ForbiddenMove { state, input }))),
                }
            }
        }
    }
}
