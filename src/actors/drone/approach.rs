//! Coming down to a hub's pads: the drone says when it is there and how long its battery lets it
//! hold; the fleet says whether there is a pad.

use crate::sim::event::DroneEvent;
use crate::sim::flight::{self, Infeasible, Phase};
use crate::sim::ids::HubId;
use crate::sim::sky::{self, Fix};

use super::flying::Base;
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
        let (hub, base) = self.base_below(context, fix);
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
            drone: self.id,
            hub,
            endurance_s,
            descent_s,
        }));
        Ok(())
    }

    /// The hub that it is over, which need not be its own, as where it lands.
    fn base_below<'a>(&self, context: &'a Context, fix: Fix) -> (HubId, Base<'a>) {
        let world = &context.world;
        let hub = sky::nearest_hub(world, self.id, fix.at);
        let base = Base {
            home: world.hub(hub).at,
            ..self.base(context)
        };
        (hub, base)
    }

    pub(super) fn await_pad(
        &mut self,
        context: &Context,
        fix: Fix,
        (number, seconds): (u8, f64),
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let (_, base) = self.base_below(context, fix);
        let mission = flight::plan_hold_beside(
            &base.model,
            &base.air,
            fix.whereabouts(),
            flight::stack_place(base.home, number),
            seconds,
            base.home,
            self.state.payload_kg(),
        )?;
        self.fly(context, mission, effects);
        self.emit(context, effects, DroneEvent::Holding);
        Ok(())
    }

    pub(super) fn come_down(&self, effects: &mut Effects) {
        if self.link_lost_until.is_none() {
            self.locate(Purpose::ComeDown, effects);
        }
    }

    pub(super) fn land_here(
        &mut self,
        context: &Context,
        fix: Fix,
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let (_, base) = self.base_below(context, fix);
        let mission = base.wait(fix, 0.0, Phase::Return, self.state.payload_kg())?;
        self.fly(context, mission, effects);
        Ok(())
    }
}
