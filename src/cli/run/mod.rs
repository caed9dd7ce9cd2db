//! `skyhaul run`: progress while it runs, then a summary for people or for programs. Several
//! policies or seeds run side by side and are compared.

pub(super) mod display;
pub(super) mod table;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::BoolishValueParser;
use serde::Serialize;

use super::recording::{RecordTo, not_both, not_onto, parse_drone, parse_record_hz};
use super::signals::Told;
use super::unfinished::Unfinished;
use super::{Failure, duration, load_world, parse_threads, threads};
use crate::engine::Halted;
use crate::recording::Stopped;
use crate::run::{self, Comparison, Ended, Progress, Summary};
use crate::sim::ids::DroneId;
use crate::sim::time::{SimDuration, Tick};
use crate::sim::world::{PolicyKind, World};

use display::Several;

/// Seeds of one comparison; each is a run of its own.
const MOST_SEEDS: u64 = 10_000;

#[derive(clap::Args)]
pub struct Args {
    /// The scenario file
    file: PathBuf,
    /// Stop after this much simulated time, for example 30m [default: the scenario's duration]
    #[arg(long, value_name = "DURATION", env = "SKYHAUL_UNTIL", value_parser = duration)]
    until: Option<SimDuration>,
    /// Worker threads; results do not depend on them [default: for one run 1, or the machine's cores for over 50,000 drones; for several the cores, one run a thread]
    #[arg(long, value_name = "N", env = "SKYHAUL_THREADS", value_parser = parse_threads)]
    threads: Option<usize>,
    /// The seed, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SEED", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run with each of these seeds, the last one too, for example 1..30
    #[arg(long, value_name = "A..B", env = "SKYHAUL_SEEDS", value_parser = seeds)]
    seeds: Option<Seeds>,
    /// How drones are chosen, instead of the scenario's way: nearest, earliest-pickup or batch; give several to compare them with the first
    #[arg(long = "policy", value_name = "NAME", env = "SKYHAUL_POLICY", value_delimiter = ',', value_parser = policy)]
    policies: Vec<PolicyKind>,
    /// End with one JSON object on a line of its own
    #[arg(long, env = "SKYHAUL_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    /// Write the runs and their deliveries to this file, as Parquet
    #[arg(long, value_name = "RUNS.parquet", env = "SKYHAUL_OUT")]
    out: Option<PathBuf>,
    /// Record the run to this file, as MCAP, for `skyhaul replay`, `export` and `fork`
    #[arg(long, value_name = "OUT.mcap", env = "SKYHAUL_RECORD")]
    record: Option<PathBuf>,
    /// Recorded positions a simulated second, at most one a tick
    #[arg(long, value_name = "N", env = "SKYHAUL_RECORD_HZ", default_value_t = 1.0, value_parser = parse_record_hz)]
    record_hz: f64,
    /// Record where these drones fly for Foxglove's map too, each on a channel of its own, for example d-0,d-17
    #[arg(long, value_name = "ID", env = "SKYHAUL_RECORD_FOXGLOVE", value_delimiter = ',', value_parser = parse_drone, requires = "record")]
    record_foxglove: Vec<DroneId>,
}

fn policy(text: &str) -> Result<PolicyKind, String> {
    let named = PolicyKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    named.ok_or_else(|| "one of nearest, earliest-pickup and batch is wanted".to_owned())
}

/// From the first to the last, both of them included.
#[derive(Clone, Copy)]
struct Seeds(u64, u64);

fn seeds(text: &str) -> Result<Seeds, String> {
    let ends = text.split_once("..");
    let read = |(first, last): (&str, &str)| Some((first.parse().ok()?, last.parse().ok()?));
    match ends.and_then(read) {
        Some((first, last)) if first > last => Err("the first seed is beyond the last".to_owned()),
        Some((first, last)) if last - first >= MOST_SEEDS => {
            Err(format!("more than {MOST_SEEDS} seeds are not run at once"))
        }
        Some((first, last)) => Ok(Seeds(first, last)),
        None => Err("two seeds such as 1..30 are wanted".to_owned()),
    }
}

/// What `--json` ends with for several policies or seeds.
#[derive(Serialize)]
#[serde(untagged)]
enum Results<'a> {
    Policies {
        policies: &'a [Summary],
        comparison: &'a Comparison,
    },
    Seeds {
        seeds: &'a [Summary],
        comparison: &'a Comparison,
    },
    SeedsOfPolicies {
        policies: Vec<SeedsOfPolicy<'a>>,
        comparison: &'a Comparison,
    },
}

#[derive(Serialize)]
struct SeedsOfPolicy<'a> {
    policy: &'static str,
    seeds: &'a [Summary],
}

pub fn run(args: Args) -> Result<(), Failure> {
    let distinct: BTreeSet<&str> = args.policies.iter().map(|kind| kind.as_str()).collect();
    if distinct.len() < args.policies.len() {
        return Err(Failure::bad_input(
            "a policy is named twice",
            "name each --policy once",
        ));
    }
    let out = args.out.as_deref().map(Unfinished::at);
    for place in out.iter().flat_map(Unfinished::places) {
        not_onto(&args.file, place, "--out")?;
        if let Some(record) = &args.record {
            not_both(("--out", place), ("--record", record))?;
        }
    }
    let world = load_world(&args.file, args.seed)?;
    // A signal that ends a recording is heard by who records.
    let out = out
        .map(|unfinished| Out::create(unfinished, args.record.is_none()))
        .transpose()?;
    let until = ticks(&world, args.until.unwrap_or(world.duration));
    let text = match (args.policies.as_slice(), args.seeds) {
        ([] | [_], None) => {
            let world = with(&world, args.policies.first().copied(), None);
            let threads = threads(args.threads, &world);
            let mut display = display::Display::new(until);
            let show = |progress: &Progress| display.show(progress);
            let ended = match &args.record {
                None => run::run(world, threads, until, out.is_some(), show).map_err(stopped),
                Some(path) => {
                    let to = RecordTo {
                        path,
                        hz: args.record_hz,
                        scenario: &args.file,
                        followed: &args.record_foxglove,
                    };
                    recorded(&to, world, threads, until, out.is_some(), show)
                }
            };
            display.finish();
            let ended = ended?;
            write_out(out, std::slice::from_ref(&ended))?;
            match args.json {
                true => json(&ended.summary)?,
                false => table::of_one(&ended.summary),
            }
        }
        _ if args.record.is_some() => {
            return Err(Failure::bad_input(
                "several runs are not recorded",
                "give one seed and one policy with --record",
            ));
        }
        (policies, seeds) => compare(&world, policies, seeds, args.threads, until, out, args.json)?,
    };
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Runs the world and records it; what was written can be read, however it ends.
fn recorded(
    to: &RecordTo<'_>,
    world: Arc<World>,
    threads: usize,
    until: Tick,
    keeps_rows: bool,
    mut show: impl FnMut(&Progress),
) -> Result<Ended, Failure> {
    let told = Told::listen()?;
    let recorder = to.create(&world)?;
    let ended = run::run_recorded(world, threads, until, keeps_rows, &recorder, to.hz, |progress| {
        show(progress);
        told.status()
            .map_or(ControlFlow::Continue(()), |_| ControlFlow::Break(()))
    });
    let recorded = to.finish(&recorder);
    let ended = match ended {
        Ok(ended) => ended,
        Err(Stopped::World(halted)) => return Err(stopped(halted)),
        // Why it takes no more, is said at its end.
        Err(error @ (Stopped::Recording(_) | Stopped::NotShown(_) | Stopped::Cancelled)) => {
            return Err(recorded.err().unwrap_or_else(|| to.failure(&error)));
        }
    };
    recorded?;
    match told.status() {
        // Who asked for all of it has not got it.
        Some(status) if ended.summary.ticks < until => Err(Failure {
            status,
            ..Failure::failed(
                "the run was ended early",
                "what was recorded until then can be played",
            )
        }),
        _ => Ok(ended),
    }
}

fn compare(
    world: &Arc<World>,
    policies: &[PolicyKind],
    seeds: Option<Seeds>,
    threads: Option<usize>,
    until: Tick,
    out: Option<Out>,
    as_json: bool,
) -> Result<String, Failure> {
    let Seeds(first, last) = seeds.unwrap_or(Seeds(world.seed, world.seed));
    let own = [world.dispatch.policy];
    let policies = if policies.is_empty() { &own } else { policies };
    let of_policy = |policy| (first..=last).map(move |seed| (policy, seed));
    let runs = policies.iter().copied().flat_map(of_policy);
    let worlds: Vec<Arc<World>> = runs
        .map(|(policy, seed)| with(world, Some(policy), Some(seed)))
        .collect();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or_else(cores);
    let display = Several::new(worlds.len(), until);
    let ended = run::several(&worlds, threads, until, out.is_some(), |news| display.show(&news));
    display.finish();
    let ended = ended.map_err(stopped)?;
    write_out(out, &ended)?;
    let summaries: Vec<Summary> = ended.into_iter().map(|run| run.summary).collect();
    let by_policy: Vec<&[Summary]> = summaries.chunks(worlds.len() / policies.len()).collect();
    let comparison = &Comparison::of(&by_policy);
    if !as_json {
        return Ok(table::of_several(&by_policy, comparison));
    }
    let results = match (policies.len(), seeds) {
        (1, _) => Results::Seeds {
            seeds: &summaries,
            comparison,
        },
        (_, None) => Results::Policies {
            policies: &summaries,
            comparison,
        },
        (_, Some(_)) => Results::SeedsOfPolicies {
            policies: by_policy.iter().map(|seeds| of_policy_named(seeds)).collect(),
            comparison,
        },
    };
    json(&results)
}

fn of_policy_named(seeds: &[Summary]) -> SeedsOfPolicy<'_> {
    SeedsOfPolicy {
        policy: seeds.first().map_or("", |run| run.policy),
        seeds,
    }
}

/// The world with another policy or seed.
fn with(world: &Arc<World>, policy: Option<PolicyKind>, seed: Option<u64>) -> Arc<World> {
    let mut world = Arc::clone(world);
    let policy = policy.unwrap_or(world.dispatch.policy);
    let seed = seed.unwrap_or(world.seed);
    if (policy, seed) != (world.dispatch.policy, world.seed) {
        let changed = Arc::make_mut(&mut world);
        (changed.dispatch.policy, changed.seed) = (policy, seed);
    }
    world
}

fn stopped(halted: Halted) -> Failure {
    Failure::failed(
        format!("the run stopped: {halted}"),
        "this is a bug; please report it with the scenario",
    )
}

/// Whole ticks that cover this much time; at least one.
fn ticks(world: &World, until: SimDuration) -> Tick {
    until.0.div_ceil(world.tick.0).max(1)
}

pub(super) fn json(results: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(results).map_err(|error| {
        Failure::failed(
            format!("the summary cannot be written: {error}"),
            "this is a bug; please report it",
        )
    })
}

/// The file that the runs are written to.
struct Out {
    file: File,
    unfinished: Unfinished,
}

impl Out {
    /// Before anything runs, so that nobody waits for a result that has no place.
    fn create(unfinished: Unfinished, heeds_signals: bool) -> Result<Self, Failure> {
        if heeds_signals {
            unfinished.heed_signals()?;
        }
        let file = unfinished.create().map_err(|error| {
            Failure::bad_input(
                format!("{} cannot be written: {error}", unfinished.name().display()),
                "give another --out",
            )
        })?;
        Ok(Out { file, unfinished })
    }
}

fn write_out(out: Option<Out>, runs: &[Ended]) -> Result<(), Failure> {
    let Some(Out { file, unfinished }) = out else {
        return Ok(());
    };
    let name = unfinished.name().to_owned();
    let unwritten = |error: &dyn Display| {
        Failure::failed(
            format!("{} cannot be written: {error}", name.display()),
            "make room, or give another --out",
        )
    };
    run::write_runs(runs, BufWriter::new(file)).map_err(|error| unwritten(&error))?;
    unfinished.finish()
}
