//! Requests for deliveries: the reference's own, and every way to get one wrong.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Door, fine_order};
use crate::sim::order::{ConfirmationRequired, ContainerSize};
use crate::sim::time::SimTime;
use crate::sim::world::UnknownPlaces;
use crate::view::commands::Refusal;

const ROUTE: &str = "/api/deliveryrequests";

#[test]
fn the_references_own_requests_work_as_they_stand() {
    let door = Door::open(UnknownPlaces::Scatter);
    let first = json!({"confirmationRequired":"FingerPrint","deadline":"DeadlyQueueOfZombiatedDemons","deliveryId":"42","dropOffLocation":"0,37.4315730000000,-78.65689399999997","expedited":true,"ownerId":"1","packageInfo":{"packageId":"442","size":"Small","tag":"6d0a","weight":"14"},"pickupLocation":"0,36.778261,-119.41793200000001","pickupTime":"2019-04-05T11:00:00.000Z"});
    let second = json!({"confirmationRequired":"None","deadline":"","deliveryId":"mydelivery","dropOffLocation":"drop off","expedited":true,"ownerId":"myowner","packageInfo":{"packageId":"mypackage","size":"Small","tag":"mytag","weight":10},"pickupLocation":"my pickup","pickupTime":"2019-05-08T20:00:00.000Z"});
    for body in [&first, &second] {
        let reply = door.order(body);
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        let mut answer = reply.json();
        let id = answer["deliveryId"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("location"), format!("{ROUTE}/{id}"));
        let status = door.get(&format!("{ROUTE}/{id}")).json();
        assert_eq!(
            (&status["state"], &status["deliveryId"]),
            (&json!("Queued"), &json!(id))
        );
        answer["deliveryId"] = body["deliveryId"].clone();
        assert_eq!(&answer, body);
    }
    let orders = door.taker.orders.lock();
    let (fingerprint, parcel) = (&orders[0].0, &orders[1].0);
    assert!((fingerprint.package.weight_kg - 6.35).abs() < 0.01);
    assert!((parcel.package.weight_kg - 4.54).abs() < 0.01);
    assert_eq!(fingerprint.confirmation, ConfirmationRequired::FingerPrint);
    assert_eq!(fingerprint.deadline, "DeadlyQueueOfZombiatedDemons");
    assert_eq!(fingerprint.pickup.location.lon, -119.41793200000001);
    assert_eq!(fingerprint.not_before, SimTime::START);
    assert_eq!(parcel.package.tag.as_deref(), Some("mytag"));
}

#[test]
fn enums_come_in_any_case_or_as_numbers_and_the_rest_has_defaults() {
    let door = Door::open(UnknownPlaces::Refuse);
    let mut body = fine_order();
    assert_eq!(door.order(&body).status, StatusCode::ACCEPTED);
    body["packageInfo"]["size"] = json!(2);
    body["packageInfo"]["unheardOf"] = json!([1]);
    body["confirmationRequired"] = json!("vOICE");
    body["pickupTime"] = json!("2026-06-01T18:05:00Z");
    body["deadline"] = Value::Null;
    assert_eq!(door.order(&body).status, StatusCode::ACCEPTED);
    let orders = door.taker.orders.lock();
    let (plain, rich) = (&orders[0].0, &orders[1].0);
    assert_eq!(plain.confirmation, ConfirmationRequired::None);
    assert_eq!((plain.expedited, plain.not_before), (false, SimTime::START));
    assert_eq!(plain.dropoff.altitude_m, 5.0);
    assert_eq!(rich.package.size, ContainerSize::Large);
    assert_eq!(rich.confirmation, ConfirmationRequired::Voice);
    assert_eq!(rich.not_before, SimTime::from_secs(300.0));
}

#[test]
fn every_missing_field_is_named_at_once() {
    let door = Door::open(UnknownPlaces::Refuse);
    let of_package = [
        "/packageInfo/packageId",
        "/packageInfo/size",
        "/packageInfo/weight",
    ];
    let mut all = vec!["/ownerId", "/pickupLocation", "/dropOffLocation", "/packageInfo"];
    all.extend(of_package);
    assert_eq!(door.order(&json!({})).pointers(422), all);
    let mut body = fine_order();
    body["packageInfo"] = json!({});
    assert_eq!(door.order(&body).pointers(422), of_package);
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let door = Door::open(UnknownPlaces::Refuse);
    let body = json!({
        "ownerId": 1, "pickupLocation": "91,0", "dropOffLocation": "nowhere in particular",
        "packageInfo": {"packageId": "", "size": "Huge", "weight": -1, "tag": "x".repeat(1_025)},
        "expedited": "yes", "confirmationRequired": 4, "deadline": 5, "pickupTime": "tomorrow",
    });
    let expected = [
        "/ownerId",
        "/pickupLocation",
        "/dropOffLocation",
        "/expedited",
        "/confirmationRequired",
        "/deadline",
        "/pickupTime",
        "/packageInfo/packageId",
        "/packageInfo/size",
        "/packageInfo/weight",
        "/packageInfo/tag",
    ];
    assert_eq!(door.order(&body).pointers(422), expected);
    assert!(door.taker.orders.lock().is_empty());
}

#[test]
fn of_very_many_mistakes_the_first_are_named_and_the_rest_counted() {
    let door = Door::open(UnknownPlaces::Refuse);
    let fields = (0..5_000).map(|number| (format!("odd-{number}"), json!(number)));
    let body = Value::Object(fields.collect()).to_string();
    let reply = door.json(Method::POST, "/api/accounts", body.clone());
    let pointers = reply.pointers(422);
    assert_eq!(pointers.len(), 101);
    let errors = &reply.json()["errors"];
    assert_eq!(errors[100]["detail"], "and 4902 more mistakes");
    assert!(reply.body.len() < body.len());
}

#[test]
fn weights_are_finite_and_above_nothing() {
    let door = Door::open(UnknownPlaces::Refuse);
    for weight in [
        json!("NaN"),
        json!("inf"),
        json!(0),
        json!("-2"),
        json!(""),
        json!(true),
    ] {
        let mut body = fine_order();
        body["packageInfo"]["weight"] = weight;
        assert_eq!(door.order(&body).pointers(422), ["/packageInfo/weight"]);
    }
}

#[test]
fn places_are_on_the_globe() {
    let door = Door::open(UnknownPlaces::Scatter);
    for place in ["91,0", "0,91,0", "0,181", "NaN,0", "1,2,3,4", "  ", "0,inf,0"] {
        let mut body = fine_order();
        body["dropOffLocation"] = json!(place);
        assert_eq!(door.order(&body).pointers(422), ["/dropOffLocation"], "{place}");
    }
}

#[test]
fn what_is_no_json_is_unparsable() {
    let door = Door::open(UnknownPlaces::Refuse);
    for body in ["", "{\"ownerId\":", "{\"weight\":NaN}", "nonsense", "{}{}"] {
        let reply = door.json(Method::POST, ROUTE, body);
        assert_eq!(reply.pointers(400), [""; 0], "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(door.json(Method::POST, ROUTE, deep).pointers(400), [""; 0]);
    assert_eq!(door.json(Method::POST, ROUTE, "[]").pointers(422)[0], "");
}

#[test]
fn bodies_have_a_size_and_a_media_type() {
    let door = Door::open(UnknownPlaces::Refuse);
    let large = format!("{{\"ownerId\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    assert_eq!(door.json(Method::POST, ROUTE, large).pointers(413), [""; 0]);
    let send = |media_type: Option<&str>| {
        let mut request = Request::post(ROUTE);
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        door.send(request.body(Body::from(fine_order().to_string())).unwrap())
    };
    for wrong in [
        None,
        Some("text/plain"),
        Some("application/x-json"),
        Some("é+json"),
    ] {
        assert_eq!(send(wrong).pointers(415), [""; 0]);
    }
    for fine in [
        "application/json",
        "Application/JSON ; charset=UTF-8",
        "application/vnd.x+json",
    ] {
        assert_eq!(send(Some(fine)).status, StatusCode::ACCEPTED, "{fine}");
    }
}

#[test]
fn bodies_that_come_in_pieces_are_put_together() {
    let door = Door::open(UnknownPlaces::Refuse);
    let text = fine_order().to_string();
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(door.json(Method::POST, ROUTE, body).status, StatusCode::ACCEPTED);
}

#[test]
fn idempotency_keys_are_passed_on_when_well_formed() {
    let door = Door::open(UnknownPlaces::Refuse);
    let send = |key: &str| {
        let request = Request::post(ROUTE)
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        door.send(request.body(Body::from(fine_order().to_string())).unwrap())
    };
    assert_eq!(send("a-key").status, StatusCode::ACCEPTED);
    for wrong in ["", "two words", &"k".repeat(256)] {
        assert_eq!(send(wrong).pointers(422), ["Idempotency-Key"]);
    }
    let keys: Vec<_> = door
        .taker
        .orders
        .lock()
        .iter()
        .map(|(_, key)| key.clone())
        .collect();
    assert_eq!(keys, [Some("a-key".to_owned())]);
}

#[test]
fn refusals_say_when_to_come_back() {
    let door = Door::open(UnknownPlaces::Refuse);
    let retry_after = Duration::from_millis(1_500);
    *door.taker.refusal.lock() = Some(Refusal::Full { retry_after });
    let reply = door.order(&fine_order());
    assert_eq!(reply.pointers(503), [""; 0]);
    assert_eq!(reply.header("retry-after"), "2");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "-?[0-9.]{1,5}(,-?[0-9.]{1,6}){0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z]{1,9}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_accepted_or_explained(
        body in any_json(),
        field in prop::sample::select(vec![
            "/ownerId", "/pickupLocation", "/dropOffLocation", "/packageInfo", "/packageInfo/weight",
            "/packageInfo/size", "/packageInfo/packageId", "",
        ]),
        strict in any::<bool>(),
    ) {
        let unknown_places = if strict { UnknownPlaces::Refuse } else { UnknownPlaces::Scatter };
        let door = Door::open(unknown_places);
        let mut order = fine_order();
        *order.pointer_mut(field).unwrap() = body;
        let reply = door.order(&order);
        if reply.status == StatusCode::ACCEPTED {
            prop_assert!(reply.json()["deliveryId"].is_string());
        } else {
            let pointers = reply.pointers(422);
            prop_assert!(pointers.iter().all(|pointer| pointer.starts_with(field)), "{pointers:?}");
            prop_assert!(!pointers.is_empty());
        }
    }
}
