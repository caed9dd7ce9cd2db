//! Who of those who wait gets a drone that comes free, and when it is looked whether one does.
//!
//! The first in the queue's order whom it suffices for. Drones that are saved for those who have
//! waited for long ([`claims`](crate::sim::dispatch::claims)) go to these alone, the greatest claim
//! first. Who is saved follows from who waits and since when: it is remembered, and never stored.

use std::sync::Arc;

use crate::sim::dispatch::claims::{self, Place, Saved};
use crate::sim::flight::Mission;
use crate::sim::ids::{DeliveryId, HubId};
use crate::sim::order::Order;
use crate::sim::world::World;

use super::queue::{Editions, Turn};
use super::{Context, Effects, Fleet, FleetMessage, Mail};

/// Who has a claim, the greatest first, and the drones that are saved for them.
#[derive(Debug, Default)]
pub(super) struct Claims {
    of: Vec<(Turn, Option<Place>)>,
    /// By pair: for whom its drones are saved, one each, the fullest for the first, with what they
    /// need of it, watt-hours; none where nobody is.
    at: Vec<Vec<(Turn, f64)>>,
}

impl Claims {
    pub fn saved(&self, pair: usize) -> usize {
        self.at(pair).len()
    }

    pub fn of(&self) -> &[(Turn, Option<Place>)] {
        &self.of
    }

    fn at(&self, pair: usize) -> &[(Turn, f64)] {
        self.at.get(pair).map_or(&[], Vec::as_slice)
    }

    fn are_none(&self) -> bool {
        self.of.is_empty()
    }
}

/// What is asked for with each drone that lands, and is mostly as it was.
#[derive(Debug, Default)]
pub(super) struct Offers {
    claims: Arc<Claims>,
    grounds: Option<Grounds>,
    /// By pair: whom its alarm was last set for.
    planned: Vec<Option<Planned>>,
    /// The same of all pairs at once.
    all_planned: Option<(Editions, Arc<Claims>)>,
}

/// What claims follow from.
#[derive(Debug)]
struct Grounds {
    turns: Vec<Turn>,
    needs: u64,
    closed: Vec<HubId>,
    world: Arc<World>,
}

/// The least demanding of those who may have any drone that is not saved, and who has a claim.
#[derive(Debug)]
struct Planned {
    least_wh: Option<f64>,
    claims: Arc<Claims>,
}

impl Fleet {
    /// Works out whom to save for only where that may have changed.
    pub(super) fn claims(&mut self, context: &Context) -> Arc<Claims> {
        let turns = self.claimants(context);
        if !self.stands(context, &turns) {
            self.offers.0.claims = Arc::new(self.claims_of(context, &turns));
            self.offers.0.grounds = Some(Grounds {
                turns,
                needs: self.queue.editions().needs,
                closed: self.closed.keys().copied().collect(),
                world: Arc::clone(&context.world),
            });
        }
        Arc::clone(&self.offers.0.claims)
    }

    fn claimants(&self, context: &Context) -> Vec<Turn> {
        let (world, now) = (&context.world, context.now);
        match self.queue.has_claims(world, now) {
            true => self.queue.claims(world, now, claims::most_claims(world)),
            false => Vec::new(),
        }
    }

    fn stands(&self, context: &Context, turns: &[Turn]) -> bool {
        if turns.is_empty() {
            return self.offers.0.claims.are_none();
        }
        self.offers.0.grounds.as_ref().is_some_and(|grounds| {
            grounds.turns == turns
                && grounds.needs == self.queue.editions().needs
                && grounds.closed.iter().eq(self.closed.keys())
                && Arc::ptr_eq(&grounds.world, &context.world)
        })
    }

    fn claims_of(&self, context: &Context, turns: &[Turn]) -> Claims {
        let (world, now) = (&context.world, context.now);
        let mut saved = Saved::default();
        let mut claims = Claims::default();
        for turn in turns {
            let need_wh = self.queue.needs_wh_of(*turn, world, now);
            let place = saved.save(world, |pair| match self.may_leave(context, pair) {
                true => need_wh(pair),
                false => f64::INFINITY,
            });
            claims.of.push((*turn, place));
            if let Some(Place { pair, .. }) = place {
                claims.at.resize(world.pairs().len(), Vec::new());
                claims.at[pair].push((*turn, need_wh(pair)));
            }
        }
        claims
    }

    /// In a round, whose requests know no needs before it.
    pub(super) fn claims_in_round(&self, context: &Context) -> Claims {
        self.claims_of(context, &self.claimants(context))
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
            true => {
                self.planned(pair).take();
                self.plan_offers(context, effects);
            }
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
                let turns = claims.at(pair).iter().map(|(turn, _)| *turn);
                self.queue.take_first_of(turns, &energies_wh, world, now, pair)
            }
        };
        claimed.or_else(|| {
            let spare_wh = self.spare_wh(context, pair, claims)?;
            self.queue.take_first(world, now, pair, spare_wh)
        })
    }

    /// Of all pairs, since somebody waits who did not, or does not who did. Where a pair has the
    /// drones that it had, and the same wait for them, its alarm stands.
    pub(super) fn plan_offers(&mut self, context: &Context, effects: &mut Effects) {
        if serves_in_rounds(context) {
            return;
        }
        let claims = self.claims(context);
        for pair in self.docks.take_altered() {
            self.planned(pair).take();
        }
        let editions = self.queue.editions();
        let stand_all = self.offers.0.all_planned.as_ref();
        let stand_all = stand_all.is_some_and(|(of, by)| *of == editions && Arc::ptr_eq(by, &claims));
        for pair in 0..context.world.pairs().len() {
            let stands = self.planned(pair).is_some() && (stand_all || self.is_planned_for(pair, &claims));
            if !stands {
                self.plan_offer(context, pair, &claims, effects);
            }
        }
        self.offers.0.all_planned = Some((editions, claims));
    }

    /// Whether its alarm is for those who wait now.
    fn is_planned_for(&mut self, pair: usize, claims: &Arc<Claims>) -> bool {
        let least_wh = self.queue.least_need_wh(pair);
        self.planned(pair).as_mut().is_some_and(|planned| {
            let is_same = planned.least_wh == least_wh && planned.claims.at(pair) == claims.at(pair);
            if is_same {
                planned.claims = Arc::clone(claims);
            }
            is_same
        })
    }

    fn planned(&mut self, pair: usize) -> &mut Option<Planned> {
        let planned = &mut self.offers.0.planned;
        if planned.len() <= pair {
            planned.resize_with(pair + 1, || None);
        }
        &mut planned[pair]
    }

    /// Sets the alarm for when the pair has a drone that suffices for the least demanding request
    /// that it may be given, unless one is set that rings earlier.
    fn plan_offer(&mut self, context: &Context, pair: usize, claims: &Arc<Claims>, effects: &mut Effects) {
        let may_leave = self.may_leave(context, pair);
        let least_wh = self.queue.least_need_wh(pair);
        *self.planned(pair) = may_leave.then(|| Planned {
            least_wh,
            claims: Arc::clone(claims),
        });
        if !may_leave {
            return;
        }
        let ready_at = |need_wh, behind| self.docks.ready_at(pair, need_wh, behind, context.now);
        let spare = least_wh.and_then(|need_wh| ready_at(need_wh, claims.saved(pair)));
        let own = claims.at(pair).iter().enumerate();
        let claimed = own.filter_map(|(behind, (_, need_wh))| ready_at(*need_wh, behind));
        let Some(due) = spare.into_iter().chain(claimed).min() else {
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
