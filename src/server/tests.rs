//! The whole server while actors really panic: clients hear, and no room is lost.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::actors::testing::{self, STUMBLES};

struct Visitor {
    http: Client,
    base: String,
}

impl Visitor {
    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> String {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        answer.text().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.get(path).await).unwrap()
    }

    async fn clock(&self, change: Value) {
        let request = self
            .http
            .put(format!("{}/api/simulation", self.base))
            .json(&change);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }

    async fn order(&self, deadline: &str) -> String {
        let order = json!({
            "ownerId": "shop", "pickupLocation": "Ferry Building", "dropOffLocation": "Dolores Park",
            "packageInfo": {"packageId": "p", "size": "Small", "weight": 1}, "deadline": deadline,
        });
        let (status, accepted) = self.post("/api/deliveryrequests", order).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        accepted["deliveryId"].as_str().unwrap().to_owned()
    }

    async fn register(&self, name: &str) -> (StatusCode, Value) {
        let account = json!({"id": name, "name": name, "kind": "business"});
        self.post("/api/accounts", account).await
    }
}

async fn serve(data: &Path) -> (Server, Visitor) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options {
        data: data.to_str().unwrap().to_owned(),
        paused: true,
        ..Options::default()
    };
    let world = Arc::new(testing::world(4, 4));
    let server = start(world, options, listener).await.unwrap();
    let base = format!("http://{}", server.address());
    let http = Client::new();
    (server, Visitor { http, base })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_answered_frees_its_room_and_comes_again_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (server, visitor) = serve(folder.path()).await;
    let (bad, good) = (visitor.order(STUMBLES).await, visitor.order("").await);
    visitor.clock(json!({"state": "running"})).await;
    let (status, problem) = visitor.register(STUMBLES).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:internal");
    let (status, made) = visitor.register("bakery").await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    visitor.clock(json!({"state": "paused"})).await;

    let metrics = visitor.get("/metrics").await;
    assert!(
        metrics.contains("skyhaul_queue_depth{queue=\"ingestion\"} 0"),
        "{metrics}"
    );
    let mut seen = Vec::new();
    for path in [
        format!("/api/deliveryrequests/{bad}"),
        format!("/api/deliveryrequests/{good}"),
        format!("/api/deliveryhistory/{bad}"),
        "/api/supervisor/health".to_owned(),
        "/api/accounts/bakery".to_owned(),
    ] {
        seen.push((visitor.json(&path).await, path));
    }
    let failed = json!({
        "deliveryId": bad, "state": "Failed", "step": "account", "attempts": 1, "waitingFor": null,
        "reason": "internal_error",
    });
    assert_eq!(seen[0].0, failed);
    assert_eq!(seen[1].0["state"], "Scheduled");
    let panics = json!([{"actor": "account", "count": 1}, {"actor": "scheduler", "count": 1}]);
    assert_eq!(seen[3].0["panics"], panics);
    let digest = visitor.json("/api/simulation").await["digest"].clone();
    server.stop().await.unwrap();

    let (server, visitor) = serve(folder.path()).await;
    assert_eq!(visitor.json("/api/simulation").await["digest"], digest);
    for (before, path) in seen {
        assert_eq!(visitor.json(&path).await, before, "{path}");
    }
    server.stop().await.unwrap();
}
