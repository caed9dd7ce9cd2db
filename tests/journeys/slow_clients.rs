//! A slow client is its own problem only: of two hundred watchers twenty stop reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use skyhaul::server::Options;
use skyhaul::view::reading::Speed;
use skyhaul::ws::{Config, Patience};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::support::server::{Running, lively};
use crate::support::stream::Stream;
use crate::support::world;

const WATCHERS: usize = 200;
const DEAF: usize = 20;
/// Messages to each of the others that make up one measurement.
const WINDOW: usize = 10;
const WINDOWS: usize = 5;
const EVERYWHERE: [f64; 4] = [-122.44, 37.74, -122.39, 37.78];

/// From frame to receipt, in milliseconds.
type Delays = mpsc::Sender<u64>;

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_millis() as u64
}

async fn watcher(server: &Running) -> Stream {
    let mut stream = server.stream().await;
    stream
        .send(json!({"type": "subscribe", "id": 1, "topic": "area", "bbox": EVERYWHERE, "maxHz": 10}))
        .await;
    stream.next_of("subscribed").await;
    stream
}

async fn follow(mut stream: Stream, delays: Delays) {
    loop {
        let positions = stream.next_of("positions").await;
        let sent_at = positions["sentAt"].as_u64().expect("milliseconds");
        if delays.send(wall_ms().saturating_sub(sent_at)).await.is_err() {
            return;
        }
    }
}

/// Reads until told to stop, then no more until told to go on: what it finds then, and the
/// code that the connection was closed with.
async fn nap(mut stream: Stream, mut asleep: watch::Receiver<bool>) -> (Vec<Value>, u16) {
    while !*asleep.borrow_and_update() {
        tokio::select! {
            _ = asleep.changed() => {}
            _ = stream.next_of("positions") => {}
        }
    }
    asleep.wait_for(|asleep| !asleep).await.expect("the test goes on");
    let mut seen = Vec::new();
    loop {
        match stream.next_frame().await {
            Some(Message::Text(text)) => seen.push(serde_json::from_str(&text).expect("JSON")),
            Some(Message::Close(frame)) => return (seen, frame.expect("a reason").code.into()),
            Some(_) => {}
            None => panic!("the connection ended without a close"),
        }
    }
}

/// The best of some measurements, each the delay that one in a hundred exceeds: what else
/// this machine does disturbs some, not all.
async fn best_p99(heard: &mut mpsc::Receiver<u64>) -> u64 {
    let mut best = u64::MAX;
    for _ in 0..WINDOWS {
        let mut delays = Vec::new();
        while delays.len() < WINDOW * (WATCHERS - DEAF) {
            delays.push(heard.recv().await.expect("somebody watches"));
        }
        delays.sort_unstable();
        best = best.min(delays[delays.len() * 99 / 100]);
    }
    best
}

/// Follows the gauges: the number of sessions, and the least tick slip of each phase.
struct Operator {
    phase: AtomicU8,
    slips: Mutex<[Vec<f64>; 2]>,
    sessions: watch::Sender<u64>,
    is_done: AtomicBool,
}

async fn operate(operator: Arc<Operator>, mut stream: Stream) {
    stream.follow(9, "fleet").await;
    while !operator.is_done.load(SeqCst) {
        let gauges = stream.next_of("fleet").await;
        let slip = gauges["fleet"]["tickSlipMs"].as_f64().expect("milliseconds");
        operator.slips.lock().await[usize::from(operator.phase.load(SeqCst))].push(slip);
        let sessions = gauges["fleet"]["sessions"].as_u64().expect("a count");
        operator.sessions.send_replace(sessions);
    }
}

fn gauge(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {page}"));
    value.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_troubles_nobody_else() {
    let patience = Patience {
        ping_every: Duration::from_millis(200),
        degrade_after: [500, 1_000, 1_500].map(Duration::from_millis),
        close_after: Duration::from_secs(6),
    };
    let options = Options {
        paused: false,
        speed: Speed::Times(1.0),
        sessions: Config {
            patience,
            ..Config::default()
        },
        ..lively()
    };
    let mut busy = Arc::unwrap_or_clone(world::busy());
    busy.fleets[0].aloft = 1.0;
    let server = Running::start(busy, options).await;

    let operator = Arc::new(Operator {
        phase: AtomicU8::new(0),
        slips: Mutex::default(),
        sessions: watch::channel(0).0,
        is_done: AtomicBool::new(false),
    });
    let operating = tokio::spawn(operate(Arc::clone(&operator), server.stream().await));
    let (delays, mut heard) = mpsc::channel(4 * WATCHERS);
    let (asleep, naps) = watch::channel(false);
    let mut deaf = Vec::new();
    let mut followers = JoinSet::new();
    for number in 0..WATCHERS {
        let stream = watcher(&server).await;
        if number % (WATCHERS / DEAF) == 0 {
            deaf.push(tokio::spawn(nap(stream, naps.clone())));
        } else {
            followers.spawn(follow(stream, delays.clone()));
        }
    }

    let control = best_p99(&mut heard).await;
    asleep.send_replace(true);
    operator.phase.store(1, SeqCst);
    let with_deaf = best_p99(&mut heard).await;
    let metrics = reqwest::get(format!("http://{}/metrics", server.address()));
    let page = metrics.await.expect("an answer").text().await.expect("a page");
    // The others' messages go on while the deaf are shown the door.
    let draining = tokio::spawn(async move { while heard.recv().await.is_some() {} });
    let mut sessions = operator.sessions.subscribe();
    let others = (WATCHERS - DEAF + 1) as u64;
    let left = sessions.wait_for(|sessions| *sessions == others).await;
    drop(left.expect("the operator looks on"));
    asleep.send_replace(false);

    for deaf in deaf {
        let (seen, code) = deaf.await.expect("it reads on");
        assert_eq!(code, 1013);
        let words = seen.iter().filter(|message| message["type"] == "pressure");
        let levels: Vec<_> = words.map(|word| word["level"].clone()).collect();
        assert_eq!(levels, [1, 2, 3], "of {} messages", seen.len());
    }
    // The machine has other things to do, and now and then one of them costs some tens of
    // milliseconds. Who is waited for costs the others seconds.
    assert!(
        with_deaf <= 3 * control.max(50),
        "p99 {with_deaf} ms, without them {control} ms"
    );
    let [before, after] = operator.slips.lock().await.clone().map(least);
    assert!(
        after <= 3.0 * before.max(20.0),
        "slip {after} ms, without them {before} ms"
    );
    let waiting = gauge(&page, "skyhaul_ws_bytes_waiting");
    assert!(waiting <= (DEAF * 512 * 1024) as u64, "{waiting} bytes wait");

    operator.is_done.store(true, SeqCst);
    operating.await.expect("the gauges were followed");
    followers.shutdown().await;
    draining.abort();
    server.stop().await;
}

fn least(slips: Vec<f64>) -> f64 {
    slips
        .into_iter()
        .min_by(f64::total_cmp)
        .expect("gauges each second")
}
