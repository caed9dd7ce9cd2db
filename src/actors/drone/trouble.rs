//! What a drone does when the weather is too much for it, or a rotor is out.
//!
//! In weather it waits a while where it is; then it goes on where it may, or diverts to the
//! nearest hub that it reaches, or comes down on the spot. Which of these is
//! [`crate::sim::refuge`]'s to say, by the wind that it feels and not by the forecast. Nobody has
//! to reach it for that.

use crate::sim::drone::DroneInput;
use crate::sim::event::DroneEvent;
use crate::sim::flight::FlightPlan;
use crate::sim::ids::HubId;
use crate::sim::limp::AfterRotorOut;
use crate::sim::refuge::{Patience, Plight, WAIT_S, Way};
use crate::sim::sky::Fix;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::weather::{Breach, Conditions};
use crate::sim::world::World;

use super::flying::{Base, expected};
use super::{Context, Drone, DroneMessage, Effect, Effects, FleetMessage, Mail, Trouble};

impl Drone {
    pub(super) fn hear_alarm(&mut self, context: &Context, breach: Breach, effects: &mut Effects) {
        if !self.state.is_in_the_air() {
            return;
        }
        self.emit(context, effects, DroneEvent::WeatherAlarm(breach));
        self.is_off_plan(effects);
        effects.0.push(Effect::Feel(self.id, Trouble::Weather));
    }

    pub(super) fn look_again(&mut self, due: SimTime, effects: &mut Effects) {
        if self.waits_until == Some(due) && self.state.is_in_the_air() {
            effects.0.push(Effect::Feel(self.id, Trouble::Waited));
        }
    }

    /// One that can do without flies on to the nearest hub; one with wings glides down. Others
    /// the engine has taken down.
    pub(super) fn lose_rotor(&mut self, context: &Context, effects: &mut Effects) {
        let fleet = context.world.fleet_of(self.id);
        let model = context
            .world
            .model(fleet.expect("every drone belongs to a fleet").model);
        let trouble = match model.after_rotor_out() {
            AfterRotorOut::Limps if !self.limps => Trouble::Limping,
            AfterRotorOut::Limps | AfterRotorOut::Glides => Trouble::Gliding,
            AfterRotorOut::Falls => return,
        };
        self.limps = trouble == Trouble::Limping || self.limps;
        effects.0.push(Effect::Feel(self.id, trouble));
    }

    /// It knows where it is, and what blows there.
    pub(super) fn felt(
        &mut self,
        context: &Context,
        around: Option<(Fix, Conditions)>,
        trouble: Trouble,
        effects: &mut Effects,
    ) {
        let Some((fix, conditions)) = around.filter(|_| self.state.is_in_the_air()) else {
            return;
        };
        self.waits_until = None;
        if trouble == Trouble::Weather {
            let (at, met) = (fix.at, conditions);
            effects.send(Mail::Fleet(FleetMessage::MetWeather { at, met }));
        }
        let forecast = self.base(context);
        let base = Base {
            air: forecast.air.felt(conditions),
            ..forecast
        };
        let is_fair = base.model.limits.broken_by(&conditions).is_none();
        if trouble == Trouble::Waited && is_fair && self.goes_on(context, &base, fix, effects) {
            return;
        }
        let patience = match trouble {
            Trouble::Limping | Trouble::Gliding => Patience::None,
            Trouble::Weather if !self.is_homeward() => Patience::Once,
            Trouble::Weather | Trouble::Waited => Patience::UntilReached,
        };
        let plight = self.plight(&base, fix);
        let way = match trouble {
            Trouble::Gliding => Way::LandHere(plight.land_here()),
            _ => plight.way(patience),
        };
        self.take(context, fix, way, effects);
    }

    /// No way leads to where it is to go, nor home: to another hub, or it stays until there is
    /// one again, or comes down.
    pub(super) fn shut_out(&mut self, context: &Context, fix: Fix, effects: &mut Effects) {
        let base = self.base(context);
        let way = self.plight(&base, fix).way(Patience::UntilReached);
        self.take(context, fix, way, effects);
    }

    fn plight<'a>(&self, base: &'a Base<'a>, fix: Fix) -> Plight<'a> {
        Plight {
            world: base.world,
            air: base.air,
            model: &base.model,
            fix,
            payload_kg: self.state.payload_kg(),
        }
    }

    fn take(&mut self, context: &Context, fix: Fix, way: Way, effects: &mut Effects) {
        if self.is_homeward() && !matches!(way, Way::Divert(..)) {
            // A pad that was promised to it is not waited for.
            let drone = self.id;
            effects.send(Mail::Fleet(FleetMessage::Strayed { drone }));
        }
        match way {
            Way::Wait(mission) => {
                self.emit(context, effects, DroneEvent::Holding);
                let due = context.now + SimDuration::from_secs(WAIT_S);
                self.waits_until = Some(due);
                effects.wake_at(due, Mail::Drone(self.id, DroneMessage::LookAgain { due }));
                if let Ok(Some(onwards)) = self.onwards(&self.base(context), fix) {
                    self.tell_etas(context, expected(due, &onwards), effects);
                }
                self.fly(context, mission, effects);
            }
            Way::Divert(hub, mission) => {
                self.divert(context, hub, effects);
                self.fly(context, mission, effects);
            }
            Way::LandHere(mission) => {
                self.gives_up_errand(effects);
                self.fly(context, mission, effects);
            }
        }
    }

    fn divert(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let home = self.home(&context.world);
        let was_homeward = self.is_homeward();
        let before = self.refuge.unwrap_or(home);
        self.turn_back(context, effects);
        self.refuge = Some(hub).filter(|hub| *hub != home);
        if before != hub {
            let drone = self.id;
            effects.send(Mail::Fleet(FleetMessage::Strayed { drone }));
        }
        if was_homeward && before != hub {
            self.tell_diverted(context, effects);
        }
    }

    /// Down, and mended.
    pub(super) fn is_well(&mut self) {
        self.refuge = None;
        self.waits_until = None;
        self.limps = false;
    }

    /// The hub that it comes back to.
    pub(super) fn home(&self, world: &World) -> HubId {
        let fleet = world.fleet_of(self.id);
        let own = fleet.expect("every drone belongs to a fleet").hub;
        self.station.unwrap_or(own)
    }

    /// To its own hub, or to another, to be stationed there.
    pub(super) fn fly_empty(
        &mut self,
        context: &Context,
        from: HubId,
        to: Option<HubId>,
        plan: FlightPlan,
        effects: &mut Effects,
    ) {
        if context.world.is_withdrawn(self.id) {
            return self.retire(context, effects);
        }
        if !self.moves(DroneInput::FlyHome) {
            return;
        }
        self.station = to;
        effects.0.push(Effect::Fly(self.id, plan));
        let taken_off = DroneEvent::TakenOff {
            hub: from,
            delivery: None,
        };
        self.emit(context, effects, taken_off);
    }
}

#[cfg(test)]
mod tests;
