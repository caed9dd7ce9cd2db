//! Rows of positions in order of their cells, with their bytes in each encoding that
//! somebody uses: what a beat writes once and sessions copy from.

use std::ops::Range;
use std::sync::OnceLock;

use crate::sim::ids::DroneId;
use crate::sim::time::Tick;
use crate::view::frame::{DroneRow, Frame};
use crate::wire::stream::Encoding;
use crate::wire::stream::positions::{Head, Place, Row, Rows};

use super::grid::{Cell, Cells, Grid};

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
    rows: Layer,
    /// (drone, its row), in drone order.
    by_drone: Vec<(DroneId, u32)>,
    /// Everyone else, written when the first full message of an area asks.
    ground: OnceLock<Layer>,
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
            rows: layer,
            by_drone,
            ground: OnceLock::new(),
        }
    }

    /// What messages about this beat begin with.
    pub(super) fn tick(&self) -> Tick {
        self.tick
    }

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

    /// Those that are not airborne here; `rows` is asked once, for everyone.
    pub(super) fn ground(&self, rows: impl FnOnce() -> Vec<(Cell, Row)>) -> &Layer {
        self.ground.get_or_init(|| {
            let mut rows = rows();
            rows.retain(|(_, row)| self.place_of(row.drone).is_none());
            Layer::sorted(rows)
        })
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

/// Where drones were, or are, while they are not airborne.
pub(super) trait OnGround {
    fn came_down(&self, drone: DroneId) -> Option<(Cell, Row)>;
    fn took_off_from(&self, drone: DroneId) -> Option<Cell>;
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
                    went(drone, from.or_else(|| ground.took_off_from(drone)), to);
                }
                (_, None) => {
                    let came_down = ground.came_down(drone);
                    went(drone, from, came_down.as_ref().map(|(cell, _)| *cell));
                    landed.extend(came_down);
                }
            }
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::sim::drone::DroneStatus;
    use crate::sim::geo::{Area, BoundingBox, LatLon, LocalFrame};
    use crate::sim::time::SimTime;
    use crate::wire::stream::Encoded;
    use crate::wire::stream::positions::Positions as Message;

    const BOUNDS: BoundingBox = BoundingBox {
        west: -122.45,
        south: 37.75,
        east: -122.43,
        north: 37.77,
    };
    /// Where all who are not airborne stand.
    const HUB: LatLon = LatLon {
        lat: 37.76,
        lon: -122.44,
    };

    fn grid() -> Grid {
        Grid::of(&Area {
            bounds: BOUNDS,
            frame: LocalFrame::at(BOUNDS.middle()),
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        })
    }

    fn positions(airborne: &[(u32, LatLon)]) -> Positions {
        let row = |&(drone, at)| DroneRow {
            drone: DroneId(drone),
            status: DroneStatus::Cruising,
            at,
            height_m: 60.0,
            heading_deg: 0.0,
            ground_speed_mps: 10.0,
            vertical_speed_mps: 0.0,
            battery: 0.5,
            payload_kg: 0.0,
            pickup_eta: None,
            delivery_eta: None,
        };
        let frame = Frame::new(1, SimTime::START, airborne.iter().map(row).collect());
        Positions::new(&grid(), &frame, String::new())
    }

    fn grounded(drone: DroneId) -> (Cell, Row) {
        let row = Row::from(Place {
            drone,
            at: HUB,
            height_m: 0.0,
            heading_deg: 0.0,
            ground_speed_mps: 0.0,
            battery: 0.5,
            status: DroneStatus::Parked,
        });
        (grid().cell_of(HUB), row)
    }

    struct Ground;

    impl OnGround for Ground {
        fn came_down(&self, drone: DroneId) -> Option<(Cell, Row)> {
            Some(grounded(drone))
        }

        fn took_off_from(&self, _: DroneId) -> Option<Cell> {
            Some(grid().cell_of(HUB))
        }
    }

    /// A client's picture.
    type Picture = BTreeMap<String, Value>;

    fn put(picture: &mut Picture, layer: &Layer, cells: &Cells) {
        const HEAD: Head<'_> = Head {
            id: 1,
            tick: 1,
            sim_time: "",
            sent_at_ms: 0,
            full: true,
        };
        let rows = Message::with_runs(Encoding::Json, &HEAD, layer.within(cells, Encoding::Json));
        let Encoded::Text(text) = rows.finish(std::iter::empty()) else {
            panic!("JSON is text");
        };
        let message: Value = serde_json::from_str(&text).unwrap();
        for row in message["drones"].as_array().unwrap() {
            picture.insert(row[0].as_str().unwrap().to_owned(), row.clone());
        }
    }

    fn full(positions: &Positions, cells: &Cells, drones: u32) -> Picture {
        let mut picture = Picture::new();
        let ground = positions.ground(|| (0..drones).map(DroneId).map(grounded).collect());
        put(&mut picture, positions.airborne(), cells);
        put(&mut picture, ground, cells);
        picture
    }

    prop_compose! {
        fn place()(lat in BOUNDS.south - 0.01..BOUNDS.north + 0.01, lon in BOUNDS.west - 0.01..BOUNDS.east + 0.01)
            -> LatLon { LatLon { lat, lon } }
    }

    /// Drones 0 to 9, in the air or not, in the order of nothing.
    fn airborne() -> impl Strategy<Value = Vec<(u32, LatLon)>> {
        let places = proptest::collection::vec(proptest::option::of(place()), 10);
        let rows = |places: Vec<Option<LatLon>>| {
            let rows = (0..).zip(places);
            rows.filter_map(|(drone, at)| Some((drone, at?)))
                .collect::<Vec<_>>()
        };
        places.prop_map(rows).prop_shuffle()
    }

    proptest! {
        #[test]
        fn changes_lead_from_one_full_picture_to_the_next(
            story in proptest::collection::vec(airborne(), 2..6), a in place(), b in place(),
        ) {
            let cells = grid().widen(BoundingBox {
                west: a.lon.min(b.lon),
                south: a.lat.min(b.lat),
                east: a.lon.max(b.lon),
                north: a.lat.max(b.lat),
            });
            let story: Vec<Positions> = story.iter().map(|rows| positions(rows)).collect();
            let mut picture = full(&story[0], &cells, 10);
            for (before, now) in story.iter().zip(&story[1..]) {
                let changes = Changes::between(before, now, &Ground);
                put(&mut picture, &changes.rows, &cells);
                for drone in changes.gone(&cells) {
                    let shown = picture.remove(&drone.to_string());
                    prop_assert!(shown.is_some(), "{drone} is gone and was never there");
                }
                prop_assert_eq!(&picture, &full(now, &cells, 10));
            }
        }
    }
}
