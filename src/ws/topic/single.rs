//! Positions of one drone, for the topics that are about one.

use crate::sim::ids::DroneId;
use crate::wire::stream::positions::Positions;
use crate::ws::beat::Rate;

use super::{Speech, newer};

pub(super) struct Follow {
    rate: Rate,
    /// As last told.
    row: String,
}

impl Follow {
    pub(super) fn new(rate: Rate) -> Self {
        Follow {
            rate,
            row: String::new(),
        }
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        &mut self.rate
    }

    /// The drone's row where it is another than before, in the air or not.
    pub(super) fn speak(&mut self, id: u64, drone: DroneId, speech: &mut Speech<'_>) {
        let Some((beat, full)) = newer(&mut self.rate, speech) else {
            return;
        };
        let now = &beat.positions;
        let on_ground;
        let row = match now.row_of(drone) {
            Some(row) => row,
            None => {
                let mut text = String::new();
                if let Some(reading) = speech.shared.view.drone(drone) {
                    speech.shared.row_on_ground(&reading).write(&mut text);
                }
                on_ground = text;
                &on_ground
            }
        };
        let mut message = Positions::begin(id, now.tick, &now.sim_time, now.sent_at_ms, full);
        if full || *row != self.row {
            message.push_rows(row);
            row.clone_into(&mut self.row);
        }
        speech.messages.push(message.finish(std::iter::empty()).into());
    }

    /// The next message is about another drone, and full.
    pub(super) fn start_over(&mut self) {
        self.rate.start_over();
    }
}
