//! What is owed to whoever sent a message, so that a panic over it leaves nobody waiting.
//!
//! A message that an actor panicked over is dropped. Steps of workflows are asked for again once
//! their time limit is over; what nobody would ask for again is here, and the engine makes it
//! good: it answers, or has the message read again, as late as a step would be asked for again and
//! as often as it takes. What comes again by itself, or means nothing any more by then, is owed to
//! nobody.

use std::sync::Arc;

use crate::sim::command::ReplyTo;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;

use super::Mail;
use super::accounts::AccountMessage;
use super::delivery::DeliveryMessage;
use super::drone::{DroneMessage, Purpose};
use super::fleet::FleetMessage;
use super::packages::PackageMessage;
use super::scheduler::SchedulerMessage;
use super::supervisor::SupervisorMessage;
use super::transport::TransportMessage;

#[derive(Clone, Debug, PartialEq)]
pub enum Owed {
    /// Its sender waits for a decision.
    Decision(ReplyTo),
    /// An accepted request is to come to something.
    Request { id: DeliveryId, order: Arc<Order> },
    /// A delivery waits for its drone's word before it decides.
    Word(DeliveryId),
    /// Nothing: it told of somebody's panic, and telling of this one would bring about the next.
    Silence,
    /// The message itself, later: who sent it does not again, and somebody would wait for ever.
    Again,
}

impl Mail {
    /// Every message is named, so that a new one does not compile until this is decided for it.
    pub fn owed(&self) -> Option<Owed> {
        match self {
            Mail::Scheduler(message) => of_scheduler(message),
            Mail::Drone(_, message) => of_drone(message),
            Mail::Fleet(message) => of_fleet(message),
            Mail::Delivery(_, message) => of_delivery(message),
            Mail::Accounts(
                AccountMessage::Write { reply_to, .. } | AccountMessage::Vouch { reply_to, .. },
            )
            | Mail::Packages(
                PackageMessage::Put { reply_to, .. } | PackageMessage::Change { reply_to, .. },
            )
            | Mail::Transport(
                TransportMessage::CarryAlone { reply_to, .. }
                | TransportMessage::Carries { reply_to, .. }
                | TransportMessage::Down { reply_to, .. },
            )
            | Mail::Supervisor(SupervisorMessage::Retry { reply_to, .. }) => Some(Owed::Decision(*reply_to)),
            Mail::Supervisor(SupervisorMessage::Panicked { .. }) => Some(Owed::Silence),
            Mail::Packages(PackageMessage::LetGo { .. })
            | Mail::Transport(TransportMessage::Withdraw { .. } | TransportMessage::Turned { .. })
            | Mail::Supervisor(
                SupervisorMessage::DeadLetter { .. }
                | SupervisorMessage::LetGo { .. }
                | SupervisorMessage::BreakerMoved { .. },
            ) => Some(Owed::Again),
            Mail::Accounts(AccountMessage::Check { .. })
            | Mail::Packages(PackageMessage::Create { .. } | PackageMessage::Undo { .. })
            | Mail::Transport(TransportMessage::Carry { .. } | TransportMessage::Undo { .. })
            | Mail::Poison(_) => None,
        }
    }
}

fn of_scheduler(message: &SchedulerMessage) -> Option<Owed> {
    use SchedulerMessage as Message;
    match message {
        Message::Admit { id, order } => Some(Owed::Request {
            id: *id,
            order: Arc::clone(order),
        }),
        Message::Write { reply_to, .. }
        | Message::Trouble { reply_to, .. }
        | Message::CarryAlone { reply_to, .. } => Some(Owed::Decision(*reply_to)),
        Message::TakeBack { .. }
        | Message::Early { .. }
        | Message::Compensate { .. }
        | Message::Look
        | Message::Alarm { .. } => Some(Owed::Again),
        Message::Answered { .. }
        | Message::Undone { .. }
        | Message::Assigned { .. }
        | Message::Queued { .. }
        | Message::NoRoom { .. }
        | Message::Withdrawn { .. }
        | Message::Late { .. }
        | Message::TurnAway { .. } => None,
    }
}

fn of_drone(message: &DroneMessage) -> Option<Owed> {
    use DroneMessage as Message;
    match message {
        Message::Fault { reply_to, .. } | Message::LoseLink { reply_to, .. } => {
            Some(Owed::Decision(*reply_to))
        }
        Message::Release { delivery } | Message::NotOnGround { delivery, .. } => Some(Owed::Word(*delivery)),
        Message::Redirect { task } => Some(Owed::Word(task.delivery)),
        Message::Located { purpose, .. } | Message::LocatedAtHandover { purpose, .. } => of_purpose(purpose),
        Message::LowBattery
        | Message::EtaMoved(_)
        | Message::WayClosed
        | Message::OverHub
        | Message::AwaitPad { .. }
        | Message::ComeDown
        | Message::TooClose { .. }
        | Message::MakeWay(_)
        | Message::Lean { .. }
        | Message::WeatherAlarm { .. }
        | Message::Felt { .. } => None,
        Message::Mission { .. }
        | Message::FlyHome { .. }
        | Message::MoveTo { .. }
        | Message::PickedUp
        | Message::Delivered
        | Message::Landed { .. }
        | Message::Down { .. }
        | Message::LinkBack { .. }
        | Message::LookAgain { .. }
        | Message::Confirmed { .. }
        | Message::BringBack { .. }
        | Message::Joined
        | Message::Leave
        | Message::Retire => Some(Owed::Again),
    }
}

fn of_purpose(purpose: &Purpose) -> Option<Owed> {
    match purpose {
        Purpose::Redirect(task) => Some(Owed::Word(task.delivery)),
        Purpose::Replan
        | Purpose::CheckBattery
        | Purpose::Hold(_)
        | Purpose::Approach
        | Purpose::AwaitPad { .. }
        | Purpose::ComeDown => None,
    }
}

fn of_fleet(message: &FleetMessage) -> Option<Owed> {
    use FleetMessage as Message;
    match message {
        Message::Close { reply_to, .. } => Some(Owed::Decision(*reply_to)),
        Message::Recall { id, .. } => Some(Owed::Word(*id)),
        Message::Depart { .. }
        | Message::Docked { .. }
        | Message::Charged { .. }
        | Message::Offer { .. }
        | Message::Open { .. }
        | Message::Joined { .. }
        | Message::HubJoined { .. }
        | Message::Leave { .. }
        | Message::LeaveHub { .. }
        | Message::Left { .. }
        | Message::Round { .. }
        | Message::Position { .. }
        | Message::PadFree { .. }
        | Message::Strayed { .. }
        | Message::AirChanged
        | Message::SendHome { .. }
        | Message::Worn { .. }
        | Message::Revise
        | Message::TellExpected { .. }
        | Message::Looked
        | Message::PlanMore { .. } => Some(Owed::Again),
        Message::Assign { .. }
        | Message::Withdraw { .. }
        | Message::Undo { .. }
        | Message::Approach { .. }
        | Message::Arrived { .. }
        | Message::Replanned { .. }
        | Message::OffPlan { .. }
        | Message::AtDoor { .. }
        | Message::MetWeather { .. } => None,
    }
}

fn of_delivery(message: &DeliveryMessage) -> Option<Owed> {
    use DeliveryMessage as Message;
    match message {
        Message::Write { reply_to, .. } => Some(Owed::Decision(*reply_to)),
        Message::Begin
        | Message::PickedUp
        | Message::Delivered
        | Message::DroneLost
        | Message::CarrierFailed
        | Message::AtDoor
        | Message::TurnedBack
        | Message::Returned { .. }
        | Message::Released
        | Message::Redirected(_)
        | Message::TooLate
        | Message::RecipientConfirms { .. }
        | Message::PatienceOver { .. }
        | Message::CarrierComesAgain { .. }
        | Message::NoWord => Some(Owed::Again),
        Message::EtaMoved(_) | Message::TellEtas | Message::TellMoved { .. } | Message::NobodyYet { .. } => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{id, order, world};
    use crate::sim::actor::Actor;
    use crate::sim::drone::Task;
    use crate::sim::fault::FlightFault;
    use crate::sim::ids::{DroneId, HubId};
    use crate::sim::time::SimTime;

    #[test]
    fn what_nobody_would_ask_for_again_is_owed_and_nothing_else() {
        let (world, drone, reply_to) = (world(1, 1), DroneId(0), ReplyTo(7));
        let order = Arc::new(order(&world));
        let (id, task) = (id(1), Task::of(&world, id(1), &order));
        let purpose = Purpose::Redirect(Box::new(task));
        let fault = FlightFault::RotorOut;
        let actor = Actor::Drone(drone);
        let request = Owed::Request {
            id,
            order: Arc::clone(&order),
        };
        for (mail, owed) in [
            (
                Mail::Scheduler(SchedulerMessage::Admit {
                    id,
                    order: Arc::clone(&order),
                }),
                Some(request),
            ),
            (
                Mail::Drone(drone, DroneMessage::Fault { fault, reply_to }),
                Some(Owed::Decision(reply_to)),
            ),
            (
                Mail::Drone(drone, DroneMessage::Release { delivery: id }),
                Some(Owed::Word(id)),
            ),
            (
                Mail::Drone(drone, DroneMessage::Located { fix: None, purpose }),
                Some(Owed::Word(id)),
            ),
            (
                Mail::Supervisor(SupervisorMessage::Retry { id, reply_to }),
                Some(Owed::Decision(reply_to)),
            ),
            (
                Mail::Supervisor(SupervisorMessage::Panicked { actor }),
                Some(Owed::Silence),
            ),
            // Turned away once, it is not tried again.
            (
                Mail::Scheduler(SchedulerMessage::TurnAway {
                    id,
                    order: Arc::clone(&order),
                }),
                None,
            ),
            (Mail::Fleet(FleetMessage::Assign { id, order }), None),
            (
                Mail::Scheduler(SchedulerMessage::Alarm { due: SimTime::START }),
                Some(Owed::Again),
            ),
            (
                Mail::Fleet(FleetMessage::PadFree { hub: HubId(0) }),
                Some(Owed::Again),
            ),
            (Mail::Drone(drone, DroneMessage::PickedUp), Some(Owed::Again)),
            (Mail::Delivery(id, DeliveryMessage::Begin), Some(Owed::Again)),
        ] {
            assert_eq!(mail.owed(), owed, "{mail:?}");
        }
    }
}
