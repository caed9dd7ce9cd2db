//! The fleet as a policy sees it: who may leave, and with how much.

use crate::sim::dispatch::{Free, Moment};

use super::{Context, Fleet};

/// The docked drones of hubs that are open.
pub(super) struct FreeDrones<'a> {
    fleet: &'a Fleet,
    context: &'a Context,
}

impl Fleet {
    pub(super) fn free<'a>(&'a self, context: &'a Context) -> FreeDrones<'a> {
        FreeDrones { fleet: self, context }
    }

    /// What the pair's fullest drone holds; `None` where none may leave.
    pub(super) fn fullest_wh(&self, context: &Context, pair: usize) -> Option<f64> {
        if self.closed.contains_key(&context.world.pairs().get(pair).hub) {
            return None;
        }
        self.docks.fullest(pair, context.now).map(|(_, energy)| energy)
    }
}

impl Free for FreeDrones<'_> {
    fn fullest_wh(&self, pair: usize) -> Option<f64> {
        self.fleet.fullest_wh(self.context, pair)
    }

    fn energies_wh(&self, pair: usize, at_most: usize) -> Vec<f64> {
        self.fleet.docks.energies_wh(pair, at_most, self.context.now)
    }
}

pub(super) fn moment(context: &Context) -> Moment<'_> {
    Moment {
        world: &context.world,
        now: context.now,
    }
}
