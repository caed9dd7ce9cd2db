//! Who and how many are docked, and docks as older snapshots have them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::sim::ageing::Healths;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::SimTime;

use super::{Chargers, Docks, Memo, Plug, Queued};

impl Docks {
    /// As snapshots before format 7 have them.
    pub(in crate::actors::fleet) fn restored(
        ready: Vec<BTreeSet<(SimTime, DroneId)>>,
        plugged: BTreeMap<DroneId, Plug>,
        hubs: impl Iterator<Item = (u32, VecDeque<Queued>)>,
    ) -> Self {
        Docks {
            ready,
            plugged,
            hubs: hubs.map(|(in_use, queue)| Chargers { in_use, queue }).collect(),
            sites: Vec::new(),
            changed: BTreeSet::new(),
            altered: Memo::default(),
            healths: Healths::default(),
        }
    }

    /// Chargers in use at a hub, and drones that wait for one.
    pub(in crate::actors::fleet) fn queues(&self, hub: HubId) -> (u32, u32) {
        let chargers = &self.hubs[hub.index()];
        (chargers.in_use, chargers.queue.len() as u32)
    }

    /// By hub: chargers in use, and drones that are plugged in.
    pub(in crate::actors::fleet) fn chargers(&self) -> impl Iterator<Item = (HubId, u32, u32)> + '_ {
        let numbered = (0..).map(HubId).zip(&self.hubs);
        numbered.map(|(hub, chargers)| {
            let at_hub = |plug: &&Plug| self.sites[plug.pair].hub == hub;
            let plugged = self.plugged.values().filter(at_hub).count();
            (hub, chargers.in_use, plugged as u32)
        })
    }

    /// Everyone who is docked: plugged in, full, or in a queue for a charger.
    pub(in crate::actors::fleet) fn drones(&self) -> impl Iterator<Item = DroneId> + '_ {
        let ready = self.ready.iter().flatten().map(|(_, drone)| *drone);
        let queued = self.hubs.iter().flat_map(|hub| &hub.queue);
        ready.chain(queued.map(|queued| queued.drone))
    }

    /// How many are docked.
    pub(in crate::actors::fleet) fn len(&self) -> usize {
        let ready = self.ready.iter().map(BTreeSet::len);
        let queued = self.hubs.iter().map(|hub| hub.queue.len());
        ready.chain(queued).sum()
    }
}
