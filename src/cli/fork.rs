//! `skyhaul fork`: a recorded world goes on from some moment, as it did or otherwise.

use std::fmt::Display;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::recording::{not_begun, not_onto, open, parse_elapsed, unread};
use super::run::display;
use super::run::table;
use super::unfinished::Unfinished;
use super::{Failure, parse_threads, threads};
use crate::recording::export::{clock, clock_from};
use crate::recording::{Fork, Full, NotShown, Recorder, Stopped, TapeError, branch};
use crate::run;
use crate::sim::time::SimTime;

#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// The moment, as elapsed simulated time, HH:MM:SS: what comes after it is executed anew
    #[arg(long, value_name = "T", env = "SKYHAUL_AT", value_parser = parse_elapsed)]
    at: SimTime,
    /// Another value in the scenario from then on, for example demand.rate=800/h; may be repeated
    #[arg(long, value_name = "KEY=VALUE", env = "SKYHAUL_SET", value_parser = parse_set)]
    set: Vec<(String, String)>,
    /// Where the branch is recorded
    #[arg(short, long, value_name = "OUT.mcap", env = "SKYHAUL_OUT")]
    out: PathBuf,
    /// End with one JSON object on a line of its own
    #[arg(long, env = "SKYHAUL_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    /// Worker threads; results do not depend on them
    #[arg(long, value_name = "N", env = "SKYHAUL_THREADS", value_parser = parse_threads)]
    threads: Option<usize>,
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is wanted")?;
    branch::check(key)?;
    Ok((key.to_owned(), value.to_owned()))
}

pub fn fork(args: Args) -> Result<(), Failure> {
    let unfinished = Unfinished::at(&args.out);
    for place in unfinished.places() {
        not_onto(&args.file, place, "--out")?;
    }
    let recording = open(&args.file)?;
    let fork = Fork::at(&recording, args.at).map_err(|error| unread(&args.file, &error))?;
    if !fork.is_inside() {
        return Err(Failure::bad_input(
            format!("--at is outside of {}", args.file.display()),
            format!(
                "give a time from {} to {}",
                clock_from(recording.begin()),
                clock(recording.end())
            ),
        ));
    }
    let branch = branch::of(&recording.origin, &args.set);
    let (origin, changed) = branch
        .map_err(|error| Failure::bad_input(error.to_string(), "see `skyhaul schema` for keys and values"))?;
    let hz = origin.hz;
    unfinished.heed_signals()?;
    let file = unfinished.create().map_err(TapeError::from);
    let recorder = file.and_then(|file| Recorder::to(file, origin));
    let recorder = recorder.map_err(|error| not_begun(&args.out, "--out", &error))?;
    let threads = match &changed {
        Some(world) => threads(args.threads, world),
        None => args.threads.unwrap_or(1),
    };
    let mut display = display::Display::new(fork.end());
    let summary = run::go_on(&fork, changed, threads, &recorder, hz, |progress| {
        display.show(progress);
        ControlFlow::Continue(())
    });
    display.finish();
    let unwritable = |error: &dyn Display| {
        Failure::failed(
            format!("{} cannot be written any more: {error}", args.out.display()),
            "make room, or give another --out",
        )
    };
    let recorded = recorder.finish().map_err(|error| unwritable(&error));
    let summary = match summary {
        // Why, the recorder knows.
        Err(Stopped::Recording(_)) => recorded.and_then(|_| Err(describe(&args, &Stopped::Recording(Full)))),
        Err(error) => Err(describe(&args, &error)),
        Ok(summary) => recorded.map(|_| summary),
    }?;
    unfinished.finish()?;
    let text = match args.json {
        true => super::run::json(&summary)?,
        false => table::of_one(&summary),
    };
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

fn describe(args: &Args, error: &Stopped) -> Failure {
    match error {
        Stopped::NotShown(NotShown::File(error)) => unread(&args.file, error),
        Stopped::NotShown(error) => Failure::bad_input(
            format!("{}: {error}", args.file.display()),
            "use the version that recorded it",
        ),
        Stopped::World(_) | Stopped::Recording(_) | Stopped::Cancelled => Failure::failed(
            format!("the run stopped: {error}"),
            "this is a bug; please report it with the recording",
        ),
    }
}
