//! What comes into the world from outside with a tick, and whom it concerns.

use crate::actors::Mail;
use crate::actors::accounts::AccountMessage;
use crate::actors::delivery::DeliveryMessage;
use crate::actors::drone::DroneMessage;
use crate::actors::fleet::FleetMessage;
use crate::actors::packages::PackageMessage;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::transport::TransportMessage;
use crate::sim::command::{Command, ReplyTo};
use crate::sim::fault::Fault;

/// Outside commands for one tick.
#[derive(Default)]
pub struct Admission {
    /// The journal's number of the last of them, or of the last before.
    pub through: u64,
    /// In journal order, without holes.
    pub commands: Vec<Command>,
}

impl Admission {
    /// The commands with their numbers in the journal.
    pub(super) fn numbered(self) -> impl Iterator<Item = (ReplyTo, Command)> {
        let first = (self.through + 1).saturating_sub(self.commands.len() as u64);
        (first..).map(ReplyTo).zip(self.commands)
    }
}

/// To whoever decides about it; `None` for what is not for one actor alone.
pub(super) fn mail_of(command: Command, reply_to: ReplyTo) -> Option<Mail> {
    Some(match command {
        Command::RequestDelivery { .. } | Command::SetDemand(_) | Command::Inject(_) => return None,
        Command::Delivery(id, write) => Mail::Delivery(id, DeliveryMessage::Write { write, reply_to }),
        Command::RetryDeadLetter(id) => Mail::Supervisor(SupervisorMessage::Retry { id, reply_to }),
        Command::Account(write) => Mail::Accounts(AccountMessage::Write { write, reply_to }),
        Command::Package(write) => Mail::Packages(PackageMessage::Put { write, reply_to }),
        Command::CarryByThirdParty(id, order) => {
            Mail::Transport(TransportMessage::CarryAlone { id, order, reply_to })
        }
    })
}

/// Tells whom it hits; what happens in flight goes to `in_flight`.
pub(super) fn inject(fault: Fault, reply_to: ReplyTo, mail: &mut Vec<Mail>, in_flight: &mut Vec<Mail>) {
    match fault {
        Fault::InFlight(drone, fault) => {
            in_flight.push(Mail::Drone(drone, DroneMessage::Fault { fault, reply_to }));
        }
        Fault::LinkLost(drone, duration) => {
            in_flight.push(Mail::Drone(drone, DroneMessage::LoseLink { duration, reply_to }));
        }
        Fault::HubClosed(hub, duration) => mail.push(Mail::Fleet(FleetMessage::Close {
            hub,
            duration,
            reply_to,
        })),
        Fault::CarrierDown(duration) => {
            mail.push(Mail::Transport(TransportMessage::Down { duration, reply_to }));
        }
        Fault::Step(step, fault, lasts) => mail.push(Mail::Scheduler(SchedulerMessage::Trouble {
            step,
            fault,
            lasts,
            reply_to,
        })),
    }
}
