//! What every store promises, wherever it keeps the truth: whose it is, what it refuses, and
//! that no crash leaves a hole or a double.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::places::{Database, Folder, Place, in_each_place};
use super::testing::{Model, WORLD, batch, check_moving_out, command, commands_only, tick};
use super::{Epoch, Flush, Found, HistoryQuery, Identity, IngestBatch, Snapshot, Store, StoreError, TickRow};
use crate::sim::time::SimTime;

in_each_place!(
    two_servers_cannot_share_a_store,
    another_worlds_store_is_refused_with_words,
    a_newer_format_is_refused,
    a_snapshot_of_another_format_is_refused_and_left_alone,
    fresh_begins_anew_and_raises_the_epoch,
    rows_that_do_not_continue_or_equal_the_journal_are_refused_whole,
    a_large_snapshot_is_kept_whole,
    events_of_an_earlier_epoch_are_not_this_ones,
    what_is_moved_out_is_remembered_and_old_keys_are_not,
    a_reader_sees_what_was_committed,
    a_name_that_nobody_can_have_finds_nothing,
);

/// A store with a flush of each kind.
fn filled(place: &impl Place) -> (Box<dyn Store>, Model) {
    let mut store = place.open();
    let mut model = Model::default();
    for with_snapshot in [false, true] {
        let flush = model.next_flush(&[3, 8], 4, with_snapshot);
        store.append(&flush).unwrap();
        model.apply(&flush);
    }
    (store, model)
}

fn two_servers_cannot_share_a_store(place: impl Place) {
    let first = place.open();
    for fresh in [false, true] {
        let locked = StoreError::Locked {
            place: place.words(),
            holder: Some(place.holder()),
        };
        assert_eq!(place.refusal(&WORLD, fresh), locked);
    }
    drop(first);
    place.open();
}

fn another_worlds_store_is_refused_with_words(place: impl Place) {
    drop(place.open());
    let asked = Identity { seed: 43, ..WORLD };
    let error = place.refusal(&asked, false);
    let other = StoreError::OtherWorld {
        place: place.words(),
        held: WORLD,
        asked,
    };
    assert_eq!(error, other);
    let text = error.to_string();
    assert!(
        text.contains("seed 18446744073709551615, not scenario 070707070707 with seed 43"),
        "{text}"
    );
    let remedy = error.remedy().unwrap();
    assert!(
        remedy.contains("--fresh") && remedy.contains("--data"),
        "{remedy}"
    );
}

fn a_newer_format_is_refused(place: impl Place) {
    let epoch = place.open().epoch();
    let newest = place.newest_format();
    place.set_format(newest + 1);
    let newer = StoreError::NewerFormat {
        place: place.words(),
        found: newest + 1,
        known: newest,
    };
    assert_eq!(place.refusal(&WORLD, false), newer);
    assert!(place.open_as(&WORLD, true).unwrap().epoch() > epoch);
}

fn a_snapshot_of_another_format_is_refused_and_left_alone(place: impl Place) {
    let (mut store, model) = filled(&place);
    let mut flush = model.next_flush(&[], 1, true);
    flush.snapshot.as_mut().unwrap().engine[0] = 99;
    store.append(&flush).unwrap();
    drop(store);
    for _ in ["first", "again"] {
        let error = place.refusal(&WORLD, false);
        let other = StoreError::OtherSnapshot {
            place: place.words(),
            found: 99,
        };
        assert_eq!(error, other);
    }
}

fn fresh_begins_anew_and_raises_the_epoch(place: impl Place) {
    let (mut store, _) = filled(&place);
    // As one that was counted far up, or by a clock that was ahead.
    let ahead = Epoch(1 << 60);
    store.set_epoch(ahead).unwrap();
    drop(store);

    let other = Identity { seed: 1, ..WORLD };
    let mut store = place.open_as(&other, true).unwrap();
    assert_eq!((store.epoch(), store.identity()), (ahead.next(), other));
    Model::default().check(store.as_mut());
    store.append(&commands_only(batch(1, 2))).unwrap();
    drop(store);

    let mut store = place.open_as(&other, false).unwrap();
    assert_eq!(store.epoch(), ahead.next());
    assert_eq!(store.last_command_seq(), Ok(2));
}

fn rows_that_do_not_continue_or_equal_the_journal_are_refused_whole(place: impl Place) {
    let (mut store, model) = filled(&place);
    let next_tick = model.last_tick() + 1;
    let last = tick(model.last_tick(), model.admitted_through(model.last_tick()));

    let ticks = |rows: &[TickRow]| Flush {
        ticks: rows.to_vec(),
        ..Flush::default()
    };
    let snapshot = |tick| Flush {
        snapshot: Some(Snapshot {
            tick,
            ..Snapshot::default()
        }),
        ..commands_only(batch(model.last_seq + 1, 1))
    };
    for hole in [
        commands_only(batch(model.last_seq + 2, 1)),
        ticks(&[tick(next_tick + 1, last.admitted_through)]),
        ticks(&[tick(next_tick, model.last_seq + 1)]),
        ticks(&[tick(next_tick, last.admitted_through - 1)]),
        snapshot(next_tick),
        snapshot(1),
    ] {
        let error = store.append(&hole).unwrap_err();
        assert!(matches!(error, StoreError::OutOfOrder { .. }), "{error:?}");
    }
    let mut altered = last.clone();
    altered.digest[0] ^= 1;
    let other_commands = IngestBatch {
        first_seq: 1,
        commands: vec![command(2); 3],
    };
    for different in [
        ticks(&[altered]),
        commands_only(other_commands),
        commands_only(batch(2, 2)),
        snapshot(model.last_tick()),
    ] {
        let error = store.append(&different).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    }
    store.append(&ticks(&[last])).unwrap();
    model.check(store.as_mut());
}

/// More than goes into one request of whatever back end.
fn a_large_snapshot_is_kept_whole(place: impl Place) {
    const ACTORS: u32 = 30_000;
    let (mut store, model) = filled(&place);
    let mut flush = model.next_flush(&[], 1, true);
    let snapshot = flush.snapshot.as_mut().unwrap();
    snapshot.engine.resize(20 << 20, 5);
    let state = |number: u32| Some(vec![number as u8; 700]);
    snapshot.actors = (0..ACTORS)
        .map(|number| (number.to_be_bytes().to_vec(), state(number)))
        .collect();
    store.append(&flush).unwrap();
    store.append(&flush).unwrap();
    drop(store);

    let found = place.open().latest_snapshot().unwrap().unwrap();
    let asked = flush.snapshot.unwrap();
    assert!(found.engine == asked.engine);
    let kept: BTreeMap<_, _> = found.actors.into_iter().collect();
    assert!(kept.len() > asked.actors.len(), "those of before are there too");
    assert!(
        asked
            .actors
            .iter()
            .all(|(key, state)| kept.get(key) == Some(state))
    );
}

fn events_of_an_earlier_epoch_are_not_this_ones(place: impl Place) {
    let (mut store, mut model) = filled(&place);
    let epoch = store.epoch().next();
    store.set_epoch(epoch).unwrap();
    assert_eq!(store.event_rows(0, 1_000, 100), Ok(Vec::new()));
    let flush = model.next_flush(&[], 3, false);
    store.append(&flush).unwrap();
    model.apply(&flush);
    let these = flush.ticks.into_iter().filter(|row| row.event_count > 0);
    let these: Vec<TickRow> = these.collect();
    assert_eq!(store.event_rows(0, 1_000, 100), Ok(these.clone()));
    drop(store);
    let mut store = place.open();
    assert_eq!(store.epoch(), epoch);
    assert_eq!(store.event_rows(0, 1_000, 100), Ok(these));
}

fn what_is_moved_out_is_remembered_and_old_keys_are_not(place: impl Place) {
    check_moving_out(place.open().as_mut());
}

fn a_reader_sees_what_was_committed(place: impl Place) {
    let (mut store, mut model) = filled(&place);
    let mut reader = store.reader().unwrap().expect("there is a way beside the writer");
    for _ in 0..3 {
        model.check_history(reader.as_mut());
        let flush = model.next_flush(&[1], 3, true);
        store.append(&flush).unwrap();
        model.apply(&flush);
    }
    drop(store);
    model.check_history(reader.as_mut());
}

fn a_name_that_nobody_can_have_finds_nothing(place: impl Place) {
    let (mut store, model) = filled(&place);
    let mut reader = store.reader().unwrap().expect("there is a way beside the writer");
    let nobody = || "no\0body".to_owned();
    let questions = [
        HistoryQuery::Package {
            id: nobody(),
            owner: None,
        },
        HistoryQuery::Package {
            id: "package-0".to_owned(),
            owner: Some(nobody()),
        },
        HistoryQuery::ById {
            owner: Some(nobody()),
            stage: None,
            after: None,
            limit: 10,
        },
        HistoryQuery::ByEnd {
            owner: Some(nobody()),
            from: SimTime::START,
            until: SimTime::NEVER,
            after: None,
            limit: 10,
        },
    ];
    for question in questions {
        assert_eq!(reader.history(&question), Ok(Found::default()), "{question:?}");
    }
    model.check_history(reader.as_mut());
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
    /// The process is killed, and started on what is left.
    Crash,
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
        1 => Just(Step::Restart),
    ]
}

fn run(mut place: impl Place, steps: &[Step]) {
    let mut store = place.open();
    let mut model = Model::default();
    let mut last = Flush::default();
    for step in steps {
        match step {
            Step::Flush {
                batch_sizes,
                ticks,
                snapshot,
            } => {
                if *snapshot {
                    model.take_some_off(store.as_mut());
                }
                last = model.next_flush(batch_sizes, *ticks, *snapshot);
                store.append(&last).unwrap();
                model.apply(&last);
            }
            Step::Again => store.append(&last).unwrap(),
            Step::Crash => {
                place.crash(store);
                store = place.open();
            }
            Step::Restart => {
                drop(store);
                store = place.open();
            }
        }
        model.check(store.as_mut());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_crash_leaves_a_hole_or_a_double_in_a_folder(steps in prop::collection::vec(any_step(), 1..20)) {
        run(Folder::new(), &steps);
    }

    #[test]
    fn no_crash_leaves_a_hole_or_a_double_in_a_database(steps in prop::collection::vec(any_step(), 1..20)) {
        run(Database::new(), &steps);
    }
}
