//! Whatever is read quickly is read as it would be slowly, and answered with the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Quick, echo};
use crate::http::fields::Complaints;
use crate::http::order::read_order;
use crate::http::tests::{fine_order, world};
use crate::sim::order::Order;
use crate::sim::world::{UnknownPlaces, World};

const ID: &str = "0192f0c1-7b1e-7000-8000-000000000001";

fn slowly(world: &World, body: &str) -> Option<(Order, Value)> {
    let mut value = serde_json::from_str(body).ok()?;
    let order = read_order(world, &value, &mut Complaints::default())?;
    value["deliveryId"] = ID.into();
    Some((order, value))
}

fn quickly(world: &World, body: &str) -> Option<(Order, Value)> {
    let Quick { order, id_at } = Quick::read(world, body.as_bytes())?;
    let answer = echo(body.as_bytes(), id_at, ID);
    Some((order, serde_json::from_slice(&answer).unwrap()))
}

#[test]
fn usual_requests_are_read_quickly_and_alike() {
    let world = world(UnknownPlaces::Scatter);
    let reference = r#"{"confirmationRequired":"FingerPrint","deadline":"DeadlyQueueOfZombiatedDemons","deliveryId":"42","dropOffLocation":"0,37.4315730000000,-78.65689399999997","expedited":true,"ownerId":"1","packageInfo":{"packageId":"442","size":"Small","tag":"6d0a","weight":"14"},"pickupLocation":"0,36.778261,-119.41793200000001","pickupTime":"2019-04-05T11:00:00.000Z"}"#;
    let plain = fine_order().to_string();
    let spread = serde_json::to_string_pretty(&fine_order()).unwrap() + " \n";
    let empty_id = plain.replacen('{', r#"{ "deliveryId" : "" , "deadline" : null, "#, 1);
    let other_letters = reference.replace("42", "é").replace("6d0a", "🚁");
    for body in [reference, &plain, &spread, &empty_id, &other_letters] {
        let quick = quickly(&world, body);
        assert!(quick.is_some(), "{body}");
        assert_eq!(quick, slowly(&world, body), "{body}");
    }
}

#[test]
fn whatever_is_unusual_or_wrong_is_left_to_who_can_explain_it() {
    let world = world(UnknownPlaces::Refuse);
    let with = |pointer: &str, value: Value| {
        let mut body = fine_order();
        let (object, field) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(object).unwrap()[field] = value;
        body.to_string()
    };
    let bodies = [
        with("/unheardOf", json!(1)),
        with("/packageInfo/unheardOf", json!(1)),
        with("/deliveryId", Value::Null),
        with("/deliveryId", json!(42)),
        with("/deliveryId", json!("4\n2")),
        with("/confirmationRequired", json!(2)),
        with("/packageInfo/size", json!("huge")),
        with("/packageInfo/weight", json!(-1)),
        with("/packageInfo/weight", json!("14 pounds")),
        with("/packageInfo/tag", json!("x".repeat(2_000))),
        with("/ownerId", json!("")),
        with("/ownerId", json!("a\u{1f}b")),
        with("/pickupLocation", json!("nowhere in particular")),
        with("/pickupTime", json!("tomorrow")),
        fine_order().to_string() + "{}",
        fine_order().to_string().replacen('{', r#"{"ownerId":"eve","#, 1),
        "[]".to_owned(),
        String::new(),
    ];
    for body in bodies {
        assert!(Quick::read(&world, body.as_bytes()).is_none(), "{body}");
    }
    let body = fine_order().to_string().replace("ada", "\u{0}").into_bytes();
    let not_a_text: Vec<u8> = body
        .iter()
        .map(|byte| byte.checked_sub(1).unwrap_or(255))
        .collect();
    assert!(Quick::read(&world, &not_a_text).is_none());
}

fn any_field() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-20_000_i64..20_000).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "-?[0-9.]{1,5}(,-?[0-9.]{1,6}){0,3}".prop_map(Value::from),
        prop::sample::select(vec!["Voice", "medium", "2026-06-01T18:05:00Z", " 12.5 "]).prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn what_is_read_quickly_is_read_alike(
        values in prop::collection::vec((prop::sample::select(vec![
            "deliveryId", "ownerId", "pickupLocation", "dropOffLocation", "expedited",
            "confirmationRequired", "deadline", "pickupTime", "packageId", "size", "weight", "tag",
        ]), any_field()), 0..3),
        strict in any::<bool>(),
    ) {
        let world = world(if strict { UnknownPlaces::Refuse } else { UnknownPlaces::Scatter });
        let mut body = fine_order();
        for (field, value) in values {
            match field {
                "packageId" | "size" | "weight" | "tag" => body["packageInfo"][field] = value,
                _ => body[field] = value,
            }
        }
        let body = body.to_string();
        if let Some(quick) = quickly(&world, &body) {
            prop_assert_eq!(Some(quick), slowly(&world, &body));
        }
    }
}
