//! Take-offs that are put off until nobody's intent is in their way, where the scenario asks for
//! it: the fleet's part. Like one that waits for a pad the drone waits at its hub as the first
//! leg of its plan, so that its quote counts the wait and calling the delivery off frees it.

use crate::sim::flight::FlightPlan;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::separation::Strategic;
use crate::sim::time::SimDuration;

use super::{Context, Effects, Fleet};
use crate::actors::Effect;

impl Fleet {
    /// How long who is kept now waits for a pad, and for a free way.
    pub(super) fn wait_for_take_off(
        &mut self,
        context: &Context,
        drone: DroneId,
        hub: HubId,
        plan: &FlightPlan,
        effects: &mut Effects,
    ) -> SimDuration {
        let world = &context.world;
        let pad = self.wait_for_pad(context, hub);
        if world.separation.strategic == Strategic::None {
            return pad;
        }
        let fleet = world.fleet_of(drone).expect("every drone belongs to a fleet");
        let (model, earliest) = (world.model(fleet.model), context.now + pad);
        let begins = self
            .intents
            .accept(world, drone, model, plan, context.now, earliest);
        effects.0.push(Effect::PutOff(begins.since(earliest)));
        begins.since(context.now)
    }

    /// How long it goes on waiting for its way.
    pub(super) fn wait_for_way(&self, context: &Context, drone: DroneId) -> SimDuration {
        let begins = self.intents.begins(drone);
        begins.map_or(SimDuration::ZERO, |begins| begins.since(context.now))
    }
}
