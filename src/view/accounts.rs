//! Accounts as their events tell them.

use std::collections::BTreeMap;

use parking_lot::RwLock;

use super::View;
use crate::sim::account::{Account, AccountStatus, UnknownAccounts};
use crate::sim::event::AccountEvent;

#[derive(Default)]
pub(super) struct Accounts(RwLock<BTreeMap<String, Account>>);

impl Accounts {
    pub(super) fn new(accounts: Vec<Account>) -> Self {
        let by_id = accounts.into_iter().map(|account| (account.id.clone(), account));
        Accounts(RwLock::new(by_id.collect()))
    }

    pub(super) fn take_over(&self, other: Accounts) {
        *self.0.write() = other.0.into_inner();
    }

    pub(super) fn apply(&self, event: &AccountEvent) {
        let account = event.account().clone();
        self.0.write().insert(account.id.clone(), account);
    }
}

impl View {
    pub fn account(&self, id: &str) -> Option<Account> {
        self.accounts.0.read().get(id).cloned()
    }

    /// Whether what this account asks for would get past the first step: it is active, or
    /// nobody knows it yet and it would be made.
    pub fn may_order(&self, id: &str) -> bool {
        let accounts = self.accounts.0.read();
        match accounts.get(id) {
            Some(account) => account.status == AccountStatus::Active,
            None => {
                let world = self.world();
                let rules = &world.accounts;
                rules.unknown == UnknownAccounts::Create && accounts.len() < rules.capacity
            }
        }
    }

    pub fn account_count(&self) -> usize {
        self.accounts.0.read().len()
    }
}
