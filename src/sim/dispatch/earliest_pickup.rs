//! `earliest-pickup`: the drone that can have the package on board first, at once.

use super::{Candidate, Free, Moment, Policy, able, errand, nearest_first};
use crate::sim::fleet_index::Pair;
use crate::sim::flight::{self, Mission};
use crate::sim::order::Order;

pub(super) struct EarliestPickup;

impl Policy for EarliestPickup {
    /// Among the pairs whose fullest free drone can do it; the first such pair where several
    /// are as early.
    fn at_once(&self, at: Moment<'_>, order: &Order, free: &dyn Free) -> Option<(usize, Mission)> {
        let Moment { world, now } = at;
        let air = world.air(now);
        let mut best: Option<(usize, Mission)> = None;
        for Candidate { soonest_s, index } in nearest_first(world, now, order) {
            if best
                .as_ref()
                .is_some_and(|(_, mission)| mission.pickup_s < soonest_s)
            {
                break;
            }
            let Some(energy) = free.fullest_wh(index) else {
                continue;
            };
            let Pair { hub, model } = world.pairs().get(index);
            let errand = errand(world, hub, order);
            let model = world.model(model);
            let Ok(pickup_s) = flight::time_to_pickup(model, &air, &errand) else {
                continue;
            };
            let is_earlier = |(known, mission): &(usize, Mission)| {
                pickup_s
                    .total_cmp(&mission.pickup_s)
                    .then(index.cmp(known))
                    .is_lt()
            };
            if best.as_ref().is_none_or(is_earlier) {
                best = able(world, now, order, index, energy).or(best);
            }
        }
        best
    }
}
