//! Making way for another drone: the drone's part in tactical resolution.
//!
//! It takes the first of the scenario's means that works and that its battery allows, once in
//! an encounter; where none does it flies on as planned, and is asked again while the conflict
//! lasts. What it was at it goes on to.

use crate::sim::dispatch;
use crate::sim::drone::{DroneState, Task};
use crate::sim::event::DroneEvent;
use crate::sim::flight::{Course, Infeasible, Manoeuvre, Mission, Onward, Rest, Whereabouts, plan_manoeuvre};
use crate::sim::separation::{Advice, Minima, manoeuvres};

use super::flying::expected;
use super::{Context, Drone, Effect, Effects};

impl Drone {
    pub(super) fn make_way(&mut self, context: &Context, advice: &Advice, effects: &mut Effects) {
        if self.link_lost_until.is_some() {
            return;
        }
        let world = &context.world;
        let Some(onward) = self.onward(context) else {
            return;
        };
        let (base, minima) = (self.base(context), Minima::of(&world.separation));
        let means = world.separation.tactical.iter();
        let possible = means.flat_map(|means| manoeuvres(*means, advice, &base.model, minima));
        let mut planned = possible.filter_map(|manoeuvre| {
            let mission = self.planned(context, advice, manoeuvre, onward).ok()??;
            (dispatch::with_margin_wh(mission.energy_wh) <= advice.fix.energy_wh)
                .then_some((manoeuvre, mission))
        });
        let Some((manoeuvre, mission)) = planned.next() else {
            return;
        };
        drop(planned);
        if matches!(manoeuvre, Manoeuvre::Hold { .. }) {
            self.emit(context, effects, DroneEvent::Holding);
        }
        self.tell_etas(context, expected(context.now, &mission), effects);
        effects
            .0
            .push(Effect::MakeWay(self.id, advice.pair, mission.plan));
    }

    /// What it does after it has made way; `None` where it is not on its way anywhere.
    fn onward(&self, context: &Context) -> Option<Onward> {
        let home = self.base(context).home;
        let errand = |task: Task, aboard: bool| {
            Onward::Errand(Rest {
                pickup: (!aboard).then_some(task.pickup),
                dropoff: task.dropoff,
                home,
                payload_kg: task.payload_kg,
            })
        };
        match self.state {
            DroneState::HeadedToPickup { task } => Some(errand(task, false)),
            DroneState::HeadedToDropoff { task } => Some(errand(task, true)),
            DroneState::BringingBack { .. } | DroneState::Returning => Some(Onward::Home {
                home,
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
        context: &Context,
        advice: &Advice,
        manoeuvre: Manoeuvre,
        onward: Onward,
    ) -> Result<Option<Mission>, Infeasible> {
        let base = self.base(context);
        let course = Course {
            from: Whereabouts {
                at: advice.fix.at,
                height_m: advice.fix.height_m,
            },
            east: advice.east,
            north: advice.north,
            speed_mps: advice.speed_mps,
            left_m: advice.left_m,
        };
        let mission = plan_manoeuvre(&base.model, &base.air, course, manoeuvre, onward)?;
        let Some(mission) = mission else { return Ok(None) };
        let door_wh = match self.state {
            DroneState::HeadedToPickup { task } | DroneState::HeadedToDropoff { task } => {
                base.door_wh(task)?
            }
            _ => 0.0,
        };
        Ok(Some(Mission {
            energy_wh: mission.energy_wh + door_wh,
            ..mission
        }))
    }
}
