//! People at work on a server that will be killed: they order, change their minds, confirm at
//! the door and ask to be told; clerks write accounts and packages; operators break things and
//! clear up. Each remembers what was acknowledged, and goes on until the server is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use skyhaul::sim::random::Stream;
use skyhaul::sim::time::Tick;

use super::ledger::{Did, Ledger};
use super::promises::Said;
use crate::support::operator::{Operator, Request};
use crate::support::sse::Events;

/// Orders one delivery after the other; every other one is not left as it is.
pub async fn customer(server: Operator, ledger: Ledger, keyed: bool, mut chance: Stream) {
    while server.try_clock().await.is_some() {
        let signed = (chance.below(3) == 0).then_some("Picture");
        let request = ledger.new_request_with(keyed, signed);
        let id = server.order(&request).await;
        ledger.note(&request, id.clone());
        let Some(id) = id else { continue };
        match chance.below(6) {
            0 => call_off(&server, &ledger, &request, &id).await,
            1 => change(&server, &ledger, &request, &id, &mut chance).await,
            2 => {
                change(&server, &ledger, &request, &id, &mut chance).await;
                call_off(&server, &ledger, &request, &id).await;
            }
            3 => ask_to_be_told(&server, &ledger, &request, &id).await,
            _ => {}
        }
    }
}

async fn call_off(server: &Operator, ledger: &Ledger, request: &Request, id: &str) {
    let path = format!("/api/deliveryrequests/{id}");
    let answer = server.ask(Method::DELETE, &path, &Value::Null).await;
    if is(&answer, StatusCode::NO_CONTENT) {
        ledger.note_done(request, Did::CalledOff);
    }
}

async fn change(server: &Operator, ledger: &Ledger, request: &Request, id: &str, chance: &mut Stream) {
    for time in 0..2 {
        let deadline = format!("{} changed-{time}", request.mark);
        let mut wanted = json!({"deadline": deadline});
        if chance.below(2) == 0 {
            wanted["dropOffLocation"] = json!("City Hall");
        }
        ledger.send_deadline(request, deadline);
        let path = format!("/api/deliveryrequests/{id}");
        let answer = server.ask(Method::PATCH, &path, &wanted).await;
        let taken = answer.map(|(status, _)| status == StatusCode::OK);
        ledger.hear_deadline(request, taken);
    }
}

async fn ask_to_be_told(server: &Operator, ledger: &Ledger, request: &Request, id: &str) {
    let path = format!("/api/deliveries/{id}/notifymerequests");
    let ada = json!({"emailAddress": "ada@example.org"});
    let answer = server.ask(Method::POST, &path, &ada).await;
    if is(&answer, StatusCode::NO_CONTENT) {
        ledger.note_done(request, Did::AskedToBeTold);
    }
}

fn is(answer: &Option<(StatusCode, Value)>, wanted: StatusCode) -> bool {
    matches!(answer, Some((status, _)) if *status == wanted)
}

/// Gives the recipient's word where a drone or a van waits for it; tells how often it was taken.
pub async fn porter(server: Operator, ledger: Ledger) -> usize {
    let Some(mut events) = Events::open(server.address(), "topic=events", None).await else {
        return 0;
    };
    let mut taken = 0;
    while let Some(message) = events.next().await {
        let event = &message["event"];
        if event["kind"] != "AwaitingConfirmation" {
            continue;
        }
        let id = event["deliveryId"].as_str().expect("a delivery has an id");
        let word = json!({
            "dateTime": {"dateTimeValue": "2026-07-01T00:00:00Z"},
            "geoCoordinates": {"latitude": 37.7557, "longitude": -122.4045},
            "confirmationType": "Picture",
            "confirmationBlob": "0xCAFE",
        });
        let path = format!("/api/deliveries/{id}/confirmations");
        let answer = server.ask(Method::POST, &path, &word).await;
        if is(&answer, StatusCode::OK) {
            ledger.note_confirmed(id);
            taken += 1;
        }
    }
    taken
}

/// What clerks were told of accounts and packages, by path.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<BTreeMap<String, Said<Option<Value>>>>>);

/// How many a clerk writes by turns.
const ACCOUNTS: u32 = 40;
const PACKAGES: u32 = 6;

impl Books {
    /// Writes accounts and packages, each again and again.
    pub async fn keep(self, server: Operator, mut chance: Stream) {
        while server.try_clock().await.is_some() {
            if chance.below(2) == 0 {
                self.write_account(&server, chance.below(ACCOUNTS), &mut chance)
                    .await;
            } else {
                let path = format!("/api/packages/box-{}", chance.below(PACKAGES));
                let weight = f64::from(1 + chance.below(500));
                let wanted = json!({"size": "Small", "weight": weight});
                self.send(&server, Method::PUT, &path, &path, wanted, json!(weight))
                    .await;
            }
        }
    }

    async fn write_account(&self, server: &Operator, number: u32, chance: &mut Stream) {
        let (id, path) = (format!("shop-{number}"), format!("/api/accounts/shop-{number}"));
        let status = ["active", "suspended"][chance.below(2) as usize];
        let is_known = server.ask(Method::GET, &path, &Value::Null).await;
        if is(&is_known, StatusCode::NOT_FOUND) {
            let wanted = json!({"id": id, "name": id, "kind": "business", "status": status});
            self.send(
                server,
                Method::POST,
                "/api/accounts",
                &path,
                wanted,
                json!(status),
            )
            .await;
        } else {
            let wanted = json!({"status": status});
            self.send(server, Method::PATCH, &path, &path, wanted, json!(status))
                .await;
        }
    }

    /// Sends a body that leaves this value under the path.
    async fn send(
        &self,
        server: &Operator,
        method: Method,
        to: &str,
        path: &str,
        body: Value,
        leaves: Value,
    ) {
        let with = |change: &dyn Fn(&mut Said<Option<Value>>)| {
            let mut books = self.0.lock();
            change(books.entry(path.to_owned()).or_insert_with(|| Said::new(None)));
        };
        with(&|said| said.send(Some(leaves.clone())));
        let answer = server.ask(method, to, &body).await;
        let taken = answer.map(|(status, _)| status.is_success());
        with(&|said| said.hear(taken));
    }

    /// What was acknowledged stands.
    pub async fn check(&self, server: &Operator) {
        let paths: Vec<_> = self.0.lock().keys().cloned().collect();
        for path in paths {
            let (status, found) = server
                .ask(Method::GET, &path, &Value::Null)
                .await
                .expect("it answers");
            let key = if path.contains("accounts") {
                "status"
            } else {
                "weight"
            };
            let found = (status == StatusCode::OK).then(|| found[key].clone());
            let mut books = self.0.lock();
            let said = books.get_mut(&path).expect("nothing is taken out");
            said.check(found, &path);
        }
    }

    pub fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// What is broken by turns, beside a drone that is in the air.
fn wrongs() -> Vec<Value> {
    let mut wrongs = vec![
        json!({"kind": "carrier_down", "duration": "3s"}),
        json!({"kind": "hub_closed", "target": "mission", "duration": "200ms"}),
    ];
    for step in ["account", "package", "third_party", "drone", "delivery"] {
        wrongs.push(json!({"kind": "step_fail", "target": step}));
        wrongs.push(json!({"kind": "step_fail", "target": step, "duration": "5s"}));
        wrongs.push(json!({"kind": "step_fail", "target": step, "mode": "answer_lost"}));
        wrongs.push(json!({"kind": "step_slow", "target": step, "duration": "1s"}));
    }
    for actor in [
        "scheduler",
        "fleet",
        "account",
        "package",
        "transport",
        "supervisor",
    ] {
        wrongs.push(json!({"kind": "actor_panic", "target": actor}));
    }
    wrongs.push(json!({"kind": "actor_panic", "target": "drone"}));
    wrongs.push(json!({"kind": "actor_panic", "target": "delivery"}));
    wrongs
}

/// Breaks something again and again, and one drone's battery; answers with the ticks that did.
pub async fn breaker(server: Operator, mut chance: Stream) -> Vec<Tick> {
    let wrongs = wrongs();
    let (mut broken, mut is_whole) = (Vec::new(), true);
    while server.try_clock().await.is_some() {
        let wrong = &wrongs[chance.below(wrongs.len() as u32) as usize];
        broken.extend(server.try_break(wrong).await);
        let Some(drone) = server.try_airborne().await else {
            continue;
        };
        let link = json!({"kind": "link_lost", "target": drone, "duration": "5s"});
        broken.extend(server.try_break(&link).await);
        if is_whole {
            let cell = json!({"kind": "battery_cell", "target": drone});
            let tick = server.try_break(&cell).await;
            is_whole = tick.is_none();
            broken.extend(tick);
        }
    }
    broken
}

/// Dead letters that an operator saw resolved.
#[derive(Clone, Default)]
pub struct Cleared(Arc<Mutex<BTreeSet<String>>>);

const LETTERS: &str = "/api/supervisor/deadletters";

impl Cleared {
    /// Tries every dead letter again that there is.
    pub async fn keep(self, server: Operator) {
        while server.try_clock().await.is_some() {
            self.try_once(&server).await;
        }
    }

    pub async fn try_once(&self, server: &Operator) {
        for id in letters(server).await.unwrap_or_default() {
            let path = format!("{LETTERS}/{id}/retry");
            let answer = server.ask(Method::POST, &path, &json!({})).await;
            if matches!(&answer, Some((StatusCode::OK, body)) if body["resolved"] == true) {
                self.0.lock().insert(id);
            }
        }
    }

    /// What was resolved stays so.
    pub async fn check(&self, server: &Operator) {
        let letters = letters(server).await.expect("it answers");
        let cleared = self.0.lock();
        assert!(
            letters.iter().all(|id| !cleared.contains(id)),
            "{letters:?} {cleared:?}"
        );
    }

    pub fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// The requests that something is still held for; `None` once the server is gone.
pub async fn letters(server: &Operator) -> Option<Vec<String>> {
    let path = format!("{LETTERS}?limit=1000");
    let (status, page) = server.ask(Method::GET, &path, &Value::Null).await?;
    assert_eq!(status, StatusCode::OK, "{page}");
    let items = page["items"].as_array().expect("a list has items").iter();
    let ids = items.filter_map(|letter| letter["deliveryId"].as_str().map(str::to_owned));
    Some(ids.collect())
}
