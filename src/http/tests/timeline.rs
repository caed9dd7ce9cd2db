//! A recording at a glance, and what the clock says of it.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::Door;
use super::documents::check;
use crate::auth::{Mode, Role};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::UnknownPlaces;
use crate::view::Excerpt;
use crate::view::timeline::{Mark, MarkKind, Marked, Timeline};

fn at(seconds: u64) -> SimTime {
    SimTime(seconds * 1_000_000)
}

/// A door to a minute of a recording, half of which has been read.
fn recorded(mode: Mode) -> (Door, Arc<Timeline>) {
    let door = Door::guarded(UnknownPlaces::Refuse, mode, &[]);
    let timeline = Arc::new(Timeline::new(at(0), at(60)));
    let mark = |seconds, kind, what: &str, of, with: Option<&str>| Mark {
        at: at(seconds),
        kind,
        what: what.to_owned(),
        of,
        with: with.map(str::to_owned),
    };
    let drone = || Marked::Drone("d-1".to_owned());
    let marks = [
        mark(12, MarkKind::Loss, "separation", drone(), Some("d-2")),
        mark(20, MarkKind::Fault, "rotor_out", drone(), None),
    ];
    timeline.gather(at(30), [at(5), at(29)], marks);
    door.view.set_playback();
    door.view.set_timeline(Arc::clone(&timeline));
    door.view.set_excerpt(Excerpt {
        from: at(0),
        to: at(60),
        is_loop: true,
        frame_period: SimDuration(500_000),
    });
    (door, timeline)
}

#[test]
fn a_recording_is_seen_at_a_glance_while_it_is_still_being_read() {
    let (door, timeline) = recorded(Mode::Open);
    let glance = door.get("/api/timeline?buckets=4");
    assert_eq!(
        glance.json(),
        json!({
            "from": "2026-06-01T18:00:00.000Z", "to": "2026-06-01T18:01:00.000Z",
            "buckets": [1, 1, 0, 0],
            "marks": [
                {"at": "2026-06-01T18:00:12.000Z", "kind": "loss", "what": "separation", "of": "drone", "id": "d-1", "with": "d-2"},
                {"at": "2026-06-01T18:00:20.000Z", "kind": "fault", "what": "rotor_out", "of": "drone", "id": "d-1"},
            ],
            "unmarked": 0,
            "gathered": "2026-06-01T18:00:30.000Z",
        })
    );
    let failed = Mark {
        at: at(59),
        kind: MarkKind::Failure,
        what: "drone_lost".to_owned(),
        of: Marked::Delivery("0192".to_owned()),
        with: None,
    };
    timeline.gather(at(60), [at(60)], [failed]);
    timeline.finish();
    let whole = door.get("/api/timeline");
    let document = door.get("/openapi.json").json();
    for answer in [&glance, &whole] {
        check(&document, "get", "/api/timeline", answer);
    }
    let whole = whole.json();
    assert_eq!(whole["gathered"], json!(null));
    assert_eq!(whole["buckets"].as_array().unwrap().len(), 240);
    assert_eq!(whole["buckets"][239], 1);
    assert_eq!(whole["marks"][2]["of"], "delivery");
}

#[test]
fn the_clock_of_a_recording_says_what_of_it_is_played() {
    let (door, _) = recorded(Mode::Open);
    let clock = door.get("/api/simulation");
    check(
        &door.get("/openapi.json").json(),
        "get",
        "/api/simulation",
        &clock,
    );
    assert_eq!(
        clock.json()["playback"],
        json!({"from": "2026-06-01T18:00:00.000Z", "to": "2026-06-01T18:01:00.000Z", "loop": true, "frameSeconds": 0.5})
    );
    let change = door.json(Method::PUT, "/api/simulation", r#"{"loop":1}"#);
    assert_eq!(change.pointers(422), ["/loop"]);
    let change = door.json(Method::PUT, "/api/simulation", r#"{"loop":false,"speed":-2}"#);
    assert_eq!(change.status, StatusCode::OK);
}

#[test]
fn a_live_world_has_no_timeline_and_says_why() {
    let door = Door::open(UnknownPlaces::Refuse);
    let answer = door.get("/api/timeline");
    assert_eq!(answer.pointers(404), [""; 0]);
    check(&door.get("/openapi.json").json(), "get", "/api/timeline", &answer);
    let problem = answer.json();
    assert!(
        problem["detail"].as_str().unwrap().contains("/api/recording"),
        "{problem}"
    );
}

#[test]
fn stretches_are_counted_within_bounds_and_by_operators_alone() {
    let (door, _) = recorded(Mode::Open);
    for buckets in ["0", "2001", "many", "-1"] {
        let answer = door.get(&format!("/api/timeline?buckets={buckets}"));
        assert_eq!(answer.pointers(422), ["?buckets"], "{buckets}");
    }
    let (door, _) = recorded(Mode::Required);
    let customer = door.token(&super::access::viewer(Role::Customer, "ada"));
    let answer = door.get_as(&customer, "/api/timeline");
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
