//! `nearest`: the drone that stands nearest to the pick-up, at once, however fast it is. The
//! yardstick for the others.

use super::{Free, Moment, Policy, able};
use crate::sim::fleet_index::Pair;
use crate::sim::flight::Mission;
use crate::sim::order::Order;

pub(super) struct Nearest;

impl Policy for Nearest {
    /// Of several types at one hub the fastest that can do it, then the first.
    fn at_once(&self, at: Moment<'_>, order: &Order, free: &dyn Free) -> Option<(usize, Mission)> {
        let Moment { world, now } = at;
        let pickup = world.area.point(order.pickup.location);
        let place = |(index, pair): (usize, &Pair)| {
            let distance_m = world.hub(pair.hub).at.distance(pickup);
            (distance_m, world.model(pair.model).cruise_airspeed_mps, index)
        };
        let mut pairs: Vec<(f64, f64, usize)> = world.pairs().all().iter().enumerate().map(place).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        pairs
            .into_iter()
            .find_map(|(_, _, index)| able(world, now, order, index, free.fullest_wh(index)?))
    }
}
