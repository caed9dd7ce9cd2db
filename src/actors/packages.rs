//! The package service: what is to be carried.
//!
//! Owns the packages of requests that are not over. Hears from the scheduler which to keep and
//! which to let go, and answers; asked twice it answers the same.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::workflow::{Step, StepAnswer};

use super::host::Role;
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packages {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PackageMessage {
    /// From the scheduler: the order's package is on its way.
    Create { id: DeliveryId, order: Arc<Order> },
    /// From the scheduler: as if it had never been asked.
    Undo { id: DeliveryId },
}

impl Role for Packages {
    type Message = PackageMessage;

    fn open(mail: Mail) -> Option<PackageMessage> {
        match mail {
            Mail::Packages(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, _: &Context, message: PackageMessage, effects: &mut Effects) {
        match message {
            PackageMessage::Create { id, .. } => {
                let (step, answer) = (Step::Package, StepAnswer::Done);
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
            PackageMessage::Undo { id } => {
                let step = Step::Package;
                effects.send(Mail::Scheduler(SchedulerMessage::Undone { id, step }));
            }
        }
    }
}
