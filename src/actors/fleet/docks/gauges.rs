//! What the docks tell of themselves: their hubs' queues, as gauges and as events.

use super::{Context, Docks, Effects, HubEvent, HubId, HubQueues, PadQueues, Plug};

impl Docks {
    pub(in crate::actors::fleet) fn hub_queues(&self) -> impl Iterator<Item = (HubId, HubQueues)> + '_ {
        let hubs = (0..self.hubs.len()).map(|hub| HubId(hub as u16));
        hubs.map(|hub| (hub, self.queues(hub)))
    }

    fn queues(&self, hub: HubId) -> HubQueues {
        let (chargers, pads) = (&self.hubs[hub.index()], self.pad_queues[hub.index()]);
        HubQueues {
            charging: chargers.in_use,
            queued: chargers.queue.len() as u32,
            holding: pads.holding,
            departing: pads.departing,
            beside_pads: pads.beside,
        }
    }

    /// Whether they are others than before.
    pub(in crate::actors::fleet) fn set_pad_queues(&mut self, hub: HubId, queues: PadQueues) -> bool {
        std::mem::replace(&mut self.pad_queues[hub.index()], queues) != queues
    }

    /// By hub: chargers in use, and drones that are plugged in.
    pub(in crate::actors::fleet) fn chargers(&self) -> impl Iterator<Item = (HubId, u32, u32)> + '_ {
        let numbered = self.hubs.iter().enumerate();
        numbered.map(|(hub, chargers)| {
            let hub = HubId(hub as u16);
            let at_hub = |plug: &&Plug| self.sites[plug.pair].hub == hub;
            (
                hub,
                chargers.in_use,
                self.plugged.values().filter(at_hub).count() as u32,
            )
        })
    }

    /// Number of each hub's last event; 0 before its first.
    pub(in crate::actors::fleet) fn hub_seqs(&self) -> impl Iterator<Item = (HubId, u32)> + '_ {
        let numbered = self.hubs.iter().enumerate();
        numbered.map(|(hub, chargers)| (HubId(hub as u16), chargers.seq))
    }

    /// Numbers an event of the hub.
    pub(in crate::actors::fleet) fn tell(
        &mut self,
        context: &Context,
        hub: HubId,
        event: HubEvent,
        effects: &mut Effects,
    ) {
        effects.emit_hub(context, &mut self.hubs[hub.index()].seq, hub, event);
    }

    pub(in crate::actors::fleet) fn tell_queue(
        &mut self,
        context: &Context,
        hub: HubId,
        effects: &mut Effects,
    ) {
        let event = HubEvent::QueuesChanged(self.queues(hub));
        self.tell(context, hub, event, effects);
    }
}
