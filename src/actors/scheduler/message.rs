//! What the scheduler hears.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actors::book::Book;
use crate::actors::delivery::DeliveryMessage;
use crate::sim::command::{DeliveryWrite, ReplyTo};
use crate::sim::event::Etas;
use crate::sim::fault::StepFault;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::{Held, Step, StepAnswer, Then};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SchedulerMessage {
    /// From the engine: a durable request, or one of the scenario's own.
    Admit { id: DeliveryId, order: Arc<Order> },
    /// From outside, about a delivery that is not under way.
    Write {
        id: DeliveryId,
        write: DeliveryWrite,
        reply_to: ReplyTo,
    },
    /// From the owner of a step: what became of it.
    Answered {
        id: DeliveryId,
        step: Step,
        answer: StepAnswer,
    },
    /// From the owner of a step: it is as if it had never been asked.
    Undone { id: DeliveryId, step: Step },
    /// From the fleet: this drone is kept for it.
    Assigned {
        id: DeliveryId,
        drone: DroneId,
        etas: Etas,
    },
    /// From the fleet: no drone yet; it stands in the fleet's queue.
    Queued { id: DeliveryId },
    /// From the fleet: no drone, and no room in the queue.
    NoRoom { id: DeliveryId },
    /// From the fleet: taken off the queue, as asked.
    Withdrawn { id: DeliveryId },
    /// From the delivery's actor, which ends: who carried it does so no more. Another way is to
    /// be found for what the book says.
    TakeBack {
        id: DeliveryId,
        book: Box<Book>,
        why: Lost,
    },
    /// What was for a delivery that has not begun, or is over.
    Early {
        id: DeliveryId,
        message: Box<DeliveryMessage>,
    },
    /// From outside: something goes wrong with the next call of a step's owner, or with each for
    /// so long.
    Trouble {
        step: Step,
        fault: StepFault,
        lasts: Option<SimDuration>,
        reply_to: ReplyTo,
    },
    /// From the supervisor: an operator wants what is still held for it to be let go of again.
    Compensate {
        id: DeliveryId,
        book: Box<Book>,
        held: Held,
        then: Then,
    },
    /// To itself: who was asked in the last tick and has not answered?
    Look,
    /// To itself: something in the agenda is due.
    Alarm { due: SimTime },
    /// To itself: an answer that an injected fault kept back.
    Late {
        id: DeliveryId,
        turn: u64,
        answer: Heard,
    },
    /// From outside: third-party transport is to carry this, for which there is no request. No
    /// order for one that is under way.
    CarryAlone {
        id: DeliveryId,
        order: Option<Arc<Order>>,
        reply_to: ReplyTo,
    },
    /// From the engine: admitting this brought about a panic, so it is not taken.
    TurnAway { id: DeliveryId, order: Arc<Order> },
}

/// Why a delivery under way has nobody who carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// Its drone will not come, or not with the package.
    Drone,
    /// The carrier let go of it.
    Carrier,
    /// It is to go other ways or at another time than its drone can.
    Rescheduled,
    /// Its drone brought it back, which its customer was told.
    BroughtBack,
}

/// What the owner of a step said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Heard {
    Answer(Step, StepAnswer),
    Assigned(DroneId, Etas),
    Queued,
    NoRoom,
    Withdrawn,
    Undone(Step),
}

impl Heard {
    pub(super) fn step(self) -> Step {
        match self {
            Heard::Answer(step, _) | Heard::Undone(step) => step,
            Heard::Assigned(..) | Heard::Queued | Heard::NoRoom | Heard::Withdrawn => Step::Drone,
        }
    }
}
