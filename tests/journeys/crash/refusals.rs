//! A data folder is one world's and one server's.

use std::time::Duration;

use rusqlite::Connection;
use skyhaul::store::sqlite::DATABASE;
use tempfile::TempDir;

use crate::support::child::Child;
use crate::support::world::busy_file;

const SOON: Duration = Duration::from_secs(30);

/// How a server that does not start ends, and what it says.
async fn refused(mut child: Child) -> (Option<i32>, String) {
    let status = child.ended(SOON).await.expect("it does not start");
    (status.code(), child.log())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worlds_store_is_refused_in_words_and_fresh_begins_anew_under_a_new_epoch() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    let before = child.serving().await.run_until(700).await;
    child.kill();

    let others = [
        (scenario.as_path(), &["--seed", "8"][..]),
        ("scenarios/tiny.toml".as_ref(), &[]),
    ];
    for (other, flags) in others {
        let (code, log) = refused(Child::spawn(other, &data, flags)).await;
        assert_eq!(code, Some(2), "{log}");
        assert!(
            log.contains("holds another world") && log.contains("--fresh"),
            "{log}"
        );
    }
    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    let after = child.serving().await.clock().await;
    assert_eq!(
        (after.tick, after.digest),
        (before.tick, before.digest),
        "nothing was touched"
    );
    child.kill();

    let mut child = Child::spawn(&scenario, &data, &["--paused", "--fresh", "--seed", "8"]);
    let anew = child.serving().await.clock().await;
    assert_eq!(anew.tick, 0);
    assert_ne!(anew.epoch, before.epoch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_another_version_left_behind_is_refused_in_words() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    child.serving().await.run_until(700).await;
    child.kill();
    let database = Connection::open(data.join(DATABASE)).unwrap();
    let changed = database
        .execute(
            "UPDATE snapshot SET engine = CAST(x'00' || substr(engine, 2) AS BLOB)",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);

    let (code, log) = refused(Child::spawn(&scenario, &data, &["--paused"])).await;
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("in format 0") && log.contains("--fresh"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_share_a_folder() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    let first = child.serving().await;
    for flags in [&[][..], &["--fresh"]] {
        let (code, log) = refused(Child::spawn(&scenario, &data, flags)).await;
        assert_eq!(code, Some(2), "{log}");
        assert!(log.contains("in use by another server (process "), "{log}");
    }
    assert_eq!(first.run_until(700).await.tick, 700, "the first goes on");
}
