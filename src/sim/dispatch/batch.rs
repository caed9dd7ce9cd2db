//! `batch`: every few seconds all who wait and all who are free at once, by a minimum-cost
//! matching.
//!
//! As many as possible are served. Where not all can be, and in who gets which drone, the sum
//! of the times until the packages are there decides, those of expedited requests weighing
//! more, and time past a deadline more still; the time that somebody has waited counts for
//! them, and a drone that lifts more than need be is worth sparing for who needs it. The matching is Kuhn and Munkres's, over whole milliseconds, so that it is the same
//! everywhere.

use std::collections::{BTreeMap, BTreeSet};

use pathfinding::prelude::{Matrix, kuhn_munkres_min};

use super::claims::Place;
use super::{
    Free, Match, Moment, Policy, SPARING, Waiting, able, deadline, energy_needed_wh, nearest_first,
    weaker_types,
};
use crate::sim::flight::Mission;
use crate::sim::order::ConfirmationRequired;
use crate::sim::time::{SimDuration, SimTime};

/// Most requests of one round; the matching takes their square times the drones.
const MOST_SERVED: usize = 64;
/// Pairs that a request chooses among: the soonest at its pick-up.
const MOST_PAIRS: usize = 24;

const EXPEDITED_WEIGHT: i64 = 3;
const LATE_WEIGHT: i64 = 5;
/// More than all trips of a round could differ by together, ms: nobody waits so that others fly
/// a shorter way.
const UNSERVED_MS: i64 = 1_000_000_000;
/// More than a whole round without a single drone.
const IMPOSSIBLE_MS: i64 = 1_000_000_000_000_000;

pub(super) struct Batch;

impl Policy for Batch {
    fn in_rounds(&self) -> bool {
        true
    }

    fn round(&self, at: Moment<'_>, waiting: &[Waiting<'_>], free: &dyn Free) -> Vec<Match> {
        let numbered = waiting.iter().enumerate();
        let rows = numbered.map(|(index, waiting)| Row::new(at, index, waiting, free));
        let mut rows: Vec<Row> = rows
            .filter(|row| !row.ways.is_empty())
            .take(MOST_SERVED)
            .collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let drones = drones(&rows, free);
        // Behind the drones a place for each that stays without one.
        let costs = Matrix::from_fn(
            rows.len(),
            drones.len() + rows.len(),
            |(row, column)| match drones.get(column) {
                Some(drone) => rows[row].cost_ms(drone),
                None => rows[row].unserved_ms,
            },
        );
        let (_, columns) = kuhn_munkres_min(&costs);
        let found = rows.iter_mut().zip(columns).filter_map(|(row, column)| {
            let drone = drones.get(column)?;
            let way = row.ways.remove(&drone.pair)?;
            (way.need_wh <= drone.energy_wh).then_some(Match {
                waiting: row.index,
                pair: drone.pair,
                mission: way.mission,
            })
        });
        found.collect()
    }
}

/// A request, and what it could get.
struct Row {
    index: usize,
    saved: Option<Place>,
    ways: BTreeMap<usize, Way>,
    unserved_ms: i64,
}

struct Way {
    mission: Mission,
    need_wh: f64,
    takes: SimDuration,
    /// How many weaker types could do it too.
    weaker: i64,
    cost_ms: i64,
}

/// One that is free.
struct Drone {
    pair: usize,
    energy_wh: f64,
    /// Among the pair's, the fullest first.
    place: usize,
    is_saved: bool,
}

impl Row {
    fn new(at: Moment<'_>, index: usize, waiting: &Waiting<'_>, free: &dyn Free) -> Self {
        let Moment { world, now } = at;
        let order = waiting.order;
        let door = world
            .recipient
            .expected(order.confirmation != ConfirmationRequired::None);
        let weight = if order.expedited { EXPEDITED_WEIGHT } else { 1 };
        let deadline = deadline(world, order);
        let candidates = nearest_first(world, now, order).into_iter();
        let ways = candidates.filter_map(|candidate| {
            let pair = candidate.index;
            let fullest_wh = match waiting.saved.filter(|place| place.pair == pair) {
                Some(Place { behind, .. }) => free.energies_wh(pair, behind + 1).get(behind).copied(),
                None => free.fullest_wh(pair),
            };
            let (_, mission) = able(world, now, order, pair, fullest_wh?)?;
            let takes = SimDuration::from_secs(mission.delivery_s + door.as_secs());
            let way = Way {
                weaker: i64::from(weaker_types(world, pair, order)),
                need_wh: energy_needed_wh(world, world.pairs().get(pair), &mission),
                takes,
                cost_ms: 0,
                mission,
            };
            Some((pair, way))
        });
        let mut ways: BTreeMap<usize, Way> = ways.take(MOST_PAIRS).collect();
        let soonest = ways.values().map(|way| way.takes).min().unwrap_or_default();
        let late = |at: SimTime| deadline.map_or(0, |deadline| ms(at.since(deadline)));
        for way in ways.values_mut() {
            let later = late(now + way.takes) - late(now + soonest);
            way.cost_ms = weight * ms(way.takes) + LATE_WEIGHT * later + way.weaker * ms(SPARING);
        }
        // Who stays behind is served a round later, at the soonest.
        let next_round = now + world.dispatch.batch_every;
        let waited = UNSERVED_MS + ms(next_round.since(waiting.since));
        Row {
            index,
            saved: waiting.saved,
            ways,
            unserved_ms: weight * waited + LATE_WEIGHT * late(next_round + soonest),
        }
    }

    fn cost_ms(&self, drone: &Drone) -> i64 {
        let way = self.ways.get(&drone.pair);
        let own = self.saved.filter(|own| own.pair == drone.pair);
        let is_saved_for_it = own.is_some_and(|own| own.behind <= drone.place);
        let may = |way: &&Way| way.need_wh <= drone.energy_wh && (is_saved_for_it || !drone.is_saved);
        let able = way.filter(may);
        able.map_or(IMPOSSIBLE_MS, |way| way.cost_ms)
    }
}

fn ms(span: SimDuration) -> i64 {
    i64::try_from(span.0 / 1_000).unwrap_or(i64::MAX)
}

/// The free drones that matter: of each pair no more than there are requests, and those saved.
fn drones(rows: &[Row], free: &dyn Free) -> Vec<Drone> {
    let pairs: BTreeSet<usize> = rows.iter().flat_map(|row| row.ways.keys().copied()).collect();
    let of = |pair| {
        let saved = free.saved(pair);
        let energies = free.energies_wh(pair, rows.len() + saved).into_iter().enumerate();
        energies.map(move |(place, energy_wh)| Drone {
            pair,
            energy_wh,
            place,
            is_saved: place < saved,
        })
    };
    pairs.into_iter().flat_map(of).collect()
}
