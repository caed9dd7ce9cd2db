//! Following over plain HTTP: the same messages as over the WebSocket, and a reader who
//! stops reading is nobody's problem but its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use skyhaul::server::Options;
use skyhaul::view::reading::Speed;
use skyhaul::ws::{Config, Patience};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::support::client::parcel;
use crate::support::server::{Running, lively, quiet};
use crate::support::sse::Events;
use crate::support::stream::assert_numbered_from;
use crate::support::{world, worlds};

/// What a topic's messages say, without the subscription that they came by; positions by tick.
fn said(messages: &[Value], kind: &str) -> Vec<Value> {
    let of_kind = messages.iter().filter(|message| message["type"] == kind);
    of_kind
        .map(|message| {
            let mut message = message.clone();
            message.as_object_mut().expect("an object").remove("id");
            message
        })
        .collect()
}

fn rows_by_tick(messages: &[Value]) -> BTreeMap<u64, Value> {
    let told = messages.iter().filter(|message| message["type"] == "positions");
    // What did not change is in full messages only.
    let told = told.filter(|message| message["drones"] != Value::Array(Vec::new()));
    told.map(|message| {
        (
            message["tick"].as_u64().expect("a tick"),
            message["drones"].clone(),
        )
    })
    .collect()
}

#[tokio::test]
async fn the_same_is_told_with_and_without_a_websocket() {
    let mut options = quiet();
    options.speed = Speed::Times(100.0);
    let server = Running::start(worlds::tiny(), options).await;
    let operator = server.client();
    let delivery = operator
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    let topic = format!("delivery/{delivery}");
    let mut socket = server.stream().await;
    socket.follow(1, &topic).await;
    let query = format!("topic=fleet&topic={topic}&maxHz=10");
    let mut stream = Events::open(server.address(), &query, None)
        .await
        .expect("it serves");
    let mut streamed = vec![
        stream
            .next_where(|message| message["type"] == "snapshot" && message["id"] == 2)
            .await,
    ];
    let mut socketed = vec![socket.next_of("snapshot").await];

    operator.control(serde_json::json!({"state": "running"})).await;
    socketed.extend(socket.until_event("Completed").await);
    let mut heard = BTreeSet::new();
    while streamed
        .last()
        .is_none_or(|last| last["event"]["kind"] != "Completed")
    {
        let message = stream.next_where(|_| true).await;
        heard.insert(message["type"].as_str().expect("a type").to_owned());
        if message["id"] == 2 {
            streamed.push(message);
        }
    }
    assert_eq!(said(&streamed, "snapshot"), said(&socketed, "snapshot"));
    let [streamed_events, socketed_events] = [&streamed, &socketed].map(|messages| said(messages, "event"));
    assert_eq!(streamed_events, socketed_events);
    let snapshot = streamed[0]["seq"].as_u64().expect("a number");
    assert_numbered_from(snapshot + 1, &streamed);
    // Each may have missed a beat that the other saw.
    let [one, other] = [&streamed, &socketed].map(|messages| rows_by_tick(messages));
    let both: Vec<_> = one.keys().filter(|tick| other.contains_key(tick)).collect();
    assert!(
        both.len() > 10,
        "{} ticks in both of {} and {}",
        both.len(),
        one.len(),
        other.len()
    );
    for tick in both {
        assert_eq!(one[tick], other[tick], "at tick {tick}");
    }

    // The description knows all that was said.
    let (_, description) = operator.get("/asyncapi.json").await;
    let described = description["channels"]["stream"]["messages"]
        .as_object()
        .expect("messages");
    heard.retain(|kind| !described.contains_key(kind));
    assert!(heard.is_empty(), "not described: {heard:?}");
    server.stop().await;
}

fn impatient() -> Options {
    let patience = Patience {
        ping_every: Duration::from_millis(200),
        degrade_after: [300, 600, 900].map(Duration::from_millis),
        close_after: Duration::from_secs(2),
    };
    Options {
        paused: false,
        speed: Speed::Times(1.0),
        sessions: Config {
            patience,
            ..Config::default()
        },
        ..lively()
    }
}

fn gauge(page: &str, name: &str) -> u64 {
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {page}"));
    value.trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_is_cut_off_and_troubles_nobody() {
    let mut busy = Arc::unwrap_or_clone(world::busy());
    busy.fleets[0].aloft = 1.0;
    busy.fleets[0].count = 2_000;
    let server = Running::start(busy, impatient()).await;
    let query = "topic=area&bbox=-122.44,37.74,-122.39,37.78&maxHz=10";

    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4 * 1024).expect("a small buffer");
    let mut deaf = socket.connect(server.address()).await.expect("it listens");
    let request = format!("GET /api/stream?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    deaf.write_all(request.as_bytes()).await.expect("it reads");

    let mut other = Events::open(server.address(), query, None)
        .await
        .expect("it serves");
    let mut ticks = Vec::new();
    let mut page = String::new();
    while !page.contains("skyhaul_ws_closed_slow_total 1") {
        let positions = other.next_where(|message| message["type"] == "positions").await;
        ticks.push(positions["tick"].as_u64().expect("a tick"));
        if ticks.len() % 10 == 0 {
            let metrics = reqwest::get(format!("http://{}/metrics", server.address()));
            page = metrics.await.expect("an answer").text().await.expect("a page");
            let waiting = gauge(&page, "skyhaul_ws_bytes_waiting");
            assert!(waiting <= 2 * 512 * 1024, "{waiting} bytes wait");
        }
        assert!(ticks.len() < 3_000, "it is never cut off");
    }
    assert!(ticks.is_sorted(), "the other reads on");

    // What it finds when it wakes: whole messages, word of the pressure perhaps, no end.
    let mut found = Vec::new();
    let _reset_or_closed = deaf.read_to_end(&mut found).await;
    let found = String::from_utf8_lossy(&found);
    assert!(
        found.starts_with("HTTP/1.1 200 OK\r\n"),
        "{}",
        &found[..100.min(found.len())]
    );
    assert!(
        !found.ends_with("\r\n0\r\n\r\n"),
        "that would be an end in good order"
    );
    server.stop().await;
}
