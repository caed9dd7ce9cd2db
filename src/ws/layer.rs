//! Rows of positions in order of their cells, with their bytes in each encoding that
//! somebody uses: what a beat writes once and sessions copy from.

use std::ops::Range;
use std::sync::OnceLock;

use crate::sim::ids::DroneId;
use crate::sim::time::Tick;
use crate::view::AsOf;
use crate::view::frame::{DroneRow, Frame};
use crate::wire::stream::Encoding;
use crate::wire::stream::positions::{Head, Place, Row, Rows};

use super::grid::{Cell, Cells, Grid};
use super::ground::{Ground, Rolls};

/// Rows side by side, sorted by cell.
#[derive(Default)]
pub(super) struct Layer {
    cells: Vec<Cell>,
    rows: Vec<Row>,
    /// Written when the first session of an encoding asks.
    written: [OnceLock<Rows>; Encoding::ALL.len()],
}

impl Layer {
    /// Rows must come in order of their cells.
    fn push(&mut self, cell: Cell, row: Row) {
        debug_assert!(self.cells.last().is_none_or(|last| *last <= cell));
        self.cells.push(cell);
        self.rows.push(row);
    }

    /// `rows` in any order.
    pub(super) fn sorted(mut rows: Vec<(Cell, Row)>) -> Self {
        rows.sort_unstable_by_key(|(cell, row)| (*cell, row.drone));
        let mut layer = Layer::default();
        for (cell, row) in rows {
            layer.push(cell, row);
        }
        layer
    }

    /// The rows within these cells, in as few pieces as they lie in.
    pub(super) fn within<'a>(
        &'a self,
        cells: &'a Cells,
        encoding: Encoding,
    ) -> impl Iterator<Item = (&'a Rows, Range<usize>)> + Clone {
        let written = self.written[encoding as usize].get_or_init(|| Rows::write(encoding, &self.rows));
        let runs = cells.runs(&self.cells, |cell| *cell);
        runs.map(move |run| (written, run))
    }
}

/// All airborne drones at one beat.
pub(super) struct Positions {
    tick: Tick,
    sim_time: String,
    /// When the frame left the engine: wall clock, milliseconds since 1970.
    sent_at_ms: u64,
    as_of: AsOf,
    rows: Layer,
    /// (drone, its row), in drone order.
    by_drone: Vec<(DroneId, u32)>,
    /// Everyone else, gathered when the first full message of an area asks.
    ground: OnceLock<Ground>,
}

impl Positions {
    pub(super) fn new(grid: &Grid, frame: &Frame, sim_time: String) -> Self {
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
            layer.push(cell, shown(row));
            by_drone.push((row.drone, place));
        }
        by_drone.sort_unstable();
        Positions {
            tick: frame.tick(),
            sim_time,
            sent_at_ms: frame.sent_at_wall_ms(),
            as_of: frame.as_of(),
            rows: layer,
            by_drone,
            ground: OnceLock::new(),
        }
    }

    pub(super) fn tick(&self) -> Tick {
        self.tick
    }

    /// The frame's moment.
    pub(super) fn as_of(&self) -> AsOf {
        self.as_of
    }

    /// What messages about this beat begin with.
    pub(super) fn head(&self, id: u64, full: bool) -> Head<'_> {
        Head {
            id,
            tick: self.tick,
            sim_time: &self.sim_time,
            sent_at_ms: self.sent_at_ms,
            full,
        }
    }

    pub(super) fn airborne(&self) -> &Layer {
        &self.rows
    }

    /// Those within these cells that are not airborne here.
    pub(super) fn ground<'a>(
        &'a self,
        cells: &'a Cells,
        encoding: Encoding,
        grid: &Grid,
        rolls: &'a impl Rolls,
    ) -> impl Iterator<Item = (&'a Rows, Range<usize>)> {
        let is_airborne = |drone: DroneId| self.place_of(drone).is_some();
        let ground = self
            .ground
            .get_or_init(|| Ground::new(grid, rolls, self.as_of, is_airborne));
        ground.within(cells, encoding, rolls, is_airborne)
    }

    /// An airborne drone's row.
    pub(super) fn row_of(&self, drone: DroneId) -> Option<&Row> {
        self.place_of(drone).map(|place| &self.rows.rows[place as usize])
    }

    fn place_of(&self, drone: DroneId) -> Option<u32> {
        let found = self.by_drone.binary_search_by_key(&drone, |&(drone, _)| drone);
        found.ok().map(|at| self.by_drone[at].1)
    }
}

fn shown(row: &DroneRow) -> Row {
    Row::from(Place {
        drone: row.drone,
        at: row.at,
        height_m: row.height_m.into(),
        heading_deg: row.heading_deg.into(),
        ground_speed_mps: row.ground_speed_mps.into(),
        battery: row.battery.into(),
        status: row.status,
    })
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

/// Where drones are at some moment at which they are not airborne.
pub(super) trait OnGround {
    fn came_down(&self, drone: DroneId, now: AsOf) -> Option<(Cell, Row)>;
    fn took_off_from(&self, drone: DroneId, before: AsOf) -> Option<Cell>;
    /// Those that an operator withdrew from the `from`th on, with where they were last.
    fn gone_from(&self, from: usize) -> Vec<(DroneId, Cell)>;
}

impl Changes {
    pub(super) fn between(before: &Positions, now: &Positions, ground: &impl OnGround) -> Self {
        let mut changed = vec![false; now.by_drone.len()];
        let mut departures = Vec::new();
        let mut landed = Vec::new();
        let mut went = |drone, from: Option<Cell>, to: Option<Cell>| {
            if let (Some(from), true) = (from, from != to) {
                departures.push(Departure { from, to, drone });
            }
        };
        for (drone, old, new) in in_step(&before.by_drone, &now.by_drone) {
            let from = old.map(|old| before.rows.cells[old as usize]);
            let to = new.map(|new| now.rows.cells[new as usize]);
            let row = |layer: &Layer, place: u32| layer.rows[place as usize];
            match (old, new) {
                (_, Some(new)) => {
                    let looked = old.map(|old| row(&before.rows, old));
                    changed[new as usize] = from != to || looked != Some(row(&now.rows, new));
                    went(
                        drone,
                        from.or_else(|| ground.took_off_from(drone, before.as_of)),
                        to,
                    );
                }
                (_, None) => {
                    let came_down = ground.came_down(drone, now.as_of);
                    went(drone, from, came_down.as_ref().map(|(cell, _)| *cell));
                    landed.extend(came_down);
                }
            }
        }
        // Those that operators added, or withdrew where they stood.
        for drone in (before.as_of.roll.numbered..now.as_of.roll.numbered).map(DroneId) {
            if now.place_of(drone).is_none() {
                landed.extend(ground.came_down(drone, now.as_of));
            }
        }
        if before.as_of.roll.gone < now.as_of.roll.gone {
            let gone = ground.gone_from(before.as_of.roll.gone).into_iter();
            let gone = gone.take(now.as_of.roll.gone - before.as_of.roll.gone);
            let gone = gone.filter(|(drone, _)| before.place_of(*drone).is_none());
            departures.extend(gone.map(|(drone, from)| Departure {
                from,
                to: None,
                drone,
            }));
        }
        departures.sort_unstable_by_key(|departure| (departure.from, departure.drone));
        Changes {
            rows: merged(&now.rows, &changed, landed),
            departures,
        }
    }

    /// Drones that were within these cells and are no more.
    pub(super) fn gone<'a>(&'a self, cells: &'a Cells) -> impl Iterator<Item = DroneId> + Clone {
        let left = cells.runs(&self.departures, |departure| departure.from);
        let left = left.flat_map(|run| &self.departures[run]);
        let gone = left.filter(|departure| departure.to.is_none_or(|to| !cells.contain(to)));
        gone.map(|departure| departure.drone)
    }
}

/// Every drone of either list with its place in both; the lists are in drone order.
fn in_step<'a>(
    before: &'a [(DroneId, u32)],
    now: &'a [(DroneId, u32)],
) -> impl Iterator<Item = (DroneId, Option<u32>, Option<u32>)> + 'a {
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    std::iter::from_fn(move || {
        let drone = match (before.peek(), now.peek()) {
            (Some(old), Some(new)) => old.0.min(new.0),
            (Some(one), None) | (None, Some(one)) => one.0,
            (None, None) => return None,
        };
        let old = before.next_if(|(other, _)| *other == drone);
        let new = now.next_if(|(other, _)| *other == drone);
        Some((drone, old.map(|(_, row)| *row), new.map(|(_, row)| *row)))
    })
}

/// The rows that are marked, and the additional ones, in order of their cells.
fn merged(rows: &Layer, marked: &[bool], mut additional: Vec<(Cell, Row)>) -> Layer {
    additional.sort_unstable_by_key(|(cell, row)| (*cell, row.drone));
    let mut additional = additional.into_iter().peekable();
    let mut layer = Layer::default();
    for (place, cell) in (0..).zip(&rows.cells) {
        while let Some((cell, row)) = additional.next_if(|(other, _)| other < cell) {
            layer.push(cell, row);
        }
        if marked[place] {
            layer.push(*cell, rows.rows[place]);
        }
    }
    for (cell, row) in additional {
        layer.push(cell, row);
    }
    layer
}

#[cfg(test)]
mod tests;
