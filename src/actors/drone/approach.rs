//! Coming down to a hub's pads: the drone says when it is there and how long its battery lets it
//! hold; the fleet says whether there is a pad.

use crate::sim::event::DroneEvent;
use crate::sim::flight::{self, Infeasible, Phase};
use crate::sim::sky::{self, Fix};

use super::flying::place;
use super::{Context, Drone, Effects, FleetMessage, Mail, Purpose};

/// To a place in the stack and back over the hub.
const THERE_AND_BACK_S: f64 = 60.0;
/// This share of a battery is not for holding.
const KEPT_BACK: f64 = 0.02;

impl Drone {
    /// Who does not hear cannot be told to hold.
    pub(super) fn approach(
        &mut self,
        context: &Context,
        fix: Fix,
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let (drone, world) = (self.id, &context.world);
        let base = self.base(context);
        let payload_kg = self.state.payload_kg();
        let descent_s = base.wait(fix, 0.0, Phase::Hold, payload_kg)?.plan.descent_s();
        let spared = Fix {
            energy_wh: fix.energy_wh - KEPT_BACK * base.model.battery.capacity_wh,
            ..fix
        };
        let endurance_s = match self.link_lost_until {
            Some(_) => 0.0,
            None => (base.hover_s(spared, payload_kg)? - THERE_AND_BACK_S).max(0.0),
        };
        effects.send(Mail::Fleet(FleetMessage::Approach {
            drone,
            hub: sky::nearest_hub(world, drone, fix.at),
            endurance_s,
            descent_s,
        }));
        Ok(())
    }

    pub(super) fn await_pad(
        &mut self,
        context: &Context,
        fix: Fix,
        (number, seconds): (u8, f64),
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let base = self.base(context);
        let hub = context
            .world
            .hub(sky::nearest_hub(&context.world, self.id, fix.at));
        let mission = flight::plan_hold_beside(
            base.model,
            &base.air,
            place(fix),
            flight::stack_place(hub.at, number),
            seconds,
            hub.at,
            self.state.payload_kg(),
        )?;
        self.fly(mission, effects);
        self.emit(context, effects, DroneEvent::Holding);
        Ok(())
    }

    pub(super) fn come_down(&self, effects: &mut Effects) {
        if self.link_lost_until.is_none() {
            self.locate(Purpose::Replan, effects);
        }
    }
}
