//! The operator's clock: pause, go on, step, stop at a tick, change the speed.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::parcel;
use crate::support::server::{Running, lively, quiet};
use crate::support::worlds::{san_francisco, tiny};

#[tokio::test]
async fn an_operator_stops_the_clock_steps_and_lets_it_run_to_a_tick() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let clock = operator.simulation().await;
    assert_eq!(clock["state"], "paused");
    assert_eq!(clock["tick"], 0);
    assert_eq!(clock["simTime"], "2026-06-01T18:00:00.000Z");

    assert_eq!(operator.step(1).await["tick"], 1);
    let clock = operator.step(49).await;
    assert_eq!(clock["tick"], 50);
    assert_eq!(clock["simTime"], "2026-06-01T18:00:05.000Z");
    assert_eq!(clock["state"], "paused");

    let clock = operator.run_to(200).await;
    assert_eq!(
        operator.simulation().await["digest"],
        clock["digest"],
        "a world that is paused stands still"
    );
    let clock = operator.control(json!({"pauseAtTick": 200})).await;
    assert_eq!((&clock["state"], &clock["tick"]), (&json!("paused"), &json!(200)));

    operator.control(json!({"state": "running", "speed": 1})).await;
    let clock = operator.control(json!({"state": "paused"})).await;
    assert_eq!(clock["state"], "paused");
    let tick = clock["tick"].as_u64().unwrap();
    assert_eq!(operator.step(1).await["tick"], tick + 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_that_are_asked_for_at_once_are_each_answered_when_they_are_taken() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    let (long, short) = tokio::join!(operator.step(3_000), operator.step(2_000));
    let [long, short] = [long, short].map(|clock| clock["tick"].as_u64().unwrap());
    // Whichever came first, the other's ticks follow.
    assert!(
        long == 5_000 && short >= 2_000 || short == 5_000 && long >= 3_000,
        "{long} {short}"
    );
    assert_eq!(operator.simulation().await["tick"], 5_000);
    let (_, metrics) = operator.get("/metrics").await;
    let metrics = metrics.as_str().unwrap();
    for line in [
        "skyhaul_queue_depth{queue=\"controls\"} 0",
        "skyhaul_queue_bound{queue=\"controls\"} 64",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_pause_at_a_tick_holds_over_a_pause_by_hand() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    operator
        .control(json!({"state": "running", "speed": 1, "pauseAtTick": 600}))
        .await;
    let clock = operator.control(json!({"state": "paused"})).await;
    assert!(clock["tick"].as_u64() < Some(600), "{clock}");
    operator
        .control(json!({"state": "running", "speed": "max"}))
        .await;
    operator.paused_at(600).await;

    operator.run_to(700).await;
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = server.client();
    operator.run_to(100).await;
    let before = operator.simulation().await;

    let (status, problem) = operator.put("/api/simulation", &json!({"pauseAtTick": 99})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(problem["detail"].as_str().unwrap().contains("100"), "{problem}");

    let seek = json!({"simTime": "2026-06-01T18:00:01Z"});
    let (status, problem) = operator.put("/api/simulation", &seek).await;
    assert_eq!(
        status,
        StatusCode::CONFLICT,
        "only a recording can be sought: {problem}"
    );

    for (wrong, pointers) in [
        (json!({"simTime": "noon"}), vec!["/simTime"]),
        (json!({"speed": 0}), vec!["/speed"]),
        (json!({"speed": -1, "state": "fast"}), vec!["/state", "/speed"]),
        (json!({"speed": 10_001}), vec!["/speed"]),
        (json!({"pauseAtTick": -1}), vec!["/pauseAtTick"]),
    ] {
        let (status, problem) = operator.put("/api/simulation", &wrong).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        let named = problem["errors"].as_array().unwrap().iter();
        let named: Vec<_> = named.map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(named, pointers, "{problem}");
    }
    let (status, _) = operator.post("/api/simulation/step", &json!({"ticks": 0})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(operator.simulation().await, before);

    operator.control(json!({"state": "running", "speed": 1})).await;
    let (status, problem) = operator.post("/api/simulation/step", &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(problem["type"], "urn:skyhaul:problem:not-paused");
    server.stop().await;
}

#[tokio::test]
async fn requests_are_taken_while_the_clock_stands_and_begin_when_it_goes_on() {
    let server = Running::start(tiny(), quiet()).await;
    let customer = server.client();
    customer.run_to(10).await;
    let id = customer
        .order(&parcel("Dolores Park", "General Hospital", 1.0))
        .await;

    assert_eq!(customer.workflow(&id).await["state"], "Queued");
    assert_eq!(customer.status(&id).await["stage"], "Created");
    assert_eq!(customer.delivery(&id).await["droneId"], json!(null));
    assert_eq!(customer.simulation().await["tick"], 10);

    customer.step(1).await;
    assert_eq!(customer.workflow(&id).await["state"], "Scheduled");
    assert_eq!(customer.status(&id).await["stage"], "HeadedToPickup");
    server.stop().await;
}

#[tokio::test]
async fn the_pace_that_is_wanted_and_the_one_that_is_reached_are_told() {
    let server = Running::start(san_francisco(), lively()).await;
    let operator = server.client();
    let clock = operator
        .control(json!({"state": "running", "speed": 20, "pauseAtTick": 200}))
        .await;
    assert_eq!(clock["speed"], 20.0);
    assert_eq!(clock["state"], "running");

    let number = |clock: &Value, name: &str| clock[name].as_f64().expect("a number");
    let mut fastest = 0.0_f64;
    let mut ticks = operator.ticks();
    while *ticks.borrow_and_update() < 200 {
        let clock = operator.simulation().await;
        assert!(number(&clock, "tickSlipMs") >= 0.0, "{clock}");
        fastest = fastest.max(number(&clock, "realTimeFactor"));
        ticks.changed().await.expect("the server is there");
    }
    // How much slower than wanted is the machine's affair; after a delay it catches up.
    assert!(fastest > 0.0 && fastest < 200.0, "{fastest}");

    let clock = operator.paused_at(200).await;
    assert_eq!(number(&clock, "tickSlipMs"), 0.0, "nothing is late while paused");
    assert_eq!(number(&clock, "realTimeFactor"), 0.0);
    let clock = operator.control(json!({"speed": "max"})).await;
    assert_eq!(clock["speed"], "max");
    server.stop().await;
}
