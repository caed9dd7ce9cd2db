//! `skyhaul serve`: the live server until a signal ends it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::BoolishValueParser;

use super::recording::{check_followed, cut_short, not_begun, parse_drone, parse_record_hz, sources_of};
use super::token::bad_key;
use super::{Failure, Signals, load_world, parse_threads, threads};
use super::{door, notices};
use crate::auth::{KEY_VARIABLE, Mode};
use crate::http::RateLimit;
use crate::recording::{Studio, StudioSettings};
use crate::scenario::{parse_duration, parse_rate};
use crate::server::{self, Keep, Limits, Options, ServerError};
use crate::sim::ids::DroneId;
use crate::sim::time::SimDuration;
use crate::sim::world::World;
use crate::store::{self, HISTORY_FOLDER};
use crate::view::reading::Speed;

#[derive(clap::Args)]
pub struct Args {
    /// The world to simulate
    #[arg(
        long,
        value_name = "FILE",
        env = "SKYHAUL_SCENARIO",
        default_value = "scenarios/san-francisco.toml"
    )]
    scenario: PathBuf,
    /// Where the store is: a folder, a PostgreSQL database
    /// (postgres://USER@HOST:PORT/DATABASE, with the password in PGPASSWORD), or :memory: to
    /// keep nothing
    #[arg(long, value_name = "DIR|URL|:memory:", env = "SKYHAUL_DATA", hide_env_values = true, default_value = "./data", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    data: String,
    /// Move history that is older, by the simulated clock, out of the store, a day a Parquet file
    #[arg(long, value_name = "DURATION", env = "SKYHAUL_KEEP_HISTORY", value_parser = parse_keep)]
    keep_history: Option<SimDuration>,
    /// Where these files go [default: history in the store's folder]
    #[arg(long, value_name = "DIR", env = "SKYHAUL_HISTORY_DIR")]
    history_dir: Option<PathBuf>,
    /// Begin the world anew: an old store there is replaced
    #[arg(long, env = "SKYHAUL_FRESH", value_parser = BoolishValueParser::new())]
    fresh: bool,
    /// Simulated seconds per second, or max
    #[arg(long, value_name = "N|max", env = "SKYHAUL_SPEED", default_value = "1", value_parser = parse_speed)]
    speed: Speed,
    /// Start with the clock standing still
    #[arg(long, env = "SKYHAUL_PAUSED", value_parser = BoolishValueParser::new())]
    paused: bool,
    /// The seed, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SEED")]
    seed: Option<u64>,
    /// Worker threads of the world; results do not depend on them [default: 1, or the machine's cores for over 50,000 drones]
    #[arg(long, value_name = "N", env = "SKYHAUL_THREADS", value_parser = parse_threads)]
    threads: Option<usize>,
    /// Most requests a second of one account, or of one address without an account's token, with
    /// as many at once; more are answered 429
    #[arg(long, value_name = "N/s", env = "SKYHAUL_RATE_LIMIT", value_parser = parse_rate_limit)]
    rate_limit: Option<f64>,
    /// HTTP connections at a time, event streams included; whoever comes then is answered 503.
    /// WebSockets are counted apart
    #[arg(long, value_name = "N", env = "SKYHAUL_MAX_CONNECTIONS", default_value_t = Limits::default().connections, value_parser = parse_connections)]
    max_connections: usize,
    /// Record the world to this file, as MCAP, for `skyhaul replay` and `export`; an old one there
    /// gets another name
    #[arg(long, value_name = "OUT.mcap", env = "SKYHAUL_RECORD")]
    record: Option<PathBuf>,
    /// Where recordings go that are begun while the world runs (PUT /api/recording) [default:
    /// recordings in --data, where that is a folder]
    #[arg(long, value_name = "DIR", env = "SKYHAUL_RECORDINGS")]
    recordings: Option<PathBuf>,
    /// Recorded positions a simulated second, at most one a tick
    #[arg(long, value_name = "N", env = "SKYHAUL_RECORD_HZ", default_value_t = 1.0, value_parser = parse_record_hz)]
    record_hz: f64,
    /// In recordings, show where these drones fly on Foxglove's map too, each on a channel of its
    /// own, for example d-0,d-17
    #[arg(long, value_name = "ID", env = "SKYHAUL_RECORD_FOXGLOVE", value_delimiter = ',', value_parser = parse_drone)]
    record_foxglove: Vec<DroneId>,
    /// Only outside requests: the scenario's own customers stay away
    #[arg(long, env = "SKYHAUL_NO_DEMAND", value_parser = BoolishValueParser::new())]
    no_demand: bool,
    #[command(flatten)]
    door: door::Args,
    #[command(flatten)]
    notices: notices::Args,
}

fn parse_rate_limit(text: &str) -> Result<f64, String> {
    let rate = parse_rate(text).filter(|rate| RateLimit::new(*rate).is_some());
    rate.ok_or_else(|| "a rate such as 20/s is wanted".to_owned())
}

const MOST_CONNECTIONS: usize = 1_000_000;
/// The store, its logs, and whatever is written.
const OTHER_FILES: usize = 100;

fn parse_connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(connections @ 1..=MOST_CONNECTIONS) => Ok(connections),
        _ => Err(format!("a number from 1 to {MOST_CONNECTIONS} is wanted")),
    }
}

/// Each connection is a file to the system, and few files are what it allows at first.
fn open_files(options: &Options) {
    let wanted = options.limits.connections + options.sessions.max_sessions + OTHER_FILES;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files < wanted as u64 => tracing::info!(
            files,
            wanted,
            "fewer files may be open than connections and sessions could need: see ulimit -n"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "how many files may be open stays as it is"),
    }
}

fn parse_keep(text: &str) -> Result<SimDuration, String> {
    parse_duration(text).ok_or_else(|| "a duration such as 720h is wanted".to_owned())
}

/// A store that is no folder has none for other files either.
fn keep(args: &Args) -> Result<Option<Keep>, Failure> {
    let Some(history) = args.keep_history else {
        return Ok(None);
    };
    let is_folder = store::is_folder(&args.data);
    let folder = args.history_dir.clone();
    let folder = folder.or_else(|| is_folder.then(|| Path::new(&args.data).join(HISTORY_FOLDER)));
    match folder {
        Some(folder) => Ok(Some(Keep { history, folder })),
        None => Err(Failure::bad_input(
            "--keep-history moves days into files, and nobody says where",
            "name a folder with --history-dir",
        )),
    }
}

/// In the data folder.
const RECORDINGS_FOLDER: &str = "recordings";
/// Fastest speed that is no `max`.
const FASTEST: f64 = 10_000.0;

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse::<f64>() {
        Ok(times) if times > 0.0 && times <= FASTEST => Ok(Speed::Times(times)),
        _ => Err(format!("a number above 0 and up to {FASTEST}, or max, is wanted")),
    }
}

pub fn serve(args: Args) -> Result<(), Failure> {
    let access = args.door.access()?;
    let world = load_world(&args.scenario, args.seed)?;
    let keep = keep(&args)?;
    let studio = Arc::new(studio(&args, &world)?);
    let record = args.record.clone();
    if let Some(path) = &record {
        studio
            .record_to(path)
            .map_err(|error| not_begun(path, "--record", &error))?;
    }
    let options = Options {
        basemap: args.door.basemap()?,
        keep,
        data: args.data,
        fresh: args.fresh,
        speed: args.speed,
        paused: args.paused,
        threads: threads(args.threads, &world),
        demand: !args.no_demand,
        limits: Limits {
            connections: args.max_connections,
            ..Limits::default()
        },
        rate_limit: args.rate_limit,
        access,
        notices: args.notices.settings()?,
        stand: studio.stand(),
        studio: Some(Arc::clone(&studio)),
        ..Options::default()
    };
    open_files(&options);
    let keyless = keyless(&options);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::failed(
            format!("the runtime cannot start: {error}"),
            "see whether the machine has room for threads",
        )
    })?;
    let served = runtime.block_on(async {
        // Before anybody can see that the server is there, and end it.
        let mut signals = Signals::listen()?;
        let listener = args.door.listen().await?;
        let name = world.name.clone();
        let server = tokio::select! {
            server = server::start(world, options, listener) => server.map_err(|error| describe(&error))?,
            () = signals.end() => {
                tracing::info!("ending before the world was where it was");
                return Ok(());
            }
        };
        let address = server.address();
        tracing::info!(
            scenario = name,
            "serving on http://{address} (API documentation at /docs)"
        );
        if args.door.is_open_to_this_machine() {
            tracing::info!("open to every program on this machine: no tokens are asked for on loopback");
        }
        if keyless {
            tracing::warn!(
                "tokens are required, and nobody can make one: the key ends with this process. \
                 Give --data a folder, or {KEY_VARIABLE}"
            );
        }
        until_signal(server, signals).await
    });
    // Who is told to end while the store opens does not wait for that.
    runtime.shutdown_background();
    if let Some(Err(error)) = studio.finish() {
        return served.and(Err(cut_short(record.as_deref(), &error)));
    }
    served
}

/// Who records the world, from the first tick on or when somebody asks for it.
fn studio(args: &Args, world: &Arc<World>) -> Result<Studio, Failure> {
    check_followed(world, &args.record_foxglove)?;
    let is_folder = store::is_folder(&args.data);
    let folder = args.recordings.clone();
    let settings = StudioSettings {
        folder: folder.or_else(|| is_folder.then(|| Path::new(&args.data).join(RECORDINGS_FOLDER))),
        sources: sources_of(&args.scenario)?,
        hz: args.record_hz,
        followed: args.record_foxglove.clone(),
    };
    Ok(Studio::new(settings, Arc::clone(world)))
}

/// Whether tokens are asked for that nobody can make.
fn keyless(options: &Options) -> bool {
    let access = &options.access;
    access.mode == Mode::Required && access.key.is_none() && !store::is_folder(&options.data)
}

async fn until_signal(mut server: server::Server, mut signals: Signals) -> Result<(), Failure> {
    tokio::select! {
        error = server.failed() => return Err(describe(&error)),
        () = signals.end() => {}
    }
    tracing::info!("shutting down: finishing the tick and closing the sessions");
    server.stop().await.map_err(|error| describe(&error))
}

pub(super) fn describe(error: &ServerError) -> Failure {
    let (remedy, input) = match error {
        ServerError::Store(store) => (store.remedy(), true),
        ServerError::World(_) => (
            Some("what is committed is safe: start again, and please report it"),
            false,
        ),
        ServerError::StoreSilent => (
            Some(
                "what is committed is safe, and the rest is lived again: start again when the store answers",
            ),
            false,
        ),
        ServerError::TokenKey(error) => return bad_key(error),
        ServerError::Notices(_) => (
            Some("see --mail-server and --web-hook in `skyhaul serve --help`"),
            true,
        ),
        ServerError::Listener(_) => (Some("see what became of the network"), false),
        ServerError::Journal(_) => (Some("see whether the disk has room and works"), false),
        ServerError::Beside(_) => (Some("see whether that file is a recording"), true),
        ServerError::WorldGone => (
            Some("what is committed is safe: start again, and please report it"),
            false,
        ),
    };
    let cause = error.to_string();
    let remedy = remedy.unwrap_or("choose another place with --data");
    if input {
        Failure::bad_input(cause, remedy)
    } else {
        Failure::failed(cause, remedy)
    }
}
