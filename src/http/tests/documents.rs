//! The interface's description holds what the interface does.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Door, Reply, fine_order};
use crate::sim::world::UnknownPlaces;

/// Checks an answer against what the document promises for its route and status.
pub(super) fn check(document: &Value, method: &str, route: &str, reply: &Reply) {
    let status = reply.status.as_u16().to_string();
    let answer = &document["paths"][route][method]["responses"][&status];
    let media_type = reply.header("content-type").split(';').next().unwrap();
    let schema = &answer["content"][media_type]["schema"];
    assert!(
        schema.is_object(),
        "{method} {route} {status} {media_type} is not described"
    );
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let body = reply.json();
    let errors: Vec<_> = validator
        .iter_errors(&body)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{method} {route}: {errors:?} in {body}");
}

#[test]
fn answers_hold_what_the_document_promises() {
    let door = Door::open(UnknownPlaces::Refuse);
    let document = door.get("/openapi.json").json();
    let accepted = door.order(&fine_order());
    check(&document, "post", "/api/deliveryrequests", &accepted);
    check(
        &document,
        "post",
        "/api/deliveryrequests",
        &door.order(&json!({})),
    );
    let id = accepted.json()["deliveryId"].as_str().unwrap().to_owned();
    for route in [
        "/api/deliveryrequests/{id}",
        "/api/deliveries",
        "/api/deliveries/{id}",
        "/api/deliveries/public/{id}",
        "/api/deliveries/{id}/owner",
        "/api/deliveries/{id}/status",
        "/api/drones",
        "/api/drones.geojson",
        "/api/hubs",
        "/api/zones",
        "/api/world",
        "/api/simulation",
        "/api/probe",
        "/healthz",
        "/readyz",
    ] {
        check(&document, "get", route, &door.get(&route.replace("{id}", &id)));
    }
    check(&document, "get", "/api/drones/{id}", &door.get("/api/drones/d-0"));
    check(&document, "get", "/api/drones/{id}", &door.get("/api/drones/d-9"));
    check(&document, "get", "/api/drones", &door.get("/api/drones?limit=0"));
    let changed = door.json(Method::PUT, "/api/simulation", r#"{"speed":"max"}"#);
    check(&document, "put", "/api/simulation", &changed);
}

#[test]
fn every_described_request_example_is_accepted() {
    let door = Door::open(UnknownPlaces::Scatter);
    let document = door.get("/openapi.json").json();
    for (schema, method, route) in [
        ("ExternalDelivery", Method::POST, "/api/deliveryrequests"),
        ("PutDelivery", Method::PUT, "/api/deliveries/lunch"),
        ("SimulationChange", Method::PUT, "/api/simulation"),
        ("StepRequest", Method::POST, "/api/simulation/step"),
    ] {
        let example = &document["components"]["schemas"][schema]["example"];
        let reply = door.json(method, route, example.to_string());
        assert!(reply.status.is_success(), "{schema}: {}", reply.json());
    }
}

#[test]
fn the_document_has_every_route_of_the_contract() {
    let document = serde_json::to_value(crate::http::openapi()).unwrap();
    for (route, methods) in [
        ("/api/deliveryrequests", vec!["post"]),
        ("/api/simulation", vec!["get", "put"]),
        ("/api/simulation/step", vec!["post"]),
        ("/metrics", vec!["get"]),
        ("/openapi.json", vec!["get"]),
        ("/asyncapi.json", vec!["get"]),
        ("/", vec!["get"]),
    ] {
        let described: Vec<_> = document["paths"][route].as_object().unwrap().keys().collect();
        assert_eq!(described, methods, "{route}");
    }
}

#[test]
fn every_route_that_asks_for_a_token_says_so() {
    let document = serde_json::to_value(crate::http::openapi()).unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let asks = ["/api/", "/shows/"].iter().any(|room| path.starts_with(room)) || path == "/metrics";
            assert_eq!(route["responses"]["401"].is_object(), asks, "{method} {path}");
            asked += usize::from(asks);
        }
    }
    assert!(asked > 20, "{asked}");
}

/// Every `$ref` below this value.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter()
                .chain(fields.values().flat_map(references))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_shape_that_the_document_refers_to_is_in_it() {
    let document = serde_json::to_value(crate::http::openapi()).unwrap();
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_websocket_is_described_beside_it() {
    let door = Door::open(UnknownPlaces::Refuse);
    let http = door.get("/openapi.json").json();
    assert!(
        http["info"]["description"]
            .as_str()
            .unwrap()
            .contains("/asyncapi.json")
    );
    let window = door.get("/asyncapi.json");
    assert_eq!(window.header("content-type"), "application/json");
    assert_eq!(window.json()["asyncapi"], "3.0.0");
    assert_eq!(window.json()["info"]["externalDocs"]["url"], "/openapi.json");
}

#[test]
fn the_documentation_and_the_page_need_no_internet() {
    let door = Door::open(UnknownPlaces::Refuse);
    let redirect = door.get("/docs");
    assert_eq!(redirect.header("location"), "/docs/");
    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/"] {
        let reply = door.get(path);
        assert_eq!(reply.status, StatusCode::OK, "{path}");
    }
    for path in ["/docs/", "/"] {
        let text = String::from_utf8(door.get(path).body).unwrap();
        assert!(!text.contains("http://") && !text.contains("https://"), "{path}");
    }
    let settings = String::from_utf8(door.get("/docs/swagger-initializer.js").body).unwrap();
    assert!(settings.contains("/openapi.json"));
}

/// Of the reference's routes: what its clients may say besides is passed over.
const OF_THE_REFERENCE: [&str; 7] = [
    "/api/deliveryrequests",
    "/api/deliveries/",
    "/api/packages/",
    "/api/dronedeliveries/",
    "/api/account/",
    "/api/thirdpartydeliveries/",
    "/api/probe",
];

#[test]
fn a_parameter_that_nobody_knows_is_named_on_every_route_of_our_own() {
    let door = Door::open(UnknownPlaces::Refuse);
    let document = door.get("/openapi.json").json();
    let id = door.accepted();
    let mut tried = [0, 0];
    for (path, methods) in document["paths"].as_object().unwrap() {
        // Clients of streams add what their libraries think of; the rest is asked by tools.
        if path == "/api/stream" || !path.starts_with("/api/") {
            continue;
        }
        let is_reference = OF_THE_REFERENCE.iter().any(|start| path.starts_with(start));
        for method in methods.as_object().unwrap().keys() {
            let address = path.replace("{id}", &id);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = door.json(method.clone(), &format!("{address}?colour=red"), "{}");
            let named = reply.status == 422 && reply.pointers(422).contains(&"?colour".to_owned());
            assert_eq!(named, !is_reference, "{method} {path}: {}", reply.status);
            tried[usize::from(is_reference)] += 1;
            if !is_reference {
                let described = &document["paths"][path][method.as_str().to_lowercase()];
                assert!(described["responses"]["422"].is_object(), "{method} {path}");
            }
        }
    }
    assert!(tried[0] > 20 && tried[1] > 15, "{tried:?}");
}
