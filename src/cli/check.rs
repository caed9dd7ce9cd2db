//! `skyhaul check` and `skyhaul schema`.

use std::io::Write;
use std::path::PathBuf;

use super::Failure;
use crate::scenario::{self, Severity, counted};

#[derive(clap::Args)]
pub struct Args {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub fn check(args: Args) -> Result<(), Failure> {
    let diagnostics = scenario::check(&args.files);
    diagnostics
        .iter()
        .for_each(|diagnostic| eprintln!("{diagnostic}"));
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let files = counted(args.files.len(), "file");
    if errors > 0 {
        return Err(Failure::bad_input(
            format!(
                "{} and {} in {files}",
                counted(errors, "error"),
                counted(warnings, "warning")
            ),
            "correct what is listed above; `skyhaul schema` describes the format",
        ));
    }
    println!("{files} checked: no errors, {}", counted(warnings, "warning"));
    Ok(())
}

pub fn schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&scenario::schema()).map_err(|error| {
        Failure::failed(
            format!("the schema cannot be written: {error}"),
            "this is a bug; please report it",
        )
    })?;
    // A reader that has enough (`| head`) is no failure.
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}
