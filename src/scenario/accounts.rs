//! `[accounts]` and `[[account]]`: who may order.

use std::collections::BTreeSet;

use super::diagnostic::{At, Log};
use super::document::Document;
use super::fields::{Fields, defaults_of};
use super::kinds::{Choice, Integer, Text};
use crate::sim::account::{Account, AccountKind, AccountRules, AccountStatus, UnknownAccounts};
use crate::sim::world::{PickupAt, World};

pub(super) struct AccountsKeys {
    unknown: UnknownAccounts,
    capacity: u64,
}

impl Default for AccountsKeys {
    fn default() -> Self {
        defaults_of(accounts)
    }
}

pub(super) fn accounts(f: &mut Fields<'_>) -> AccountsKeys {
    AccountsKeys {
        unknown: f
            .or(
                "unknown",
                "what becomes of a request whose owner nobody registered: its account is made, or it fails",
                Choice(&[
                    ("create", UnknownAccounts::Create),
                    ("refuse", UnknownAccounts::Refuse),
                ]),
                "\"create\"",
            )
            .value,
        capacity: f
            .or(
                "capacity",
                "how many accounts there can be",
                Integer(1..=10_000_000),
                "100000",
            )
            .value,
    }
}

pub(super) struct AccountKeys {
    id: Option<At<String>>,
    name: Option<At<String>>,
    kind: AccountKind,
    status: AccountStatus,
}

pub(super) fn account(f: &mut Fields<'_>) -> AccountKeys {
    AccountKeys {
        id: f.required("id", "what requests name as their owner", Text),
        name: f.optional(
            "name",
            "the name that people see; the id where it is left out",
            Text,
        ),
        kind: f
            .or(
                "kind",
                "what it is",
                Choice(&[
                    ("business", AccountKind::Business),
                    ("customer", AccountKind::Customer),
                ]),
                "\"business\"",
            )
            .value,
        status: f
            .or(
                "status",
                "whether what it asks for is taken on",
                Choice(&[
                    ("active", AccountStatus::Active),
                    ("suspended", AccountStatus::Suspended),
                ]),
                "\"active\"",
            )
            .value,
    }
}

/// `world` is whole but for this. Where unknown owners are refused, the scenario's own
/// customers are known from the start.
pub(super) fn build_accounts(document: &Document, world: &World, log: &mut Log) -> AccountRules {
    let AccountsKeys { unknown, capacity } = document.accounts;
    let mut known = BTreeSet::new();
    let mut listed = Vec::new();
    for keys in &document.account_list {
        let Some(id) = &keys.value.id else { continue };
        if !known.insert(id.value.clone()) {
            log.error(
                &id.span,
                format!("two accounts have the id \"{}\"", id.value),
                "give each its own id",
            );
        }
        listed.push(Account {
            id: id.value.clone(),
            name: keys.value.name.as_ref().unwrap_or(id).value.clone(),
            kind: keys.value.kind,
            status: keys.value.status,
        });
    }
    if unknown == UnknownAccounts::Refuse {
        let own = own_customers(world).filter(|id| known.insert(id.clone()));
        listed.extend(own.map(|id| Account {
            kind: AccountKind::Business,
            ..Account::on_first_use(&id)
        }));
    }
    let capacity = usize::try_from(capacity).unwrap_or(usize::MAX);
    if let (Some(first), true) = (document.account_list.first(), listed.len() > capacity) {
        log.error(
            &first.span,
            format!(
                "{} accounts are listed, and `capacity` is {capacity}",
                listed.len()
            ),
            "raise `capacity`",
        );
    }
    AccountRules {
        unknown,
        capacity,
        listed,
    }
}

/// Who orders by the scenario: the places or hubs that its demand picks up at, and the owners
/// of its scripted requests.
fn own_customers(world: &World) -> impl Iterator<Item = String> + '_ {
    let at = world.demand.as_ref().map(|demand| demand.pickup);
    let places = world.places.iter().map(|place| &place.name);
    let hubs = world.hubs.iter().map(|hub| &hub.name);
    let places = places.filter(move |_| at == Some(PickupAt::Places));
    let hubs = hubs.filter(move |_| at == Some(PickupAt::Hub));
    let scripted = world.scripted.iter().map(|request| &request.order.owner.account);
    places.chain(hubs).chain(scripted).cloned()
}
