//! When a drone that is kept for a delivery leaves: the one place that says so.
//!
//! It waits on the ground until its delivery has begun, its hub is open, the forecast is fair
//! enough for its type and the way, no zone closes that, its way is free where ways are kept free,
//! and a pad is. It is asked about again when one of these may have changed: a pad comes free, the
//! hub opens, the air changes, its way is free. Who cannot leave any more, or waits for the weather
//! or a zone longer than requests wait for a drone, is given back.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::sim::dispatch::{self, Unfit};
use crate::sim::event::Etas;
use crate::sim::fleet_index::Pair;
use crate::sim::flight::Milestone;
use crate::sim::ids::{DeliveryId, HubId};
use crate::sim::promise;
use crate::sim::separation::Strategic;
use crate::sim::sky;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::weather;

use super::pads::{CLIMB, Claim};
use super::promises::Kept;
use super::{Context, DeliveryMessage, DroneMessage, Effects, Fleet, FleetMessage, Mail};
use crate::actors::Effect;

/// The soonest that a line is looked at again, where pads are turned around at once.
const LEAST_PAUSE: SimDuration = SimDuration(1_000_000);
/// So many of those who are kept are planned for anew in one tick.
pub(super) const PLANNED_AT_ONCE: usize = 128;
/// So many at the head of a line hear at once that they are expected at another time.
const HEAR_AT_ONCE: usize = 100;

impl Fleet {
    /// The delivery has begun, and its customer was told this.
    pub(super) fn depart(&mut self, context: &Context, id: DeliveryId, told: Etas, effects: &mut Effects) {
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        kept.told = Some(told);
        let turn = kept.turn;
        #[cfg(test)]
        crate::actors::testing::stumble_for_a_while(crate::actors::testing::STUMBLING[0], id, context.now);
        let (drone, hub) = (kept.drone, context.world.pairs().get(kept.pair).hub);
        self.pads.of_mut(hub).begins(turn);
        if self.is_closed_for_long(context, hub) || context.world.is_withdrawn(drone) {
            return self.give_back(context, id, effects);
        }
        if self
            .kept
            .get(&id)
            .is_some_and(|kept| kept.is_in_doubt(context.now))
        {
            self.plan_anew(context, id, effects);
        }
        self.serve(context, hub, effects);
    }

    /// Gives the hub's free pads to those in its line, in their order, as far as they can take
    /// them.
    pub(super) fn serve(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        self.board.changed(hub);
        let last = self.pads.of(hub).last_turn();
        let mut after = None;
        while self.pads.of(hub).free_pad(context.now).is_some() {
            let next = self.pads.of(hub).next_in_line(after);
            // Who joins meanwhile is looked at anyway.
            let Some((turn, claim)) = next.filter(|(turn, _)| Some(*turn) <= last) else {
                break;
            };
            after = Some(turn);
            match claim {
                Claim::Landing => {
                    if self.next_landing_waits_until(context, hub).is_none() {
                        self.call_down(context, hub, turn, effects);
                    }
                }
                Claim::Mission(id) => self.leave_if_it_may(context, hub, id, effects),
                Claim::Empty(drone) => self.go_home_if_it_may(context, hub, drone, turn, effects),
            }
        }
        self.look_again(context, hub, effects);
        self.expect_anew(context, hub, effects);
    }

    fn leave_if_it_may(&mut self, context: &Context, hub: HubId, id: DeliveryId, effects: &mut Effects) {
        let now = context.now;
        let Some(kept) = self.kept.get(&id).filter(|kept| kept.has_begun()) else {
            return;
        };
        if kept.is_in_doubt(now) || is_late_for_zone(context, kept) {
            // Its hub is served again before long.
            if !self.has_time_to_plan(now) {
                return;
            }
            self.plan_anew(context, id, effects);
        }
        let kept = self.kept.get(&id);
        let drone = kept
            .filter(|kept| self.may_leave_at(context, kept) <= now)
            .map(|kept| kept.drone);
        if drone.is_some_and(|drone| self.has_way(context, id, drone)) {
            self.leave(context, hub, id, effects);
        }
    }

    /// The earliest that it may, as far as is known; pads apart.
    fn may_leave_at(&self, context: &Context, kept: &Kept) -> SimTime {
        let (now, Pair { hub, model }) = (context.now, context.world.pairs().get(kept.pair));
        let reasons = [
            self.closed.get(&hub).copied(),
            kept.grounded_until,
            self.stopped_until(hub, model, now),
            self.intents.begins(kept.drone),
        ];
        reasons.into_iter().flatten().fold(now, SimTime::max)
    }

    fn leave(&mut self, context: &Context, hub: HubId, id: DeliveryId, effects: &mut Effects) {
        let Some(kept) = self.kept.remove(&id) else { return };
        let (now, drone) = (context.now, kept.drone);
        self.pads
            .of_mut(hub)
            .take_off(now, drone, kept.turn, kept.on_pad());
        if context.world.separation.strategic == Strategic::GroundDelay {
            effects.0.push(Effect::PutOff(kept.put_off));
        }
        let etas = self.etas(context, &kept, now);
        // What the line kept uncertain is over.
        let tick = context.world.tick;
        if kept
            .told
            .is_some_and(|told| promise::is_worth_telling(told, etas, tick))
        {
            effects.send(Mail::Delivery(id, DeliveryMessage::EtaMoved(etas)));
        }
        let planned = now + kept.takes(Milestone::Delivered);
        let door = context.world.recipient.expected(kept.task.confirmed);
        self.history.sets_out(drone, hub, planned + door);
        let (task, plan) = (Box::new(kept.task), kept.plan);
        effects.send(Mail::Drone(drone, DroneMessage::Mission { task, plan }));
    }

    /// In the air as it is forecast now.
    fn plan_anew(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        let (world, now) = (&context.world, context.now);
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        let pair = world.pairs().get(kept.pair);
        match dispatch::mission_of(world, now, pair, &kept.task) {
            Ok(mission) if dispatch::energy_needed_wh(world, pair, &mission) <= kept.energy_wh => {
                kept.grounded_until = None;
                if kept.plan != mission.plan {
                    kept.plan = mission.plan;
                    let takes = kept.on_pad();
                    let pads = self.pads.of_mut(pair.hub);
                    pads.will_take(kept.turn, takes);
                    pads.forget_outlook();
                    let earliest = self.intents.begins(kept.drone).unwrap_or(now);
                    self.find_way(context, id, earliest.max(now));
                }
                return;
            }
            Ok(_) => {}
            Err(unfit) => {
                if let Some(until) = passes(context, kept, unfit) {
                    kept.grounded_until = Some(until);
                    return self.forgo_way(context, id);
                }
            }
        }
        match kept.has_begun() {
            true => self.give_back(context, id, effects),
            // It is looked at when it does.
            false => kept.grounded_until = Some(now),
        }
    }

    /// The air has changed: nobody who is kept leaves before its plan has been made anew. Some are
    /// looked at at once, the rest in the ticks to come.
    pub(super) fn plan_all_anew(&mut self, context: &Context, effects: &mut Effects) {
        for kept in self.kept.values_mut() {
            kept.grounded_until.get_or_insert(context.now);
        }
        self.plan_more(context, None, effects);
        for hub in context.world.hub_ids() {
            if self.pads.of(hub).line().next().is_some() {
                self.serve(context, hub, effects);
            }
        }
    }

    /// Of those after this one whose mark still stands.
    pub(super) fn plan_more(&mut self, context: &Context, after: Option<DeliveryId>, effects: &mut Effects) {
        let begins = after.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.kept.range((begins, Bound::Unbounded));
        let marked = next.filter(|(_, kept)| kept.grounded_until.is_some());
        let next: Vec<DeliveryId> = marked.map(|(id, _)| *id).take(PLANNED_AT_ONCE + 1).collect();
        let (mut hubs, mut after) = (BTreeSet::new(), after);
        for id in next {
            if !self.has_time_to_plan(context.now) {
                effects.wake_at(context.now, Mail::Fleet(FleetMessage::PlanMore { after }));
                break;
            }
            hubs.extend(self.kept.get(&id).map(|kept| self.hub_of(context, kept)));
            self.plan_anew(context, id, effects);
            after = Some(id);
        }
        for hub in hubs {
            self.serve(context, hub, effects);
        }
    }

    /// Whether one more may be planned for in this tick.
    fn has_time_to_plan(&mut self, now: SimTime) -> bool {
        let (at, planned) = self.planned_anew;
        let planned = if at == now { planned } else { 0 };
        let has_time = planned < PLANNED_AT_ONCE;
        self.planned_anew = (now, planned + usize::from(has_time));
        has_time
    }

    /// When the turns of those in the hub's line come, as far as is known: of so many at its head.
    fn expected(&self, context: &Context, hub: HubId, most: usize) -> Vec<(Claim, SimTime)> {
        let turnaround = context.world.hub(hub).turnaround;
        let ask = |claim| self.asks(context, claim);
        self.pads.of(hub).expected(context.now, turnaround, most, ask)
    }

    /// From when on it can take a pad, and for how long it does.
    fn asks(&self, context: &Context, claim: Claim) -> (SimTime, SimDuration) {
        let now = context.now;
        match claim {
            Claim::Mission(id) => self.kept.get(&id).map_or((now, SimDuration::ZERO), |kept| {
                (self.may_leave_at(context, kept), kept.on_pad())
            }),
            Claim::Empty(_) | Claim::Landing => (now, CLIMB),
        }
    }

    pub(super) fn expected_departure(&mut self, context: &Context, hub: HubId, id: DeliveryId) -> SimTime {
        let now = context.now;
        let Some(kept) = self.kept.get(&id) else {
            return now;
        };
        let (turn, turnaround) = (kept.turn, context.world.hub(hub).turnaround);
        if self.pads.of(hub).is_long() {
            let at = self.pads.of(hub).roughly_at(now, turnaround, turn);
            return at.max(self.may_leave_at(context, kept));
        }
        let mut outlook = self.pads.of_mut(hub).take_outlook();
        let pads = self.pads.of(hub);
        let at = pads.expected_at(&mut outlook, now, turnaround, turn, |claim| {
            self.asks(context, claim)
        });
        self.pads.of_mut(hub).put_outlook(outlook);
        at.unwrap_or(now)
    }

    /// When the next turn of one in the air comes, were there one more.
    pub(super) fn first_turn_in_the_air(&mut self, context: &Context, hub: HubId) -> SimTime {
        let pads = self.pads.of(hub);
        if pads.is_long() {
            let turnaround = context.world.hub(hub).turnaround;
            return pads.roughly_at(context.now, turnaround, pads.first_in_the_air());
        }
        let one_more = self.pads.of_mut(hub).join(Claim::Landing);
        let all = self.expected(context, hub, usize::MAX);
        self.pads.of_mut(hub).leave(one_more);
        let first = all.into_iter().find(|(claim, _)| *claim == Claim::Landing);
        first.map_or(context.now, |(_, at)| at)
    }

    /// Sets the alarm for when somebody in the line may have a pad.
    pub(super) fn look_again(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let now = context.now;
        let pads = self.pads.of(hub);
        let free = match pads.free_pad(now) {
            Some(_) => Some(now),
            None => pads.next_free(now, context.world.hub(hub).turnaround),
        };
        // Nobody's turn is sooner than that.
        let mut first = None;
        let waits_until = |(_, claim): (u64, Claim)| match claim {
            Claim::Landing => Some(self.next_landing_waits_until(context, hub).unwrap_or(now)),
            Claim::Empty(_) => Some(now),
            Claim::Mission(id) => {
                let kept = self.kept.get(&id).filter(|kept| kept.has_begun());
                kept.map(|kept| self.may_leave_at(context, kept))
            }
        };
        for until in pads.line().filter_map(waits_until) {
            first = Some(first.map_or(until, |first| until.min(first)));
            if first == Some(now) {
                break;
            }
        }
        let Some(at) = first.zip(free).map(|(first, free)| first.max(free)) else {
            return;
        };
        let at = at.max(now + LEAST_PAUSE);
        if at != SimTime::NEVER && self.pads.of_mut(hub).set_look(now, at) {
            effects.wake_at(at, Mail::Fleet(FleetMessage::PadFree { hub }));
        }
    }

    /// When those who wait are expected may have moved: they hear of it once all that this round
    /// brings is dealt with.
    pub(super) fn expect_anew(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let is_waited = self.pads.of(hub).line().next().is_some();
        if is_waited && self.board.is_first_to_ask(context.now, hub) {
            effects.send(Mail::Fleet(FleetMessage::TellExpected { hub }));
        }
    }

    /// Those who wait hear when they are expected, where that has moved. Of a line that is longer
    /// than can be looked at in each tick all but its head hear of it now and then.
    pub(super) fn tell_expected(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        self.board.are_told(hub);
        let waiting = self.pads.of(hub).length();
        let every = (1 + waiting / HEAR_AT_ONCE) as u64;
        let hears_all = (context.now.0 / context.world.tick.0).is_multiple_of(every);
        let most = if hears_all { usize::MAX } else { HEAR_AT_ONCE };
        for (claim, at) in self.expected(context, hub, most) {
            let Claim::Mission(id) = claim else { continue };
            let Some(kept) = self.kept.get(&id).filter(|_| at != SimTime::NEVER) else {
                continue;
            };
            let etas = self.etas(context, kept, at);
            if kept.told.is_some_and(|told| has_moved(told, etas, context.now)) {
                effects.send(Mail::Delivery(id, DeliveryMessage::EtaMoved(etas)));
                if let Some(kept) = self.kept.get_mut(&id) {
                    kept.told = Some(etas);
                }
            }
        }
    }

    /// How many wait at the hub for anything that keeps them there.
    pub(super) fn departing(&self, hub: HubId) -> u32 {
        self.pads.of(hub).departing()
    }
}

/// Whether a zone begins while it would fly through it now: it was to be down by then.
fn is_late_for_zone(context: &Context, kept: &Kept) -> bool {
    let (airspace, now) = (&context.world.airspace, context.now);
    airspace.next_begins(now).is_some_and(|begins| {
        let lands = now + kept.takes(Milestone::Landed);
        begins < lands && sky::leads_into(&kept.plan, now, &airspace.come(&[], now, lands))
    })
}

/// When that which keeps it on the ground is to be looked at again, if it waits for no longer than
/// requests do.
fn passes(context: &Context, kept: &Kept, unfit: Unfit) -> Option<SimTime> {
    let (world, now) = (&context.world, context.now);
    let by = kept.since + world.dispatch.max_wait;
    match unfit {
        Unfit::Weather(_) => (now < by).then(|| weather::next_forecast(now)),
        Unfit::Closed => dispatch::opens(world, now, world.pairs().get(kept.pair), &kept.task, by),
        Unfit::Infeasible => None,
    }
}

/// So far that people are told.
fn has_moved(told: Etas, etas: Etas, now: SimTime) -> bool {
    let has_drifted = |told: SimTime, newest: SimTime| {
        promise::has_drifted(told.as_secs(), newest.as_secs(), now.as_secs())
    };
    has_drifted(told.pickup, etas.pickup) || has_drifted(told.delivery, etas.delivery)
}
