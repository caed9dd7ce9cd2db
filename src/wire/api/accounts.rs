//! Accounts of businesses and customers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::account::{self, AccountKind, AccountStatus};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// What requests name as `ownerId`.
    #[schema(example = "cafe")]
    pub id: String,
    #[schema(example = "Café de la Press")]
    pub name: String,
    pub kind: AccountKind,
    pub status: AccountStatus,
}

impl From<account::Account> for Account {
    fn from(account: account::Account) -> Self {
        let account::Account {
            id,
            name,
            kind,
            status,
        } = account;
        Account {
            id,
            name,
            kind,
            status,
        }
    }
}

/// An account to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"id": "cafe", "name": "Café de la Press", "kind": "business"}))]
pub struct NewAccount {
    /// Made by the server where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub id: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    pub kind: AccountKind,
    /// `active` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}

/// What is to be different; what is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "suspended"}))]
pub struct AccountChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AccountKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}
