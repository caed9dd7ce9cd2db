//! Packages that clients put by themselves, as their events tell them: of each id each account's
//! own, and which of them is the newest.

use std::collections::BTreeMap;

use parking_lot::RwLock;

use super::View;
use crate::sim::order::StoredPackage;

#[derive(Default)]
pub(super) struct Packages(RwLock<Shelf>);

#[derive(Default)]
struct Shelf {
    by_id: BTreeMap<String, Namesakes>,
    count: usize,
}

/// Packages of one id.
#[derive(Default)]
struct Namesakes {
    by_owner: BTreeMap<Option<String>, StoredPackage>,
    /// Whose the newest is.
    newest: Option<String>,
}

impl Packages {
    pub(super) fn new(packages: Vec<StoredPackage>) -> Self {
        let mut shelf = Shelf::default();
        for stored in packages {
            shelf.put(stored);
        }
        Packages(RwLock::new(shelf))
    }

    pub(super) fn take_over(&self, other: Packages) {
        *self.0.write() = other.0.into_inner();
    }

    pub(super) fn apply(&self, stored: &StoredPackage) {
        self.0.write().put(stored.clone());
    }
}

impl Shelf {
    /// In whatever order those of several owners come, as after a restart: of two of one moment
    /// always the same is the newest.
    fn put(&mut self, stored: StoredPackage) {
        let namesakes = self.by_id.entry(stored.package.id.clone()).or_default();
        let newest = namesakes.by_owner.get(&namesakes.newest);
        if newest.is_none_or(|newest| (newest.at, &newest.owner) <= (stored.at, &stored.owner)) {
            namesakes.newest.clone_from(&stored.owner);
        }
        let before = namesakes.by_owner.insert(stored.owner.clone(), stored);
        self.count += usize::from(before.is_none());
    }
}

impl View {
    /// The package that was put under this id by itself: this account's, or else the newest of
    /// all.
    pub fn stored_package(&self, id: &str, owner: Option<&str>) -> Option<StoredPackage> {
        let shelf = self.packages.0.read();
        let namesakes = shelf.by_id.get(id)?;
        let whose = match owner {
            Some(owner) => Some(owner.to_owned()),
            None => namesakes.newest.clone(),
        };
        namesakes.by_owner.get(&whose).cloned()
    }

    pub fn stored_package_count(&self) -> usize {
        self.packages.0.read().count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::order::{ContainerSize, Package};
    use crate::sim::time::SimTime;

    fn stored(owner: Option<&str>, at: u64) -> StoredPackage {
        StoredPackage {
            package: Package {
                id: "box".into(),
                size: ContainerSize::Small,
                weight_kg: at as f64,
                tag: None,
            },
            owner: owner.map(str::to_owned),
            at: SimTime(at),
        }
    }

    #[test]
    fn the_newest_is_the_same_whatever_the_order_in_which_they_come() {
        let mut all = [
            stored(None, 5),
            stored(Some("baker"), 7),
            stored(Some("shop"), 7),
            stored(Some("tailor"), 2),
        ];
        for _ in 0..all.len() {
            all.rotate_left(1);
            let packages = Packages::new(all.to_vec());
            let shelf = packages.0.read();
            let newest = shelf.by_id["box"].newest.as_deref();
            assert_eq!((newest, shelf.count), (Some("shop"), 4));
        }
        let packages = Packages::new(all.to_vec());
        packages.apply(&stored(Some("tailor"), 8));
        let shelf = packages.0.read();
        assert_eq!(
            (shelf.by_id["box"].newest.as_deref(), shelf.count),
            (Some("tailor"), 4)
        );
    }
}
