//! The wind that drones meet during a tick: by weather cell, the mean and the gusts.

use super::super::time::SimTime;
use super::super::weather::{Gusts, Weather};
use super::columns::Chunk;
use super::step::BLOCK_ROWS;

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

    pub fn of(&self, cell: u16) -> (f32, f32) {
        self.0[usize::from(cell)]
    }
}

/// The winds that a block's rows meet, row by row.
pub struct Blown {
    east: [f32; BLOCK_ROWS],
    north: [f32; BLOCK_ROWS],
}

impl Blown {
    pub fn new(winds: &Winds) -> Self {
        let (east, north) = winds.of(0);
        Blown::steady(east, north)
    }

    /// The same for every row.
    pub fn steady(east: f32, north: f32) -> Self {
        Blown {
            east: [east; BLOCK_ROWS],
            north: [north; BLOCK_ROWS],
        }
    }

    /// A block's, with these cells.
    pub fn over(&mut self, winds: &Winds, cells: &[u16]) {
        if winds.0.len() == 1 {
            return;
        }
        let rows = self.east.iter_mut().zip(&mut self.north);
        for ((east, north), cell) in rows.zip(cells) {
            (*east, *north) = winds.of(*cell);
        }
    }

    pub fn of(&self, rows: usize) -> [&[f32]; 2] {
        [&self.east[..rows], &self.north[..rows]]
    }
}

impl Chunk {
    /// Who has come to another weather cell meets its wind from now on.
    pub fn find_cells(&mut self, weather: &Weather) {
        if weather.cells() == 1 {
            return;
        }
        let grid = weather.mean.grid();
        let places = self.x.iter().zip(&self.y);
        for (cell, (&x, &y)) in self.cell.iter_mut().zip(places) {
            *cell = grid.cell_of(super::Point { x, y }) as u16;
        }
    }
}
