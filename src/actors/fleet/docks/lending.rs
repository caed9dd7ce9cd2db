//! Chargers for drones of other hubs.

use crate::actors::{Context, Effects};
use crate::sim::ids::HubId;

use super::Docks;

impl Docks {
    /// A charger for a drone of another hub, where one is free that nobody waits for.
    pub fn lend(&mut self, context: &Context, hub: HubId) -> bool {
        let chargers = &mut self.hubs[hub.index()];
        let is_free = chargers.in_use < context.world.hub(hub).chargers && chargers.queue.is_empty();
        if is_free {
            chargers.in_use += 1;
            self.changed.insert(hub);
        }
        is_free
    }

    /// One that was lent; answers with the pair of the drone that has it now.
    pub fn take_back(&mut self, context: &Context, hub: HubId, effects: &mut Effects) -> Option<usize> {
        let chargers = &mut self.hubs[hub.index()];
        chargers.in_use = chargers.in_use.saturating_sub(1);
        let next = self.plug_in_next(context, hub, effects);
        self.changed.insert(hub);
        next
    }
}
