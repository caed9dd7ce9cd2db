//! Who of those who wait gets a drone that comes free, and when it is looked whether one does.
//!
//! The first in the queue's order whom it suffices for. Drones that are saved for those who have
//! waited for long ([`claims`](crate::sim::dispatch::claims)) go to these alone, the greatest claim
//! first. Who is saved follows from who waits and since when, so nobody keeps it.

use std::sync::Arc;

use crate::sim::dispatch::claims::{self, Place, Saved};
use crate::sim::flight::Mission;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;

use super::queue::Turn;
use super::{Context, Effects, Fleet, FleetMessage, Mail};

/// Who has a claim, the greatest first, and how many drones are saved for them.
#[derive(Default)]
pub(super) struct Claims {
    of: Vec<(Turn, Option<Place>)>,
    saved: Saved,
}

impl Claims {
    pub fn saved(&self, pair: usize) -> usize {
        self.saved.of(pair)
    }

    pub fn of(&self) -> &[(Turn, Option<Place>)] {
        &self.of
    }

    /// For whom drones of this pair are saved, one each, the fullest for the first.
    fn at(&self, pair: usize) -> Vec<Turn> {
        let is_here = |place: &Place| place.pair == pair;
        let here = self
            .of
            .iter()
            .filter(|(_, place)| place.as_ref().is_some_and(is_here));
        here.map(|(turn, _)| *turn).collect()
    }

    fn are_none(&self) -> bool {
        self.of.is_empty()
    }
}

impl Fleet {
    pub(super) fn claims(&self, context: &Context) -> Claims {
        let (world, now) = (&context.world, context.now);
        if !self.queue.has_claims(world, now) {
            return Claims::default();
        }
        let mut saved = Saved::default();
        let of = self.queue.claims(world, now, claims::most_claims(world));
        let save = |turn: Turn| {
            let place = saved.save(world, |pair| match self.may_leave(context, pair) {
                true => self.queue.need_wh_of(turn, world, now, pair),
                false => f64::INFINITY,
            });
            (turn, place)
        };
        let of = of.into_iter().map(save).collect();
        Claims { of, saved }
    }

    /// Serves waiting requests from this pair for as long as its drones suffice.
    pub(super) fn offer(&mut self, context: &Context, pair: usize, effects: &mut Effects) {
        if serves_in_rounds(context) {
            return;
        }
        let mut claims = self.claims(context);
        let had_claims = !claims.are_none();
        while let Some((id, order, mission)) = self.first_for(context, pair, &claims) {
            self.keep(context, pair, id, &order, mission, effects);
            claims = self.claims(context);
        }
        self.next_offer[pair] = None;
        match had_claims {
            // What was saved for who has one now is free for others.
            true => self.plan_offers(context, effects),
            false => self.plan_offer(context, pair, &claims, effects),
        }
    }

    fn first_for(
        &mut self,
        context: &Context,
        pair: usize,
        claims: &Claims,
    ) -> Option<(DeliveryId, Arc<Order>, Mission)> {
        let (world, now) = (&context.world, context.now);
        if !self.may_leave(context, pair) {
            return None;
        }
        let claimed = match claims.saved(pair) {
            0 => None,
            saved => {
                let energies_wh = self.docks.energies_wh(pair, saved, now);
                self.queue
                    .take_first_of(&claims.at(pair), &energies_wh, world, now, pair)
            }
        };
        claimed.or_else(|| {
            let spare_wh = self.spare_wh(context, pair, claims)?;
            self.queue.take_first(world, now, pair, spare_wh)
        })
    }

    /// Of all pairs, since somebody waits who did not, or does not who did.
    pub(super) fn plan_offers(&mut self, context: &Context, effects: &mut Effects) {
        if serves_in_rounds(context) {
            return;
        }
        let claims = self.claims(context);
        for pair in 0..context.world.pairs().len() {
            self.plan_offer(context, pair, &claims, effects);
        }
    }

    /// Sets the alarm for when the pair has a drone that suffices for the least demanding request
    /// that it may be given, unless one is set that rings earlier.
    fn plan_offer(&mut self, context: &Context, pair: usize, claims: &Claims, effects: &mut Effects) {
        if !self.may_leave(context, pair) {
            return;
        }
        let saved = claims.saved(pair);
        let ready_at = |need_wh, behind| self.docks.ready_at(pair, need_wh, behind, context.now);
        let least_wh = self.queue.least_need_wh(pair);
        let spare = least_wh.and_then(|need_wh| ready_at(need_wh, saved));
        let own = claims.at(pair).into_iter().enumerate();
        let claimed = own.filter_map(|(behind, turn)| {
            let need_wh = self.queue.need_wh_of(turn, &context.world, context.now, pair);
            ready_at(need_wh, behind)
        });
        let claimed = claimed.min();
        let Some(due) = [spare, claimed].into_iter().flatten().min() else {
            return;
        };
        if self.next_offer[pair].is_none_or(|set| due < set) {
            self.next_offer[pair] = Some(due);
            effects.wake_at(due, Mail::Fleet(FleetMessage::Offer { pair, due }));
        }
    }

    /// The pair's next drone has a charger.
    pub(super) fn plan_offer_anew(&mut self, context: &Context, pair: usize, effects: &mut Effects) {
        if !serves_in_rounds(context) {
            let claims = self.claims(context);
            self.plan_offer(context, pair, &claims, effects);
        }
    }

    /// It waits no longer, for whatever reason.
    pub(super) fn waits_no_longer(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        let has_claims = self.queue.has_claims(&context.world, context.now);
        if self.queue.withdraw(id) && has_claims {
            self.plan_offers(context, effects);
        }
    }
}

/// Then nobody is given a drone between them.
fn serves_in_rounds(context: &Context) -> bool {
    context.world.dispatch.policy.policy().in_rounds()
}
