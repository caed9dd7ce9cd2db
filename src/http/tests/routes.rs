//! The planned route of a drone, from take-off to landing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Door, HUB_AT, START_UNIX_US};
use crate::sim::flight::{self, Errand};
use crate::sim::geo::Point;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;
use crate::sim::world::UnknownPlaces;
use crate::view::Publication;
use crate::view::routes::PlannedRoute;
use crate::wire::time::rfc3339_unix_us;

#[test]
fn a_drone_in_the_air_has_a_route_until_it_lands() {
    let door = Door::open(UnknownPlaces::Refuse);
    let world = Arc::clone(door.view.world());
    let (hub, frame) = (world.hubs[0].at, world.area.frame);
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
    let mission = flight::plan_delivery(&world.models[0], &world.weather, &errand).unwrap();
    let landed = Grounded {
        hub: HubId(0),
        energy_wh: 50.0,
        charging_since: None,
    };
    let route = PlannedRoute::of(&mission.plan, 1.1, &frame);
    let (up, down) = ((DroneId(1), None), (DroneId(1), Some(landed)));
    let publish = |tick, grounded, routes| {
        door.view.publish(Publication {
            tick,
            at: SimTime::from_secs(1.1),
            admitted_through: 0,
            digest: [0; 32],
            events: Vec::new(),
            grounded: vec![grounded],
            airborne: Vec::new(),
            routes,
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
