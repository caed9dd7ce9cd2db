//! A backup that is taken while the server runs under load is a store to start from, with all
//! that was acknowledged before it began.

use std::path::Path;

use skyhaul::store::faulty::Tear;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::journal::Journal;
use super::ledger::Ledger;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::program::{self, Ended, skyhaul};
use crate::support::world::busy_file;

const CUSTOMERS: usize = 4;

async fn backup(data: &Path, out: &Path) -> Ended {
    let arguments = ["backup".into(), "--data".into(), data.to_owned(), out.to_owned()];
    let ran = tokio::task::spawn_blocking(move || program::run(&skyhaul(), arguments));
    ran.await.unwrap()
}

async fn keep_ordering(server: Operator, ledger: Ledger) {
    while server.try_clock().await.is_some() {
        let request = ledger.new_request(true);
        ledger.note(&request, server.order(&request).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_has_all_that_was_acknowledged_before_it_began() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut child = Child::spawn(&scenario, &data, &["--speed", "200"]);
    let server = child.serving().await;
    let ledger = Ledger::default();
    let mut customers = JoinSet::new();
    for _ in 0..CUSTOMERS {
        customers.spawn(keep_ordering(server.clone(), ledger.clone()));
    }
    let mut copies = Vec::new();
    for ticks in [400, 1_500, 3_000] {
        let there = server
            .clock_where("the clock goes", |clock| clock.tick > ticks)
            .await;
        let acknowledged = ledger.acknowledged();
        let out = folder.path().join(format!("copy-{ticks}"));
        let ended = backup(&data, &out).await;
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        copies.push((out, there, acknowledged));
    }
    child.kill();
    while customers.join_next().await.is_some() {}
    assert!(copies.iter().all(|(_, _, acknowledged)| !acknowledged.is_empty()));

    let last = Journal::of(&data, &Tear::None);
    for (out, there, acknowledged) in copies {
        let kept = Journal::of(&out, &Tear::None);
        let mut child = Child::spawn(&scenario, &out, &["--paused"]);
        let server = child.serving().await;
        let clock = server.clock().await;
        assert!(clock.tick >= there.tick && clock.tick == kept.last_tick());
        assert_eq!(
            clock.epoch, there.epoch,
            "its past is lived again to the same digests"
        );
        assert_eq!(Some(&clock.digest), kept.digest_at(clock.tick));
        if let Some(digest) = last.digest_at(clock.tick) {
            assert_eq!(*digest, clock.digest, "and is that of the original");
        }
        let listed = server.deliveries(None).await;
        let ids: std::collections::BTreeSet<_> = listed.into_iter().map(|one| one.delivery.id).collect();
        for id in acknowledged {
            assert!(ids.contains(&id), "{id} was acknowledged");
        }
        let end = server.run_until(clock.tick + 700).await;
        child.kill();
        let mut child = Child::spawn(&scenario, &out, &["--paused"]);
        let again = child.serving().await.clock().await;
        assert_eq!(
            (again.tick, again.digest),
            (end.tick, end.digest),
            "it is a store like any"
        );
        child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_replaces_nothing_and_takes_the_key_and_the_days_along() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let out = folder.path().join("copy");
    let nothing = backup(&data, &out).await;
    assert_eq!(nothing.status, Some(2));
    assert!(
        nothing.stderr.contains("there is no store in"),
        "{}",
        nothing.stderr
    );

    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    child.serving().await.run_until(700).await;
    child.kill();
    std::fs::create_dir(data.join("history")).unwrap();
    std::fs::write(data.join("history/2026-06-01.parquet"), "a day").unwrap();
    std::fs::write(data.join("notes.txt"), "mine").unwrap();
    let first = backup(&data, &out).await;
    assert_eq!(first.status, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("tick 700"), "{}", first.stdout);
    let read = |folder: &Path, file: &str| std::fs::read(folder.join(file)).ok();
    for file in ["token.key", "history/2026-06-01.parquet"] {
        assert!(read(&out, file).is_some(), "{file}");
        assert_eq!(read(&out, file), read(&data, file));
    }
    assert_eq!(read(&out, "notes.txt"), None);
    let second = backup(&data, &out).await;
    assert_eq!(second.status, Some(2));
    assert!(
        second.stderr.contains("a store is there already"),
        "{}",
        second.stderr
    );
    let database = ["backup", "--data", "postgres://ada:s3cret@db/world", "copy"];
    let database = program::run(&skyhaul(), database);
    assert_eq!(database.status, Some(2));
    assert!(
        database.stderr.contains("pg_dump") && !database.stderr.contains("s3cret"),
        "{}",
        database.stderr
    );
}
