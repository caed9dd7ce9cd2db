//! Who owns a part of the world: as mail is addressed, events tell and faults strike.

use serde::{Deserialize, Serialize};

use super::ids::{DeliveryId, DroneId};

/// Their order is the order in which a round's answers are gathered, and a place in it is an
/// actor's name in the store and in events: new ones go to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Actor {
    Scheduler,
    Fleet,
    Drone(DroneId),
    Delivery(DeliveryId),
    Accounts,
    Packages,
    Transport,
    Supervisor,
}

/// The actors of which there is one, with the names of their kinds.
pub const SINGLE_ACTORS: [Actor; 6] = [
    Actor::Scheduler,
    Actor::Fleet,
    Actor::Accounts,
    Actor::Packages,
    Actor::Transport,
    Actor::Supervisor,
];

impl Actor {
    pub fn kind(self) -> &'static str {
        match self {
            Actor::Scheduler => "scheduler",
            Actor::Fleet => "fleet",
            Actor::Drone(_) => "drone",
            Actor::Delivery(_) => "delivery",
            Actor::Accounts => "account",
            Actor::Packages => "package",
            Actor::Transport => "transport",
            Actor::Supervisor => "supervisor",
        }
    }
}
