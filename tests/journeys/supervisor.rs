//! A request whose steps fail is tried again, undone, and left to operators where that fails too.

use reqwest::StatusCode;
use serde_json::json;
use skyhaul::sim::actor::Actor;
use skyhaul::sim::fault::{Fault, StepFault, Victim};
use skyhaul::sim::time::{SimDuration, SimTime};
use skyhaul::sim::workflow::Step;
use skyhaul::sim::world::ScheduledFault;

use crate::support::client::parcel;
use crate::support::server::{Running, kept_in};
use crate::support::worlds::tiny;

const LETTERS: &str = "/api/supervisor/deadletters";
/// Ticks of a minute.
const MINUTE: u64 = 600;

#[tokio::test]
async fn what_cannot_be_undone_is_a_dead_letter_until_an_operator_tries_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = kept_in(folder.path());
    options.demand = false;
    let mut world = tiny();
    let two_minutes = SimDuration::from_secs(120.0);
    let at = SimTime::from_secs(0.5);
    let broken = |fault| ScheduledFault { at, fault };
    world.faults = vec![
        broken(Fault::Step(Step::Package, StepFault::Fail, Some(two_minutes))),
        broken(Fault::Panic(Victim::Actor(Actor::Fleet))),
    ];
    let server = Running::start(world.clone(), options.clone()).await;
    let operator = server.client();
    operator.run_to(10).await;
    let id = operator
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;
    operator.run_to(20).await;
    let workflow = operator.workflow(&id).await;
    assert_eq!(workflow["state"], "Retrying", "{workflow}");
    assert_eq!(
        (&workflow["step"], &workflow["waitingFor"]),
        (&json!("package"), &json!("retry"))
    );
    let (_, listed) = operator.get("/api/supervisor/workflows?state=Retrying").await;
    assert_eq!(listed["items"][0]["deliveryId"], id, "{listed}");

    operator.run_to(MINUTE).await;
    let workflow = operator.workflow(&id).await;
    assert_eq!(
        (&workflow["state"], &workflow["step"]),
        (&json!("DeadLettered"), &json!("package"))
    );
    assert_eq!(workflow["reason"], "step_unavailable");
    assert_eq!(operator.status(&id).await["stage"], "Failed");
    let dead = "/api/supervisor/workflows?state=DeadLettered";
    let (_, listed) = operator.get(dead).await;
    assert_eq!(listed["items"], json!([workflow]));
    server.stop().await;

    // It is there after a restart, too.
    let server = Running::start(world, options).await;
    let operator = server.client();
    operator.run_to(3 * MINUTE).await;
    let (_, letters) = operator.get(LETTERS).await;
    assert_eq!(letters["items"][0]["deliveryId"], id, "{letters}");
    assert_eq!(operator.get(dead).await.1["items"], json!([workflow]));
    let (_, health) = operator.get("/api/supervisor/health").await;
    assert_eq!(
        health["breakers"],
        json!([{"name": "carrier", "state": "closed"}])
    );
    assert_eq!(health["panics"], json!([{"actor": "fleet", "count": 1}]));
    operator.control(json!({"state": "running", "speed": 20.0})).await;
    let retry = format!("{LETTERS}/{id}/retry");
    let (status, retried) = operator.post(&retry, &json!({})).await;
    assert_eq!(
        (status, &retried["resolved"]),
        (StatusCode::OK, &json!(true)),
        "{retried}"
    );
    assert_eq!(operator.get(LETTERS).await.1["items"], json!([]));
    assert_eq!(operator.workflow(&id).await["state"], "Failed");
    let (status, problem) = operator.post(&retry, &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
    server.stop().await;
}
