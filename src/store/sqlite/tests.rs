//! The store in a folder: whose it is, what it refuses, and starting over.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::store::faulty::{Tear, copy_as_after_crash};
use crate::store::testing::{Model, WORLD, batch, check_moving_out, commands_only};

pub(super) fn open_world(dir: &Path) -> SqliteStore {
    open(dir, &WORLD, false).unwrap()
}

/// As errors name a place.
fn words(path: &Path) -> String {
    path.display().to_string()
}

fn refusal(dir: &Path, fresh: bool) -> StoreError {
    open(dir, &WORLD, fresh).err().expect("the store must not open")
}

/// A store with one flush of each kind in its write-ahead log.
pub(super) fn filled(dir: &Path) -> (SqliteStore, Model) {
    let mut store = open_world(dir);
    let mut model = Model::default();
    for with_snapshot in [false, true] {
        let flush = model.next_flush(&[3, 8], 4, with_snapshot);
        store.append(&flush).unwrap();
        model.apply(&flush);
    }
    (store, model)
}

#[test]
fn every_commit_is_flushed() {
    let dir = TempDir::new().unwrap();
    let store = open_world(dir.path());
    let journal: String = store
        .conn
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    let synchronous: i64 = store
        .conn
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .unwrap();
    assert_eq!((journal.as_str(), synchronous), ("wal", 2));
}

#[test]
fn a_missing_folder_is_made_for_the_owner_alone() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("made/here");
    drop(open_world(&dir));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join(DATABASE)), 0o600);
}

#[test]
fn files_that_are_no_store_are_refused_and_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(DATABASE);
    fs::write(&path, "my diary, dear to me").unwrap();
    for fresh in [false, true] {
        assert_eq!(
            refusal(dir.path(), fresh),
            StoreError::NotAStore { place: words(&path) }
        );
    }
    assert_eq!(fs::read(&path).unwrap(), b"my diary, dear to me");

    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE diary (day TEXT)")
        .unwrap();
    for fresh in [false, true] {
        assert_eq!(
            refusal(dir.path(), fresh),
            StoreError::NotAStore { place: words(&path) }
        );
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [file.clone(), file.join("data")] {
        let error = refusal(&place, false);
        assert!(
            matches!(&error, StoreError::Unwritable { place: named, .. } if *named == words(&place)),
            "{error:?}"
        );
    }
}

#[test]
fn a_damaged_database_is_refused_and_can_be_started_over() {
    let dir = TempDir::new().unwrap();
    drop(filled(dir.path()));
    let path = dir.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let error = refusal(dir.path(), false);
    assert!(
        matches!(error, StoreError::Corrupt { .. }) && !error.is_retryable(),
        "{error:?}"
    );
    let mut store = open(dir.path(), &WORLD, true).unwrap();
    assert!(
        store.epoch() > Epoch(1_000_000),
        "an epoch that no listener saw: {}",
        store.epoch()
    );
    Model::default().check(&mut store);
}

#[test]
fn fresh_replaces_the_store_only_and_raises_the_epoch() {
    let dir = TempDir::new().unwrap();
    let (mut store, _) = filled(dir.path());
    // As one that was counted far up, or by a clock that was ahead.
    let ahead = Epoch(1 << 60);
    store.set_epoch(ahead).unwrap();
    let crashed = TempDir::new().unwrap();
    copy_as_after_crash(dir.path(), crashed.path(), &Tear::None).unwrap();
    fs::write(crashed.path().join("notes.txt"), "mine").unwrap();

    let other = Identity { seed: 1, ..WORLD };
    let mut store = open(crashed.path(), &other, true).unwrap();
    assert_eq!((store.epoch(), store.identity()), (ahead.next(), other));
    Model::default().check(&mut store);
    store.append(&commands_only(batch(1, 2))).unwrap();
    drop(store);

    let mut store = open(crashed.path(), &other, false).unwrap();
    assert_eq!(store.epoch(), ahead.next());
    assert_eq!(store.last_command_seq(), Ok(2));
    assert_eq!(fs::read(crashed.path().join("notes.txt")).unwrap(), b"mine");
}

#[test]
fn a_log_without_its_database_is_not_taken_for_the_new_ones() {
    let dir = TempDir::new().unwrap();
    let (_store, _) = filled(dir.path());
    let crashed = TempDir::new().unwrap();
    copy_as_after_crash(dir.path(), crashed.path(), &Tear::None).unwrap();
    fs::remove_file(crashed.path().join(DATABASE)).unwrap();
    Model::default().check(&mut open_world(crashed.path()));
}

#[test]
fn what_is_moved_out_of_memory_is_remembered_and_old_keys_are_not() {
    check_moving_out(&mut in_memory(&WORLD).unwrap());
}

#[test]
fn a_copy_made_between_two_slices_is_of_the_snapshot_before() {
    let dir = TempDir::new().unwrap();
    let (mut store, mut model) = filled(dir.path());
    for (index, part) in model.next_flush(&[2], 3, true).in_slices(1).iter().enumerate() {
        store.append(part).unwrap();
        model.apply(part);
        let out = TempDir::new().unwrap();
        let last_tick = backup(dir.path(), out.path()).unwrap();
        assert_eq!(last_tick, model.last_tick(), "after flush {index}");
        let mut left = model.clone();
        left.reopened();
        left.check(&mut open_world(out.path()));
    }
    model.check(&mut store);
}

#[test]
fn a_reader_sees_what_was_committed_while_the_writer_writes() {
    let dir = TempDir::new().unwrap();
    let (mut store, mut model) = filled(dir.path());
    let mut reader = store.reader().unwrap().expect("a store on disk has readers");
    let unfinished = store.conn.transaction().unwrap();
    unfinished.execute("DELETE FROM history", []).unwrap();
    model.check_history(reader.as_mut());
    drop(unfinished);
    let flush = model.next_flush(&[1], 3, true);
    store.append(&flush).unwrap();
    model.apply(&flush);
    model.check_history(reader.as_mut());
}
