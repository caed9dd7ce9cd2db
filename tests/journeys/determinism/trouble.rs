//! The same where something goes wrong at every step, in every kind of actor and in the air, and
//! where people cancel, change, confirm and ask to be told: whatever the threads, the build, the
//! pace, the audience and the stops, and from the journal alone.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use skyhaul::engine::digest::hex;
use skyhaul::engine::{Admission, Engine, headless, publication};
use skyhaul::server::Options;
use skyhaul::sim::command::Command;
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;
use skyhaul::store::{Flush, Identity, IngestBatch, Store, sqlite};
use skyhaul::view::reading::Speed;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::people::People;
use super::{release_program, restart, undisturbed_in};
use crate::support::child::Child;
use crate::support::program::{run, skyhaul};
use crate::support::server::{Running, kept_in, lively};
use crate::support::sse::Events;
use crate::support::trouble;

const UNTIL: Tick = 9_000;

/// A world with its people, and where it is kept.
struct Lived {
    world: Arc<World>,
    threads: usize,
    people: People,
    wanted: Vec<Command>,
    store: Option<Box<dyn Store>>,
    /// What is not in the store yet.
    flush: Flush,
}

impl Lived {
    fn new(world: &Arc<World>, threads: usize, store: Option<Box<dyn Store>>) -> Self {
        Lived {
            world: Arc::clone(world),
            threads,
            people: People::default(),
            wanted: Vec::new(),
            store,
            flush: Flush::default(),
        }
    }

    fn begin(&self) -> Engine {
        let arbiters = headless::arbiters(self.threads);
        Engine::genesis(Arc::clone(&self.world), self.threads, arbiters).unwrap()
    }

    /// Another engine goes on from a snapshot of this one.
    async fn stop_and_go_on(&mut self, engine: &mut Engine, threads: usize) -> Engine {
        self.threads = threads;
        let snapshot = engine.snapshot().await.unwrap();
        let arbiters = headless::arbiters(threads);
        let restored = Engine::restore(Arc::clone(&self.world), threads, arbiters, snapshot);
        restored.unwrap().0
    }

    async fn live(&mut self, engine: &mut Engine, until: Tick) {
        while engine.tick_number() < until {
            let commands = std::mem::take(&mut self.wanted);
            let first_seq = engine.admitted_through() + 1;
            let batch = IngestBatch {
                first_seq,
                commands: commands.clone(),
            };
            let through = batch.next_seq() - 1;
            let outcome = engine.tick(Admission { through, commands }).await.unwrap();
            let tick = outcome.tick;
            self.wanted = self.people.hear(&self.world, tick, &outcome.events);
            if self.store.is_some() {
                self.flush.ingest.push(batch);
                self.flush.ticks.push(publication::split(engine, outcome).0);
            }
        }
        if let Some(store) = &mut self.store {
            store.append(&std::mem::take(&mut self.flush)).unwrap();
        }
    }
}

fn lived(world: &Arc<World>, threads: usize) -> (String, People) {
    actix::System::new().block_on(async {
        let mut lived = Lived::new(world, threads, None);
        let mut engine = lived.begin();
        lived.live(&mut engine, UNTIL).await;
        (hex(engine.digest()), lived.people)
    })
}

#[test]
fn faults_and_changes_of_mind_on_any_number_of_threads_and_over_stops() {
    let world = trouble::world();
    let (usual, people) = lived(&world, 1);
    for what in [
        "Completed",
        "Failed",
        "Cancelled",
        "Rescheduled",
        "AwaitingConfirmation",
        "NotifyMeRequested",
        "DeadLettered",
        "Resolved",
        "Account",
        "Package",
    ] {
        assert!(
            people.happened.contains_key(what),
            "no {what}: {:?}",
            people.happened
        );
    }
    for actor in [
        "scheduler",
        "fleet",
        "drone",
        "delivery",
        "account",
        "package",
        "transport",
        "supervisor",
    ] {
        assert!(
            people.happened.contains_key(actor),
            "no {actor} panicked: {:?}",
            people.happened
        );
    }
    for threads in [2, 3] {
        assert_eq!(lived(&world, threads).0, usual, "on {threads} threads");
    }
    let resumed = actix::System::new().block_on(async {
        let mut lived = Lived::new(&world, 1, None);
        let mut engine = lived.begin();
        for (until, threads) in [(701, 2), (1_900, 3), (UNTIL - 1, 1)] {
            lived.live(&mut engine, until).await;
            engine = lived.stop_and_go_on(&mut engine, threads).await;
        }
        lived.live(&mut engine, UNTIL).await;
        hex(engine.digest())
    });
    assert_eq!(resumed, usual, "stopped and resumed");
}

/// Lives it all and leaves behind the journal, without a snapshot; answers with the last digest.
fn left_behind(world: &Arc<World>, folder: &Path) -> String {
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let store = sqlite::open(folder, &identity, true).unwrap();
    actix::System::new().block_on(async {
        let mut lived = Lived::new(world, 1, Some(Box::new(store)));
        let mut engine = lived.begin();
        lived.live(&mut engine, UNTIL).await;
        hex(engine.digest())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_alone_brings_the_same_trouble_on_any_number_of_threads() {
    let folders = [(); 3].map(|()| TempDir::new().unwrap());
    let world = trouble::world();
    let (kept, folder) = (Arc::clone(&world), folders[0].path().to_owned());
    let left = tokio::task::spawn_blocking(move || left_behind(&kept, &folder));
    let usual = left.await.unwrap();
    for folder in &folders[1..] {
        super::copy_folder(folders[0].path(), folder.path());
    }
    let scenario = trouble::file(folders[0].path());
    let mut ends = Vec::new();
    for (folder, program, threads) in [
        (&folders[0], skyhaul(), "1"),
        (&folders[1], skyhaul(), "2"),
        (&folders[2], skyhaul(), "3"),
    ] {
        let flags = ["--paused", "--threads", threads];
        let mut child = Child::spawn_program(&program, &scenario, folder.path(), &flags);
        let server = child.serving().await;
        let clock = server.clock().await;
        let log = child.log();
        assert_eq!(
            (clock.tick, &clock.digest),
            (UNTIL, &usual),
            "{threads} threads: {log}"
        );
        assert!(!log.contains("another digest"), "{log}");
        let end = server.run_until(UNTIL + 700).await;
        ends.push((clock.epoch, end.digest, server.everything().await));
        child.kill();
    }
    for end in &ends[1..] {
        assert!(
            *end == ends[0],
            "{:?} {:?}",
            (&end.0, &end.1),
            (&ends[0].0, &ends[0].1)
        );
    }
}

/// Listens to all events over server-sent events until the server ends.
async fn listen(mut events: Events) {
    while events.next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_paced_stepped_watched_and_stopped_by_the_way() {
    let (until, folder) = (1_500, TempDir::new().unwrap());
    let world = trouble::world();
    let paced = Options {
        speed: Speed::Times(60.0),
        ..kept_in(folder.path())
    };
    let server = Running::start(Arc::clone(&world), paced.clone()).await;
    let mut audience = JoinSet::new();
    let mut stream = server.stream().await;
    for (id, topic) in (1..).zip(["events", "fleet", "drone/d-3", "hub/mission"]) {
        stream.follow(id, topic).await;
    }
    audience.spawn(async move {
        loop {
            stream.next().await;
        }
    });
    for topic in ["topic=events", "topic=hub/mission&topic=drone/d-4"] {
        let events = Events::open(server.address(), topic, None).await;
        audience.spawn(listen(events.expect("it answers")));
    }
    server.client().run_to(700).await;
    assert!(audience.try_join_next().is_none(), "nobody has left");
    audience.shutdown().await;

    let free = Options {
        speed: Speed::Max,
        threads: 2,
        ..paced
    };
    let server = restart(server, free).await;
    let operator = server.client();
    operator.step(1).await;
    operator.step(29).await;
    operator.control(json!({"speed": 300})).await;
    let end = operator.run_to(until).await;
    assert_eq!(end["digest"], undisturbed_in(&world, until).await.as_str());
    server.stop().await;

    let server = Running::start(world, lively()).await;
    let never_stopped = server.client().run_to(until).await;
    assert_eq!(never_stopped["digest"], end["digest"]);
    server.stop().await;
}

#[test]
fn trouble_in_debug_and_release_builds_and_on_their_threads() {
    let folder = TempDir::new().unwrap();
    let scenario = trouble::file(folder.path());
    let summary = |program: &Path, threads| {
        let scenario = scenario.to_str().unwrap();
        let arguments = ["run", scenario, "--until", "8m", "--json", "--threads", threads];
        run(program, arguments).json()
    };
    let usual = summary(&skyhaul(), "1");
    assert!(usual["deliveries"]["failed"].as_u64() > Some(5), "{usual}");
    let release = release_program();
    for (program, threads) in [(&skyhaul(), "3"), (&release, "1"), (&release, "2")] {
        let other = summary(program, threads);
        assert_eq!(
            other["digest"], usual["digest"],
            "{program:?} on {threads} threads"
        );
        assert_eq!(other["deliveries"], usual["deliveries"]);
    }
}
