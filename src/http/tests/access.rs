//! Attempts to get in at the front door.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::{Door, HUB_AT, Reply, fine_order};
use crate::auth::{Mode, Role, TokenKey, Tokens, Viewer};
use crate::sim::drone::DroneStatus;
use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::SimTime;
use crate::sim::world::UnknownPlaces;
use crate::view::frame::DroneRow;

const FLYING_AT: LatLon = LatLon {
    lat: 37.775,
    lon: -122.401,
};
const FERRY_BUILDING: f64 = 37.7955;

pub(super) fn door() -> Door {
    Door::guarded(UnknownPlaces::Refuse, Mode::Required, &[])
}

pub(super) fn viewer(role: Role, account: &str) -> Viewer {
    Viewer::new(role, Some(account.into()), None, None).unwrap()
}

impl Door {
    pub(super) fn token(&self, viewer: &Viewer) -> String {
        self.guard.tokens.issue(viewer, 600).into_token()
    }

    fn asked(&self, method: Method, path: &str, token: Option<&str>, body: &str) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap())
    }

    pub(super) fn get_as(&self, token: &str, path: &str) -> Reply {
        self.asked(Method::GET, path, Some(token), "")
    }

    fn order_as(&self, token: &str, owner: &str) -> Reply {
        let mut order = fine_order();
        order["ownerId"] = owner.into();
        self.asked(
            Method::POST,
            "/api/deliveryrequests",
            Some(token),
            &order.to_string(),
        )
    }

    pub(super) fn ordered_as(&self, token: &str, owner: &str) -> String {
        let reply = self.order_as(token, owner);
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.json());
        reply.json()["deliveryId"].as_str().unwrap().to_owned()
    }

    /// This came about, and drone 0 flies.
    fn happened(&self, id: &str, kinds: Vec<DeliveryEvent>) {
        self.publish(id, kinds, vec![flying(DroneId(0))]);
    }
}

pub(super) fn flying(drone: DroneId) -> DroneRow {
    DroneRow {
        drone,
        status: DroneStatus::Cruising,
        at: FLYING_AT,
        height_m: 75.0,
        heading_deg: 0.0,
        ground_speed_mps: 15.0,
        vertical_speed_mps: 0.0,
        battery: 0.5,
        payload_kg: 0.0,
    }
}

fn etas() -> Etas {
    Etas {
        pickup: SimTime::from_secs(60.0),
        delivery: SimTime::from_secs(600.0),
    }
}

pub(super) fn assigned() -> Vec<DeliveryEvent> {
    let drone = DroneId(0);
    vec![
        DeliveryEvent::Assigned { drone, etas: etas() },
        DeliveryEvent::HeadedToPickup { etas: etas() },
    ]
}

pub(super) fn picked_up() -> Vec<DeliveryEvent> {
    vec![
        DeliveryEvent::PickedUp { location: HUB_AT },
        DeliveryEvent::HeadedToDropoff { etas: etas() },
    ]
}

pub(super) fn dropped_off() -> Vec<DeliveryEvent> {
    vec![DeliveryEvent::Completed { location: HUB_AT }]
}

/// Every route that the document describes, ids filled in with ones that exist nowhere.
pub(super) fn routes(door: &Door) -> Vec<(Method, String)> {
    let document = door.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, methods)| {
        let path = path.replace("{id}", "d-0");
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    routes.collect()
}

#[test]
fn who_shows_nothing_gets_nothing_but_what_is_for_everybody() {
    let door = door();
    let open = ["/", "/healthz", "/readyz", "/openapi.json", "/asyncapi.json"];
    for (method, path) in routes(&door) {
        let reply = door.asked(method.clone(), &path, None, "{}");
        if open.contains(&path.as_str()) {
            assert_eq!(reply.status, StatusCode::OK, "{method} {path}");
        } else {
            assert_eq!(reply.pointers(401), Vec::<String>::new(), "{method} {path}");
            assert_eq!(reply.header("www-authenticate"), "Bearer", "{method} {path}");
        }
    }
    for path in open
        .into_iter()
        .filter(|path| *path != "/asyncapi.json")
        .chain(["/docs/"])
    {
        assert_eq!(door.get(path).status, StatusCode::OK, "{path}");
    }
    let cases = [
        "/api/deliveries/",
        "/api/nowhere",
        "/api/drones.geojson?bbox=nonsense",
    ];
    for path in cases {
        assert_eq!(door.get(path).status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

/// Routes that tell a customer something; all others are for operators.
const FOR_CUSTOMERS: [&str; 25] = [
    "/api/deliveries",
    "/api/deliveries/d-0",
    "/api/deliveries/d-0/confirmations",
    "/api/deliveries/d-0/notifymerequests",
    "/api/deliveries/d-0/owner",
    "/api/deliveries/d-0/status",
    "/api/deliveries/public/d-0",
    "/api/deliveries/summary",
    "/api/deliveryhistory",
    "/api/deliveryhistory/d-0",
    "/api/deliveryrequests",
    "/api/deliveryrequests/d-0",
    "/api/dronedeliveries/utilization",
    "/api/dronedeliveries/{deliveryId}",
    "/api/drones",
    "/api/drones.geojson",
    "/api/drones/d-0",
    "/api/drones/d-0/route",
    "/api/hubs",
    "/api/hubs/d-0",
    "/api/packages/summary",
    "/api/packages/{packageId}",
    "/api/probe",
    "/api/thirdpartydeliveries/{deliveryId}",
    "/api/zones",
];

#[test]
fn a_customer_is_refused_every_route_that_is_not_for_customers() {
    let door = door();
    let token = door.token(&viewer(Role::Customer, "ada"));
    for (method, path) in routes(&door) {
        let for_all = !path.starts_with("/api/") && path != "/metrics"
            || method == Method::GET
                && ["/api/simulation", "/api/world", "/api/stream"].contains(&path.as_str());
        if !for_all && !FOR_CUSTOMERS.contains(&path.as_str()) {
            let reply = door.asked(method.clone(), &path, Some(&token), "{}");
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
    for (method, path) in [
        (Method::PUT, "/api/simulation"),
        (Method::POST, "/api/simulation/step"),
        (Method::POST, "/api/tokens"),
        (Method::POST, "/api/drones"),
        (Method::DELETE, "/api/drones/d-0"),
        (Method::POST, "/api/hubs"),
        (Method::DELETE, "/api/hubs/mission"),
        (Method::GET, "/metrics"),
    ] {
        let reply = door.asked(method, path, Some(&token), "{}");
        reply.pointers(403);
    }
    assert!(door.taker.orders.lock().is_empty());
}

#[test]
fn tokens_that_are_no_good_are_refused_on_an_open_server_too() {
    for mode in [Mode::Open, Mode::Required] {
        let door = Door::guarded(UnknownPlaces::Refuse, mode, &[]);
        let operator = Viewer::anyone();
        let elsewhere = Tokens::new(TokenKey::of_this_process().unwrap());
        let unsigned = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IiLCJleHAiOjk5OTk5OTk5OTl9.";
        let expired = door.guard.tokens.issue(&operator, 0).into_token();
        let foreign = elsewhere.issue(&operator, 600).into_token();
        for token in [unsigned, &expired, &foreign, "", "a.b.c"] {
            let reply = door.get_as(token, "/api/simulation");
            reply.pointers(401);
            assert_eq!(reply.header("www-authenticate"), "Bearer error=\"invalid_token\"");
            let text = String::from_utf8(reply.body).unwrap();
            assert!(token.is_empty() || !text.contains(token), "{text}");
        }
        assert_eq!(door.get_as("a.b.c", "/healthz").status, StatusCode::OK);
        let token = door.token(&operator);
        assert_eq!(door.get_as(&token, "/metrics").status, StatusCode::OK);
    }
}

#[test]
fn businesses_and_customers_order_for_their_own_account_only() {
    let door = door();
    for role in [Role::Business, Role::Customer] {
        let token = door.token(&viewer(role, "cafe"));
        door.order_as(&token, "bakery").pointers(403);
        door.ordered_as(&token, "cafe");
    }
    let link = Viewer::new(
        Role::Customer,
        Some("cafe".into()),
        None,
        Some(DeliveryId::new(1, [1; 10])),
    );
    let link = door.token(&link.unwrap());
    door.order_as(&link, "cafe").pointers(403);
    let operator = door.token(&Viewer::anyone());
    door.ordered_as(&operator, "anybody");
    let owners: Vec<_> = door
        .taker
        .orders
        .lock()
        .iter()
        .map(|(order, _)| order.owner.account.clone())
        .collect();
    assert_eq!(owners, ["cafe", "cafe", "anybody"]);
}

#[test]
fn an_order_carries_the_user_that_the_token_names() {
    let door = door();
    let user = Viewer::new(Role::Business, Some("cafe".into()), Some("barista".into()), None);
    let token = door.token(&user.unwrap());
    let id = door.ordered_as(&token, "cafe");
    let owner = door.get_as(&token, &format!("/api/deliveries/{id}/owner")).json();
    assert_eq!(owner, json!({"userId": "barista", "accountId": "cafe"}));
    let plain = door.token(&viewer(Role::Business, "cafe"));
    let id = door.ordered_as(&plain, "cafe");
    let owner = door.get_as(&plain, &format!("/api/deliveries/{id}/owner")).json();
    assert_eq!(owner, json!({"userId": "cafe", "accountId": "cafe"}));
}

#[test]
fn idempotency_keys_are_each_accounts_own() {
    let door = door();
    let keyed = |account: &str| {
        let token = door.token(&viewer(Role::Business, account));
        let mut order = fine_order();
        order["ownerId"] = account.into();
        let request = Request::post("/api/deliveryrequests")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", "first");
        let reply = door.send(request.body(Body::from(order.to_string())).unwrap());
        assert_eq!(reply.status, StatusCode::ACCEPTED);
    };
    keyed("cafe");
    keyed("bakery");
    let keys: Vec<_> = door
        .taker
        .orders
        .lock()
        .iter()
        .map(|(_, key)| key.clone().unwrap())
        .collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn anothers_delivery_is_forbidden_and_an_unknown_one_unknown() {
    let door = door();
    let cafe = door.token(&viewer(Role::Business, "cafe"));
    let bakery = door.token(&viewer(Role::Business, "bakery"));
    let id = door.ordered_as(&cafe, "cafe");
    let other = door.ordered_as(&bakery, "bakery");
    let link = Viewer::new(
        Role::Customer,
        Some("cafe".into()),
        None,
        Some(id.parse().unwrap()),
    );
    let link = door.token(&link.unwrap());
    let second = door.ordered_as(&cafe, "cafe");
    let unknown = DeliveryId::new(1, [9; 10]).to_string();
    for path in [
        "/api/deliveries/{id}",
        "/api/deliveries/public/{id}",
        "/api/deliveries/{id}/owner",
        "/api/deliveries/{id}/status",
        "/api/deliveryrequests/{id}",
    ] {
        let status = |token: &str, id: &str| door.get_as(token, &path.replace("{id}", id)).status.as_u16();
        assert_eq!(status(&cafe, &id), 200, "{path}");
        assert_eq!(status(&bakery, &id), 403, "{path}");
        assert_eq!(status(&cafe, &other), 403, "{path}");
        assert_eq!(status(&cafe, &unknown), 404, "{path}");
        assert_eq!(status(&link, &id), 200, "{path}");
        assert_eq!(status(&link, &second), 403, "{path}");
        assert_eq!(status(&link, &unknown), 404, "{path}");
    }
    let listed = |token: &str, query: &str| -> Vec<String> {
        let reply = door.get_as(token, &format!("/api/deliveries{query}"));
        assert_eq!(reply.status, StatusCode::OK);
        let items = reply.json()["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(listed(&cafe, ""), [id.clone(), second.clone()]);
    assert_eq!(listed(&cafe, "?ownerId=cafe&limit=1"), [id.as_str()]);
    assert_eq!(listed(&bakery, ""), [other]);
    assert_eq!(listed(&link, ""), [id.as_str()]);
    assert_eq!(listed(&link, "?stage=Completed"), Vec::<String>::new());
    assert_eq!(listed(&door.token(&Viewer::anyone()), "").len(), 3);
    door.get_as(&cafe, "/api/deliveries?ownerId=bakery").pointers(403);
    door.get_as(&cafe, "/api/deliveries?ownerId=nobody").pointers(403);
}

#[test]
fn a_drone_is_seen_by_those_whose_delivery_it_is_on_while_it_is() {
    let door = door();
    let business = door.token(&viewer(Role::Business, "cafe"));
    let customer = door.token(&viewer(Role::Customer, "cafe"));
    let stranger = door.token(&viewer(Role::Business, "bakery"));
    let operator = door.token(&Viewer::anyone());
    let id = door.ordered_as(&customer, "cafe");
    let seen = |token: &str| -> bool {
        let one = door.get_as(token, "/api/drones/d-0").status;
        let ids = |path: &str, key: &str| -> Vec<Value> {
            let items = door.get_as(token, path).json()[key].as_array().unwrap().clone();
            items.iter().map(|item| item["id"].clone()).collect()
        };
        let listed = ids("/api/drones", "items").contains(&json!("d-0"));
        assert_eq!(
            ids("/api/drones.geojson", "features").contains(&json!("d-0")),
            listed
        );
        assert_eq!(
            one,
            if listed {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            }
        );
        listed
    };
    let place = |token: &str| {
        let status = door.get_as(token, &format!("/api/deliveries/{id}/status")).json();
        status["lastKnownLocation"]["latitude"].as_f64().unwrap()
    };
    let by_all = || [&business, &customer, &stranger, &operator].map(|token| seen(token));

    assert_eq!(by_all(), [false, false, false, true], "before it is assigned");
    door.happened(&id, assigned());
    assert_eq!(by_all(), [true, false, false, true], "on the way to the pick-up");
    assert_eq!(
        (place(&business), place(&customer)),
        (FLYING_AT.lat, FERRY_BUILDING)
    );
    door.happened(&id, picked_up());
    assert_eq!(by_all(), [true, true, false, true], "from pick-up on");
    assert_eq!(
        (place(&business), place(&customer)),
        (FLYING_AT.lat, FLYING_AT.lat)
    );
    door.happened(&id, dropped_off());
    assert_eq!(by_all(), [false, false, false, true], "after drop-off");
    assert_eq!(
        door.get_as(&customer, "/api/drones/d-999").status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        door.get_as(&customer, "/api/drones/d-1").status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        door.get_as(&operator, "/api/drones").json()["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn what_stands_and_waits_at_a_hub_is_the_operators_business() {
    let door = door();
    for (who, gauges) in [
        (Viewer::anyone(), json!([0, 0, 2])),
        (viewer(Role::Business, "cafe"), json!([null, null, null])),
        (viewer(Role::Customer, "cafe"), json!([null, null, null])),
    ] {
        let hub = &door.get_as(&door.token(&who), "/api/hubs").json()["items"][0];
        let shown = json!([hub["charging"], hub["queued"], hub["parked"]]);
        assert_eq!(shown, gauges, "{who:?}");
        assert_eq!((&hub["pads"], &hub["chargers"]), (&json!(2), &json!(2)));
    }
}

#[test]
fn a_customers_link_on_an_open_server_shows_that_delivery_only() {
    let door = Door::open(UnknownPlaces::Refuse);
    let (id, other) = (door.accepted(), door.accepted());
    let asked = json!({"role": "customer", "account": "ada", "delivery": id, "ttl": "2h"});
    let reply = door.json(Method::POST, "/api/tokens", asked.to_string());
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.header("cache-control"), "no-store");
    let body = reply.json();
    let token = body["token"].as_str().unwrap();
    assert!(body["expires"].as_str().unwrap().ends_with('Z'));
    assert_eq!(
        door.get(&format!("/api/deliveries/{other}")).status,
        StatusCode::OK
    );
    assert_eq!(
        door.get_as(token, &format!("/api/deliveries/{id}")).status,
        StatusCode::OK
    );
    assert_eq!(
        door.get_as(token, &format!("/api/deliveries/{other}")).status,
        StatusCode::FORBIDDEN
    );
    door.asked(Method::POST, "/api/tokens", Some(token), &asked.to_string())
        .pointers(403);
}

#[test]
fn only_sensible_tokens_are_handed_out() {
    let door = Door::open(UnknownPlaces::Refuse);
    let id = door.accepted();
    let unknown = DeliveryId::new(1, [9; 10]).to_string();
    for (asked, pointers) in [
        (json!({}), &["/role", "/account"][..]),
        (json!({"role": "operator", "account": "ada"}), &["/role"]),
        (json!({"role": "customer", "account": ""}), &["/account"]),
        (
            json!({"role": "customer", "account": "ada", "ttl": "25h"}),
            &["/ttl"],
        ),
        (
            json!({"role": "customer", "account": "ada", "ttl": "1ms"}),
            &["/ttl"],
        ),
        (
            json!({"role": "customer", "account": "ada", "ttl": 60}),
            &["/ttl"],
        ),
        (
            json!({"role": "customer", "account": "ada", "delivery": unknown}),
            &["/delivery"],
        ),
        (
            json!({"role": "customer", "account": "eve", "delivery": id}),
            &["/delivery"],
        ),
        (
            json!({"role": "business", "account": "ada", "delivery": id}),
            &["/role"],
        ),
    ] {
        let reply = door.json(Method::POST, "/api/tokens", asked.to_string());
        assert_eq!(reply.pointers(422), pointers, "{asked}");
    }
}
