//! Rows of positions as text, in order of their cells: what a beat writes once and
//! sessions copy from.

use std::sync::OnceLock;

use crate::sim::ids::DroneId;
use crate::sim::time::Tick;
use crate::view::frame::{DroneRow, Frame};
use crate::wire::stream::positions::Row;

use super::grid::{Cell, Cells, Grid};

/// Texts of rows side by side, sorted by cell.
#[derive(Default)]
pub(super) struct Layer {
    cells: Vec<Cell>,
    /// Where each row's text ends.
    ends: Vec<u32>,
    text: String,
}

impl Layer {
    /// Rows must come in order of their cells.
    fn push(&mut self, cell: Cell, write: impl FnOnce(&mut String)) {
        debug_assert!(self.cells.last().is_none_or(|last| *last <= cell));
        write(&mut self.text);
        self.cells.push(cell);
        self.ends.push(self.text.len() as u32);
    }

    /// `rows` in any order.
    pub(super) fn sorted(mut rows: Vec<(Cell, Row)>) -> Self {
        rows.sort_unstable_by_key(|(cell, row)| (*cell, row.drone));
        let mut layer = Layer::default();
        for (cell, row) in rows {
            layer.push(cell, |text| row.write(text));
        }
        layer
    }

    /// The text of one row with its comma.
    fn row(&self, row: u32) -> &str {
        &self.text[self.start(row as usize)..self.ends[row as usize] as usize]
    }

    fn start(&self, row: usize) -> usize {
        if row == 0 { 0 } else { self.ends[row - 1] as usize }
    }

    /// The rows within these cells, in as few pieces as they lie in.
    pub(super) fn within<'a>(&'a self, cells: &'a Cells) -> impl Iterator<Item = &'a str> {
        let runs = cells.runs(&self.cells, |cell| *cell);
        runs.map(|run| &self.text[self.start(run.start)..self.ends[run.end - 1] as usize])
    }
}

/// All airborne drones at one beat.
pub(super) struct Positions {
    pub(super) tick: Tick,
    pub(super) sim_time: String,
    /// Wall clock, milliseconds since 1970.
    pub(super) sent_at_ms: u64,
    rows: Layer,
    /// (drone, its row), in drone order.
    by_drone: Vec<(DroneId, u32)>,
    /// Everyone else, written when the first full message of an area asks.
    ground: OnceLock<Layer>,
}

impl Positions {
    pub(super) fn new(grid: &Grid, frame: &Frame, sim_time: String, sent_at_ms: u64) -> Self {
        let rows = frame.rows();
        let mut order: Vec<(Cell, u32)> = rows
            .iter()
            .zip(0..)
            .map(|(row, index)| (grid.cell_of(row.at), index))
            .collect();
        order.sort_unstable();
        let mut layer = Layer::default();
        let mut by_drone = Vec::with_capacity(rows.len());
        for ((cell, index), place) in order.into_iter().zip(0..) {
            let row = &rows[index as usize];
            layer.push(cell, |text| shown(row).write(text));
            by_drone.push((row.drone, place));
        }
        by_drone.sort_unstable();
        Positions {
            tick: frame.tick(),
            sim_time,
            sent_at_ms,
            rows: layer,
            by_drone,
            ground: OnceLock::new(),
        }
    }

    pub(super) fn airborne(&self) -> &Layer {
        &self.rows
    }

    /// Those that are not airborne here; `rows` is asked once, for everyone.
    pub(super) fn ground(&self, rows: impl FnOnce() -> Vec<(Cell, Row)>) -> &Layer {
        self.ground.get_or_init(|| {
            let mut rows = rows();
            rows.retain(|(_, row)| self.place_of(row.drone).is_none());
            Layer::sorted(rows)
        })
    }

    /// The text of an airborne drone's row, with its comma.
    pub(super) fn row_of(&self, drone: DroneId) -> Option<&str> {
        self.place_of(drone).map(|place| self.rows.row(place))
    }

    fn place_of(&self, drone: DroneId) -> Option<u32> {
        let found = self.by_drone.binary_search_by_key(&drone, |&(drone, _)| drone);
        found.ok().map(|at| self.by_drone[at].1)
    }
}

fn shown(row: &DroneRow) -> Row {
    Row {
        drone: row.drone,
        at: row.at,
        height_m: row.height_m.into(),
        heading_deg: row.heading_deg.into(),
        ground_speed_mps: row.ground_speed_mps.into(),
        battery: row.battery.into(),
        status: row.status,
    }
}

/// What became of the drones from one beat to a later one.
#[derive(Default)]
pub(super) struct Changes {
    /// Airborne drones whose row is another than before, and the last row of those that
    /// are airborne no more.
    pub(super) rows: Layer,
    /// In order of the cells that they left.
    departures: Vec<Departure>,
}

struct Departure {
    from: Cell,
    /// `None` where the drone is shown nowhere any more.
    to: Option<Cell>,
    drone: DroneId,
}

impl Changes {
    /// `on_ground` tells where a drone came down.
    pub(super) fn between(
        before: &Positions,
        now: &Positions,
        on_ground: impl Fn(DroneId) -> Option<(Cell, Row)>,
    ) -> Self {
        let mut changed = vec![false; now.by_drone.len()];
        let mut departures = Vec::new();
        let mut landed = Vec::new();
        let mut later = now.by_drone.iter().copied().peekable();
        for &(drone, old) in &before.by_drone {
            while let Some((_, new)) = later.next_if(|(other, _)| *other < drone) {
                changed[new as usize] = true;
            }
            let from = before.rows.cells[old as usize];
            let to = match later.next_if(|(other, _)| *other == drone) {
                Some((_, new)) => {
                    let cell = now.rows.cells[new as usize];
                    changed[new as usize] = cell != from || before.rows.row(old) != now.rows.row(new);
                    Some(cell)
                }
                None => on_ground(drone).map(|(cell, row)| {
                    landed.push((cell, row));
                    cell
                }),
            };
            if to != Some(from) {
                departures.push(Departure { from, to, drone });
            }
        }
        for (_, new) in later {
            changed[new as usize] = true;
        }
        departures.sort_unstable_by_key(|departure| (departure.from, departure.drone));
        Changes {
            rows: merged(&now.rows, &changed, landed),
            departures,
        }
    }

    /// Drones that were within these cells and are no more.
    pub(super) fn gone<'a>(&'a self, cells: &'a Cells) -> impl Iterator<Item = DroneId> + 'a {
        let left = cells.runs(&self.departures, |departure| departure.from);
        let left = left.flat_map(|run| &self.departures[run]);
        let gone = left.filter(|departure| departure.to.is_none_or(|to| !cells.contain(to)));
        gone.map(|departure| departure.drone)
    }
}

/// The rows that are marked, and the additional ones, in order of their cells.
fn merged(rows: &Layer, marked: &[bool], mut additional: Vec<(Cell, Row)>) -> Layer {
    additional.sort_unstable_by_key(|(cell, row)| (*cell, row.drone));
    let mut additional = additional.into_iter().peekable();
    let mut layer = Layer::default();
    for (place, cell) in (0..).zip(&rows.cells) {
        while let Some((cell, row)) = additional.next_if(|(other, _)| other < cell) {
            layer.push(cell, |text| row.write(text));
        }
        if marked[place as usize] {
            layer.push(*cell, |text| text.push_str(rows.row(place)));
        }
    }
    for (cell, row) in additional {
        layer.push(cell, |text| row.write(text));
    }
    layer
}
