//! What somebody asked to be told about a delivery, and is to be told now.

use serde::{Deserialize, Serialize};

use super::event::DeliveryEvent;
use super::ids::DeliveryId;
use super::order::Contact;
use super::time::SimTime;

/// One thing to tell one addressee. It leaves the world through the store's outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub delivery: DeliveryId,
    pub to: Addressee,
    pub moment: Moment,
    /// When it came to pass.
    pub at: SimTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Addressee {
    Email(String),
    /// A telephone number.
    Sms(String),
}

/// What is worth telling somebody who does not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// The package is on its way to the door.
    OnItsWay,
    /// It is at the door, and somebody has to confirm that they take it.
    AwaitingConfirmation,
    Completed,
    Cancelled,
    Failed,
}

impl Contact {
    /// Every way in which they want to be told.
    pub fn addressees(&self) -> impl Iterator<Item = Addressee> + use<> {
        let email = self.email.clone().map(Addressee::Email);
        email.into_iter().chain(self.sms.clone().map(Addressee::Sms))
    }
}

impl Moment {
    /// What an event is to somebody who does not look.
    pub fn of(event: &DeliveryEvent) -> Option<Moment> {
        match event {
            DeliveryEvent::HeadedToDropoff { .. } => Some(Moment::OnItsWay),
            DeliveryEvent::AwaitingConfirmation { .. } => Some(Moment::AwaitingConfirmation),
            DeliveryEvent::Completed { .. } => Some(Moment::Completed),
            DeliveryEvent::Cancelled => Some(Moment::Cancelled),
            DeliveryEvent::Failed { .. } => Some(Moment::Failed),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Moment::OnItsWay => "HeadedToDropoff",
            Moment::AwaitingConfirmation => "AwaitingConfirmation",
            Moment::Completed => "Completed",
            Moment::Cancelled => "Cancelled",
            Moment::Failed => "Failed",
        }
    }
}
