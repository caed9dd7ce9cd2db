//! Who will lose separation if all go on as they do: each drone is entered in the cells and
//! bands of height that it sweeps until as far as is looked ahead, and only those who share a
//! cell are held against each other.
//!
//! Two that come closer than the minima share the place half-way, which lies within half of
//! the minima of both ways. So who is entered with that much to spare misses nobody.

use rayon::prelude::*;

use super::abreast::{Eight, LANES};
use super::body::{Body, Minima, Pair};
use super::cells::{Turn, cell, cover, half_way};
use super::grid::ENOUGH_FOR_THREADS;

/// Two bodies that will lose separation, and in how many seconds; the lower drone first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    pub pair: Pair,
    pub rows: [u32; 2],
    pub in_s: f32,
}

const ROW_BITS: u32 = 24;
const ROW_MASK: u64 = (1 << ROW_BITS) - 1;

/// What it needs of memory stays with it from look to look.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// As wide as it looks.
    processor: pulp::Arch,
    parts: Vec<Part>,
    tables: Vec<Table>,
}

/// What some bodies are entered in: cell, band and row, apart for each table.
type Part = Vec<Vec<u64>>;

/// Each has every so-manieth row of cells: small enough to be at hand, and to go to a thread. One
/// for all where they are few.
const TABLES: usize = 16;

impl Default for Sweep {
    fn default() -> Self {
        Sweep::on(pulp::Arch::new())
    }
}

impl Sweep {
    pub fn on(processor: pulp::Arch) -> Self {
        Sweep {
            processor,
            parts: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// All pairs that will lose separation, in order, as far as they share a cell whose turn
    /// it is, and neither is left out.
    pub fn predicted(
        &mut self,
        bodies: &[Body],
        are_left_out: &[bool],
        minima: Minima,
        turn: Turn,
        pool: Option<&rayon::ThreadPool>,
    ) -> Vec<Predicted> {
        let (tables, of_part) = match bodies.len() >= ENOUGH_FOR_THREADS {
            true => (TABLES, ENOUGH_FOR_THREADS),
            false => (1, bodies.len().max(1)),
        };
        let pool = pool.filter(|_| tables > 1);
        let parts = bodies.len().div_ceil(of_part);
        self.parts.resize_with(parts, Vec::new);
        self.parts
            .iter_mut()
            .for_each(|part| part.resize_with(tables, Vec::new));
        self.tables.resize_with(tables, Table::default);
        let enter = |(number, (part, bodies)): (usize, (&mut Part, &[Body]))| {
            let first = number * of_part;
            let are_left_out = &are_left_out[first..first + bodies.len()];
            entered(bodies, are_left_out, first, minima, turn, part);
        };
        let (processor, parts, tables) = (self.processor, &mut self.parts, &mut self.tables);
        let look = |(number, table): (usize, &mut Table), parts: &[Part]| {
            table.fill(parts.iter().map(|part| &part[number]));
            table.look(processor, bodies, minima, turn)
        };
        // Who shares several cells may be found in each.
        let mut found: Vec<Predicted> = match pool {
            Some(pool) => pool.install(|| {
                let in_parts = parts.par_iter_mut().zip(bodies.par_chunks(of_part));
                in_parts.enumerate().for_each(enter);
                let parts = &parts[..];
                let tables = tables.par_iter_mut().enumerate();
                let found = tables.map(|table| look(table, parts)).collect::<Vec<_>>();
                let mut found = found.concat();
                found.par_sort_unstable_by_key(|predicted| predicted.pair);
                found
            }),
            None => {
                let in_parts = parts.iter_mut().zip(bodies.chunks(of_part));
                in_parts.enumerate().for_each(enter);
                let parts = &parts[..];
                let tables = tables.iter_mut().enumerate();
                let mut found: Vec<Predicted> = tables.flat_map(|table| look(table, parts)).collect();
                found.sort_unstable_by_key(|predicted| predicted.pair);
                found
            }
        };
        found.dedup_by_key(|predicted| predicted.pair);
        found
    }
}

/// Entries of some rows of cells in buckets, so that those of one cell are together: that is all
/// the order that is needed, and is had without sorting.
#[derive(Clone, Debug, Default)]
struct Table {
    /// Where each bucket ends.
    ends: Vec<u32>,
    entries: Vec<u64>,
    /// Those of one bucket.
    abreast: Vec<Eight>,
}

/// Fewer in a bucket are held against each other one by one.
const ENOUGH_FOR_EIGHT: usize = 5;

impl Table {
    /// The pairs of this table's cells.
    fn look(&mut self, processor: pulp::Arch, bodies: &[Body], minima: Minima, turn: Turn) -> Vec<Predicted> {
        let mut found = Vec::new();
        processor.dispatch(Look {
            table: self,
            bodies,
            minima,
            turn,
            found: &mut found,
        });
        found
    }

    fn fill<'a>(&mut self, parts: impl Iterator<Item = &'a Vec<u64>> + Clone) {
        let count = parts.clone().map(Vec::len).sum();
        let buckets = usize::next_power_of_two(count);
        self.ends.clear();
        self.ends.resize(buckets, 0);
        self.entries.clear();
        self.entries.resize(count, 0);
        let bucket = |entry: u64| bucket(entry >> ROW_BITS) & (buckets - 1);
        for entry in parts.clone().flatten() {
            self.ends[bucket(*entry)] += 1;
        }
        let mut start = 0;
        for end in &mut self.ends {
            (*end, start) = (start, start + *end);
        }
        for entry in parts.flatten() {
            // What was its start is its end when all are in it.
            let place = &mut self.ends[bucket(*entry)];
            self.entries[*place as usize] = *entry;
            *place += 1;
        }
    }
}

/// A table's buckets, each held against itself; compiled for wider registers beside those that
/// every processor has. Which of the two runs changes no bit.
struct Look<'a> {
    table: &'a mut Table,
    bodies: &'a [Body],
    minima: Minima,
    turn: Turn,
    found: &'a mut Vec<Predicted>,
}

impl pulp::NullaryFnOnce for Look<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Look {
            table,
            bodies,
            minima,
            turn,
            found,
        } = self;
        let mut start = 0;
        for end in &table.ends {
            let bucket = &table.entries[start..*end as usize];
            start = *end as usize;
            // Of two in one bucket who approach each other.
            let mut hold = |one: u64, other: u64| {
                let cell = one >> ROW_BITS;
                if cell != other >> ROW_BITS {
                    return;
                }
                let [one, other] = [one, other].map(|entry| (entry & ROW_MASK) as usize);
                let Some(in_s) = bodies[one].meets_near(&bodies[other], minima) else {
                    return;
                };
                if turn.of > 1 || cell == half_way(&bodies[one], &bodies[other], in_s, turn) {
                    found.push(predicted(bodies, one, other, in_s));
                }
            };
            if bucket.len() < ENOUGH_FOR_EIGHT {
                for (number, one) in bucket.iter().enumerate() {
                    let body = &bodies[(one & ROW_MASK) as usize];
                    let in_its_cell = bucket[number + 1..].iter();
                    for other in in_its_cell.filter(|other| *other >> ROW_BITS == one >> ROW_BITS) {
                        if body.approaches(&bodies[(other & ROW_MASK) as usize], minima) {
                            hold(*one, *other);
                        }
                    }
                }
                continue;
            }
            table
                .abreast
                .resize(bucket.len().div_ceil(LANES), Eight::default());
            for (number, entry) in bucket.iter().enumerate() {
                let body = &bodies[(entry & ROW_MASK) as usize];
                table.abreast[number / LANES].put(number % LANES, body);
            }
            for (number, one) in bucket.iter().enumerate() {
                let body = &bodies[(one & ROW_MASK) as usize];
                let later = number + 1;
                for (group, eight) in table.abreast.iter().enumerate().skip(later / LANES) {
                    let first = group * LANES;
                    let are_later = u64::MAX << (8 * later.saturating_sub(first));
                    let mut bytes = eight.approached_by(body, minima) & are_later;
                    while bytes != 0 {
                        let other = first + bytes.trailing_zeros() as usize / 8;
                        bytes &= bytes - 1;
                        // The last eight may have room for more than there are.
                        if let Some(other) = bucket.get(other) {
                            hold(*one, *other);
                        }
                    }
                }
            }
        }
    }
}

/// Neighbours have neighbouring buckets, which are near each other in memory.
fn bucket(cell: u64) -> usize {
    const BANDS: u64 = 8;
    const COLUMNS: u64 = 1_021;
    let (row, column, band) = (cell >> 24, cell >> 8 & 0xffff, cell & 0xff);
    ((row * COLUMNS + column) * BANDS + band) as usize
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

/// Whose first row is `first`; into the tables' parts, anew.
fn entered(
    bodies: &[Body],
    are_left_out: &[bool],
    first: usize,
    minima: Minima,
    turn: Turn,
    part: &mut Part,
) {
    part.iter_mut().for_each(Vec::clear);
    let tables = part.len();
    let rows = bodies.iter().zip(are_left_out).enumerate();
    let rows = rows.filter(|(_, (_, is_left_out))| !**is_left_out);
    for (row, (body, _)) in rows {
        cover(body, minima, turn, |row_of_cells, columns, bands| {
            let entries = &mut part[usize::from(row_of_cells) & (tables - 1)];
            for column in columns[0]..=columns[1] {
                for band in bands[0]..=bands[1] {
                    let cell = cell(row_of_cells, column, band);
                    entries.push(cell << ROW_BITS | (first + row) as u64);
                }
            }
        });
    }
}
