//! `skyhaul load compare`: two tests side by side.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Failure;
use crate::load;

#[derive(clap::Args)]
pub(super) struct Args {
    /// What --json wrote of the first test
    before: PathBuf,
    /// And of the second
    after: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let mut text = format!("{:<34} {:>12} {:>12} {:>9}\n", "", "before", "after", "ratio");
    for figure in load::compare(&before, &after) {
        let shown = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        let ratio = figure
            .ratio()
            .map_or_else(|| "–".to_owned(), |ratio| format!("× {ratio:.2}"));
        let (before, after) = (shown(figure.before), shown(figure.after));
        text += &format!("{:<34} {before:>12} {after:>12} {ratio:>9}\n", figure.name);
    }
    for (summary, path) in [(&before, &args.before), (&after, &args.after)] {
        if summary["void"] == true {
            text += &format!("{} is of a void run: its figures say nothing\n", path.display());
        }
    }
    let _closed = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// The last line that is anything: what comes before it is for people.
fn read(path: &Path) -> Result<Value, Failure> {
    let bad = |why: String| {
        Failure::bad_input(
            format!("{} {why}", path.display()),
            "give what `skyhaul load … --json` wrote",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| bad(format!("cannot be read: {error}")))?;
    let last = text
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default();
    match serde_json::from_str::<Value>(last) {
        Ok(summary) if summary["ops"].is_object() => Ok(summary),
        _ => Err(bad("does not end with the summary of a test".to_owned())),
    }
}
