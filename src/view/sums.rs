//! What each account's deliveries came to, by month: sums of what happened, kept as it
//! happens. Bounded by accounts and months: nothing counts before the account step, where owners
//! without one fail. What a store of before has for a package that was accepted, and failed there
//! or was undone, stays in its sums.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::RwLock;

use super::View;
use super::deliveries::{DeliveryRecord, Flight, Weight};
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
            ledger.weigh(world, None, record.weight());
            for flight in &record.flights {
                ledger.book(world, record, flight);
            }
        }
        ledger
    }

    /// As if all had changed.
    pub(super) fn touch_all(&self) {
        let mut books = self.0.write();
        let all = books.by_account.iter();
        let all: Vec<_> = all
            .flat_map(|(account, months)| months.keys().map(|month| (account.clone(), *month)))
            .collect();
        books.changed.extend(all);
    }

    pub(super) fn take_over(&self, other: Ledger) {
        *self.0.write() = other.0.into_inner();
    }

    /// What a delivery's event adds to its account's sums.
    pub(super) fn hear(&self, world: &World, record: &DeliveryRecord, event: &Event) {
        let Happening::Delivery(_, kind) = &event.happening else {
            return;
        };
        if let DeliveryEvent::Completed { .. } = kind {
            let month = Month::of(world, event.at);
            self.add(&record.order.owner.account, month, |sums| sums.completed += 1);
        }
    }

    /// A delivery's package as it counted before, and as it counts now.
    pub(super) fn weigh(&self, world: &World, before: Option<Weight>, now: Option<Weight>) {
        if before == now {
            return;
        }
        let month_of = |weight: &Weight| Month::of(world, weight.since);
        if let Some(before) = before {
            // What is left of equal summands may be a little less than nothing.
            let take_back = |sums: &mut Sums| sums.weight_kg = (sums.weight_kg - before.kg()).max(0.0);
            self.add(before.account(), month_of(&before), take_back);
        }
        if let Some(now) = now {
            self.add(now.account(), month_of(&now), |sums| sums.weight_kg += now.kg());
        }
    }

    /// A flight for a delivery is over.
    pub(super) fn book(&self, world: &World, record: &DeliveryRecord, flight: &Flight) {
        let month = Month::of(world, flight.ended);
        self.add(&record.order.owner.account, month, |sums| {
            sums.flights += 1;
            sums.flown_m += flight.distance_m;
            sums.airborne_s += flight.airborne_s;
        });
    }

    fn add(&self, account: &str, month: Month, add: impl FnOnce(&mut Sums)) {
        let mut books = self.0.write();
        let Books { by_account, changed } = &mut *books;
        let months = match by_account.get_mut(account) {
            Some(months) => months,
            None => by_account.entry(account.to_owned()).or_default(),
        };
        add(months.entry(month).or_default());
        changed.insert((account.to_owned(), month));
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
