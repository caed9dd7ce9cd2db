//! Rubbish in every key that the schema names: one mistake makes one error, and it names the key.

use serde_json::{Map, Value, json};

use super::*;
use crate::scenario::fields::to_json;
use toml::de::{DeTable, DeValue};

/// What [`FULL`] has none of.
const MORE: &str = r#"
[[weather.change]]
at = "1h"
speed = 4.0
from = 200

[[zone]]
name = "Heliport"
polygon = [[37.770, -122.392], [37.776, -122.392], [37.776, -122.386], [37.770, -122.386]]

[[fault]]
at = "10m"
kind = "wind_shift"
speed = 8.0

[[account]]
id = "shop"
"#;

/// A key of the file: tables by their names, the first of each list.
type Path = Vec<String>;

/// All keys, with their schemas; of a list its first entry's.
fn keys_of(schema: &Value, document: Option<&Value>, path: &Path, found: &mut Vec<(Path, Value)>) {
    let below = |key: &str| [path.clone(), vec![key.to_owned()]].concat();
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        found.push((below(key), schema.clone()));
        keys_of(
            schema,
            document.and_then(|table| table.get(key)),
            &below(key),
            found,
        );
    }
    let of_any_name = &schema["additionalProperties"];
    if let (true, Some(tables)) = (of_any_name.is_object(), document.and_then(Value::as_object)) {
        let (name, table) = tables.iter().next().expect("one is there");
        keys_of(of_any_name, Some(table), &below(name), found);
    }
    if schema["items"]["properties"].is_object() {
        keys_of(
            &schema["items"],
            document.and_then(|list| list.get(0)),
            path,
            found,
        );
    }
}

/// What cannot be right where the schema says this.
fn rubbish_for(schema: &Value) -> Vec<Value> {
    let beyond = |bound: &str, by: f64| {
        let bound = schema[bound].as_f64().filter(|bound| bound.abs() < 1e15);
        bound.map(|bound| match schema["type"] == "integer" {
            true => json!((bound + by) as i64),
            false => json!(bound + by),
        })
    };
    match schema["type"].as_str() {
        Some("string") if schema["pattern"] == "\\S" => vec![json!(7), json!("  ")],
        Some("string") => vec![json!(7), json!("?"), json!("-1s")],
        Some("number") => [
            beyond("minimum", -1.0),
            beyond("maximum", 1.0),
            Some(json!("seven")),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Some("integer") => [beyond("minimum", -1.0), beyond("maximum", 1.0), Some(json!(1.5))]
            .into_iter()
            .flatten()
            .collect(),
        Some("boolean") => vec![json!("yes"), json!(1)],
        Some("array") => vec![json!(5), json!("[]"), json!({})],
        Some("object") => vec![json!(5), json!([1])],
        _ => vec![json!(true)],
    }
}

/// The document with this value there; tables on the way are made.
fn with(document: &Value, path: &[String], value: Value) -> Value {
    let Some((key, below)) = path.split_first() else {
        return value;
    };
    if let Value::Array(list) = document {
        let mut list = list.clone();
        list[0] = with(&list[0], path, value);
        return Value::Array(list);
    }
    let mut table = document.as_object().cloned().unwrap_or_default();
    let inner = table.get(key).cloned().unwrap_or(Value::Object(Map::new()));
    table.insert(key.clone(), with(&inner, below, value));
    Value::Object(table)
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let keys = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn as_toml(document: &Value) -> String {
    let keys = document.as_object().expect("a document is a table").iter();
    keys.map(|(key, value)| format!("{key} = {}\n", inline(value)))
        .collect()
}

fn errors_of(document: &Value) -> Vec<String> {
    let wrong = parse_here(&as_toml(document)).err().unwrap_or_default();
    let errors = wrong.iter().filter(|said| said.severity == Severity::Error);
    errors.map(Diagnostic::to_string).collect()
}

fn document() -> Value {
    let source = format!("{FULL}{MORE}");
    let tree = DeTable::parse(&source).expect("it is TOML").into_inner();
    let document = to_json(&DeValue::Table(tree));
    let wing = json!({"efficiency": 0.5, "lift_to_drag": 8.0});
    let more = [
        ("demand.pickup.prep", json!({"median": "6m", "p95": "15m"})),
        ("fleet.cycles", json!({"min": 0, "max": 10})),
        ("model.box.power.model", json!("hybrid")),
        ("model.box.power.wing", wing),
    ];
    let add = |document, (key, value): (&str, Value)| {
        let path: Path = key.split('.').map(str::to_owned).collect();
        with(&document, &path, value)
    };
    more.into_iter().fold(document, add)
}

#[test]
fn rubbish_in_any_key_is_told_once_and_by_the_keys_name() {
    let document = document();
    assert_eq!(errors_of(&document), [""; 0]);
    let mut keys = Vec::new();
    keys_of(&schema(), Some(&document), &Path::new(), &mut keys);
    assert!(keys.len() > 150, "{} keys", keys.len());
    // The first stage is a steady one: these are wrong there, whatever they say.
    let unlike_steady = ["load.stages.to", "load.stages.over", "load.stages.users"];
    keys.retain(|(path, _)| !unlike_steady.contains(&path.join(".").as_str()));
    let mut unlike = Vec::new();
    for (path, schema) in &keys {
        let key = path.last().expect("a key has a name");
        for rubbish in rubbish_for(schema) {
            let errors = errors_of(&with(&document, path, rubbish.clone()));
            if errors.len() != 1 || !errors[0].contains(&format!("`{key}`")) {
                unlike.push(format!("{} = {rubbish}: {errors:#?}", path.join(".")));
            }
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[test]
fn a_key_that_no_table_knows_is_told_once_in_each() {
    let document = document();
    let mut keys = Vec::new();
    keys_of(&schema(), Some(&document), &Path::new(), &mut keys);
    let is_table =
        |schema: &Value| schema["properties"].is_object() || schema["items"]["properties"].is_object();
    let tables = keys.iter().filter(|(_, schema)| is_table(schema));
    let at_top = std::iter::once(&Path::new())
        .chain(tables.map(|(path, _)| path))
        .cloned()
        .collect::<Vec<_>>();
    for table in at_top {
        let path = [table, vec!["rubbish".to_owned()]].concat();
        let errors = errors_of(&with(&document, &path, json!(1)));
        let told = errors
            .iter()
            .filter(|error| error.contains("unknown key `rubbish`"));
        assert_eq!(told.count(), 1, "{}: {errors:#?}", path.join("."));
    }
}
