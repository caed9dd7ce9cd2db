//! What comes into the world from outside with a tick.

use std::sync::Arc;

use crate::actors::Mail;
use crate::actors::accounts::AccountMessage;
use crate::actors::delivery::DeliveryMessage;
use crate::actors::packages::PackageMessage;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::sim::command::{Command, DeliveryWrite, Objection, ReplyTo};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;

/// Outside commands for one tick.
#[derive(Default)]
pub struct Admission {
    /// The journal's number of the last of them, or of the last before.
    pub through: u64,
    /// In journal order, without holes.
    pub commands: Vec<Command>,
}

impl Admission {
    /// As [`Admission::numbered`], for somebody else.
    pub(super) fn numbered_copies(&self) -> Vec<(u64, Command)> {
        let first = (self.through + 1).saturating_sub(self.commands.len() as u64);
        (first..).zip(self.commands.iter().cloned()).collect()
    }

    /// The commands with their numbers in the journal.
    pub(super) fn numbered(self) -> impl Iterator<Item = (ReplyTo, Command)> {
        let first = (self.through + 1).saturating_sub(self.commands.len() as u64);
        (first..).map(ReplyTo).zip(self.commands)
    }
}

/// By way of the scheduler, who knows whether there is a request of this id; and after all that
/// the tick admits, since one may have come at the same time. No order for what is under way.
pub(super) fn carry_alone(id: DeliveryId, order: Option<Arc<Order>>, reply_to: ReplyTo) -> Mail {
    Mail::Scheduler(SchedulerMessage::CarryAlone { id, order, reply_to })
}

/// To whoever decides about it; `None` for what is not for one actor alone.
pub(super) fn mail_of(command: Command, reply_to: ReplyTo) -> Option<Mail> {
    Some(match command {
        Command::RequestDelivery { .. }
        | Command::CarryByThirdParty(..)
        | Command::SetDemand(_)
        | Command::Inject(_)
        | Command::Roster(_) => return None,
        Command::Delivery(id, DeliveryWrite::Entrust(owner)) => {
            let account = owner.account.clone();
            let write = DeliveryWrite::Entrust(owner);
            let mail = Mail::Delivery(id, DeliveryMessage::Write { write, reply_to });
            Mail::Accounts(AccountMessage::Vouch {
                account,
                mail: Box::new(mail),
                reply_to,
                otherwise: Objection::MayNotOrder,
            })
        }
        Command::Delivery(id, write) => Mail::Delivery(id, DeliveryMessage::Write { write, reply_to }),
        Command::RetryDeadLetter(id) => Mail::Supervisor(SupervisorMessage::Retry { id, reply_to }),
        Command::Account(write) => {
            let write = Box::new(write);
            Mail::Accounts(AccountMessage::Write { write, reply_to })
        }
        Command::Package(write) => {
            let write = Box::new(write);
            Mail::Packages(PackageMessage::Put { write, reply_to })
        }
        Command::ChangePackage(change) => {
            let change = Box::new(change);
            Mail::Packages(PackageMessage::Change { change, reply_to })
        }
    })
}
