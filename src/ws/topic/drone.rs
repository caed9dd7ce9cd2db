//! `drone/{id}`: a snapshot, then the drone's events and positions.

use crate::auth::{Parcel, Sight, Viewer, What};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::Tick;
use crate::view::events::Subject;
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;
use crate::ws::beat::Rate;

use super::numbered::Cursor;
use super::{Speech, single};

pub(super) struct Follow {
    drone: DroneId,
    /// What it was on when the subscription began, and the tick of that moment.
    errand: (Option<DeliveryId>, Tick),
    cursor: Cursor,
    positions: single::Follow,
}

impl Follow {
    /// `since` is the last event that the client saw. `None` where there is no such drone.
    pub(super) fn open(shared: &Shared, drone: DroneId, rate: Rate, since: Option<u64>) -> Option<Self> {
        shared.view.drone(drone)?;
        Some(Follow {
            drone,
            errand: (shared.view.carried_by(drone), shared.view.clock().tick),
            cursor: Cursor::open(shared, Subject::Drone(drone), since),
            positions: single::Follow::new(rate),
        })
    }

    /// A right to a drone is one to it on one errand: what came between that one and the
    /// next is nothing to whoever has a right to both.
    pub(super) fn is_allowed(&self, shared: &Shared, viewer: &Viewer) -> bool {
        viewer.sight_of_drone(&shared.view, self.drone) == Sight::Seen
            && (viewer.may(&What::Everything) || shared.view.carried_by(self.drone) == self.errand.0)
    }

    pub(super) fn recovers(&self) -> bool {
        !self.cursor.wants_snapshot()
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        self.positions.rate()
    }

    pub(super) fn start_over(&mut self) {
        self.cursor.start_over();
        self.positions.start_over();
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        if self.cursor.wants_snapshot() {
            self.say_snapshot(id, speech);
        }
        self.cursor.say_events(id, speech);
        let (viewer, view) = (speech.viewer, &speech.shared.view);
        let (errand, since) = self.errand;
        let is_shown = |tick| match errand {
            _ if viewer.may(&What::Everything) => true,
            // A recording goes backwards too: as far as the right went.
            Some(errand) if view.is_turned_back() => {
                let then = view.delivery_at(errand, view.world().time_of(tick));
                then.is_some_and(|then| {
                    then.drone() == Some(self.drone) && viewer.may(&What::Drone(Some(&Parcel::of(&then))))
                })
            }
            _ => tick >= since,
        };
        let shown_at = |tick| is_shown(tick).then_some(self.drone);
        self.positions.speak(id, shown_at, speech);
    }

    fn say_snapshot(&mut self, id: u64, speech: &mut Speech<'_>) {
        let view = &speech.shared.view;
        let clock = view.clock();
        let Some(reading) = view.drone(self.drone) else {
            return;
        };
        self.cursor.covered(reading.seq.into());
        let sim_time = rfc3339(&view.world(), clock.at);
        let shown = shown::drone(&view.world(), &reading);
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: Some(reading.seq.into()),
            tick: clock.tick,
            sim_time: &sim_time,
            of: Some(Snapshot::Drone(shown)),
        });
    }
}
