//! The wind that drones meet during a tick: by weather cell, the mean and the gusts.

use super::super::geo::Point;
use super::super::time::SimTime;
use super::super::weather::{Gusts, Weather};
use super::columns::{Chunk, Column, Motions, STRIP_ROWS};

/// At 10 m, m/s east and north, by cell.
pub struct Winds(Vec<(f32, f32)>);

impl Winds {
    pub fn at(weather: &Weather, gusts: &Gusts, now: SimTime) -> Self {
        let wind = |cell| {
            let (mean, gust) = (weather.wind(cell, now), gusts.of(cell));
            ((mean.0 + gust.0) as f32, (mean.1 + gust.1) as f32)
        };
        Winds((0..weather.cells()).map(wind).collect())
    }

    /// The same in every cell.
    #[cfg(test)]
    pub fn steady(east: f32, north: f32) -> Self {
        Winds(vec![(east, north)])
    }

    #[inline(always)]
    pub fn of(&self, cell: u16) -> (f32, f32) {
        self.0[usize::from(cell)]
    }
}

/// The winds that a strip's rows meet, row by row.
pub struct Blown {
    pub east: Column<f32>,
    pub north: Column<f32>,
}

impl Blown {
    /// The first cell's for every row.
    pub fn new(winds: &Winds) -> Self {
        let (east, north) = winds.of(0);
        Blown {
            east: [east; STRIP_ROWS],
            north: [north; STRIP_ROWS],
        }
    }

    /// A strip's, with these cells.
    #[inline(always)]
    pub fn over(&mut self, winds: &Winds, cells: &Column<u16>) {
        if winds.0.len() == 1 {
            return;
        }
        let rows = self.east.iter_mut().zip(&mut self.north);
        for ((east, north), cell) in rows.zip(cells) {
            (*east, *north) = winds.of(*cell);
        }
    }
}

impl Chunk {
    /// Who has come to another weather cell meets its wind from now on.
    pub fn find_cells(&mut self, weather: &Weather) {
        if weather.cells() == 1 {
            return;
        }
        let grid = weather.mean.grid();
        for Motions { cell, x, y, .. } in &mut self.motions {
            let places = x.iter().zip(y.iter());
            for (cell, (&x, &y)) in cell.iter_mut().zip(places) {
                *cell = grid.cell_of(Point { x, y }) as u16;
            }
        }
    }
}
