//! A scenario that does not lie in a folder: its text with the texts of the files that it names,
//! as a recording keeps them.

use std::collections::BTreeMap;
use std::fmt::Display;

use toml::{Table, Value};

use super::{Scenario, Severity, parse};

/// Where a scenario names files.
const NAMING: [&[&str]; 4] = [
    &["area", "land"],
    &["zones"],
    &["demand", "dropoff", "points"],
    &["demand", "trace"],
];

/// Why texts make no scenario.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoScenario(String);

impl NoScenario {
    fn because(cause: impl Display) -> Self {
        NoScenario(cause.to_string())
    }
}

/// The files that a scenario's text names, as it names them.
pub fn files_named(source: &str) -> Vec<String> {
    let Ok(mut table) = source.parse::<Table>() else {
        return Vec::new();
    };
    let names = NAMING.iter().filter_map(|keys| named(&mut table, keys).cloned());
    names.collect()
}

fn named<'a>(table: &'a mut Table, keys: &[&str]) -> Option<&'a mut String> {
    let (last, tables) = keys.split_last()?;
    let mut table = table;
    for key in tables {
        table = table.get_mut(*key)?.as_table_mut()?;
    }
    match table.get_mut(*last)? {
        Value::String(name) => Some(name),
        _ => None,
    }
}

/// Reads a scenario whose files have these texts, by the names that it has for them.
///
/// # Errors
/// A text that is no scenario, or one whose files are missing; or no room for what is laid down
/// for a moment.
pub fn parse_with_files(source: &str, files: &BTreeMap<String, String>) -> Result<Scenario, NoScenario> {
    let folder = tempfile::tempdir().map_err(NoScenario::because)?;
    let mut table: Table = source.parse().map_err(NoScenario::because)?;
    for keys in NAMING {
        let Some(name) = named(&mut table, keys) else {
            continue;
        };
        let text = files.get(name);
        let text = text.ok_or_else(|| NoScenario(format!("its file {name} is missing")))?;
        // Wherever it was, it is here now.
        *name = format!("{}.txt", keys.join("-"));
        std::fs::write(folder.path().join(&*name), text).map_err(NoScenario::because)?;
    }
    let source = table.to_string();
    parse(&source, "scenario", folder.path()).map_err(|diagnostics| {
        // Lines and columns would be those of a text that nobody has seen.
        let errors = (diagnostics.iter()).filter(|one| one.severity == Severity::Error);
        let mistakes: Vec<String> = errors
            .map(|one| format!("{}; {}", one.message, one.remedy))
            .collect();
        NoScenario(mistakes.join("; "))
    })
}

/// The text with other values at these dotted keys: as TOML where they are, as text else.
///
/// # Errors
/// A text that is no TOML, or a key that leads through what is no table.
pub fn with_values(source: &str, set: &[(String, String)]) -> Result<String, NoScenario> {
    let mut table: Table = source.parse().map_err(NoScenario::because)?;
    for (key, text) in set {
        let value = format!("value = {text}").parse::<Table>();
        let value = value.ok().and_then(|mut read| read.remove("value"));
        let value = value.unwrap_or_else(|| Value::String(text.clone()));
        let keys: Vec<&str> = key.split('.').collect();
        put(&mut table, &keys, value).ok_or_else(|| NoScenario(format!("there can be no key {key}")))?;
    }
    Ok(table.to_string())
}

fn put(table: &mut Table, keys: &[&str], value: Value) -> Option<()> {
    let (last, tables) = keys.split_last()?;
    let mut table = table;
    for key in tables {
        let inner = table.entry(*key).or_insert_with(|| Value::Table(Table::new()));
        table = inner.as_table_mut()?;
    }
    table.insert((*last).to_owned(), value);
    Some(())
}
