//! Requests that wait for a drone: expedited ones first, then those with a deadline, the
//! earliest first, then in order of arrival.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::dispatch::{self, claims};
use crate::sim::fleet_index::Pair;
use crate::sim::flight::Mission;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::World;

use super::memo::Memo;

/// Expedited sorts before not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Turn {
    ordinary: bool,
    /// When it joined, microseconds since the start; one more for each that did in the same tick.
    /// Programs that did not care how long it waits counted from 0.
    joined: u64,
}

impl Turn {
    fn claim(self, world: &World, now: SimTime) -> Option<SimDuration> {
        claims::claim(&world.dispatch, !self.ordinary, SimTime(self.joined), now)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting {
    id: DeliveryId,
    order: Arc<Order>,
    /// By pair: energy at take-off that the mission takes; infinite where it cannot. Empty where
    /// the policy serves in rounds, and looks for itself.
    needs_wh: Vec<f64>,
    /// Follows from the order; the end of time where that has none.
    #[serde(skip)]
    deadline: SimTime,
}

/// Where in the order of service.
type Rank = (bool, SimTime, Turn);

impl Waiting {
    fn rank(&self, turn: Turn) -> Rank {
        (turn.ordinary, self.deadline, turn)
    }
}

/// One more with each that joins or leaves, and with each need that turned out to be another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Editions {
    pub who: u64,
    pub needs: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Queue {
    waiting: BTreeMap<Turn, Waiting>,
    turns: BTreeMap<DeliveryId, Turn>,
    next_joins: u64,
    /// Those from here on have yet to be held against the air as it is now.
    doubtful_from: Option<Turn>,
    /// When some of them were last.
    revised_at: Option<SimTime>,
    #[serde(skip)]
    editions: Memo<Editions>,
    /// By pair: who needs how much of it, least first. Follows from `waiting`; asked with
    /// every request that joins and every drone that lands, however long the queue.
    #[serde(skip)]
    by_need: Vec<BTreeSet<(Need, Turn)>>,
    /// Follows from `waiting` too.
    #[serde(skip)]
    ranks: BTreeSet<Rank>,
}

/// As snapshots before format 7 hold it: nobody is in doubt.
#[derive(Deserialize)]
pub(super) struct QueueBefore7 {
    waiting: BTreeMap<Turn, Waiting>,
    turns: BTreeMap<DeliveryId, Turn>,
    next_number: u64,
}

impl QueueBefore7 {
    pub fn now(self) -> Queue {
        Queue {
            waiting: self.waiting,
            turns: self.turns,
            next_joins: self.next_number,
            ..Queue::new()
        }
    }
}

/// Watt-hours as bits: for numbers from 0 on these are in the numbers' order.
type Need = u64;

impl Queue {
    pub fn new() -> Self {
        Queue {
            waiting: BTreeMap::new(),
            turns: BTreeMap::new(),
            next_joins: 0,
            doubtful_from: None,
            revised_at: None,
            editions: Memo::default(),
            by_need: Vec::new(),
            ranks: BTreeSet::new(),
        }
    }

    /// Makes room for all pairs of the world, which may have become more, and makes again what
    /// follows from the rest.
    pub fn grow(&mut self, world: &World, now: SimTime) {
        let pairs = world.pairs().all();
        let known = self.by_need.len();
        self.by_need.resize(pairs.len(), BTreeSet::new());
        for (turn, waiting) in &mut self.waiting {
            waiting.deadline = deadline(world, &waiting.order);
            self.ranks.insert(waiting.rank(*turn));
            for pair in pairs_planned_for(world).iter().skip(waiting.needs_wh.len()) {
                waiting.needs_wh.push(need_wh(world, now, *pair, &waiting.order));
            }
            for (needs, need) in self.by_need.iter_mut().zip(&waiting.needs_wh).skip(known) {
                needs.insert((need.to_bits(), *turn));
            }
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What a copy of it takes: each that waits is in three lists, and in one of each pair.
    pub fn entries(&self) -> usize {
        self.waiting.len() * (3 + self.by_need.len())
    }

    pub fn push(&mut self, id: DeliveryId, order: Arc<Order>, world: &World, now: SimTime) {
        let turn = Turn {
            ordinary: !order.expedited,
            joined: self.next_joins.max(now.0),
        };
        self.next_joins = turn.joined + 1;
        self.editions.0.who += 1;
        let pairs = pairs_planned_for(world).iter();
        let needs_wh: Vec<f64> = pairs.map(|pair| need_wh(world, now, *pair, &order)).collect();
        for (needs, need) in self.by_need.iter_mut().zip(&needs_wh) {
            needs.insert((need.to_bits(), turn));
        }
        let waiting = Waiting {
            id,
            deadline: deadline(world, &order),
            order,
            needs_wh,
        };
        self.ranks.insert(waiting.rank(turn));
        self.waiting.insert(turn, waiting);
        self.turns.insert(id, turn);
    }

    pub fn ids(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.turns.keys().copied()
    }

    pub fn holds(&self, id: DeliveryId) -> bool {
        self.turns.contains_key(&id)
    }

    /// Whether it was there.
    pub fn withdraw(&mut self, id: DeliveryId) -> bool {
        let turn = self.turns.get(&id).copied();
        turn.and_then(|turn| self.remove(turn)).is_some()
    }

    fn remove(&mut self, turn: Turn) -> Option<Waiting> {
        let waiting = self.waiting.remove(&turn)?;
        self.editions.0.who += 1;
        self.turns.remove(&waiting.id);
        self.ranks.remove(&waiting.rank(turn));
        for (needs, need) in self.by_need.iter_mut().zip(&waiting.needs_wh) {
            needs.remove(&(need.to_bits(), turn));
        }
        Some(waiting)
    }

    /// The first in order that a drone of this pair with this charge can do, and how.
    pub fn take_first(
        &mut self,
        world: &World,
        now: SimTime,
        pair: usize,
        energy_wh: f64,
    ) -> Option<(DeliveryId, Arc<Order>, Mission)> {
        self.take(world, now, pair, |queue| {
            queue.least_need_wh(pair).filter(|least| *least <= energy_wh)?;
            let can = |turn: &Turn| queue.waiting[turn].needs_wh[pair] <= energy_wh;
            Some((queue.in_order().find(can)?, energy_wh))
        })
    }

    /// The first of these whom its own drone of the pair suffices for.
    pub fn take_first_of(
        &mut self,
        turns: impl Iterator<Item = Turn> + Clone,
        energies_wh: &[f64],
        world: &World,
        now: SimTime,
        pair: usize,
    ) -> Option<(DeliveryId, Arc<Order>, Mission)> {
        self.take(world, now, pair, |queue| {
            let mut own = turns.clone().zip(energies_wh.iter().copied());
            own.find(|(turn, energy_wh)| queue.waiting[turn].needs_wh[pair] <= *energy_wh)
        })
    }

    /// The next, with what a battery holds for it. What the air has become since a need was worked
    /// out is found here.
    fn take(
        &mut self,
        world: &World,
        now: SimTime,
        pair: usize,
        next: impl Fn(&Self) -> Option<(Turn, f64)>,
    ) -> Option<(DeliveryId, Arc<Order>, Mission)> {
        let of_pair = world.pairs().get(pair);
        loop {
            let (turn, energy_wh) = next(self)?;
            let mission = dispatch::mission(world, now, of_pair, &self.waiting[&turn].order);
            let need = needed_wh(world, of_pair, mission.as_ref());
            match mission {
                Some(mission) if need <= energy_wh => {
                    let waiting = self.remove(turn)?;
                    return Some((waiting.id, waiting.order, mission));
                }
                _ => self.set_need(turn, pair, need),
            }
        }
    }

    /// The air has changed: all needs are to be worked out anew.
    pub fn doubt_all(&mut self) {
        self.doubtful_from = self.waiting.keys().next().copied();
    }

    pub fn is_doubtful(&self) -> bool {
        self.doubtful_from.is_some()
    }

    pub fn was_revised_at(&self, now: SimTime) -> bool {
        self.revised_at == Some(now)
    }

    /// Works out the needs of some more of those that are in doubt; answers who they are.
    pub fn revise(&mut self, world: &World, now: SimTime, at_most: usize) -> Vec<DeliveryId> {
        self.revised_at = Some(now);
        let Some(from) = self.doubtful_from.take() else {
            return Vec::new();
        };
        let mut doubtful = self
            .waiting
            .range(from..)
            .map(|(turn, waiting)| (*turn, waiting.id));
        let some: Vec<(Turn, DeliveryId)> = doubtful.by_ref().take(at_most).collect();
        self.doubtful_from = doubtful.next().map(|(turn, _)| turn);
        for (turn, _) in &some {
            for (pair, of_pair) in pairs_planned_for(world).iter().enumerate() {
                let need = need_wh(world, now, *of_pair, &self.waiting[turn].order);
                self.set_need(*turn, pair, need);
            }
        }
        some.into_iter().map(|(_, id)| id).collect()
    }

    fn set_need(&mut self, turn: Turn, pair: usize, need: f64) {
        if let Some(waiting) = self.waiting.get_mut(&turn) {
            let before = std::mem::replace(&mut waiting.needs_wh[pair], need);
            if before.to_bits() == need.to_bits() {
                return;
            }
            self.editions.0.needs += 1;
            self.by_need[pair].remove(&(before.to_bits(), turn));
            self.by_need[pair].insert((need.to_bits(), turn));
        }
    }

    /// Those who wait, in their order.
    pub fn in_order(&self) -> impl Iterator<Item = Turn> + '_ {
        self.ranks.iter().map(|(_, _, turn)| *turn)
    }

    /// Whose turn it is.
    pub fn who(&self, turn: Turn) -> (DeliveryId, &Arc<Order>) {
        let waiting = &self.waiting[&turn];
        (waiting.id, &waiting.order)
    }

    /// Whether anybody has waited for long.
    pub fn has_claims(&self, world: &World, now: SimTime) -> bool {
        let first = [self.joined(false).next(), self.joined(true).next()];
        let mut first = first.into_iter().flatten();
        first.any(|turn| turn.claim(world, now).is_some())
    }

    /// Those who have, the greatest claim first, and so many of them.
    pub fn claims(&self, world: &World, now: SimTime, at_most: usize) -> Vec<Turn> {
        let of = |ordinary| {
            let claimed = move |turn: Turn| Some((Reverse(turn.claim(world, now)?), turn));
            self.joined(ordinary).map_while(claimed).take(at_most)
        };
        let mut all: Vec<_> = of(false).chain(of(true)).collect();
        all.sort_unstable();
        all.truncate(at_most);
        all.into_iter().map(|(_, turn)| turn).collect()
    }

    /// In the order in which they joined.
    fn joined(&self, ordinary: bool) -> impl Iterator<Item = Turn> + '_ {
        let first = Turn { ordinary, joined: 0 };
        let last = Turn {
            ordinary,
            joined: u64::MAX,
        };
        self.waiting.range(first..=last).map(|(turn, _)| *turn)
    }

    /// By pair: energy at take-off that it takes of that; infinite where it cannot.
    pub fn needs_wh_of(&self, turn: Turn, world: &World, now: SimTime) -> impl Fn(usize) -> f64 {
        let waiting = &self.waiting[&turn];
        move |pair| {
            let known = waiting.needs_wh.get(pair).copied();
            known.unwrap_or_else(|| need_wh(world, now, world.pairs().get(pair), &waiting.order))
        }
    }

    /// While they are the same, so is the queue.
    pub fn editions(&self) -> Editions {
        self.editions.0
    }

    /// What the least demanding waiting request takes of this pair.
    pub fn least_need_wh(&self, pair: usize) -> Option<f64> {
        let (bits, _) = self.by_need[pair].first()?;
        Some(f64::from_bits(*bits)).filter(|need| need.is_finite())
    }
}

/// The pairs that are held against each request as soon as it waits.
fn pairs_planned_for(world: &World) -> &[Pair] {
    match world.dispatch.policy.policy().in_rounds() {
        true => &[],
        false => world.pairs().all(),
    }
}

fn deadline(world: &World, order: &Order) -> SimTime {
    dispatch::deadline(world, order).unwrap_or(SimTime::NEVER)
}

/// Energy at take-off that the order takes of this pair; infinite where it cannot.
fn need_wh(world: &World, now: SimTime, pair: Pair, order: &Order) -> f64 {
    dispatch::need_wh(world, now, pair, order).unwrap_or(f64::INFINITY)
}

/// Energy at take-off that the mission takes of this pair; infinite where there is none.
fn needed_wh(world: &World, pair: Pair, mission: Option<&Mission>) -> f64 {
    match mission {
        Some(mission) => dispatch::energy_needed_wh(world, pair, mission),
        None => f64::INFINITY,
    }
}
