//! Who owns what: one file an actor, with what it owns, hears and answers.
//!
//! Actors of the world never call each other. In each round of a tick an actor with mail
//! gets one [`host::Round`] and answers with [`Effect`]s, which the engine carries out; so
//! an actor's test is a message and the expected effects.

pub mod accounts;
pub mod book;
pub mod delivery;
pub mod drone;
pub mod fleet;
pub mod host;
pub mod ingestion;
pub mod owed;
pub mod packages;
pub mod scheduler;
pub mod shelf;
pub mod supervisor;
#[cfg(test)]
pub(crate) mod testing;
pub mod transport;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::event::{AccountEvent, DeliveryEvent, DroneEvent, Event, Happening, HubEvent};
use crate::sim::fault::FlightFault;
use crate::sim::flight::FlightPlan;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::notice::Notice;
use crate::sim::order::StoredPackage;
use crate::sim::separation::{Conflict, Pair};
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::world::World;

use accounts::AccountMessage;
use delivery::{Delivery, DeliveryMessage};
use drone::{DroneMessage, Purpose, Trouble};
use fleet::FleetMessage;
use packages::PackageMessage;
use scheduler::SchedulerMessage;
use supervisor::SupervisorMessage;
use transport::TransportMessage;

/// Who can get mail.
pub use crate::sim::actor::Actor as Address;

/// A message with its addressee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Mail {
    Scheduler(SchedulerMessage),
    Fleet(FleetMessage),
    Drone(DroneId, DroneMessage),
    Delivery(DeliveryId, DeliveryMessage),
    Accounts(AccountMessage),
    Packages(PackageMessage),
    Transport(TransportMessage),
    Supervisor(SupervisorMessage),
    /// Whoever opens it panics: an injected fault.
    Poison(Address),
}

impl Mail {
    pub fn to(&self) -> Address {
        match self {
            Mail::Scheduler(_) => Address::Scheduler,
            Mail::Fleet(_) => Address::Fleet,
            Mail::Drone(id, _) => Address::Drone(*id),
            Mail::Delivery(id, _) => Address::Delivery(*id),
            Mail::Accounts(_) => Address::Accounts,
            Mail::Packages(_) => Address::Packages,
            Mail::Transport(_) => Address::Transport,
            Mail::Supervisor(_) => Address::Supervisor,
            Mail::Poison(who) => *who,
        }
    }

    /// Who else decides, where the addressee has ended: a client's write to a delivery that is
    /// over goes to the scheduler, who owns whatever is not under way; and so does what comes
    /// before a delivery begins. Other mail came too late to matter.
    pub fn redirected(self) -> Option<Mail> {
        match self {
            Mail::Delivery(id, DeliveryMessage::Write { write, reply_to }) => {
                Some(Mail::Scheduler(SchedulerMessage::Write { id, write, reply_to }))
            }
            // Its bearer may be quicker than its beginning is.
            Mail::Delivery(id, message) => {
                let message = Box::new(message);
                Some(Mail::Scheduler(SchedulerMessage::Early { id, message }))
            }
            _ => None,
        }
    }
}

/// What an actor wants done. Carried out in the order given, after the round.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// To be read in the next round.
    Send(Mail),
    Emit(Event),
    /// Takes off with this plan, or changes to it in the air.
    Fly(DroneId, FlightPlan),
    /// Changes to this plan in the air to make way in the encounter of these two.
    MakeWay(DroneId, Pair, FlightPlan),
    /// Cannot make way in this conflict: the other is asked.
    Decline(DroneId, Conflict),
    /// A take-off was held against others' intents, and is put off by so much.
    PutOff(SimDuration),
    /// Asks where a drone in the air is; `Located` answers in the next round.
    Locate(DroneId, Purpose),
    /// Asks what a drone in the air feels; `Felt` answers in the next round.
    Feel(DroneId, Trouble),
    /// Breaks something of a drone in the air.
    Break(DroneId, FlightFault),
    /// Plugs a drone on the ground in, or out.
    Charge(DroneId, bool),
    /// Takes a drone that stands or lies somewhere out of the world.
    Retire(DroneId),
    /// The answer to a command from outside.
    Reply(ReplyTo, Decision),
    /// Somebody asked to be told this; it leaves by the outbox.
    Notify(Notice),
    /// A message to be read at the first tick at or after this time.
    WakeAt(SimTime, Mail),
    /// Starts a delivery's actor; mail for it may be sent in the same breath.
    Start(DeliveryId, Box<Delivery>),
    /// The delivery's actor has come to its end.
    End(DeliveryId),
}

/// What every actor may know while it decides.
#[derive(Clone, Debug)]
pub struct Context {
    pub world: Arc<World>,
    pub tick: Tick,
    pub now: SimTime,
}

/// The answers of one actor in one round.
#[derive(Debug, Default)]
pub struct Effects(pub Vec<Effect>);

impl Effects {
    pub fn send(&mut self, mail: Mail) {
        self.0.push(Effect::Send(mail));
    }

    pub fn reply(&mut self, to: ReplyTo, decision: Decision) {
        self.0.push(Effect::Reply(to, decision));
    }

    pub fn refuse(&mut self, to: ReplyTo, why: Objection) {
        self.reply(to, Decision::Refused(why));
    }

    pub fn wake_at(&mut self, at: SimTime, mail: Mail) {
        self.0.push(Effect::WakeAt(at, mail));
    }

    pub fn emit_delivery(&mut self, context: &Context, seq: &mut u32, id: DeliveryId, event: DeliveryEvent) {
        self.emit(context, seq, Happening::Delivery(id, event));
    }

    pub fn emit_drone(&mut self, context: &Context, seq: &mut u32, id: DroneId, event: DroneEvent) {
        self.emit(context, seq, Happening::Drone(id, event));
    }

    pub fn emit_hub(&mut self, context: &Context, seq: &mut u32, id: HubId, event: HubEvent) {
        self.emit(context, seq, Happening::Hub(id, event));
    }

    pub fn emit_package(&mut self, context: &Context, seq: &mut u32, stored: StoredPackage) {
        self.emit(context, seq, Happening::Package(Box::new(stored)));
    }

    pub fn emit_account(&mut self, context: &Context, seq: &mut u32, event: AccountEvent) {
        self.emit(context, seq, Happening::Account(Box::new(event)));
    }

    /// `seq` is the subject's own counter, owned by the actor that emits.
    pub fn emit(&mut self, context: &Context, seq: &mut u32, happening: Happening) {
        *seq += 1;
        self.0.push(Effect::Emit(Event {
            at: context.now,
            seq: *seq,
            happening,
        }));
    }
}
