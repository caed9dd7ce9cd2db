//! How much of the fleet a run kept busy, and what its drones waited for.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::event::{DroneEvent, Event, Happening, HubEvent, HubQueues};
use crate::sim::ids::HubId;

/// Means over the run's ticks, as shares of all drones, and counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FleetUse {
    /// In the air, charging, or waiting for a charger or to leave: the sum of the four below.
    pub in_use: f64,
    pub airborne: f64,
    pub charging: f64,
    pub queued: f64,
    pub departing: f64,
    /// How often a drone held in the air, for a pad or for its link.
    pub holds: u64,
    /// Landings that found no pad in time, and were made beside.
    pub beside_pads: u64,
}

/// A listener that adds up what it hears.
#[derive(Default)]
pub(super) struct Use {
    hubs: BTreeMap<HubId, HubQueues>,
    /// Drone ticks.
    airborne: u64,
    charging: u64,
    queued: u64,
    departing: u64,
    holds: u64,
}

impl Use {
    pub fn hear(&mut self, events: &[Event], airborne: usize) {
        for event in events {
            match &event.happening {
                Happening::Hub(hub, HubEvent::QueuesChanged(queues)) => {
                    self.hubs.insert(*hub, *queues);
                }
                Happening::Drone(_, DroneEvent::Holding) => self.holds += 1,
                _ => {}
            }
        }
        self.airborne += airborne as u64;
        for queues in self.hubs.values() {
            self.charging += u64::from(queues.charging);
            self.queued += u64::from(queues.queued);
            self.departing += u64::from(queues.departing);
        }
    }

    pub fn summary(&self, drones: u32, ticks: u64) -> FleetUse {
        let all = (f64::from(drones) * ticks as f64).max(1.0);
        let share = |drone_ticks: u64| drone_ticks as f64 / all;
        FleetUse {
            in_use: share(self.airborne + self.charging + self.queued + self.departing),
            airborne: share(self.airborne),
            charging: share(self.charging),
            queued: share(self.queued),
            departing: share(self.departing),
            holds: self.holds,
            beside_pads: self.hubs.values().map(|hub| u64::from(hub.beside_pads)).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::time::SimTime;

    #[test]
    fn who_flies_charges_or_waits_for_that_is_in_use() {
        let mut listener = Use::default();
        let queues = HubQueues {
            charging: 2,
            queued: 1,
            departing: 3,
            beside_pads: 4,
            ..HubQueues::default()
        };
        let event = Event {
            at: SimTime::START,
            seq: 1,
            happening: Happening::Hub(HubId(0), HubEvent::QueuesChanged(queues)),
        };
        listener.hear(&[event], 3);
        listener.hear(&[], 1);
        let told = listener.summary(10, 2);
        assert_eq!((told.airborne, told.charging, told.queued), (0.2, 0.2, 0.1));
        assert!((told.departing - 0.3).abs() < 1e-12 && (told.in_use - 0.8).abs() < 1e-12);
        assert_eq!((told.holds, told.beside_pads), (0, 4));
    }
}
