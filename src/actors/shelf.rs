//! Packages that clients put by themselves, apart from those of requests: a part of the
//! package service's state.
//!
//! Each account has its own of an id, and nobody's is one more: who knows how another calls a
//! package cannot touch it. Bound: [`PLACES`]. Nobody takes one away again; where there is no
//! place, a new one is refused, and those that are there can still be replaced.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection, PackageChange, PackageWrite};
use crate::sim::order::{Package, StoredPackage};

use super::{Context, Effects};

pub const PLACES: usize = 100_000;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shelf {
    #[serde(with = "by_name")]
    packages: BTreeMap<Key, Shelved>,
}

/// Whose it is, and its id.
type Key = (Option<String>, String);

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
        let PackageWrite { package, owner } = write;
        self.keep(context, (owner, package.id.clone()), package, effects)
    }

    /// A package that a request brought stands here too once it is changed.
    pub fn change(&mut self, context: &Context, change: &PackageChange, effects: &mut Effects) -> Decision {
        let known = &change.known;
        let key = (known.owner.clone(), known.package.id.clone());
        let here = self.packages.get(&key).map(|shelved| &shelved.kept);
        let newest = here.filter(|kept| kept.at > known.at).unwrap_or(known);
        let package = change.of(&newest.package);
        self.keep(context, key, package, effects)
    }

    fn keep(&mut self, context: &Context, key: Key, package: Package, effects: &mut Effects) -> Decision {
        let before = self.packages.get(&key);
        if before.is_none() && self.packages.len() >= PLACES {
            return Decision::Refused(Objection::PackagesFull);
        }
        let decision = match before {
            Some(_) => Decision::Done,
            None => Decision::Created,
        };
        let mut seq = before.map_or(0, |before| before.seq);
        let (owner, at) = (key.0.clone(), context.now);
        let kept = StoredPackage { package, owner, at };
        effects.emit_package(context, &mut seq, kept.clone());
        self.packages.insert(key, Shelved { kept, seq });
        decision
    }
}

/// As a snapshot has them: by their ids alone, as they were when no two could have the same. What
/// each one is says whose it is.
mod by_name {
    use super::{BTreeMap, Deserialize, Key, Shelved};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(packages: &BTreeMap<Key, Shelved>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(packages.iter().map(|((_, id), shelved)| (id, shelved)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<Key, Shelved>, D::Error> {
        let named = Vec::<(String, Shelved)>::deserialize(from)?;
        let keyed = |(id, shelved): (String, Shelved)| ((shelved.kept.owner.clone(), id), shelved);
        Ok(named.into_iter().map(keyed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::packages::Packages;
    use crate::actors::testing::{Bench, world};
    use crate::sim::order::ContainerSize;
    use crate::sim::time::SimTime;

    fn package(weight_kg: f64) -> Package {
        Package {
            id: "box".into(),
            size: ContainerSize::Small,
            weight_kg,
            tag: None,
        }
    }

    fn write(weight_kg: f64, owner: Option<&str>) -> PackageWrite {
        PackageWrite {
            package: package(weight_kg),
            owner: owner.map(str::to_owned),
        }
    }

    fn stored(weight_kg: f64, owner: Option<&str>, at: SimTime) -> StoredPackage {
        StoredPackage {
            package: package(weight_kg),
            owner: owner.map(str::to_owned),
            at,
        }
    }

    fn change_of(known: StoredPackage) -> PackageChange {
        PackageChange {
            known,
            size: None,
            weight_kg: None,
            tag: None,
        }
    }

    fn at(secs: f64) -> SimTime {
        SimTime::from_secs(secs)
    }

    #[test]
    fn each_account_has_its_own_of_an_id() {
        let bench = Bench::new(world(1, 1), |_| Packages::default());
        let mut shelf = Shelf::default();
        let mut put = |write| shelf.put(&bench.context, write, &mut Effects::default());
        assert_eq!(put(write(1.0, Some("shop"))), Decision::Created);
        assert_eq!(put(write(2.0, Some("shop"))), Decision::Done);
        assert_eq!(put(write(3.0, Some("baker"))), Decision::Created);
        assert_eq!(put(write(4.0, None)), Decision::Created);
        assert_eq!(put(write(5.0, None)), Decision::Done);
        let kept: Vec<_> = shelf.all().cloned().collect();
        let start = SimTime::START;
        let expected = [
            stored(5.0, None, start),
            stored(3.0, Some("baker"), start),
            stored(2.0, Some("shop"), start),
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn of_two_changes_at_once_both_are_kept_and_older_ones_count_no_more() {
        let mut bench = Bench::new(world(1, 1), |_| Packages::default());
        let mut shelf = Shelf::default();
        bench.context.now = at(1.0);
        shelf.put(&bench.context, write(1.0, Some("shop")), &mut Effects::default());
        // A request brought another since, which is what two know who change it.
        let known = stored(7.0, Some("shop"), at(2.0));
        bench.context.now = at(3.0);
        let heavier = PackageChange {
            weight_kg: Some(9.0),
            ..change_of(known.clone())
        };
        let larger = PackageChange {
            size: Some(ContainerSize::Large),
            tag: Some("fragile".into()),
            ..change_of(known.clone())
        };
        for change in [&heavier, &larger] {
            let mut effects = Effects::default();
            assert_eq!(shelf.change(&bench.context, change, &mut effects), Decision::Done);
            assert_eq!(effects.0.len(), 1);
        }
        let [kept] = &shelf.all().collect::<Vec<_>>()[..] else {
            panic!("{shelf:?}")
        };
        let expected = Package {
            size: ContainerSize::Large,
            tag: Some("fragile".into()),
            ..package(9.0)
        };
        assert_eq!((&kept.package, kept.at), (&expected, at(3.0)));
        // Nobody's of that id is another.
        let first = change_of(stored(6.0, None, at(2.0)));
        let decision = shelf.change(&bench.context, &first, &mut Effects::default());
        assert_eq!((decision, shelf.count()), (Decision::Created, 2));
    }

    /// A shelf of one package for each id, as postcard wrote it, and as it goes on being written.
    #[test]
    fn what_was_kept_by_id_alone_is_read_and_written_as_ever() {
        let shelved = |owner: Option<&str>, seq| Shelved {
            kept: stored(1.5, owner, at(4.0)),
            seq,
        };
        let before = BTreeMap::from([
            ("box".to_owned(), shelved(Some("shop"), 2)),
            ("crate".to_owned(), shelved(None, 1)),
        ]);
        let bytes = postcard::to_stdvec(&before).unwrap();
        let shelf: Shelf = postcard::from_bytes(&bytes).unwrap();
        let keys: Vec<_> = shelf.packages.keys().cloned().collect();
        let shop = Some("shop".to_owned());
        assert_eq!(keys, [(None, "crate".to_owned()), (shop, "box".to_owned())]);
        let again = postcard::to_stdvec(&shelf).unwrap();
        assert_eq!((again.len(), again[0]), (bytes.len(), bytes[0]));
        assert_eq!(postcard::from_bytes::<Shelf>(&again).unwrap(), shelf);
    }
}
