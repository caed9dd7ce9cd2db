//! All of the sky in square cells, sorted, so that those who are near each other are so in
//! memory; and who has lost separation now: each cell held against itself and half of its
//! neighbours. Cost O(drones), around hubs too, where all are close to all: there each is only
//! asked whether anybody is.

use std::ops::Range;

use rayon::prelude::*;

use super::body::{Body, Closeness, Minima, Pair};
use super::terminals::Terminals;

/// Two bodies that have lost separation; `rows` are those of the grid, the lower drone first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lost {
    pub pair: Pair,
    pub rows: [u32; 2],
    pub closeness: Closeness,
}

/// Fewer are not worth another thread.
pub const ENOUGH_FOR_THREADS: usize = 4_096;
const SOUTH_NEIGHBOUR: u64 = 1 << 16;

/// Sorted by cell; what it needs of memory stays with it from tick to tick.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// Cell, and the body's number as it came.
    entries: Vec<u64>,
    /// In the entries' order.
    bodies: Vec<Body>,
    /// Those rows in terminal volumes.
    in_terminal: Vec<bool>,
    /// Cells.
    per_metre: f32,
}

impl Grid {
    /// Rows in terminal volumes of those whom anybody, wherever, is closer to than the minima.
    pub fn crowded(&self, minima: Minima, pool: Option<&rayon::ThreadPool>) -> Vec<u32> {
        let pool = pool.filter(|_| self.bodies.len() >= ENOUGH_FOR_THREADS);
        let is_crowded = |row: &usize| self.in_terminal[*row] && self.is_close_to_any(*row, minima);
        let rows = 0..self.bodies.len();
        match pool {
            Some(pool) => pool.install(|| {
                let rows = rows.into_par_iter().filter(is_crowded);
                rows.map(|row| row as u32).collect()
            }),
            None => rows.filter(is_crowded).map(|row| row as u32).collect(),
        }
    }

    /// Nearest in memory first: where many are, one of those is close.
    fn is_close_to_any(&self, row: usize, minima: Minima) -> bool {
        let body = &self.bodies[row];
        let is_close = |other: &Body| body.lost(other, minima).is_some();
        let cell = |row: usize| self.entries[row] >> 32;
        let own = cell(row);
        let before = (0..row).rev().take_while(|other| cell(*other) + 1 >= own);
        let after = (row + 1..self.bodies.len()).take_while(|other| cell(*other) <= own + 1);
        let mut abreast = before.chain(after).map(|other| &self.bodies[other]);
        let beside = |middle: u64| self.between(middle - 1, middle + 1);
        abreast.any(is_close)
            || beside(own - SOUTH_NEIGHBOUR).iter().any(is_close)
            || beside(own + SOUTH_NEIGHBOUR).iter().any(is_close)
    }

    /// All pairs that have lost separation outside of terminal volumes, in order.
    pub fn lost(&self, minima: Minima, pool: Option<&rayon::ThreadPool>) -> Vec<Lost> {
        let pool = pool.filter(|_| self.bodies.len() >= ENOUGH_FOR_THREADS);
        let mut found = match pool {
            Some(pool) => pool.install(|| {
                let count = self.entries.len();
                let parts = (0..count).into_par_iter().step_by(ENOUGH_FOR_THREADS);
                let parts =
                    parts.map(|start| self.within(start..count.min(start + ENOUGH_FOR_THREADS), minima));
                parts.collect::<Vec<_>>().concat()
            }),
            None => self.within(0..self.entries.len(), minima),
        };
        found.sort_unstable_by_key(|lost| lost.pair);
        found
    }

    /// Everybody in the cells within this distance, as last laid.
    pub fn near(&self, (x, y): (f32, f32), reach_m: f32) -> impl Iterator<Item = &Body> {
        let span = |at: f32| {
            let index = |metres: f32| column(metres * self.per_metre);
            index(at - reach_m)..=index(at + reach_m)
        };
        let columns = span(x);
        span(y).flat_map(move |row| {
            let key = |column: u16| u64::from(row) << 16 | u64::from(column);
            self.between(key(*columns.start()), key(*columns.end()))
        })
    }

    /// Everybody from one cell to another, both too.
    fn between(&self, first: u64, last: u64) -> &[Body] {
        let start = self.entries.partition_point(|entry| entry >> 32 < first);
        let count = self.entries[start..].partition_point(|entry| entry >> 32 <= last);
        &self.bodies[start..start + count]
    }

    /// Sorted by cell; a row is a place in this order.
    pub fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    /// Which rows are in terminal volumes.
    pub fn in_terminal(&self) -> &[bool] {
        &self.in_terminal
    }

    pub fn lay(
        &mut self,
        bodies: &[Body],
        terminals: &Terminals,
        minima: Minima,
        pool: Option<&rayon::ThreadPool>,
    ) {
        let pool = pool.filter(|_| bodies.len() >= ENOUGH_FOR_THREADS);
        // As wide as makes few cells empty and few crowded; never narrower than the minimum.
        let per_metre = 1.0 / (2.0 * minima.horizontal_m).max(20.0);
        self.per_metre = per_metre;
        let entry = |(row, body): (usize, &Body)| cell(body, per_metre) << 32 | row as u64;
        let body = |entry: &u64| {
            let body = bodies[*entry as u32 as usize];
            (body, terminals.contain((body.x, body.y)))
        };
        match pool {
            Some(pool) => pool.install(|| {
                let entries = bodies.par_iter().enumerate().map(entry);
                entries.collect_into_vec(&mut self.entries);
                self.entries.par_sort_unstable();
                let bodies = self.entries.par_iter().map(body);
                bodies.unzip_into_vecs(&mut self.bodies, &mut self.in_terminal);
            }),
            None => {
                self.entries.clear();
                self.entries.extend(bodies.iter().enumerate().map(entry));
                self.entries.sort_unstable();
                self.bodies.clear();
                self.in_terminal.clear();
                self.bodies.reserve(bodies.len());
                self.in_terminal.reserve(bodies.len());
                for (body, in_terminal) in self.entries.iter().map(body) {
                    self.bodies.push(body);
                    self.in_terminal.push(in_terminal);
                }
            }
        }
    }

    /// Pairs of which the first is one of these entries.
    fn within(&self, part: Range<usize>, minima: Minima) -> Vec<Lost> {
        let (entries, bodies) = (&self.entries[..], &self.bodies[..]);
        let mut found = Vec::new();
        let cell = |entry: usize| entries[entry] >> 32;
        let mut next_row = match part.clone().next() {
            Some(first) => entries.partition_point(|entry| entry >> 32 < cell(first) + SOUTH_NEIGHBOUR - 1),
            None => return found,
        };
        for one in part.filter(|one| !self.in_terminal[*one]) {
            let mut hold = |other: usize| {
                let closeness = bodies[one].lost(&bodies[other], minima);
                if let Some(closeness) = closeness.filter(|_| !self.in_terminal[other]) {
                    found.push(self.found(one, other, closeness));
                }
            };
            // Its own cell and the one to the east; then the three of the next row.
            let mut other = one + 1;
            while other < entries.len() && cell(other) <= cell(one) + 1 {
                hold(other);
                other += 1;
            }
            while next_row < entries.len() && cell(next_row) < cell(one) + SOUTH_NEIGHBOUR - 1 {
                next_row += 1;
            }
            let mut other = next_row;
            while other < entries.len() && cell(other) <= cell(one) + SOUTH_NEIGHBOUR + 1 {
                hold(other);
                other += 1;
            }
        }
        found
    }

    fn found(&self, one: usize, other: usize, closeness: Closeness) -> Lost {
        let drone = |row: usize| (self.bodies[row].drone, row as u32);
        let (low, high) = match drone(one) < drone(other) {
            true => (drone(one), drone(other)),
            false => (drone(other), drone(one)),
        };
        Lost {
            pair: Pair::of(low.0, high.0),
            rows: [low.1, high.1],
            closeness,
        }
    }
}

/// Row of cells and column, 16 bits each; what lies further out is in the outermost.
fn cell(body: &Body, per_metre: f32) -> u64 {
    u64::from(column(body.y * per_metre)) << 16 | u64::from(column(body.x * per_metre))
}

/// Which column (or row) a place lies in that is so many cells from the middle; its edges are
/// known to a 512th of a cell. The outermost two stay empty, so that no row runs into the next.
pub fn column(cells: f32) -> u16 {
    // What is not negative is cut off as `floor` would, without a call.
    (cells + 32_768.0).clamp(2.0, 65_533.0) as u16
}
