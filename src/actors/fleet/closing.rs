//! Hubs that are closed for a while: nobody takes off there, who waits for a pad neither. Landing
//! and charging go on. Where a hub is closed for longer than requests wait for a drone, deliveries
//! find other drones.

use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::event::HubEvent;
use crate::sim::fleet_index::Pair;
use crate::sim::ids::HubId;
use crate::sim::time::{SimDuration, SimTime};

use super::{Context, Effects, Fleet, FleetMessage, Mail};

impl Fleet {
    pub(super) fn close(
        &mut self,
        context: &Context,
        hub: HubId,
        duration: SimDuration,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        let until = context.now + duration;
        if context.world.roster.is_hub_withdrawn(hub) {
            return effects.refuse(reply_to, Objection::NoEffect);
        }
        let stands = |already: &SimTime| *already == until || *already > until && *already != SimTime::NEVER;
        if self.closed.get(&hub).is_some_and(stands) {
            return effects.refuse(reply_to, Objection::NoEffect);
        }
        self.closed.insert(hub, until);
        self.board.tell(context, hub, HubEvent::Closed { until }, effects);
        if until != SimTime::NEVER {
            effects.wake_at(until, Mail::Fleet(FleetMessage::Open { hub, due: until }));
        }
        match self.is_closed_for_long(context, hub) {
            true => self.give_back_where(context, |from, _| from == hub, effects),
            false => self.expect_anew(context, hub, effects),
        }
        effects.reply(reply_to, Decision::Done);
    }

    /// For longer than requests wait for a drone.
    pub(super) fn is_closed_for_long(&self, context: &Context, hub: HubId) -> bool {
        let opens = self.closed.get(&hub);
        opens.is_some_and(|opens| opens.since(context.now) > context.world.dispatch.max_wait)
    }

    pub(super) fn open_again(&mut self, context: &Context, hub: HubId, due: SimTime, effects: &mut Effects) {
        if self.closed.get(&hub) != Some(&due) {
            return;
        }
        self.closed.remove(&hub);
        self.board.tell(context, hub, HubEvent::Opened, effects);
        self.serve(context, hub, effects);
        for (pair, Pair { hub: home, .. }) in context.world.pairs().all().iter().enumerate() {
            if *home == hub {
                self.offer(context, pair, effects);
            }
        }
    }
}
