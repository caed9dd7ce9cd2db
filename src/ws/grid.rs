//! The grid that viewports widen to: cells of about 300 m, fixed in degrees and anchored
//! at the south-west corner of the world's area. It covers the globe; cells beyond the
//! area have negative or large numbers and are as good as any.

use crate::sim::geo::{Area, BoundingBox, LatLon, Point};

const CELL_M: f64 = 300.0;
/// Degrees, about 10 cm: edges are told to six decimals, so they come back a hair off.
const HAIR: f64 = 1e-6;

/// A cell's place in row-major order: its row above its column, both shifted to be
/// positive, so that neighbours in a row of cells are neighbours in a sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell(u64);

impl Cell {
    fn new(row: i32, column: i32) -> Self {
        Cell((u64::from(shifted(row)) << 32) | u64::from(shifted(column)))
    }

    fn row(self) -> i32 {
        ((self.0 >> 32) as u32 ^ SIGN) as i32
    }

    fn column(self) -> i32 {
        (self.0 as u32 ^ SIGN) as i32
    }
}

const SIGN: u32 = 1 << 31;

fn shifted(number: i32) -> u32 {
    number as u32 ^ SIGN
}

/// A viewport in cells, all four edges included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    rows: (i32, i32),
    columns: (i32, i32),
}

impl Cells {
    pub(super) fn contain(&self, cell: Cell) -> bool {
        (self.rows.0..=self.rows.1).contains(&cell.row())
            && (self.columns.0..=self.columns.1).contains(&cell.column())
    }

    /// The runs of `sorted` that lie within, as index ranges; one per row of cells that
    /// has any.
    pub(super) fn runs<'a, T>(
        &'a self,
        sorted: &'a [T],
        cell_of: impl Fn(&T) -> Cell + Clone + 'a,
    ) -> impl Iterator<Item = std::ops::Range<usize>> + Clone + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let row = cell_of(sorted.get(from)?).row().max(self.rows.0);
                if row > self.rows.1 {
                    return None;
                }
                let start = first_from(sorted, from, Cell::new(row, self.columns.0), &cell_of);
                let end = first_from(sorted, start, Cell::new(row, self.columns.1 + 1), &cell_of);
                from = first_from(sorted, end, Cell::new(row + 1, self.columns.0), &cell_of);
                if start < end {
                    return Some(start..end);
                }
            }
        })
    }
}

/// The place of the first item from `from` on that is in `cell` or after it. It is near as
/// a rule, so the search begins there and widens.
fn first_from<T>(sorted: &[T], from: usize, cell: Cell, cell_of: &impl Fn(&T) -> Cell) -> usize {
    let is_before = |item: &T| cell_of(item) < cell;
    let (mut low, mut step) = (from, 1);
    while sorted.get(low + step - 1).is_some_and(is_before) {
        low += step;
        step *= 2;
    }
    let high = sorted.len().min(low + step - 1);
    low + sorted[low..high].partition_point(is_before)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    west: f64,
    south: f64,
    /// Degrees.
    cell_width: f64,
    cell_height: f64,
}

impl Grid {
    pub(super) fn of(area: &Area) -> Self {
        let origin = area.frame.to_latlon(Point::default());
        let diagonal = area.frame.to_latlon(Point { x: CELL_M, y: CELL_M });
        Grid {
            west: area.bounds.west,
            south: area.bounds.south,
            cell_width: diagonal.lon - origin.lon,
            cell_height: diagonal.lat - origin.lat,
        }
    }

    pub(super) fn cell_of(&self, at: LatLon) -> Cell {
        Cell::new(self.row_of(at.lat), self.column_of(at.lon))
    }

    /// All cells that the box covers some of. A box that was widened stays as it is.
    pub(super) fn widen(&self, bounds: BoundingBox) -> Cells {
        let first = (
            self.row_of(bounds.south + HAIR),
            self.column_of(bounds.west + HAIR),
        );
        let last = (
            self.row_of(bounds.north - HAIR),
            self.column_of(bounds.east - HAIR),
        );
        Cells {
            rows: (first.0, last.0.max(first.0)),
            columns: (first.1, last.1.max(first.1)),
        }
    }

    /// West, south, east, north of the cells, to six decimals.
    pub(super) fn bounds_of(&self, cells: Cells) -> [f64; 4] {
        let lon = |column: i32| self.west + f64::from(column) * self.cell_width;
        let lat = |row: i32| self.south + f64::from(row) * self.cell_height;
        let six_decimals = |degrees: f64| (degrees * 1e6).round() / 1e6;
        [
            six_decimals(lon(cells.columns.0).max(-180.0)),
            six_decimals(lat(cells.rows.0).max(-90.0)),
            six_decimals(lon(cells.columns.1 + 1).min(180.0)),
            six_decimals(lat(cells.rows.1 + 1).min(90.0)),
        ]
    }

    /// Latitude and longitude, to six decimals.
    pub(super) fn middle_of(&self, cell: Cell) -> [f64; 2] {
        let lat = self.south + (f64::from(cell.row()) + 0.5) * self.cell_height;
        let lon = self.west + (f64::from(cell.column()) + 0.5) * self.cell_width;
        [lat, lon].map(|degrees| (degrees * 1e6).round() / 1e6)
    }

    fn row_of(&self, lat: f64) -> i32 {
        ((lat - self.south) / self.cell_height).floor() as i32
    }

    fn column_of(&self, lon: f64) -> i32 {
        ((lon - self.west) / self.cell_width).floor() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::geo::LocalFrame;
    use proptest::prelude::*;

    fn grid() -> Grid {
        let bounds = BoundingBox {
            west: -122.52,
            south: 37.70,
            east: -122.35,
            north: 37.83,
        };
        Grid::of(&Area {
            bounds,
            frame: LocalFrame::at(bounds.middle()),
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        })
    }

    fn place() -> impl Strategy<Value = LatLon> {
        (37.65..37.90_f64, -122.60..-122.30_f64).prop_map(|(lat, lon)| LatLon { lat, lon })
    }

    proptest! {
        #[test]
        fn widening_keeps_the_box_and_adds_less_than_a_cell_on_each_side(a in place(), b in place()) {
            let asked = BoundingBox {
                west: a.lon.min(b.lon),
                south: a.lat.min(b.lat),
                east: a.lon.max(b.lon),
                north: a.lat.max(b.lat),
            };
            let grid = grid();
            let cells = grid.widen(asked);
            let [west, south, east, north] = grid.bounds_of(cells);
            let (wide, high) = (grid.cell_width + HAIR, grid.cell_height + HAIR);
            prop_assert!((-2.0 * HAIR..wide).contains(&(asked.west - west)));
            prop_assert!((-2.0 * HAIR..wide).contains(&(east - asked.east)));
            prop_assert!((-2.0 * HAIR..high).contains(&(asked.south - south)));
            prop_assert!((-2.0 * HAIR..high).contains(&(north - asked.north)));
            prop_assert_eq!(grid.widen(BoundingBox { west, south, east, north }), cells);
        }

        #[test]
        fn runs_are_exactly_what_lies_within(
            places in proptest::collection::vec(place(), 0..200), a in place(), b in place(),
        ) {
            let grid = grid();
            let mut sorted: Vec<Cell> = places.iter().map(|at| grid.cell_of(*at)).collect();
            sorted.sort_unstable();
            let cells = grid.widen(BoundingBox {
                west: a.lon.min(b.lon),
                south: a.lat.min(b.lat),
                east: a.lon.max(b.lon),
                north: a.lat.max(b.lat),
            });
            let found: Vec<Cell> = cells.runs(&sorted, |cell| *cell).flat_map(|run| sorted[run].to_vec()).collect();
            let expected: Vec<Cell> = sorted.iter().copied().filter(|cell| cells.contain(*cell)).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_cell_is_about_300_metres_wide() {
        let grid = grid();
        assert!((grid.cell_height * 111_000.0 - 300.0).abs() < 2.0);
        assert!((grid.cell_width * 87_900.0 - 300.0).abs() < 2.0);
        let whole_globe = BoundingBox {
            west: -180.0,
            south: -90.0,
            east: 180.0,
            north: 90.0,
        };
        assert_eq!(
            grid.bounds_of(grid.widen(whole_globe)),
            [-180.0, -90.0, 180.0, 90.0]
        );
    }
}
