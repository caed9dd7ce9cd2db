//! Somebody at the front door: reads the clock, steers it, orders deliveries.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use skyhaul::sim::time::Tick;
use skyhaul::wire::api::deliveries::ListedDelivery;
use skyhaul::wire::api::simulation::{Simulation, SimulationState};

/// Nothing here takes long; whoever waits longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

#[derive(Clone)]
pub struct Operator {
    address: SocketAddr,
    client: Client,
}

/// A request whose `mark` comes back in every list, so that it can be told from all others.
#[derive(Clone, Debug)]
pub struct Request {
    pub owner: String,
    pub mark: String,
    pub key: Option<String>,
    /// What the recipient must give.
    pub confirmation: Option<&'static str>,
}

impl Operator {
    pub fn at(address: SocketAddr) -> Self {
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Operator { address, client }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.client.get(self.url(path)).send().await
    }

    pub async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "GET {path}");
        answer.text().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }

    /// `None` once the server is gone.
    pub async fn try_clock(&self) -> Option<Simulation> {
        let answer = self.get("/api/simulation").await.ok()?;
        answer.json().await.ok()
    }

    pub async fn clock(&self) -> Simulation {
        self.try_clock().await.expect("the server answers")
    }

    /// Any other request; `None` where the server was gone before it had answered.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let mut request = self.client.request(method, self.url(path));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    async fn try_steer(&self, change: &Value) -> StatusCode {
        let request = self.client.put(self.url("/api/simulation")).json(change);
        request.send().await.unwrap().status()
    }

    async fn steer(&self, change: &Value) {
        assert_eq!(self.try_steer(change).await, StatusCode::OK, "{change}");
    }

    /// The tick that broke it; `None` where nothing broke, or the server is gone.
    pub async fn try_break(&self, fault: &Value) -> Option<Tick> {
        let post = self.client.post(self.url("/api/simulation/faults")).json(fault);
        let answer = post.send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        answer.json::<Value>().await.ok()?["tick"].as_u64()
    }

    /// A drone in the air; `None` where there is none, or no server.
    pub async fn try_airborne(&self) -> Option<String> {
        let answer = self.get("/api/drones?status=cruising&limit=1").await.ok()?;
        let drones: Value = answer.json().await.ok()?;
        drones["items"][0]["id"].as_str().map(str::to_owned)
    }

    pub async fn run_at(&self, speed: f64) {
        self.steer(&json!({"state": "running", "speed": speed})).await;
    }

    /// What somebody hears who asks for a pause.
    pub async fn try_pause(&self) -> StatusCode {
        self.try_steer(&json!({"state": "paused"})).await
    }

    pub async fn go_on(&self) {
        self.steer(&json!({"state": "running"})).await;
    }

    /// Returns when nothing moves any more.
    pub async fn pause(&self) -> Simulation {
        self.steer(&json!({"state": "paused"})).await;
        self.clock().await
    }

    /// Lets time pass, as fast as it goes, up to and including this tick.
    pub async fn run_until(&self, tick: Tick) -> Simulation {
        let now = self.clock().await;
        assert!(now.tick <= tick, "tick {tick} has passed: {now:?}");
        if now.tick < tick {
            self.steer(&json!({"state": "running", "speed": "max", "pauseAtTick": tick}))
                .await;
        }
        let there = |clock: &Simulation| clock.tick == tick && clock.state == SimulationState::Paused;
        self.clock_where("the tick is reached", there).await
    }

    pub async fn clock_where(&self, what: &str, wanted: impl Fn(&Simulation) -> bool) -> Simulation {
        let look = async || Some(self.clock().await).filter(&wanted);
        self.until(what, look).await
    }

    /// Returns when the server takes requests.
    pub async fn get_ready(&self) {
        let ready = async || {
            let answer = self.get("/readyz").await.unwrap();
            (answer.status() == StatusCode::OK).then_some(())
        };
        self.until("the server is ready", ready).await;
    }

    /// Looks again and again until there is something to see.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(seen) = look().await {
                    return seen;
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        seen.unwrap_or_else(|_| panic!("waited too long until {what}"))
    }

    /// The server's answer; an error where there is none.
    pub async fn send(&self, request: &Request) -> reqwest::Result<Response> {
        let body = json!({
            "ownerId": request.owner,
            "pickupLocation": "Dolores Park",
            "dropOffLocation": "General Hospital",
            "packageInfo": {"packageId": request.mark, "size": "Small", "weight": 1},
            "deadline": request.mark,
            "confirmationRequired": request.confirmation.unwrap_or("None"),
        });
        let mut post = self.client.post(self.url("/api/deliveryrequests")).json(&body);
        if let Some(key) = &request.key {
            post = post.header("Idempotency-Key", key);
        }
        post.send().await
    }

    pub async fn put(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        self.client.put(self.url(path)).json(body).send().await
    }

    /// The id that was acknowledged; `None` where nothing was.
    pub async fn order(&self, request: &Request) -> Option<String> {
        let answer = self.send(request).await.ok()?;
        if answer.status() != StatusCode::ACCEPTED {
            return None;
        }
        let body: Value = answer.json().await.ok()?;
        Some(body["deliveryId"].as_str().expect("an id").to_owned())
    }

    /// All deliveries, or one owner's.
    pub async fn deliveries(&self, owner: Option<&str>) -> Vec<ListedDelivery> {
        let owner = owner.map_or(String::new(), |owner| format!("&ownerId={owner}"));
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self
                .json(&format!("/api/deliveries?limit=1000{owner}{cursor}"))
                .await;
            let items: Vec<ListedDelivery> = serde_json::from_value(page["items"].take()).unwrap();
            all.extend(items);
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Everything that can be read of a world that stands still.
    pub async fn everything(&self) -> BTreeMap<String, String> {
        let mut pages = vec![
            "/api/drones?limit=1000".to_owned(),
            "/api/hubs".to_owned(),
            "/api/deliveries?limit=1000".to_owned(),
        ];
        for delivery in self.deliveries(None).await {
            let id = &delivery.delivery.id;
            pages.push(format!("/api/deliveries/{id}/status"));
            pages.push(format!("/api/deliveryrequests/{id}"));
        }
        let mut everything = BTreeMap::new();
        for page in pages {
            let text = self.text(&page).await;
            everything.insert(page, text);
        }
        everything
    }
}
