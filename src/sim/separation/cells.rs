//! Cells and bands of height: in which of them a body is until as far as is looked ahead, and in
//! which tick they have their turn.

use super::super::time::{SimDuration, SimTime};
use super::body::{Body, Minima};
use super::grid::column;

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

#[inline]
pub fn cell(row: u16, column: u16, band: u8) -> u64 {
    u64::from(row) << 24 | u64::from(column) << 8 | u64::from(band)
}

/// The cell in which two are half-way between each other in so many seconds. Both are entered in
/// that of the moment when they lose separation: where all cells are looked at, who shares several
/// is taken from that one.
#[inline]
pub fn half_way(one: &Body, other: &Body, in_s: f32, turn: Turn) -> u64 {
    let per_metre = 1.0 / turn.cell_m();
    let ((ax, ay), (bx, by)) = (one.after(in_s), other.after(in_s));
    let height = 0.5 * (one.height + one.up * in_s + other.height + other.up * in_s);
    cell(
        column(0.5 * (ay + by) * per_metre),
        column(0.5 * (ax + bx) * per_metre),
        band(height),
    )
}

/// In the rows of cells whose turn it is: from which column to which, and from which band to which,
/// a body sweeps.
#[inline(always)]
pub fn cover(body: &Body, minima: Minima, turn: Turn, mut enter: impl FnMut(u16, [u16; 2], [u8; 2])) {
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
