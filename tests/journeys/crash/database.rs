//! The database dies, or another server comes: the clock stands still or the newcomer is
//! refused, and nothing that was acknowledged is lost.

use std::path::Path;

use reqwest::StatusCode;
use skyhaul::wire::api::simulation::{Simulation, SimulationState};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::hanging::Hanging;
use super::ledger::Ledger;
use crate::support::PATIENCE;
use crate::support::child::Child;
use crate::support::operator::{Operator, Request};
use crate::support::postgres::{self, Cluster, PASSWORD};
use crate::support::world::{busy, busy_file, undisturbed};

const CUSTOMERS: usize = 4;

/// Orders until the server is gone; who is refused orders something else.
async fn keep_ordering(server: Operator, ledger: Ledger) {
    while server.try_clock().await.is_some() {
        let request = ledger.new_request(true);
        ledger.note(&request, server.order(&request).await);
    }
}

fn is_stalled(clock: &Simulation) -> bool {
    clock.state == SimulationState::Stalled
}

async fn assert_unavailable(server: &Operator) {
    let request = Request {
        owner: "unlucky".to_owned(),
        mark: "during the outage".to_owned(),
        key: None,
        confirmation: None,
    };
    let answer = server.send(&request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("Retry-After"));
    let ready = server.get("/readyz").await.unwrap().status();
    assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_under_load_stops_the_clock_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let scenario = busy_file(folder.path());
    let cluster = Cluster::start();
    let url = cluster.database();
    let mut child = Child::spawn(&scenario, Path::new(&url), &["--speed", "50"]);
    let server = child.serving().await;
    let epoch = server.clock().await.epoch;
    let ledger = Ledger::default();
    let mut customers = JoinSet::new();
    for _ in 0..CUSTOMERS {
        customers.spawn(keep_ordering(server.clone(), ledger.clone()));
    }
    let mut stood_at = Vec::new();
    let endings: [fn(&Cluster); 3] = [Cluster::kill, Cluster::stop, Cluster::kill];
    for end in endings {
        let before = server.clock().await.tick;
        let running = |clock: &Simulation| clock.tick > before + 100;
        server.clock_where("the clock goes", running).await;
        end(&cluster);
        let stalled = server.clock_where("the outage shows", is_stalled).await;
        for _ in 0..20 {
            assert_unavailable(&server).await;
            let clock = server.clock().await;
            assert_eq!((clock.tick, &clock.digest), (stalled.tick, &stalled.digest));
        }
        cluster.start_again();
        server.get_ready().await;
        stood_at.push(stalled);
    }
    let before = server.clock().await.tick;
    server
        .clock_where("the clock goes on", |clock| clock.tick > before + 100)
        .await;
    let log = child.log();
    child.kill();
    while customers.join_next().await.is_some() {}
    assert!(
        log.contains("the store stalls") && log.contains("works again"),
        "{log}"
    );
    assert!(!log.contains(PASSWORD), "{log}");

    let mut child = Child::spawn(&scenario, Path::new(&url), &["--paused"]);
    let server = child.serving().await;
    assert_eq!(server.clock().await.epoch, epoch, "the past is what it was");
    assert!(ledger.len() > 20, "there was load");
    ledger.check(&server).await;
    assert!(server.deliveries(Some("unlucky")).await.is_empty());
    child.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_whose_database_dies_goes_on_as_if_it_had_not() {
    let folder = TempDir::new().unwrap();
    let scenario = busy_file(folder.path());
    let cluster = Cluster::start();
    let url = cluster.database();
    let mut child = Child::spawn(&scenario, Path::new(&url), &["--speed", "100"]);
    let server = child.serving().await;
    let mut seen = Vec::new();
    for tick in [900, 1_800] {
        let there = |clock: &Simulation| clock.tick > tick;
        server.clock_where("the clock goes", there).await;
        cluster.kill();
        let stalled = server.clock_where("the outage shows", is_stalled).await;
        cluster.start_again();
        server.get_ready().await;
        seen.push((stalled.tick, stalled.digest));
    }
    let end = server.pause().await;
    let end = server.run_until(end.tick + 1_000).await;
    seen.push((end.tick, end.digest));
    let never_disturbed = undisturbed(&busy(), seen.iter().map(|(tick, _)| *tick)).await;
    assert_eq!(seen, never_disturbed.into_iter().collect::<Vec<_>>());
    // In the middle of an outage it still ends when it is told to.
    cluster.kill();
    child.terminate();
    assert!(child.ended(PATIENCE).await.is_some(), "{}", child.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_shows_long_before_it_is_given_up() {
    let folder = TempDir::new().unwrap();
    let scenario = busy_file(folder.path());
    let cluster = Cluster::start();
    let url = cluster.database();
    let mut child = Child::spawn(&scenario, Path::new(&url), &["--speed", "50"]);
    let server = child.serving().await;
    let going = |clock: &Simulation| clock.tick > 200;
    server.clock_where("the clock goes", going).await;

    let hanging = Hanging::of(&cluster);
    let stalled = server.clock_where("the outage shows", is_stalled).await;
    let log = child.log();
    assert!(log.contains("the store does not answer"), "{log}");
    assert!(
        !log.contains("the store stalls"),
        "nothing has told an error yet: {log}"
    );
    for _ in 0..5 {
        assert_unavailable(&server).await;
        let clock = server.clock().await;
        assert_eq!((clock.tick, &clock.digest), (stalled.tick, &stalled.digest));
    }
    drop(hanging);
    server.get_ready().await;
    let before = server.clock().await.tick;
    let goes_on = |clock: &Simulation| clock.tick > before + 100;
    server.clock_where("the clock goes on", goes_on).await;
    let end = server.pause().await;
    let end = server.run_until(end.tick + 500).await;
    let seen = [(stalled.tick, stalled.digest), (end.tick, end.digest)];
    let never_disturbed = undisturbed(&busy(), seen.iter().map(|(tick, _)| *tick)).await;
    assert_eq!(seen.to_vec(), never_disturbed.into_iter().collect::<Vec<_>>());
    child.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_share_a_database_and_other_worlds_stay_out() {
    let folder = TempDir::new().unwrap();
    let scenario = busy_file(folder.path());
    let url = postgres::shared().database();
    let spawn = |flags: &[&str]| Child::spawn(&scenario, Path::new(&url), flags);
    let refused = async |flags: &[&str]| {
        let mut child = spawn(flags);
        let status = child.ended(PATIENCE).await.expect("it does not start");
        let log = child.log();
        assert_eq!(status.code(), Some(2), "{log}");
        assert!(!log.contains(PASSWORD), "{log}");
        log
    };
    let mut child = spawn(&["--paused"]);
    let server = child.serving().await;
    for flags in [&["--paused"][..], &["--paused", "--fresh"]] {
        let log = refused(flags).await;
        assert!(log.contains("in use by another server (process "), "{log}");
    }
    let before = server.run_until(700).await;
    child.kill();

    let log = refused(&["--paused", "--seed", "8"]).await;
    assert!(
        log.contains("holds another world") && log.contains("--fresh"),
        "{log}"
    );
    let mut child = spawn(&["--paused"]);
    let after = child.serving().await.clock().await;
    assert_eq!((after.tick, after.digest), (before.tick, before.digest));
    child.kill();
    let mut child = spawn(&["--paused", "--fresh", "--seed", "8"]);
    let anew = child.serving().await.clock().await;
    assert_eq!(anew.tick, 0);
    assert_ne!(anew.epoch, before.epoch);
    assert!(!child.log().contains(PASSWORD), "{}", child.log());
}
