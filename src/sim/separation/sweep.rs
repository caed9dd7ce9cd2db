//! Who will lose separation if all go on as they do: each drone is entered in the cells and
//! bands of height that it sweeps until as far as is looked ahead, and only those who share a
//! cell are held against each other.
//!
//! Two that come closer than the minima share the place half-way, which lies within half of
//! the minima of both ways. So who is entered with that much to spare misses nobody.

use std::ops::Range;

use rayon::prelude::*;

use super::super::time::{SimDuration, SimTime};
use super::body::{Body, Minima, Pair};
use super::grid::{ENOUGH_FOR_THREADS, column};

/// Two bodies that will lose separation, and in how many seconds; the lower drone first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    pub pair: Pair,
    pub rows: [u32; 2],
    pub in_s: f32,
}

const CELL_M: f32 = 256.0;
/// As far apart as levels are, so that a level flight is in one band.
const BAND_M: f32 = 20.0;
/// Room for what single precision leaves out, metres: half of it is how exactly a cell's edge
/// is known.
const SPARE_M: f32 = 1.0;
const ROW_BITS: u32 = 24;

/// Which rows of cells are looked at: each in one tick out of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub now: u16,
    pub of: u16,
}

impl Turn {
    /// So that each row has its turn once a simulated second, or in each longer tick.
    pub fn of_tick(tick: SimDuration, now: SimTime) -> Self {
        const EVERY_US: u64 = 1_000_000;
        const MOST: u64 = 1_000;
        let tick_us = tick.0.max(1);
        let of = (EVERY_US / tick_us).clamp(1, MOST);
        Turn {
            now: (now.0 / tick_us % of) as u16,
            of: of as u16,
        }
    }

    /// The rows from `south` to `north` whose turn it is.
    fn rows(self, south: u16, north: u16) -> impl Iterator<Item = u16> {
        let until_next = (self.of + self.now - south % self.of) % self.of;
        (south.saturating_add(until_next)..=north).step_by(usize::from(self.of))
    }
}

#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Cell, band and row.
    entries: Vec<u64>,
}

impl Sweep {
    /// All pairs that will lose separation, in order, as far as they share a cell whose turn
    /// it is.
    pub fn predicted(
        &mut self,
        bodies: &[Body],
        minima: Minima,
        turn: Turn,
        pool: Option<&rayon::ThreadPool>,
    ) -> Vec<Predicted> {
        let pool = pool.filter(|_| bodies.len() >= ENOUGH_FOR_THREADS);
        let mut found = match pool {
            Some(pool) => pool.install(|| {
                let parts = bodies.par_chunks(ENOUGH_FOR_THREADS).enumerate();
                let parts: Vec<Vec<u64>> = parts
                    .map(|(part, bodies)| entered(bodies, part * ENOUGH_FOR_THREADS, minima, turn))
                    .collect();
                self.entries.clear();
                self.entries.extend(parts.iter().flatten());
                self.entries.par_sort_unstable();
                let shares: Vec<Range<usize>> = self.shares();
                let found = shares
                    .into_par_iter()
                    .map(|share| self.within(share, bodies, minima));
                found.collect::<Vec<_>>().concat()
            }),
            None => {
                self.entries = entered(bodies, 0, minima, turn);
                self.entries.sort_unstable();
                self.within(0..self.entries.len(), bodies, minima)
            }
        };
        // Who shares several cells is found in each.
        found.sort_unstable_by_key(|predicted| predicted.pair);
        found.dedup_by_key(|predicted| predicted.pair);
        found
    }

    /// Whole cells, so many entries at once or a few more.
    fn shares(&self) -> Vec<Range<usize>> {
        let mut shares = Vec::new();
        let mut start = 0;
        while start < self.entries.len() {
            let mut end = self.entries.len().min(start + ENOUGH_FOR_THREADS);
            while end < self.entries.len() && self.cell(end) == self.cell(end - 1) {
                end += 1;
            }
            shares.push(start..end);
            start = end;
        }
        shares
    }

    fn cell(&self, entry: usize) -> u64 {
        self.entries[entry] >> ROW_BITS
    }

    fn within(&self, share: Range<usize>, bodies: &[Body], minima: Minima) -> Vec<Predicted> {
        let row = |entry: u64| (entry & ((1 << ROW_BITS) - 1)) as usize;
        let mut found = Vec::new();
        let entries = &self.entries[share];
        for cell in entries.chunk_by(|a, b| a >> ROW_BITS == b >> ROW_BITS) {
            for (number, one) in cell.iter().enumerate() {
                let one = row(*one);
                for other in &cell[number + 1..] {
                    let other = row(*other);
                    if let Some(in_s) = bodies[one].meets(&bodies[other], minima) {
                        found.push(predicted(bodies, one, other, in_s));
                    }
                }
            }
        }
        found
    }
}

fn predicted(bodies: &[Body], one: usize, other: usize, in_s: f32) -> Predicted {
    let (low, high) = match bodies[one].drone < bodies[other].drone {
        true => (one, other),
        false => (other, one),
    };
    Predicted {
        pair: Pair::of(bodies[low].drone, bodies[high].drone),
        rows: [low as u32, high as u32],
        in_s,
    }
}

fn entered(bodies: &[Body], first: usize, minima: Minima, turn: Turn) -> Vec<u64> {
    let mut entries = Vec::with_capacity(bodies.len());
    for (row, body) in bodies.iter().enumerate() {
        let row = (first + row) as u64;
        cover(body, minima, turn, |cell| entries.push(cell << ROW_BITS | row));
    }
    entries
}

/// Each cell and band that a body sweeps in the rows whose turn it is, once.
fn cover(body: &Body, minima: Minima, turn: Turn, mut enter: impl FnMut(u64)) {
    let t = body.lasts_s;
    let side = 0.5 * minima.horizontal_m + SPARE_M;
    let upright = 0.5 * minima.vertical_m + SPARE_M;
    let (_, end_y) = body.after(t);
    let end_height = body.height + body.up * t;
    let bands = [
        band(body.height.min(end_height) - upright),
        band(body.height.max(end_height) + upright),
    ];
    let south = column((body.y.min(end_y) - side) / CELL_M);
    let north = column((body.y.max(end_y) + side) / CELL_M);
    for row in turn.rows(south, north) {
        // When it is in this row of cells; all the time where it hardly moves north or south.
        let (mut from, mut until) = (0.0, t);
        if north > south && (body.north * t).abs() > 1.0 {
            let low = (f32::from(row) - 32_768.0) * CELL_M - side;
            let high = low + CELL_M + 2.0 * side;
            let (one, other) = ((low - body.y) / body.north, (high - body.y) / body.north);
            (from, until) = (one.min(other).clamp(0.0, t), one.max(other).clamp(0.0, t));
        }
        let (one, other) = (body.x + body.east * from, body.x + body.east * until);
        let west = column((one.min(other) - side) / CELL_M);
        let east = column((one.max(other) + side) / CELL_M);
        for column in west..=east {
            for band in bands[0]..=bands[1] {
                enter(u64::from(row) << 24 | u64::from(column) << 8 | u64::from(band));
            }
        }
    }
}

/// Which band of heights, of 20 m each.
pub fn band(height: f32) -> u8 {
    (height / BAND_M + 1.0).clamp(0.0, 255.0) as u8
}
