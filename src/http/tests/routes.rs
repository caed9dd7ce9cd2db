//! The planned route of a drone, from take-off to landing.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::access::{assigned, door, dropped_off, flying, picked_up, viewer};
use super::{Door, HUB_AT, START_UNIX_US};
use crate::auth::{Role, Viewer};
use crate::sim::flight::{self, Errand, Mission};
use crate::sim::geo::Point;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;
use crate::sim::world::UnknownPlaces;
use crate::view::Publication;
use crate::view::routes::PlannedRoute;
use crate::wire::time::{rfc3339, rfc3339_unix_us};

fn mission(door: &Door) -> Mission {
    let world = &door.view.world();
    let hub = world.hubs[0].at;
    let at = |x, y| Point {
        x: hub.x + x,
        y: hub.y + y,
    };
    let errand = Errand {
        hub,
        pickup: at(0.0, 900.0),
        dropoff: at(700.0, 900.0),
        home: hub,
        payload_kg: 0.2,
    };
    flight::plan_delivery(&world.models[0], &world.air(SimTime::START), &errand).unwrap()
}

#[test]
fn a_drone_in_the_air_has_a_route_until_it_lands() {
    let door = Door::open(UnknownPlaces::Refuse);
    let mission = mission(&door);
    let frame = door.view.world().area.frame;
    let landed = Grounded {
        hub: HubId(0),
        energy_wh: 50.0,
        charging_since: None,
    };
    let route = PlannedRoute::of(&mission.plan, 1.1, &frame);
    let (up, down) = ((DroneId(1), None), (DroneId(1), Some(landed)));
    let publish = |tick, grounded, routes| {
        door.view.publish(Publication {
            lost_with: Vec::new(),
            world: door.view.world().clone(),
            tick,
            at: SimTime::from_secs(1.1),
            digest: [0; 32],
            events: Vec::new(),
            grounded: vec![grounded],
            airborne: Vec::new(),
            healths: Vec::new(),
            routes,
            kept: None,
        });
    };
    publish(11, up, vec![(DroneId(1), route)]);
    let answer = door.get("/api/drones/d-1/route");
    assert_eq!(answer.header("content-type"), "application/geo+json");
    let shown = answer.json();
    assert_eq!(
        (&shown["droneId"], &shown["deliveryId"]),
        (&json!("d-1"), &json!(null))
    );
    let features = shown["features"].as_array().unwrap();
    let names: Vec<_> = features
        .iter()
        .map(|feature| {
            let properties = &feature["properties"];
            let name = properties.get("wayPoint").unwrap_or(&properties["leg"]);
            (
                feature["geometry"]["type"].as_str().unwrap(),
                name.as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("LineString", "toPickup"),
        ("LineString", "toDropoff"),
        ("LineString", "home"),
        ("Point", "pickup"),
        ("Point", "dropoff"),
        ("Point", "landing"),
    ];
    assert_eq!(names, expected);
    let after = |seconds: f64| rfc3339_unix_us(START_UNIX_US + (seconds * 1e6).round() as i64);
    assert_eq!(features[4]["properties"]["time"], after(1.1 + mission.delivery_s));
    assert_eq!(
        features[5]["geometry"]["coordinates"],
        json!([HUB_AT.lon, HUB_AT.lat, 0.0])
    );
    let (first, second) = (&features[0], &features[1]);
    let line = |feature: &Value| feature["geometry"]["coordinates"].as_array().unwrap().clone();
    assert_eq!(
        line(first).last(),
        line(second).first(),
        "each begins where the one before it ends"
    );
    assert_eq!(
        line(first).len(),
        first["properties"]["times"].as_array().unwrap().len()
    );
    assert_eq!(first["properties"]["times"][0], after(1.1));

    publish(12, down, Vec::new());
    for (path, kind) in [
        ("d-1", "not-in-the-air"),
        ("d-0", "not-in-the-air"),
        ("d-99", "unknown-id"),
    ] {
        let answer = door.get(&format!("/api/drones/{path}/route"));
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["type"], format!("urn:skyhaul:problem:{kind}"));
    }
}

#[test]
fn a_route_is_shown_as_far_as_its_drone_may_be_seen_on_it() {
    let door = door();
    let business = door.token(&viewer(Role::Business, "cafe"));
    let customer = door.token(&viewer(Role::Customer, "cafe"));
    let stranger = door.token(&viewer(Role::Business, "bakery"));
    let operator = door.token(&Viewer::anyone());
    let id = door.ordered_as(&customer, "cafe");
    let frame = door.view.world().area.frame;
    let route = PlannedRoute::of(&mission(&door).plan, 1.1, &frame);
    let routes = vec![(DroneId(0), route)];
    // The legs and way-points that a token shows.
    let seen = |token: &str| {
        let answer = door.get_as(token, "/api/drones/d-0/route");
        if answer.status == StatusCode::FORBIDDEN {
            return "forbidden".to_owned();
        }
        let shown = answer.json();
        let features = shown["features"].as_array().unwrap().iter();
        let names = features.map(|feature| {
            let properties = &feature["properties"];
            let name = properties.get("wayPoint").unwrap_or(&properties["leg"]);
            name.as_str().unwrap().to_owned()
        });
        names.collect::<Vec<_>>().join(" ")
    };
    let by_all = || [&business, &customer, &stranger, &operator].map(|token| seen(token));
    let whole = "toPickup toDropoff home pickup dropoff landing";
    let to_dropoff = "toPickup toDropoff pickup dropoff";

    door.publish_routes(&id, assigned(), vec![flying(DroneId(0))], routes);
    assert_eq!(
        by_all(),
        [to_dropoff, "forbidden", "forbidden", whole],
        "before the pick-up"
    );
    door.publish(&id, picked_up(), vec![flying(DroneId(0))]);
    assert_eq!(
        by_all(),
        [to_dropoff, "toDropoff dropoff", "forbidden", whole],
        "with the package"
    );
    let shown = door.get_as(&customer, "/api/drones/d-0/route").json();
    let first_time = &shown["features"][0]["properties"]["times"][0];
    let told = SimTime::from_secs(60.0);
    assert_eq!(
        *first_time,
        rfc3339(&door.view.world(), told),
        "as the status says"
    );
    door.publish(&id, dropped_off(), vec![flying(DroneId(0))]);
    assert_eq!(
        by_all(),
        ["forbidden", "forbidden", "forbidden", whole],
        "on the way home"
    );
}
