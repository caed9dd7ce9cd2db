//! Accounts of businesses and customers: who may order, and pays.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// As requests name it: `ownerId`.
    pub id: String,
    pub name: String,
    pub kind: AccountKind,
    pub status: AccountStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    Business,
    Customer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    Active,
    /// What it asks for comes to nothing. What it asked for before goes on.
    Suspended,
}

impl Account {
    /// As an owner is known of whom nobody said more: by what requests call it.
    pub fn on_first_use(id: &str) -> Self {
        Account {
            id: id.to_owned(),
            name: id.to_owned(),
            kind: AccountKind::Customer,
            status: AccountStatus::Active,
        }
    }
}

/// What is to be different about an account; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    pub name: Option<String>,
    pub kind: Option<AccountKind>,
    pub status: Option<AccountStatus>,
}

impl AccountChange {
    pub fn apply(self, account: &mut Account) {
        let AccountChange { name, kind, status } = self;
        account.name = name.unwrap_or_else(|| std::mem::take(&mut account.name));
        account.kind = kind.unwrap_or(account.kind);
        account.status = status.unwrap_or(account.status);
    }
}

/// What the world does about accounts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountRules {
    pub unknown: UnknownAccounts,
    /// The most that there can be.
    pub capacity: usize,
    /// Those that are there at the start.
    pub listed: Vec<Account>,
}

/// What becomes of a request whose owner nobody registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum UnknownAccounts {
    /// The account is made.
    Create,
    /// The request fails.
    Refuse,
}

impl Default for AccountRules {
    fn default() -> Self {
        AccountRules {
            unknown: UnknownAccounts::Create,
            capacity: 100_000,
            listed: Vec::new(),
        }
    }
}
