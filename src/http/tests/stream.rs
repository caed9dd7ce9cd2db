//! Asking for server-sent events: what the window is asked, and what a mistake is answered.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::Door;
use crate::auth::{Mode, Role, Viewer};
use crate::sim::geo::BoundingBox;
use crate::sim::ids::DroneId;
use crate::sim::world::UnknownPlaces;
use crate::wire::stream::ErrorCode;
use crate::wire::stream::client::{Refused, Topic};
use crate::ws::NoStream;

fn door() -> Door {
    Door::open(UnknownPlaces::Refuse)
}

#[test]
fn the_window_is_asked_for_the_topics_in_their_order() {
    let door = door();
    let path = "/api/stream/?topic=drone/d-2&topic=area&bbox=-122.5,37.7,-122.4,37.8&topic=hub%2Fa%20b\
                &topic=fleet&maxHz=2.5&colour=red";
    let request = Request::get(path).header("last-event-id", "e1.4.-.-.-");
    let reply = door.send(request.body(Body::empty()).unwrap());
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-accel-buffering"), "no");
    let wish = door.taker.wishes.lock().pop().unwrap();
    let bounds = BoundingBox {
        west: -122.5,
        south: 37.7,
        east: -122.4,
        north: 37.8,
    };
    assert_eq!(
        wish.topics,
        [
            Topic::Drone(DroneId(2)),
            Topic::Area(bounds),
            Topic::Hub("a b".into()),
            Topic::Fleet
        ]
    );
    assert_eq!(wish.max_hz, Some(2.5));
    assert_eq!(wish.last_event_id.as_deref(), Some("e1.4.-.-.-"));
    assert_eq!((wish.grant.viewer, wish.grant.expires), (Viewer::anyone(), None));
}

#[test]
fn every_wrong_parameter_is_named() {
    for (query, pointers) in [
        ("", vec!["?topic"]),
        ("?topic=", vec!["?topic"]),
        ("?topic=weather&topic=drone", vec!["?topic", "?topic"]),
        ("?topic=area", vec!["?bbox"]),
        ("?topic=area&topic=fleet&bbox=1,2,3", vec!["?bbox"]),
        ("?topic=area&topic=sky&maxHz=0", vec!["?maxHz", "?bbox", "?topic"]),
        ("?topic=fleet&maxHz=fast", vec!["?maxHz"]),
        ("?topic=fleet&maxHz=NaN", vec!["?maxHz"]),
        ("?topic=fleet&maxHz=inf", vec!["?maxHz"]),
        ("?topic=%ff", vec!["?topic"]),
    ] {
        let door = door();
        let reply = door.get(&format!("/api/stream{query}"));
        assert_eq!(reply.pointers(422), pointers, "{query}: {}", reply.json());
        assert!(door.taker.wishes.lock().is_empty(), "{query}");
    }
}

#[test]
fn what_the_window_refuses_has_the_status_that_it_has_everywhere() {
    let refused = |id: u64, code| NoStream::Refused(Refused::new(id, code, "twice"));
    for (no_stream, status, slug) in [
        (refused(1, ErrorCode::NotFound), 404, "unknown-id"),
        (refused(2, ErrorCode::Forbidden), 403, "forbidden"),
        (refused(2, ErrorCode::DuplicateTopic), 422, "wrong-fields"),
        (refused(65, ErrorCode::TooMany), 422, "wrong-fields"),
        (NoStream::Full, 503, "not-ready"),
        (NoStream::ShuttingDown, 503, "shutting-down"),
    ] {
        let door = door();
        *door.taker.no_stream.lock() = Some(no_stream.clone());
        let reply = door.get("/api/stream?topic=drone/d-1&topic=events");
        let pointers = reply.pointers(status);
        assert_eq!(
            reply.json()["type"],
            format!("urn:skyhaul:problem:{slug}"),
            "{no_stream}"
        );
        assert_eq!(pointers.len(), usize::from(status == 422), "{no_stream}");
        assert_eq!(
            reply.header("retry-after").is_empty(),
            status != 503,
            "{no_stream}"
        );
    }
    // An id that nothing can have is one that nothing has.
    for path in ["drone/x", "delivery/7", "drone/", "delivery/d-1"] {
        let door = door();
        door.get(&format!("/api/stream?topic=fleet&topic={path}"))
            .pointers(404);
        assert!(door.taker.wishes.lock().is_empty(), "{path}");
    }
}

#[test]
fn who_has_no_token_gets_no_stream() {
    let door = Door::guarded(UnknownPlaces::Refuse, Mode::Required, &[]);
    assert_eq!(door.get("/api/stream?topic=fleet").status, 401);
    let viewer = Viewer::new(Role::Customer, Some("ada".into()), None, None).unwrap();
    let issued = door.guard.tokens.issue(&viewer, 600);
    let expires = issued.expires;
    let request = Request::get("/api/stream?topic=fleet");
    let request = request.header("authorization", format!("Bearer {}", issued.into_token()));
    assert_eq!(door.send(request.body(Body::empty()).unwrap()).status, 200);
    let wish = door.taker.wishes.lock().pop().unwrap();
    assert_eq!((wish.grant.viewer, wish.grant.expires), (viewer, Some(expires)));
}

#[test]
fn pages_from_elsewhere_get_no_stream() {
    let door = door();
    for (name, value, status) in [
        ("origin", "https://example.com", 403),
        ("host", "rebound.example", 421),
    ] {
        let request = Request::get("/api/stream?topic=fleet").header(name, value);
        door.send(request.body(Body::empty()).unwrap()).pointers(status);
    }
    let request = Request::get("/api/stream?topic=fleet").header("origin", "http://localhost:5173");
    let reply = door.send(request.body(Body::empty()).unwrap());
    assert_eq!(
        reply.header("access-control-allow-origin"),
        "http://localhost:5173"
    );
    assert_eq!(door.taker.wishes.lock().len(), 1);
}
