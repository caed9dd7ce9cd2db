//! `area`: everything that flies within a viewport.

use crate::view::DroneFilter;
use crate::wire::stream::positions::{Positions, Row};
use crate::ws::Shared;
use crate::ws::beat::Rate;
use crate::ws::grid::{Cell, Cells};

use super::{Speech, newer};

/// Parked drones are read in pieces of this size.
const PAGE: usize = 4096;

pub(super) struct Follow {
    cells: Cells,
    rate: Rate,
}

impl Follow {
    pub(super) fn new(cells: Cells, rate: Rate) -> Self {
        Follow { cells, rate }
    }

    pub(super) fn cells(&self) -> Cells {
        self.cells
    }

    pub(super) fn look_at(&mut self, cells: Cells) {
        self.cells = cells;
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        &mut self.rate
    }

    /// Full messages list all drones within the cells, parked and lost ones too. The
    /// others list airborne ones that changed, and once more, as it is by then, one that
    /// has come down.
    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        let Some((beat, full)) = newer(&mut self.rate, speech) else {
            return;
        };
        let now = &beat.positions;
        let (encoding, head) = (speech.encoding, now.head(id, full));
        let message = if full {
            let ground = now.ground(|| everyone(speech.shared));
            let airborne = now.airborne().within(&self.cells, encoding);
            let runs = airborne.chain(ground.within(&self.cells, encoding));
            Positions::with_runs(encoding, &head, runs).finish(std::iter::empty())
        } else {
            let runs = beat.changes.rows.within(&self.cells, encoding);
            Positions::with_runs(encoding, &head, runs).finish(beat.changes.gone(&self.cells))
        };
        speech.push(message);
    }
}

fn everyone(shared: &Shared) -> Vec<(Cell, Row)> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = shared.view.drones(&DroneFilter::default(), after, PAGE);
        let row = |drone: &_| shared.row_on_ground(drone);
        rows.extend(page.items.iter().map(row));
        match page.next {
            Some(last) => after = Some(last),
            None => return rows,
        }
    }
}
