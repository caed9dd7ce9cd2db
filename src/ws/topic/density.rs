//! `area` for those who may not see drones one by one: once a second, how many fly in each
//! cell of the viewport. Never a place, however blurred.

use crate::wire::stream::ServerMessage;
use crate::ws::grid::Cells;

use super::Speech;

pub(super) struct Follow {
    cells: Cells,
    /// The second that was told last; `None` where the viewport is new.
    seen: Option<u64>,
}

impl Follow {
    pub(super) fn new(cells: Cells) -> Self {
        Follow { cells, seen: None }
    }

    pub(super) fn cells(&self) -> Cells {
        self.cells
    }

    pub(super) fn look_at(&mut self, cells: Cells) {
        self.cells = cells;
        self.seen = None;
    }

    pub(super) fn start_over(&mut self) {
        self.seen = None;
    }

    /// Not more often than so many seconds apart.
    pub(super) fn speak(&mut self, id: u64, apart_s: u64, speech: &mut Speech<'_>) {
        let gauges = &speech.beat.gauges;
        let is_soon = self.seen.is_some_and(|seen| gauges.number < seen + apart_s);
        if !speech.takes_positions || is_soon {
            return;
        }
        self.seen = Some(gauges.number);
        let shared = speech.shared;
        let density = gauges.density(&shared.view, &shared.grid);
        let runs = self.cells.runs(&density.counts, |(cell, _)| *cell);
        let cells: Vec<_> = runs
            .flat_map(|run| &density.counts[run])
            .map(|&(cell, drones)| {
                let [latitude, longitude] = shared.grid.middle_of(cell);
                (latitude, longitude, drones)
            })
            .collect();
        speech.say(&ServerMessage::Density {
            id,
            tick: density.tick,
            sim_time: &density.sim_time,
            cells: &cells,
        });
    }
}
