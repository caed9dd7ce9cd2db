//! Third-party transport: carries what no drone can.
//!
//! Owns the carrier's vans. Hears from the scheduler what to carry and what to let go of, and
//! answers; asked twice it answers the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::workflow::{Step, StepAnswer};

use super::host::Role;
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transport {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TransportMessage {
    /// From the scheduler: carry this.
    Carry { id: DeliveryId, order: Arc<Order> },
    /// From the scheduler: as if it had never been asked.
    Undo { id: DeliveryId },
}

impl Role for Transport {
    type Message = TransportMessage;

    fn open(mail: Mail) -> Option<TransportMessage> {
        match mail {
            Mail::Transport(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, _: &Context, message: TransportMessage, effects: &mut Effects) {
        match message {
            TransportMessage::Carry { id, .. } => {
                let (step, answer) = (Step::ThirdParty, StepAnswer::Unavailable);
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
            TransportMessage::Undo { id } => {
                let step = Step::ThirdParty;
                effects.send(Mail::Scheduler(SchedulerMessage::Undone { id, step }));
            }
        }
    }
}
