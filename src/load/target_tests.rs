//! Other people's servers, in a time of the test's own: one whose interface is unlike that of
//! this project.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::testing::{load_of, stage};
use super::{Dial, Op, Outcome, Plan, Progress, Target, conduct};
use crate::scenario;
use crate::wire::stream::client::Token;

const SECOND: Duration = Duration::from_secs(1);

const INTERFACE: &str = r#"
[target]
headers = { x-api-key = "{token}" }

[target.request]
path = "/v2/jobs?by={owner}"
headers = { idempotency-key = "{run}/{number}" }
body = '''{"ref": "{package}", "legs": [{"lat": {pickup_latitude}, "lng": {pickup_longitude}},
    {"lat": {dropoff_latitude}, "lng": {dropoff_longitude}}], "grams": {weight_kg}e3}'''
id = "/job/number"

[target.status]
path = "/v2/jobs/{id}"
stage = "/job/state"
scheduled = ["ASSIGNED"]
completed = ["DONE"]
failed = ["REJECTED"]
"#;

/// A courier's own server: jobs have numbers, and whoever wants to know asks for them. A job is
/// not there for a second, assigned after three and done after eight; each fifth is refused
/// after two. It remembers what was wrong with what it was asked.
#[derive(Clone, Default)]
struct Courier {
    jobs: Arc<Mutex<Vec<Instant>>>,
    keys: Arc<Mutex<BTreeMap<String, u32>>>,
    wrong: Arc<Mutex<Vec<String>>>,
}

fn open<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Courier {
    async fn answer(self, request: Request<Incoming>) -> io::Result<Response<String>> {
        let (head, body) = request.into_parts();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        if header("x-api-key") != Some("secret") || head.headers.contains_key("authorization") {
            open(&self.wrong).push(format!("{:?}", head.headers));
        }
        let path = head.uri.path().to_owned();
        let (status, answer) = match (&head.method, path.strip_prefix("/v2/jobs")) {
            (&Method::POST, Some("")) => {
                let key = header("idempotency-key").unwrap_or_default().to_owned();
                *open(&self.keys).entry(key).or_default() += 1;
                self.job(&whole(body).await)
            }
            (&Method::GET, Some(number)) => self.state(number.trim_start_matches('/')),
            _ => {
                open(&self.wrong).push(format!("{} {path}", head.method));
                (500, json!(null))
            }
        };
        let mut response = Response::new(answer.to_string());
        *response.status_mut() = status.try_into().expect("it is a status");
        Ok(response)
    }

    fn job(&self, body: &[u8]) -> (u16, Value) {
        let order: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_place = |leg: &Value| leg["lat"].is_f64() && leg["lng"].is_f64();
        let legs = order["legs"]
            .as_array()
            .map_or(0, |legs| legs.iter().filter(|leg| is_place(leg)).count());
        if legs != 2 || !order["grams"].as_f64().is_some_and(|grams| grams > 100.0) {
            open(&self.wrong).push(order.to_string());
        }
        open(&self.jobs).push(Instant::now());
        (201, json!({"job": {"number": open(&self.jobs).len()}}))
    }

    fn state(&self, number: &str) -> (u16, Value) {
        let number: usize = number.parse().unwrap_or(0);
        let jobs = open(&self.jobs);
        let Some(age) = jobs.get(number.wrapping_sub(1)).map(Instant::elapsed) else {
            open(&self.wrong).push(format!("job {number}"));
            return (404, json!(null));
        };
        let age_s = age.as_secs();
        let state = match age_s {
            0 => return (404, json!({"error": "not yet"})),
            _ if age_s >= 2 && number.is_multiple_of(5) => "REJECTED",
            1..3 => "NEW",
            3..8 => "ASSIGNED",
            _ => "DONE",
        };
        (200, json!({"job": {"number": number, "state": state}}))
    }
}

async fn whole(mut body: Incoming) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
        let data = frame.ok().and_then(|frame| frame.into_data().ok());
        whole.extend_from_slice(&data.unwrap_or_else(Bytes::new));
    }
    whole
}

impl Dial for Courier {
    type Io = DuplexStream;

    async fn dial(&self) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(16 * 1024);
        let courier = self.clone();
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| courier.clone().answer(request));
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(far), service)
                .await
        });
        Ok(near)
    }
}

/// Twenty jobs a second for ten seconds.
fn plan(interface: &str) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let tiny = std::fs::read_to_string(folder.join("tiny.toml")).expect("it is there");
    let read = scenario::parse(&format!("{tiny}{interface}"), "courier.toml", &folder);
    let scenario = read.unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    Plan {
        world: Arc::new(scenario.world),
        load: load_of(vec![stage(20.0, 20.0, 10.0)]),
        test: scenario.test,
        target: Target::parse("http://courier.example", Some(Token::new("secret".to_owned())))
            .expect("it is one"),
        accept_only: false,
        finds_limit: false,
        workers: 1,
        samples: None,
    }
}

async fn test(plan: &Plan, courier: &Courier) -> Outcome {
    let unseen = &mut |_: &Progress<'_>| {};
    let run = conduct(plan, courier.clone(), std::future::pending(), unseen);
    LocalSet::new().run_until(run).await.expect("it begins")
}

#[tokio::test(start_paused = true)]
async fn another_server_is_driven_in_its_own_words_and_asked_what_became_of_each_job() {
    let courier = Courier::default();
    let outcome = test(&plan(INTERFACE), &courier).await;
    assert_eq!(*open(&courier.wrong), Vec::<String>::new());
    assert_eq!(
        open(&courier.keys).len(),
        200,
        "each request has a key of its own"
    );
    let summary = &outcome.summary;
    assert_eq!(
        (summary.ops["accept"].count, summary.ops["accept"].errors),
        (200, 0)
    );
    let deliveries = &summary.deliveries;
    assert_eq!(
        (
            deliveries.accepted,
            deliveries.scheduled,
            deliveries.completed,
            deliveries.failed
        ),
        (200, 160, 160, 40)
    );
    assert_eq!((deliveries.unscheduled, deliveries.unfinished), (0, 0));
    assert_eq!(summary.ops["schedule"].error_kinds["REJECTED"], 40);
    // Asked for once a second, each is seen within a second of when it was so.
    for (op, earliest_s) in [(Op::Schedule, 3), (Op::Deliver, 8)] {
        let times = outcome.recorder.of(op).total.histogram();
        let (low, high) = (earliest_s * 1_000_000, (earliest_s + 1) * 1_050_000);
        assert!(
            times.min() + 10_000 >= low && times.max() <= high,
            "{op:?}: {} {}",
            times.min(),
            times.max()
        );
    }
    assert_eq!(summary.warnings, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_accepts_has_one_warning_and_the_rest_is_absent() {
    let courier = Courier::default();
    let only_accepts = INTERFACE
        .split("[target.status]")
        .next()
        .expect("it begins with something");
    let outcome = test(&plan(only_accepts), &courier).await;
    let summary = &outcome.summary;
    assert_eq!(summary.ops["accept"].count, 200);
    assert_eq!(
        (summary.ops["schedule"].count, summary.ops["deliver"].p50_ms),
        (0, None)
    );
    assert!(!summary.deliveries.followed);
    assert_eq!(
        summary.warnings,
        ["only accepting is measured: what becomes of requests is not followed"]
    );
}

#[tokio::test(start_paused = true)]
async fn answers_that_name_no_delivery_are_told_of() {
    let courier = Courier::default();
    let elsewhere = INTERFACE.replace("/job/number", "/number");
    let outcome = test(&plan(&elsewhere), &courier).await;
    let said = "200 of 200 answers that accepted did not say what the delivery is called";
    let warnings = &outcome.summary.warnings;
    assert!(
        warnings.len() == 1 && warnings[0].starts_with(said),
        "{warnings:?}"
    );
    assert!(
        outcome.seconds.len() as u64 <= 10 + SECOND.as_secs(),
        "nothing is waited for"
    );
}
