//! More customers than drones: who waits, for what, who goes first, and who is told no.

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::sim::time::SimDuration;
use skyhaul::sim::world::{WhenFull, World};

use crate::support::client::{Client, parcel, with};
use crate::support::server::{Running, quiet};
use crate::support::worlds::{sim_seconds, tiny_with_drones};

/// One drone, room for so many who wait, and this for those who find none.
fn one_drone(backlog: usize, when_full: WhenFull) -> World {
    let mut world = tiny_with_drones(1);
    world.dispatch.backlog = backlog;
    world.dispatch.when_full = when_full;
    world
}

fn lunch() -> Value {
    parcel("Dolores Park", "General Hospital", 1.0)
}

async fn orders(customer: &Client, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(customer.order(&lunch()).await);
    }
    ids
}

#[tokio::test]
async fn who_wants_it_later_waits_until_then() {
    let server = Running::start(tiny_with_drones(1), quiet()).await;
    let (customer, world) = (server.client(), &server.world);
    let later = json!({"pickupTime": "2026-06-01T18:05:00Z"});
    let id = customer.order(&with(lunch(), later)).await;
    customer.run_to(2_990).await;
    let workflow = customer.workflow(&id).await;
    assert_eq!(workflow["state"], "AwaitingDrone");
    assert_eq!(workflow["waitingFor"], "pickup_time");
    assert_eq!(customer.status(&id).await["stage"], "Created");

    customer.run_to(3_010).await;
    assert_eq!(customer.status(&id).await["stage"], "HeadedToPickup");
    customer.run_to(12_000).await;
    let status = customer.status(&id).await;
    assert_eq!(status["stage"], "Completed");
    assert!(sim_seconds(world, &status["pickupETA"]) >= 300.0, "{status}");
    server.stop().await;
}

#[tokio::test]
async fn where_the_backlog_is_full_the_scenario_says_what_becomes_of_a_request() {
    for when_full in [WhenFull::Fail, WhenFull::ThirdParty] {
        let server = Running::start(one_drone(2, when_full), quiet()).await;
        let customer = server.client();
        let ids = orders(&customer, 4).await;
        customer.step(5).await;
        assert_eq!(customer.workflow(&ids[0]).await["state"], "Scheduled");
        for waits in &ids[1..3] {
            assert_eq!(customer.workflow(waits).await["waitingFor"], "drone");
        }
        let over = customer.workflow(&ids[3]).await;
        let stage = customer.status(&ids[3]).await["stage"].clone();
        match when_full {
            WhenFull::Fail => {
                assert_eq!((&over["state"], &stage), (&json!("Failed"), &json!("Failed")));
                assert_eq!(over["reason"], "backlog_full");
            }
            WhenFull::ThirdParty => {
                assert_eq!(
                    (&over["state"], &stage),
                    (&json!("Scheduled"), &json!("HeadedToPickup"))
                );
                assert_eq!(customer.delivery(&ids[3]).await["droneId"], Value::Null);
            }
        }
        server.stop().await;
    }
}

/// Orders for later have places of their own, and are told no when those are taken.
#[tokio::test]
async fn who_wants_it_later_takes_no_place_of_those_who_want_it_now() {
    let mut world = one_drone(2, WhenFull::Fail);
    world.dispatch.scheduled = 3;
    let server = Running::start(world, quiet()).await;
    let customer = server.client();
    let later = with(lunch(), json!({"pickupTime": "2026-06-02T18:00:00Z"}));
    let mut scheduled = Vec::new();
    for _ in 0..4 {
        scheduled.push(customer.order(&later).await);
    }
    customer.step(5).await;
    for id in &scheduled[..3] {
        assert_eq!(customer.workflow(id).await["waitingFor"], "pickup_time");
    }
    let over = customer.workflow(&scheduled[3]).await;
    assert_eq!(
        (&over["state"], &over["reason"]),
        (&json!("Failed"), &json!("schedule_full"))
    );
    let ids = orders(&customer, 3).await;
    customer.step(5).await;
    let (_, metrics) = customer.get("/metrics").await;
    for gauge in [
        "depth{queue=\"scheduled\"} 3",
        "bound{queue=\"scheduled\"} 3",
        "depth{queue=\"fleet\"} 2",
        "bound{queue=\"fleet\"} 2",
        "depth{queue=\"retries\"} 0",
    ] {
        let metrics = metrics.as_str().expect("text");
        assert!(metrics.contains(&format!("skyhaul_queue_{gauge}\n")), "{gauge}");
    }
    assert_eq!(customer.workflow(&ids[0]).await["state"], "Scheduled");
    for id in &ids[1..] {
        assert_eq!(customer.workflow(id).await["waitingFor"], "drone");
    }

    let called_off = customer
        .delete(&format!("/api/deliveryrequests/{}", scheduled[0]))
        .await;
    assert_eq!(called_off.0, StatusCode::CONFLICT, "paused: {}", called_off.1);
    customer.control(json!({"state": "running", "speed": 1.0})).await;
    let called_off = customer
        .delete(&format!("/api/deliveryrequests/{}", scheduled[0]))
        .await;
    assert_eq!(called_off.0, StatusCode::NO_CONTENT, "{}", called_off.1);
    customer.control(json!({"state": "paused"})).await;
    let in_its_place = customer.order(&later).await;
    customer.step(5).await;
    assert_eq!(
        customer.workflow(&in_its_place).await["waitingFor"],
        "pickup_time"
    );
    server.stop().await;
}

#[tokio::test]
async fn patience_ends_when_the_scenario_says() {
    for when_full in [WhenFull::Fail, WhenFull::ThirdParty] {
        let mut world = one_drone(10, when_full);
        world.dispatch.max_wait = SimDuration::from_secs(30.0);
        let server = Running::start(world, quiet()).await;
        let customer = server.client();
        let ids = orders(&customer, 2).await;
        customer.run_to(299).await;
        assert_eq!(customer.workflow(&ids[1]).await["waitingFor"], "drone");
        customer.run_to(302).await;
        let given_up = customer.workflow(&ids[1]).await;
        match when_full {
            WhenFull::Fail => {
                assert_eq!(given_up["state"], "Failed");
                assert_eq!(given_up["reason"], "no_drone_in_time");
            }
            WhenFull::ThirdParty => assert_eq!(given_up["state"], "Scheduled"),
        }

        customer.run_to(12_000).await;
        assert_eq!(customer.status(&ids[0]).await["stage"], "Completed");
        assert_eq!(
            customer.workflow(&ids[1]).await,
            given_up,
            "no drone goes there later"
        );
        assert_eq!(customer.delivery(&ids[1]).await["droneId"], Value::Null);
        server.stop().await;
    }
}

#[tokio::test]
async fn an_expedited_request_goes_before_those_that_wait() {
    let mut world = one_drone(10, WhenFull::Fail);
    world.dispatch.max_wait = SimDuration::from_secs(7_200.0);
    let server = Running::start(world, quiet()).await;
    let (customer, world) = (server.client(), &server.world);
    let ordinary = orders(&customer, 3).await;
    customer.step(5).await;
    let urgent = customer.order(&with(lunch(), json!({"expedited": true}))).await;
    customer.run_to(72_000).await;

    let mut came = Vec::new();
    for id in [&ordinary[0], &urgent, &ordinary[1], &ordinary[2]] {
        let status = customer.status(id).await;
        assert_eq!(status["stage"], "Completed", "{status}");
        came.push(sim_seconds(world, &status["deliveryETA"]));
    }
    assert!(
        came.is_sorted(),
        "the first, the urgent one, then in order: {came:?}"
    );
    server.stop().await;
}
