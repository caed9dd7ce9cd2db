//! `earliest-pickup`: the drone that can have the package on board first, at once; one that lifts
//! more than need be only where it is a good deal earlier.

use super::{Candidate, Free, Moment, Policy, SPARING, able, errand, nearest_first, weaker_types};
use crate::sim::fleet_index::Pair;
use crate::sim::flight::{self, Mission};
use crate::sim::order::Order;

pub(super) struct EarliestPickup;

/// The best so far: its pick-up with what sparing it is worth, seconds.
struct Best {
    counted_s: f64,
    pair: usize,
    mission: Mission,
}

impl Policy for EarliestPickup {
    /// Among the pairs whose fullest free drone can do it; the first such pair where several
    /// are as early.
    fn at_once(&self, at: Moment<'_>, order: &Order, free: &dyn Free) -> Option<(usize, Mission)> {
        let Moment { world, now } = at;
        let air = world.air(now);
        let mut best: Option<Best> = None;
        for Candidate { soonest_s, index } in nearest_first(world, now, order) {
            if best.as_ref().is_some_and(|best| best.counted_s < soonest_s) {
                break;
            }
            let Some(energy) = free.fullest_wh(index) else {
                continue;
            };
            let spared_s = f64::from(weaker_types(world, index, order)) * SPARING.as_secs();
            let is_better = |counted_s: f64| {
                best.as_ref().is_none_or(|best| {
                    let by_time = counted_s.total_cmp(&best.counted_s);
                    by_time.then(index.cmp(&best.pair)).is_lt()
                })
            };
            if !is_better(soonest_s + spared_s) {
                continue;
            }
            let Pair { hub, model } = world.pairs().get(index);
            let errand = errand(world, hub, order);
            let pickup_s = match flight::time_to_pickup(world.model(model), &air, &errand) {
                Ok(pickup_s) => Some(pickup_s),
                // Before the next zone begins there may be a way.
                Err(_) => able(world, now, order, index, energy).map(|(_, mission)| mission.pickup_s),
            };
            let Some(pickup_s) = pickup_s else { continue };
            let counted_s = pickup_s + spared_s;
            if is_better(counted_s)
                && let Some((pair, mission)) = able(world, now, order, index, energy)
            {
                best = Some(Best {
                    counted_s,
                    pair,
                    mission,
                });
            }
        }
        best.map(|best| (best.pair, best.mission))
    }
}
