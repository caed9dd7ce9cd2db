//! The batteries' health: beside the columns, since it changes by landings and faults only.

use super::super::ageing::Healths;
use super::super::ids::DroneId;
use super::{CHUNK_ROWS, Sky};

impl Sky {
    /// What a snapshot keeps beside the columns.
    pub fn healths(&self) -> &Healths {
        &self.ground.healths
    }

    pub fn with_healths(mut self, healths: Healths) -> Self {
        self.ground.healths = healths;
        self
    }

    /// Of its type's capacity, what a drone's battery still has.
    pub fn health(&self, drone: DroneId) -> f64 {
        self.ground.healths.of(drone)
    }

    /// Leaves an airborne drone this share of what its battery holds, and of what it may hold
    /// from now on. No effect on others.
    pub fn wear(&mut self, drone: DroneId, left: f64) {
        let Some(&place) = self.places.get(drone.index()).filter(|_| self.is_airborne(drone)) else {
            return;
        };
        let (chunk, i) = (place as usize / CHUNK_ROWS, place as usize % CHUNK_ROWS);
        let chunk = &mut self.chunks[chunk];
        let lost_wh = (1.0 - left) * chunk.motion(i).energy_wh;
        chunk.change_motion(i, |motion| motion.energy_wh -= lost_wh);
        // Nothing was flown with it.
        chunk.flights[i].energy_at_start_wh -= lost_wh;
        self.ground.healths.set(drone, left * self.health(drone));
    }
}
