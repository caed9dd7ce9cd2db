//! A carrier with fewer vans than there is to carry: nothing is wrong with it.

use serde_json::{Value, json};
use skyhaul::sim::time::SimDuration;
use skyhaul::sim::world::World;

use crate::support::client::{Client, parcel};
use crate::support::server::{Running, quiet};
use crate::support::worlds::tiny;

/// More at once than open the breaker where the carrier fails.
const ORDERS: usize = 8;

fn one_van(pickup_delay_s: f64) -> World {
    let mut world = tiny();
    world.carrier.capacity = 1;
    world.carrier.pickup_delay = SimDuration::from_secs(pickup_delay_s);
    world.carrier.handling = SimDuration::from_secs(1.0);
    world.carrier.speed_mps = 1_000.0;
    world
}

async fn order_heavy(customer: &Client, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let heavy = parcel("Dolores Park", "General Hospital", 60.0);
        ids.push(customer.order(&heavy).await);
    }
    ids
}

async fn breaker(operator: &Client) -> Value {
    let (_, health) = operator.get("/api/supervisor/health").await;
    health["breakers"][0]["state"].clone()
}

fn count(kinds: &[String], wanted: &str) -> usize {
    kinds.iter().filter(|kind| *kind == wanted).count()
}

#[tokio::test]
async fn who_finds_no_van_is_told_so_once_and_in_the_end_that_there_was_none() {
    let server = Running::start(one_van(3_600.0), quiet()).await;
    let customer = server.client();
    let ids = order_heavy(&customer, ORDERS).await;
    customer.step(5).await;
    assert_eq!(customer.delivery(&ids[0]).await["carrier"], "third-party");
    for id in &ids[1..] {
        let workflow = customer.workflow(id).await;
        let expected = json!({
            "deliveryId": id, "state": "Retrying", "step": "third_party", "attempts": 1, "waitingFor": "carrier",
        });
        assert_eq!(workflow, expected);
    }
    assert_eq!(breaker(&customer).await, "closed");

    customer.run_to(600).await;
    for id in &ids[1..] {
        let workflow = customer.workflow(id).await;
        let expected = json!({
            "deliveryId": id, "state": "Failed", "step": "third_party", "attempts": 5, "waitingFor": null,
            "reason": "carrier_full",
        });
        assert_eq!(workflow, expected);
        assert_eq!(customer.kinds(id).await, ["Accepted", "Delayed", "Failed"]);
    }
    assert_eq!(breaker(&customer).await, "closed");
    server.stop().await;
}

#[tokio::test]
async fn a_van_that_is_free_again_takes_who_still_asks() {
    let server = Running::start(one_van(1.0), quiet()).await;
    let customer = server.client();
    let ids = order_heavy(&customer, 3).await;
    customer.run_to(600).await;
    let mut completed = 0;
    for id in &ids {
        let kinds = customer.kinds(id).await;
        assert!(count(&kinds, "Delayed") <= 1, "{kinds:?}");
        completed += count(&kinds, "Completed");
    }
    assert!(
        completed > 1,
        "each job takes a few seconds, and nobody leaves the carrier alone"
    );
    server.stop().await;
}
