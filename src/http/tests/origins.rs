//! Pages of other servers, and names that somebody pointed at this machine.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use super::access::routes;
use super::{Door, Reply};
use crate::auth::Mode;
use crate::sim::world::UnknownPlaces;

/// A request as a browser sends it.
fn from_page(door: &Door, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    door.send(request.body(Body::empty()).unwrap())
}

#[test]
fn a_page_from_elsewhere_can_neither_read_nor_steer_an_open_server() {
    let door = Door::open(UnknownPlaces::Refuse);
    let foreign = [("origin", "https://evil.example"), ("host", "127.0.0.1:8080")];
    let reply = from_page(&door, Method::POST, "/api/simulation/step", &foreign);
    reply.pointers(403);
    from_page(&door, Method::GET, "/api/drones", &foreign).pointers(403);
    let preflight = [
        foreign[0],
        foreign[1],
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type"),
    ];
    let reply = from_page(&door, Method::OPTIONS, "/api/simulation", &preflight);
    assert_eq!(reply.header("access-control-allow-origin"), "");

    let own = [("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")];
    assert_eq!(
        from_page(&door, Method::GET, "/api/drones", &own).status,
        StatusCode::OK
    );
    let reply = from_page(
        &door,
        Method::GET,
        "/api/drones",
        &[("origin", "http://localhost:5173")],
    );
    assert_eq!(
        reply.header("access-control-allow-origin"),
        "http://localhost:5173"
    );
}

#[test]
fn a_name_that_was_pointed_at_this_machine_is_not_answered() {
    let door = Door::open(UnknownPlaces::Refuse);
    for path in ["/api/drones", "/", "/healthz", "/docs/"] {
        let reply = from_page(&door, Method::GET, path, &[("host", "rebound.example:8080")]);
        reply.pointers(421);
        let reply = from_page(&door, Method::GET, path, &[("host", "localhost:8080")]);
        assert_eq!(reply.status, StatusCode::OK, "{path}");
    }
    let named = Door::guarded(UnknownPlaces::Refuse, Mode::Open, &["https://sky.example"]);
    let reply = from_page(&named, Method::GET, "/api/drones", &[("host", "sky.example")]);
    assert_eq!(reply.status, StatusCode::OK);
}

#[test]
fn pages_of_listed_origins_may_use_the_server_with_a_token() {
    let door = Door::guarded(UnknownPlaces::Refuse, Mode::Required, &["https://sky.example"]);
    let preflight = [
        ("origin", "https://sky.example"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization, content-type, idempotency-key",
        ),
    ];
    let reply = from_page(&door, Method::OPTIONS, "/api/deliveryrequests", &preflight);
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("access-control-allow-origin"), "https://sky.example");
    assert!(
        reply
            .header("access-control-allow-headers")
            .contains("authorization")
    );
    let described: BTreeSet<_> = routes(&door)
        .into_iter()
        .map(|(method, _)| method.to_string())
        .collect();
    let shared = reply.header("access-control-allow-methods").split(',');
    assert_eq!(shared.map(str::to_owned).collect::<BTreeSet<_>>(), described);
    // A page must be able to read why it was refused.
    let reply = from_page(&door, Method::GET, "/api/drones", &preflight[..1]);
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.header("access-control-allow-origin"), "https://sky.example");
}
