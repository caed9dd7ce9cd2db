//! One delivery under way.
//!
//! Owns its state, its newest ETAs and its book. Started by the scheduler as the workflow's
//! last step; hears from its drone, or from the carrier, and from clients; ends when the
//! package is there or lost, when it is cancelled, or when somebody else must carry it: then
//! its book goes back to the scheduler. Bound: [`MOST_ASKED`] changes that wait for the drone's
//! word; more are refused. After a panic it goes on from before the message
//! that brought it about.

mod changes;
mod door;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{DeliveryWrite, Objection, ReplyTo};
use crate::sim::delivery::{Bearer, DeliveryInput, DeliveryState, Outcome};
use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::order::{ConfirmationRequired, Order, Stop};
use crate::sim::promise;
use crate::sim::time::SimTime;
use crate::sim::workflow::{FailureReason, WaitingFor};
use crate::sim::world::Recipient;

use super::book::Book;
use super::drone::DroneMessage;
use super::host::Role;
use super::packages::PackageMessage;
use super::scheduler::{Lost, SchedulerMessage};
use super::{Context, Effect, Effects, Mail};

/// Changes of one delivery that may wait for the drone's word.
const MOST_ASKED: usize = 64;
/// Drones, or vans, that set out for one delivery.
const MOST_ATTEMPTS: u32 = 8;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    id: DeliveryId,
    book: Book,
    bearer: Bearer,
    etas: Etas,
    state: DeliveryState,
    /// The drone was asked about the first of these; the others wait for that.
    asked: VecDeque<(DeliveryWrite, ReplyTo)>,
    /// It has come to its end here, and the same round may hold more mail for it.
    #[serde(skip)]
    is_over: bool,
    /// When its times were told last, and whether they have moved since in that very tick.
    #[serde(skip)]
    told: Option<(SimTime, bool)>,
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
    /// From third-party transport: it cannot bring it.
    CarrierFailed,
    /// From the drone: at the door, and the recipient's word is required.
    AtDoor,
    /// From the drone: it goes home, with what it has on board.
    TurnedBack,
    /// From the drone: the package is at this hub.
    Returned {
        hub: HubId,
    },
    /// From the drone, as asked: it does not come any more.
    Released,
    /// From the drone, as asked: it goes there.
    Redirected(Etas),
    /// From the drone: what was asked of it came too late.
    TooLate,
    /// To itself: the simulated recipient comes to the door for the visit of this number.
    RecipientConfirms {
        visit: u32,
    },
    /// To itself: nobody waits at the door any longer.
    PatienceOver {
        visit: u32,
    },
    /// To itself: the carrier is at the door again.
    CarrierComesAgain {
        visit: u32,
    },
    /// From the engine: the drone panicked over what was asked of it.
    NoWord,
    /// To itself, from programs before the next: its times have moved again in the tick in which
    /// they were told.
    TellEtas,
    /// To itself: so they have, and this is what was told in that tick.
    TellMoved {
        told: Etas,
    },
    /// To itself: the recipient has not come by when that was expected, on the visit of this number
    /// that began then.
    NobodyYet {
        visit: u32,
        since: SimTime,
    },
}

/// As snapshots before format 3 hold it.
#[derive(Deserialize)]
pub struct DeliveryBefore3 {
    id: DeliveryId,
    order: Arc<Order>,
    drone: DroneId,
    etas: Etas,
    state: StateBefore3,
    seq: u32,
}

#[derive(Deserialize)]
enum StateBefore3 {
    HeadedToPickup,
    HeadedToDropoff,
}

impl From<DeliveryBefore3> for Delivery {
    fn from(before: DeliveryBefore3) -> Self {
        let bearer = Bearer::Drone(before.drone);
        let state = match before.state {
            StateBefore3::HeadedToPickup => DeliveryState::HeadedToPickup,
            StateBefore3::HeadedToDropoff => DeliveryState::HeadedToDropoff,
        };
        let book = Book {
            seq: before.seq,
            attempts: 1,
            picked_up: state != DeliveryState::HeadedToPickup,
            ..Book::new(before.order)
        };
        Delivery {
            state,
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
            asked: VecDeque::new(),
            is_over: false,
            told: None,
        }
    }

    pub fn order(&self) -> &Order {
        &self.book.order
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

    /// Moves on, or says that the message came out of turn and changes nothing.
    fn moves(&mut self, input: DeliveryInput) -> Option<Outcome> {
        match self.state.next(input) {
            Ok(outcome) => {
                if let Outcome::GoesOn(state) = outcome {
                    self.state = state;
                }
                Some(outcome)
            }
            Err(forbidden) => {
                tracing::error!(delivery = %self.id, %forbidden, "a message came out of turn");
                None
            }
        }
    }

    fn pick_up(&mut self, context: &Context, effects: &mut Effects) {
        if self.moves(DeliveryInput::PickedUp).is_none() {
            return;
        }
        self.book.picked_up = true;
        self.etas.pickup = context.now;
        let (location, etas) = (self.book.order.pickup.location, self.etas);
        self.emit(context, effects, DeliveryEvent::PickedUp { location });
        self.emit(context, effects, DeliveryEvent::HeadedToDropoff { etas });
    }

    /// The drone, or the van, has done all it can.
    fn arrive(&mut self, context: &Context, effects: &mut Effects) {
        if self.book.order.confirmation != ConfirmationRequired::None {
            return self.wait_at_door(context, effects);
        }
        if self.moves(DeliveryInput::Delivered).is_some() {
            self.complete(context, effects);
        }
    }

    fn complete(&mut self, context: &Context, effects: &mut Effects) {
        let location = self.book.order.dropoff.location;
        self.emit(context, effects, DeliveryEvent::Completed { location });
        self.end(effects);
    }

    fn lose(&mut self, context: &Context, input: DeliveryInput, effects: &mut Effects) {
        let reason = match self.bearer {
            Bearer::Drone(_) => FailureReason::DroneLost,
            Bearer::Carrier => FailureReason::CarrierFailed,
        };
        match self.moves(input) {
            Some(Outcome::TakenBack) => self.hand_back(context, Lost::Drone, effects),
            Some(_) => self.fail(context, reason, effects),
            None => {}
        }
    }

    /// Without the package, or with it, its drone goes home.
    fn turn_back(&mut self, context: &Context, effects: &mut Effects) {
        match self.moves(DeliveryInput::TurnedBack) {
            Some(Outcome::TakenBack) => self.hand_back(context, Lost::Drone, effects),
            Some(_) => self.tell_return(context, effects),
            None => {}
        }
    }

    fn tell_return(&mut self, context: &Context, effects: &mut Effects) {
        let waiting_for = WaitingFor::Return;
        self.emit(context, effects, DeliveryEvent::Delayed { waiting_for });
    }

    /// What was brought home sets out again from there, unless nobody would take it twice.
    fn set_out_again(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        if self.moves(DeliveryInput::Returned).is_none() {
            return;
        }
        let location = context.world.hub(hub).location;
        self.emit(context, effects, DeliveryEvent::BroughtBack { location });
        if self.book.unconfirmed >= Recipient::MOST_VISITS {
            return self.fail(context, FailureReason::NotConfirmed, effects);
        }
        let mut order = Order::clone(&self.book.order);
        order.pickup = Stop {
            location,
            altitude_m: 0.0,
        };
        if self.book.unconfirmed > 0 {
            order.not_before = context.now + context.world.recipient.redeliver_after;
        }
        self.book.order = Arc::new(order);
        self.hand_back(context, Lost::BroughtBack, effects);
    }

    /// Somebody else must carry it.
    fn hand_back(&mut self, context: &Context, why: Lost, effects: &mut Effects) {
        if self.book.attempts >= MOST_ATTEMPTS {
            return self.fail(context, FailureReason::TooManyAttempts, effects);
        }
        let (id, book) = (self.id, Box::new(self.book.clone()));
        effects.send(Mail::Scheduler(SchedulerMessage::TakeBack { id, book, why }));
        self.leave(effects);
    }

    fn fail(&mut self, context: &Context, reason: FailureReason, effects: &mut Effects) {
        self.emit(context, effects, DeliveryEvent::Failed { reason });
        self.end(effects);
    }

    /// Nobody holds anything for it any more.
    fn end(&mut self, effects: &mut Effects) {
        effects.send(Mail::Packages(PackageMessage::LetGo { id: self.id }));
        self.leave(effects);
    }

    /// Whoever still waits for a decision gets it from the scheduler.
    fn leave(&mut self, effects: &mut Effects) {
        self.is_over = true;
        let id = self.id;
        for (write, reply_to) in self.asked.drain(..) {
            effects.send(Mail::Scheduler(SchedulerMessage::Write { id, write, reply_to }));
        }
        effects.0.push(Effect::End(id));
    }

    fn tell_drone(&self, message: DroneMessage, effects: &mut Effects) {
        if let Bearer::Drone(drone) = self.bearer {
            effects.send(Mail::Drone(drone, message));
        }
    }

    /// Told where that is worth it: later than was told, or a good deal earlier.
    fn update_etas(&mut self, context: &Context, etas: Etas, effects: &mut Effects) {
        let mut newest = self.etas;
        newest.delivery = etas.delivery.max(context.now);
        if self.state == DeliveryState::HeadedToPickup {
            newest.pickup = etas.pickup.max(context.now);
        }
        if promise::is_worth_telling(self.etas, newest, context.world.tick) {
            let before = std::mem::replace(&mut self.etas, newest);
            self.tell_etas(context, before, effects);
        }
    }

    /// Once in a tick; what moves them again in it is told in the next.
    fn tell_etas(&mut self, context: &Context, before: Etas, effects: &mut Effects) {
        let now = context.now;
        let (etas, id) = (self.etas, self.id);
        match self.told {
            Some((at, true)) if at == now => {}
            Some((at, false)) if at == now => {
                self.told = Some((now, true));
                let message = DeliveryMessage::TellMoved { told: before };
                effects.wake_at(now, Mail::Delivery(id, message));
            }
            _ => {
                self.told = Some((now, false));
                self.emit(context, effects, DeliveryEvent::EtaChanged { etas });
            }
        }
    }

    /// Unless they have moved back meanwhile.
    fn tell_moved(&mut self, context: &Context, told: Etas, effects: &mut Effects) {
        if promise::is_worth_telling(told, self.etas, context.world.tick) {
            self.tell_etas(context, told, effects);
        }
    }
}

impl Role for Delivery {
    type Message = DeliveryMessage;
    const MEMORY: usize = 0;

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Delivery(_, message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: DeliveryMessage, effects: &mut Effects) {
        use DeliveryMessage as Message;
        match message {
            Message::Write { write, reply_to } if self.is_over => {
                let id = self.id;
                effects.send(Mail::Scheduler(SchedulerMessage::Write { id, write, reply_to }));
            }
            _ if self.is_over => {}
            Message::Begin => self.begin(context, effects),
            Message::PickedUp => self.pick_up(context, effects),
            Message::Delivered => self.arrive(context, effects),
            Message::AtDoor => self.wait_at_door(context, effects),
            Message::DroneLost => self.lose(context, DeliveryInput::DroneLost, effects),
            Message::CarrierFailed => self.lose(context, DeliveryInput::CarrierFailed, effects),
            Message::TurnedBack => self.turn_back(context, effects),
            Message::Returned { hub } => self.set_out_again(context, hub, effects),
            Message::Write { write, reply_to } => self.write(context, write, reply_to, effects),
            Message::Released => self.released(context, effects),
            Message::Redirected(etas) => self.redirected(context, etas, effects),
            Message::TooLate => self.refused(context, Objection::PickedUp, effects),
            Message::NoWord => self.refused(context, Objection::Stumbled, effects),
            Message::RecipientConfirms { visit } => self.recipient_confirms(context, visit, effects),
            Message::PatienceOver { visit } => self.patience_over(context, visit, effects),
            Message::CarrierComesAgain { visit } => self.carrier_comes_again(context, visit, effects),
            Message::EtaMoved(etas) => self.update_etas(context, etas, effects),
            Message::TellEtas => self.tell_etas(context, self.etas, effects),
            Message::TellMoved { told } => self.tell_moved(context, told, effects),
            Message::NobodyYet { visit, since } => self.nobody_yet(context, visit, since, effects),
        }
    }
}
