//! Requests that wait for a drone: expedited ones first, then in order of arrival.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::dispatch::{self, Pair};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::world::World;

/// Expedited sorts before not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Turn {
    ordinary: bool,
    number: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    id: DeliveryId,
    order: Arc<Order>,
    /// By pair: energy at take-off that the mission takes; infinite where it cannot.
    needs_wh: Vec<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Queue {
    waiting: BTreeMap<Turn, Waiting>,
    turns: BTreeMap<DeliveryId, Turn>,
    next_number: u64,
}

impl Queue {
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn push(&mut self, id: DeliveryId, order: Arc<Order>, world: &World, pairs: &[Pair]) {
        let need = |pair: &Pair| match dispatch::mission(world, *pair, &order) {
            Some(mission) => dispatch::energy_needed_wh(world, *pair, &mission),
            None => f64::INFINITY,
        };
        let turn = Turn {
            ordinary: !order.expedited,
            number: self.next_number,
        };
        self.next_number += 1;
        let needs_wh = pairs.iter().map(need).collect();
        self.waiting.insert(turn, Waiting { id, order, needs_wh });
        self.turns.insert(id, turn);
    }

    /// Whether it was there.
    pub fn withdraw(&mut self, id: DeliveryId) -> bool {
        match self.turns.remove(&id) {
            Some(turn) => self.waiting.remove(&turn).is_some(),
            None => false,
        }
    }

    /// The first in order that a drone of this pair with this charge can do.
    pub fn take_first(&mut self, pair: usize, energy_wh: f64) -> Option<(DeliveryId, Arc<Order>)> {
        let mut in_order = self.waiting.iter();
        let turn = *in_order
            .find(|(_, waiting)| waiting.needs_wh[pair] <= energy_wh)?
            .0;
        let waiting = self.waiting.remove(&turn)?;
        self.turns.remove(&waiting.id);
        Some((waiting.id, waiting.order))
    }

    /// What the least demanding waiting request takes of this pair.
    pub fn least_need_wh(&self, pair: usize) -> Option<f64> {
        let needs = self.waiting.values().map(|waiting| waiting.needs_wh[pair]);
        needs.min_by(f64::total_cmp).filter(|need| need.is_finite())
    }
}
