//! `fleet`: a snapshot of the counts and gauges, then them again each second.

use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;

use super::Speech;

#[derive(Default)]
pub(super) struct Follow {
    /// The second that was told last; `None` before the snapshot.
    seen: Option<u64>,
}

impl Follow {
    pub(super) fn start_over(&mut self) {
        self.seen = None;
    }

    /// Not more often than so many seconds apart.
    pub(super) fn speak(&mut self, id: u64, apart_s: u64, speech: &mut Speech<'_>) {
        let gauges = &speech.beat.gauges;
        let before = self.seen;
        if before.is_some_and(|seen| !speech.takes_positions || gauges.number < seen + apart_s) {
            return;
        }
        self.seen = Some(gauges.number);
        let view = &speech.shared.view;
        let reading = match before {
            Some(_) => gauges.fleet(view),
            None => view.fleet(),
        };
        let clock = reading.clock;
        let fleet = shown::fleet(&reading, speech.shared.house.telemetry.sessions_open());
        let sim_time = &rfc3339(&view.world(), clock.at);
        let tick = clock.tick;
        let message = match before {
            Some(_) => ServerMessage::Fleet {
                id,
                tick,
                sim_time,
                fleet,
            },
            None => ServerMessage::Snapshot {
                id,
                seq: None,
                tick,
                sim_time,
                of: Some(Snapshot::Fleet(fleet)),
            },
        };
        speech.say(&message);
    }
}
