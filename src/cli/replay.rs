//! `skyhaul replay`: a recording, served like a world.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::recording::{open, parse_elapsed, unread};
use super::{Failure, Signals, door};
use crate::auth::{KEY_VARIABLE, Mode};
use crate::recording::export::{clock, clock_from};
use crate::recording::playback::{Playback, Programme};
use crate::recording::{NotShown, Recording};
use crate::server::{self, ReplayOptions};
use crate::sim::time::SimTime;
use crate::view::reading::Speed;
use crate::wire::api::simulation::PLAYBACK_SPEEDS;

#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// Another one to show beside it at the same moments: a branch of it, or the same scenario with another policy
    beside: Option<PathBuf>,
    /// Simulated seconds per second, 0.1 to 1000, below 0 backwards, or max
    #[arg(long, value_name = "N|max", env = "SKYHAUL_SPEED", default_value = "1", allow_hyphen_values = true, value_parser = parse_speed)]
    speed: Speed,
    /// Start with the clock standing still
    #[arg(long, env = "SKYHAUL_PAUSED", value_parser = BoolishValueParser::new())]
    paused: bool,
    /// From the end to the beginning, and on
    #[arg(long = "loop", env = "SKYHAUL_LOOP", value_parser = BoolishValueParser::new())]
    is_loop: bool,
    /// From this elapsed simulated time on, HH:MM:SS
    #[arg(long, value_name = "T", env = "SKYHAUL_FROM", value_parser = parse_elapsed)]
    from: Option<SimTime>,
    /// Up to this elapsed simulated time, HH:MM:SS
    #[arg(long, value_name = "T", env = "SKYHAUL_TO", value_parser = parse_elapsed)]
    to: Option<SimTime>,
    #[command(flatten)]
    door: door::Args,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse::<f64>() {
        Ok(times) if PLAYBACK_SPEEDS.contains(&times.abs()) => Ok(Speed::Times(times)),
        _ => Err("a number from 0.1 to 1000, below 0 for backwards, or max, is wanted".to_owned()),
    }
}

pub fn replay(args: Args) -> Result<(), Failure> {
    let access = args.door.access()?;
    let is_keyless = access.mode == Mode::Required && access.key.is_none();
    let recording = open(&args.file)?;
    let programme = programme(&args, &recording)?;
    if let Some(beside) = &args.beside {
        open(beside)?;
    }
    let name = recording.origin.name.clone();
    let options = ReplayOptions {
        basemap: args.door.basemap()?,
        access,
        beside: args.beside.clone(),
        ..ReplayOptions::default()
    };
    let (playback, played) =
        Playback::start(recording, programme).map_err(|error| describe(&args, &error))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::failed(
            format!("the runtime cannot start: {error}"),
            "see whether the machine has room for threads",
        )
    })?;
    let served = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let listener = args.door.listen().await?;
        let served = server::replay(playback, options, listener).await;
        let server = served.map_err(|error| super::serve::describe(&error))?;
        tracing::info!(
            recording = name,
            "replaying on http://{} (API documentation at /docs)",
            server.address()
        );
        if is_keyless {
            tracing::warn!(
                "tokens are required, and nobody can make one: the key ends with this process. \
                 Give {KEY_VARIABLE}"
            );
        }
        let broken = tokio::task::spawn_blocking(move || played.join());
        let result = tokio::select! {
            () = signals.end() => Ok(()),
            broken = broken => match broken {
                Ok(Ok(Err(error))) => Err(describe(&args, &error)),
                _ => Ok(()),
            },
        };
        server.stop().await;
        result
    });
    runtime.shutdown_background();
    served
}

fn programme(args: &Args, recording: &Recording) -> Result<Programme, Failure> {
    let end = recording.end();
    let begin = recording.begin();
    let from = args.from.unwrap_or(begin);
    let to = args.to.unwrap_or(end).min(end);
    if from > end {
        return Err(Failure::bad_input(
            format!(
                "--from is outside of {}: the recording ends at {}",
                args.file.display(),
                clock(end)
            ),
            "give an earlier time",
        ));
    }
    if to < begin {
        return Err(Failure::bad_input(
            format!(
                "--to is outside of {}: the recording begins at {}",
                args.file.display(),
                clock_from(begin)
            ),
            "give a later time",
        ));
    }
    if from > to {
        return Err(Failure::bad_input(
            "--from is after --to",
            "give the earlier time with --from",
        ));
    }
    Ok(Programme {
        speed: args.speed,
        paused: args.paused,
        is_loop: args.is_loop,
        from,
        to,
    })
}

fn describe(args: &Args, error: &NotShown) -> Failure {
    match error {
        NotShown::File(error) => unread(&args.file, error),
        NotShown::NoWorld(_) | NotShown::State(_) | NotShown::World(_) => Failure::bad_input(
            format!("{}: {error}", args.file.display()),
            "use the version that recorded it",
        ),
    }
}
