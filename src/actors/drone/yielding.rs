//! Making way for another drone: the drone's part in tactical resolution.
//!
//! It takes the first of the scenario's means that works and that its battery allows without its
//! reserve, once in an encounter; where none does it flies on as planned and says so, for the other
//! to be asked.
//! Both are asked again while the conflict lasts. What it was at it goes on to.

use crate::sim::dispatch;
use crate::sim::drone::DroneState;
use crate::sim::event::DroneEvent;
use crate::sim::flight::{Infeasible, Manoeuvre, Mission, Onward, plan_manoeuvre};
use crate::sim::separation::{Advice, Minima, manoeuvres};
use crate::sim::sky::Fix;

use super::flying::{Base, expected};
use super::{Context, Drone, Effect, Effects};

impl Drone {
    pub(super) fn make_way(&mut self, context: &Context, advice: &Advice, effects: &mut Effects) {
        let Some((manoeuvre, mission)) = self.way_made(context, advice) else {
            if !advice.is_last {
                effects.0.push(Effect::Decline(self.id, advice.conflict));
            }
            return;
        };
        if matches!(manoeuvre, Manoeuvre::Hold { .. }) {
            self.emit(context, effects, DroneEvent::Holding);
        }
        self.tell_etas(context, expected(context.now, &mission), effects);
        self.tell_intent(context, &mission.plan, effects);
        let pair = advice.conflict.pair;
        effects.0.push(Effect::MakeWay(self.id, pair, mission.plan));
    }

    fn way_made(&self, context: &Context, advice: &Advice) -> Option<(Manoeuvre, Mission)> {
        if self.link_lost_until.is_some() {
            return None;
        }
        let rules = &context.world.separation;
        let (base, minima) = (self.base(context), Minima::of(rules));
        let onward = self.onward(&base)?;
        let left_wh = Self::spendable_wh(&base, advice.fix);
        let means = rules.tactical.iter();
        let mut possible = means.flat_map(|means| manoeuvres(*means, advice, &base.model, minima));
        possible.find_map(|manoeuvre| {
            let mission = self.planned(&base, advice, manoeuvre, onward).ok()??;
            (dispatch::with_margin_wh(mission.energy_wh) <= left_wh).then_some((manoeuvre, mission))
        })
    }

    /// What making way and the rest of its flight may take: the reserve is for what nobody could
    /// plan, and who has come into it has met that.
    fn spendable_wh(base: &Base<'_>, fix: Fix) -> f64 {
        let battery = &base.model.battery;
        let above_wh = fix.energy_wh - battery.reserve * battery.capacity_wh;
        if above_wh > 0.0 { above_wh } else { fix.energy_wh }
    }

    /// What it does after it has made way; `None` where it is not on its way anywhere.
    fn onward(&self, base: &Base<'_>) -> Option<Onward> {
        match self.state {
            DroneState::HeadedToPickup { task } => Some(Onward::Errand(base.errand(task, false))),
            DroneState::HeadedToDropoff { task } => Some(Onward::Errand(base.errand(task, true))),
            DroneState::BringingBack { .. } | DroneState::Returning => Some(Onward::Home {
                home: base.home,
                payload_kg: self.state.payload_kg(),
            }),
            DroneState::AtDoor { .. }
            | DroneState::Docked
            | DroneState::Lost { .. }
            | DroneState::Withdrawn => None,
        }
    }

    fn planned(
        &self,
        base: &Base<'_>,
        advice: &Advice,
        manoeuvre: Manoeuvre,
        onward: Onward,
    ) -> Result<Option<Mission>, Infeasible> {
        let from = (advice.fix.whereabouts(), advice.course);
        let Some(mut mission) = plan_manoeuvre(&base.model, &base.air, from, manoeuvre, onward)? else {
            return Ok(None);
        };
        if let DroneState::HeadedToPickup { task } | DroneState::HeadedToDropoff { task } = self.state {
            mission.energy_wh += base.door_wh(task)?;
        }
        Ok(Some(mission))
    }
}
