//! `--rate-limit`: each client has its own share, and hears when there is more of it.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;

use super::access::viewer;
use super::{Door, Reply};
use crate::auth::{Mode, Role, Viewer};
use crate::sim::world::UnknownPlaces;

/// One, and then one in an hour: no test is so slow that there are more.
const PER_HOUR: f64 = 1.0 / 3_600.0;

fn door(mode: Mode) -> Door {
    Door::limited(UnknownPlaces::Refuse, mode, PER_HOUR)
}

impl Door {
    fn ask(&self, path: &str, from: &str, token: Option<&str>) -> Reply {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let from: SocketAddr = from.parse().unwrap();
        self.send(request.extension(ConnectInfo(from)).body(Body::empty()).unwrap())
    }
}

#[test]
fn each_address_has_a_share_of_its_own() {
    let door = door(Mode::Open);
    let (here, there) = ("192.0.2.1:1000", "192.0.2.2:1000");
    assert_eq!(door.ask("/api/drones", here, None).status, 200);
    let refused = door.ask("/api/simulation", "192.0.2.1:2000", None);
    assert_eq!(refused.pointers(429), Vec::<String>::new());
    assert_eq!(refused.json()["type"], "urn:skyhaul:problem:too-many-requests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((3_000..=3_600).contains(&wait), "{wait}");
    assert_eq!(door.ask("/api/drones", there, None).status, 200);
    assert_eq!(door.ask("/metrics", there, None).status, 429);
    assert_eq!(door.ask("/ws", there, None).status, 429);
    for path in ["/healthz", "/readyz", "/openapi.json", "/"] {
        assert_eq!(door.ask(path, here, None).status, 200, "{path}");
    }
}

#[test]
fn each_account_has_a_share_wherever_it_asks_from() {
    let door = door(Mode::Required);
    let business = door.token(&viewer(Role::Business, "cafe"));
    let customer = door.token(&viewer(Role::Customer, "cafe"));
    let other = door.token(&viewer(Role::Business, "bakery"));
    let operator = door.token(&Viewer::anyone());
    let ask = |from, token: &str| door.ask("/api/drones", from, Some(token)).status.as_u16();
    assert_eq!(ask("192.0.2.1:1", &business), 200);
    assert_eq!(ask("192.0.2.2:1", &customer), 429);
    assert_eq!(ask("192.0.2.1:1", &other), 200);
    assert_eq!(ask("192.0.2.1:1", &operator), 200);
    // Whose token is no good is an address like any other.
    assert_eq!(ask("192.0.2.3:1", "made.up.token"), 401);
    assert_eq!(ask("192.0.2.3:1", "made.up.again"), 429);
    assert_eq!(door.ask("/api/drones", "192.0.2.3:2", None).status, 429);
    assert_eq!(ask("192.0.2.3:1", &business), 429);
}
