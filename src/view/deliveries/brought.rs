//! Which deliveries brought a package of an id: everybody's, and each account's own.
//!
//! Each is found by a hash of the names, so that an entry is as long as any other and those of
//! one name lie together, the newest last. The newest is the one that was heard of last: ids tell
//! that only where the server made them.

use std::collections::BTreeSet;

use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::SimTime;

#[derive(Default)]
pub(super) struct Brought(BTreeSet<(Names, SimTime, DeliveryId)>);

/// Half a BLAKE3: no two names share it.
type Names = [u8; 16];

impl Brought {
    pub(super) fn put(&mut self, order: &Order, since: SimTime, id: DeliveryId) {
        for names in names_of(order) {
            self.0.insert((names, since, id));
        }
    }

    pub(super) fn take(&mut self, order: &Order, since: SimTime, id: DeliveryId) {
        for names in names_of(order) {
            self.0.remove(&(names, since, id));
        }
    }

    /// The newest with a package of this id: this account's, or else of all.
    pub(super) fn newest(&self, package: &str, owner: Option<&str>) -> Option<DeliveryId> {
        let names = names(package, owner);
        let first = (names, SimTime::START, DeliveryId::from_bytes([0; 16]));
        let last = (names, SimTime::NEVER, DeliveryId::from_bytes([0xff; 16]));
        self.0.range(first..=last).next_back().map(|(.., id)| *id)
    }
}

fn names_of(order: &Order) -> [Names; 2] {
    let package = &order.package.id;
    [names(package, None), names(package, Some(&order.owner.account))]
}

fn names(package: &str, owner: Option<&str>) -> Names {
    let mut hasher = blake3::Hasher::new();
    hasher.update(package.as_bytes());
    if let Some(owner) = owner {
        // No name holds a control character.
        hasher.update(b"\x1f").update(owner.as_bytes());
    }
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::super::tests::order_of;
    use super::*;

    #[test]
    fn the_newest_is_the_last_that_was_heard_of_and_an_accounts_own_is_its_own() {
        let order = |account: &str, package: &str| {
            let mut order = order_of(account);
            order.package.id = package.to_owned();
            order
        };
        let id = |number: u8| DeliveryId::from_bytes([number; 16]);
        let (shops, bakers) = (order("shop", "box"), order("baker", "box"));
        let mut brought = Brought::default();
        brought.put(&shops, SimTime(3), id(1));
        brought.put(&bakers, SimTime(2), id(0xff));
        brought.put(&shops, SimTime(1), id(7));
        brought.put(&order("shop", "crate"), SimTime(9), id(9));
        let newest = |brought: &Brought| {
            [None, Some("shop"), Some("baker"), Some("tailor")].map(|owner| brought.newest("box", owner))
        };
        assert_eq!(newest(&brought), [Some(id(1)), Some(id(1)), Some(id(0xff)), None]);
        brought.take(&shops, SimTime(3), id(1));
        assert_eq!(
            newest(&brought),
            [Some(id(0xff)), Some(id(7)), Some(id(0xff)), None]
        );
        assert_eq!(brought.newest("shop", None), None);
    }
}
