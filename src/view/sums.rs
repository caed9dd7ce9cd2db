//! What each account's deliveries came to, by month: sums of what happened, kept as it
//! happens. Bounded by accounts and months: orders of owners without one are forgotten when they
//! fail for it.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::RwLock;

use super::View;
use super::deliveries::{DeliveryRecord, Flight};
use crate::sim::calendar::Month;
use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::sums::Sums;
use crate::sim::world::World;

#[derive(Default)]
pub(super) struct Ledger(RwLock<Books>);

#[derive(Default)]
struct Books {
    by_account: BTreeMap<String, BTreeMap<Month, Sums>>,
    /// Since they were last saved.
    changed: BTreeSet<(String, Month)>,
}

impl Ledger {
    pub(super) fn restore(kept: Vec<(String, Month, Sums)>) -> Self {
        let mut books = Books::default();
        for (account, month, sums) in kept {
            books.by_account.entry(account).or_default().insert(month, sums);
        }
        Ledger(RwLock::new(books))
    }

    /// From records alone, as far as they tell: for a store that kept no sums.
    pub(super) fn tell_again<'a>(world: &World, records: impl Iterator<Item = &'a DeliveryRecord>) -> Self {
        let ledger = Ledger::default();
        for record in records {
            for event in &record.events {
                ledger.hear(world, record, event);
            }
            for flight in &record.flights {
                ledger.book(world, record, flight);
            }
        }
        ledger
    }

    /// What a delivery's event adds to its account's sums.
    pub(super) fn hear(&self, world: &World, record: &DeliveryRecord, event: &Event) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        let month = || Month::of(world, event.at);
        match kind {
            DeliveryEvent::Accepted { order } => {
                let weight_kg = order.package.weight_kg;
                self.add(record, month(), |sums| sums.weight_kg += weight_kg);
            }
            DeliveryEvent::Completed { .. } => self.add(record, month(), |sums| sums.completed += 1),
            _ => {}
        }
    }

    /// A flight for a delivery is over.
    pub(super) fn book(&self, world: &World, record: &DeliveryRecord, flight: &Flight) {
        self.add(record, Month::of(world, flight.ended), |sums| {
            sums.flights += 1;
            sums.flown_m += flight.distance_m;
            sums.airborne_s += flight.airborne_s;
        });
    }

    /// What was ordered for an owner who has no account, nor gets one: else whoever makes owners
    /// up would fill the books.
    pub(super) fn forget(&self, account: &str) {
        let mut books = self.0.write();
        for month in books.by_account.remove(account).unwrap_or_default().into_keys() {
            books.changed.remove(&(account.to_owned(), month));
        }
    }

    fn add(&self, record: &DeliveryRecord, month: Month, add: impl FnOnce(&mut Sums)) {
        let account = &record.order.owner.account;
        let mut books = self.0.write();
        let Books { by_account, changed } = &mut *books;
        let months = match by_account.get_mut(account) {
            Some(months) => months,
            None => by_account.entry(account.clone()).or_default(),
        };
        add(months.entry(month).or_default());
        changed.insert((account.clone(), month));
    }

    pub(super) fn take_changed(&self) -> Vec<(String, Month, Sums)> {
        let mut books = self.0.write();
        let changed = std::mem::take(&mut books.changed);
        let now = |(account, month): (String, Month)| {
            let sums = *books.by_account.get(&account)?.get(&month)?;
            Some((account, month, sums))
        };
        changed.into_iter().filter_map(now).collect()
    }
}

impl View {
    /// An account's sums of a month; `None` where nothing happened.
    pub fn sums(&self, account: &str, month: Month) -> Option<Sums> {
        let books = self.sums.0.read();
        books.by_account.get(account)?.get(&month).copied()
    }
}
