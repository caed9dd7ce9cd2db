//! Events of accounts and packages, which nobody follows one by one: operators hear of them
//! among all events.

use serde::Serialize;
use utoipa::ToSchema;

use crate::sim::account::{AccountKind, AccountStatus};
use crate::sim::event::AccountEvent;
use crate::sim::order::{ContainerSize, StoredPackage};

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
