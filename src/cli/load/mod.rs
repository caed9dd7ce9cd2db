//! `skyhaul load`: a capacity test against a running server, and two of them side by side.

mod compare;
mod display;
mod files;
mod requests;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clap::builder::BoolishValueParser;

use super::{Failure, Signals, scenario_of};
use crate::load::{self, Outcome, Plan, Target, Trouble, Verdict};
use crate::scenario::Scenario;
use crate::wire::stream::client::Token;

use display::Display;
use files::Files;
use requests::Requests;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// The scenario file, with [load] and, where wanted, [audience] and [[slo]]
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// The server, which should run the same scenario, without demand of its own
    #[arg(long, value_name = "URL", env = "SKYHAUL_TARGET", required = true)]
    target: Option<String>,
    /// What to show to a server that asks for tokens; an operator's lets deliveries be followed
    #[arg(long, value_name = "TOKEN", env = "SKYHAUL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The seed, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SEED")]
    seed: Option<u64>,
    /// Rates and users of all stages, times this
    #[arg(long, value_name = "FACTOR", env = "SKYHAUL_SCALE", value_parser = factor)]
    scale: Option<f64>,
    /// Most requests under way at once, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    connections: Option<u32>,
    /// Accounts that are made before and order by turns, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_ACCOUNTS", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    accounts: Option<u32>,
    /// Watchers, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SESSIONS")]
    sessions: Option<usize>,
    /// Threads that send requests, each with connections of its own; one follows and watches too
    #[arg(long, value_name = "N", env = "SKYHAUL_WORKERS", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Send requests and look at their answers alone, whatever the server is
    #[arg(long, env = "SKYHAUL_ACCEPT_ONLY", value_parser = BoolishValueParser::new())]
    accept_only: bool,
    /// Raise the load, from the first stage's rate on, until an objective is missed or the server falls behind
    #[arg(long, env = "SKYHAUL_FIND_LIMIT", value_parser = BoolishValueParser::new())]
    find_limit: bool,
    /// End with one JSON object on a line of its own
    #[arg(long, env = "SKYHAUL_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
    #[command(flatten)]
    files: Files,
}

#[derive(Subcommand)]
enum Other {
    /// Show two tests side by side, by what --json wrote of each
    Compare(compare::Args),
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor > 0.0 && factor <= 1e6 => Ok(factor),
        _ => Err("a number above 0 is wanted".to_owned()),
    }
}

pub fn run(args: Args) -> Result<(), Failure> {
    if let Some(Other::Compare(files)) = &args.other {
        return compare::run(files);
    }
    args.files.check(args.file.as_deref().unwrap_or(Path::new("")))?;
    let mut plan = plan(&args).map_err(failure)??;
    let files = args.files.create()?;
    let requests = args.files.requests.as_deref().map(|path| {
        let stages = plan.load.stages.iter().map(|stage| stage.name.clone());
        let (requests, samples) = Requests::create(path, stages.collect())?;
        plan.samples = Some(samples);
        Ok(requests)
    });
    let requests = requests.transpose()?;
    let mut display = Display::new(&plan);
    let outcome = load::run(&plan, interrupted, &mut |progress| display.show(progress));
    display.finish();
    // Nobody sends any more.
    drop(plan);
    let written = requests.map_or(Ok(()), Requests::finish);
    let outcome = outcome.map_err(failure)?;
    let written = written.and(files.write(&outcome));
    let warnings = outcome.warnings.iter().filter(|_| args.json);
    warnings.for_each(|warning| eprintln!("warning: {warning}"));
    let text = match args.json {
        true => serde_json::to_string(&outcome.summary).map_err(|error| {
            Failure::failed(
                format!("the summary cannot be written: {error}"),
                "this is a bug; please report it",
            )
        })?,
        false => table::of(&outcome),
    };
    let _closed = writeln!(std::io::stdout(), "{text}");
    // What was measured is told, wherever it could not be kept.
    written?;
    verdict(&outcome)
}

fn plan(args: &Args) -> Result<Result<Plan, Failure>, Trouble> {
    let target = Target::parse(
        args.target.as_deref().unwrap_or_default(),
        args.token.clone().map(Token::new),
    )?;
    let file = args.file.clone().unwrap_or_default();
    let Scenario { world, mut test, .. } = match scenario_of(&file, args.seed) {
        Ok(scenario) => scenario,
        Err(failure) => return Ok(Err(failure)),
    };
    let Some(mut load) = test.load.take() else {
        return Err(Trouble::NoStages { file });
    };
    let scale = args.scale.unwrap_or(1.0);
    for stage in &mut load.stages {
        (stage.from, stage.to) = (stage.from * scale, stage.to * scale);
    }
    load.connections = args.connections.map_or(load.connections, |count| count as usize);
    load.accounts = args.accounts.map_or(load.accounts, |count| count as usize);
    if let (Some(audience), Some(sessions)) = (&mut test.audience, args.sessions) {
        audience.sessions = sessions;
    }
    Ok(Ok(Plan {
        world: world.into(),
        load,
        test,
        target,
        accept_only: args.accept_only,
        finds_limit: args.find_limit,
        workers: args.workers.into(),
        samples: None,
    }))
}

fn failure(trouble: Trouble) -> Failure {
    let remedy = trouble.remedy();
    match trouble.is_bad_input() {
        true => Failure::bad_input(trouble.to_string(), remedy),
        false => Failure::failed(trouble.to_string(), remedy),
    }
}

/// Until somebody ends the program; what was measured by then is shown.
async fn interrupted() {
    match Signals::listen() {
        Ok(mut signals) => signals.end().await,
        Err(_) => std::future::pending().await,
    }
}

/// Nobody should take a bad end for a good one: neither people nor programs.
fn verdict(outcome: &Outcome) -> Result<(), Failure> {
    let summary = &outcome.summary;
    let void = summary.void_reason.iter();
    let mut wrong: Vec<String> = void.map(|reason| format!("the run is void: {reason}")).collect();
    if let Some(limit) = summary.limit.as_ref().filter(|_| !summary.void) {
        // Breaking is what the search is for.
        return match limit.held_per_second {
            Some(_) => Ok(()),
            None => Err(Failure::failed(
                format!(
                    "no load held: {}",
                    limit.why.as_deref().unwrap_or("nothing was tried")
                ),
                "begin lower, with --scale, or see what is wrong with the server",
            )),
        };
    }
    wrong.extend(summary.stopped.clone());
    let missed: Vec<&Verdict> = summary.slo.iter().filter(|verdict| !verdict.met).collect();
    if !missed.is_empty() {
        let which = missed
            .iter()
            .map(|verdict| format!("{}: {}", verdict.wanted(), verdict.found()));
        wrong.push(format!(
            "{} of {} objectives missed: {}",
            missed.len(),
            summary.slo.len(),
            which.collect::<Vec<_>>().join("; ")
        ));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let remedy = match summary.void {
        true => "ask for less, or give the generator a processor of its own, or more of them with --workers",
        false => "see above what was measured, and in which stage",
    };
    Err(Failure::failed(wrong.join("; "), remedy))
}
