//! Scenario files: TOML in, a world out, and every mistake with its line and column.
//!
//! [`document`], [`order_keys`] (with the CSV files of [`order_files`]), [`model`], [`stages`], [`audience`] and [`objectives`] name the keys (and thereby the
//! JSON Schema); [`fields`], [`kinds`], [`times`] and [`locations`] say how keys are
//! described and read; [`build`], [`fleets`], [`zones`] and [`orders`] make the world and
//! check what one value means for another; [`capacity`] estimates what the fleet can serve, [`grounded`] finds who cannot fly at all, [`unreachable`]
//! what nobody gets to, [`crowded`] hubs with too few pads or chargers.
//! Nothing here runs anything.

mod accounts;
mod audience;
mod build;
mod capacity;
mod crowded;
mod diagnostic;
mod document;
mod faults;
mod fields;
mod fleets;
mod geojson;
mod grounded;
mod hash;
mod kinds;
mod locations;
mod model;
mod objectives;
mod order_files;
mod order_keys;
mod orders;
mod recipient;
mod separation;
mod sources;
mod stages;
mod target;
mod template;
mod third_party;
mod times;
mod unreachable;
mod weather;
mod workflow;
mod zones;

use std::path::Path;

pub use audience::{Audience, Shares};
pub use capacity::{Bottleneck, Capacity, estimate};
pub use diagnostic::{Diagnostic, Severity, counted};
pub use objectives::{Limit, Measure, Objective};
pub use sources::{NoScenario, files_named, parse_with_files, with_values};
pub use stages::{Arrivals, Load, Model, Stage};
pub use target::{Mapping, Route, Status};
pub use template::{Field, Piece, Template};
pub use times::{parse_duration, parse_rate, show_duration};
use toml::de::DeTable;

use crate::sim::world::World;
use diagnostic::{LineIndex, Log};
use document::Document;

/// A scenario without mistakes.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub world: World,
    pub test: Test,
    pub warnings: Vec<Diagnostic>,
}

/// What `skyhaul load` does with a server that runs this world. The world itself knows
/// nothing of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Test {
    pub audience: Option<Audience>,
    pub load: Option<Load>,
    /// Of a server of another kind.
    pub mapping: Option<Mapping>,
    pub objectives: Vec<Objective>,
}

/// Reads a scenario file; paths in it are relative to it. The error holds every mistake,
/// and the warnings beside them, in the order of the file.
pub fn load(path: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    let file_name = path.display().to_string();
    let whole_file = |line, column, message: String, remedy: &str| {
        vec![Diagnostic {
            file: file_name.clone(),
            line,
            column,
            severity: Severity::Error,
            message,
            remedy: remedy.to_owned(),
        }]
    };
    let bytes = std::fs::read(path).map_err(|error| {
        whole_file(
            1,
            1,
            format!("the file cannot be read: {error}"),
            "give the path of a scenario file",
        )
    })?;
    let source = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let (line, column) = LineIndex::new(&text).position(valid);
        whole_file(
            line,
            column,
            "the file is not UTF-8 text".to_owned(),
            "save it as UTF-8",
        )
    })?;
    let base_dir = path.parent().unwrap_or(Path::new(""));
    parse(&source, &file_name, base_dir)
}

/// Reads a scenario from text. `file_name` stands in diagnostics; paths in the text are
/// relative to `base_dir`.
pub fn parse(source: &str, file_name: &str, base_dir: &Path) -> Result<Scenario, Vec<Diagnostic>> {
    let (tree, syntax) = DeTable::parse_recoverable(source);
    let mut log = Log::default();
    let mut document = fields::read_table(tree.get_ref(), 0..0, &mut log, document::document);
    let world = build::build(&document, base_dir, &mut log);
    if let Some(world) = &world {
        doubt(&document, world, &mut log);
    }
    let load = document.load.take().and_then(|at| at.value);
    let test = Test {
        objectives: objectives::of_stages(document.slos, load.as_ref(), &mut log),
        audience: document.audience.map(|at| at.value),
        mapping: document.target.and_then(|at| at.value),
        load,
    };
    let has_mistakes = log.error_count() > 0;
    let diagnostics = log.into_diagnostics(file_name, source, &syntax);
    match world {
        Some(world) if syntax.is_empty() && !has_mistakes => Ok(Scenario {
            world,
            test,
            warnings: diagnostics,
        }),
        _ => Err(diagnostics),
    }
}

/// What of a whole world would not do what it seems to be there for.
fn doubt(document: &Document, world: &World, log: &mut Log) {
    let grounded = grounded::warn_of_grounded(document, world, log);
    crowded::warn_of_crowds(document, world, log);
    if !grounded.all {
        capacity::warn_of_overload(document, world, log);
        unreachable::warn_of_unreachable(document, world, &grounded, log);
    }
}

/// Everything there is to say about several files.
pub fn check<P: AsRef<Path>>(paths: &[P]) -> Vec<Diagnostic> {
    let of_file = |path: &P| match load(path.as_ref()) {
        Ok(scenario) => scenario.warnings,
        Err(diagnostics) => diagnostics,
    };
    paths.iter().flat_map(of_file).collect()
}

/// The JSON Schema (draft 2020-12) of scenario files, for editors that check TOML.
pub fn schema() -> serde_json::Value {
    use fields::{Kind, Table};
    let mut schema = Table(document::document).schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Skyhaul scenario".into();
    schema
}

#[cfg(test)]
mod tests;
