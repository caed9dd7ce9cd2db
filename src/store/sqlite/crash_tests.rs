//! What failing writes, torn logs and killed processes leave of a store in a folder.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::tests::{filled, open_world};
use super::*;
use crate::store::faulty::{Tear, copy_as_after_crash, log_bytes};
use crate::store::testing::{Model, WORLD};

#[test]
fn a_disk_that_fills_in_the_middle_leaves_nothing_and_can_be_tried_again() {
    let dir = TempDir::new().unwrap();
    let (mut store, mut model) = filled(dir.path());
    let pages: i64 = store
        .conn
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        store
            .conn
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    limit(&store, pages + 2);
    let flush = model.next_flush(&[40, 40, 40], 30, true);
    let error = store.append(&flush).unwrap_err();
    assert!(
        matches!(error, StoreError::DiskFull { .. }) && error.is_retryable(),
        "{error:?}"
    );
    model.check(&mut store);

    limit(&store, 1 << 20);
    store.append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut store);
}

#[test]
fn nothing_is_acknowledged_into_a_database_that_is_gone() {
    let dir = TempDir::new().unwrap();
    let (mut store, mut model) = filled(dir.path());
    let (path, aside) = (dir.path().join(DATABASE), dir.path().join("aside"));
    let flush = model.next_flush(&[1], 1, false);

    fs::rename(&path, &aside).unwrap();
    assert!(matches!(store.append(&flush), Err(StoreError::Io { .. })));
    fs::write(&path, "").unwrap();
    assert!(matches!(store.append(&flush), Err(StoreError::Io { .. })));
    assert!(matches!(store.probe(), Err(StoreError::Io { .. })));

    fs::rename(&aside, &path).unwrap();
    store.append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut store);
}

/// Each acknowledged flush ends at a known byte of the log, so what must be recovered from a
/// log that ends (or turns into garbage) at any byte is known exactly.
#[test]
fn a_torn_log_recovers_exactly_the_flushes_that_are_whole() {
    let dir = TempDir::new().unwrap();
    let mut store = open_world(dir.path());
    let mut model = Model::default();
    let mut histories = vec![(0, model.clone())];
    for round in 0..12_u64 {
        let flush = model.next_flush(&[round % 4, 2], round % 3 + 1, round % 5 == 4);
        for part in flush.in_slices(1) {
            store.append(&part).unwrap();
            model.apply(&part);
            let mut left = model.clone();
            left.reopened();
            histories.push((log_bytes(dir.path()), left));
        }
    }
    assert!(
        histories.is_sorted_by(|(before, _), (after, _)| before < after),
        "the log only grew"
    );
    let end = histories.last().unwrap().0;

    let mut cuts: Vec<u64> = histories
        .iter()
        .flat_map(|(at, _)| [*at, at.saturating_sub(1)])
        .collect();
    cuts.extend((0..40).map(|step| step * 7919 % end));
    for (index, cut) in cuts.into_iter().enumerate() {
        let tear = if index % 2 == 0 {
            Tear::CutAt(cut)
        } else {
            Tear::Overwritten {
                at: cut,
                with: vec![0x5A; (end - cut) as usize],
            }
        };
        let crashed = TempDir::new().unwrap();
        copy_as_after_crash(dir.path(), crashed.path(), &tear).unwrap();
        let whole = histories.iter().rev().find(|(at, _)| *at <= cut).unwrap();
        whole.1.check(&mut open_world(crashed.path()));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Flush {
        batch_sizes: Vec<u64>,
        ticks: u64,
        snapshot: bool,
    },
    /// The last flush once more, as after a lost acknowledgement.
    Again,
    /// The process is killed, and started on what the files hold.
    Crash,
    /// The log of the last flush is cut at this share of its length, and the flush repeated.
    Tear(f64),
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let flush = (prop::collection::vec(0_u64..6, 0..4), 0_u64..6, any::<bool>()).prop_map(
        |(batch_sizes, ticks, snapshot)| Step::Flush {
            batch_sizes,
            ticks,
            snapshot,
        },
    );
    prop_oneof![
        6 => flush,
        1 => Just(Step::Again),
        1 => Just(Step::Crash),
        2 => (0.0..1.0).prop_map(Step::Tear),
        1 => Just(Step::Restart),
    ]
}

/// A store under test, its model, and its last flush with the log's length before it.
struct Run {
    dir: TempDir,
    store: SqliteStore,
    before: (u64, Model),
    model: Model,
    last: Flush,
}

impl Run {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let store = open_world(dir.path());
        Run {
            dir,
            store,
            before: Default::default(),
            model: Model::default(),
            last: Flush::default(),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Flush {
                batch_sizes,
                ticks,
                snapshot,
            } => {
                if *snapshot {
                    self.model.take_some_off(&mut self.store);
                }
                self.before = (log_bytes(self.dir.path()), self.model.clone());
                self.last = self.model.next_flush(batch_sizes, *ticks, *snapshot);
                self.store.append(&self.last).unwrap();
                self.model.apply(&self.last);
            }
            Step::Again => self.store.append(&self.last).unwrap(),
            Step::Crash => self.crash(&Tear::None),
            Step::Tear(share) => self.tear(*share),
            Step::Restart => self.restart(),
        }
        self.model.check(&mut self.store);
    }

    fn crash(&mut self, tear: &Tear) {
        let dir = TempDir::new().unwrap();
        copy_as_after_crash(self.dir.path(), dir.path(), tear).unwrap();
        self.store = open_world(dir.path());
        self.dir = dir;
        self.before.0 = u64::MAX;
    }

    fn tear(&mut self, share: f64) {
        let (start, end) = (self.before.0, log_bytes(self.dir.path()));
        if start >= end {
            return;
        }
        self.crash(&Tear::CutAt(start + ((end - start) as f64 * share) as u64));
        self.before.1.check(&mut self.store);
        self.store.append(&self.last).unwrap();
    }

    fn restart(&mut self) {
        self.store = in_memory(&WORLD).unwrap();
        self.store = open_world(self.dir.path());
        self.before.0 = u64::MAX;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_crash_leaves_a_hole_or_a_double(steps in prop::collection::vec(any_step(), 1..20)) {
        let mut run = Run::start();
        for step in &steps {
            run.step(step);
        }
    }
}
