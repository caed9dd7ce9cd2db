//! `hub/{id}`: a snapshot of the hub, and another whenever it changed, at most one a
//! second. Its events are not numbered here, so its snapshots have no `seq`.

use crate::view::reading::HubReading;
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;

use super::Speech;

pub(super) struct Follow {
    /// Index among the world's hubs.
    hub: usize,
    /// The second that was looked at last.
    seen: Option<u64>,
    told: Option<HubReading>,
}

impl Follow {
    /// `None` where there is no hub of this key.
    pub(super) fn open(shared: &Shared, key: &str) -> Option<Self> {
        let hubs = &shared.view.world().hubs;
        let hub = hubs.iter().position(|hub| hub.key == key)?;
        Some(Follow {
            hub,
            seen: None,
            told: None,
        })
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        let gauges = &speech.beat.gauges;
        let before = self.seen.replace(gauges.number);
        if before == Some(gauges.number) {
            return;
        }
        let view = &speech.shared.view;
        let (clock, reading) = match before {
            Some(_) => {
                let (clock, hubs) = gauges.hubs(view);
                (*clock, hubs[self.hub])
            }
            None => (view.clock(), view.hubs()[self.hub]),
        };
        if self.told.replace(reading) == Some(reading) {
            return;
        }
        let sim_time = rfc3339(view.world(), clock.at);
        let of = Snapshot::Hub(shown::hub(view.world(), &reading));
        let tick = clock.tick;
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: None,
            tick,
            sim_time: &sim_time,
            of,
        });
    }
}
