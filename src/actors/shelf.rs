//! Packages that clients put by themselves, apart from those of requests: a part of the
//! package service's state.
//!
//! Bound: [`PLACES`]. Nobody takes one away again; where there is no place, a new one is
//! refused, and those that are there can still be replaced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection, PackageWrite};
use crate::sim::order::StoredPackage;

use super::{Context, Effects};

pub const PLACES: usize = 100_000;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shelf {
    packages: BTreeMap<String, Shelved>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shelved {
    kept: StoredPackage,
    /// Number of its last event.
    seq: u32,
}

impl Shelf {
    pub fn all(&self) -> impl Iterator<Item = &StoredPackage> {
        self.packages.values().map(|shelved| &shelved.kept)
    }

    pub fn count(&self) -> usize {
        self.packages.len()
    }

    pub fn put(&mut self, context: &Context, write: PackageWrite, effects: &mut Effects) -> Decision {
        let PackageWrite { package, by } = write;
        let id = package.id.clone();
        let before = self.packages.get(&id);
        let owner = match before {
            Some(before) if by.is_some() && before.kept.owner != by => {
                return Decision::Refused(Objection::NotYours);
            }
            Some(before) => before.kept.owner.clone(),
            None if self.packages.len() >= PLACES => return Decision::Refused(Objection::PackagesFull),
            None => by,
        };
        let decision = match before {
            Some(_) => Decision::Done,
            None => Decision::Created,
        };
        let mut seq = before.map_or(0, |before| before.seq);
        let at = context.now;
        let kept = StoredPackage { package, owner, at };
        effects.emit_package(context, &mut seq, kept.clone());
        self.packages.insert(id, Shelved { kept, seq });
        decision
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, world};
    use crate::sim::order::{ContainerSize, Package};
    use crate::sim::time::SimTime;

    fn write(weight_kg: f64, by: Option<&str>) -> PackageWrite {
        PackageWrite {
            package: Package {
                id: "box".into(),
                size: ContainerSize::Small,
                weight_kg,
                tag: None,
            },
            by: by.map(str::to_owned),
        }
    }

    #[test]
    fn a_package_is_its_first_owners_whoever_looks_after_it() {
        let bench = Bench::new(world(1, 1), |_| crate::actors::packages::Packages::default());
        let mut shelf = Shelf::default();
        let mut put = |write| shelf.put(&bench.context, write, &mut Effects::default());
        assert_eq!(put(write(1.0, Some("shop"))), Decision::Created);
        assert_eq!(put(write(2.0, Some("shop"))), Decision::Done);
        let not_yours = Decision::Refused(Objection::NotYours);
        assert_eq!(put(write(3.0, Some("baker"))), not_yours);
        assert_eq!(put(write(4.0, None)), Decision::Done, "operators may");
        let kept: Vec<_> = shelf.all().cloned().collect();
        let package = write(4.0, None).package;
        let (owner, at) = (Some("shop".to_owned()), SimTime::START);
        assert_eq!(kept, [StoredPackage { package, owner, at }]);
    }
}
