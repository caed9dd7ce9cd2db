//! What the weather is by place and time: the mean wind at 10 m, or the rain, one for the whole
//! area or one for each cell of a grid, changing through the day.

use serde::Serialize;

use super::{Wind, speed_mps};
use crate::sim::geo::Point;
use crate::sim::time::SimTime;

/// The cells of the weather: rows of equal rectangles over the area. What lies outside
/// belongs to the nearest cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// The south-western corner.
    pub west_m: f64,
    pub south_m: f64,
    pub cell_width_m: f64,
    pub cell_height_m: f64,
    pub columns: u16,
    pub rows: u16,
}

impl Grid {
    /// One cell.
    pub const WHOLE: Grid = Grid {
        west_m: 0.0,
        south_m: 0.0,
        cell_width_m: 1.0,
        cell_height_m: 1.0,
        columns: 1,
        rows: 1,
    };

    pub fn cells(&self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// Cells are numbered eastwards, row after row, from the south-west on.
    pub fn cell_of(&self, at: Point) -> usize {
        let step = |metres: f64, count: u16| (metres.max(0.0) as usize).min(usize::from(count) - 1);
        let column = step((at.x - self.west_m) / self.cell_width_m, self.columns);
        let row = step((at.y - self.south_m) / self.cell_height_m, self.rows);
        row * usize::from(self.columns) + column
    }
}

/// What goes from one value to another over time.
pub trait Blend: Copy {
    fn towards(self, other: Self, share: f64) -> Self;
}

impl Blend for f64 {
    fn towards(self, other: f64, share: f64) -> f64 {
        self + share * (other - self)
    }
}

impl Blend for Wind {
    fn towards(self, other: Wind, share: f64) -> Wind {
        (self.0.towards(other.0, share), self.1.towards(other.1, share))
    }
}

/// The values from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change<V = Wind> {
    pub at: SimTime,
    /// One for all cells, or one for each.
    pub values: Vec<V>,
}

impl<V: Copy> Change<V> {
    fn of(&self, cell: usize) -> V {
        match self.values[..] {
            [value] => value,
            _ => self.values[cell],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field<V = Wind> {
    start: V,
    /// Earliest first.
    changes: Vec<Change<V>>,
    grid: Grid,
}

impl<V> Field<V> {
    pub const fn uniform(value: V) -> Self {
        Field {
            start: value,
            changes: Vec::new(),
            grid: Grid::WHOLE,
        }
    }
}

impl<V: Blend> Field<V> {
    /// From `start` everywhere at the beginning to each of the changes in turn, linearly,
    /// and as the last one from then on. A change has one value, or one for each cell.
    pub fn new(start: V, mut changes: Vec<Change<V>>, grid: Grid) -> Self {
        debug_assert!(
            changes
                .iter()
                .all(|change| [1, grid.cells()].contains(&change.values.len()))
        );
        changes.sort_by_key(|change| change.at);
        Field { start, changes, grid }
    }

    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Whether it stays as it is.
    pub fn is_steady(&self) -> bool {
        self.changes.is_empty()
    }

    pub fn at(&self, cell: usize, now: SimTime) -> V {
        let next = self.changes.partition_point(|change| change.at <= now);
        let (since, before) = match next.checked_sub(1).map(|last| &self.changes[last]) {
            Some(change) => (change.at, change.of(cell)),
            None => (SimTime::START, self.start),
        };
        let Some(change) = self.changes.get(next) else {
            return before;
        };
        let share = now.since(since).as_secs() / change.at.since(since).as_secs();
        before.towards(change.of(cell), share)
    }
}

impl Field<Wind> {
    pub fn strongest_mps(&self) -> f64 {
        let changed = self.changes.iter().flat_map(|change| &change.values);
        changed
            .chain([&self.start])
            .copied()
            .map(speed_mps)
            .fold(0.0, f64::max)
    }
}

impl Field<f64> {
    /// Whether there is none of it, anywhere and ever.
    pub fn is_nothing(&self) -> bool {
        let changed = self.changes.iter().flat_map(|change| &change.values);
        changed.chain([&self.start]).all(|value| *value == 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    #[test]
    fn a_mean_goes_from_one_change_to_the_next() {
        let change = |at, winds: &[Wind]| Change {
            at: seconds(at),
            values: winds.to_vec(),
        };
        let grid = Grid {
            columns: 2,
            ..Grid::WHOLE
        };
        let later = change(200.0, &[(10.0, 0.0), (0.0, 6.0)]);
        let field = Field::new((2.0, 0.0), vec![later, change(100.0, &[(4.0, 2.0)])], grid);
        assert_eq!(field.at(0, SimTime::START), (2.0, 0.0));
        assert_eq!(field.at(1, seconds(50.0)), (3.0, 1.0));
        assert_eq!(field.at(1, seconds(100.0)), (4.0, 2.0));
        assert_eq!(field.at(0, seconds(150.0)), (7.0, 1.0));
        assert_eq!(field.at(1, seconds(150.0)), (2.0, 4.0));
        assert_eq!(field.at(1, seconds(9_000.0)), (0.0, 6.0));
        assert_eq!(field.strongest_mps(), 10.0);
        let rain = Field::new(
            0.0,
            vec![Change {
                at: seconds(60.0),
                values: vec![0.0, 9.0],
            }],
            grid,
        );
        assert_eq!((rain.at(0, seconds(30.0)), rain.at(1, seconds(30.0))), (0.0, 4.5));
        assert!(!rain.is_nothing() && Field::uniform(0.0).is_nothing());
        let at_once = Field::new((1.0, 1.0), vec![change(0.0, &[(3.0, 0.0)])], Grid::WHOLE);
        assert_eq!(at_once.at(0, SimTime::START), (3.0, 0.0));
    }

    #[test]
    fn cells_count_from_the_south_west_and_take_in_what_lies_outside() {
        let grid = Grid {
            west_m: -3_000.0,
            south_m: -1_000.0,
            cell_width_m: 2_000.0,
            cell_height_m: 1_000.0,
            columns: 3,
            rows: 2,
        };
        assert_eq!(grid.cells(), 6);
        for (x, y, cell) in [
            (-2_999.0, -999.0, 0),
            (-999.0, -1.0, 1),
            (2_999.0, -1.0, 2),
            (-2_999.0, 1.0, 3),
            (0.0, 999.0, 4),
            (9_000.0, 9_000.0, 5),
            (-9_000.0, -9_000.0, 0),
        ] {
            assert_eq!(grid.cell_of(Point { x, y }), cell, "{x} {y}");
        }
    }
}
