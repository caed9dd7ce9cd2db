//! A data folder that an older program left behind is taken on, or left exactly as it is.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;
use skyhaul::scenario;
use skyhaul::server::Options;
use skyhaul::sim::world::World;
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

/// A small world as the first program of format 7 left it, a tick after a snapshot: a guest at
/// another hub than its own, one that holds over a hub that is closed, three others in the air,
/// five that wait on the ground, and requests that wait for a drone.
const FORMAT_7: &[u8] = include_bytes!("stores/format-7.db");
const WORLD_OF_FORMAT_7: &str = include_str!("stores/format-7.toml");
const LEFT_AT: (u64, &str) = (
    3_601,
    "561a26def57fd7194ad1b68b4b0617efacad1550161daaa1c0045584b45450b8",
);

fn world_of_format_7() -> World {
    let parsed = scenario::parse(WORLD_OF_FORMAT_7, "format-7.toml", Path::new(""));
    parsed.expect("the scenario is sound").world
}

/// What it comes to at the last of these ticks; it is stopped and opened again at the others.
async fn gone_on_with(threads: usize, stops: &[u64]) -> Value {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(DATABASE);
    std::fs::write(&path, FORMAT_7).unwrap();
    let world = world_of_format_7();
    let epoch = {
        let database = Connection::open(&path).unwrap();
        let hash = params![world.scenario_hash];
        database
            .execute("UPDATE world SET scenario_hash = ?1", hash)
            .unwrap();
        let epoch: i64 = database
            .query_row("SELECT epoch FROM world", [], |row| row.get(0))
            .unwrap();
        epoch
    };
    let mut digest = Value::Null;
    for until in stops {
        let options = Options {
            threads,
            ..kept_in(folder.path())
        };
        let server = Running::start(world.clone(), options).await;
        let operator = server.client();
        let found = operator.simulation().await;
        assert_eq!(found["epoch"], format!("e{epoch}"), "nothing came out otherwise");
        if digest.is_null() {
            assert_eq!(
                (&found["tick"], &found["digest"]),
                (&LEFT_AT.0.into(), &LEFT_AT.1.into())
            );
            let (_, hubs) = operator.get("/api/hubs").await;
            let sum = |of: &str| -> u64 {
                let hubs = hubs["items"].as_array().unwrap().iter();
                hubs.map(|hub| hub[of].as_u64().unwrap()).sum()
            };
            assert_eq!((sum("departing"), sum("holding")), (5, 1), "{hubs}");
        }
        operator.run_to(*until).await;
        digest = operator.simulation().await["digest"].clone();
        server.stop().await;
    }
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_world_of_format_7_is_opened_as_it_was_left_and_goes_on_in_one_way() {
    let at_once = gone_on_with(1, &[8_000]).await;
    assert_eq!(gone_on_with(2, &[5_003, 8_000]).await, at_once);
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
