//! What a store must hold of ended deliveries and of sums: a model's questions.

use std::collections::BTreeSet;

use super::{Model, delivery, key};
use crate::sim::calendar::{Day, Month};
use crate::sim::delivery::Stage;
use crate::sim::sums::Sums;
use crate::sim::time::SimTime;
use crate::store::{HistoryQuery, HistoryReader, HistoryRow, MovedDay, Store, SumRow};

/// Ended at this tick; of three accounts, in each of the ways, two at a time.
pub(in crate::store) fn history_row(number: u64, at: u64) -> HistoryRow {
    HistoryRow {
        id: delivery(number),
        owner: format!("owner-{}", number % 3),
        // Some at once, and none in the order of ids.
        accepted: SimTime((number * 7 % 5) / 2),
        ended: SimTime(at / 2),
        stage: [Stage::Completed, Stage::Cancelled, Stage::Failed][(number % 5 % 3) as usize],
        package: format!("package-{}", number % 4),
        record: vec![at as u8; (number % 50) as usize],
    }
}

pub(super) fn sum_row(at: u64) -> SumRow {
    SumRow {
        owner: format!("owner-{}", at % 3),
        month: Month::from_number(24_000 + (at % 4) as i32),
        sums: Sums {
            completed: at,
            weight_kg: at as f64 / 3.0,
            flights: at + 1,
            flown_m: at as f64 * 1e3 + 0.1,
            airborne_s: 1.0 / (at + 1) as f64,
        },
    }
}

impl Model {
    pub(super) fn check_sums(&self, store: &mut dyn Store) {
        let mut found: Vec<SumRow> = Vec::new();
        loop {
            let after = found.last().map(|row| (row.owner.clone(), row.month));
            let page = store.sums(after.as_ref().map(|(owner, month)| (&owner[..], *month)), 2);
            match page.unwrap() {
                page if page.is_empty() => break,
                page => found.extend(page),
            }
        }
        let sums = self.sums.iter().map(|((owner, month), sums)| SumRow {
            owner: owner.clone(),
            month: *month,
            sums: *sums,
        });
        assert_eq!(found, sums.collect::<Vec<_>>());
    }

    /// Every question in pages of three, against the same asked of the model.
    pub fn check_history<R: HistoryReader + ?Sized>(&self, reader: &mut R) {
        let rows: Vec<_> = self.history.values().cloned().collect();
        for row in &rows {
            let found = reader.history(&HistoryQuery::Delivery(row.id)).unwrap();
            assert_eq!((found.rows, found.moved), (vec![row.clone()], None));
        }
        let never = reader.history(&HistoryQuery::Delivery(delivery(9_999))).unwrap();
        assert_eq!((never.rows, never.moved), (vec![], None));
        let owners = [None, Some("owner-0"), Some("owner-2"), Some("nobody")];
        let is_theirs = |row: &&HistoryRow, owner: Option<&str>| owner.is_none_or(|owner| row.owner == owner);
        for owner in owners {
            for stage in [None, Some(Stage::Completed), Some(Stage::Failed)] {
                let expected = rows.iter().filter(|row| is_theirs(row, owner));
                let expected = expected.filter(|row| stage.is_none_or(|stage| row.stage == stage));
                let found = pages(reader, |last| HistoryQuery::ById {
                    owner: owner.map(str::to_owned),
                    stage,
                    after: last.map(|row| row.id),
                    limit: 3,
                });
                assert_eq!(
                    found,
                    expected.cloned().collect::<Vec<_>>(),
                    "{owner:?} {stage:?}"
                );
            }
            let mut by_end = rows.clone();
            by_end.sort_by_key(|row| (row.ended, row.id));
            let middle = by_end
                .get(by_end.len() / 2)
                .map_or(SimTime::START, |row| row.ended);
            for (from, until) in [(SimTime::START, SimTime::NEVER), (middle, SimTime(middle.0 + 3))] {
                let expected = by_end.iter().filter(|row| is_theirs(row, owner));
                let expected = expected.filter(|row| (from..until).contains(&row.ended));
                let found = pages(reader, |last| HistoryQuery::ByEnd {
                    owner: owner.map(str::to_owned),
                    from,
                    until,
                    after: last.map(|row| (row.ended, row.id)),
                    limit: 3,
                });
                assert_eq!(found, expected.cloned().collect::<Vec<_>>(), "{owner:?} {from:?}");
            }
        }
        let mut newest = rows.clone();
        newest.sort_by_key(|row| (row.ended, row.id));
        newest.reverse();
        newest.truncate(5);
        let found = reader.history(&HistoryQuery::Newest { limit: 5 }).unwrap();
        assert_eq!(found.rows, newest);
        for package in ["package-0", "package-3", "none"] {
            for owner in owners {
                let newest = rows
                    .iter()
                    .filter(|row| row.package == package && is_theirs(row, owner))
                    .max_by_key(|row| (row.accepted, row.id))
                    .cloned();
                let query = HistoryQuery::Package {
                    id: package.to_owned(),
                    owner: owner.map(str::to_owned),
                };
                let found = reader.history(&query).unwrap();
                assert_eq!(found.rows, Vec::from_iter(newest), "{query:?}");
            }
        }
    }
}

/// All that is found, page after page.
fn pages<R: HistoryReader + ?Sized>(
    reader: &mut R,
    next: impl Fn(Option<&HistoryRow>) -> HistoryQuery,
) -> Vec<HistoryRow> {
    let mut found = Vec::new();
    loop {
        let page = reader.history(&next(found.last())).unwrap().rows;
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

/// What any store does with what is moved out and with old keys.
pub(in crate::store) fn check_moving_out(store: &mut dyn Store) {
    let mut model = Model::default();
    for _ in 0..12 {
        let flush = model.next_flush(&[3], 4, true);
        store.append(&flush).unwrap();
        model.apply(&flush);
    }
    let day = MovedDay {
        day: Day(20_605),
        from: SimTime(3),
        until: SimTime(15),
    };
    let is_moved = |row: &HistoryRow| (day.from..day.until).contains(&row.ended);
    let gone: Vec<_> = model
        .history
        .values()
        .filter(|row| is_moved(row))
        .cloned()
        .collect();
    assert!(gone.len() > 3 && gone.len() < model.history.len(), "{gone:?}");
    let known = |store: &mut dyn Store| store.history(&HistoryQuery::Day(day.day)).unwrap().moved;
    assert_eq!(known(store), None);
    assert_eq!(store.move_out(&day, 0), Ok(0));
    assert_eq!(known(store), Some(day.day));
    let mut removed = 0;
    while removed < gone.len() {
        let some = store.move_out(&day, 2).unwrap();
        assert!((1..=2).contains(&some));
        removed += some;
    }
    assert_eq!(store.move_out(&day, 2), Ok(0));
    model.history.retain(|_, row| !is_moved(row));
    model.check(store);
    for row in gone {
        let found = store.history(&HistoryQuery::Delivery(row.id)).unwrap();
        assert_eq!((found.rows, found.moved), (vec![], Some(day.day)));
    }

    let keys = (1..=model.last_seq).filter_map(key).collect::<BTreeSet<_>>();
    assert_eq!(store.forget_keys(0, 1_000), Ok(0), "none is that old");
    assert_eq!(store.forget_keys(u64::MAX >> 1, 2), Ok(2));
    assert_eq!(store.forget_keys(u64::MAX >> 1, 1_000), Ok(keys.len() - 2));
    for key in keys {
        assert_eq!(store.delivery_of_key(&key), Ok(None));
    }
}
