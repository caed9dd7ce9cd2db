//! What a drone flies by when it does not go on as planned: from where it is to what it is at.

use std::borrow::Cow;

use crate::sim::air::Air;
use crate::sim::dispatch;
use crate::sim::drone::{DroneInput, DroneState, Task};
use crate::sim::event::Etas;
use crate::sim::flight::{self, FlightPlan, Infeasible, Mission, Phase, Rest};
use crate::sim::geo::Point;
use crate::sim::separation::Strategic;
use crate::sim::sky::Fix;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{Model, World};

use super::{Context, DeliveryMessage, Drone, Effect, Effects, FleetMessage, Mail, Purpose};

/// So much longer than its patience a drone would hover at a door, if it were not told to leave.
const SPARE_S: f64 = 5.0;

/// The drone's own part of the world.
pub(super) struct Base<'a> {
    pub world: &'a World,
    pub air: Air<'a>,
    pub model: Cow<'a, Model>,
    pub home: Point,
    /// Seconds that are left of the hand-over that it is in the middle of.
    pub handover_left_s: Option<f64>,
}

impl Base<'_> {
    /// What is left of a task, and the way home.
    pub fn errand(&self, task: Task, aboard: bool) -> Rest {
        Rest {
            pickup: (!aboard).then_some(task.pickup),
            dropoff: task.dropoff,
            home: self.home,
            payload_kg: task.payload_kg,
            handover_left_s: self.handover_left_s,
        }
    }

    fn rest(&self, fix: Fix, task: Task, aboard: bool) -> Result<Mission, Infeasible> {
        let rest = self.errand(task, aboard);
        flight::plan_in_time(&self.air, |air| {
            let mut mission = flight::plan_rest(&self.model, air, fix.whereabouts(), &rest)?;
            mission.energy_wh += self.door_in_wh(air, task)?;
            Ok(mission)
        })
    }

    /// What the door may take, where the recipient's word is required.
    pub fn door_wh(&self, task: Task) -> Result<f64, Infeasible> {
        self.door_in_wh(&self.air, task)
    }

    fn door_in_wh(&self, air: &Air<'_>, task: Task) -> Result<f64, Infeasible> {
        if !task.confirmed {
            return Ok(0.0);
        }
        let patience_s = self.world.recipient.patience.as_secs();
        let (door, payload_kg) = (task.dropoff, task.payload_kg);
        flight::waiting_costs_wh(&self.model, air, door, self.home, payload_kg, patience_s)
    }

    pub fn wait(&self, fix: Fix, seconds: f64, phase: Phase, payload_kg: f64) -> Result<Mission, Infeasible> {
        let from = fix.whereabouts();
        flight::plan_in_time(&self.air, |air| {
            flight::plan_wait(&self.model, air, from, seconds, phase, self.home, payload_kg)
        })
    }

    /// So long it can hover and still come home, seconds.
    pub fn hover_s(&self, fix: Fix, payload_kg: f64) -> Result<f64, Infeasible> {
        const A_WHILE_S: f64 = 600.0;
        // Both come to rest first.
        const A_MOMENT_S: f64 = 1.0;
        let soon_wh = self.wait(fix, A_MOMENT_S, Phase::Hold, payload_kg)?.energy_wh;
        let longer_wh = self
            .wait(fix, A_MOMENT_S + A_WHILE_S, Phase::Hold, payload_kg)?
            .energy_wh;
        let left_wh = fix.energy_wh - dispatch::with_margin_wh(soon_wh);
        Ok((left_wh / dispatch::with_margin_wh(longer_wh - soon_wh) * A_WHILE_S).max(0.0))
    }
}

/// The times of a mission that begins then.
pub(super) fn expected(begins: SimTime, mission: &Mission) -> Etas {
    Etas {
        pickup: begins + SimDuration::from_secs(mission.pickup_s),
        delivery: begins + SimDuration::from_secs(mission.delivery_s),
    }
}

fn suffices(fix: Fix, mission: &Mission) -> bool {
    dispatch::with_margin_wh(mission.energy_wh) <= fix.energy_wh
}

/// Nobody takes off into a zone, but who stands at a shop or a door when one comes to lie there
/// may leave: it counts as in the air. At a hub it stays.
fn lifted(world: &World, fix: Fix) -> Fix {
    const A_HAIR_M: f64 = 0.01;
    let mut hubs = world.hubs.iter();
    match hubs.any(|hub| hub.at.distance(fix.at) < flight::AT_HUB_M) {
        true => fix,
        false => Fix {
            height_m: fix.height_m.max(A_HAIR_M),
            ..fix
        },
    }
}

impl Drone {
    pub(super) fn base<'a>(&self, context: &'a Context) -> Base<'a> {
        let world = &context.world;
        let fleet = world.fleet_of(self.id).expect("every drone belongs to a fleet");
        let model = world.model(fleet.model);
        Base {
            world,
            air: world.air(context.now),
            model: match self.limps {
                true => Cow::Owned(model.limping()),
                false => Cow::Borrowed(model),
            },
            home: world.hub(self.refuge.unwrap_or(self.home(world))).at,
            handover_left_s: None,
        }
    }

    fn base_at<'a>(&self, context: &'a Context, handover_left_s: Option<f64>) -> Base<'a> {
        Base {
            handover_left_s,
            ..self.base(context)
        }
    }

    /// It knows where it is, `None` where it has come down in the meantime, and how many seconds
    /// are left of the hand-over that it is in the middle of.
    pub(super) fn located(
        &mut self,
        context: &Context,
        (fix, left_s): (Option<Fix>, Option<f64>),
        purpose: Purpose,
        effects: &mut Effects,
    ) {
        let planned = match (purpose, fix) {
            (Purpose::Replan, Some(fix)) => self.replan(context, (fix, left_s), effects),
            (Purpose::CheckBattery, Some(fix)) => self.check_battery(context, (fix, left_s), effects),
            (Purpose::Hold(duration), Some(fix)) => self.hold(context, fix, duration, effects),
            (Purpose::Redirect(task), Some(fix)) => self.try_redirect(context, (fix, left_s), *task, effects),
            (Purpose::Redirect(task), None) => {
                self.change_errand(context, task.delivery, None, effects);
                Ok(())
            }
            (Purpose::Approach, Some(fix)) => self.approach(context, fix, effects),
            (Purpose::AwaitPad { place, seconds }, Some(fix)) => {
                self.await_pad(context, fix, (place, seconds), effects)
            }
            (Purpose::ComeDown, Some(fix)) => self.land_here(context, fix, effects),
            (_, None) => Ok(()),
        };
        if let Err(infeasible) = planned {
            tracing::warn!(drone = %self.id, %infeasible, "it goes on as planned before");
        }
    }

    /// Changes to it in the air.
    pub(super) fn fly(&self, context: &Context, mission: Mission, effects: &mut Effects) {
        self.tell_intent(context, &mission.plan, effects);
        effects.0.push(Effect::Fly(self.id, mission.plan));
    }

    /// Where ways are kept free.
    pub(super) fn tell_intent(&self, context: &Context, plan: &FlightPlan, effects: &mut Effects) {
        if context.world.separation.strategic == Strategic::GroundDelay {
            let (drone, plan) = (self.id, plan.clone());
            effects.send(Mail::Fleet(FleetMessage::Replanned { drone, plan }));
        }
    }

    /// To what it is at; home, where the battery does not do for that, or no way leads there.
    fn replan(
        &mut self,
        context: &Context,
        (fix, left_s): (Fix, Option<f64>),
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let base = self.base_at(context, left_s);
        let on_errand = matches!(
            self.state,
            DroneState::HeadedToPickup { .. } | DroneState::HeadedToDropoff { .. }
        );
        let at_door = matches!(self.state, DroneState::AtDoor { .. });
        let (now, height_m, airspace) = (context.now, fix.height_m, &context.world.airspace);
        let is_shut = airspace.is_shut(now, fix.at, height_m, height_m);
        let is_in_force = !airspace.lets_pass((now, now), (fix.at, fix.at), (height_m, height_m));
        let fix = match is_shut {
            true => lifted(base.world, fix),
            false => fix,
        };
        let mission = match self.onwards(&base, fix) {
            Err(Infeasible::NoWay) if on_errand => return self.give_up(context, fix, effects),
            Err(Infeasible::NoWay) => {
                self.shut_out(context, fix, effects);
                return Ok(());
            }
            // Nobody waits at a door that a zone has come to close.
            Ok(Some(_)) if is_in_force && at_door => return self.give_up(context, fix, effects),
            Ok(Some(mission)) if on_errand && !suffices(fix, &mission) => {
                return self.give_up(context, fix, effects);
            }
            Ok(Some(mission)) => mission,
            Ok(None) => return Ok(()),
            Err(infeasible) => return Err(infeasible),
        };
        self.tell_etas(context, expected(context.now, &mission), effects);
        self.fly(context, mission, effects);
        Ok(())
    }

    /// On with what it is at, in the weather that it feels, where battery and wind let it.
    pub(super) fn goes_on(
        &mut self,
        context: &Context,
        base: &Base<'_>,
        fix: Fix,
        effects: &mut Effects,
    ) -> bool {
        let onwards = self.onwards(base, fix).ok().flatten();
        let Some(mission) = onwards.filter(|mission| suffices(fix, mission)) else {
            return false;
        };
        self.tell_etas(context, expected(context.now, &mission), effects);
        self.fly(context, mission, effects);
        true
    }

    /// `None` where it is not in the air.
    pub(super) fn onwards(&self, base: &Base<'_>, fix: Fix) -> Result<Option<Mission>, Infeasible> {
        let mission = match self.state {
            DroneState::HeadedToPickup { task } => base.rest(fix, task, false)?,
            DroneState::HeadedToDropoff { task } => base.rest(fix, task, true)?,
            DroneState::AtDoor { task } => {
                let seconds = base.world.recipient.patience.as_secs() + SPARE_S;
                base.wait(fix, seconds, Phase::Handover, task.payload_kg)?
            }
            DroneState::BringingBack { .. } | DroneState::Returning => {
                base.wait(fix, 0.0, Phase::Hold, self.state.payload_kg())?
            }
            DroneState::Docked | DroneState::Lost { .. } | DroneState::Withdrawn => return Ok(None),
        };
        Ok(Some(mission))
    }

    fn give_up(&mut self, context: &Context, fix: Fix, effects: &mut Effects) -> Result<(), Infeasible> {
        self.turn_back(context, effects);
        let home = self.base(context);
        match home.wait(fix, 0.0, Phase::Hold, self.state.payload_kg()) {
            Ok(mission) => self.fly(context, mission, effects),
            Err(Infeasible::NoWay) => self.shut_out(context, fix, effects),
            Err(infeasible) => return Err(infeasible),
        }
        Ok(())
    }

    /// Turns back where the battery does not do for what it is at, and home is less.
    fn check_battery(
        &mut self,
        context: &Context,
        (fix, left_s): (Fix, Option<f64>),
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let base = self.base_at(context, left_s);
        let mission = match self.state {
            DroneState::HeadedToPickup { task } => base.rest(fix, task, false)?,
            DroneState::HeadedToDropoff { task } => base.rest(fix, task, true)?,
            DroneState::AtDoor { task } => {
                let seconds = context.world.recipient.patience.as_secs();
                base.wait(fix, seconds, Phase::Handover, task.payload_kg)?
            }
            _ => return Ok(()),
        };
        let home = base.wait(fix, 0.0, Phase::Hold, self.state.payload_kg())?;
        if !suffices(fix, &mission) && home.energy_wh < mission.energy_wh {
            self.give_up(context, fix, effects)?;
        }
        Ok(())
    }

    /// As long as the battery allows; then home, link or no link.
    fn hold(
        &mut self,
        context: &Context,
        fix: Fix,
        duration: SimDuration,
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let base = self.base(context);
        let onwards = match self.state {
            DroneState::HeadedToPickup { task } => base.rest(fix, task, false).ok(),
            DroneState::HeadedToDropoff { task } => base.rest(fix, task, true).ok(),
            _ => None,
        };
        if let Some(onwards) = onwards {
            let etas = expected(context.now + duration, &onwards);
            self.tell_etas(context, etas, effects);
        }
        let payload_kg = self.state.payload_kg();
        let seconds = (duration.as_secs() + SPARE_S).min(base.hover_s(fix, payload_kg)?);
        let mission = base.wait(fix, seconds, Phase::Hold, payload_kg)?;
        self.fly(context, mission, effects);
        Ok(())
    }

    /// Goes elsewhere, or home where that takes too much.
    fn try_redirect(
        &mut self,
        context: &Context,
        (fix, left_s): (Fix, Option<f64>),
        task: Task,
        effects: &mut Effects,
    ) -> Result<(), Infeasible> {
        let base = self.base_at(context, left_s);
        let reserve_wh = base.model.battery.reserve * base.model.battery.capacity_wh;
        let possible = base.rest(fix, task, false).ok();
        let possible = possible
            .filter(|mission| dispatch::with_margin_wh(mission.energy_wh) + reserve_wh <= fix.energy_wh);
        let (Some(mission), true) = (possible, matches!(self.state, DroneState::HeadedToPickup { .. }))
        else {
            self.change_errand(context, task.delivery, None, effects);
            return Ok(());
        };
        self.is_off_plan(effects);
        let etas = self.as_told(context, task, expected(context.now, &mission));
        self.moves(DroneInput::Redirect(task));
        self.tell_diverted(context, effects);
        self.fly(context, mission, effects);
        effects.send(Mail::Delivery(task.delivery, DeliveryMessage::Redirected(etas)));
        Ok(())
    }
}
