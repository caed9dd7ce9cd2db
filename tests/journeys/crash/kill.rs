//! `kill -9` at random moments, again and again on one store, in a folder and in a database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use skyhaul::sim::random::{Purpose, Stream};
use skyhaul::sim::time::Tick;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::place::Place;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::world::{busy, busy_file, undisturbed};

const CUSTOMERS: u64 = 6;

/// How often the server is killed in each place: 10 times, or as often as `SKYHAUL_CRASHES` says.
fn crashes() -> u64 {
    let asked = std::env::var("SKYHAUL_CRASHES").ok();
    asked.map_or(10, |text| text.parse().expect("SKYHAUL_CRASHES is a number"))
}

/// Random and repeatable: `SKYHAUL_CRASH_SEED` repeats a run's choices.
fn chance(story: u64) -> Stream {
    let asked = std::env::var("SKYHAUL_CRASH_SEED").ok();
    let seed = asked.map_or_else(
        || uuid::Uuid::now_v7().as_u64_pair().1,
        |text| text.parse().expect("SKYHAUL_CRASH_SEED is a number"),
    );
    println!("SKYHAUL_CRASH_SEED={seed}");
    Stream::new(seed, story, Purpose::Demand)
}

/// Nothing is waited for here: the length of life is what is random.
async fn live_for_up_to(most: Duration, chance: &mut Stream) {
    tokio::time::sleep(most.mul_f64(chance.uniform())).await;
}

/// Half of the time the restart, too, is killed: while it opens the store, recovers, or
/// has just begun to serve.
async fn kill_restarts(scenario: &Path, data: &Path, flags: &[&str], chance: &mut Stream) {
    while chance.below(2) == 0 {
        let child = Child::spawn(scenario, data, flags);
        live_for_up_to(Duration::from_millis(60), chance).await;
        child.kill();
    }
}

/// What was seen of the world: its digest after ticks that were shown.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeMap<Tick, String>>>);

impl Seen {
    fn newest(&self) -> Tick {
        self.0.lock().last_key_value().map_or(0, |(tick, _)| *tick)
    }

    /// Looks at the clock until the server is gone.
    async fn watch(self, server: Operator) {
        while let Some(clock) = server.try_clock().await {
            self.0.lock().insert(clock.tick, clock.digest);
        }
    }
}

/// Orders one delivery after the other until the server is gone.
async fn keep_ordering(server: Operator, ledger: Ledger, keyed: bool) {
    while server.try_clock().await.is_some() {
        let request = ledger.new_request(keyed);
        let acknowledged = server.order(&request).await;
        ledger.note(&request, acknowledged);
    }
}

/// Breaks one drone's battery, and closes the hub again and again, until the server is gone;
/// answers with the ticks that did.
async fn keep_breaking(server: Operator) -> Vec<Tick> {
    let closed = json!({"kind": "hub_closed", "target": "mission", "duration": "200ms"});
    let (mut broken, mut is_whole) = (Vec::new(), true);
    while server.try_clock().await.is_some() {
        broken.extend(server.try_break(&closed).await);
        if let Some(drone) = server.try_airborne().await.filter(|_| is_whole) {
            let cell = json!({"kind": "battery_cell", "target": drone});
            let tick = server.try_break(&cell).await;
            is_whole = tick.is_none();
            broken.extend(tick);
        }
    }
    broken
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_yes_is_served_once_however_often_the_server_is_killed() {
    let folder = TempDir::new().unwrap();
    served_once(&Place::Folder(folder.path().join("data")), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_told_yes_is_served_once_when_a_database_keeps_the_world() {
    let folder = TempDir::new().unwrap();
    served_once(&Place::database(), folder.path()).await;
}

async fn served_once(place: &Place, folder: &Path) {
    let (scenario, data) = (busy_file(folder), place.data());
    let ledger = Ledger::default();
    let mut chance = chance(1);
    let mut epoch: Option<String> = None;
    let mut broken = 0;
    for _ in 0..crashes() {
        let speed = ["max", "300", "20"][chance.below(3) as usize];
        let mut child = Child::spawn(&scenario, data, &["--speed", speed]);
        let server = child.serving().await;
        let seen = Seen::default();
        let mut clients = JoinSet::new();
        clients.spawn(seen.clone().watch(server.clone()));
        for customer in 0..CUSTOMERS {
            clients.spawn(keep_ordering(server.clone(), ledger.clone(), customer % 2 == 0));
        }
        let breaking = tokio::spawn(keep_breaking(server.clone()));
        live_for_up_to(Duration::from_millis(400), &mut chance).await;
        child.kill();
        let ticks = breaking.await.unwrap();
        broken += ticks.len();
        while clients.join_next().await.is_some() {}
        kill_restarts(&scenario, data, &["--speed", "max"], &mut chance).await;

        let journal = place.journal();
        let mut child = Child::spawn(&scenario, data, &["--paused"]);
        let server = child.serving().await;
        let clock = server.clock().await;
        assert!(clock.tick >= seen.newest(), "what was shown is not undone");
        assert!(
            ticks.iter().all(|tick| *tick <= clock.tick),
            "{ticks:?} stay broken"
        );
        assert_eq!(clock.tick, journal.last_tick());
        assert_eq!(Some(&clock.digest), journal.digest_at(clock.tick));
        let first = epoch.get_or_insert(clock.epoch.clone());
        assert_eq!(clock.epoch, *first, "the past, lived again, is the same");
        journal.check_digests(&seen.0.lock());
        ledger.check(&server).await;
        // Durable while the clock stands still, and so not admitted when the next kill comes.
        let waits = ledger.new_request(false);
        ledger.note(&waits, server.order(&waits).await);
        child.kill();
    }

    let mut child = Child::spawn(&scenario, data, &["--speed", "max"]);
    let server = child.serving().await;
    ledger.check(&server).await;
    let stages = ledger.stages_at_the_end(&server).await;
    println!("{} orders, how they ended: {stages:?}", ledger.len());
    assert!(stages["Completed"] >= 20, "drones carried on: {stages:?}");
    assert!(broken > 0, "something broke by the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_was_killed_over_and_over_is_the_one_that_never_was() {
    let folder = TempDir::new().unwrap();
    never_disturbed(&Place::Folder(folder.path().join("data")), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_in_a_database_that_was_killed_over_and_over_is_the_one_that_never_was() {
    let folder = TempDir::new().unwrap();
    never_disturbed(&Place::database(), folder.path()).await;
}

async fn never_disturbed(place: &Place, folder: &Path) {
    let (scenario, data) = (busy_file(folder), place.data());
    let mut chance = chance(2);
    let seen = Seen::default();
    for _ in 0..crashes() {
        let mut child = Child::spawn(&scenario, data, &["--speed", "max"]);
        let server = child.serving().await;
        let watcher = tokio::spawn(seen.clone().watch(server.clone()));
        live_for_up_to(Duration::from_millis(150), &mut chance).await;
        // Of a world that stands still all of it can be looked at, before and after.
        let pause = match chance.below(2) {
            0 => Some((server.pause().await, server.everything().await)),
            _ => None,
        };
        child.kill();
        watcher.await.unwrap();
        kill_restarts(&scenario, data, &["--paused"], &mut chance).await;

        let mut child = Child::spawn(&scenario, data, &["--paused"]);
        let server = child.serving().await;
        let clock = server.clock().await;
        assert!(clock.tick >= seen.newest());
        if let Some((before, everything)) = pause {
            assert_eq!((clock.tick, &clock.digest), (before.tick, &before.digest));
            assert_eq!(server.everything().await, everything);
        }
        seen.0.lock().insert(clock.tick, clock.digest);
        child.kill();
    }
    let seen = seen.0.lock().clone();
    println!(
        "{} ticks were looked at, the last is {:?}",
        seen.len(),
        seen.last_key_value()
    );
    assert_eq!(undisturbed(&busy(), seen.keys().copied()).await, seen);
}
