//! The description and the messages are about the same thing.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::{document, examples};
use crate::wire::stream::ErrorCode;
use crate::wire::stream::client::ClientMessage;

/// All values below this one, itself first.
fn all(value: &Value) -> Vec<&Value> {
    let below: Vec<_> = match value {
        Value::Object(members) => members.values().flat_map(all).collect(),
        Value::Array(items) => items.iter().flat_map(all).collect(),
        _ => Vec::new(),
    };
    [value].into_iter().chain(below).collect()
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    for reference in all(&document)
        .into_iter()
        .filter_map(|value| value["$ref"].as_str())
    {
        let pointer = reference
            .strip_prefix('#')
            .expect("references stay in the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_message_has_an_example_that_fits_it() {
    let document = document();
    for (name, message) in document["components"]["messages"].as_object().unwrap() {
        let mut schema = message["payload"].clone();
        schema["components"] = document["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let examples = message["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let errors: Vec<_> = validator
                .iter_errors(&example["payload"])
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:?} in {example}");
        }
    }
}

/// The types would let a name through that a derive spells differently from serde.
#[test]
fn members_are_named_as_the_contract_names_them() {
    let document = document();
    let schemas = all(&document["components"]["schemas"]);
    for properties in schemas
        .into_iter()
        .filter_map(|schema| schema["properties"].as_object())
    {
        for name in properties.keys() {
            assert!(!name.contains('_'), "{name}");
        }
    }
}

#[test]
fn what_clients_are_shown_to_say_is_understood() {
    let requests = ["subscribe", "update", "unsubscribe", "ping", "auth"];
    let mut understood = 0;
    for (name, example) in examples::all().filter(|(name, _)| requests.contains(&name.as_str())) {
        ClientMessage::read_json(&example.to_string()).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        understood += 1;
    }
    assert!(understood >= requests.len());
}

#[test]
fn every_code_says_what_it_means() {
    let document = document();
    let codes = document["components"]["schemas"]["ErrorCode"]["oneOf"]
        .as_array()
        .unwrap();
    for (code, described) in ErrorCode::ALL.iter().zip(codes) {
        assert_eq!(described["enum"][0], code.as_str());
        assert_eq!(described["description"], code.meaning());
    }
    assert_eq!(codes.len(), ErrorCode::ALL.len());
}
/// The package's types are made from its copy of the description.
#[test]
fn the_client_package_has_this_description() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/client/asyncapi.json");
    if env::var_os("SKYHAUL_DESCRIBE").is_some() {
        let now = serde_json::to_string_pretty(&document()).unwrap();
        fs::write(&path, now + "\n").unwrap();
    }
    let kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert!(
        kept == document(),
        "the messages have changed: run `make describe` and commit what it writes"
    );
}
