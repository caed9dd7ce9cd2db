//! Events of accounts, packages and the supervisor, which nobody follows one by one: operators
//! hear of them among all events.

use serde::Serialize;
use utoipa::ToSchema;

use crate::sim::account::{AccountKind, AccountStatus};
use crate::sim::actor::Actor;
use crate::sim::breaker::BreakerState;
use crate::sim::event::{AccountEvent, SupervisorEvent};
use crate::sim::order::{ContainerSize, StoredPackage};
use crate::sim::workflow::Step;
use crate::sim::world::World;
use crate::wire::time::rfc3339;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum PackageKind {
    /// Somebody put it by itself.
    #[schema(rename_all = "camelCase")]
    Stored {
        size: ContainerSize,
        weight_kg: f64,
        /// Null where an operator put it.
        #[schema(required)]
        owner_id: Option<String>,
    },
}

/// What the account is from now on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum AccountEventKind {
    #[schema(rename_all = "camelCase")]
    Registered {
        name: String,
        account_kind: AccountKind,
        status: AccountStatus,
    },
    #[schema(rename_all = "camelCase")]
    Changed {
        name: String,
        account_kind: AccountKind,
        status: AccountStatus,
    },
}

pub(super) fn package_kind(stored: &StoredPackage) -> PackageKind {
    PackageKind::Stored {
        size: stored.package.size,
        weight_kg: stored.package.weight_kg,
        owner_id: stored.owner.clone(),
    }
}

pub(super) fn account_kind(event: &AccountEvent) -> AccountEventKind {
    let account = event.account();
    let (name, account_kind, status) = (account.name.clone(), account.kind, account.status);
    match event {
        AccountEvent::Registered(_) => AccountEventKind::Registered {
            name,
            account_kind,
            status,
        },
        AccountEvent::Changed(_) => AccountEventKind::Changed {
            name,
            account_kind,
            status,
        },
    }
}

/// For operators.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum SupervisorKind {
    /// A request came to nothing, and what was done for it could not be undone.
    #[schema(rename_all = "camelCase")]
    DeadLettered {
        delivery_id: String,
        step: Step,
        /// RFC 3339, simulated.
        since: String,
        /// How often it was given up.
        times: u32,
    },
    #[schema(rename_all = "camelCase")]
    DeadLetterResolved { delivery_id: String },
    /// The circuit breaker around third-party transport.
    BreakerChanged { state: BreakerState },
    /// An actor panicked over a message, and goes on without it.
    #[schema(rename_all = "camelCase")]
    ActorFailed {
        actor: String,
        /// Of a drone or a delivery.
        #[schema(required)]
        id: Option<String>,
    },
}

pub(super) fn supervisor_kind(world: &World, event: &SupervisorEvent) -> SupervisorKind {
    match event {
        SupervisorEvent::DeadLettered {
            id,
            step,
            since,
            times,
        } => SupervisorKind::DeadLettered {
            delivery_id: id.to_string(),
            step: *step,
            since: rfc3339(world, *since),
            times: *times,
        },
        SupervisorEvent::Resolved { id } => SupervisorKind::DeadLetterResolved {
            delivery_id: id.to_string(),
        },
        SupervisorEvent::BreakerMoved { state } => SupervisorKind::BreakerChanged { state: *state },
        SupervisorEvent::ActorPanicked { actor } => SupervisorKind::ActorFailed {
            actor: actor.kind().to_owned(),
            id: match actor {
                Actor::Drone(id) => Some(id.to_string()),
                Actor::Delivery(id) => Some(id.to_string()),
                _ => None,
            },
        },
    }
}
