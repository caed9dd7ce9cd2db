//! What is PostgreSQL's own: connections that are lost, sessions that others end, and
//! databases that hold other things.

use std::thread;

use super::location::Location;
use super::*;
use crate::store::places::cluster::{self, Cluster};
use crate::store::places::cut_off;
use crate::store::testing::{Model, WORLD};

fn open_world(url: &str) -> PostgresStore {
    open(url, &WORLD, false).unwrap()
}

fn refusal(url: &str) -> StoreError {
    open(url, &WORLD, false).err().expect("the store must not open")
}

/// Makes a flush durable, trying again as long as that may help.
fn append_at_last(store: &mut PostgresStore, flush: &Flush) {
    let mut errors = Vec::new();
    for _ in 0..200 {
        match store.append(flush) {
            Ok(()) => return,
            Err(error) if error.is_retryable() => errors.push(error),
            Err(error) => panic!("{error:?} after {errors:?}"),
        }
    }
    panic!("it never works again: {errors:?}");
}

#[test]
fn every_commit_is_flushed_whatever_the_custom_of_the_database() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    let name = url.rsplit('/').next().unwrap();
    cluster.ask(
        &url,
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    );
    let mut store = open_world(&url);
    let setting = store.attempt(TO_ANSWER, async |link| {
        let rows = link.rows("SHOW synchronous_commit", &[]).await?;
        Ok(rows[0].try_get::<_, String>(0)?)
    });
    assert_eq!(setting, Ok("on".to_owned()));
}

#[test]
fn a_lost_connection_is_made_again_and_nothing_is_lost_or_doubled() {
    let url = cluster::shared().database();
    let mut store = open_world(&url);
    let mut model = Model::default();
    for round in 0..12_u64 {
        let flush = model.next_flush(&[round % 3, 2], round % 4 + 1, round % 5 == 4);
        for part in flush.in_slices(1) {
            cut_off(&url);
            append_at_last(&mut store, &part);
            model.apply(&part);
        }
        model.check(&mut store);
    }
}

/// The connection is cut at any moment of an append, and so also between a commit and its
/// acknowledgement.
#[test]
fn whatever_moment_the_connection_is_cut_at_the_journal_goes_on() {
    let url = cluster::shared().database();
    let mut store = open_world(&url);
    let mut model = Model::default();
    thread::scope(|scope| {
        let cutting = scope.spawn(|| (0..25).for_each(|_| cut_off(&url)));
        while !cutting.is_finished() {
            let flush = model.next_flush(&[3, 2], 2, model.ticks.len() % 7 == 0);
            for part in flush.in_slices(1) {
                append_at_last(&mut store, &part);
                model.apply(&part);
            }
        }
    });
    model.check(&mut store);
}

#[test]
fn a_database_that_dies_is_waited_for_and_has_all_that_it_acknowledged() {
    let cluster = Cluster::start();
    let url = cluster.database();
    let mut store = open_world(&url);
    let mut model = Model::default();
    let endings: [fn(&Cluster); 2] = [Cluster::kill, Cluster::stop];
    for end in endings {
        // It dies between two slices of a snapshot,
        let mut parts = model.next_flush(&[4], 3, true).in_slices(1);
        let rest = parts.split_off(1);
        store.append(&parts[0]).unwrap();
        model.apply(&parts[0]);
        end(&cluster);
        // where sessions outlive the process that all hang on by a moment, and serve.
        let mut rest = rest.into_iter();
        let (flush, error) = loop {
            let flush = rest.next().unwrap_or_else(|| model.next_flush(&[4], 3, true));
            match store.append(&flush) {
                Ok(()) => model.apply(&flush),
                Err(error) => break (flush, error),
            }
        };
        assert!(
            matches!(error, StoreError::Unreachable { .. }) && error.is_retryable(),
            "{error:?}"
        );
        assert!(store.probe().unwrap_err().is_retryable());
        assert!(store.last_command_seq().is_err(), "nobody knows");
        cluster.start_again();
        for flush in [flush].into_iter().chain(rest) {
            append_at_last(&mut store, &flush);
            model.apply(&flush);
        }
        model.check(&mut store);
    }
}

#[test]
fn who_lost_the_connection_does_not_write_after_another_server_has() {
    let url = cluster::shared().database();
    let mut first = open_world(&url);
    let mut model = Model::default();
    let flush = model.next_flush(&[2], 2, false);
    first.append(&flush).unwrap();
    model.apply(&flush);

    cut_off(&url);
    let mut second = open_world(&url);
    let next = model.next_flush(&[2], 2, false);
    second.append(&next).unwrap();
    model.apply(&next);
    let end_of_the_first = |first: &mut PostgresStore| loop {
        match first.append(&next).unwrap_err() {
            // The word that the session was ended.
            StoreError::Unreachable { .. } => {}
            error => break error,
        }
    };
    let while_the_other_runs = end_of_the_first(&mut first);
    drop(second);
    let after_it = end_of_the_first(&mut first);
    for error in [while_the_other_runs, after_it] {
        assert!(
            matches!(error, StoreError::TakenOver { .. }) && !error.is_retryable(),
            "{error:?}"
        );
    }
    model.check(&mut open_world(&url));
}

#[test]
fn tables_that_are_no_store_are_refused_and_left_alone() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    cluster.ask(
        &url,
        "CREATE TABLE record (diary text); INSERT INTO record VALUES ('dear to me')",
    );
    for fresh in [false, true] {
        let error = open(&url, &WORLD, fresh).err().unwrap();
        assert!(matches!(error, StoreError::NotAStore { .. }), "{error:?}");
    }
    assert_eq!(cluster.ask(&url, "SELECT diary FROM record"), "dear to me");

    let url = cluster.database();
    cluster.ask(
        &url,
        "CREATE TABLE diary (page text); INSERT INTO diary VALUES ('dear to me')",
    );
    drop(open_world(&url));
    drop(open(&url, &WORLD, true).unwrap());
    assert_eq!(cluster.ask(&url, "SELECT page FROM diary"), "dear to me");
}

#[test]
fn a_store_of_format_1_becomes_the_newest_with_all_it_held() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    let mut store = open_world(&url);
    let mut model = Model::default();
    for _ in 0..2 {
        let mut flush = model.next_flush(&[3], 4, true);
        if let Some(snapshot) = &mut flush.snapshot {
            (snapshot.history, snapshot.sums, snapshot.totals) = Default::default();
        }
        for row in &mut flush.ticks {
            row.notices.clear();
        }
        store.append(&flush).unwrap();
        model.apply(&flush);
    }
    drop(store);
    cluster.ask(
        &url,
        "DROP TABLE history, moved, moved_day, sums, outbox, undo;
         ALTER TABLE world DROP COLUMN posted;
         ALTER TABLE snapshot DROP COLUMN totals;
         ALTER TABLE idempotency DROP COLUMN kept_since;
         UPDATE skyhaul_store SET format = 1",
    );
    for _ in ["migrated", "opened again"] {
        let mut store = open_world(&url);
        model.check(&mut store);
        assert_eq!(
            store.forget_keys(1_000_000, 10),
            Ok(0),
            "keys are as old as the new format"
        );
    }
    let mut store = open_world(&url);
    let flush = model.next_flush(&[1], 2, true);
    store.append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut store);
}

#[test]
fn a_store_of_format_4_takes_slices() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    let mut store = open_world(&url);
    let mut model = Model::default();
    let flush = model.next_flush(&[3], 4, true);
    store.append(&flush).unwrap();
    model.apply(&flush);
    drop(store);
    cluster.ask(&url, "DROP TABLE undo; UPDATE skyhaul_store SET format = 4");
    for _ in ["migrated", "opened again"] {
        let mut store = open_world(&url);
        model.check(&mut store);
        for part in model.next_flush(&[], 2, true).in_slices(1) {
            store.append(&part).unwrap();
            model.apply(&part);
        }
        model.check(&mut store);
    }
}

/// As a server does that looks for its lock before the database has missed it.
#[test]
fn a_lock_that_nobody_opened_the_store_with_is_waited_for() {
    let url = cluster::shared().database();
    let mut store = open_world(&url);
    let mut model = Model::default();
    cut_off(&url);
    let line = Line::new(Location::parse(&url).unwrap()).unwrap();
    let left_over = line.link();
    let flush = model.next_flush(&[1], 1, false);
    let error = loop {
        match store.append(&flush).unwrap_err() {
            StoreError::Unreachable { .. } => {}
            error => break error,
        }
    };
    assert!(
        matches!(&error, StoreError::Busy { cause } if cause.contains("is locked by process")),
        "{error:?}"
    );
    assert!(
        left_over.is_ok_and(|link| !link.is_closed()),
        "it was there all along"
    );
    append_at_last(&mut store, &flush);
    model.apply(&flush);
    model.check(&mut store);
}

#[test]
fn a_database_can_be_reached_through_its_socket() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    let (folder, port) = (
        cluster.ask(&url, "SHOW unix_socket_directories"),
        cluster.ask(&url, "SHOW port"),
    );
    let name = url.rsplit('/').next().unwrap();
    let socket = format!("postgresql:///{name}?user=skyhaul&host={folder}&port={port}");
    let mut model = Model::default();
    let flush = model.next_flush(&[1], 1, true);
    open_world(&socket).append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut open_world(&url));
}

#[test]
fn two_schemas_are_two_stores() {
    let (cluster, url) = (cluster::shared(), cluster::shared().database());
    cluster.ask(&url, "CREATE SCHEMA one; CREATE SCHEMA two");
    let in_schema = |name: &str| format!("{url}?options=-csearch_path%3D{name}");
    let mut one = open_world(&in_schema("one"));
    let mut two = open(&in_schema("two"), &Identity { seed: 2, ..WORLD }, false).unwrap();
    let mut model = Model::default();
    let flush = model.next_flush(&[2], 2, true);
    one.append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut one);
    Model::default().check(&mut two);
    let error = refusal(&in_schema("three"));
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
}

#[test]
fn what_keeps_a_database_from_being_used_is_said_without_the_password() {
    let url = cluster::shared().database();
    let wrong_password = url.replace(cluster::PASSWORD, "s3cret");
    let (base, _) = url.rsplit_once('/').unwrap();
    let no_database = format!("{base}/nowhere");
    let nobody_there = "postgres://ada:s3cret@127.0.0.1:1/world".to_owned();
    for (url, cause) in [
        (wrong_password, "password authentication failed"),
        (no_database, "database \"nowhere\" does not exist"),
        (nobody_there, "refused"),
    ] {
        let error = refusal(&url);
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(cause), "{text}");
        assert!(
            !text.contains("s3cret") && !text.contains(cluster::PASSWORD),
            "{text}"
        );
    }
}

#[tokio::test]
async fn it_can_be_used_on_a_thread_that_runs_tasks() {
    let url = cluster::shared().database();
    let mut store = open_world(&url);
    let mut model = Model::default();
    let flush = model.next_flush(&[2], 2, true);
    store.append(&flush).unwrap();
    model.apply(&flush);
    model.check(&mut store);
}
