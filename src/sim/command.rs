//! Writes from outside: what stands in the journal, and what is decided about it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Account, AccountChange};
use super::fault::Fault;
use super::ids::{DeliveryId, DroneId};
use super::order::{Confirmation, Contact, ContainerSize, Order, Owner, Package, Reschedule, StoredPackage};
use super::roster::RosterWrite;

/// A write from outside, as it stands in the journal. New kinds go to the end: old journals
/// are read by position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    RequestDelivery {
        id: DeliveryId,
        order: Arc<Order>,
        /// The client's `Idempotency-Key`, so that the first answer can be given again.
        idempotency_key: Option<String>,
    },
    /// Whether the scenario's own customers order from now on. They do at the beginning.
    SetDemand(bool),
    /// Something breaks.
    Inject(Fault),
    /// Something about one delivery, for whoever owns it by then.
    Delivery(DeliveryId, DeliveryWrite),
    /// What is still held for it is to be let go of.
    RetryDeadLetter(DeliveryId),
    /// Something about an account.
    Account(AccountWrite),
    Package(PackageWrite),
    /// Third-party transport is asked to carry what no request was made for.
    CarryByThirdParty(DeliveryId, Arc<Order>),
    /// Drones and hubs come and go.
    Roster(RosterWrite),
    /// Something about a package.
    ChangePackage(PackageChange),
}

/// What an operator wants of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountWrite {
    Register(Account),
    Change(String, AccountChange),
}

/// A package as it is to be from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageWrite {
    pub package: Package,
    /// The account whose it is: each has its own of an id. `None` is nobody's.
    pub owner: Option<String>,
}

/// What changes of a package; `None` leaves it as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageChange {
    /// The newest that whoever asks knew, wherever it stands: what was put or changed since then
    /// counts in its place, so that of two changes at once none is lost.
    pub known: StoredPackage,
    pub size: Option<ContainerSize>,
    pub weight_kg: Option<f64>,
    pub tag: Option<String>,
}

impl PackageChange {
    /// The package with the changes.
    pub fn of(&self, package: &Package) -> Package {
        Package {
            id: package.id.clone(),
            size: self.size.unwrap_or(package.size),
            weight_kg: self.weight_kg.unwrap_or(package.weight_kg),
            tag: self.tag.as_ref().or(package.tag.as_ref()).cloned(),
        }
    }
}

/// What a client wants of a delivery that was requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeliveryWrite {
    /// Nobody is to deliver it any more. Too late from the pick-up on.
    Cancel,
    /// Other places or times, before the pick-up.
    Reschedule(Arc<Reschedule>),
    /// The recipient's word, where the order requires one.
    Confirm(Arc<Confirmation>),
    /// Somebody wants to be told how it goes.
    NotifyMe(Arc<Contact>),
    /// It is this owner's from now on, where nobody had said whose it is.
    Entrust(Arc<Owner>),
}

/// Whom a decision is for: the command by its number in the journal. Nobody listens while the
/// journal is executed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplyTo(pub u64);

impl ReplyTo {
    /// For what the world does by itself: the journal's numbers begin with 1.
    pub const NOBODY: ReplyTo = ReplyTo(0);
}

/// What an actor decided about a command that its sender waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    Done,
    /// Done by this drone.
    Drone(DroneId),
    /// Done, and there was no such thing before.
    Created,
    Refused(Objection),
    /// So many drones came, numbered from the first on.
    Drones {
        first: DroneId,
        count: u32,
    },
}

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Objection {
    /// It came when there was nothing to change any more.
    #[error(
        "the fault came too late: the drone was no longer in the air, or the hub is closed for longer already"
    )]
    NoEffect,
    #[error("the delivery has ended")]
    Ended,
    #[error("the package has been picked up")]
    PickedUp,
    #[error("nobody waits for a confirmation of this delivery")]
    NotWaiting,
    #[error("the order requires a confirmation of another kind")]
    WrongConfirmation,
    #[error("too many changes of this delivery wait already")]
    Busy,
    #[error("as many as can be are told about this delivery already")]
    TooManyContacts,
    #[error("the supervisor has no dead letter of this request any more")]
    NoDeadLetter,
    #[error("there is an account with this id")]
    AccountExists,
    #[error("there is no room for another account")]
    AccountsFull,
    #[error("no account has this id")]
    NoSuchAccount,
    #[error("there is no room for another package")]
    PackagesFull,
    #[error("third-party transport does not take it")]
    NotCarried,
    #[error("this delivery was changed as often as it can be; cancel it and request another")]
    TooManyChanges,
    #[error("no drone has this id")]
    NoSuchDrone,
    #[error("no hub has this id")]
    NoSuchHub,
    #[error("neither this world nor the catalogue has a drone type of this name")]
    NoSuchModel,
    #[error("a hub has this id or name, or had it before it was withdrawn")]
    HubExists,
    #[error("the hub is withdrawn")]
    HubWithdrawn,
    #[error("drones belong to the hub; withdraw them first, or with it by ?drones=withdraw")]
    HubHasDrones,
    #[error("the place is outside of the world's area")]
    OutsideArea,
    #[error("this world has been given as many drones and hubs as it takes")]
    RosterFull,
    #[error("the idempotency key was first used with another request")]
    KeyReused,
    #[error("the account that is to have it does not order: it is suspended, or not known")]
    MayNotOrder,
    #[error("a mistake in this program kept it from being decided, and nothing was changed")]
    Stumbled,
    #[error("a no-fly zone has this name")]
    ZoneExists,
    #[error("no no-fly zone has this name")]
    NoSuchZone,
}
