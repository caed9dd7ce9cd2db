//! `delivery/{id}`: a snapshot, then the delivery's events, and while a drone has it that
//! drone's positions. After the delivery's end there is nothing more to tell.

use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::view::reading::{DeliveryStatus, EventsAfter};
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;
use crate::ws::beat::Rate;

use super::numbered::{self, Told};
use super::{Speech, single};

pub(super) struct Follow {
    delivery: DeliveryId,
    told: Told,
    stage: Carriage,
    positions: single::Follow,
}

/// Who has the package, as far as was told.
#[derive(Clone, Copy, PartialEq)]
enum Carriage {
    Unassigned,
    By(DroneId),
    Ended,
}

impl Follow {
    /// `since` is the last event that the client saw; true where it misses none after it.
    /// `None` where there is no such delivery.
    pub(super) fn open(
        shared: &Shared,
        delivery: DeliveryId,
        rate: Rate,
        since: Option<u32>,
    ) -> Option<(Self, bool)> {
        let status = shared.view.delivery_status(delivery)?;
        let kept = |seq: &u32| {
            let after = shared.view.delivery_events(delivery, *seq);
            matches!(after, EventsAfter::Complete(_))
        };
        let since = since.filter(kept);
        let follow = Follow {
            delivery,
            told: since.map_or(Told::Nothing, Told::UpTo),
            stage: match carriage(&status) {
                // What ended it may be among the events that the client missed.
                Carriage::Ended => Carriage::Unassigned,
                other => other,
            },
            positions: single::Follow::new(rate),
        };
        Some((follow, since.is_some()))
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        self.positions.rate()
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        if self.stage == Carriage::Ended {
            return;
        }
        let seq = match self.told {
            Told::UpTo(seq) => seq,
            Told::Nothing => match self.say_snapshot(id, speech) {
                Some(seq) => seq,
                None => return,
            },
        };
        match speech.shared.view.delivery_events(self.delivery, seq) {
            EventsAfter::Complete(events) => {
                self.told = Told::UpTo(events.last().map_or(seq, |last| last.seq));
                for event in &events {
                    numbered::say(id, event, speech);
                    self.hear(event);
                }
            }
            EventsAfter::Gone => self.told = Told::Nothing,
        }
        if let Carriage::By(drone) = self.stage {
            self.positions.speak(id, drone, speech);
        }
    }

    /// The number of the last event that the snapshot covers.
    fn say_snapshot(&mut self, id: u64, speech: &mut Speech<'_>) -> Option<u32> {
        let view = &speech.shared.view;
        let status = view.delivery_status(self.delivery)?;
        let sim_time = rfc3339(view.world(), status.at);
        let shown = shown::delivery(view.world(), self.delivery, &status);
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: Some(status.seq),
            tick: status.tick,
            sim_time: &sim_time,
            of: Snapshot::Delivery(shown),
        });
        self.carried(carriage(&status));
        Some(status.seq)
    }

    fn hear(&mut self, event: &Event) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        match kind {
            DeliveryEvent::Assigned { drone, .. } => self.carried(Carriage::By(*drone)),
            DeliveryEvent::Completed { .. } | DeliveryEvent::Failed { .. } => self.carried(Carriage::Ended),
            DeliveryEvent::Accepted { .. }
            | DeliveryEvent::Delayed { .. }
            | DeliveryEvent::Created
            | DeliveryEvent::HeadedToPickup { .. }
            | DeliveryEvent::PickedUp { .. }
            | DeliveryEvent::HeadedToDropoff { .. }
            | DeliveryEvent::EtaChanged { .. } => {}
        }
    }

    fn carried(&mut self, stage: Carriage) {
        if stage != self.stage {
            self.positions.start_over();
        }
        self.stage = stage;
    }
}

fn carriage(status: &DeliveryStatus) -> Carriage {
    match status.drone {
        _ if status.stage.is_terminal() => Carriage::Ended,
        Some(drone) => Carriage::By(drone),
        None => Carriage::Unassigned,
    }
}
