//! `drone/{id}`: a snapshot, then the drone's events and positions.

use crate::sim::ids::DroneId;
use crate::view::reading::EventsAfter;
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;
use crate::ws::beat::Rate;

use super::numbered::{self, Told};
use super::{Speech, single};

pub(super) struct Follow {
    drone: DroneId,
    told: Told,
    positions: single::Follow,
}

impl Follow {
    /// `since` is the last event that the client saw; true where it misses none after it.
    /// `None` where there is no such drone.
    pub(super) fn open(
        shared: &Shared,
        drone: DroneId,
        rate: Rate,
        since: Option<u32>,
    ) -> Option<(Self, bool)> {
        shared.view.drone(drone)?;
        let kept = |seq: &u32| {
            let after = shared.view.drone_events(drone, *seq);
            matches!(after, EventsAfter::Complete(_))
        };
        let since = since.filter(kept);
        let follow = Follow {
            drone,
            told: since.map_or(Told::Nothing, Told::UpTo),
            positions: single::Follow::new(rate),
        };
        Some((follow, since.is_some()))
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        self.positions.rate()
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        let seq = match self.told {
            Told::UpTo(seq) => seq,
            Told::Nothing => match self.say_snapshot(id, speech) {
                Some(seq) => seq,
                None => return,
            },
        };
        match speech.shared.view.drone_events(self.drone, seq) {
            EventsAfter::Complete(events) => {
                self.told = Told::UpTo(events.last().map_or(seq, |last| last.seq));
                for event in &events {
                    numbered::say(id, event, speech);
                }
            }
            EventsAfter::Gone => self.told = Told::Nothing,
        }
        self.positions.speak(id, self.drone, speech);
    }

    /// The number of the last event that the snapshot covers.
    fn say_snapshot(&self, id: u64, speech: &mut Speech<'_>) -> Option<u32> {
        let view = &speech.shared.view;
        let clock = view.clock();
        let reading = view.drone(self.drone)?;
        let sim_time = rfc3339(view.world(), clock.at);
        let shown = shown::drone(view.world(), &reading);
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: Some(reading.seq),
            tick: clock.tick,
            sim_time: &sim_time,
            of: Snapshot::Drone(shown),
        });
        Some(reading.seq)
    }
}
