//! Requests that are served together, where the scenario's policy does so: the fleet's part.
//!
//! A round is due while anybody waits. Who joined since the last one is told only after the next
//! whether it has to wait on, since waiting for the round itself is no delay.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::dispatch::claims::Place;
use crate::sim::dispatch::{self, Match, Waiting};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::SimTime;

use super::free::moment;
use super::queue::Turn;
use super::{Context, Effects, Fleet, FleetMessage, Mail, SchedulerMessage};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rounds {
    next: Option<SimTime>,
    /// Since when each of those who wait does.
    since: BTreeMap<DeliveryId, Since>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Since {
    at: SimTime,
    /// Whether the scheduler knows that it waits.
    told: bool,
}

impl Rounds {
    /// Whether the scheduler knows that it waits, or no round is what it waits for.
    pub fn is_told(&self, id: DeliveryId) -> bool {
        self.since.get(&id).is_none_or(|since| since.told)
    }
}

impl Fleet {
    pub(super) fn await_round(
        &mut self,
        context: &Context,
        id: DeliveryId,
        order: Arc<Order>,
        effects: &mut Effects,
    ) {
        self.queue.push(id, order, &context.world, context.now);
        let since = Since {
            at: context.now,
            told: false,
        };
        self.rounds.since.insert(id, since);
        self.plan_round(context, effects);
    }

    /// Unless it is another that is due.
    pub(super) fn round(&mut self, context: &Context, due: SimTime, effects: &mut Effects) {
        if self.rounds.next != Some(due) {
            return;
        }
        self.rounds.next = None;
        // Who was withdrawn meanwhile is not known any more.
        self.rounds.since.retain(|id, _| self.queue.holds(*id));
        for (id, order, found) in self.found(context) {
            let need_wh = dispatch::energy_needed_wh(
                &context.world,
                context.world.pairs().get(found.pair),
                &found.mission,
            );
            let suffices = |fullest: &f64| *fullest >= need_wh;
            if self
                .fullest_wh(context, found.pair)
                .as_ref()
                .is_some_and(suffices)
            {
                self.queue.withdraw(id);
                self.rounds.since.remove(&id);
                self.keep(context, found.pair, id, &order, found.mission, effects);
            }
        }
        for (id, since) in &mut self.rounds.since {
            if !std::mem::replace(&mut since.told, true) {
                effects.send(Mail::Scheduler(SchedulerMessage::Queued { id: *id }));
            }
        }
        self.plan_round(context, effects);
    }

    /// What the policy finds for those who wait.
    fn found<'a>(&'a self, context: &'a Context) -> Vec<(DeliveryId, Arc<Order>, Match)> {
        let all_claims = Arc::new(self.claims_in_round(context));
        let free = self.free(context, Arc::clone(&all_claims));
        let claims = all_claims.of();
        let first = claims.iter().copied();
        let has_none = |turn: &Turn| claims.iter().all(|(claim, _)| claim != turn);
        let rest = self.queue.in_order().filter(has_none);
        let in_order = first.chain(rest.map(|turn| (turn, None)));
        let in_order = in_order.take(dispatch::MOST_IN_A_ROUND);
        let in_order: Vec<_> = in_order
            .map(|(turn, saved)| (self.queue.who(turn), saved))
            .collect();
        let waiting = |((id, order), saved): &((DeliveryId, &'a Arc<Order>), Option<Place>)| {
            let since = self.rounds.since.get(id);
            Waiting {
                order,
                since: since.map_or(context.now, |since| since.at),
                saved: *saved,
            }
        };
        let waiting: Vec<Waiting<'a>> = in_order.iter().map(waiting).collect();
        let policy = context.world.dispatch.policy.policy();
        let found = policy.round(moment(context), &waiting, &free).into_iter();
        let named = |found: Match| {
            let ((id, order), _) = in_order[found.waiting];
            (id, Arc::clone(order), found)
        };
        found.map(named).collect()
    }

    /// Rounds are at whole multiples of their interval, so that they do not depend on who came
    /// first.
    fn plan_round(&mut self, context: &Context, effects: &mut Effects) {
        // One that is past was lost in a panic.
        let is_planned = self.rounds.next.is_some_and(|next| next >= context.now);
        if is_planned || self.queue.len() == 0 {
            return;
        }
        let every = context.world.dispatch.batch_every.0;
        let due = SimTime((context.now.0 / every + 1).saturating_mul(every));
        self.rounds.next = Some(due);
        effects.wake_at(due, Mail::Fleet(FleetMessage::Round { due }));
    }
}
