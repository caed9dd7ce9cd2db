//! A snapshot that goes ahead in slices is, in each place, the same as one in one piece; and
//! without its last flush it never was.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::places::{Database, Folder, Place, in_each_place};
use super::testing::{Model, delivery};
use super::{Flush, Slice, Store, StoreError};

in_each_place!(
    a_snapshot_in_slices_reads_as_one_in_one_piece,
    a_store_that_ends_between_slices_has_the_snapshot_before,
    a_slice_that_comes_again_changes_nothing,
    a_slice_that_does_not_go_on_is_refused,
);

fn append(store: &mut dyn Store, model: &mut Model, flush: &Flush) {
    store.append(flush).unwrap();
    model.apply(flush);
}

/// With these states in its snapshot, in the place of the model's own.
fn with_states(mut flush: Flush, actors: &[(&str, Option<u8>)], records: &[(u64, u8)]) -> Flush {
    let snapshot = flush.snapshot.as_mut().unwrap();
    snapshot.actors = (actors.iter())
        .map(|(key, state)| (key.as_bytes().to_vec(), state.map(|byte| vec![byte; 40])))
        .collect();
    snapshot.records = (records.iter())
        .map(|(number, byte)| (delivery(*number), vec![*byte; 9]))
        .collect();
    flush
}

/// A snapshot in one piece, and after it one that changes, ends and begins actors and records,
/// in three slices and the flush with the rest.
fn one_and_the_next_in_slices(store: &mut dyn Store, model: &mut Model) -> Vec<Flush> {
    let flush = with_states(
        model.next_flush(&[2], 3, true),
        &[("changes", Some(1)), ("ends", Some(1)), ("comes", None)],
        &[(200, 1), (201, 1)],
    );
    append(store, model, &flush);
    let next = with_states(
        model.next_flush(&[3, 1], 2, true),
        &[("changes", Some(2)), ("ends", None), ("comes", Some(2))],
        &[(200, 2), (300 + model.last_tick(), 2)],
    );
    next.in_slices(1)
}

fn reopened(place: &mut impl Place, store: Box<dyn Store>, is_killed: bool) -> Box<dyn Store> {
    match is_killed {
        true => place.crash(store),
        false => drop(store),
    }
    place.open()
}

fn a_snapshot_in_slices_reads_as_one_in_one_piece(mut place: impl Place) {
    let (mut store, mut model) = (place.open(), Model::default());
    for is_killed in [false, true] {
        let parts = one_and_the_next_in_slices(store.as_mut(), &mut model);
        assert_eq!(parts.len(), 4);
        for part in &parts {
            append(store.as_mut(), &mut model, part);
        }
        model.check(store.as_mut());
        store = reopened(&mut place, store, is_killed);
        model.check(store.as_mut());
    }
}

fn a_store_that_ends_between_slices_has_the_snapshot_before(mut place: impl Place) {
    let (mut store, mut model) = (place.open(), Model::default());
    for slices in 1..=3 {
        for is_killed in [false, true] {
            let parts = one_and_the_next_in_slices(store.as_mut(), &mut model);
            for part in &parts[..slices] {
                append(store.as_mut(), &mut model, part);
            }
            store = reopened(&mut place, store, is_killed);
            model.reopened();
            model.check(store.as_mut());
            // The next one may be of any tick.
            let flush = model.next_flush(&[1], slices as u64, true);
            for part in flush.in_slices(1) {
                append(store.as_mut(), &mut model, &part);
            }
            model.check(store.as_mut());
        }
    }
}

fn a_slice_that_comes_again_changes_nothing(mut place: impl Place) {
    let (mut store, mut model) = (place.open(), Model::default());
    let parts = one_and_the_next_in_slices(store.as_mut(), &mut model);
    for part in &parts[..3] {
        append(store.as_mut(), &mut model, part);
    }
    for part in &parts[..3] {
        store.append(part).unwrap();
    }
    store = reopened(&mut place, store, true);
    model.reopened();
    model.check(store.as_mut());

    for part in &parts {
        store.append(part).unwrap();
        store.append(part).unwrap();
    }
    for part in &parts {
        // Of these the commands are there since the first time.
        model.apply(&Flush {
            ingest: Vec::new(),
            ..part.clone()
        });
    }
    store.append(&parts[1]).unwrap();
    model.check(store.as_mut());
}

fn a_slice_that_does_not_go_on_is_refused(place: impl Place) {
    let (mut store, mut model) = (place.open(), Model::default());
    let parts = one_and_the_next_in_slices(store.as_mut(), &mut model);
    let tick = parts[3].snapshot.as_ref().unwrap().tick;
    let slice = |tick, number| Flush {
        slice: Some(Slice {
            tick,
            number,
            actors: vec![(b"changes".to_vec(), Some(vec![9]))],
            records: Vec::new(),
        }),
        ..Flush::default()
    };
    let refused = |store: &mut dyn Store, flush: &Flush| {
        let error = store.append(flush).unwrap_err();
        assert!(matches!(error, StoreError::OutOfOrder { .. }), "{error:?}");
    };
    refused(store.as_mut(), &slice(tick, 1));
    append(store.as_mut(), &mut model, &parts[0]);
    for wrong in [slice(tick, 2), slice(tick + 1, 0), slice(tick + 1, 1)] {
        refused(store.as_mut(), &wrong);
    }
    // Another snapshot's flush would take this one's slices for its own.
    refused(store.as_mut(), &model.next_flush(&[], 1, true));
    for part in &parts[1..] {
        append(store.as_mut(), &mut model, part);
    }
    model.check(store.as_mut());
}

/// One snapshot, and what comes in its way.
#[derive(Clone, Debug)]
struct Round {
    batch_sizes: Vec<u64>,
    ticks: u64,
    actors: BTreeMap<u8, Option<u8>>,
    records: BTreeMap<u8, u8>,
    /// Of each kind in a slice; `None` for all in one piece.
    rows: Option<usize>,
    /// Opened again before this flush, and whether killed.
    ends: Option<(usize, bool)>,
    /// This flush comes twice.
    again: usize,
}

fn any_round() -> impl Strategy<Value = Round> {
    (
        prop::collection::vec(0_u64..4, 0..3),
        1_u64..4,
        prop::collection::btree_map(0_u8..8, prop::option::of(any::<u8>()), 0..8),
        prop::collection::btree_map(0_u8..8, any::<u8>(), 0..8),
        prop::option::weighted(0.8, 1_usize..4),
        prop::option::of((0_usize..6, any::<bool>())),
        0_usize..8,
    )
        .prop_map(|(batch_sizes, ticks, actors, records, rows, ends, again)| Round {
            batch_sizes,
            ticks,
            actors,
            records,
            rows,
            ends,
            again,
        })
}

fn run(mut place: impl Place, rounds: &[Round]) {
    let (mut store, mut model) = (place.open(), Model::default());
    for round in rounds {
        let mut flush = model.next_flush(&round.batch_sizes, round.ticks, true);
        let snapshot = flush.snapshot.as_mut().unwrap();
        let actors = round.actors.iter();
        snapshot.actors = actors
            .map(|(key, state)| (vec![*key], state.map(|byte| vec![byte; 30])))
            .collect();
        let records = round.records.iter();
        snapshot.records = records
            .map(|(number, byte)| (delivery(u64::from(*number)), vec![*byte; 7]))
            .collect();
        let parts = match round.rows {
            Some(rows) => flush.in_slices(rows),
            None => {
                // What a snapshot brings and takes away again it does not have when it is repeated.
                let ended: BTreeSet<_> = snapshot.history.iter().map(|row| row.id).collect();
                snapshot.records.retain(|(id, _)| !ended.contains(id));
                vec![flush]
            }
        };
        for (index, part) in parts.iter().enumerate() {
            if let Some((at, is_killed)) = round.ends
                && at == index
            {
                store = reopened(&mut place, store, is_killed);
                model.reopened();
                break;
            }
            append(store.as_mut(), &mut model, part);
            if round.again == index {
                store.append(part).unwrap();
            }
        }
        model.check(store.as_mut());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_ends_between_slices_a_folder_holds_whole_snapshots(
        rounds in prop::collection::vec(any_round(), 1..12)
    ) {
        run(Folder::new(), &rounds);
    }

    #[test]
    fn whatever_ends_between_slices_a_database_holds_whole_snapshots(
        rounds in prop::collection::vec(any_round(), 1..8)
    ) {
        run(Database::new(), &rounds);
    }
}
