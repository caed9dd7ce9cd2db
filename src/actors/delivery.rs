//! One delivery under way.
//!
//! Owns its state, its newest ETAs and the numbering of its events. Started by the
//! scheduler as the workflow's last step; hears from its drone, or from the carrier; ends
//! when the package is there or lost. On a panic the world halts at the last committed tick.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{DeliveryWrite, Objection, ReplyTo};
use crate::sim::delivery::{Bearer, DeliveryInput, DeliveryState, Outcome};
use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::workflow::FailureReason;

use super::book::Book;
use super::host::Role;
use super::packages::PackageMessage;
use super::{Context, Effect, Effects, Mail};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    id: DeliveryId,
    book: Book,
    bearer: Bearer,
    etas: Etas,
    state: DeliveryState,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeliveryMessage {
    /// From the scheduler, once, first.
    Begin,
    PickedUp,
    Delivered,
    DroneLost,
    EtaMoved(Etas),
    /// From outside.
    Write {
        write: DeliveryWrite,
        reply_to: ReplyTo,
    },
    /// From third-party transport: its van does not get there.
    CarrierFailed,
}

/// As format 2 of the snapshots kept it: whatever was under way had a drone.
#[derive(Deserialize)]
pub struct DeliveryBefore3 {
    id: DeliveryId,
    order: Arc<Order>,
    drone: DroneId,
    etas: Etas,
    state: DeliveryState,
    seq: u32,
}

impl From<DeliveryBefore3> for Delivery {
    fn from(before: DeliveryBefore3) -> Self {
        let bearer = Bearer::Drone(before.drone);
        let book = Book {
            seq: before.seq,
            attempts: 1,
            ..Book::new(before.order)
        };
        Delivery {
            state: before.state,
            ..Delivery::new(before.id, book, bearer, before.etas)
        }
    }
}

impl Delivery {
    pub fn new(id: DeliveryId, book: Book, bearer: Bearer, etas: Etas) -> Self {
        Delivery {
            id,
            book,
            bearer,
            etas,
            state: DeliveryState::HeadedToPickup,
        }
    }

    fn emit(&mut self, context: &Context, effects: &mut Effects, event: DeliveryEvent) {
        self.book.emit(context, self.id, event, effects);
    }

    fn begin(&mut self, context: &Context, effects: &mut Effects) {
        let etas = self.etas;
        if self.book.attempts == 0 {
            self.emit(context, effects, DeliveryEvent::Created);
        }
        self.book.attempts += 1;
        let taken_on = match self.bearer {
            Bearer::Drone(drone) => DeliveryEvent::Assigned { drone, etas },
            Bearer::Carrier => DeliveryEvent::HandedToCarrier { etas },
        };
        self.emit(context, effects, taken_on);
        self.emit(context, effects, DeliveryEvent::HeadedToPickup { etas });
    }

    fn advance(&mut self, context: &Context, input: DeliveryInput, effects: &mut Effects) {
        match self.state.next(input) {
            Ok(Outcome::GoesOn(state)) => {
                self.state = state;
                self.etas.pickup = context.now;
                let (location, etas) = (self.book.order.pickup.location, self.etas);
                self.emit(context, effects, DeliveryEvent::PickedUp { location });
                self.emit(context, effects, DeliveryEvent::HeadedToDropoff { etas });
            }
            Ok(Outcome::Completed) => {
                let location = self.book.order.dropoff.location;
                self.emit(context, effects, DeliveryEvent::Completed { location });
                self.end(effects);
            }
            Ok(Outcome::Failed) => {
                let reason = match self.bearer {
                    Bearer::Drone(_) => FailureReason::DroneLost,
                    Bearer::Carrier => FailureReason::CarrierFailed,
                };
                self.emit(context, effects, DeliveryEvent::Failed { reason });
                self.end(effects);
            }
            Err(forbidden) => tracing::error!(delivery = %self.id, %forbidden, "a message came out of turn"),
        }
    }

    /// From outside.
    fn write(&mut self, context: &Context, write: DeliveryWrite, reply_to: ReplyTo, effects: &mut Effects) {
        match write {
            DeliveryWrite::NotifyMe(contact) => {
                let decision = self.book.notify(context, self.id, contact, effects);
                effects.reply(reply_to, decision);
            }
            DeliveryWrite::Confirm(_) => effects.refuse(reply_to, Objection::NotWaiting),
            DeliveryWrite::Cancel | DeliveryWrite::Reschedule(_) => {
                effects.refuse(reply_to, Objection::PickedUp);
            }
        }
    }

    /// Nobody holds anything for it any more.
    fn end(&self, effects: &mut Effects) {
        effects.send(Mail::Packages(PackageMessage::LetGo { id: self.id }));
        effects.0.push(Effect::End(self.id));
    }

    fn update_etas(&mut self, context: &Context, etas: Etas, effects: &mut Effects) {
        self.etas.delivery = etas.delivery;
        if self.state == DeliveryState::HeadedToPickup {
            self.etas.pickup = etas.pickup;
        }
        let etas = self.etas;
        self.emit(context, effects, DeliveryEvent::EtaChanged { etas });
    }
}

impl Role for Delivery {
    type Message = DeliveryMessage;

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Delivery(_, message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: DeliveryMessage, effects: &mut Effects) {
        match message {
            DeliveryMessage::Begin => self.begin(context, effects),
            DeliveryMessage::PickedUp => self.advance(context, DeliveryInput::PickedUp, effects),
            DeliveryMessage::Delivered => self.advance(context, DeliveryInput::Delivered, effects),
            DeliveryMessage::DroneLost => self.advance(context, DeliveryInput::DroneLost, effects),
            DeliveryMessage::CarrierFailed => self.advance(context, DeliveryInput::CarrierFailed, effects),
            DeliveryMessage::Write { write, reply_to } => self.write(context, write, reply_to, effects),
            DeliveryMessage::EtaMoved(etas) => self.update_etas(context, etas, effects),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, events, id, order, world};
    use crate::sim::event::Happening;
    use crate::sim::time::SimTime;

    fn bench() -> Bench<Delivery> {
        borne_by(Bearer::Drone(DroneId(0)))
    }

    fn borne_by(bearer: Bearer) -> Bench<Delivery> {
        let etas = Etas {
            pickup: SimTime::from_secs(60.0),
            delivery: SimTime::from_secs(120.0),
        };
        Bench::new(world(1, 1), |world| {
            Delivery::new(id(1), Book::new(Arc::new(order(world))), bearer, etas)
        })
    }

    fn newest(effects: &[Effect]) -> DeliveryEvent {
        match events(effects).last() {
            Some((_, Happening::Delivery(_, event))) => event.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_delivery_whose_drone_is_lost_fails_and_is_over() {
        for picked_up in [false, true] {
            let mut bench = bench();
            if picked_up {
                bench.tell(DeliveryMessage::PickedUp);
            }
            let effects = bench.tell(DeliveryMessage::DroneLost);
            let reason = FailureReason::DroneLost;
            assert_eq!(newest(&effects), DeliveryEvent::Failed { reason });
            assert_eq!(effects.last(), Some(&Effect::End(id(1))));
        }
    }

    #[test]
    fn what_the_carrier_takes_goes_through_the_same_stages_and_fails_for_its_own_reason() {
        let mut bench = borne_by(Bearer::Carrier);
        let begun = bench.tell(DeliveryMessage::Begin);
        let told: Vec<_> = events(&begun).into_iter().map(|(seq, _)| seq).collect();
        assert_eq!(told, [1, 2, 3]);
        assert!(matches!(
            events(&begun)[1].1,
            Happening::Delivery(_, DeliveryEvent::HandedToCarrier { .. })
        ));
        bench.tell(DeliveryMessage::PickedUp);
        let effects = bench.tell(DeliveryMessage::CarrierFailed);
        let reason = FailureReason::CarrierFailed;
        assert_eq!(newest(&effects), DeliveryEvent::Failed { reason });
        assert_eq!(effects.last(), Some(&Effect::End(id(1))));
    }

    #[test]
    fn a_pickup_that_is_over_keeps_its_time_when_the_drop_off_moves() {
        let mut bench = bench();
        bench.wait(70.0);
        let picked_up_at = bench.context.now;
        bench.tell(DeliveryMessage::PickedUp);
        let etas = Etas {
            pickup: SimTime::from_secs(99.0),
            delivery: SimTime::from_secs(150.0),
        };
        let told = Etas {
            pickup: picked_up_at,
            ..etas
        };
        let effects = bench.tell(DeliveryMessage::EtaMoved(etas));
        assert_eq!(newest(&effects), DeliveryEvent::EtaChanged { etas: told });
    }
}
