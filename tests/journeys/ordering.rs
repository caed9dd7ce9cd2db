//! A customer orders, watches, and gets the goods.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::sim::geo::{LatLon, Point};
use skyhaul::sim::time::SimTime;
use skyhaul::sim::world::World;

use crate::support::client::{Client, parcel};
use crate::support::operator::{Operator, Request};
use crate::support::server::{Running, lively, quiet};
use crate::support::stream::{assert_numbered_from, kinds};
use crate::support::worlds::{in_still_air, san_francisco, sim_seconds, tiny};

/// Rounding of places in answers, 6 decimals of a degree, at both ends of a way.
const ROUNDING_M: f64 = 0.3;
/// The customer looks this often, in ticks.
const LOOK_EVERY: u64 = 20;

/// The reference's own requests, as they stand.
fn across_the_continent() -> Value {
    json!({"confirmationRequired":"FingerPrint","deadline":"DeadlyQueueOfZombiatedDemons","deliveryId":"42",
        "dropOffLocation":"0,37.4315730000000,-78.65689399999997","expedited":true,"ownerId":"1",
        "packageInfo":{"packageId":"442","size":"Small","tag":"6d0a","weight":"14"},
        "pickupLocation":"0,36.778261,-119.41793200000001","pickupTime":"2019-04-05T11:00:00.000Z"})
}

fn between_unknown_places() -> Value {
    json!({"confirmationRequired":"None","deadline":"","deliveryId":"mydelivery","dropOffLocation":"drop off",
        "expedited":true,"ownerId":"myowner",
        "packageInfo":{"packageId":"mypackage","size":"Small","tag":"mytag","weight":10},
        "pickupLocation":"my pickup","pickupTime":"2019-05-08T20:00:00.000Z"})
}

/// Where something was seen, and when.
struct Sighting {
    seconds: f64,
    at: Point,
}

fn place(world: &World, name: &str) -> Point {
    let place = world.places.iter().find(|place| place.name == name);
    world.area.point(place.expect("a place of the world").location)
}

fn point(world: &World, latitude: &Value, longitude: &Value) -> Point {
    let degrees = |value: &Value| value.as_f64().expect("degrees");
    world.area.point(LatLon {
        lat: degrees(latitude),
        lon: degrees(longitude),
    })
}

/// Metres from a point to the straight way between two others.
fn off_the_way(at: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let share = ((at.x - from.x) * dx + (at.y - from.y) * dy) / (dx * dx + dy * dy);
    let share = share.clamp(0.0, 1.0);
    at.distance(Point {
        x: from.x + share * dx,
        y: from.y + share * dy,
    })
}

/// The fastest that a drone of this type can get over ground on a straight way: at its
/// airspeed, with the most help or the least hindrance that the wind gives at any height.
fn top_speed_mps(world: &World, model: &str, from: Point, to: Point) -> f64 {
    let (east, north) = from.direction_to(to);
    let along = |height_m| {
        let wind = world.air(SimTime::START).wind(from, height_m);
        wind.0 * east + wind.1 * north
    };
    let model = world.models.iter().find(|known| known.key == model);
    model.expect("a type of the world").cruise_airspeed_mps + along(10.0).max(along(122.0))
}

fn assert_no_faster_than(limit_mps: f64, sightings: &[Sighting]) {
    for pair in sightings.windows(2) {
        let (way_m, took_s) = (pair[0].at.distance(pair[1].at), pair[1].seconds - pair[0].seconds);
        assert!(
            way_m <= limit_mps * took_s + ROUNDING_M,
            "{way_m} m within {took_s} s at {} s",
            pair[0].seconds
        );
    }
}

/// What the customer sees over HTTP, look by look, from the order to its end.
async fn watch_over_http(
    customer: &Client,
    world: &World,
    id: &str,
) -> (Vec<String>, Vec<(String, Sighting)>) {
    let (mut stages, mut looks) = (Vec::new(), Vec::new());
    loop {
        let clock = customer.step(LOOK_EVERY).await;
        let status = customer.status(id).await;
        let stage = status["stage"].as_str().expect("a stage").to_owned();
        let seen = &status["lastKnownLocation"];
        let sighting = Sighting {
            seconds: sim_seconds(world, &clock["simTime"]),
            at: point(world, &seen["latitude"], &seen["longitude"]),
        };
        if stages.last() != Some(&stage) {
            stages.push(stage.clone());
        }
        looks.push((stage.clone(), sighting));
        assert!(looks.len() < 2_000, "the delivery never ends: {status}");
        if stage == "Completed" {
            return (stages, looks);
        }
    }
}

/// Where a subscription's positions had the drone.
fn sightings(world: &World, messages: &[Value]) -> Vec<Sighting> {
    let positions = messages.iter().filter(|message| message["type"] == "positions");
    let rows = positions.flat_map(|message| {
        let seconds = sim_seconds(world, &message["simTime"]);
        let rows = message["drones"].as_array().expect("rows").iter();
        rows.map(move |row| Sighting {
            seconds,
            at: point(world, &row[1], &row[2]),
        })
    });
    rows.collect()
}

#[tokio::test]
async fn a_parcel_crosses_the_city_before_its_customers_eyes() {
    let server = Running::start(san_francisco(), lively()).await;
    let (customer, world) = (server.client(), &server.world);
    customer.run_to(300).await;
    let ordered = customer.simulation().await;
    let id = customer
        .order(&parcel("Ferry Building", "Dolores Park", 1.0))
        .await;
    let mut stream = server.stream().await;
    stream.follow(1, &format!("delivery/{id}")).await;
    assert_eq!(
        stream.next_of("snapshot").await["delivery"]["stage"],
        "Created",
        "accepted, and the clock stands"
    );

    let (stages, looks) = watch_over_http(&customer, world, &id).await;
    assert_eq!(stages, ["HeadedToPickup", "HeadedToDropoff", "Completed"]);
    let delivery = customer.delivery(&id).await;
    let drone_id = delivery["droneId"].as_str().expect("a drone").to_owned();
    let drone = customer.drone(&drone_id).await;
    let model = drone["model"].as_str().expect("a model");
    let (pickup, dropoff) = (place(world, "Ferry Building"), place(world, "Dolores Park"));
    let limit_mps = top_speed_mps(world, model, pickup, dropoff);
    let carried: Vec<Sighting> = looks
        .into_iter()
        .filter_map(|(stage, sighting)| (stage == "HeadedToDropoff").then_some(sighting))
        .collect();
    assert_no_faster_than(limit_mps, &carried);
    for sighting in &carried {
        assert!(
            off_the_way(sighting.at, pickup, dropoff) < 5.0,
            "off the way at {} s",
            sighting.seconds
        );
    }
    let covered = |sighting: &Sighting| pickup.distance(sighting.at);
    assert!(
        carried
            .windows(2)
            .all(|pair| covered(&pair[0]) <= covered(&pair[1]) + ROUNDING_M),
        "the parcel goes back and forth"
    );

    let told = stream.until_event("Completed").await;
    assert_numbered_from(1, &told);
    let milestones: Vec<_> = kinds(&told)
        .into_iter()
        .filter(|kind| *kind != "EtaChanged")
        .collect();
    assert_eq!(
        milestones,
        [
            "Accepted",
            "Created",
            "Assigned",
            "HeadedToPickup",
            "PickedUp",
            "HeadedToDropoff",
            "Completed"
        ]
    );
    let assigned = told
        .iter()
        .find(|message| message["event"]["kind"] == "Assigned")
        .expect("just seen");
    assert_eq!(assigned["event"]["droneId"], drone_id.as_str());
    let waited_s = sim_seconds(world, &assigned["simTime"]) - sim_seconds(world, &ordered["simTime"]);
    assert!(waited_s <= 2.0, "assigned after {waited_s} s");
    server.stop().await;
}

#[tokio::test]
async fn a_drones_flight_is_told_from_take_off_to_landing() {
    let server = Running::start(tiny(), quiet()).await;
    let customer = server.client();
    let id = customer
        .order(&parcel("Mission Dolores", "General Hospital", 1.0))
        .await;
    customer.step(1).await;
    let drone_id = customer.delivery(&id).await["droneId"]
        .as_str()
        .expect("a drone")
        .to_owned();
    let mut stream = server.stream().await;
    stream
        .follow_from_the_start(1, &format!("drone/{drone_id}"))
        .await;
    assert_eq!(stream.next_of("subscribed").await["recovered"], true);
    let taken_off = stream.next_of("event").await;
    assert_eq!(taken_off["seq"], 1);
    assert_eq!(taken_off["event"]["kind"], "TakenOff");
    assert_eq!(taken_off["event"]["deliveryId"], id.as_str());
    assert_eq!(customer.drone(&drone_id).await["deliveryId"], id.as_str());
    let path = format!("/api/drones/{drone_id}/route");
    let (found, route) = customer.get(&path).await;
    assert_eq!((found, &route["deliveryId"]), (StatusCode::OK, &json!(id)));
    let quoted = customer.status(&id).await["deliveryETA"].clone();
    let way_points = route["features"].as_array().expect("features").iter();
    let mut dropoffs = way_points.filter(|feature| feature["properties"]["wayPoint"] == "dropoff");
    let planned = &dropoffs.next().expect("a drop-off")["properties"]["time"];
    let apart_s = sim_seconds(&server.world, planned) - sim_seconds(&server.world, &quoted);
    assert!(apart_s.abs() < 1.0, "{planned} is planned, {quoted} is told");

    customer
        .control(json!({"state": "running", "speed": 100, "pauseAtTick": 12_000}))
        .await;
    let told = stream.until_event("Landed").await;
    customer.control(json!({"speed": "max"})).await;
    assert_numbered_from(2, &told);
    assert_eq!(kinds(&told), ["Landed"]);
    let flight = &told[told.len() - 1]["event"];
    assert_eq!(flight["hub"], "mission");
    assert!(
        flight["energyWh"].as_f64() > Some(0.0) && flight["distanceM"].as_f64() > Some(2_000.0),
        "{flight}"
    );
    let followed = sightings(&server.world, &told);
    assert!(followed.len() > 5, "only {} positions", followed.len());
    let cruise_mps = server.world.models[0].cruise_airspeed_mps;
    assert_no_faster_than(cruise_mps, &followed);
    customer.paused_at(12_000).await;
    let drone = customer.drone(&drone_id).await;
    assert_eq!(drone["deliveryId"], Value::Null);
    assert_eq!(customer.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(customer.status(&id).await["stage"], "Completed");
    server.stop().await;
}

#[tokio::test]
async fn the_references_requests_are_taken_as_they_stand() {
    let server = Running::start(san_francisco(), quiet()).await;
    let customer = server.client();
    let far = customer.order(&across_the_continent()).await;
    let heavy = customer.order(&between_unknown_places()).await;
    let probe = customer.get("/api/probe").await;
    assert_eq!(probe.0, StatusCode::OK);
    customer.step(20).await;

    let workflow = customer.workflow(&far).await;
    assert_eq!(workflow["state"], "Scheduled");
    let delivery = customer.delivery(&far).await;
    assert_eq!(delivery["droneId"], Value::Null);
    assert_ne!(delivery["carrier"], Value::Null);
    let status = customer.status(&far).await;
    assert_eq!(status["stage"], "HeadedToPickup");
    assert_eq!(
        status["lastKnownLocation"]["latitude"], 36.778_261,
        "still where it is picked up"
    );

    assert_eq!(customer.workflow(&heavy).await["state"], "Scheduled");
    customer.run_to(30_000).await;
    assert_eq!(customer.status(&heavy).await["stage"], "Completed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_sent_many_times_at_once_orders_once() {
    let server = Running::start(tiny(), quiet()).await;
    let operator = Operator::at(server.address());
    let request = Request {
        owner: "impatient".to_owned(),
        mark: "lunch".to_owned(),
        key: Some("the-only-one".to_owned()),
        confirmation: None,
    };
    let mut clicks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (operator, request) = (operator.clone(), request.clone());
        clicks.spawn(async move { operator.order(&request).await.expect("it is taken") });
    }
    let ids: BTreeSet<String> = clicks.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let known = operator.deliveries(Some("impatient")).await;
    assert_eq!(known.len(), 1);

    // What was ordered is what counts, not what was made of it since.
    let (client, id) = (server.client(), ids.first().expect("there is one"));
    operator.run_at(1.0).await;
    let change = json!({"deadline": "before noon"});
    let (status, changed) = client.patch(&format!("/api/deliveries/{id}"), &change).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(operator.order(&request).await.as_ref(), Some(id));
    server.stop().await;
}

#[tokio::test]
async fn in_still_air_twenty_customers_of_twenty_are_told_the_right_time() {
    let server = Running::start(in_still_air(san_francisco()), quiet()).await;
    let (customer, world) = (server.client(), &server.world);
    let mut stream = server.stream().await;
    let places: Vec<&str> = world.places.iter().map(|place| place.name.as_str()).collect();
    for number in 0..20 {
        let (from, to) = (places[number], places[(number + 7) % places.len()]);
        let id = customer.order(&parcel(from, to, 1.0)).await;
        stream.follow(number as u64, &format!("delivery/{id}")).await;
        stream.next_of("snapshot").await;
    }
    customer
        .control(json!({"state": "running", "pauseAtTick": 36_000}))
        .await;

    let mut promised = [None; 20];
    for _ in 0..20 {
        let completed = loop {
            let told = stream.next_of("event").await;
            let number = told["id"].as_u64().expect("a subscription") as usize;
            match told["event"]["kind"].as_str() {
                Some("HeadedToDropoff") => {
                    promised[number] = Some(sim_seconds(world, &told["event"]["deliveryEta"]));
                }
                Some("Completed") => break told,
                _ => {}
            }
        };
        let number = completed["id"].as_u64().expect("a subscription") as usize;
        let came = sim_seconds(world, &completed["simTime"]);
        let promised = promised[number].take().expect("on the way before it is there");
        assert!(
            (came - promised).abs() <= 60.0,
            "order {number}: promised for {promised} s, came at {came} s"
        );
    }
    server.stop().await;
}
