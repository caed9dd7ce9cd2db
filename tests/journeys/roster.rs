//! Operators add drones and hubs while the world runs, and withdraw them.

use std::path::Path;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::engine::digest::hex;
use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::server::Options;
use skyhaul::sim::command::Command;
use skyhaul::sim::geo::LatLon;
use skyhaul::sim::ids::{DroneId, HubId};
use skyhaul::sim::roster::{Change, RosterWrite};
use skyhaul::view::reading::Speed;
use tempfile::TempDir;

use crate::support::child::Child;
use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, kept_in};
use crate::support::stream::Stream;
use crate::support::world::busy_file;
use crate::support::worlds::{busy, tiny};

/// Pounds that no drone of the tiny world carries, and an `m600` does.
const HEAVY: f64 = 11.0;

/// Time passes slowly enough to do something in it, and nobody orders but the test.
fn watchable(folder: &Path) -> Options {
    Options {
        speed: Speed::Times(1.0),
        paused: false,
        demand: false,
        ..kept_in(folder)
    }
}

fn heavy() -> Value {
    with(
        parcel("Dolores Park", "General Hospital", HEAVY),
        json!({"ownerId": "brewery"}),
    )
}

fn park() -> Value {
    json!({
        "id": "park", "name": "Park hub", "pads": 2, "chargers": 2,
        "location": {"latitude": 37.7610, "longitude": -122.4260},
    })
}

async fn add(operator: &Client, hub: &str, model: &str, count: u32) -> Vec<String> {
    let body = json!({"hub": hub, "model": model, "count": count});
    let (status, body) = operator.post("/api/drones", &body).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    serde_json::from_value(body["ids"].clone()).expect("ids")
}

async fn ids(operator: &Client, path: &str) -> Vec<String> {
    let (status, body) = operator.get(path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let items = body["items"].as_array().expect("a list").iter();
    items
        .map(|item| item["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// Until this drone takes off; answers with the delivery that it is on.
async fn takes_off(stream: &mut Stream, drone: &str) -> String {
    let event = stream
        .next_where(|message| message["event"]["kind"] == "TakenOff" && message["event"]["droneId"] == drone)
        .await;
    event["event"]["deliveryId"].as_str().expect("an id").to_owned()
}

fn lists(list: &Value, drone: &str) -> bool {
    let mut ids = list.as_array().into_iter().flatten();
    ids.any(|one| one == drone || one[0] == drone)
}

/// Who follows the area sees this drone.
fn shows(drone: &str) -> impl Fn(&Value) -> bool {
    move |message| message["id"] == 1 && lists(&message["drones"], drone)
}

/// Who follows the area hears that this drone is not there any more; if a beat went by unheard,
/// from a list of all that are.
fn misses(drone: &str) -> impl Fn(&Value) -> bool {
    move |message| {
        let is_of_area = message["id"] == 1 && message["type"] == "positions";
        let is_missed = message["full"] == true && !lists(&message["drones"], drone);
        is_of_area && (is_missed || lists(&message["gone"], drone))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_serves_what_nobody_else_could_and_what_went_stays_away() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(tiny(), watchable(folder.path())).await;
    let operator = server.client();
    let mut stream = server.stream().await;
    let area = json!({
        "type": "subscribe", "id": 1, "topic": "area", "bbox": [-122.44, 37.74, -122.39, 37.78], "maxHz": 10,
    });
    stream.send(area).await;
    stream.next_where(shows("d-0")).await;
    stream.follow(2, "events").await;

    let (status, hub) = operator.post("/api/hubs", &park()).await;
    assert_eq!(status, StatusCode::CREATED, "{hub}");
    assert_eq!(
        (&hub["id"], &hub["parked"], &hub["closed"]),
        (&json!("park"), &json!(0), &json!(false))
    );
    let drones = add(&operator, "park", "m600", 2).await;
    assert_eq!(drones, ["d-3", "d-4"]);
    assert_eq!(ids(&operator, "/api/hubs").await, ["mission", "park"]);
    assert_eq!(ids(&operator, "/api/drones?hub=park&status=parked").await, drones);
    // At once, though they only stand there.
    stream.next_where(shows("d-4")).await;
    stream.follow(3, "hub/park").await;
    let shown = stream
        .next_where(|message| message["id"] == 3 && message["type"] == "snapshot")
        .await;
    assert_eq!(shown["hub"]["parked"], 2, "{shown}");

    // Withdrawn on its way to the pick-up: the other one goes.
    let order = operator.order(&heavy()).await;
    let first = stream
        .next_where(|message| message["event"]["kind"] == "TakenOff")
        .await;
    let first = first["event"]["droneId"].as_str().expect("a drone").to_owned();
    assert!(drones.contains(&first), "{first}");
    let second = drones.iter().find(|drone| **drone != first).unwrap();
    let (status, body) = operator.delete(&format!("/api/drones/{first}")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    assert_eq!(
        (&body["id"], &body["deliveryId"]),
        (&json!(first), &Value::Null),
        "{body}"
    );
    assert_eq!(takes_off(&mut stream, second).await, order);
    operator.control(json!({"speed": 5})).await;
    stream.next_where(misses(&first)).await;
    let (status, body) = operator.get(&format!("/api/drones/{first}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
    let (status, _) = operator.delete(&format!("/api/drones/{first}")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // With the package on board: it is brought first, and the hub waits for its last drone.
    let (status, body) = operator.delete("/api/hubs/park").await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    let picked_up = |message: &Value| {
        message["event"]["kind"] == "PickedUp" && message["event"]["deliveryId"] == order.as_str()
    };
    stream.next_where(picked_up).await;
    let (status, body) = operator.delete("/api/hubs/park?drones=withdraw").await;
    assert_eq!(
        (status, &body["closed"]),
        (StatusCode::ACCEPTED, &json!(true)),
        "{body}"
    );
    operator.control(json!({"speed": 30})).await;
    let gone = |message: &Value| {
        message["id"] == 2 && message["event"]["kind"] == "Withdrawn" && message["event"]["hub"] == "park"
    };
    stream.next_where(gone).await;
    assert_eq!(operator.status(&order).await["stage"], "Completed");
    assert_eq!(ids(&operator, "/api/hubs").await, ["mission"]);
    assert_eq!(ids(&operator, "/api/drones").await, ["d-0", "d-1", "d-2"]);

    // One that stands is out at once, also for who looks on.
    let (status, body) = operator.delete("/api/drones/d-2").await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    stream.next_where(misses("d-2")).await;

    // Nobody can carry this any more, so third-party transport takes it.
    let order = operator.order(&heavy()).await;
    let taken = |message: &Value| {
        message["event"]["deliveryId"] == order.as_str() && message["event"]["kind"] == "HandedToCarrier"
    };
    stream.next_where(taken).await;
    let before = operator.control(json!({"state": "paused"})).await;
    let (status, body) = operator
        .post("/api/drones", &json!({"hub": "mission", "model": "wing"}))
        .await;
    assert_eq!(
        (status, &body["type"]),
        (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:paused"))
    );
    server.stop().await;

    let paused = Options {
        paused: true,
        ..watchable(folder.path())
    };
    let server = Running::start(tiny(), paused).await;
    let operator = server.client();
    let after = operator.simulation().await;
    assert_eq!(
        (&after["tick"], &after["digest"], &after["epoch"]),
        (&before["tick"], &before["digest"], &before["epoch"])
    );
    assert_eq!(ids(&operator, "/api/hubs").await, ["mission"]);
    assert_eq!(ids(&operator, "/api/drones").await, ["d-0", "d-1"]);
    assert_eq!(operator.get("/api/world").await.1["drones"], 2);
    operator.control(json!({"state": "running"})).await;
    let next = add(&operator, "mission", "wing", 1).await;
    assert_eq!(next, ["d-5"], "no number is given twice");
    server.stop().await;
}

async fn post(address: std::net::SocketAddr, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
    let request = reqwest::Client::new().post(format!("http://{address}{path}"));
    let answer = request
        .header("Idempotency-Key", key)
        .json(body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_adds_nothing_whatever_was_killed_in_between() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let drones = json!({"hub": "mission", "model": "wing", "count": 2});
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut child = Child::spawn(&scenario, &data, &[]);
        let server = child.serving().await;
        let address = server.address();
        answers.push(post(address, "/api/hubs", "hub", &park()).await);
        for _ in 0..2 {
            answers.push(post(address, "/api/drones", "drones", &drones).await);
        }
        let other = json!({"hub": "mission", "model": "wing", "count": 3});
        let (status, body) = post(address, "/api/drones", "drones", &other).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(body["errors"][0]["pointer"], "Idempotency-Key");
        let all = server.json("/api/drones?limit=1000").await;
        assert_eq!(all["items"].as_array().unwrap().len(), 42);
        child.kill();
    }
    let (hubs, drones): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, body)| body["ids"].is_null());
    assert!(
        hubs.iter()
            .all(|(status, hub)| *status == StatusCode::CREATED && hub["id"] == "park")
    );
    assert_eq!(drones.len(), 4);
    for (status, body) in drones {
        assert_eq!(
            (status, body),
            (StatusCode::CREATED, json!({"ids": ["d-40", "d-41"]}))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_in_words() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(tiny(), watchable(folder.path())).await;
    let operator = server.client();
    let far = json!({"latitude": 40.7, "longitude": -74.0});
    for (path, body, pointers) in [
        ("/api/drones", json!({}), vec!["/hub", "/model"]),
        (
            "/api/drones",
            json!({"hub": "nowhere", "model": "kite", "count": 0}),
            vec!["/hub", "/model", "/count"],
        ),
        (
            "/api/drones",
            json!({"hub": "mission", "model": "wing", "count": 1_001}),
            vec!["/count"],
        ),
        (
            "/api/drones",
            json!({"hub": "mission", "model": "wing", "number": 2}),
            vec!["/number"],
        ),
        (
            "/api/hubs",
            json!({}),
            vec!["/id", "/location", "/location/latitude", "/location/longitude"],
        ),
        ("/api/hubs", with(park(), json!({"id": "The Park"})), vec!["/id"]),
        (
            "/api/hubs",
            with(park(), json!({"location": far})),
            vec!["/location"],
        ),
        (
            "/api/hubs",
            with(park(), json!({"location": {"latitude": 91, "longitude": "x"}})),
            vec!["/location/latitude", "/location/longitude"],
        ),
        (
            "/api/hubs",
            with(park(), json!({"pads": 0, "chargers": 1.5})),
            vec!["/pads", "/chargers"],
        ),
    ] {
        let (status, problem) = operator.post(path, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let named: Vec<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(named, pointers, "{body}");
    }
    for (taken, why) in [
        (with(park(), json!({"id": "mission"})), "its id"),
        (with(park(), json!({"name": "mission street HUB"})), "its name"),
    ] {
        let (status, problem) = operator.post("/api/hubs", &taken).await;
        assert_eq!(
            (status, &problem["type"]),
            (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:hub-exists")),
            "{why}"
        );
    }
    for path in [
        "/api/drones/d-3",
        "/api/drones/x",
        "/api/hubs/park",
        "/api/hubs/%ff",
    ] {
        let (status, problem) = operator.delete(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {problem}");
    }
    let (status, problem) = operator.delete("/api/hubs/mission?drones=keep").await;
    assert_eq!(
        (status, &problem["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("?drones"))
    );
    let (status, problem) = operator.delete("/api/hubs/mission").await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:hub-has-drones"))
    );

    // A hub that was emptied drone by drone needs no more words; its name stays its own.
    let (status, _) = operator.post("/api/hubs", &park()).await;
    assert_eq!(status, StatusCode::CREATED);
    let added = add(&operator, "park", "wing", 1).await;
    assert_eq!(
        operator.delete(&format!("/api/drones/{}", added[0])).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(operator.delete("/api/hubs/park").await.0, StatusCode::NO_CONTENT);
    assert_eq!(operator.get("/api/hubs/park").await.0, StatusCode::NOT_FOUND);
    let (status, problem) = operator.post("/api/hubs", &park()).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:hub-exists"))
    );
    server.stop().await;
}

/// What operators write before these ticks.
fn writes(tick: u64, engine: &Engine) -> Vec<Command> {
    let airborne = || engine.sky().airborne().map(|drone| drone.drone).max();
    let change = match tick {
        100 => Some(Change::AddHub {
            key: "park".into(),
            name: "Park".into(),
            location: LatLon {
                lat: 37.7596,
                lon: -122.4269,
            },
            pads: 2,
            chargers: 1,
        }),
        101 => Some(Change::AddDrones {
            hub: HubId(1),
            model: "m600".into(),
            count: 5,
        }),
        700 => Some(Change::AddDrones {
            hub: HubId(0),
            model: "wing".into(),
            count: 3,
        }),
        900 => airborne().map(Change::WithdrawDrone),
        1_500 => Some(Change::WithdrawDrone(DroneId(0))),
        2_000 => Some(Change::WithdrawHub {
            hub: HubId(1),
            with_drones: true,
        }),
        2_001 => airborne().map(Change::WithdrawDrone),
        _ => None,
    };
    let write = |change| {
        Command::Roster(RosterWrite {
            change,
            idempotency_key: None,
        })
    };
    change.map(write).into_iter().collect()
}

/// The digest of the busy world with these writes, on so many threads; and without any.
fn digest_with(threads: usize, writing: bool) -> String {
    actix::System::new().block_on(async {
        let arbiters = headless::arbiters(threads);
        let mut engine = Engine::genesis(Arc::new(busy()), threads, arbiters).unwrap();
        while engine.tick_number() < 3_000 {
            let commands = match writing {
                true => writes(engine.tick_number() + 1, &engine),
                false => Vec::new(),
            };
            let through = engine.admitted_through() + commands.len() as u64;
            engine.tick(Admission { through, commands }).await.unwrap();
        }
        let audit = engine.audit().await.unwrap();
        assert_eq!(audit.wrong, Vec::<String>::new());
        hex(engine.digest())
    })
}

#[test]
fn threads_change_nothing_about_who_comes_and_goes() {
    let alone = digest_with(1, true);
    assert_ne!(alone, digest_with(1, false));
    assert_eq!(digest_with(2, true), alone);
    assert_eq!(digest_with(3, true), alone);
}
