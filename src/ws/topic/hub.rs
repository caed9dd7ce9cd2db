//! `hub/{id}`: a snapshot of the hub, then its events. Where gauges that no event tells of
//! changed, such as the drones parked there, another snapshot, at most one a second.

use crate::sim::event::{Happening, HubEvent, HubQueues};
use crate::sim::ids::HubId;
use crate::view::events::{Numbered, Subject};
use crate::view::reading::{ClockReading, HubReading};
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;

use super::Speech;
use super::numbered::Cursor;

pub(super) struct Follow {
    hub: HubId,
    cursor: Cursor,
    /// The second that was looked at last.
    seen: Option<u64>,
    /// As the client knows it.
    told: Gauges,
}

/// What a snapshot of a hub says that may change.
#[derive(Clone, Copy, PartialEq)]
struct Gauges {
    queues: HubQueues,
    grounded: u32,
}

impl Follow {
    /// `since` is the last event that the client saw. `None` where there is no hub of this
    /// key.
    pub(super) fn open(shared: &Shared, key: &str, since: Option<u64>) -> Option<Self> {
        let hub = shared.view.hub_of_key(key)?;
        Some(Follow {
            hub,
            cursor: Cursor::open(shared, Subject::Hub(hub), since),
            seen: None,
            told: Gauges::of(&shared.view.hubs_at_once().1[hub.index()]),
        })
    }

    pub(super) fn recovers(&self) -> bool {
        !self.cursor.wants_snapshot()
    }

    pub(super) fn start_over(&mut self) {
        self.cursor.start_over();
        self.seen = None;
    }

    /// Gauges not more often than so many seconds apart.
    pub(super) fn speak(&mut self, id: u64, apart_s: u64, speech: &mut Speech<'_>) {
        let view = &speech.shared.view;
        let second = speech.beat.gauges.number;
        if self.cursor.wants_snapshot() {
            let (clock, hubs) = view.hubs_at_once();
            self.say_snapshot(id, &clock, &hubs[self.hub.index()], speech);
        } else if speech.takes_positions && self.seen.is_none_or(|seen| second >= seen + apart_s) {
            self.seen = Some(second);
            if let Some((clock, reading)) = speech.beat.gauges.hub(view, self.hub) {
                self.say_changes(id, &clock, &reading, speech);
            }
        }
        let events = self.cursor.say_events(id, speech);
        self.hear(&events);
    }

    /// A snapshot where events alone do not tell all: after the events that it covers, and
    /// not where the client is further than the reading.
    fn say_changes(&mut self, id: u64, clock: &ClockReading, reading: &HubReading, speech: &mut Speech<'_>) {
        let events = self.cursor.say_events_up_to(reading.seq.into(), id, speech);
        self.hear(&events);
        if self.cursor.told() == Some(reading.seq.into()) && self.told != Gauges::of(reading) {
            self.say_snapshot(id, clock, reading, speech);
        }
    }

    fn say_snapshot(&mut self, id: u64, clock: &ClockReading, reading: &HubReading, speech: &mut Speech<'_>) {
        self.told = Gauges::of(reading);
        self.cursor.covered(reading.seq.into());
        let world = &speech.shared.view.world();
        let sim_time = rfc3339(world, clock.at);
        let of = Some(Snapshot::Hub(shown::hub(world, reading, true)));
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: Some(reading.seq.into()),
            tick: clock.tick,
            sim_time: &sim_time,
            of,
        });
    }

    fn hear(&mut self, events: &[Numbered]) {
        for numbered in events {
            if let Happening::Hub(_, HubEvent::QueuesChanged(queues)) = numbered.event.happening {
                self.told.queues = queues;
            }
        }
    }
}

impl Gauges {
    fn of(reading: &HubReading) -> Self {
        Gauges {
            queues: reading.queues,
            grounded: reading.grounded,
        }
    }
}
