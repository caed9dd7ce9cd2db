//! Who will lose separation if all go on as they do: each drone is entered in the cells and
//! bands of height that it sweeps until as far as is looked ahead, and only those who share a
//! cell are held against each other.
//!
//! Two that come closer than the minima share the place half-way, which lies within half of
//! the minima of both ways. So who is entered with that much to spare misses nobody.

use rayon::prelude::*;

use super::super::time::{SimDuration, SimTime};
use super::abreast::{Eight, LANES};
use super::body::{Body, Minima, Pair};
use super::grid::{ENOUGH_FOR_THREADS, column};

/// Two bodies that will lose separation, and in how many seconds; the lower drone first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    pub pair: Pair,
    pub rows: [u32; 2],
    pub in_s: f32,
}

/// Where all cells are looked at once: as wide as leaves few entries; that more of them are in one
/// cell costs little, since they are held against each other eight at a time.
const WIDE_CELL_M: f32 = 512.0;
/// Where rows of them have turns: when somebody's turn comes depends on how wide they are.
const CELL_M: f32 = 256.0;
/// As far apart as levels are, so that a level flight is in one band.
const BAND_M: f32 = 20.0;
/// Room for what single precision leaves out, metres.
const SPARE_M: f32 = 1.0;
/// The same of a cell's edge, which is known to half of this: cells.
const SPARE_CELLS: f32 = 1.0 / 256.0;
const ROW_BITS: u32 = 24;
const ROW_MASK: u64 = (1 << ROW_BITS) - 1;

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

    fn cell_m(self) -> f32 {
        match self.of {
            1 => WIDE_CELL_M,
            _ => CELL_M,
        }
    }

    /// The first row from `south` on whose turn it is.
    fn first_row(self, south: u16) -> u16 {
        match self.of {
            1 => south,
            of => south.saturating_add((of + self.now - south % of) % of),
        }
    }
}

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

/// The cell in which two are half-way between each other in so many seconds. Both are entered in
/// that of the moment when they lose separation: where all cells are looked at, who shares several
/// is taken from that one.
fn half_way(one: &Body, other: &Body, in_s: f32, turn: Turn) -> u64 {
    let per_metre = 1.0 / turn.cell_m();
    let ((ax, ay), (bx, by)) = (one.after(in_s), other.after(in_s));
    let height = 0.5 * (one.height + one.up * in_s + other.height + other.up * in_s);
    cell(
        column(0.5 * (ay + by) * per_metre),
        column(0.5 * (ax + bx) * per_metre),
        band(height),
    )
}

fn cell(row: u16, column: u16, band: u8) -> u64 {
    u64::from(row) << 24 | u64::from(column) << 8 | u64::from(band)
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

/// In the rows of cells whose turn it is: from which column to which, and from which band to which,
/// a body sweeps.
#[inline(always)]
fn cover(body: &Body, minima: Minima, turn: Turn, mut enter: impl FnMut(u16, [u16; 2], [u8; 2])) {
    let t = body.lasts_s;
    let cell_m = turn.cell_m();
    let per_metre = 1.0 / cell_m;
    let side = 0.5 * minima.horizontal_m + SPARE_CELLS * cell_m;
    let upright = 0.5 * minima.vertical_m + SPARE_M;
    let (_, end_y) = body.after(t);
    let end_height = body.height + body.up * t;
    let bands = [
        band(body.height.min(end_height) - upright),
        band(body.height.max(end_height) + upright),
    ];
    let south = column((body.y.min(end_y) - side) * per_metre);
    let north = column((body.y.max(end_y) + side) * per_metre);
    // It is in a row of cells all the time where it hardly moves north or south.
    let crosses = north > south && (body.north * t).abs() > 1.0;
    let s_per_metre = if crosses { 1.0 / body.north } else { 0.0 };
    let mut row = turn.first_row(south);
    while row <= north {
        let (mut from, mut until) = (0.0, t);
        if crosses {
            let low = (f32::from(row) - 32_768.0) * cell_m - side;
            let high = low + cell_m + 2.0 * side;
            let (one, other) = ((low - body.y) * s_per_metre, (high - body.y) * s_per_metre);
            (from, until) = (one.min(other).clamp(0.0, t), one.max(other).clamp(0.0, t));
        }
        let (one, other) = (body.x + body.east * from, body.x + body.east * until);
        let west = column((one.min(other) - side) * per_metre);
        let east = column((one.max(other) + side) * per_metre);
        enter(row, [west, east], bands);
        row = row.saturating_add(turn.of);
    }
}

/// Which band of heights, of 20 m each.
pub fn band(height: f32) -> u8 {
    (height / BAND_M + 1.0).clamp(0.0, 255.0) as u8
}

/// From where to where it reaches; what lies further out is in the outermost.
pub fn heights_of_band(band: u8) -> [f32; 2] {
    let low_m = BAND_M * (f32::from(band) - 1.0);
    match band {
        0 => [f32::NEG_INFINITY, low_m + BAND_M],
        u8::MAX => [low_m, f32::INFINITY],
        _ => [low_m, low_m + BAND_M],
    }
}
