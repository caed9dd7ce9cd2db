//! Doors that take longer than anybody says: what a hub's deliveries were late by, its next quotes
//! count on.

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::sim::world::World;

use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, quiet};
use crate::support::worlds::{in_still_air, sim_seconds, tiny};

/// From when the drone is at the door; they are said to take 20 s, and never come by themselves.
const PEOPLE_TAKE_S: f64 = 40.0;
const STEP: u64 = 20;

fn slow_doors() -> World {
    let mut world = in_still_air(tiny());
    world.recipient.never = 1.0;
    world.fleets[0].count = 30;
    (world.hubs[0].pads, world.hubs[0].chargers) = (30, 30);
    world
}

async fn now_s(world: &World, operator: &Client) -> f64 {
    sim_seconds(world, &operator.simulation().await["simTime"])
}

async fn advance(operator: &Client, ticks: u64) {
    let tick = operator.simulation().await["tick"].as_u64().unwrap();
    operator.control(json!({"speed": "max"})).await;
    operator.run_to(tick + ticks).await;
}

/// At a pace at which nothing else happens meanwhile. Answers when.
async fn give_word(world: &World, operator: &Client, id: &str) -> f64 {
    let word: Value = json!({
        "dateTime": {"dateTimeValue": "2026-06-01T18:05:00Z"},
        "geoCoordinates": {"altitude": 0, "latitude": 37.76, "longitude": -122.41},
        "confirmationType": "Picture",
        "confirmationBlob": "0xCAFE",
    });
    operator.control(json!({"state": "running", "speed": 1})).await;
    let (status, body) = operator
        .post(&format!("/api/deliveries/{id}/confirmations"), &word)
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    operator.control(json!({"state": "paused"})).await;
    now_s(world, operator).await
}

/// How much later than first told one is delivered, seconds.
async fn late_s(world: &World, operator: &Client) -> f64 {
    let order = with(
        parcel("Dolores Park", "General Hospital", 1.0),
        json!({"confirmationRequired": "Picture"}),
    );
    let id = operator.order(&order).await;
    advance(operator, 5).await;
    let quote_s = sim_seconds(world, &operator.status(&id).await["deliveryETA"]);
    let soon_s = quote_s - now_s(world, operator).await - 60.0;
    advance(operator, (soon_s / world.tick.as_secs()) as u64).await;
    let mut rung_s = None;
    loop {
        let now_s = now_s(world, operator).await;
        let kinds = operator.kinds(&id).await;
        assert!(now_s < quote_s + 300.0, "it is never delivered: {kinds:?}");
        if kinds.iter().any(|kind| kind == "AwaitingConfirmation") {
            rung_s.get_or_insert(now_s);
        }
        if rung_s.is_some_and(|rung_s| now_s >= rung_s + PEOPLE_TAKE_S) {
            return give_word(world, operator, &id).await - quote_s;
        }
        advance(operator, STEP).await;
    }
}

#[tokio::test]
async fn where_people_take_longer_than_they_are_said_to_quotes_learn_of_it() {
    let world = slow_doors();
    let server = Running::start(slow_doors(), quiet()).await;
    let operator = server.client();
    let mut first = Vec::new();
    for _ in 0..22 {
        first.push(late_s(&world, &operator).await);
    }
    assert!(
        first[..10].iter().all(|late_s| (15.0..35.0).contains(late_s)),
        "{first:?}"
    );
    let later_s = late_s(&world, &operator).await;
    assert!(later_s.abs() < 8.0, "{later_s} after {first:?}");
    server.stop().await;
}
