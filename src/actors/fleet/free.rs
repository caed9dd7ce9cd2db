//! The fleet as a policy sees it: who may leave, and with how much.

use std::sync::Arc;

use crate::sim::dispatch::{Free, Moment};

use super::offers::Claims;
use super::{Context, Fleet};

/// The docked drones of hubs that are open.
pub(super) struct FreeDrones<'a> {
    fleet: &'a Fleet,
    context: &'a Context,
    claims: Arc<Claims>,
}

impl Fleet {
    pub(super) fn free<'a>(&'a self, context: &'a Context, claims: Arc<Claims>) -> FreeDrones<'a> {
        FreeDrones {
            fleet: self,
            context,
            claims,
        }
    }

    /// What the pair's fullest drone holds; `None` where none may leave.
    pub(super) fn fullest_wh(&self, context: &Context, pair: usize) -> Option<f64> {
        if !self.may_leave(context, pair) {
            return None;
        }
        self.docks.fullest(pair, context.now).map(|(_, energy)| energy)
    }

    /// What the fullest holds of those that are not saved.
    pub(super) fn spare_wh(&self, context: &Context, pair: usize, claims: &Claims) -> Option<f64> {
        match claims.saved(pair) {
            0 => self.fullest_wh(context, pair),
            _ if !self.may_leave(context, pair) => None,
            saved => {
                let fullest = self.docks.energies_wh(pair, saved + 1, context.now);
                fullest.get(saved).copied()
            }
        }
    }

    /// Whether anybody of it.
    pub(super) fn may_leave(&self, context: &Context, pair: usize) -> bool {
        !self.closed.contains_key(&context.world.pairs().get(pair).hub)
    }
}

impl Free for FreeDrones<'_> {
    fn fullest_wh(&self, pair: usize) -> Option<f64> {
        self.fleet.spare_wh(self.context, pair, &self.claims)
    }

    fn energies_wh(&self, pair: usize, at_most: usize) -> Vec<f64> {
        match self.fleet.may_leave(self.context, pair) {
            true => self.fleet.docks.energies_wh(pair, at_most, self.context.now),
            false => Vec::new(),
        }
    }

    fn saved(&self, pair: usize) -> usize {
        self.claims.saved(pair)
    }
}

pub(super) fn moment(context: &Context) -> Moment<'_> {
    Moment {
        world: &context.world,
        now: context.now,
    }
}
