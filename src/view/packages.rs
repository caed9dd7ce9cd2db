//! Packages that clients put by themselves, as their events tell them.

use std::collections::BTreeMap;

use parking_lot::RwLock;

use super::View;
use crate::sim::order::StoredPackage;

#[derive(Default)]
pub(super) struct Packages(RwLock<BTreeMap<String, StoredPackage>>);

impl Packages {
    pub(super) fn new(packages: Vec<StoredPackage>) -> Self {
        let by_id = packages
            .into_iter()
            .map(|stored| (stored.package.id.clone(), stored));
        Packages(RwLock::new(by_id.collect()))
    }

    pub(super) fn apply(&self, stored: &StoredPackage) {
        let id = stored.package.id.clone();
        self.0.write().insert(id, stored.clone());
    }
}

impl View {
    /// The package that somebody put under this id by itself.
    pub fn stored_package(&self, id: &str) -> Option<StoredPackage> {
        self.packages.0.read().get(id).cloned()
    }

    pub fn stored_package_count(&self) -> usize {
        self.packages.0.read().len()
    }
}
