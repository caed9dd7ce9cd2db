//! The supervisor: what nobody else could bring to an end.
//!
//! Owns the dead letters, the breakers and the operators' view of them. Retries and
//! compensation are the scheduler's, by the rule of `sim/workflow`.

use serde::{Deserialize, Serialize};

use super::host::Role;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SupervisorMessage {}

impl Role for Supervisor {
    type Message = SupervisorMessage;

    fn open(mail: Mail) -> Option<SupervisorMessage> {
        match mail {
            Mail::Supervisor(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, _: &Context, message: SupervisorMessage, _: &mut Effects) {
        match message {}
    }
}
