//! `delivery/{id}`: a snapshot, then the delivery's events, and while a drone has it that
//! drone's positions, where and as long as its viewer may see them. After the delivery's
//! end there is nothing more to tell.

use crate::auth::{Parcel, What};
use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::Tick;
use crate::sim::workflow::WaitingFor;
use crate::view::DeliveryHandle;
use crate::view::events::Subject;
use crate::view::reading::DeliveryStatus;
use crate::view::shown;
use crate::wire::stream::{ServerMessage, Snapshot};
use crate::wire::time::rfc3339;
use crate::ws::Shared;
use crate::ws::beat::Rate;

use super::numbered::Cursor;
use super::{Speech, single};

pub(super) struct Follow {
    delivery: DeliveryId,
    /// So that it stays in memory as long as it is followed.
    _held: DeliveryHandle,
    cursor: Cursor,
    stage: Carrier,
    positions: single::Follow,
    /// When its drone was first seen to be the viewer's to see; `None` while it is not.
    shown_from: Option<Tick>,
}

/// Who has the package, as far as was told.
#[derive(Clone, Copy, PartialEq)]
enum Carrier {
    Unassigned,
    By(DroneId),
    Ended,
}

impl Follow {
    /// `since` is the last event that the client saw. `None` where there is no such delivery.
    pub(super) fn open(
        shared: &Shared,
        delivery: DeliveryId,
        rate: Rate,
        since: Option<u64>,
    ) -> Option<Self> {
        let held = shared.view.handle(delivery)?;
        let status = shared.view.status_of(&held);
        Some(Follow {
            delivery,
            _held: held,
            cursor: Cursor::open(shared, Subject::Delivery(delivery), since),
            stage: match carrier(&status) {
                // What ended it may be among the events that the client missed.
                Carrier::Ended => Carrier::Unassigned,
                other => other,
            },
            positions: single::Follow::new(rate),
            shown_from: None,
        })
    }

    pub(super) fn id(&self) -> DeliveryId {
        self.delivery
    }

    pub(super) fn recovers(&self) -> bool {
        !self.cursor.wants_snapshot()
    }

    pub(super) fn rate(&mut self) -> &mut Rate {
        self.positions.rate()
    }

    /// Where there is no such delivery yet, its snapshot comes when there is.
    pub(super) fn start_over(&mut self, shared: &Shared) {
        if let Some(held) = shared.view.handle(self.delivery) {
            self._held = held;
        }
        self.cursor.start_over();
        self.positions.start_over();
        self.stage = Carrier::Unassigned;
        self.shown_from = None;
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        let is_turned_back = speech.shared.view.is_turned_back();
        if self.stage == Carrier::Ended && !is_turned_back {
            return;
        }
        if self.cursor.wants_snapshot() {
            self.say_snapshot(id, speech);
        }
        for numbered in self.cursor.say_events(id, speech) {
            self.hear(&numbered.event);
        }
        if is_turned_back {
            self.speak_of_before(id, speech);
        } else if let Carrier::By(drone) = self.stage {
            let view = &speech.shared.view;
            if speech.viewer.sees_place_of(view, self.delivery) {
                let from = *self.shown_from.get_or_insert_with(|| view.clock().tick);
                let shown_at = |tick| (tick >= from).then_some(drone);
                self.positions.speak(id, shown_at, speech);
            } else {
                self.shown_from = None;
            }
        }
    }

    /// A recording goes backwards: whichever drone had it then, where its viewer might see that
    /// then. The drone's way before is nothing to anybody but operators.
    fn speak_of_before(&mut self, id: u64, speech: &mut Speech<'_>) {
        let (viewer, view) = (speech.viewer, &speech.shared.view);
        let (delivery, stage) = (self.delivery, self.stage);
        let shown_at = |tick| {
            let then = view.delivery_at(delivery, view.world().time_of(tick));
            let drone = then.filter(|then| !then.stage.is_terminal()).and_then(|then| {
                let is_seen = viewer.may(&What::PlaceOf(&Parcel::of(&then)));
                then.drone().filter(|_| is_seen)
            });
            match stage {
                Carrier::By(later) if viewer.may(&What::Everything) => drone.or(Some(later)),
                _ => drone,
            }
        };
        self.positions.speak(id, shown_at, speech);
    }

    fn say_snapshot(&mut self, id: u64, speech: &mut Speech<'_>) {
        let view = &speech.shared.view;
        let Some(status) = speech.viewer.status_of_delivery(view, self.delivery) else {
            return;
        };
        self.cursor.covered(status.seq.into());
        let sim_time = rfc3339(&view.world(), status.at);
        let shown = shown::delivery(&view.world(), self.delivery, &status);
        speech.say(&ServerMessage::Snapshot {
            id,
            seq: Some(status.seq.into()),
            tick: status.tick,
            sim_time: &sim_time,
            of: Some(Snapshot::Delivery(shown)),
        });
        self.carried(carrier(&status));
    }

    fn hear(&mut self, event: &Event) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        match kind {
            DeliveryEvent::Assigned { drone, .. } => self.carried(Carrier::By(*drone)),
            // Vans are not among the positions that are shown.
            DeliveryEvent::HandedToCarrier { .. } | DeliveryEvent::BroughtBack { .. } => {
                self.carried(Carrier::Unassigned);
            }
            DeliveryEvent::Delayed { waiting_for } => {
                if *waiting_for != WaitingFor::Return {
                    self.carried(Carrier::Unassigned);
                }
            }
            DeliveryEvent::Completed { .. } | DeliveryEvent::Failed { .. } | DeliveryEvent::Cancelled => {
                self.carried(Carrier::Ended);
            }
            DeliveryEvent::Accepted { .. }
            | DeliveryEvent::Rescheduled { .. }
            | DeliveryEvent::AwaitingConfirmation { .. }
            | DeliveryEvent::NotifyMeRequested { .. }
            | DeliveryEvent::Created
            | DeliveryEvent::StepDelayed { .. }
            | DeliveryEvent::HeadedToPickup { .. }
            | DeliveryEvent::PickedUp { .. }
            | DeliveryEvent::HeadedToDropoff { .. }
            | DeliveryEvent::EtaChanged { .. } => {}
        }
    }

    fn carried(&mut self, stage: Carrier) {
        if stage != self.stage {
            self.positions.start_over();
            self.shown_from = None;
        }
        self.stage = stage;
    }
}

fn carrier(status: &DeliveryStatus) -> Carrier {
    match status.drone() {
        _ if status.stage.is_terminal() => Carrier::Ended,
        Some(drone) => Carrier::By(drone),
        None => Carrier::Unassigned,
    }
}
