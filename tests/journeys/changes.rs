//! Deliveries that do not go as they were ordered: called off, changed, confirmed at the door,
//! and left by their drones.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, kept_in, quiet};
use crate::support::worlds::tiny;

/// At a pace at which a request falls between two ticks of the flight.
const SLOWLY: f64 = 20.0;
const FAULTS: &str = "/api/simulation/faults";

fn order() -> Value {
    parcel("Dolores Park", "General Hospital", 1.0)
}

async fn slowly(operator: &Client) {
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
}

/// Runs until the delivery has this stage, and pauses.
async fn until_stage(operator: &Client, id: &str, stage: &str) {
    let mut tick = operator.simulation().await["tick"].as_u64().unwrap();
    while operator.status(id).await["stage"] != stage {
        tick += 50;
        assert!(tick < 40_000, "never {stage}: {:?}", operator.kinds(id).await);
        operator.control(json!({"speed": "max"})).await;
        operator.run_to(tick).await;
    }
}

async fn until_kind(operator: &Client, id: &str, kind: &str) {
    let mut tick = operator.simulation().await["tick"].as_u64().unwrap();
    while !operator.kinds(id).await.iter().any(|told| told == kind) {
        tick += 20;
        assert!(tick < 40_000, "never {kind}: {:?}", operator.kinds(id).await);
        operator.control(json!({"speed": "max"})).await;
        operator.run_to(tick).await;
    }
}

fn path(id: &str) -> String {
    format!("/api/deliveries/{id}")
}

#[tokio::test]
async fn a_delivery_is_called_off_until_it_is_picked_up() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let (id, kept) = (operator.order(&order()).await, operator.order(&order()).await);
    let request = format!("/api/deliveryrequests/{id}");
    operator.run_to(100).await;
    let drone = operator.delivery(&id).await["droneId"].clone();
    let (status, problem) = operator.delete(&request).await;
    assert_eq!(status, StatusCode::CONFLICT, "while paused: {problem}");

    slowly(&operator).await;
    let (status, body) = operator.delete(&request).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let (status, body) = operator.delete(&path(&id)).await;
    assert_eq!(status, StatusCode::OK, "called off it stays: {body}");
    assert_eq!(operator.workflow(&id).await["state"], "Cancelled");
    let (status, problem) = operator.delete(&path("nothing")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    operator.control(json!({"state": "paused"})).await;
    let shown = operator.status(&id).await;
    assert_eq!(shown["stage"], "Cancelled");
    assert_eq!(
        (&shown["pickupETA"], &shown["deliveryETA"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(operator.kinds(&id).await.last().unwrap(), "Cancelled");
    let freed = operator.drone(drone.as_str().unwrap()).await;
    assert_eq!(freed["deliveryId"], Value::Null, "{freed}");

    until_stage(&operator, &kept, "HeadedToDropoff").await;
    slowly(&operator).await;
    let (status, problem) = operator.delete(&path(&kept)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:picked-up");
    let (status, problem) = operator.patch(&path(&kept), &json!({"deadline": "noon"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    operator.control(json!({"state": "paused"})).await;
    until_stage(&operator, &kept, "Completed").await;
    let landed = operator.drone(drone.as_str().unwrap()).await["status"].clone();
    assert!(
        landed == "parked" || landed == "charging",
        "it came home: {landed}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_goes_elsewhere_until_it_is_picked_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny(), options.clone()).await;
    let operator = server.client();
    let id = operator.order(&order()).await;
    operator.run_to(100).await;
    let before = operator.delivery(&id).await;
    slowly(&operator).await;
    let there = json!({"latitude": 37.7650, "longitude": -122.4200, "altitude": 3.0});
    let change = json!({"dropoff": there, "deadline": "before noon"});
    let (status, changed) = operator.patch(&path(&id), &change).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(
        (&changed["dropoff"], &changed["deadline"]),
        (&there, &json!("before noon"))
    );
    assert_eq!(changed["pickup"], before["pickup"]);
    let kinds = operator.kinds(&id).await;
    let told = ["Rescheduled", "HeadedToPickup"];
    assert!(kinds.windows(2).any(|two| two == told), "{kinds:?}");
    assert_eq!(changed["droneId"], before["droneId"], "the same drone goes there");

    let request = format!("/api/deliveryrequests/{id}");
    let wrong = json!({"pickupLocation": "nowhere at all", "pickupTime": "soon"});
    let (status, problem) = operator.patch(&request, &wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");

    // Later: its drone is not kept waiting.
    let later = json!({"deliveryId": id, "pickupTime": "2026-06-01T18:20:00Z"});
    let (status, shown) = operator.patch(&request, &later).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    assert_eq!(operator.delivery(&id).await["droneId"], Value::Null);
    operator.control(json!({"state": "paused"})).await;
    let before = operator.simulation().await;
    server.stop().await;

    let server = Running::start(tiny(), options).await;
    let operator = server.client();
    assert_eq!(operator.simulation().await["digest"], before["digest"]);
    until_stage(&operator, &id, "Completed").await;
    let picked_up = operator.status(&id).await["pickupETA"].clone();
    assert!(picked_up.as_str() > Some("2026-06-01T18:20:00"), "{picked_up}");
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_that_must_be_confirmed_waits_at_the_door() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let signed = with(order(), json!({"confirmationRequired": "Picture"}));
    let id = operator.order(&signed).await;
    let confirmations = format!("{}/confirmations", path(&id));
    let word = |kind: &str| {
        json!({
            "dateTime": {"dateTimeValue": "2026-06-01T18:05:00Z"},
            "geoCoordinates": {"altitude": 0, "latitude": 37.76, "longitude": -122.41},
            "confirmationType": kind,
            "confirmationBlob": "0xCAFE",
        })
    };
    slowly(&operator).await;
    let (status, problem) = operator.post(&confirmations, &word("Picture")).await;
    assert_eq!(status, StatusCode::CONFLICT, "not there yet: {problem}");
    let (status, problem) = operator.post(&confirmations, &json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    operator.control(json!({"state": "paused"})).await;
    until_kind(&operator, &id, "AwaitingConfirmation").await;
    slowly(&operator).await;
    let (status, problem) = operator.post(&confirmations, &word("Voice")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let (status, body) = operator.post(&confirmations, &word("Picture")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(operator.status(&id).await["stage"], "Completed");
    let (status, problem) = operator.post(&confirmations, &word("Picture")).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is over: {problem}");
    operator.control(json!({"state": "paused"})).await;

    let by_itself = operator.order(&signed).await;
    until_stage(&operator, &by_itself, "Completed").await;
    let mut kinds = operator.kinds(&by_itself).await;
    // Who takes longer than most is expected later.
    kinds.retain(|kind| kind != "EtaChanged");
    assert_eq!(kinds[kinds.len() - 2..], ["AwaitingConfirmation", "Completed"]);
    server.stop().await;
}

#[tokio::test]
async fn who_never_comes_to_the_door_gets_one_more_visit_and_the_package_stays_at_the_hub() {
    let mut world = tiny();
    world.recipient.never = 1.0;
    let hub = world.hubs[0].location;
    let server = Running::start(world, quiet()).await;
    let operator = server.client();
    let signed = with(order(), json!({"confirmationRequired": "FingerPrint"}));
    let id = operator.order(&signed).await;
    until_stage(&operator, &id, "Failed").await;
    let kinds = operator.kinds(&id).await;
    let visits = kinds
        .iter()
        .filter(|kind| *kind == "AwaitingConfirmation")
        .count();
    assert_eq!(visits, 2, "{kinds:?}");
    let request = operator.workflow(&id).await;
    assert_eq!(
        (&request["state"], &request["reason"]),
        (&json!("Failed"), &json!("not_confirmed"))
    );
    let lies = operator.status(&id).await["lastKnownLocation"].clone();
    let away = (lies["latitude"].as_f64().unwrap() - hub.lat).abs();
    assert!(away < 1e-4, "{lies}");
    server.stop().await;
}

#[tokio::test]
async fn a_drone_without_its_link_hovers_and_goes_on_or_comes_home() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let (waits, leaves) = (operator.order(&order()).await, operator.order(&order()).await);
    operator.run_to(150).await;
    slowly(&operator).await;
    let drone_of = async |id: &str| operator.delivery(id).await["droneId"].clone();
    let (first, second) = (drone_of(&waits).await, drone_of(&leaves).await);
    let fault = json!({"kind": "link_lost", "target": first, "duration": "30s"});
    let (status, body) = operator.post(FAULTS, &fault).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let fault = json!({"kind": "link_lost", "target": second});
    let (status, body) = operator.post(FAULTS, &fault).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    operator.control(json!({"state": "paused"})).await;
    assert_eq!(operator.drone(first.as_str().unwrap()).await["status"], "holding");
    assert_ne!(drone_of(&leaves).await, second, "another one goes");
    until_stage(&operator, &waits, "Completed").await;
    assert_eq!(drone_of(&waits).await, first);
    until_stage(&operator, &leaves, "Completed").await;
    server.stop().await;
}

#[tokio::test]
async fn people_ask_to_be_told() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let id = operator.order(&order()).await;
    slowly(&operator).await;
    let requests = format!("{}/notifymerequests", path(&id));
    let ada = json!({"emailAddress": "ada@example.org", "sms": ""});
    let (status, body) = operator.post(&requests, &ada).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    assert!(
        operator
            .kinds(&id)
            .await
            .iter()
            .any(|kind| kind == "NotifyMeRequested")
    );
    for wrong in [
        json!({}),
        json!({"emailAddress": "ada"}),
        json!({"sms": "call me"}),
        json!({"emailAddress": "a b@example.org"}),
    ] {
        let (status, problem) = operator.post(&requests, &wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {problem}");
    }
    server.stop().await;
}
