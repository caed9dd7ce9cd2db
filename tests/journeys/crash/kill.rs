//! `kill -9` at random moments, again and again on one store, in a folder and in a database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use skyhaul::sim::random::{Purpose, Stream};
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::load::{Books, Cleared, breaker, customer, letters, porter};
use super::place::Place;
use super::post_mortem::post_mortem;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::trouble;
use crate::support::world::undisturbed;

const CUSTOMERS: u64 = 6;

/// How often the server is killed in each place: 10 times, or as often as `SKYHAUL_CRASHES` says.
pub fn crashes() -> u64 {
    let asked = std::env::var("SKYHAUL_CRASHES").ok();
    asked.map_or(10, |text| text.parse().expect("SKYHAUL_CRASHES is a number"))
}

/// Random and repeatable: `SKYHAUL_CRASH_SEED` repeats a run's choices.
pub fn chance(story: u64) -> Stream {
    let asked = std::env::var("SKYHAUL_CRASH_SEED").ok();
    let seed = asked.map_or_else(
        || uuid::Uuid::now_v7().as_u64_pair().1,
        |text| text.parse().expect("SKYHAUL_CRASH_SEED is a number"),
    );
    println!("SKYHAUL_CRASH_SEED={seed}");
    Stream::new(seed, story, Purpose::Demand)
}

/// Nothing is waited for here: the length of life is what is random.
pub async fn live_for_up_to(most: Duration, chance: &mut Stream) {
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

/// All who are at work on the world, and what they remember.
#[derive(Default)]
struct People {
    ledger: Ledger,
    books: Books,
    cleared: Cleared,
    seen: Seen,
    broken: usize,
    confirmed: usize,
}

impl People {
    /// Lets everybody work until the server is killed; answers with the ticks that broke
    /// something.
    async fn work_until_killed(&mut self, child: Child, server: &Operator, chance: &mut Stream) -> Vec<Tick> {
        let mut of_his_own = || Stream::new(u64::from(chance.below(u32::MAX)), 0, Purpose::Demand);
        let mut clients = JoinSet::new();
        clients.spawn(self.seen.clone().watch(server.clone()));
        for number in 0..CUSTOMERS {
            let ledger = self.ledger.clone();
            clients.spawn(customer(server.clone(), ledger, number % 2 == 0, of_his_own()));
        }
        clients.spawn(self.books.clone().keep(server.clone(), of_his_own()));
        clients.spawn(self.cleared.clone().keep(server.clone()));
        let porter = tokio::spawn(porter(server.clone(), self.ledger.clone()));
        let breaker = tokio::spawn(breaker(server.clone(), of_his_own()));
        self.live(server, chance).await;
        child.kill();
        while let Some(client) = clients.join_next().await {
            client.expect("what a client is told goes together");
        }
        self.confirmed += porter.await.unwrap();
        let ticks = breaker.await.unwrap();
        self.broken += ticks.len();
        ticks
    }

    /// For a moment, or until so many more orders were taken.
    async fn live(&self, server: &Operator, chance: &mut Stream) {
        if chance.below(4) == 0 {
            return live_for_up_to(Duration::from_millis(400), chance).await;
        }
        let enough = self.ledger.acknowledged().len() + 1 + chance.below(24) as usize;
        let is_enough = async || (self.ledger.acknowledged().len() >= enough).then_some(());
        server.until("so many orders were taken", is_enough).await;
    }

    async fn check(&self, server: &Operator) {
        self.ledger.check(server).await;
        self.books.check(server).await;
        self.cleared.check(server).await;
    }
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
    let (world, scenario, data) = (trouble::world(), trouble::file(folder), place.data());
    let mut people = People::default();
    let mut chance = chance(1);
    let mut epoch: Option<String> = None;
    for _ in 0..crashes() {
        let speed = ["max", "300", "20"][chance.below(3) as usize];
        let mut child = Child::spawn(&scenario, data, &["--speed", speed]);
        let server = child.serving().await;
        let ticks = people.work_until_killed(child, &server, &mut chance).await;
        kill_restarts(&scenario, data, &["--speed", "max"], &mut chance).await;

        let journal = place.journal();
        let again = post_mortem(place, &world).await;
        let mut child = Child::spawn(&scenario, data, &["--paused"]);
        let server = child.serving().await;
        let clock = server.clock().await;
        assert!(clock.tick >= people.seen.newest(), "what was shown is not undone");
        assert!(
            ticks.iter().all(|tick| *tick <= clock.tick),
            "{ticks:?} stay broken"
        );
        assert_eq!(clock.tick, journal.last_tick());
        assert_eq!(Some(&clock.digest), journal.digest_at(clock.tick));
        assert_eq!((again.tick, &again.digest), (clock.tick, &clock.digest));
        assert_eq!(format!("e{}", again.epoch), clock.epoch);
        let first = epoch.get_or_insert(clock.epoch.clone());
        assert_eq!(clock.epoch, *first, "the past, lived again, is the same");
        journal.check_digests(&people.seen.0.lock());
        people.check(&server).await;
        // Durable while the clock stands still, and so not admitted when the next kill comes.
        let waits = people.ledger.new_request(false);
        people.ledger.note(&waits, server.order(&waits).await);
        child.kill();
    }
    comes_to_an_end(place, &scenario, &world, &people).await;
}

/// Nobody orders any more: everything comes to its one end, and then nobody holds anything.
async fn comes_to_an_end(place: &Place, scenario: &Path, world: &Arc<World>, people: &People) {
    let mut child = Child::spawn(scenario, place.data(), &["--speed", "max", "--no-demand"]);
    let server = child.serving().await;
    people.ledger.check(&server).await;
    let stages = people.ledger.stages_at_the_end(&server).await;
    let over = async || {
        people.cleared.try_once(&server).await;
        let all = server.deliveries(None).await;
        let is_over = all.iter().all(|delivery| delivery.stage.is_terminal());
        (is_over && letters(&server).await?.is_empty()).then_some(())
    };
    server.until("nothing goes on", over).await;
    server.pause().await;
    people.check(&server).await;
    child.kill();
    let end = post_mortem(place, world).await;
    assert!(end.audit.is_idle(), "{:?}", end.audit);
    let People {
        ledger,
        books,
        cleared,
        broken,
        confirmed,
        ..
    } = people;
    println!(
        "{} orders, how they ended: {stages:?}; {broken} faults, {} accounts and packages, \
         {confirmed} confirmations, {} dead letters resolved, {} ticks",
        ledger.len(),
        books.len(),
        cleared.len(),
        end.tick
    );
    for end in ["Completed", "Cancelled", "Failed"] {
        assert!(stages.contains_key(end), "none {end}: {stages:?}");
    }
    assert!(*broken > 0 && books.len() > 0, "much went on by the way");
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
    let (scenario, data) = (trouble::file(folder), place.data());
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
    assert_eq!(undisturbed(&trouble::world(), seen.keys().copied()).await, seen);
}
