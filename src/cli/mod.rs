//! The command line: flags and environment in, an exit status out.
//!
//! Parses and dispatches; what a command does is in its own file here, what the program
//! does is in the library's rooms.

mod backup;
mod check;
mod compare;
mod door;
mod emit;
mod environment;
mod export;
mod fork;
mod load;
mod notices;
mod recording;
mod replay;
mod run;
mod serve;
mod signals;
mod token;
mod unfinished;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::scenario::{self, Scenario, Severity, counted, parse_duration};
use crate::sim::time::SimDuration;
use crate::sim::world::World;

use signals::Signals;

#[derive(Parser)]
#[command(name = "skyhaul", version, about, arg_required_else_help = true)]
struct Cli {
    /// How log lines look; they go to standard error
    #[arg(
        long,
        value_enum,
        default_value = "text",
        global = true,
        env = "SKYHAUL_LOG_FORMAT",
        // After each command's own.
        display_order = 1_000
    )]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Run the live server: HTTP, WebSocket and the page
    Serve(Box<serve::Args>),
    /// Run a scenario to its end without a server, as fast as it goes
    Run(run::Args),
    /// Send a simulated fleet's telemetry, or orders, to a backend of your own in real time
    Emit(Box<emit::Args>),
    /// Serve a recording: the same HTTP, WebSocket and page as live
    Replay(Box<replay::Args>),
    /// What if: let a recorded world go on from some moment, otherwise
    Fork(fork::Args),
    /// Hold two recordings against each other, a branch and what it was made of for example
    Compare(compare::Args),
    /// Make a recording into a file for other programs
    Export(export::Args),
    /// Put a running server to the test: requests on a timetable, an audience, objectives
    Load(Box<load::Args>),
    /// Make a token for a server that asks for them
    Token(token::Args),
    /// Copy a data folder while its server runs
    Backup(backup::Args),
    /// Validate scenario files: every mistake, with its line and column
    Check(check::Args),
    /// Print the JSON Schema of scenario files
    Schema,
}

/// Why a command ends badly: one line of cause, one of remedy.
#[derive(Debug)]
struct Failure {
    cause: String,
    remedy: String,
    status: u8,
}

impl Failure {
    /// The user can put it right: exit status 2.
    fn bad_input(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Failure {
            cause: cause.into(),
            remedy: remedy.into(),
            status: 2,
        }
    }

    /// The run failed: exit status 1.
    fn failed(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Failure {
            status: 1,
            ..Failure::bad_input(cause, remedy)
        }
    }
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| environment::named(error).exit());
    start_logging(cli.log_format);
    signals::outlive_file_limits();
    let result = match cli.command {
        Command::Serve(args) => serve::serve(*args),
        Command::Run(args) => run::run(args),
        Command::Emit(args) => emit::emit(*args),
        Command::Replay(args) => replay::replay(*args),
        Command::Fork(args) => fork::fork(args),
        Command::Compare(args) => compare::compare(&args),
        Command::Export(args) => export::export(args),
        Command::Load(args) => load::run(*args),
        Command::Token(args) => token::token(args),
        Command::Backup(args) => backup::backup(args),
        Command::Check(args) => check::check(args),
        Command::Schema => check::schema(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", failure.cause);
            eprintln!("remedy: {}", failure.remedy);
            ExitCode::from(failure.status)
        }
    }
}

/// Libraries that write whole messages, tokens included, at these levels.
const TALKATIVE: [&str; 5] = [
    "tungstenite",
    "tokio_tungstenite",
    "hyper",
    "h2",
    "tokio_postgres",
];

/// Levels by `RUST_LOG`, `info` otherwise; whatever it says, no token gets into a log.
fn start_logging(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .from_env_lossy();
    let discreet = filter_fn(|metadata| {
        let room = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= tracing::Level::INFO || !TALKATIVE.contains(&room)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let all = tracing_subscriber::registry().with(filter).with(discreet);
    match format {
        LogFormat::Text => all.with(lines).init(),
        LogFormat::Json => all.with(lines.json()).init(),
    }
}

/// Loads a scenario for running it; its warnings are printed.
fn load_world(path: &Path, seed: Option<u64>) -> Result<Arc<World>, Failure> {
    scenario_of(path, seed).map(|scenario| Arc::new(scenario.world))
}

/// The same with what else the file says.
fn scenario_of(path: &Path, seed: Option<u64>) -> Result<Scenario, Failure> {
    let mut scenario = scenario::load(path).map_err(|diagnostics| {
        diagnostics
            .iter()
            .for_each(|diagnostic| eprintln!("{diagnostic}"));
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error);
        let (file, errors) = (path.display(), errors.count());
        let mistakes = counted(errors, "mistake");
        Failure::bad_input(
            format!("{file} has {mistakes}"),
            format!("correct what is listed above; `skyhaul check {file}` lists it again"),
        )
    })?;
    scenario
        .warnings
        .iter()
        .for_each(|warning| eprintln!("{warning}"));
    scenario.world.seed = seed.unwrap_or(scenario.world.seed);
    Ok(scenario)
}

/// Worlds of up to this many drones are quicker on one thread: handing rounds of a few
/// messages from thread to thread takes longer than carrying them out.
const DRONES_FOR_ONE_THREAD: u32 = 50_000;

/// What serves this world best on this machine, unless told otherwise.
fn threads(asked: Option<usize>, world: &World) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(|| {
        if world.drone_count() > DRONES_FOR_ONE_THREAD {
            cores()
        } else {
            1
        }
    })
}

fn duration(text: &str) -> Result<SimDuration, String> {
    parse_duration(text).ok_or_else(|| "a duration such as 90s, 30m or 4h is wanted".to_owned())
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=256) => Ok(threads),
        _ => Err("a number from 1 to 256 is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn each_flag_may_stand_in_the_environment_under_its_own_name() {
        let program = Cli::command();
        let mut flags = 0;
        for command in program.get_subcommands() {
            for argument in command.get_arguments() {
                let Some(flag) = argument.get_long() else { continue };
                let wanted = environment::variable_of(flag);
                let name = argument.get_env().and_then(|name| name.to_str());
                assert_eq!(name, Some(&*wanted), "--{flag} of {}", command.get_name());
                flags += 1;
            }
        }
        assert!(flags > 50, "{flags} flags were looked at");
    }
}
