//! The same world twice: one keeps all in memory, the other nothing that it need not keep.
//! Nobody who asks can tell which is which.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use skyhaul::server::Options;
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::server::{Running, kept_in, lively};
use crate::support::sse::Events;
use crate::support::worlds::busy;

const SNAPSHOT_EVERY: u64 = 600;
const TICKS: u64 = 25 * SNAPSHOT_EVERY + 250;

/// All of a list, in pages of this size; each is held against what came before.
async fn pages(client: &Client, list: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut seen, mut cursor) = (Vec::new(), BTreeSet::new(), String::new());
    loop {
        let joint = if list.contains('?') { '&' } else { '?' };
        let (status, page) = client.get(&format!("{list}{joint}limit={limit}{cursor}")).await;
        assert_eq!(status, 200, "{list}: {page}");
        for item in page["items"].as_array().expect("a list has items") {
            let ids = [&item["id"], &item["delivery"]["id"], &item["deliveryId"]];
            let id = ids.into_iter().find_map(Value::as_str);
            assert!(seen.insert(id.expect("an id").to_owned()), "shown twice: {item}");
            items.push(item.clone());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn compare(forgetful: &Running, mindful: &Running) {
    let (one, other) = (forgetful.client(), mindful.client());
    let known = pages(&other, "/api/deliveries", 1_000).await;
    assert!(known.len() > 80, "much happens: {}", known.len());
    for list in [
        "/api/deliveries",
        "/api/deliveries?stage=Completed",
        "/api/deliveries?stage=Failed",
        "/api/deliveries?stage=HeadedToDropoff",
        "/api/deliveries?ownerId=nobody",
        "/api/supervisor/workflows",
        "/api/supervisor/workflows?state=AwaitingDrone",
        "/api/supervisor/workflows?state=Scheduled",
        "/api/supervisor/workflows?state=Failed",
        "/api/supervisor/workflows?state=Cancelled",
        "/api/supervisor/workflows?state=DeadLettered",
    ] {
        let expected = pages(&other, list, 1_000).await;
        for limit in [1_000, 7] {
            assert_eq!(pages(&one, list, limit).await, expected, "{list} by {limit}");
        }
    }
    let workflows = pages(&one, "/api/supervisor/workflows", 1_000).await;
    assert_eq!(workflows.len(), known.len());
    for state in ["Scheduled", "Failed"] {
        let listed = pages(&one, &format!("/api/supervisor/workflows?state={state}"), 1_000).await;
        let expected: Vec<_> = workflows.iter().filter(|flow| flow["state"] == state).collect();
        assert!(!expected.is_empty() && listed.iter().eq(expected), "{state}");
    }
    let owner = known[0]["owner"]["accountId"].as_str().expect("an account");
    for list in ["", "&stage=Completed", "&stage=Created"]
        .map(|more| format!("/api/deliveries?ownerId={owner}{more}"))
    {
        assert_eq!(
            pages(&one, &list, 5).await,
            pages(&other, &list, 1_000).await,
            "{list}"
        );
    }
    for delivery in &known {
        let id = delivery["id"].as_str().expect("an id");
        for path in [
            format!("/api/deliveries/{id}"),
            format!("/api/deliveries/public/{id}"),
            format!("/api/deliveries/{id}/owner"),
            format!("/api/deliveries/{id}/status"),
            format!("/api/deliveryrequests/{id}"),
            format!("/api/deliveryhistory/{id}"),
        ] {
            assert_eq!(one.get(&path).await, other.get(&path).await, "{path}");
        }
    }
    assert_eq!(counts(&one).await, counts(&other).await);
    let all = pages(&other, "/api/deliveryhistory", 1_000).await;
    let ended = known.iter().filter(|delivery| {
        let stage = delivery["stage"].as_str();
        matches!(stage, Some("Completed" | "Failed" | "Cancelled"))
    });
    assert_eq!(all.len(), ended.count());
    let half_way = all[all.len() / 2]["events"].as_array().expect("events");
    let half_way = half_way[half_way.len() - 1]["simTime"].as_str().expect("a date");
    for list in [
        "/api/deliveryhistory".to_owned(),
        format!("/api/deliveryhistory?from={half_way}"),
        format!("/api/deliveryhistory?to={half_way}&ownerId={owner}"),
    ] {
        let expected = pages(&other, &list, 1_000).await;
        assert!(
            !expected.is_empty() && (expected.len() < all.len() || !list.contains('?')),
            "{list}"
        );
        assert_eq!(pages(&one, &list, 6).await, expected, "{list}");
    }
    for summary in [
        "deliveries/summary",
        "packages/summary",
        "dronedeliveries/utilization",
    ] {
        let path = format!("/api/{summary}?ownerId={owner}&year=2026&month=6");
        assert_eq!(one.get(&path).await, other.get(&path).await, "{path}");
    }
    follow(forgetful, mindful, &known).await;
}

/// Deliveries by how far they have come, as the operators see them.
async fn counts(client: &Client) -> Vec<String> {
    let (_, page) = client.get("/metrics").await;
    let lines = page.as_str().expect("text").lines();
    let counts = lines.filter(|line| line.starts_with("skyhaul_deliveries{"));
    let mut counts: Vec<_> = counts.map(str::to_owned).collect();
    counts.sort();
    counts
}

/// What is told of deliveries that have ended, from the beginning, from half-way on, and to
/// somebody who knows nothing yet; over a WebSocket and as server-sent events.
async fn follow(forgetful: &Running, mindful: &Running, known: &[Value]) {
    let ended = known.iter().filter(|delivery| delivery["stage"] == "Completed");
    let ids: Vec<&str> = ended
        .filter_map(|delivery| delivery["id"].as_str())
        .take(20)
        .collect();
    for since in [None, Some(0), Some(3)] {
        let expected = told(mindful, &ids, since).await;
        assert_eq!(told(forgetful, &ids, since).await, expected, "{since:?}");
        let as_events = told_as_events(mindful, &ids, since).await;
        assert_eq!(as_events, numbered(&expected), "{since:?}");
        assert_eq!(
            told_as_events(forgetful, &ids, since).await,
            as_events,
            "{since:?}"
        );
        let events = expected.iter().filter(|message| message["type"] == "event");
        assert_eq!(events.count() > 20, since.is_some(), "{since:?}");
    }
}

/// All that is told of these up to the last word of each, by subscription and number.
struct Heard {
    messages: Vec<Value>,
    since: Option<u64>,
    lasting: usize,
}

impl Heard {
    fn of(ids: &[&str], since: Option<u64>) -> Self {
        Heard {
            messages: Vec::new(),
            since,
            lasting: ids.len(),
        }
    }

    /// Whether there is more to come.
    fn hear(&mut self, message: Value) -> bool {
        let is_last = match self.since {
            Some(_) => message["event"]["kind"] == "Completed",
            None => message["type"] == "snapshot",
        };
        self.lasting -= usize::from(is_last);
        self.messages.push(message);
        self.lasting > 0
    }

    fn in_order(mut self) -> Vec<Value> {
        self.messages
            .sort_by_key(|message| (message["id"].as_u64(), message["seq"].as_u64()));
        self.messages
    }
}

async fn told(running: &Running, ids: &[&str], since: Option<u64>) -> Vec<Value> {
    let mut stream = running.stream().await;
    for (number, id) in (1..).zip(ids) {
        let mut subscribe = json!({
            "type": "subscribe", "id": number, "topic": format!("delivery/{id}"),
        });
        if let Some(seq) = since {
            subscribe["since"] = json!({"epoch": stream.welcome["epoch"], "seq": seq});
        }
        stream.send(subscribe).await;
    }
    let mut heard = Heard::of(ids, since);
    while heard.hear(stream.next_where(|_| true).await) {}
    stream
        .follow(99, "delivery/00000000-0000-7000-8000-000000000000")
        .await;
    let refused = stream.next_where(|message| message["id"] == 99).await;
    assert_eq!(refused["code"], "not_found", "{refused}");
    heard.in_order()
}

async fn told_as_events(running: &Running, ids: &[&str], since: Option<u64>) -> Vec<Value> {
    let topics = ids.iter().map(|id| format!("topic=delivery/{id}"));
    let query = topics.collect::<Vec<_>>().join("&");
    let (_, clock) = running.client().get("/api/simulation").await;
    let bookmark = since.map(|seq| {
        let places = ids.iter().map(|_| format!(".{seq}"));
        format!(
            "{}{}",
            clock["epoch"].as_str().expect("an epoch"),
            places.collect::<String>()
        )
    });
    let stream = Events::open(running.address(), &query, bookmark.as_deref()).await;
    let mut stream = stream.expect("there is room");
    let mut heard = Heard::of(ids, since);
    while heard.hear(stream.next_where(|_| true).await) {}
    numbered(&heard.in_order())
}

/// What of it is about the deliveries.
fn numbered(messages: &[Value]) -> Vec<Value> {
    let kinds = ["snapshot", "event"];
    let numbered = messages
        .iter()
        .filter(|message| message["type"].as_str().is_some_and(|kind| kinds.contains(&kind)));
    numbered.cloned().collect()
}

async fn in_memory(running: &Running) -> u64 {
    let (_, page) = running.client().get("/metrics").await;
    let lines = page.as_str().expect("text").lines();
    let mut gauges = lines.filter_map(|line| line.strip_prefix("skyhaul_deliveries_in_memory "));
    gauges
        .next()
        .expect("the gauge is there")
        .parse()
        .expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_cannot_tell_what_has_left_memory() {
    let folder = TempDir::new().expect("a folder");
    let forgetful = |options| Options {
        recently_ended: 0,
        ..options
    };
    let mindful = Running::start(busy(), lively()).await;
    mindful.client().run_to(TICKS).await;
    for options in [forgetful(lively()), forgetful(kept_in(folder.path()))] {
        let running = Running::start(busy(), options).await;
        running.client().run_to(TICKS).await;
        let kept = in_memory(&running).await;
        assert!(kept * 2 < in_memory(&mindful).await, "{kept} are in memory");
        compare(&running, &mindful).await;
        running.stop().await;
    }
    // After a restart too, and from then on.
    let running = Running::start(busy(), forgetful(kept_in(folder.path()))).await;
    compare(&running, &mindful).await;
    for running in [&running, &mindful] {
        running.client().run_to(TICKS + 2 * SNAPSHOT_EVERY).await;
    }
    compare(&running, &mindful).await;
    running.stop().await;
    mindful.stop().await;
}
