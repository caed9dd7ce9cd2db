//! Going on where one stopped: followers whose connections are cut a thousand times, over
//! several lives of the server, see every event once; by WebSocket and by server-sent events.

mod connection;
mod follower;
mod stream;
mod truth;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use skyhaul::scenario;
use skyhaul::sim::random::{Purpose, Stream as Chance};
use skyhaul::sim::world::World;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::child::Child;
use crate::support::server::{Running, kept_in, lively as lively_in_memory};
use crate::support::world::BUSY;
use crate::support::worlds::busy;
use follower::{Follower, Stage};
use truth::{Seen, Truth};

const SEED: u64 = 20_261_121;
const FOLLOWERS: u64 = 8;
/// Of all followers together; those that the server's ends make come on top.
const CUTS: u64 = 1_000;
/// How often the server ends in between: by turns it is killed and told to end.
const LIVES: u64 = 6;
/// The same for server-sent events.
const STREAM_CUTS: u64 = 100;
const STREAM_LIVES: u64 = 3;

/// More drones at work than the busy world has, so that events come in bursts.
fn lively() -> String {
    BUSY.replacen("chargers = 4", "chargers = 40", 1)
        .replacen("rate = \"300/h\"", "rate = \"900/h\"", 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_cut_off_a_thousand_times_misses_nothing_and_sees_nothing_twice() {
    live_through(LIVES, CUTS, |number, epoch, chance, stage, cuts| {
        Follower::new(number, epoch, chance, stage, cuts).live()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_browser_that_sends_the_last_event_id_misses_nothing_and_sees_nothing_twice() {
    live_through(STREAM_LIVES, STREAM_CUTS, |number, epoch, chance, stage, cuts| {
        stream::Follower::new(number, epoch, chance, stage, cuts).live()
    })
    .await;
}

/// Followers see several lives of a server, are cut off so many times at least, and must
/// have seen at the end what the journal says.
async fn live_through<F>(
    lives: u64,
    most_cuts: u64,
    follower: impl Fn(u64, String, Chance, watch::Receiver<Stage>, watch::Sender<u64>) -> F,
) where
    F: Future<Output = Seen> + Send + 'static,
{
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (folder.path().join("lively.toml"), folder.path().join("data"));
    std::fs::write(&scenario, lively()).unwrap();
    let world = world();
    let flags = ["--speed", "300"];
    let mut child = Child::spawn(&scenario, &data, &flags);
    let server = child.serving().await;
    let epoch = server.clock().await.epoch;
    let (stage, watched) = watch::channel(Stage::Living(server.address()));

    let cuts = watch::Sender::new(0);
    let mut followers = JoinSet::new();
    for number in 0..FOLLOWERS {
        let chance = Chance::new(SEED, number, Purpose::Demand);
        followers.spawn(follower(
            number,
            epoch.clone(),
            chance,
            watched.clone(),
            cuts.clone(),
        ));
    }
    let mut chance = Chance::new(SEED, FOLLOWERS, Purpose::Demand);
    for life in 1..lives {
        // Nothing is waited for here: the length of life is what is random.
        tokio::time::sleep(Duration::from_millis(1_000 + u64::from(chance.below(2_000)))).await;
        stage.send_replace(Stage::Down);
        if life % 2 == 0 {
            child.terminate();
            child
                .ended(Duration::from_secs(30))
                .await
                .expect("it ends when told");
        } else {
            child.kill();
        }
        child = Child::spawn(&scenario, &data, &flags);
        stage.send_replace(Stage::Living(child.serving().await.address()));
    }
    let mut counted = cuts.subscribe();
    tokio::select! {
        enough = counted.wait_for(|cuts| *cuts >= most_cuts) => drop(enough.expect("the test counts")),
        ended = followers.join_next() => panic!("a follower ended early: {ended:?}"),
    }

    let operator = child.serving().await;
    operator.pause().await;
    stage.send_replace(Stage::Down);
    child.kill();
    let truth = Arc::new(Truth::of(&data, &world));
    let mut child = Child::spawn(&scenario, &data, &["--paused"]);
    let address = child.serving().await.address();
    stage.send_replace(Stage::Ending(address, Arc::clone(&truth)));
    while let Some(ended) = followers.join_next().await {
        truth.check(&ended.expect("a follower finds nothing wrong"));
    }
    println!(
        "{} cuts, {} events, {} deliveries",
        *cuts.borrow(),
        truth.len(),
        truth.deliveries()
    );
    assert!(truth.len() > 500, "only {} events", truth.len());
}

fn world() -> World {
    let parsed = scenario::parse(&lively(), "lively.toml", Path::new(""));
    parsed.expect("the scenario is sound").world
}

#[tokio::test(flavor = "multi_thread")]
async fn in_another_epoch_a_fresh_snapshot_comes() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(busy(), kept_in(folder.path())).await;
    server.client().run_to(600).await;
    let mut stream = server.stream().await;
    stream.follow_from_the_start(1, "events").await;
    assert_eq!(stream.next_of("subscribed").await["recovered"], true);
    let first = stream.next_of("event").await;
    assert_eq!(first["seq"], 1);
    let before = stream.welcome["epoch"].clone();
    drop(stream);
    server.stop().await;

    let mut options = kept_in(folder.path());
    options.fresh = true;
    let server = Running::start(busy(), options).await;
    let mut stream = server.stream().await;
    assert_ne!(stream.welcome["epoch"], before);
    for (id, topic) in (1..).zip(["events", "drone/d-0", "hub/mission"]) {
        let since = json!({"epoch": before, "seq": 0});
        stream
            .send(json!({"type": "subscribe", "id": id, "topic": topic, "since": since}))
            .await;
        assert_eq!(stream.next_of("subscribed").await["recovered"], false, "{topic}");
        assert_eq!(stream.next_of("snapshot").await["seq"], 0, "{topic}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_life_that_left_nothing_behind_is_not_taken_for_this_one() {
    let mut before: Option<Value> = None;
    for _life in 0..2 {
        // In memory: as with a data folder that was removed, there is nothing to count on from.
        let server = Running::start(busy(), lively_in_memory()).await;
        server.client().run_to(600).await;
        let mut stream = server.stream().await;
        let epoch = stream.welcome["epoch"].clone();
        stream.follow_from_the_start(1, "events").await;
        assert_eq!(stream.next_of("subscribed").await["recovered"], true);
        if let Some(before) = before {
            assert_ne!(epoch, before, "another past has another name");
            for (id, topic) in (2..).zip(["drone/d-0", "hub/mission"]) {
                let since = json!({"epoch": before, "seq": 1});
                stream
                    .send(json!({"type": "subscribe", "id": id, "topic": topic, "since": since}))
                    .await;
                let subscribed = stream.next_of("subscribed").await;
                assert_eq!(subscribed["recovered"], false, "{topic}");
            }
        }
        before = Some(epoch);
        server.stop().await;
    }
}
