//! A data folder that an older program left behind is taken on, or left exactly as it is.

use std::path::Path;

use rusqlite::{Connection, params};
use skyhaul::server::Options;
use skyhaul::store::sqlite::DATABASE;
use tempfile::TempDir;

use crate::support::child::Child;
use crate::support::server::{Running, kept_in};
use crate::support::worlds::{shipped, tiny};

/// The tiny world as the last program of format 1 left it: stopped at tick 630, with a
/// snapshot of tick 600 and one delivery on its way.
const FORMAT_1: &[u8] = include_bytes!("stores/format-1.db");
const DELIVERY: &str = "01a1fecb-a847-7337-9349-093fad1f38da";

/// Puts it there; only the hash of its scenario is today's, which is not what is looked at.
fn leave_behind(data: &Path) -> Connection {
    let path = data.join(DATABASE);
    std::fs::write(&path, FORMAT_1).unwrap();
    let database = Connection::open(path).unwrap();
    database
        .execute(
            "UPDATE world SET scenario_hash = ?1",
            params![tiny().scenario_hash],
        )
        .unwrap();
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_of_an_older_program_goes_on() {
    let folder = TempDir::new().unwrap();
    drop(leave_behind(folder.path()));
    for _ in ["migrated", "opened again"] {
        let server = Running::start(tiny(), kept_in(folder.path())).await;
        let operator = server.client();
        assert_eq!(operator.simulation().await["tick"], 630);
        let before = operator.status(DELIVERY).await;
        assert_eq!(before["stage"], "HeadedToPickup", "{before}");
        server.stop().await;
    }
    let server = Running::start(tiny(), kept_in(folder.path())).await;
    let operator = server.client();
    operator.run_to(6_000).await;
    assert_eq!(operator.status(DELIVERY).await["stage"], "Completed");
    server.stop().await;
}

/// A snapshot holds only who had mail since the one before; the others must not stay behind in
/// the format of the older program.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_had_no_mail_since_are_brought_to_the_newest_format_too() {
    let folder = TempDir::new().unwrap();
    drop(leave_behind(folder.path()));
    let quiet = || Options {
        demand: false,
        ..kept_in(folder.path())
    };
    let server = Running::start(tiny(), quiet()).await;
    // The next snapshot is taken at tick 1,200, and kept with the tick after it.
    server.client().run_to(1_210).await;
    server.stop().await;
    let kept: u64 = Connection::open(folder.path().join(DATABASE))
        .unwrap()
        .query_row("SELECT tick FROM snapshot", [], |row| row.get(0))
        .unwrap();
    assert!(kept > 600, "a snapshot was taken");
    let server = Running::start(tiny(), quiet()).await;
    assert!(server.client().simulation().await["tick"].as_u64() >= Some(1_210));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_is_not_understood_stays_as_its_own_program_left_it() {
    let folder = TempDir::new().unwrap();
    let database = leave_behind(folder.path());
    database
        .execute(
            "UPDATE snapshot SET engine = CAST(x'08' || substr(engine, 2) AS BLOB)",
            [],
        )
        .unwrap();
    drop(database);

    let scenario = shipped("tiny");
    let mut child = Child::spawn(&scenario, folder.path(), &["--paused"]);
    let status = child
        .ended(crate::support::PATIENCE)
        .await
        .expect("it does not start");
    let log = child.log();
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(
        log.contains("in format 8") && log.contains("use the program that made it"),
        "{log}"
    );
    let database = Connection::open(folder.path().join(DATABASE)).unwrap();
    let format: i64 = database
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, 1, "nothing is rewritten");
}
