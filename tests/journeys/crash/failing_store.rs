//! A store that fails while the server runs: the clock stands still, nobody is lied to, and
//! all goes on when the store is back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use skyhaul::server::ServerError;
use skyhaul::store::StoreError;
use skyhaul::store::faulty::Moment;
use skyhaul::wire::api::simulation::{Simulation, SimulationState};
use tempfile::TempDir;

use super::ledger::Ledger;
use super::stand::{open, serve, serve_faulty};
use crate::support::operator::{Operator, Request};
use crate::support::world::{busy, undisturbed};

/// Longer than the writer's longest pause, after which the store is tried again.
const OUTAGE: Duration = Duration::from_millis(1_500);
const TICK_AT_SPEED: Duration = Duration::from_millis(5);
const SPEED: f64 = 20.0;
/// More than a server that drains in time needs.
const SOON: Duration = Duration::from_secs(30);

fn full() -> StoreError {
    StoreError::DiskFull {
        cause: "on purpose".to_owned(),
    }
}

/// What waits in each queue, and how much may.
async fn queues(server: &Operator) -> Vec<(String, usize, usize)> {
    let page = server.text("/metrics").await;
    let of = |metric: &str| -> Vec<(String, usize)> {
        let lines = page
            .lines()
            .filter_map(|line| line.strip_prefix(metric)?.strip_prefix("{queue=\""));
        let read = lines.map(|line| line.split_once("\"} ").unwrap());
        read.map(|(queue, count)| (queue.to_owned(), count.parse().unwrap()))
            .collect()
    };
    let (depths, bounds) = (of("skyhaul_queue_depth"), of("skyhaul_queue_bound"));
    assert!(depths.len() >= 5, "{page}");
    let bound_of = |queue: &str| bounds.iter().find(|(name, _)| name == queue).unwrap().1;
    depths
        .into_iter()
        .map(|(queue, depth)| (queue.clone(), depth, bound_of(&queue)))
        .collect()
}

/// How many ticks are computed and wait for the store.
async fn ticks_waiting(server: &Operator) -> usize {
    let queues = queues(server).await;
    for (queue, depth, bound) in &queues {
        assert!(depth <= bound, "{queue}: {depth} of {bound}");
    }
    let ticks = queues.iter().find(|(queue, ..)| queue == "store_ticks").unwrap();
    ticks.1
}

async fn assert_unavailable(server: &Operator, key: Option<&str>) {
    let request = Request {
        owner: "unlucky".to_owned(),
        mark: "during the outage".to_owned(),
        key: key.map(str::to_owned),
        confirmation: None,
    };
    let answer = server.send(&request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("Retry-After"));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "an outage is as long as the wall clock says"
)]
async fn a_full_disk_stops_the_clock_and_room_on_it_lets_the_world_go_on_as_it_was() {
    let folder = TempDir::new().unwrap();
    let (stand, server, faults) = serve_faulty(folder.path()).await;
    server.run_until(3_000).await;
    server.run_at(SPEED).await;
    server
        .clock_where("the clock goes", |clock| clock.tick > 3_020)
        .await;

    faults.fail_writes(Some(full()));
    let stalled = |clock: &Simulation| clock.state == SimulationState::Stalled;
    let stands_at = server.clock_where("the outage shows", stalled).await;
    let waiting = ticks_waiting(&server).await;
    let began = Instant::now();
    while began.elapsed() < OUTAGE {
        assert_unavailable(&server, None).await;
        assert_unavailable(&server, Some("key")).await;
        assert_eq!(
            server.get("/readyz").await.unwrap().status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(server.get("/healthz").await.unwrap().status(), StatusCode::OK);
        let control = server.try_pause().await;
        assert_eq!(
            control,
            StatusCode::SERVICE_UNAVAILABLE,
            "nobody waits for a clock that cannot move"
        );
        let clock = server.clock().await;
        assert_eq!((clock.tick, &clock.digest), (stands_at.tick, &stands_at.digest));
    }
    let still = ticks_waiting(&server).await;
    // One may have been under way when the outage showed.
    assert!(
        still <= waiting + 1,
        "time passes: {still} ticks wait, {waiting} did"
    );

    let back = Instant::now();
    faults.fail_writes(None);
    server.get_ready().await;
    // What was under way is shown at once; from there on time passes at its pace.
    let slept = OUTAGE.as_millis() / TICK_AT_SPEED.as_millis();
    let caught_up = stands_at.tick + waiting as u64 + 5 + u64::try_from(slept).unwrap();
    server
        .clock_where("time passes again", |clock| clock.tick >= caught_up)
        .await;
    assert!(back.elapsed() >= OUTAGE, "the clock leaps: {:?}", back.elapsed());
    let end = server.pause().await;
    let end = server.run_until(end.tick + 1_000).await;
    assert!(
        server.deliveries(Some("unlucky")).await.is_empty(),
        "who was told no is not served"
    );
    let never_disturbed = undisturbed(&busy(), [stands_at.tick, end.tick]).await;
    assert_eq!(never_disturbed[&stands_at.tick], stands_at.digest);
    assert_eq!(never_disturbed[&end.tick], end.digest);
    stand.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_store_is_stalled_still_ends_when_told_to_and_says_what_is_lost() {
    let folder = TempDir::new().unwrap();
    let (stand, server, faults) = serve_faulty(folder.path()).await;
    let kept = server.run_until(1_000).await;
    faults.fail_writes(Some(full()));
    server.go_on().await;
    let stalled = |clock: &Simulation| clock.state == SimulationState::Stalled;
    server.clock_where("the outage shows", stalled).await;

    let stopped = tokio::time::timeout(SOON, stand.stop()).await;
    let stopped = stopped.expect("it does not wait for a disk that may never have room again");
    assert!(
        matches!(
            stopped,
            Err(ServerError::World(_) | ServerError::Store(_) | ServerError::StoreSilent)
        ),
        "{stopped:?}"
    );

    let (stand, server) = serve(open(folder.path())).await;
    let clock = server.clock().await;
    assert_eq!((clock.tick, clock.digest), (kept.tick, kept.digest));
    stand.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_for_good_ends_the_server_in_the_middle_of_a_snapshot_too() {
    for ticks_before in [550, 700] {
        let folder = TempDir::new().unwrap();
        let (mut stand, server, faults) = serve_faulty(folder.path()).await;
        server.run_until(ticks_before).await;
        faults.fail_writes(Some(StoreError::Corrupt {
            what: "on purpose".to_owned(),
        }));
        server.go_on().await;
        let failed = tokio::time::timeout(SOON, stand.failed()).await;
        let failed = failed.expect("a world that cannot be kept does not linger");
        assert!(failed.to_string().contains("on purpose"), "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_server_ends_too_when_a_request_finds_that_its_store_failed_for_good() {
    let folder = TempDir::new().unwrap();
    let (mut stand, server, faults) = serve_faulty(folder.path()).await;
    server.run_until(100).await;
    faults.fail_writes(Some(StoreError::Corrupt {
        what: "on purpose".to_owned(),
    }));
    assert_unavailable(&server, None).await;
    let failed = tokio::time::timeout(SOON, stand.failed()).await;
    let failed = failed.expect("a world that cannot be kept does not linger");
    assert!(failed.to_string().contains("on purpose"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_that_fails_or_whose_answer_is_lost_doubles_nothing() {
    let folder = TempDir::new().unwrap();
    let (stand, server, faults) = serve_faulty(folder.path()).await;
    server.go_on().await;
    let ledger = Ledger::default();
    for round in 0..30 {
        let moment = [Moment::AfterCommit, Moment::BeforeCommit][round % 2];
        faults.fail_append(1, moment, full());
        let request = ledger.new_request(true);
        let (first, same) = tokio::join!(server.order(&request), server.order(&request));
        ledger.note(&request, first);
        ledger.note(&request, same);
        let unkeyed = ledger.new_request(false);
        ledger.note(&unkeyed, server.order(&unkeyed).await);
    }
    server.get_ready().await;
    let epoch = server.pause().await.epoch;
    ledger.check(&server).await;
    stand.stop().await.unwrap();

    let (stand, server) = serve(open(folder.path())).await;
    assert_eq!(server.clock().await.epoch, epoch);
    ledger.check(&server).await;
    stand.stop().await.unwrap();
}
