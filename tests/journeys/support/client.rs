//! A customer and an operator over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use skyhaul::view::View;
use skyhaul::wire::event::EventBody;
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// Tells when a tick is published; what is asked goes over HTTP.
    view: Arc<View>,
}

/// The reference's request between two places, with a weight in pounds.
pub fn parcel(from: &str, to: &str, pounds: f64) -> Value {
    json!({
        "ownerId": "cafe",
        "pickupLocation": from,
        "dropOffLocation": to,
        "packageInfo": {"packageId": "lunch", "size": "Small", "weight": pounds},
    })
}

/// `request` with these fields, which replace its own.
pub fn with(mut request: Value, fields: Value) -> Value {
    let fields = fields.as_object().expect("an object of fields").clone();
    request
        .as_object_mut()
        .expect("a request is an object")
        .extend(fields);
    request
}

impl Client {
    pub fn new(address: SocketAddr, view: Arc<View>) -> Self {
        Self::saying(HeaderMap::new(), address, view)
    }

    /// Somebody who shows this token with all that they ask.
    pub fn with_token(token: &str, address: SocketAddr, view: Arc<View>) -> Self {
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a token is ASCII");
        Self::saying(HeaderMap::from_iter([(AUTHORIZATION, bearer)]), address, view)
    }

    fn saying(headers: HeaderMap, address: SocketAddr, view: Arc<View>) -> Self {
        let http = reqwest::Client::builder().default_headers(headers).build();
        Client {
            http: http.expect("nothing it needs can be missing"),
            base: format!("http://{address}"),
            view,
        }
    }

    /// What the server looks at itself, for what no client is told.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    async fn send(request: RequestBuilder) -> (StatusCode, Value) {
        let answered = async {
            let response = request.send().await.expect("an answer");
            let status = response.status();
            let text = response.text().await.expect("a whole answer");
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            (status, body)
        };
        timeout(PATIENCE, answered).await.expect("an answer in time")
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        Self::send(self.http.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        Self::send(self.http.post(format!("{}{path}", self.base)).json(body)).await
    }

    /// A body that is sent as it stands.
    pub async fn post_bytes(&self, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}{path}", self.base));
        Self::send(request.header("content-type", "application/json").body(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        Self::send(self.http.put(format!("{}{path}", self.base)).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        Self::send(self.http.patch(format!("{}{path}", self.base)).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        Self::send(self.http.delete(format!("{}{path}", self.base))).await
    }

    /// The kinds of a delivery's events, as they are told.
    pub async fn kinds(&self, id: &str) -> Vec<String> {
        let id = id.parse().expect("a delivery's id");
        let handle = self.view.find(id).await.expect("the store reads");
        let handle = handle.expect("it was accepted");
        let record = handle.look();
        let told = record.events.iter().map(|event| {
            let body = EventBody::new(&self.view.world(), &event.happening);
            serde_json::to_value(body).expect("events are JSON")["kind"].clone()
        });
        told.map(|kind| kind.as_str().expect("a name").to_owned())
            .collect()
    }

    async fn read(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Orders, and answers with the delivery's id.
    pub async fn order(&self, request: &Value) -> String {
        let (status, body) = self.post("/api/deliveryrequests", request).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
        body["deliveryId"].as_str().expect("an id").to_owned()
    }

    /// How far the workflow of a request has come.
    pub async fn workflow(&self, id: &str) -> Value {
        self.read(&format!("/api/deliveryrequests/{id}")).await
    }

    pub async fn delivery(&self, id: &str) -> Value {
        self.read(&format!("/api/deliveries/{id}")).await
    }

    pub async fn status(&self, id: &str) -> Value {
        self.read(&format!("/api/deliveries/{id}/status")).await
    }

    pub async fn drone(&self, id: &str) -> Value {
        self.read(&format!("/api/drones/{id}")).await
    }

    pub async fn simulation(&self) -> Value {
        self.read("/api/simulation").await
    }

    /// A change of pace that is taken.
    pub async fn control(&self, change: Value) -> Value {
        let (status, body) = self.put("/api/simulation", &change).await;
        assert_eq!(status, StatusCode::OK, "{change}: {body}");
        body
    }

    /// Lets a paused world advance by so many ticks.
    pub async fn step(&self, ticks: u64) -> Value {
        let (status, body) = self.post("/api/simulation/step", &json!({"ticks": ticks})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// Lets the world run on to this tick, where it pauses.
    pub async fn run_to(&self, tick: u64) -> Value {
        self.control(json!({"state": "running", "pauseAtTick": tick}))
            .await;
        self.paused_at(tick).await
    }

    /// Tells when ticks are published.
    pub fn ticks(&self) -> watch::Receiver<u64> {
        self.view.published()
    }

    /// Waits for the pause at a tick that was asked for.
    pub async fn paused_at(&self, tick: u64) -> Value {
        let mut ticks = self.ticks();
        timeout(PATIENCE, ticks.wait_for(|published| *published >= tick))
            .await
            .expect("the tick comes in time")
            .expect("the server is there");
        let clock = self.simulation().await;
        assert_eq!(clock["state"], "paused", "{clock}");
        assert_eq!(clock["tick"], tick, "{clock}");
        clock
    }
}
