//! Positions of one drone, for the topics that are about one.

use crate::sim::ids::DroneId;
use crate::sim::time::Tick;
use crate::wire::stream::positions::{Positions, Row};
use crate::ws::beat::Rate;

use super::{Speech, newer};

pub(super) struct Follow {
    rate: Rate,
    /// As last told.
    row: Option<Row>,
}

impl Follow {
    pub(super) fn new(rate: Rate) -> Self {
        Follow { rate, row: None }
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        &mut self.rate
    }

    /// The drone's row where it is another than before, in the air or not: of the one that may be
    /// shown as it was at the beat's tick.
    pub(super) fn speak(
        &mut self,
        id: u64,
        shown_at: impl FnOnce(Tick) -> Option<DroneId>,
        speech: &mut Speech<'_>,
    ) {
        let Some((beat, full)) = newer(&mut self.rate, speech) else {
            return;
        };
        let now = &beat.positions;
        let Some(drone) = shown_at(now.tick()) else {
            self.start_over();
            return;
        };
        let row = match now.row_of(drone) {
            Some(row) => Some(*row),
            None => {
                let on_ground = speech.shared.row_on_ground(drone, now.as_of());
                on_ground.map(|(_, row)| row)
            }
        };
        let told = row.filter(|_| full || row != self.row);
        let message = Positions::with_row(speech.encoding, &now.head(id, full), told.as_ref());
        // An operator withdrew it.
        let gone = (row.is_none() && self.row.is_some()).then_some(drone);
        speech.push(message.finish(gone.into_iter()));
        self.row = row;
    }

    /// The next message is about another drone, and full.
    pub(super) fn start_over(&mut self) {
        self.rate.start_over();
    }
}
