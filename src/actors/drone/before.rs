//! A drone's state as snapshots before format 3 hold it.

use serde::Deserialize;

use super::{DeliveryId, Drone, DroneId, DroneState, LatLon, Task};

/// As snapshots before format 3 hold it.
#[derive(Deserialize)]
pub struct DroneBefore3 {
    id: DroneId,
    state: StateBefore3,
    seq: u32,
}

#[derive(Deserialize)]
enum StateBefore3 {
    Docked,
    HeadedToPickup { delivery: DeliveryId },
    HeadedToDropoff { delivery: DeliveryId },
    Returning,
    Lost { at: LatLon },
}

impl DroneBefore3 {
    /// What it was sent for stands in the delivery's order.
    pub fn now(self, task: impl Fn(DeliveryId) -> Option<Task>) -> Drone {
        let state = match self.state {
            StateBefore3::Docked => DroneState::Docked,
            StateBefore3::HeadedToPickup { delivery } => {
                task(delivery).map_or(DroneState::Returning, |task| DroneState::HeadedToPickup { task })
            }
            StateBefore3::HeadedToDropoff { delivery } => {
                task(delivery).map_or(DroneState::Returning, |task| DroneState::HeadedToDropoff { task })
            }
            StateBefore3::Returning => DroneState::Returning,
            StateBefore3::Lost { at } => DroneState::Lost { at },
        };
        Drone {
            state,
            seq: self.seq,
            ..Drone::docked(self.id)
        }
    }
}
