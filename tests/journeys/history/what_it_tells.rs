//! What history tells of a delivery is what happened, and sums are sums of that.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::{Client, parcel};
use crate::support::server::{Running, quiet};
use crate::support::worlds::{sim_seconds, tiny_with_drones};

async fn history(client: &Client, id: &str) -> Value {
    let (status, history) = client.get(&format!("/api/deliveryhistory/{id}")).await;
    assert_eq!(status, StatusCode::OK, "{history}");
    history
}

async fn june(client: &Client, what: &str) -> (StatusCode, Value) {
    client
        .get(&format!("/api/{what}?ownerId=cafe&year=2026&month=6"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_told_from_its_acceptance_until_its_drone_is_home() {
    let running = Running::start(tiny_with_drones(1), quiet()).await;
    let (client, world) = (running.client(), &running.world);
    let place = |index: usize| world.places[index].name.clone();
    let id = client.order(&parcel(&place(0), &place(1), 1.0)).await;
    let queued = history(&client, &id).await;
    assert_eq!(
        (&queued["events"], &queued["energyWh"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(june(&client, "deliveries/summary").await.1, json!({"count": 0}));
    let (status, nothing) = june(&client, "dronedeliveries/utilization").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{nothing}");

    let mut stream = running.stream().await;
    stream.follow(1, "events").await;
    client.control(json!({"state": "running"})).await;
    let taken_off = stream
        .next_where(|message| message["event"]["kind"] == "TakenOff")
        .await;
    assert_eq!(taken_off["event"]["deliveryId"], id.as_str());
    stream
        .next_where(|message| message["event"]["kind"] == "Completed")
        .await;
    let landed = stream
        .next_where(|message| message["event"]["kind"] == "Landed")
        .await;
    let flight = &landed["event"];

    let told = history(&client, &id).await;
    assert_eq!(
        (&told["delivery"]["id"], &told["delivery"]["stage"]),
        (&json!(id), &json!("Completed"))
    );
    let events = told["events"].as_array().expect("events");
    let kinds: Vec<_> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds[0], "Accepted");
    for kind in ["Assigned", "PickedUp", "HeadedToDropoff"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert_eq!(kinds[kinds.len() - 1], "Completed");
    for (seq, event) in (1..).zip(events) {
        assert_eq!(event["seq"], seq);
        assert!(event["location"]["latitude"].is_f64(), "{event}");
        let is_quoted = event["deliveryEta"].is_string();
        assert_eq!(
            is_quoted,
            seq > kinds.iter().position(|kind| *kind == "Assigned").unwrap(),
            "{event}"
        );
    }
    let places = &told["delivery"];
    assert_eq!(
        events[0]["location"]["latitude"],
        rounded(&places["pickup"]["latitude"])
    );
    assert_eq!(
        events[events.len() - 1]["location"]["latitude"],
        rounded(&places["dropoff"]["latitude"])
    );
    let assigned = events
        .iter()
        .find(|event| event["kind"] == "Assigned")
        .expect("it was");
    let hub = world.hubs[0].location;
    assert_eq!(
        assigned["location"]["latitude"],
        rounded(&json!(hub.lat)),
        "the drone is at its hub yet"
    );

    let quoted = told["quotedEtas"].as_array().expect("quotes");
    assert_eq!(quoted[0]["deliveryEta"], assigned["deliveryEta"]);
    let arrived = sim_seconds(world, &events[events.len() - 1]["simTime"]);
    let last = sim_seconds(world, &quoted[quoted.len() - 1]["deliveryEta"]);
    assert!((arrived - last).abs() < 60.0, "{arrived} {last}");
    let near = |one: &Value, other: f64| (one.as_f64().expect("a number") - other).abs() < 1e-3;
    let of_flight = |key: &str| flight[key].as_f64().expect("a number");
    assert!(near(&told["energyWh"], of_flight("energyWh")), "{told}");
    assert!(of_flight("energyWh") > 1.0);

    assert_eq!(june(&client, "deliveries/summary").await.1, json!({"count": 1}));
    let (_, weight) = june(&client, "packages/summary").await;
    assert!(near(&weight["totalWeight"], 1.0), "{weight}");
    let (status, booked) = june(&client, "dronedeliveries/utilization").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        near(&booked["traveledMiles"], of_flight("distanceM") / 1_609.344),
        "{booked}"
    );
    assert!(
        near(&booked["assignedHours"], of_flight("airborneSeconds") / 3_600.0),
        "{booked}"
    );
    for (path, expected) in [
        (
            "deliveries/summary?ownerId=cafe&year=2026&month=7",
            json!({"count": 0}),
        ),
        (
            "packages/summary?ownerId=nobody&year=2026&month=6",
            json!({"totalWeight": 0.0}),
        ),
    ] {
        assert_eq!(
            client.get(&format!("/api/{path}")).await,
            (StatusCode::OK, expected),
            "{path}"
        );
    }
    running.stop().await;
}

/// As answers show degrees.
fn rounded(degrees: &Value) -> f64 {
    (degrees.as_f64().expect("degrees") * 1e6).round() / 1e6
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_make_no_sense_are_answered_with_what_is_wrong() {
    let running = Running::start(tiny_with_drones(1), quiet()).await;
    let client = running.client();
    let wrong = "ownerId=&year=0&month=13";
    for (path, status, pointers) in [
        (format!("dronedeliveries/utilization?{wrong}"), 400, 3),
        ("dronedeliveries/utilization".to_owned(), 400, 3),
        (format!("deliveries/summary?{wrong}"), 422, 3),
        ("packages/summary?ownerId=cafe&year=2026".to_owned(), 422, 1),
        (
            "deliveryhistory?from=yesterday&to=2026&limit=0&cursor=zz".to_owned(),
            422,
            4,
        ),
        ("deliveryhistory/nonsense".to_owned(), 404, 0),
        (
            "deliveryhistory/00000000-0000-7000-8000-000000000000".to_owned(),
            404,
            0,
        ),
    ] {
        let (answered, problem) = client.get(&format!("/api/{path}")).await;
        assert_eq!(answered, status, "{path}: {problem}");
        let errors = problem["errors"].as_array().map_or(0, Vec::len);
        assert_eq!(errors, pointers, "{path}: {problem}");
    }
    running.stop().await;
}
