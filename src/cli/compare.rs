//! `skyhaul compare`: two recordings held against each other.

use std::io::Write;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::Failure;
use super::recording::{open, unread};
use super::run::{display, json};
use crate::recording::NotShown;
use crate::run::{self, NotCompared};
use crate::sim::time::Tick;
use crate::view::branches::{Comparison, Measure};

#[derive(clap::Args)]
pub struct Args {
    /// A recording
    first: PathBuf,
    /// The one that is held against it: a branch of it, the same scenario with another policy, or any other
    second: PathBuf,
    /// End with one JSON object on a line of its own
    #[arg(long, env = "SKYHAUL_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

pub fn compare(args: &Args) -> Result<(), Failure> {
    let (first, second) = (open(&args.first)?, open(&args.second)?);
    let found = run::against(&first, &second).map_err(|error| describe(args, &error))?;
    let text = match args.json {
        true => json(&Told::of(found))?,
        false => table(&found, [&first.origin.name, &second.origin.name]),
    };
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// As JSON.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// Simulated seconds since the beginning: the time that is counted.
    from_seconds: f64,
    to_seconds: f64,
    seeds: [u64; 2],
    policies: [String; 2],
    parts_at_seconds: Option<f64>,
    parts_at_tick: Option<Tick>,
    measures: Vec<Measure>,
}

impl Told {
    fn of(found: Comparison) -> Self {
        Told {
            from_seconds: found.from.as_secs(),
            to_seconds: found.to.as_secs(),
            seeds: found.recordings.each_ref().map(|of| of.seed),
            policies: found.recordings.map(|of| of.policy),
            parts_at_seconds: found.parts_at.map(|(at, _)| at.as_secs()),
            parts_at_tick: found.parts_at.map(|(_, tick)| tick),
            measures: found.measures,
        }
    }
}

fn describe(args: &Args, error: &NotCompared) -> Failure {
    let path = |second: &bool| if *second { &args.second } else { &args.first };
    match error {
        NotCompared::NotRead {
            second,
            error: NotShown::File(error),
        } => unread(path(second), error),
        NotCompared::NotRead { second, error } => Failure::bad_input(
            format!("{}: {error}", path(second).display()),
            "use the version that recorded it",
        ),
        NotCompared::Apart { .. } => Failure::bad_input(
            format!("{} and {}: {error}", args.first.display(), args.second.display()),
            "give recordings of the same simulated time",
        ),
    }
}

fn table(found: &Comparison, names: [&str; 2]) -> String {
    let window = [found.from, found.to].map(|at| display::clock(at.as_secs()));
    let mut lines = vec![
        format!("{} to {} of both", window[0], window[1]),
        match found.parts_at {
            None => "the same from beginning to end".to_owned(),
            Some((at, tick)) => format!(
                "they differ from {} on (tick {tick})",
                display::clock(at.as_secs())
            ),
        },
        String::new(),
    ];
    let row = |title: &str, cells: [&str; 3]| {
        let [one, other, difference] = cells;
        format!("{title:<22}{one:>16}{other:>16}{difference:>16}")
    };
    let [one, other] = names;
    lines.push(row("", [one, other, "difference"]));
    for (title, values) in [
        ("seed", found.recordings.each_ref().map(|of| of.seed.to_string())),
        ("policy", found.recordings.each_ref().map(|of| of.policy.clone())),
    ] {
        lines.push(row(title, [&values[0], &values[1], ""]));
    }
    lines.extend(found.measures.iter().map(|measure| {
        let [one, other, difference] = cells(measure);
        row(&measure.title, [&one, &other, &difference])
    }));
    lines.join("\n")
}

fn cells(measure: &Measure) -> [String; 3] {
    // Counts are whole.
    let is_whole = measure.values.iter().flatten().all(|value| value.fract() == 0.0);
    let places = if is_whole { 0 } else { 2 };
    let shown = |value: Option<f64>| {
        value.map_or("–".to_owned(), |value| {
            format!("{:.places$}", value * measure.scale)
        })
    };
    let shown_of = |side: usize| shown(measure.values.get(side).copied().flatten());
    let (one, other) = (shown_of(0), shown_of(1));
    let difference = measure.difference.map_or("–".to_owned(), |difference| {
        format!("{:+.places$}", difference * measure.scale)
    });
    [one, other, difference]
}
