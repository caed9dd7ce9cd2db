//! Deliveries, drones, hubs and zones as they are looked up; and what is not there.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Door, START_UNIX_US};
use crate::sim::drone::DroneStatus;
use crate::sim::event::{DeliveryEvent, Etas, Event, Happening};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;
use crate::sim::workflow::{FailureReason, Step, WaitingFor};
use crate::sim::world::UnknownPlaces;
use crate::view::Publication;
use crate::view::frame::DroneRow;
use crate::view::reading::{Pace, RunState};
use crate::view::routes::PlannedRoute;
use crate::wire::time::rfc3339_unix_us;

impl Door {
    /// Tells the view of the first events of a delivery, and where its drone is.
    pub(super) fn publish(&self, id: &str, events: Vec<DeliveryEvent>, airborne: Vec<DroneRow>) {
        self.publish_routes(id, events, airborne, Vec::new());
    }

    /// The same, with routes that were planned.
    pub(super) fn publish_routes(
        &self,
        id: &str,
        events: Vec<DeliveryEvent>,
        airborne: Vec<DroneRow>,
        routes: Vec<(DroneId, PlannedRoute)>,
    ) {
        let id: DeliveryId = id.parse().unwrap();
        let event = |(index, kind)| {
            Arc::new(Event {
                at: SimTime::START,
                seq: index as u32 + 1,
                happening: Happening::Delivery(id, kind),
            })
        };
        self.view.publish(Publication {
            lost_with: Vec::new(),
            world: Arc::clone(&self.view.world()),
            tick: 11,
            at: SimTime::from_secs(1.1),
            digest: [0xcd; 32],
            events: events.into_iter().enumerate().map(event).collect(),
            grounded: airborne.iter().map(|row| (row.drone, None)).collect(),
            airborne,
            healths: Vec::new(),
            routes,
            kept: None,
        });
    }

    fn admitted(&self) -> DeliveryEvent {
        let order = Arc::new(self.taker.orders.lock()[0].0.clone());
        DeliveryEvent::Accepted { order }
    }
}

fn cruising(drone: DroneId) -> DroneRow {
    DroneRow {
        drone,
        status: DroneStatus::Cruising,
        at: LatLon {
            lat: 37.77,
            lon: -122.4,
        },
        height_m: 75.0,
        heading_deg: 271.0,
        ground_speed_mps: 14.2,
        vertical_speed_mps: 0.0,
        battery: 0.83,
        payload_kg: 0.0,
    }
}

#[test]
fn a_delivery_is_shown_from_acceptance_on() {
    let door = Door::open(UnknownPlaces::Refuse);
    let id = door.accepted();
    let shown = door.get(&format!("/api/deliveries/{id}")).json();
    let expected = json!({
        "id": id,
        "owner": {"userId": "ada", "accountId": "ada"},
        "pickup": {"altitude": 0.0, "latitude": 37.7955, "longitude": -122.3937},
        "dropoff": {"altitude": 5.0, "latitude": 37.76, "longitude": -122.42},
        "deadline": "", "expedited": false, "confirmationRequired": "None",
        "droneId": null, "carrier": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(
        door.get(&format!("/api/deliveries/public/{id}/")).json(),
        expected
    );
    let owner = door.get(&format!("/api/deliveries/{id}/owner")).json();
    assert_eq!(owner, expected["owner"]);
    let status = door.get(&format!("/api/deliveries/{id}/status")).json();
    let expected = json!({
        "stage": "Created", "lastKnownLocation": expected["pickup"], "pickupETA": null, "deliveryETA": null,
    });
    assert_eq!(status, expected);
}

#[test]
fn a_delivery_under_way_is_where_its_drone_is() {
    let door = Door::open(UnknownPlaces::Refuse);
    let id = door.accepted();
    let etas = Etas {
        pickup: SimTime::from_secs(60.0),
        delivery: SimTime::from_secs(120.0),
    };
    let row = cruising(DroneId(1));
    let drone = DroneId(1);
    let events = vec![
        door.admitted(),
        DeliveryEvent::Created,
        DeliveryEvent::Assigned { drone, etas },
        DeliveryEvent::HeadedToPickup { etas },
    ];
    door.publish(&id, events, vec![row]);
    let after = |seconds: f64| rfc3339_unix_us(START_UNIX_US + (seconds * 1e6) as i64);
    let place = json!({"altitude": 75.0, "latitude": 37.77, "longitude": -122.4});
    let status = door.get(&format!("/api/deliveries/{id}/status")).json();
    let expected = json!({
        "stage": "HeadedToPickup", "lastKnownLocation": place,
        "pickupETA": after(60.0), "deliveryETA": after(120.0),
    });
    assert_eq!(status, expected);
    let drone = door.get("/api/drones/d-1").json();
    let expected = json!({
        "id": "d-1", "model": "wing", "hub": "mission", "status": "cruising", "location": place,
        "heading": 271.0, "groundSpeed": 14.2, "verticalSpeed": 0.0, "battery": 0.83, "batteryHealth": 1.0,
        "deliveryId": id, "payloadKg": 0.0,
    });
    assert_eq!(drone, expected);
    let collection = door
        .get("/api/drones.geojson?bbox=-122.41,37.76,-122.39,37.78")
        .json();
    assert_eq!(collection["features"].as_array().unwrap().len(), 1);
    let point = json!({"type": "Point", "coordinates": [-122.4, 37.77, 75.0]});
    assert_eq!(collection["features"][0]["geometry"], point);
    assert_eq!(collection["features"][0]["properties"], expected);
    let request = door.get(&format!("/api/deliveryrequests/{id}")).json();
    assert_eq!(request["state"], "Scheduled");
}

#[test]
fn a_request_says_what_it_waits_for() {
    let door = Door::open(UnknownPlaces::Refuse);
    let id = door.accepted();
    let waiting_for = WaitingFor::ThirdParty;
    door.publish(
        &id,
        vec![door.admitted(), DeliveryEvent::Delayed { waiting_for }],
        Vec::new(),
    );
    let status = door.get(&format!("/api/deliveryrequests/{id}")).json();
    let expected = json!({
        "deliveryId": id, "state": "AwaitingDrone", "step": "third_party", "attempts": 1,
        "waitingFor": "third_party",
    });
    assert_eq!(status, expected);
}

#[test]
fn a_request_says_which_step_is_tried_how_often_and_which_is_undone() {
    for (waiting_for, state) in [
        (WaitingFor::Answer, "Running"),
        (WaitingFor::Retry, "Retrying"),
        (WaitingFor::Compensation, "Compensating"),
    ] {
        let door = Door::open(UnknownPlaces::Refuse);
        let id = door.accepted();
        let (step, attempts) = (Step::Package, 3);
        let delayed = DeliveryEvent::StepDelayed {
            step,
            attempts,
            waiting_for,
        };
        door.publish(&id, vec![door.admitted(), delayed], Vec::new());
        let status = door.get(&format!("/api/deliveryrequests/{id}")).json();
        let expected = json!({
            "deliveryId": id, "state": state, "step": "package", "attempts": 3,
            "waitingFor": waiting_for.as_str(),
        });
        assert_eq!(status, expected);
        let reason = FailureReason::StepUnavailable;
        door.publish(&id, vec![DeliveryEvent::Failed { reason }], Vec::new());
        let status = door.get(&format!("/api/deliveryrequests/{id}")).json();
        assert_eq!(status["state"], "Failed");
        assert_eq!(status["reason"], "step_unavailable");
    }
}

#[test]
fn lists_page_through_everything_once() {
    let door = Door::open(UnknownPlaces::Refuse);
    let ids: Vec<Value> = (0..5).map(|_| door.accepted().into()).collect();
    for (path, expected) in [
        ("/api/deliveries?ownerId=ada&stage=Created&limit=2", ids),
        (
            "/api/drones?hub=mission&limit=2",
            vec!["d-0".into(), "d-1".into(), "d-2".into()],
        ),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = door.get(&format!("{path}{cursor}")).json();
            let items = page["items"].as_array().unwrap();
            assert!((1..=2).contains(&items.len()));
            seen.extend(items.iter().map(|item| item["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected);
    }
    for nobodys in [
        "/api/deliveries?ownerId=bob",
        "/api/deliveries?stage=Completed",
        "/api/drones?status=hovering",
    ] {
        assert_eq!(door.get(nobodys).json(), json!({"items": [], "next": null}));
    }
}

#[test]
fn wrong_parameters_are_all_named() {
    let door = Door::open(UnknownPlaces::Refuse);
    let reply = door.get("/api/drones?hub=x&status=flying&bbox=1,2,3&limit=0&cursor=zz");
    assert_eq!(
        reply.pointers(422),
        ["?hub", "?status", "?bbox", "?limit", "?cursor"]
    );
    let reply = door.get("/api/deliveries?stage=gone&limit=1001&cursor=01");
    assert_eq!(reply.pointers(422), ["?stage", "?limit", "?cursor"]);
    let reply = door.get("/api/deliveries?owner=cafe&limit=1");
    assert_eq!(
        reply.pointers(422),
        ["?owner"],
        "a name that nobody knows is a mistake"
    );
    for bounds in [
        "a,b,c,d",
        "NaN,0,1,1",
        "0,0,181,1",
        "2,0,1,1",
        "0,2,1,1",
        "0,0,1,1,1",
        "",
    ] {
        let reply = door.get(&format!("/api/drones.geojson?bbox={bounds}"));
        assert_eq!(reply.pointers(422), ["?bbox"], "{bounds}");
    }
}

#[test]
fn what_is_not_there_is_a_problem() {
    let door = Door::open(UnknownPlaces::Refuse);
    let unknown = DeliveryId::new(1, [0; 10]);
    for path in [
        format!("/api/deliveries/{unknown}"),
        format!("/api/deliveries/{unknown}/status"),
        format!("/api/deliveryrequests/{unknown}"),
        "/api/deliveries/42".into(),
        "/api/deliveries/%ff".into(),
        "/api/drones/d-3".into(),
        "/api/drones/17".into(),
        "/api/nothing?here=1".into(),
        "/docs/nothing.js".into(),
        "//".into(),
    ] {
        let reply = door.get(&path);
        assert_eq!(reply.pointers(404), [""; 0]);
        assert_eq!(reply.json()["instance"], path.split('?').next().unwrap());
    }
    let reply = door.send(Request::delete("/api/zones").body(Body::empty()).unwrap());
    assert_eq!(reply.pointers(405), [""; 0]);
    assert_eq!(reply.header("allow"), "GET,HEAD,POST");
}

#[test]
fn hubs_and_zones_are_shown_as_the_scenario_has_them() {
    let door = Door::open(UnknownPlaces::Refuse);
    let hubs = door.get("/api/hubs/").json();
    let expected = json!({
        "id": "mission", "name": "Mission Street hub",
        "location": {"altitude": 0.0, "latitude": 37.7599, "longitude": -122.4148},
        "pads": 2, "chargers": 2, "charging": 0, "queued": 0, "holding": 0, "departing": 0,
        "besidePads": 0, "parked": 2,
        "closed": false, "closedUntil": null, "groundStops": [],
    });
    assert_eq!(hubs, json!({"items": [expected], "next": null}));
    assert_eq!(
        door.get("/api/hubs?limit=0&cursor=01").pointers(422),
        ["?limit", "?cursor"]
    );
    let zones = door.get("/api/zones").json();
    let expected = json!({"name": "Heliport", "floor": 0.0, "ceiling": 120.0, "reference": "AGL"});
    assert_eq!(zones["features"][0]["properties"], expected);
    let rings = json!([[
        [-122.40, 37.77],
        [-122.39, 37.78],
        [-122.40, 37.78],
        [-122.40, 37.77]
    ]]);
    assert_eq!(zones["features"][0]["geometry"]["coordinates"], rings);
}

#[test]
fn drones_are_listed_by_what_they_do_and_hubs_count_those_that_stand_there() {
    let door = Door::open(UnknownPlaces::Refuse);
    let ids = |status: &str| {
        let page = door.get(&format!("/api/drones?status={status}")).json();
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let parked = || door.get("/api/hubs").json()["items"][0]["parked"].clone();
    let none = Vec::<String>::new();
    assert_eq!(
        (ids("parked"), parked()),
        (vec!["d-0".into(), "d-1".into()], json!(2))
    );
    assert_eq!((ids("cruising"), ids("lost")), (none.clone(), vec!["d-2".into()]));
    let id = door.accepted();
    door.publish(
        &id,
        vec![door.admitted()],
        vec![cruising(DroneId(1)), cruising(DroneId(0))],
    );
    assert_eq!((ids("parked"), parked()), (none.clone(), json!(0)));
    assert_eq!(ids("cruising"), ["d-0", "d-1"]);
    door.view.publish(Publication {
        lost_with: Vec::new(),
        world: Arc::clone(&door.view.world()),
        tick: 12,
        at: SimTime::from_secs(1.2),
        digest: [0; 32],
        events: Vec::new(),
        airborne: vec![cruising(DroneId(0))],
        grounded: vec![(DroneId(1), Some(charging()))],
        healths: Vec::new(),
        routes: Vec::new(),
        kept: None,
    });
    assert_eq!((ids("charging"), ids("parked")), (vec!["d-1".into()], none));
    assert_eq!((ids("cruising"), parked()), (vec!["d-0".into()], json!(1)));
}

fn charging() -> Grounded {
    Grounded {
        hub: HubId(0),
        energy_wh: 1.0,
        charging_since: Some(SimTime::START),
    }
}

#[test]
fn a_stalled_clock_is_not_ready_and_requests_are_counted_by_route() {
    let door = Door::open(UnknownPlaces::Refuse);
    assert_eq!(door.get("/readyz").status, StatusCode::OK);
    door.view.set_pace(
        Pace {
            state: RunState::Stalled,
            ..Pace::default()
        },
        0,
    );
    let reply = door.get("/readyz");
    assert_eq!(reply.pointers(503), [""; 0]);
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(door.get("/healthz").status, StatusCode::OK);
    door.get("/api/drones/d-0");
    door.get("/api/drones/d-1/");
    door.get("/nowhere");
    let metrics = String::from_utf8(door.get("/metrics").body).unwrap();
    for line in [
        r#"skyhaul_http_requests_total{method="GET",route="/api/drones/{id}",status="200"} 2"#,
        r#"skyhaul_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"skyhaul_http_requests_total{method="GET",route="/readyz",status="503"} 1"#,
        r#"skyhaul_http_request_duration_seconds_count{route="/api/drones/{id}"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}
