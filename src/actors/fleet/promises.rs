//! Drones that are kept for requests: from when one is found until it leaves, or its request
//! comes to nothing, or goes elsewhere.
//!
//! Who is kept stands in its hub's line for a pad from that moment on, so that promises of one
//! round see each other. It is on the ground, and the fleet's alone: what its delivery wants of it
//! before it has left, the drone hands on to the fleet.

use serde::{Deserialize, Serialize};

use crate::sim::dispatch;
use crate::sim::drone::Task;
use crate::sim::event::Etas;
use crate::sim::fleet_index::Pair;
use crate::sim::flight::{FlightPlan, Milestone, Mission};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::Step;

use super::history::leaned;
use super::pads::Claim;
use super::{Context, DeliveryMessage, DroneMessage, Effects, Fleet, Mail, SchedulerMessage};

/// A drone that is off its charger for a delivery and has not left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub drone: DroneId,
    pub pair: usize,
    pub energy_wh: f64,
    pub task: Task,
    /// In the air as it is forecast now.
    pub plan: FlightPlan,
    pub since: SimTime,
    /// In its hub's line.
    pub turn: u64,
    /// By how much it was put off for its way, where ways are kept free.
    pub put_off: SimDuration,
    /// The weather or a zone keeps it on the ground, or may, and this is when it is looked at again.
    pub grounded_until: Option<SimTime>,
    /// What its customer was told last; `None` until the delivery has begun.
    pub told: Option<Etas>,
}

impl Kept {
    /// From leaving to a milestone of its plan.
    pub fn takes(&self, milestone: Milestone) -> SimDuration {
        let seconds = self.plan.time_to(milestone, 0);
        SimDuration::from_secs(seconds.unwrap_or_default())
    }

    /// For how long its take-off takes a pad up.
    pub fn on_pad(&self) -> SimDuration {
        SimDuration::from_secs(self.plan.on_pad_s())
    }

    pub fn has_begun(&self) -> bool {
        self.told.is_some()
    }

    /// Whether its plan is to be made anew before it leaves.
    pub fn is_in_doubt(&self, now: SimTime) -> bool {
        self.grounded_until.is_some_and(|until| until <= now)
    }
}

impl Fleet {
    /// Drones that are kept for deliveries, and whether those have begun.
    pub fn kept(&self) -> impl Iterator<Item = (DeliveryId, DroneId, bool)> + '_ {
        let kept = self.kept.iter();
        kept.map(|(id, kept)| (*id, kept.drone, kept.has_begun()))
    }

    /// Keeps a drone of the pair for it, whose fullest the caller knows to suffice.
    pub(super) fn keep(
        &mut self,
        context: &Context,
        pair: usize,
        id: DeliveryId,
        order: &Order,
        mission: Mission,
        effects: &mut Effects,
    ) {
        let Pair { hub, .. } = context.world.pairs().get(pair);
        let need_wh = dispatch::energy_needed_wh(&context.world, context.world.pairs().get(pair), &mission);
        let Some(released) = self.docks.release(context, pair, need_wh, effects) else {
            return;
        };
        if let Some(next) = released.plugged_in_next {
            self.plan_offer_anew(context, next, effects);
        }
        let kept = Kept {
            drone: released.drone,
            pair,
            energy_wh: released.energy_wh,
            task: Task::of(&context.world, id, order),
            plan: mission.plan,
            since: context.now,
            turn: self.pads.of_mut(hub).join(Claim::Mission(id)),
            put_off: SimDuration::ZERO,
            grounded_until: None,
            told: None,
        };
        self.pads.of_mut(hub).will_take(kept.turn, kept.on_pad());
        self.kept.insert(id, kept);
        let earliest = self.expected_departure(context, hub, id);
        self.find_way(context, id, earliest);
        self.tell_kept(context, id, effects);
    }

    /// Which drone is kept for it, and when it is expected where if its delivery begins now.
    pub(super) fn tell_kept(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        let Some(kept) = self.kept.get(&id) else { return };
        let hub = self.hub_of(context, kept);
        let leaves = self.expected_departure(context, hub, id);
        let Some(kept) = self.kept.get(&id) else { return };
        let etas = self.etas(context, kept, leaves);
        let drone = kept.drone;
        effects.send(Mail::Scheduler(SchedulerMessage::Assigned { id, drone, etas }));
    }

    pub(super) fn hub_of(&self, context: &Context, kept: &Kept) -> HubId {
        context.world.pairs().get(kept.pair).hub
    }

    /// Of one that leaves then: by its plan, what the door is likely to take, and what its hub's
    /// history adds.
    pub(super) fn etas(&self, context: &Context, kept: &Kept, leaves: SimTime) -> Etas {
        let confirmed = kept.task.confirmed;
        let door = context.world.recipient.expected(confirmed);
        let lean_s = self.history.lean_s(self.hub_of(context, kept), confirmed);
        Etas {
            pickup: leaves + kept.takes(Milestone::PickedUp),
            delivery: leaned(leaves + kept.takes(Milestone::Delivered), door, lean_s),
        }
    }

    pub(super) fn undo(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        self.waits_no_longer(context, id, effects);
        self.let_stand(context, id, effects);
        let step = Step::Drone;
        effects.send(Mail::Scheduler(SchedulerMessage::Undone { id, step }));
    }

    /// Its drone is kept no longer; whether one was.
    fn let_stand(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) -> bool {
        let Some(kept) = self.kept.remove(&id) else {
            return false;
        };
        let hub = self.hub_of(context, &kept);
        self.pads.of_mut(hub).leave(kept.turn);
        self.board.changed(hub);
        self.put_back(context, kept.pair, kept.drone, kept.energy_wh, effects);
        self.expect_anew(context, hub, effects);
        true
    }

    /// It cannot leave, or not soon enough: its delivery finds another way.
    pub(super) fn give_back(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        // Before anybody else is found for it.
        effects.send(Mail::Delivery(id, DeliveryMessage::TurnedBack));
        self.let_stand(context, id, effects);
    }

    /// All that have begun and are to leave from this hub, or with this drone.
    pub(super) fn give_back_where(
        &mut self,
        context: &Context,
        is_meant: impl Fn(HubId, DroneId) -> bool,
        effects: &mut Effects,
    ) {
        let meant = self.kept.iter().filter(|(_, kept)| {
            let hub = context.world.pairs().get(kept.pair).hub;
            kept.has_begun() && is_meant(hub, kept.drone)
        });
        for id in meant.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.give_back(context, id, effects);
        }
    }

    /// A delivery wants its drone not to come, or to go elsewhere, and the drone has not left; or
    /// it has, in this very tick.
    pub(super) fn recall(
        &mut self,
        context: &Context,
        drone: DroneId,
        id: DeliveryId,
        task: Option<Box<Task>>,
        effects: &mut Effects,
    ) {
        if self.kept.get(&id).is_none_or(|kept| kept.drone != drone) {
            let message = DroneMessage::NotOnGround { delivery: id, task };
            return effects.send(Mail::Drone(drone, message));
        }
        let etas = task.and_then(|task| self.redirect(context, id, *task));
        let answer = match etas {
            Some(etas) => DeliveryMessage::Redirected(etas),
            None => DeliveryMessage::Released,
        };
        effects.send(Mail::Delivery(id, answer));
        match etas {
            Some(_) => {
                if let Some(kept) = self.kept.get(&id) {
                    self.serve(context, self.hub_of(context, kept), effects);
                }
            }
            None => {
                self.let_stand(context, id, effects);
            }
        }
    }

    /// Where its battery and the weather let it go there instead: when it is expected.
    fn redirect(&mut self, context: &Context, id: DeliveryId, task: Task) -> Option<Etas> {
        let kept = self.kept.get_mut(&id)?;
        let pair = context.world.pairs().get(kept.pair);
        let mission = dispatch::mission_of(&context.world, context.now, pair, &task).ok()?;
        if dispatch::energy_needed_wh(&context.world, pair, &mission) > kept.energy_wh {
            return None;
        }
        (kept.task, kept.plan) = (task, mission.plan);
        // What kept it from the old way says nothing of this one, which may be flown now.
        kept.grounded_until = None;
        let takes = kept.on_pad();
        self.pads.of_mut(pair.hub).will_take(kept.turn, takes);
        self.forgo_way(context, id);
        let earliest = self.expected_departure(context, pair.hub, id);
        self.find_way(context, id, earliest);
        let expected = self.expected_departure(context, pair.hub, id);
        let etas = self.etas(context, self.kept.get(&id)?, expected);
        let kept = self.kept.get_mut(&id)?;
        kept.told = Some(etas);
        let turn = kept.turn;
        self.pads.of_mut(pair.hub).begins(turn);
        Some(etas)
    }
}
