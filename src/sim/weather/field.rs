//! The mean wind at 10 m: one for the whole area or one for each cell of a grid, changing
//! through the day.

use serde::Serialize;

use super::Wind;
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

/// The mean from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    pub at: SimTime,
    /// One for all cells, or one for each.
    pub winds: Vec<Wind>,
}

impl Change {
    fn wind(&self, cell: usize) -> Wind {
        match self.winds[..] {
            [wind] => wind,
            _ => self.winds[cell],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    start: Wind,
    /// Earliest first.
    changes: Vec<Change>,
    grid: Grid,
}

impl Field {
    pub const fn uniform(wind: Wind) -> Self {
        Field {
            start: wind,
            changes: Vec::new(),
            grid: Grid::WHOLE,
        }
    }

    /// From `start` everywhere at the beginning to each of the changes in turn, linearly,
    /// and as the last one from then on. A change has one wind, or one for each cell.
    pub fn new(start: Wind, mut changes: Vec<Change>, grid: Grid) -> Self {
        debug_assert!(
            changes
                .iter()
                .all(|change| [1, grid.cells()].contains(&change.winds.len()))
        );
        changes.sort_by_key(|change| change.at);
        Field { start, changes, grid }
    }

    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Whether it is the same everywhere and for ever.
    pub fn is_uniform(&self) -> bool {
        self.changes.is_empty() && self.grid == Grid::WHOLE
    }

    pub fn at(&self, cell: usize, now: SimTime) -> Wind {
        let next = self.changes.partition_point(|change| change.at <= now);
        let (since, before) = match next.checked_sub(1).map(|last| &self.changes[last]) {
            Some(change) => (change.at, change.wind(cell)),
            None => (SimTime::START, self.start),
        };
        let Some(change) = self.changes.get(next) else {
            return before;
        };
        let after = change.wind(cell);
        let share = now.since(since).as_secs() / change.at.since(since).as_secs();
        let between = |from: f64, to: f64| from + share * (to - from);
        (between(before.0, after.0), between(before.1, after.1))
    }

    pub fn strongest_mps(&self) -> f64 {
        let changed = self.changes.iter().flat_map(|change| &change.winds);
        let speeds = changed
            .chain([&self.start])
            .map(|(east, north)| (east * east + north * north).sqrt());
        speeds.fold(0.0, f64::max)
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
            winds: winds.to_vec(),
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
