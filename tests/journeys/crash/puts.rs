//! Who puts, hears nothing because the server was killed, and puts again, has one delivery.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::world::busy_file;

const CRASHES: usize = 4;
const CLIENTS: usize = 6;
const OWNER: &str = "putter";

async fn put(server: &Operator, number: usize) -> Option<StatusCode> {
    let (pickup, dropoff) = (
        json!({"latitude": 37.7596, "longitude": -122.4269}),
        json!({"latitude": 37.7557, "longitude": -122.4045}),
    );
    let body = json!({
        "owner": {"accountId": OWNER}, "pickup": pickup, "dropoff": dropoff, "deadline": number.to_string(),
    });
    let path = format!("/api/deliveries/put-{number}");
    Some(server.put(&path, &body).await.ok()?.status())
}

async fn keep_putting(server: Operator, sent: Arc<AtomicUsize>) {
    loop {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        match put(&server, number).await {
            Some(status) => assert_eq!(status, StatusCode::CREATED, "{number}"),
            None => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_puts_again_after_a_crash_has_one_delivery() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let sent = Arc::new(AtomicUsize::new(0));
    let mut unheard = 0;
    for _ in 0..CRASHES {
        let mut child = Child::spawn(&scenario, &data, &["--speed", "max"]);
        let server = child.serving().await;
        let before = sent.load(Ordering::Relaxed);
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(keep_putting(server.clone(), Arc::clone(&sent)));
        }
        let enough = async || (sent.load(Ordering::Relaxed) > before + 40).then_some(());
        server.until("some are put", enough).await;
        child.kill();
        while let Some(client) = clients.join_next().await {
            client.unwrap();
        }

        let mut child = Child::spawn(&scenario, &data, &["--paused"]);
        let server = child.serving().await;
        for number in before..sent.load(Ordering::Relaxed) {
            match put(&server, number).await {
                Some(StatusCode::NO_CONTENT) => {}
                Some(StatusCode::CREATED) => unheard += 1,
                // What failed before the crash is over.
                Some(StatusCode::CONFLICT) => {}
                other => panic!("{number}: {other:?}"),
            }
        }
        child.kill();
    }
    assert!(
        unheard <= CRASHES * CLIENTS,
        "only who heard nothing may be new: {unheard}"
    );

    let mut child = Child::spawn(&scenario, &data, &["--speed", "max"]);
    let server = child.serving().await;
    let all = sent.load(Ordering::Relaxed);
    let ended = async || {
        let listed = server.deliveries(Some(OWNER)).await;
        let is_over = |stage: &str| ["Completed", "Failed"].contains(&stage);
        listed
            .iter()
            .all(|one| is_over(one.stage.as_str()))
            .then_some(listed)
    };
    let listed = server.until("all have ended", ended).await;
    let mut marks = BTreeMap::new();
    for one in listed {
        let twice = marks.insert(one.delivery.deadline, one.delivery.id);
        assert_eq!(twice, None, "a delivery is doubled");
    }
    assert_eq!(marks.len(), all, "each was put");
    tokio::time::timeout(Duration::from_secs(120), async {
        for id in marks.values() {
            let history = server.json(&format!("/api/deliveryhistory/{id}")).await;
            let events = history["events"].as_array().unwrap();
            for (index, event) in events.iter().enumerate() {
                assert_eq!(event["seq"], json!(index + 1), "{history}");
            }
            let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
            assert_eq!(count("Accepted"), 1, "{history}");
            assert!(count("Created") <= 1 && count("Completed") <= 1, "{history}");
        }
    })
    .await
    .unwrap();
    let none: Value = server.json("/api/supervisor/deadletters").await;
    assert_eq!(none["items"], json!([]));
}
