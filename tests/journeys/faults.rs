//! An operator breaks things on purpose, and the service goes on as it must.

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::sim::catalogue;
use skyhaul::sim::fault::Fault;
use skyhaul::sim::ids::HubId;
use skyhaul::sim::time::{SimDuration, SimTime};
use skyhaul::sim::world::{ScheduledFault, World};

use crate::support::client::{Client, parcel};
use crate::support::server::{Running, kept_in, quiet};
use crate::support::worlds::tiny;

const FAULTS: &str = "/api/simulation/faults";

/// At a pace at which a request falls between two ticks of the flight.
const SLOWLY: f64 = 20.0;

/// The tiny world with drones that have no rotor to spare, and no wings.
fn tiny_with_quadrotors() -> World {
    let mut world = tiny();
    world.models[0] = catalogue::model("matternet-m2").expect("it is in the catalogue");
    world
}

async fn inject(operator: &Client, fault: Value) {
    let (status, body) = operator.post(FAULTS, &fault).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(body["kind"], fault["kind"], "{body}");
    assert_eq!(body["target"], fault["target"], "{body}");
}

/// Whether the only hub is closed, and until when.
async fn standing(operator: &Client) -> (Value, Value) {
    let (status, mut hubs) = operator.get("/api/hubs").await;
    assert_eq!(status, StatusCode::OK, "{hubs}");
    let mut hub = hubs["items"][0].take();
    (hub["closed"].take(), hub["closedUntil"].take())
}

#[tokio::test]
async fn a_rotor_that_fails_takes_the_drone_and_another_comes_and_a_restart_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny_with_quadrotors(), options.clone()).await;
    let operator = server.client();
    let id = operator
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    operator.run_to(100).await;
    let drone = operator.delivery(&id).await["droneId"]
        .as_str()
        .unwrap()
        .to_owned();

    let fault = json!({"kind": "rotor_out", "target": drone});
    let (status, problem) = operator.post(FAULTS, &fault).await;
    assert_eq!(status, StatusCode::CONFLICT, "paused: {problem}");

    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    let charge = async || operator.drone(&drone).await["battery"].as_f64().unwrap();
    let before = charge().await;
    inject(&operator, json!({"kind": "battery_cell", "target": drone})).await;
    assert!(charge().await < before * 0.85, "a sixth of it is gone");
    let health = &operator.drone(&drone).await["batteryHealth"];
    assert_eq!(*health, json!(0.8333), "and for good");
    inject(&operator, fault.clone()).await;
    operator.control(json!({"state": "paused"})).await;
    let lost = operator.drone(&drone).await;
    assert_eq!(lost["status"], "lost");
    let kinds = operator.kinds(&id).await;
    let again = ["Delayed", "Assigned", "HeadedToPickup"];
    assert!(kinds.windows(3).any(|three| three == again), "{kinds:?}");
    let other = operator.delivery(&id).await["droneId"].clone();
    assert_ne!(other, drone, "the first one is lost");
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    let (status, problem) = operator.post(FAULTS, &fault).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is down: {problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:no-effect");
    operator.control(json!({"state": "paused"})).await;
    let before = operator.simulation().await;
    server.stop().await;

    let server = Running::start(tiny_with_quadrotors(), options).await;
    let operator = server.client();
    let after = operator.simulation().await;
    assert_eq!(
        (&after["epoch"], &after["digest"]),
        (&before["epoch"], &before["digest"])
    );
    assert_eq!(operator.drone(&drone).await, lost);
    server.stop().await;
}

#[tokio::test]
async fn nobody_leaves_a_closed_hub_until_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny(), options.clone()).await;
    let operator = server.client();
    let hub = server.world.hubs[0].key.clone();
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    assert_eq!(standing(&operator).await, (json!(false), Value::Null));
    let closed = json!({"kind": "hub_closed", "target": hub, "duration": "10m"});
    inject(&operator, closed).await;
    let at = operator.control(json!({"state": "paused", "speed": "max"})).await["tick"]
        .as_u64()
        .unwrap();
    let shown = standing(&operator).await;
    assert_eq!(shown.0, true);
    assert!(shown.1.as_str() > Some("2026-06-01T18:10:00"), "{shown:?}");
    let id = operator
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    operator.run_to(at + 3_000).await;
    assert_eq!(standing(&operator).await, shown);
    server.stop().await;

    // What was closed stays so, from a snapshot too.
    let server = Running::start(tiny(), options).await;
    let operator = server.client();
    assert_eq!(standing(&operator).await, shown);
    let mut stream = server.stream().await;
    stream.follow(1, &format!("hub/{hub}")).await;
    let snapshot = stream.next_of("snapshot").await;
    assert_eq!(snapshot["hub"]["closedUntil"], shown.1, "{snapshot}");
    assert_eq!(operator.workflow(&id).await["state"], "AwaitingDrone");
    assert_eq!(operator.delivery(&id).await["droneId"], Value::Null);
    operator.run_to(at + 6_100).await;
    assert_eq!(standing(&operator).await, (json!(false), Value::Null));
    assert_eq!(operator.workflow(&id).await["state"], "Scheduled");
    assert!(operator.delivery(&id).await["droneId"].is_string());
    server.stop().await;
}

#[tokio::test]
async fn a_hub_closed_without_a_duration_stays_so_until_another_says_when_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let server = Running::start(tiny(), options.clone()).await;
    let operator = server.client();
    let hub = server.world.hubs[0].key.clone();
    let closed = json!({"kind": "hub_closed", "target": hub});
    let mut stream = server.stream().await;
    stream.follow(1, &format!("hub/{hub}")).await;
    stream.next_of("snapshot").await;
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    inject(&operator, closed.clone()).await;
    let told = stream.until_event("Closed").await;
    assert_eq!(told.last().unwrap()["event"]["until"], Value::Null);
    let (status, problem) = operator.post(FAULTS, &closed).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is closed: {problem}");
    let clock = operator.control(json!({"state": "paused", "speed": "max"})).await;
    // Past a snapshot, which remembers it.
    operator.run_to(clock["tick"].as_u64().unwrap() + 1_300).await;
    server.stop().await;

    let server = Running::start(tiny(), options).await;
    let operator = server.client();
    assert_eq!(standing(&operator).await, (json!(true), Value::Null));
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    let soon = json!({"kind": "hub_closed", "target": hub, "duration": "1s"});
    inject(&operator, soon).await;
    let at = operator.control(json!({"state": "paused", "speed": "max"})).await["tick"]
        .as_u64()
        .unwrap();
    operator.run_to(at + 20).await;
    assert_eq!(standing(&operator).await, (json!(false), Value::Null));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_and_a_pause_that_meet_leave_nothing_for_later() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let hub = &server.world.hubs[0].key;
    let mut took_effect = 0;
    for minutes in 10..40 {
        operator.control(json!({"state": "running", "speed": 1})).await;
        let fault = json!({"kind": "hub_closed", "target": hub, "duration": format!("{minutes}m")});
        let ((status, answer), clock) = tokio::join!(
            operator.post(FAULTS, &fault),
            operator.control(json!({"state": "paused"}))
        );
        if status == StatusCode::OK {
            took_effect += 1;
            assert!(
                answer["tick"].as_u64() <= clock["tick"].as_u64(),
                "{answer} {clock}"
            );
        } else {
            assert_eq!(answer["type"], "urn:skyhaul:problem:paused", "{answer}");
        }
        let later = operator.simulation().await;
        assert_eq!(
            (&later["tick"], &later["digest"]),
            (&clock["tick"], &clock["digest"])
        );
    }
    println!("{took_effect} of 30 were before the pause");
    server.stop().await;
}

#[tokio::test]
async fn a_fault_that_changes_nothing_says_so() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    let closed =
        |duration| json!({"kind": "hub_closed", "target": server.world.hubs[0].key, "duration": duration});
    inject(&operator, closed("1h")).await;
    let (status, problem) = operator.post(FAULTS, &closed("10m")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:no-effect");
    server.stop().await;
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_explained() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let wrong = [
        (json!({}), vec!["/kind", "/target"]),
        (json!({"kind": "meteor", "target": "d-0"}), vec!["/kind"]),
        (json!({"kind": "wind_shift", "target": "d-0"}), vec!["/target"]),
        (
            json!({"kind": "wind_shift", "speed": -1, "from": "north"}),
            vec!["/speed", "/from"],
        ),
        (
            json!({"kind": "rotor_out", "target": "d-0", "speed": 3}),
            vec!["/speed"],
        ),
        (json!({"kind": "link_lost", "target": "d-99"}), vec!["/target"]),
        (
            json!({"kind": "rotor_out", "target": "d-99", "duration": "1m"}),
            vec!["/duration", "/target"],
        ),
        (
            json!({"kind": "hub_closed", "target": "nowhere"}),
            vec!["/target"],
        ),
        (
            json!({"kind": "hub_closed", "target": "nowhere", "duration": "0s"}),
            vec!["/duration", "/target"],
        ),
    ];
    for (body, pointers) in wrong {
        let (status, problem) = operator.post(FAULTS, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        let errors = problem["errors"].as_array().unwrap();
        let named: Vec<_> = errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect();
        for pointer in pointers {
            assert!(named.contains(&pointer), "{body}: {problem}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_lost_drone_carried_lies_where_that_came_down() {
    let server = Running::start(tiny_with_quadrotors(), quiet()).await;
    let operator = server.client();
    let order = parcel("Dolores Park", "General Hospital", 1.0);
    let id = operator.order(&order).await;
    let mut tick = 0;
    while operator.status(&id).await["stage"] != "HeadedToDropoff" {
        tick += 50;
        assert!(tick < 20_000, "it is never picked up");
        operator.run_to(tick).await;
    }
    let drone = operator.delivery(&id).await["droneId"]
        .as_str()
        .unwrap()
        .to_owned();
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    inject(&operator, json!({"kind": "rotor_out", "target": drone})).await;
    operator.control(json!({"state": "paused"})).await;
    let status = operator.status(&id).await;
    assert_eq!(status["stage"], "Failed");
    let (parcel, lost) = (
        &status["lastKnownLocation"],
        &operator.drone(&drone).await["location"],
    );
    assert_eq!(
        (&parcel["latitude"], &parcel["longitude"]),
        (&lost["latitude"], &lost["longitude"])
    );
    server.stop().await;
}

#[tokio::test]
async fn what_the_scenario_breaks_is_broken_when_it_says() {
    let mut world = tiny();
    let closed = |seconds, fault| ScheduledFault {
        at: SimTime::from_secs(seconds),
        fault,
    };
    let minute = SimDuration::from_secs(60.0);
    world.faults = vec![closed(30.0, Fault::HubClosed(HubId(0), minute))];
    let server = Running::start(world, quiet()).await;
    let operator = server.client();
    operator.run_to(290).await;
    assert_eq!(standing(&operator).await, (json!(false), Value::Null));
    operator.run_to(310).await;
    let (closed, until) = standing(&operator).await;
    assert_eq!(closed, true);
    assert!(
        until
            .as_str()
            .is_some_and(|until| until.starts_with("2026-06-01T18:01:30")),
        "{until}"
    );
    operator.run_to(910).await;
    assert_eq!(standing(&operator).await, (json!(false), Value::Null));
    server.stop().await;
}

#[tokio::test]
async fn the_carrier_goes_down_where_it_is_up_and_needs_no_name() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    operator
        .control(json!({"state": "running", "speed": SLOWLY}))
        .await;
    inject(&operator, json!({"kind": "carrier_down"})).await;
    inject(
        &operator,
        json!({"kind": "carrier_down", "target": "third_party", "duration": "10m"}),
    )
    .await;
    let less = json!({"kind": "carrier_down", "duration": "1m"});
    let (status, problem) = operator.post(FAULTS, &less).await;
    assert_eq!(status, StatusCode::CONFLICT, "it is down for longer: {problem}");
    let elsewhere = json!({"kind": "carrier_down", "target": "mission", "duration": "1m"});
    let (status, problem) = operator.post(FAULTS, &elsewhere).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/target");
    server.stop().await;
}
