//! The clock and control over it.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::json;

use super::Door;
use crate::sim::world::UnknownPlaces;
use crate::view::commands::Refusal;

const ROUTE: &str = "/api/simulation";

#[test]
fn the_clock_is_shown_and_controlled() {
    let door = Door::open(UnknownPlaces::Refuse);
    let expected = json!({
        "state": "paused", "speed": 1.0, "tick": 10, "simTime": "2026-06-01T18:00:01.000Z",
        "realTimeFactor": 0.0, "tickSlipMs": 0.0, "digest": "ab".repeat(32), "epoch": "e1",
    });
    assert_eq!(door.get(ROUTE).json(), expected);
    let change = json!({"state": "running", "speed": "max", "pauseAtTick": 500});
    let reply = door.json(Method::PUT, ROUTE, change.to_string());
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["state"], "running");
    assert_eq!(reply.json()["speed"], "max");
    let reply = door.json(Method::PUT, ROUTE, r#"{"speed":0.5,"state":null}"#);
    assert_eq!(reply.json()["speed"], 0.5);
    assert_eq!(reply.json()["state"], "running");
}

#[test]
fn wrong_changes_are_explained() {
    let door = Door::open(UnknownPlaces::Refuse);
    for speed in [json!(0), json!(-1), json!(10_001), json!("fast"), json!([1])] {
        let body = json!({"speed": speed, "state": "stalled", "pauseAtTick": 1.5});
        let reply = door.json(Method::PUT, ROUTE, body.to_string());
        assert_eq!(reply.pointers(422), ["/state", "/speed", "/pauseAtTick"]);
    }
    let misspelt = door.json(Method::PUT, ROUTE, r#"{"sped":2,"a/b":null}"#);
    assert_eq!(misspelt.pointers(422), ["/a~1b", "/sped"]);
    *door.taker.refusal.lock() = Some(Refusal::TickPassed { asked: 1, now: 10 });
    let reply = door.json(Method::PUT, ROUTE, r#"{"pauseAtTick":1}"#);
    assert_eq!(reply.pointers(409), [""; 0]);
}

#[test]
fn steps_are_counted_and_need_a_pause() {
    let door = Door::open(UnknownPlaces::Refuse);
    let step = "/api/simulation/step";
    let bare = door.send(Request::post(step).body(Body::empty()).unwrap());
    assert_eq!(bare.status, StatusCode::OK);
    for body in ["{}", r#"{"ticks":1000000}"#] {
        assert_eq!(
            door.json(Method::POST, step, body).status,
            StatusCode::OK,
            "{body}"
        );
    }
    for ticks in ["0", "1000001", "-1", "\"2\""] {
        let reply = door.json(Method::POST, step, format!("{{\"ticks\":{ticks}}}"));
        assert_eq!(reply.pointers(422), ["/ticks"]);
    }
    *door.taker.refusal.lock() = Some(Refusal::NotPaused);
    assert_eq!(door.json(Method::POST, step, "{}").pointers(409), [""; 0]);
}
