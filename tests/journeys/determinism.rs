//! The same scenario, seed and requests give the same digest, bit for bit, whatever the
//! threads, the build, the pace, the audience and the stops in between.

mod apart;
mod crowd;
mod people;
mod trouble;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use skyhaul::engine::digest::hex;
use skyhaul::engine::headless;
use skyhaul::server::Options;
use skyhaul::sim::world::World;
use skyhaul::store::sqlite::DATABASE;
use skyhaul::view::reading::Speed;

use crate::support::client::{Client, parcel};
use crate::support::program::{run, skyhaul};
use crate::support::server::{Running, kept_in, lively};
use crate::support::worlds::{busy, busy_where, shipped, tiny};

/// Far enough for a snapshot, for charging and for full queues.
const UNTIL: u64 = 4_000;

/// The digest of a run without server.
fn digest_of(world: impl Into<Arc<World>>, threads: usize, until: u64) -> String {
    let engine = headless::run(world.into(), threads, until, |_, _| true).expect("the world goes on");
    hex(engine.digest())
}

/// The digest of a run without server, from a test that waits for others meanwhile.
async fn undisturbed(until: u64) -> String {
    undisturbed_in(&Arc::new(busy()), until).await
}

async fn undisturbed_in(world: &Arc<World>, until: u64) -> String {
    let world = Arc::clone(world);
    let run = tokio::task::spawn_blocking(move || digest_of(world, 1, until));
    run.await.expect("the run ends")
}

/// The program as users have it.
fn release_program() -> PathBuf {
    let release = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/skyhaul");
    assert!(
        release.exists(),
        "{} is missing: `make build` makes it",
        release.display()
    );
    release
}

#[test]
fn any_number_of_threads() {
    let alone = digest_of(busy(), 1, UNTIL);
    assert_eq!(digest_of(busy(), 2, UNTIL), alone);
    assert_eq!(digest_of(busy(), 3, UNTIL), alone);
}

#[test]
fn any_number_of_threads_by_any_policy() {
    for policy in ["nearest", "batch"] {
        let world = || busy_where("backlog = 12", &format!("policy = \"{policy}\"\nbacklog = 12"));
        let alone = digest_of(world(), 1, UNTIL);
        assert_eq!(digest_of(world(), 2, UNTIL), alone, "{policy}");
    }
}

#[test]
fn what_should_matter_matters() {
    let usual = digest_of(busy(), 1, UNTIL);
    for (text, reads) in [
        ("seed = 7", "seed = 8"),
        ("speed = 4.0", "speed = 4.001"),
        ("from = 250", "from = 251"),
        ("[37.7599, -122.4148]", "[37.7600, -122.4148]"),
        ("max = 3.8", "max = 3.7"),
        ("backlog = 12", "policy = \"batch\"\nbacklog = 12"),
    ] {
        let other = digest_of(busy_where(text, reads), 1, UNTIL);
        assert_ne!(other, usual, "{reads} changes nothing");
    }
}

#[test]
fn what_should_not_matter_does_not() {
    let usual = digest_of(busy(), 1, UNTIL);
    for (text, reads) in [
        ("name = \"busy\"", "name = \"lazy\""),
        ("duration = \"30m\"", "duration = \"1h\""),
    ] {
        assert_eq!(digest_of(busy_where(text, reads), 1, UNTIL), usual, "{reads}");
    }
}

#[test]
fn debug_and_release_builds_and_their_threads() {
    let release = release_program();
    let scenario = shipped("san-francisco");
    let summary = |program: &Path, threads| {
        let scenario = scenario.to_str().expect("UTF-8");
        run(
            program,
            ["run", scenario, "--until", "15m", "--json", "--threads", threads],
        )
        .json()
    };
    let usual = summary(&skyhaul(), "1");
    assert!(usual["deliveries"]["completed"].as_u64() > Some(10), "{usual}");
    for (program, threads) in [(&skyhaul(), "2"), (&release, "1"), (&release, "2")] {
        let other = summary(program, threads);
        assert_eq!(
            other["digest"],
            usual["digest"],
            "{} on {threads} threads",
            program.display()
        );
        assert_eq!(other["deliveries"], usual["deliveries"]);
    }
}

#[tokio::test]
async fn paced_or_free_stepped_or_stopped_by_the_way() {
    let until = 1_200;
    let digest = undisturbed(until).await;

    let paced = Running::start(
        busy(),
        Options {
            speed: Speed::Times(60.0),
            ..lively()
        },
    )
    .await;
    assert_eq!(
        paced.client().run_to(until).await["digest"],
        digest.as_str(),
        "at ×60"
    );
    paced.stop().await;

    let free = Running::start(
        busy(),
        Options {
            threads: 2,
            ..lively()
        },
    )
    .await;
    assert_eq!(
        free.client().run_to(until).await["digest"],
        digest.as_str(),
        "as fast as it goes"
    );
    free.stop().await;

    let fitful = Running::start(busy(), lively()).await;
    let operator = fitful.client();
    operator.step(1).await;
    operator.step(99).await;
    operator.control(json!({"speed": 200})).await;
    operator.run_to(500).await;
    operator.control(json!({"speed": "max"})).await;
    assert_eq!(
        operator.run_to(until).await["digest"],
        digest.as_str(),
        "by fits and starts"
    );
    fitful.stop().await;
}

#[tokio::test]
async fn a_server_and_a_run_of_the_program() {
    let server = Running::start(tiny(), lively()).await;
    let served = server.client().run_to(6_000).await;
    let run = tokio::task::spawn_blocking(|| {
        let scenario = shipped("tiny");
        let scenario = scenario.to_str().expect("UTF-8");
        run(&skyhaul(), ["run", scenario, "--until", "10m", "--json"]).json()
    });
    let run = run.await.expect("the run ends");
    assert_eq!(run["ticks"], 6_000);
    assert_eq!(served["digest"], run["digest"]);
    server.stop().await;
}

/// Reads all there is to read, again and again.
async fn gaze(client: Client) {
    loop {
        for path in [
            "/api/drones",
            "/api/deliveries",
            "/api/drones.geojson",
            "/api/hubs",
            "/metrics",
            "/api/simulation",
        ] {
            let (status, _) = client.get(path).await;
            assert!(status.is_success(), "{path}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watched_or_not() {
    let until = 2_000;
    let server = Running::start(
        busy(),
        Options {
            speed: Speed::Times(100.0),
            ..lively()
        },
    )
    .await;
    let area = json!({"type": "subscribe", "id": 1, "topic": "area", "bbox": [-122.45, 37.74, -122.38, 37.80], "maxHz": 10});
    let mut audience = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let mut stream = server.stream().await;
        stream.send(area.clone()).await;
        for (id, topic) in (2..).zip(["fleet", "drone/d-0", "drone/d-5", "hub/mission"]) {
            stream.follow(id, topic).await;
        }
        stream.next_of("positions").await;
        audience.spawn(async move {
            loop {
                stream.next().await;
            }
        });
        audience.spawn(gaze(server.client()));
    }
    let watched = server.client().run_to(until).await;
    assert!(audience.try_join_next().is_none(), "nobody has left");
    audience.shutdown().await;
    assert_eq!(watched["digest"], undisturbed(until).await.as_str());
    server.stop().await;
}

/// Ends the server between two ticks, and starts it again on the same store.
async fn restart(server: Running, options: Options) -> Running {
    let world = Arc::clone(&server.world);
    server.stop().await;
    Running::start(world, options).await
}

#[tokio::test]
async fn stopped_and_resumed_at_another_speed_and_thread_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = || kept_in(folder.path());
    let server = Running::start(busy(), kept()).await;
    let epoch = server.client().run_to(350).await["epoch"].clone();

    // Before the first snapshot: everything is executed again.
    let server = restart(server, Options { threads: 2, ..kept() }).await;
    assert_eq!(server.client().simulation().await["tick"], 350);
    server.client().run_to(1_300).await;

    // After two: the state is read, and only what came since is executed again.
    let server = restart(
        server,
        Options {
            speed: Speed::Times(100.0),
            ..kept()
        },
    )
    .await;
    assert_eq!(server.client().simulation().await["tick"], 1_300);
    server.client().run_to(1_500).await;

    // In the middle of a run, wherever that is.
    server
        .client()
        .control(json!({"state": "running", "speed": "max"}))
        .await;
    let server = restart(server, kept()).await;
    let clock = server.client().simulation().await;
    let (tick, until) = (
        clock["tick"].as_u64().expect("a tick"),
        clock["tick"].as_u64().expect("a tick") + 500,
    );
    assert!(tick >= 1_500, "{clock}");
    assert_eq!(
        clock["digest"],
        undisturbed(tick).await.as_str(),
        "at tick {tick}"
    );

    let clock = server.client().run_to(until).await;
    assert_eq!(
        clock["digest"],
        undisturbed(until).await.as_str(),
        "at tick {until}"
    );
    assert_eq!(clock["epoch"], epoch, "the past is the same, so its name is");
    server.stop().await;
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// The parts of a clock's reading that belong to the world.
fn world_at(clock: &Value) -> [&Value; 4] {
    ["tick", "simTime", "digest", "epoch"].map(|name| &clock[name])
}

#[tokio::test]
async fn requests_from_outside_come_again_from_the_journal() {
    let (folder, twin) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let server = Running::start(busy(), kept_in(folder.path())).await;
    let client = server.client();
    let mut ids = Vec::new();
    for until in [50, 51, 300, 640, 700] {
        for to in ["City Hall", "General Hospital"] {
            ids.push(client.order(&parcel("Dolores Park", to, 0.8)).await);
        }
        client.run_to(until).await;
    }
    // This one is durable, and not in the world yet.
    ids.push(client.order(&parcel("City Hall", "Dolores Park", 0.8)).await);
    let before = client.simulation().await;
    assert_ne!(
        before["digest"],
        undisturbed(700).await.as_str(),
        "requests from outside matter"
    );
    server.stop().await;
    copy_folder(folder.path(), twin.path());

    let mut ends = Vec::new();
    for (folder, options) in [
        (
            folder.path(),
            Options {
                threads: 2,
                ..lively()
            },
        ),
        (
            twin.path(),
            Options {
                speed: Speed::Times(200.0),
                ..lively()
            },
        ),
    ] {
        let data = kept_in(folder).data;
        let server = Running::start(busy(), Options { data, ..options }).await;
        let client = server.client();
        assert_eq!(world_at(&client.simulation().await), world_at(&before));
        let end = client.run_to(2_500).await;
        for id in &ids {
            assert_ne!(client.workflow(id).await["state"], "Queued");
        }
        ends.push(end);
        server.stop().await;
    }
    assert_eq!(world_at(&ends[0]), world_at(&ends[1]));
}

/// Forgets the world's state, so that a start has nothing but the journal to go by.
fn keep_the_journal_only(folder: &Path) {
    let database = rusqlite::Connection::open(folder.join(DATABASE)).expect("a store");
    let whole_from: u64 = database
        .query_row("SELECT whole_from FROM snapshot", [], |row| row.get(0))
        .expect("a snapshot");
    assert!(whole_from <= 1, "the journal is whole");
    database
        .execute_batch("DELETE FROM snapshot; DELETE FROM actor; DELETE FROM record;")
        .expect("all of it is forgotten");
}

/// Drones that will not land soon.
async fn in_the_air(operator: &Client) -> Vec<Value> {
    let (_, mut drones) = operator.get("/api/drones?limit=1000").await;
    let drones = drones["items"].as_array_mut().expect("a list");
    let flying = drones.iter_mut().filter(|drone| {
        ["climbing", "cruising", "hovering"].contains(&drone["status"].as_str().unwrap_or_default())
    });
    flying.map(|drone| drone["id"].take()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_broke_breaks_again_from_a_snapshot_and_from_the_journal_alone() {
    let folders = [(); 4].map(|()| tempfile::tempdir().expect("a folder"));
    let server = Running::start(busy(), kept_in(folders[0].path())).await;
    let operator = server.client();
    let (faults, hub) = ("/api/simulation/faults", server.world.hubs[0].key.clone());
    // Past the first snapshot, and not past the second: then the journal is still whole.
    operator.run_to(900).await;
    let airborne = in_the_air(&operator).await;
    operator.control(json!({"state": "running", "speed": 5})).await;
    for fault in [
        json!({"kind": "battery_cell", "target": airborne[0]}),
        json!({"kind": "rotor_out", "target": airborne[1]}),
        json!({"kind": "hub_closed", "target": hub, "duration": "1m"}),
    ] {
        let (status, answer) = operator.post(faults, &fault).await;
        assert_eq!(status, 200, "{fault}: {answer}");
    }
    let before = operator.control(json!({"state": "paused"})).await;
    let tick = before["tick"].as_u64().expect("a tick");
    assert!((901..1_200).contains(&tick), "{before}");
    assert_ne!(
        before["digest"],
        undisturbed(tick).await.as_str(),
        "faults matter"
    );
    let everything = operator.get("/api/drones?limit=1000").await;
    server.stop().await;
    for copy in &folders[1..] {
        copy_folder(folders[0].path(), copy.path());
    }
    keep_the_journal_only(folders[2].path());
    keep_the_journal_only(folders[3].path());

    let mut ends = Vec::new();
    for (folder, threads, speed) in [
        (&folders[0], 1, Speed::Max),
        (&folders[1], 2, Speed::Times(200.0)),
        (&folders[2], 1, Speed::Times(300.0)),
        (&folders[3], 2, Speed::Max),
    ] {
        let kept = kept_in(folder.path());
        let server = Running::start(
            busy(),
            Options {
                threads,
                speed,
                ..kept
            },
        )
        .await;
        let client = server.client();
        assert_eq!(world_at(&client.simulation().await), world_at(&before));
        assert_eq!(client.get("/api/drones?limit=1000").await, everything);
        // The hub has opened by then.
        ends.push(client.run_to(tick + 1_000).await);
        server.stop().await;
    }
    for end in &ends {
        assert_eq!(world_at(end), world_at(&ends[0]));
    }
}

/// `--no-demand` may come and go between starts: the journal knows when it was said, so
/// what was executed with or without the scenario's customers is executed so again.
#[tokio::test(flavor = "multi_thread")]
async fn the_scenarios_customers_come_and_go_by_the_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let demand = |demand| Options {
        demand,
        ..kept_in(folder.path())
    };
    let server = Running::start(busy(), demand(true)).await;
    let epoch = server.client().run_to(300).await["epoch"].clone();
    let server = restart(server, demand(false)).await;
    let silent = server.client().run_to(900).await;
    let server = restart(server, demand(true)).await;
    let clock = server.client().simulation().await;
    assert_eq!(world_at(&clock), world_at(&silent));
    let lively = server.client().run_to(1_000).await;
    let server = restart(server, demand(true)).await;
    let clock = server.client().simulation().await;
    assert_eq!(world_at(&clock), world_at(&lively));
    assert_eq!(clock["epoch"], epoch, "the past is the same, so its name is");
    assert_ne!(
        clock["digest"],
        undisturbed(1_000).await.as_str(),
        "the silence made a difference"
    );
    server.stop().await;
}
