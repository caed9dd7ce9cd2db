//! What is said of deliveries that nobody has promised anything.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Door;
use super::access::{assigned, door, flying, picked_up, viewer};
use crate::auth::Role;
use crate::sim::event::{DeliveryEvent, Event, Happening, HubEvent};
use crate::sim::flight::{self, Errand};
use crate::sim::geo::Point;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::SimTime;
use crate::sim::workflow::WaitingFor;
use crate::view::Publication;
use crate::view::routes::PlannedRoute;
use crate::wire::time::rfc3339;

/// The hub is closed until then.
fn close_hub(door: &Door, until: SimTime) {
    let closed = Event {
        at: SimTime::START,
        seq: 1,
        happening: Happening::Hub(HubId(0), HubEvent::Closed { until }),
    };
    door.view.publish(Publication {
        lost_with: Vec::new(),
        world: door.view.world().clone(),
        tick: 1,
        at: SimTime::from_secs(0.1),
        digest: [0; 32],
        events: vec![Arc::new(closed)],
        grounded: Vec::new(),
        airborne: Vec::new(),
        healths: Vec::new(),
        routes: Vec::new(),
        kept: None,
    });
}

/// Home from a place in the air, as the drone would bring a package back.
fn way_home(door: &Door) -> PlannedRoute {
    let world = door.view.world();
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
    let mission = flight::plan_delivery(&world.models[0], &world.air(SimTime::START), &errand).unwrap();
    PlannedRoute::of(&mission.plan, 1.1, &world.area.frame)
}

#[test]
fn a_guess_is_shown_where_one_can_be_made_and_not_as_a_promise() {
    let door = door();
    let customer = door.token(&viewer(Role::Customer, "cafe"));
    let id = door.ordered_as(&customer, "cafe");
    let status = || {
        door.get_as(&customer, &format!("/api/deliveries/{id}/status"))
            .json()
    };
    let later = |one: &Value, other: &Value| one.as_str().unwrap() > other.as_str().unwrap();

    let waits = status();
    assert_eq!(
        (&waits["deliveryETA"], &waits["estimate"]),
        (&Value::Null, &Value::Null)
    );

    let opens = SimTime::from_secs(300.0);
    close_hub(&door, opens);
    let waits = status();
    assert_eq!(waits["deliveryETA"], Value::Null, "nobody promises it");
    let guess = &waits["estimate"];
    assert!(
        later(&guess["pickupETA"], &json!(rfc3339(&door.view.world(), opens))),
        "{waits}"
    );
    assert!(later(&guess["deliveryETA"], &guess["pickupETA"]));

    let drone = DroneId(0);
    door.publish(&id, assigned(), vec![flying(drone)]);
    assert_eq!(status()["estimate"], Value::Null, "now there is a promise");

    let waiting_for = WaitingFor::Return;
    let turned_back = [picked_up(), vec![DeliveryEvent::Delayed { waiting_for }]].concat();
    let home = way_home(&door);
    let lands = home.points.last().unwrap().expected;
    door.publish_routes(&id, turned_back, vec![flying(drone)], vec![(drone, home)]);
    let comes_back = status();
    assert_eq!(comes_back["returnETA"], rfc3339(&door.view.world(), lands));
    assert_eq!(comes_back["deliveryETA"], Value::Null);
    assert!(later(
        &comes_back["estimate"]["deliveryETA"],
        &comes_back["returnETA"]
    ));
}
