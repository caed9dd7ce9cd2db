//! `area`: everything that flies within a viewport.

use crate::wire::stream::positions::Positions;
use crate::ws::beat::Rate;
use crate::ws::grid::Cells;

use super::{Speech, newer};

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
        let shared = speech.shared;
        let message = if full {
            let airborne = now.airborne().within(&self.cells, encoding);
            let runs = airborne.chain(now.ground(&self.cells, encoding, &shared.grid, shared));
            Positions::with_runs(encoding, &head, runs).finish(std::iter::empty())
        } else {
            let runs = beat.changes.rows.within(&self.cells, encoding);
            Positions::with_runs(encoding, &head, runs).finish(beat.changes.gone(&self.cells))
        };
        speech.push(message);
    }
}
