//! Ways that are kept free, where the scenario asks for it (`ground_delay`): the fleet's part.
//!
//! Who is kept for a delivery has its intent taken in from the moment on when it is expected to
//! leave, and leaves no earlier; guests that fly home have theirs when they leave. Who in the air
//! changes its plan changes its intent, which nobody is asked about.

use crate::sim::flight::FlightPlan;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::separation::Strategic;
use crate::sim::time::{SimDuration, SimTime};

use super::{Context, Fleet};

/// A flight that begins so much later than its intent says is where that says, nearly.
pub(super) const NEARLY: SimDuration = SimDuration(2_000_000);

impl Fleet {
    /// Finds out when its way is free, from then on.
    pub(super) fn find_way(&mut self, context: &Context, id: DeliveryId, earliest: SimTime) {
        if context.world.separation.strategic == Strategic::None {
            return;
        }
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        let model = context.world.model(context.world.pairs().get(kept.pair).model);
        let (drone, now) = (kept.drone, context.now);
        let begins = self
            .intents
            .accept(&context.world, drone, model, &kept.plan, now, earliest);
        kept.put_off = SimDuration(kept.put_off.0 + begins.since(earliest).0);
    }

    /// Its way is not kept free any more, and it is not put off by what it has yet to wait for it.
    pub(super) fn forgo_way(&mut self, context: &Context, id: DeliveryId) {
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        if let Some(begins) = self.intents.begins(kept.drone) {
            let left = begins.since(context.now);
            kept.put_off = SimDuration(kept.put_off.0.saturating_sub(left.0));
        }
        self.intents.end(kept.drone);
    }

    /// Whether its way is free now; if not, it is known when it will be.
    pub(super) fn has_way(&mut self, context: &Context, id: DeliveryId, drone: DroneId) -> bool {
        let now = context.now;
        let is_on_time = |begins: SimTime| now.since(begins) < NEARLY;
        if !self.intents.begins(drone).is_some_and(is_on_time) {
            self.find_way(context, id, now);
        }
        self.intents.begins(drone).is_none_or(|begins| begins <= now)
    }

    /// Whether a guest's way home is free now.
    pub(super) fn takes_way(&mut self, context: &Context, drone: DroneId, plan: &FlightPlan) -> bool {
        let (world, now) = (&context.world, context.now);
        let Some(fleet) = world.fleet_of(drone) else {
            return false;
        };
        if world.separation.strategic == Strategic::None {
            return true;
        }
        let model = world.model(fleet.model);
        let is_free = self.intents.accept(world, drone, model, plan, now, now) == now;
        if !is_free {
            self.intents.end(drone);
        }
        is_free
    }

    /// In the air it has changed to this plan.
    pub(super) fn takes_other_way(&mut self, context: &Context, drone: DroneId, plan: &FlightPlan) {
        let world = &context.world;
        if let Some(fleet) = world.fleet_of(drone) {
            let model = world.model(fleet.model);
            self.intents.replace(world, drone, model, plan, context.now);
        }
    }
}
