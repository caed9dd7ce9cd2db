//! The account service: who may order.
//!
//! Owns the accounts of businesses and customers. Hears the scheduler's question whether the
//! account that orders is active, and answers it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::workflow::{Step, StepAnswer};

use super::host::Role;
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Accounts {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountMessage {
    /// From the scheduler: may the order's account order?
    Check { id: DeliveryId, order: Arc<Order> },
}

impl Role for Accounts {
    type Message = AccountMessage;

    fn open(mail: Mail) -> Option<AccountMessage> {
        match mail {
            Mail::Accounts(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, _: &Context, message: AccountMessage, effects: &mut Effects) {
        match message {
            AccountMessage::Check { id, .. } => {
                let (step, answer) = (Step::Account, StepAnswer::Done);
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
        }
    }
}
