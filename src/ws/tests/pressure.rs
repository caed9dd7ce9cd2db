//! Clients that stop reading: told by `pressure`, spared, closed; or caught up again.

use std::time::Duration;

use serde_json::{Value, json};

use super::access::of;
use super::stand::{Client, Stand, flying, took_off};
use crate::auth::Role;
use crate::wire::stream::Encoding;
use crate::ws::{Config, Patience};

const EVERYWHERE: [f64; 4] = [-122.52, 37.70, -122.35, 37.83];

fn short(close_after_ms: u64) -> Config {
    Config {
        patience: Patience {
            ping_every: Duration::from_millis(100),
            degrade_after: [300, 600, 900].map(Duration::from_millis),
            close_after: Duration::from_millis(close_after_ms),
        },
        ..Config::default()
    }
}

/// Publishes, a tick at a time, until `done`; the other client reads each.
async fn go_on(stand: &mut Stand, other: &mut Client, mut done: impl FnMut(&Stand) -> bool) -> u32 {
    let mut ticks = 0;
    while !done(stand) {
        ticks += 1;
        let step = f64::from(ticks) * 1e-5;
        let tick = stand.publish(vec![flying(0, 37.76 + step, -122.44)], vec![(ticks, took_off(0))]);
        other.positions_at(1, tick).await;
    }
    ticks
}

/// The levels that were told of subscription 1, in order.
fn levels(seen: &[Value]) -> Vec<u64> {
    levels_of(1, seen)
}

fn levels_of(id: u64, seen: &[Value]) -> Vec<u64> {
    let told = seen
        .iter()
        .filter(|message| message["type"] == "pressure" && message["id"] == id);
    told.map(|message| message["level"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_finds_word_of_it_and_the_reason_for_the_close() {
    for encoding in Encoding::ALL {
        let mut stand = Stand::new(2, short(1500)).await;
        let mut deaf = Client::connect_speaking(&stand.url(), encoding).await;
        deaf.next_of("welcome").await;
        deaf.subscribe_area(1, EVERYWHERE).await;
        deaf.subscribe(2, "drone/d-0", 5.0).await;
        let mut other = stand.client().await;
        other.subscribe_area(1, EVERYWHERE).await;
        let ticks = go_on(&mut stand, &mut other, |stand| {
            stand.gateway.telemetry().closed_slow() > 0
        })
        .await;

        let (seen, code) = deaf.read_out().await;
        assert_eq!(code, 1013);
        assert_eq!(levels(&seen), [1, 2, 3]);
        let pressure: Vec<_> = seen
            .iter()
            .filter(|message| message["type"] == "pressure")
            .collect();
        assert_eq!(pressure.len(), 6, "each subscription with positions is told");
        assert_eq!(pressure[0]["effectiveHz"], 1.0);
        assert_eq!(pressure[2]["effectiveHz"], 0.5);
        let folded: u64 = pressure
            .iter()
            .filter(|message| message["id"] == 1)
            .map(|message| message["conflated"].as_u64().unwrap())
            .sum();
        let positions: Vec<_> = seen
            .iter()
            .filter(|message| message["type"] == "positions" && message["id"] == 1)
            .collect();
        assert!(
            folded > 0 && folded + positions.len() as u64 <= u64::from(ticks) + 2,
            "{folded} folded, {} told of {ticks}",
            positions.len()
        );
        // A level begins with a full message, where any follows.
        for (word, next) in seen.iter().zip(&seen[1..]) {
            if word["type"] == "pressure" && next["type"] == "positions" {
                assert_eq!(next["full"], true);
            }
        }
        // Events were told without a hole as long as any were told.
        let events = seen.iter().filter(|message| message["type"] == "event");
        let seqs: Vec<_> = events.map(|event| event["seq"].as_u64().unwrap()).collect();
        assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_positions_is_told_of_pressure_too() {
    let config = Config {
        patience: Patience {
            // A gauge is told each second: all levels are passed while some come.
            degrade_after: [300, 1500, 4500].map(Duration::from_millis),
            ..short(6000).patience
        },
        ..Config::default()
    };
    let mut stand = Stand::guarded(2, config).await;
    let mut deaf = stand.enter(&of(Role::Operator, "ops")).await;
    for (id, topic) in [(1, "events"), (2, "fleet"), (3, "hub/mission")] {
        deaf.subscribe(id, topic, 5.0).await;
    }
    let mut neighbour = stand.enter(&of(Role::Customer, "cafe")).await;
    neighbour.subscribe_area(1, EVERYWHERE).await;
    let mut other = stand.enter(&of(Role::Operator, "ops")).await;
    other.subscribe_area(1, EVERYWHERE).await;
    go_on(&mut stand, &mut other, |stand| {
        stand.gateway.telemetry().closed_slow() > 1
    })
    .await;

    let (seen, code) = deaf.read_out().await;
    assert_eq!(code, 1013);
    for id in 1..=3 {
        assert_eq!(levels_of(id, &seen), [1, 2, 3]);
    }
    let hz = |id: u64| -> Vec<Value> {
        let told = seen
            .iter()
            .filter(|message| message["type"] == "pressure" && message["id"] == id);
        told.map(|message| message["effectiveHz"].clone()).collect()
    };
    assert_eq!(hz(1), [0.0, 0.0, 0.0], "events come as they are read");
    assert_eq!(hz(2), [1.0, 0.5, 0.5]);
    let gauges = |level: u64| {
        let from = seen
            .iter()
            .position(|message| message["id"] == 2 && message["level"] == level);
        let after = seen[from.unwrap()..].iter();
        let until = after
            .clone()
            .skip(1)
            .position(|message| message["type"] == "pressure" && message["id"] == 2);
        let told = after.take(until.map_or(usize::MAX, |until| until + 1));
        told.filter(|message| message["type"] == "fleet").count()
    };
    assert!((1..=2).contains(&gauges(2)), "three seconds: {}", gauges(2));

    // Densities are what customers see of an area.
    let (seen, code) = neighbour.read_out().await;
    assert_eq!((levels(&seen), code), (vec![1, 2, 3], 1013));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_again_gets_everything_again_step_by_step() {
    let mut stand = Stand::new(2, short(60_000)).await;
    let mut sleeper = stand.client().await;
    sleeper.subscribe_area(1, EVERYWHERE).await;
    sleeper.subscribe(2, "drone/d-0", 5.0).await;
    let mut other = stand.client().await;
    other.subscribe_area(1, EVERYWHERE).await;
    let asleep = go_on(&mut stand, &mut other, |stand| {
        stand.gateway.telemetry().slow_sessions()[2] == 1
    })
    .await;

    // Awake again, and alone.
    drop(other);
    let mut seen = Vec::new();
    let mut seq = asleep;
    while levels(&seen).last() != Some(&0) {
        seq += 1;
        stand.publish(vec![flying(0, 37.75, -122.44)], vec![(seq, took_off(0))]);
        seen.extend(sleeper.read_until_event(seq.into()).await);
    }
    assert_eq!(levels(&seen), [1, 2, 3, 2, 1, 0]);
    let last = seen
        .iter()
        .rfind(|message| message["type"] == "pressure")
        .unwrap();
    assert_eq!(
        last["effectiveHz"],
        if last["id"] == 1 { json!(10.0) } else { json!(5.0) }
    );
    let events = seen.iter().filter(|message| message["type"] == "event");
    let seqs: Vec<_> = events.map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    assert_eq!(seqs.last(), Some(&u64::from(seq)));
    // The first of the wanted rate is full, and from then on changes come again.
    let tick = stand.publish(vec![flying(0, 37.75, -122.43)], vec![]);
    sleeper.positions_at(1, tick).await;
    let tick = stand.publish(vec![flying(0, 37.75, -122.42)], vec![]);
    assert_eq!(sleeper.positions_at(1, tick).await["full"], false);
    while stand.gateway.telemetry().slow_sessions() != [0, 0, 0] {
        let tick = stand.publish(vec![], vec![]);
        sleeper.positions_at(1, tick).await;
    }
}
