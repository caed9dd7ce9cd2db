//! Sessions that look at moments of their own, while all others see what all see.

use serde_json::{Value, json};

use crate::recordings::{replay, serve_and_record};
use crate::support::client::Client;
use crate::support::server::{Running, lively};
use crate::support::stream::{Stream, assert_numbered_from};
use crate::support::worlds::busy;

const EVERYWHERE: [i32; 4] = [-123, 37, -122, 38];

pub(crate) async fn watcher(address: std::net::SocketAddr) -> Stream {
    let mut stream = Stream::open(address).await;
    stream
        .send(json!({"type": "subscribe", "id": 1, "topic": "area", "bbox": EVERYWHERE, "maxHz": 10}))
        .await;
    stream.next_where(|message| message["full"] == true).await;
    stream
}

/// What lets its bearer see what this wish says.
pub(crate) async fn token(client: &Client, wish: Value) -> String {
    let (status, handed) = client.post("/api/tokens", &wish).await;
    assert_eq!(status.as_u16(), 201, "{wish}: {handed}");
    handed["token"].as_str().unwrap().to_owned()
}

pub(crate) async fn bearer(address: std::net::SocketAddr, token: &str) -> Stream {
    let shown = format!("Bearer {token}");
    let (mut stream, _) = Stream::knock(address, &[("authorization", &shown)])
        .await
        .unwrap();
    stream.welcome = stream.next_of("welcome").await;
    stream
}

/// What a leap brings, in this order: the new epoch, the clock, and all drones as they are there.
pub(crate) async fn arrive(stream: &mut Stream) -> (Value, Value, Value) {
    let leap = stream.next_of("discontinuity").await;
    let clock = stream.next_of("clock").await;
    let full = stream.next_where(|message| message["full"] == true).await;
    (leap, clock, full)
}

pub(crate) async fn seek(stream: &mut Stream, to: &Value) -> (Value, Value, Value) {
    stream.send(json!({"type": "seek", "simTime": to})).await;
    arrive(stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_see_two_moments_and_all_others_a_third() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let before = client.get("/api/simulation").await.1;
    let [mut all, mut ada, mut grace] = [
        watcher(server.address()).await,
        watcher(server.address()).await,
        watcher(server.address()).await,
    ];
    let mut seen = Vec::new();
    for (stream, at) in [(&mut ada, 1), (&mut grace, 4)] {
        let (leap, clock, full) = seek(stream, &served.clocks[at]["simTime"]).await;
        assert_eq!(
            (&leap["discontinuity"], &clock["live"]),
            (&json!(true), &json!(false))
        );
        assert_ne!(leap["epoch"], stream.welcome["epoch"]);
        assert_eq!(clock["state"], "paused", "as for all: {clock}");
        for message in [&leap, &clock, &full] {
            assert_eq!(message["tick"], served.clocks[at]["tick"]);
        }
        seen.push(full["drones"].clone());
    }
    assert_ne!(seen[0], seen[1]);
    let tick = client.get("/api/simulation").await.1["tick"].clone();
    assert_eq!(tick, before["tick"], "nobody else was moved");

    for (at, own) in [1, 4].into_iter().zip(&seen) {
        client
            .control(json!({"simTime": served.clocks[at]["simTime"]}))
            .await;
        all.next_of("discontinuity").await;
        let shown = all.next_where(|message| message["full"] == true).await;
        assert_eq!(&shown["drones"], own, "the same as if all had gone there");
    }

    ada.send(json!({"type": "live"})).await;
    let (_, clock, full) = arrive(&mut ada).await;
    assert_eq!(
        (&clock["live"], &full["tick"]),
        (&json!(true), &served.clocks[4]["tick"])
    );
    assert_eq!(full["drones"], seen[1]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_quick_seeks_the_last_is_answered_by_its_number_and_seen() {
    const SEEKS: u64 = 100;
    let served = serve_and_record().await;
    let (server, _) = replay(&served.path).await;
    let mut stream = watcher(server.address()).await;
    let place = |number: u64| &served.clocks[(number % 5) as usize];
    for number in 1..=SEEKS {
        let to = &place(number)["simTime"];
        let message = json!({"type": "seek", "id": number, "simTime": to});
        stream.send(message).await;
    }
    let mut answered = 0;
    while answered < SEEKS {
        let clock = stream.next_of("clock").await;
        let id = clock["id"].as_u64().expect("it answers one of them");
        assert!(answered < id, "{id} after {answered}");
        answered = id;
        if id == SEEKS {
            assert_eq!(clock["tick"], place(SEEKS)["tick"], "{clock}");
        }
    }
    let full = stream.next_where(|message| message["full"] == true).await;
    assert_eq!(full["tick"], place(SEEKS)["tick"]);

    // What is refused is numbered too, and changes nothing.
    let outside = json!({"type": "seek", "id": SEEKS + 1, "simTime": "2030-01-01T00:00:00Z"});
    stream.send(outside).await;
    let refused = stream.next_where(|message| message["type"] == "error").await;
    assert_eq!(
        (&refused["code"], &refused["id"]),
        (&json!("not_recorded"), &json!(SEEKS + 1))
    );
    stream
        .send(json!({"type": "play", "id": SEEKS + 2, "speed": 0}))
        .await;
    let clock = stream.next_of("clock").await;
    assert_eq!(
        (&clock["id"], &clock["tick"]),
        (&json!(SEEKS + 2), &place(SEEKS)["tick"])
    );
    stream.send(json!({"type": "live", "id": 0})).await;
    let clock = stream.next_of("clock").await;
    assert_eq!((&clock["id"], &clock["live"]), (&json!(0), &json!(true)));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_plays_on_and_back_by_itself() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let before = client.get("/api/simulation").await.1;
    let mut stream = watcher(server.address()).await;
    let (_, begun, _) = seek(&mut stream, &served.clocks[2]["simTime"]).await;
    let tick_of = |message: &Value| message["tick"].as_u64().unwrap();

    stream.send(json!({"type": "play", "speed": 20})).await;
    let clock = stream.next_of("clock").await;
    assert_eq!(
        (&clock["state"], &clock["speed"]),
        (&json!("running"), &json!(20.0))
    );
    let later = |message: &Value| message["type"] == "positions" && tick_of(message) > tick_of(&begun) + 20;
    stream.next_where(later).await;

    stream.send(json!({"type": "play", "speed": -20})).await;
    let earlier = |message: &Value| message["type"] == "positions" && tick_of(message) + 20 < tick_of(&begun);
    stream.next_where(earlier).await;

    stream.send(json!({"type": "play", "speed": 0})).await;
    let still = stream
        .next_where(|message| message["type"] == "clock" && message["state"] == "paused")
        .await;
    assert_eq!(still["live"], false);

    // It stands still at the end, and says so without being asked.
    let (_, clock, _) = seek(&mut stream, &served.clocks[4]["simTime"]).await;
    stream.send(json!({"type": "play", "speed": 20})).await;
    let paused = |message: &Value| message["type"] == "clock" && message["state"] == "paused";
    let ended = stream.next_where(paused).await;
    assert_eq!(ended["simTime"], clock["to"]);
    assert_eq!(client.get("/api/simulation").await.1["tick"], before["tick"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_is_refused_with_words_and_nothing_changes() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let mut stream = watcher(server.address()).await;
    let mut refused = async |message: Value, code: &str| {
        stream.send(message).await;
        let error = stream.next_where(|message| message["type"] == "error").await;
        assert_eq!(error["code"], code, "{error}");
        error["message"].as_str().unwrap().to_owned()
    };
    let why = refused(
        json!({"type": "seek", "simTime": "2030-01-01T00:00:00Z"}),
        "not_recorded",
    )
    .await;
    let begins = client.get("/api/simulation").await.1["playback"]["from"].clone();
    assert!(why.contains(begins.as_str().unwrap()), "{why}");
    refused(json!({"type": "seek", "simTime": "noon"}), "bad_message").await;
    refused(json!({"type": "seek"}), "bad_message").await;
    refused(json!({"type": "play", "speed": "fast"}), "bad_message").await;
    refused(json!({"type": "play", "speed": 20_000}), "bad_message").await;

    let at = &served.clocks[0]["simTime"];
    let mut own = Vec::new();
    for _ in 0..4 {
        let mut stream = watcher(server.address()).await;
        seek(&mut stream, at).await;
        own.push(stream);
    }
    let why = refused(json!({"type": "seek", "simTime": at}), "too_many").await;
    assert!(why.contains("4 sessions") && why.contains("live"), "{why}");
    // A place is free again as soon as its session is gone.
    drop(own.pop());
    until_there_is_room(&mut stream, at).await;
    server.stop().await;
}

/// Asks to go there until it is taken.
async fn until_there_is_room(stream: &mut Stream, at: &Value) {
    loop {
        stream.send(json!({"type": "seek", "simTime": at})).await;
        let answer =
            stream.next_where(|message| ["clock", "error"].iter().any(|kind| message["type"] == *kind));
        if answer.await["type"] == "clock" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_all_moments_and_all_together_no_more_than_there_are() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let at = &served.clocks[0]["simTime"];
    let mut own = Vec::new();
    for account in ["ada", "grace", "mary", "joan", "none"] {
        let token = token(&client, json!({"role": "business", "account": account})).await;
        for number in 0..5 {
            let mut stream = bearer(server.address(), &token).await;
            stream.send(json!({"type": "seek", "simTime": at})).await;
            let answer = stream
                .next_where(|message| ["clock", "error"].iter().any(|kind| message["type"] == *kind))
                .await;
            let (kind, why) = (&answer["type"], answer["message"].as_str().unwrap_or_default());
            match (account, number) {
                // Sixteen are open.
                ("none", _) => assert!(kind == "error" && why.contains("16"), "{answer}"),
                (_, 4) => assert!(kind == "error" && why.contains("4 sessions"), "{answer}"),
                _ => assert_eq!(kind, "clock", "{account}, {number}: {answer}"),
            }
            own.push(stream);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_live_world_that_nobody_records_has_no_past() {
    let server = Running::start(busy(), lively()).await;
    let mut stream = server.stream().await;
    stream
        .send(json!({"type": "seek", "simTime": stream.welcome["simTime"]}))
        .await;
    let error = stream.next_where(|message| message["type"] == "error").await;
    assert_eq!(error["code"], "not_recorded");
    assert!(error["message"].as_str().unwrap().contains("--record"), "{error}");
    stream.send(json!({"type": "live"})).await;
    let clock = stream.next_of("clock").await;
    assert_eq!(
        (&clock["live"], clock.get("from")),
        (&json!(true), None),
        "{clock}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backwards_lists_and_counts_go_back_too() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    client
        .control(json!({"simTime": served.clocks[5]["simTime"]}))
        .await;
    let listed = async || {
        let (_, list) = client.get("/api/deliveries?limit=1000").await;
        list["items"].as_array().unwrap().len()
    };
    let before = listed().await;
    let mut stream = Stream::open(server.address()).await;
    stream
        .send(json!({"type": "subscribe", "id": 9, "topic": "fleet"}))
        .await;
    let accepted = |message: &Value| message["fleet"]["deliveries"]["accepted"].as_u64();
    let told = stream.next_where(|message| message["id"] == 9 && accepted(message).is_some());
    let most = accepted(&told.await);
    client.control(json!({"state": "running", "speed": -20})).await;
    // No leap: it plays on all the while.
    let is_told = |message: &Value| {
        message["type"] == "discontinuity" || accepted(message).is_some_and(|now| Some(now) < most)
    };
    let told = stream.next_where(is_told).await;
    assert_eq!(told["type"], "fleet", "{told}");
    assert!(listed().await < before);
    let clock = client.simulation().await;
    assert_eq!(
        (&clock["state"], &clock["speed"]),
        (&json!("running"), &json!(-20.0))
    );
    server.stop().await;
}

/// What is told after a leap to a tick, up to the event of this number: first the moment, then all
/// events since.
async fn told_since(stream: &mut Stream, tick: &Value, first: u64, last: u64) {
    let leap = stream.next_of("discontinuity").await;
    assert_eq!(&leap["tick"], tick, "{leap}");
    let snapshot = stream.next_of("snapshot").await;
    assert_eq!(
        (&snapshot["tick"], &snapshot["seq"]),
        (tick, &json!(first)),
        "{snapshot}"
    );
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Value| event["seq"] != last) {
        let one =
            stream.next_where(|message| ["event", "snapshot"].iter().any(|kind| message["type"] == *kind));
        let one = one.await;
        assert_eq!(one["type"], "event", "no other picture: {one}");
        events.push(one);
    }
    assert_numbered_from(first + 1, &events);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_fast_as_it_goes_nothing_is_skipped_after_a_leap() {
    let served = serve_and_record().await;
    let (server, client) = replay(&served.path).await;
    let [begin, end] = [0, 5].map(|at| &served.clocks[at]);
    let mut stream = Stream::open(server.address()).await;
    stream.follow(1, "events").await;
    stream.next_of("snapshot").await;
    let seq_at = async |stream: &mut Stream, clock: &Value| {
        client.control(json!({"simTime": clock["simTime"]})).await;
        stream.next_of("discontinuity").await;
        stream.next_of("snapshot").await["seq"].as_u64().unwrap()
    };
    let first = seq_at(&mut stream, begin).await;
    let last = seq_at(&mut stream, end).await;
    assert!(first < last);

    let wish = json!({"simTime": begin["simTime"], "state": "running", "speed": "max"});
    client.control(wish).await;
    told_since(&mut stream, &begin["tick"], first, last).await;

    // A session by itself, in a show that opens and in one that it has.
    for _ in 0..2 {
        stream
            .send(json!({"type": "seek", "simTime": begin["simTime"]}))
            .await;
        stream.send(json!({"type": "play", "speed": "max"})).await;
        told_since(&mut stream, &begin["tick"], first, last).await;
    }
    server.stop().await;
}
