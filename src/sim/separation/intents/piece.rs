//! The straight pieces that a flight's plan becomes, and where each may meet somebody.

use super::super::super::flight::{FlightPlan, Leg, Path};
use super::super::super::geo::Point;
use super::super::super::ids::DroneId;
use super::super::super::motion;
use super::super::super::world::Model;
use super::super::ON_PAD_M;
use super::super::body::{Body, Minima};
use super::super::cells::{band, heights_of_band};
use super::super::grid::column;

const CELL_M: f32 = 512.0;
/// Room for what single precision leaves out, metres: twice as exactly are edges of cells known.
const SPARE_M: f32 = 2.0;
/// Room beside a cell's edge while it is flown over: of that which is known of the edge, and a
/// little.
const EDGE_M: f32 = 1.5;
/// Who moves less is in its cells all the time.
const STILL_M: f32 = 0.25;
/// The same, seconds.
const SPARE_S: f64 = 0.01;
/// Arcs are taken as chords of so much of a circle at most.
const CHORD_RAD: f64 = 0.5;

/// A straight part of a flight: where it begins, and from when on it takes how long, seconds
/// since the scenario's start. The body's drone is whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub body: Body,
    pub begins_s: f64,
}

/// As a snapshot has it.
pub type Saved = (f32, f32, f32, f32, f32, f32, f32, f64);

/// Room around a piece, metres.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    aside_m: f32,
    upright_m: f32,
}

impl Reach {
    /// Around one of two who meet, so that it holds the other; who is looked for upright with
    /// half of it each, so that a level flight is in one band.
    pub fn around(minima: Minima) -> Self {
        Reach {
            aside_m: minima.horizontal_m + SPARE_M,
            upright_m: 0.5 * minima.vertical_m + SPARE_M,
        }
    }

    /// Around the other one.
    pub fn upright(minima: Minima) -> Self {
        Reach {
            aside_m: 0.0,
            ..Reach::around(minima)
        }
    }
}

pub fn saved(piece: &Piece) -> Saved {
    let Body {
        drone: _,
        x,
        y,
        height,
        east,
        north,
        up,
        lasts_s,
    } = piece.body;
    (x, y, height, east, north, up, lasts_s, piece.begins_s)
}

pub fn restored(drone: DroneId, (x, y, height, east, north, up, lasts_s, begins_s): Saved) -> Piece {
    let body = Body {
        drone,
        x,
        y,
        height,
        east,
        north,
        up,
        lasts_s,
    };
    Piece { body, begins_s }
}

impl Piece {
    pub fn ends_s(&self) -> f64 {
        self.begins_s + f64::from(self.body.lasts_s)
    }

    pub fn later(&self, seconds: f64) -> Piece {
        Piece {
            begins_s: self.begins_s + seconds,
            ..*self
        }
    }

    /// East and north, m/s.
    pub fn velocity(&self) -> (f64, f64) {
        (f64::from(self.body.east), f64::from(self.body.north))
    }

    /// From where the other begins to where this one does, metres.
    pub fn away_from(&self, other: &Piece) -> (f64, f64) {
        let (dx, dy) = (self.body.x - other.body.x, self.body.y - other.body.y);
        (f64::from(dx), f64::from(dy))
    }

    /// The lowest and the highest that it is.
    pub fn heights_m(&self) -> [f64; 2] {
        let from_m = self.body.height;
        let to_m = from_m + self.body.up * self.body.lasts_s;
        [from_m.min(to_m), from_m.max(to_m)].map(f64::from)
    }

    /// As it is at a time, with so long to go.
    pub fn at(&self, seconds: f64, lasts_s: f32) -> Body {
        let since = (seconds - self.begins_s) as f32;
        let (x, y) = self.body.after(since);
        Body {
            x,
            y,
            height: self.body.height + self.body.up * since,
            lasts_s,
            ..self.body
        }
    }

    /// Which cells it is in from when until when, with so much room around it; each once.
    pub fn visits(&self, room: Reach) -> Vec<Visit> {
        let body = &self.body;
        let all = [0.0, body.lasts_s];
        let (end_x, end_y) = body.after(body.lasts_s);
        let end_m = body.height + body.up * body.lasts_s;
        let cells = |one: f32, other: f32| {
            let (low, high) = (one.min(other) - room.aside_m, one.max(other) + room.aside_m);
            column(low / CELL_M)..=column(high / CELL_M)
        };
        let low = band(body.height.min(end_m) - room.upright_m);
        let high = band(body.height.max(end_m) + room.upright_m);
        let (rows, columns) = (cells(body.y, end_y), cells(body.x, end_x));
        // As many cells as it comes through lengthwise, and as it comes through aside.
        let count = rows.len() + columns.len();
        let mut visits = Vec::with_capacity(count * (usize::from(high - low) + 1));
        let aside_m = room.aside_m + EDGE_M;
        for row in rows {
            let Some(in_row) = while_within(edges(row, aside_m), (body.y, body.north), all) else {
                continue;
            };
            let [from_x, until_x] = in_row.map(|at| body.x + body.east * at);
            for column in cells(from_x, until_x) {
                let edges = edges(column, aside_m);
                let Some(in_cell) = while_within(edges, (body.x, body.east), in_row) else {
                    continue;
                };
                visits.extend((low..=high).filter_map(|band| {
                    let edges = edges_of_band(band, room.upright_m);
                    let during = while_within(edges, (body.height, body.up), in_cell)?;
                    let [from_s, until_s] = during.map(|since| self.begins_s + f64::from(since));
                    Some(Visit {
                        cell: cell(row, column, band),
                        from_s: from_s - SPARE_S,
                        until_s: until_s + SPARE_S,
                    })
                }));
            }
        }
        visits
    }
}

/// The edges of a row or column of cells, with room beyond, metres.
fn edges(number: u16, room_m: f32) -> [f32; 2] {
    let low_m = CELL_M * (f32::from(number) - 32_768.0);
    // What lies further out is in the outermost.
    match number {
        ..=2 => [f32::NEG_INFINITY, low_m + CELL_M + room_m],
        65_533.. => [low_m - room_m, f32::INFINITY],
        _ => [low_m - room_m, low_m + CELL_M + room_m],
    }
}

fn edges_of_band(number: u8, room_m: f32) -> [f32; 2] {
    let [low_m, high_m] = heights_of_band(number);
    [low_m - room_m, high_m + room_m]
}

/// When of these seconds it is within the edges, at a speed from where it begins.
fn while_within([low, high]: [f32; 2], (at, speed): (f32, f32), [from, until]: [f32; 2]) -> Option<[f32; 2]> {
    if (speed * until).abs() < STILL_M {
        return Some([from, until]);
    }
    let (one, other) = ((low - at) / speed, (high - at) / speed);
    let (enters, leaves) = (from.max(one.min(other)), until.min(one.max(other)));
    (enters <= leaves).then_some([enters, leaves])
}

/// Row, column and band of heights, as one number below [`CELLS`]. What is that many rows, columns
/// or bands apart has the same: the geometry tells.
pub type Cell = usize;

/// A city's 33 by 33 km.
const SIDE_BITS: u32 = 6;
/// All bands that drones may fly in.
const BAND_BITS: u32 = 3;
pub const CELLS: usize = 1 << (2 * SIDE_BITS + BAND_BITS);

fn cell(row: u16, column: u16, band: u8) -> Cell {
    let last = |number: usize, bits: u32| number & ((1 << bits) - 1);
    let [row, column] = [row, column].map(|number| last(number.into(), SIDE_BITS));
    (row << SIDE_BITS | column) << BAND_BITS | last(band.into(), BAND_BITS)
}

/// From when until when something is in a cell, seconds since the scenario's start.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    pub cell: Cell,
    pub from_s: f64,
    pub until_s: f64,
}

impl Visit {
    pub fn later(&self, seconds: f64) -> Visit {
        Visit {
            from_s: self.from_s + seconds,
            until_s: self.until_s + seconds,
            ..*self
        }
    }
}

/// The plan's pieces above the pads, from its beginning on.
pub fn pieces(drone: DroneId, model: &Model, plan: &FlightPlan) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(3 * plan.legs().len());
    let mut begins_s = 0.0;
    for leg in plan.legs() {
        let mut add = |from_m: f64, to_m: f64, from_s: f64, to_s: f64| {
            if to_s > from_s {
                let (from, to) = (leg.path.at(from_m), leg.path.at(to_m));
                pieces.push(straight(drone, from, to, begins_s + from_s, to_s - from_s));
            }
        };
        match leg.path {
            Path::Hold { .. } => add(0.0, leg.duration_s, 0.0, leg.duration_s),
            Path::Arc { sweep_rad, .. } => {
                let chords = (sweep_rad.abs() / CHORD_RAD) as u32 + 1;
                let share = |chord: u32| f64::from(chord) / f64::from(chords);
                for chord in 0..chords {
                    let (from, to) = (share(chord), share(chord + 1));
                    let length = leg.path.length();
                    let seconds = leg.duration_s;
                    add(from * length, to * length, from * seconds, to * seconds);
                }
            }
            _ => ramps(leg, model, &mut add),
        }
        begins_s += leg.duration_s;
    }
    pieces.retain(|piece| {
        let ends_m = piece.body.height + piece.body.up * piece.body.lasts_s;
        piece.body.height.max(ends_m) >= ON_PAD_M
    });
    pieces
}

/// Up to speed, along, and down again; each ramp in two halves, which are 10 m from the truth.
fn ramps(leg: &Leg, model: &Model, add: &mut impl FnMut(f64, f64, f64, f64)) {
    let profile = leg.profile(model);
    let length = leg.path.length();
    let motion::Plateau { speed, seconds } = motion::plateau(leg.entry_mps, length, profile);
    let (mut at_m, mut at_s) = (0.0, 0.0);
    let half_s = |from: f64, to: f64| 0.5 * (to - from).abs() / profile.acceleration;
    let (up_mps, down_mps) = (0.5 * (leg.entry_mps + speed), 0.5 * (speed + profile.exit));
    let (up_s, down_s) = (half_s(leg.entry_mps, speed), half_s(speed, profile.exit));
    for (from_mps, to_mps, seconds) in [
        (leg.entry_mps, up_mps, up_s),
        (up_mps, speed, up_s),
        (speed, speed, seconds),
        (speed, down_mps, down_s),
        (down_mps, profile.exit, down_s),
    ] {
        let (to_m, to_s) = (at_m + 0.5 * (from_mps + to_mps) * seconds, at_s + seconds);
        add(at_m, motion::lesser(to_m, length), at_s, to_s);
        (at_m, at_s) = (to_m, to_s);
    }
}

fn straight(
    drone: DroneId,
    (from, from_m): (Point, f64),
    (to, to_m): (Point, f64),
    begins_s: f64,
    seconds: f64,
) -> Piece {
    let rate = |from: f64, to: f64| ((to - from) / seconds) as f32;
    Piece {
        body: Body {
            drone,
            x: from.x as f32,
            y: from.y as f32,
            height: from_m as f32,
            east: rate(from.x, to.x),
            north: rate(from.y, to.y),
            up: rate(from_m, to_m),
            lasts_s: seconds as f32,
        },
        begins_s,
    }
}
