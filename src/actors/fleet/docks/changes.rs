//! What has changed since that was last asked: the hubs' queues, and what alarms of pairs were set
//! for.

use std::collections::BTreeSet;

use crate::sim::ids::{DroneId, HubId};

use super::Docks;

impl Docks {
    /// Hubs with other queues.
    pub(in crate::actors::fleet) fn take_changed(&mut self) -> BTreeSet<HubId> {
        std::mem::take(&mut self.changed)
    }

    /// Pairs with other drones or batteries.
    pub(in crate::actors::fleet) fn take_altered(&mut self) -> BTreeSet<usize> {
        std::mem::take(&mut self.altered.0)
    }

    /// A drone of the pair, where it is docked, has this battery from now on.
    pub(in crate::actors::fleet) fn wears(&mut self, pair: usize, drone: DroneId, health: f64) {
        let were_all_new = self.healths.all_new();
        self.healths.set(drone, health);
        match self.healths.all_new() == were_all_new {
            true => self.altered.0.extend([pair]),
            // The fullest of each pair are found in another way now, and when they hold so much may
            // be another microsecond by it.
            false => self.altered.0.extend(0..self.sites.len()),
        }
    }
}
