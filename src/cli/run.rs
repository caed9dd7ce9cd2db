//! `skyhaul run`: progress while it runs, then a summary for people or for programs.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::builder::BoolishValueParser;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, load_world, parse_threads, threads};
use crate::run::{self, Progress, Summary};
use crate::scenario::parse_duration;
use crate::sim::time::{SimDuration, Tick};
use crate::sim::world::{PolicyKind, World};

/// Plain progress lines come this often where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub struct Args {
    /// The scenario file
    file: PathBuf,
    /// Stop after this much simulated time, for example 30m [default: the scenario's duration]
    #[arg(long, value_name = "DURATION", env = "SKYHAUL_UNTIL", value_parser = duration)]
    until: Option<SimDuration>,
    /// Worker threads; results do not depend on them [default: 1, or the machine's cores for over 50,000 drones]
    #[arg(long, value_name = "N", env = "SKYHAUL_THREADS", value_parser = parse_threads)]
    threads: Option<usize>,
    /// The seed, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SEED")]
    seed: Option<u64>,
    /// How drones are chosen: nearest, earliest-pickup or batch, instead of the scenario's way
    #[arg(long, value_name = "NAME", env = "SKYHAUL_POLICY", value_parser = policy)]
    policy: Option<PolicyKind>,
    /// End with one JSON object on a line of its own
    #[arg(long, env = "SKYHAUL_JSON", value_parser = BoolishValueParser::new())]
    json: bool,
}

fn duration(text: &str) -> Result<SimDuration, String> {
    parse_duration(text).ok_or_else(|| "a duration such as 90s, 30m or 4h is wanted".to_owned())
}

fn policy(text: &str) -> Result<PolicyKind, String> {
    let named = PolicyKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    named.ok_or_else(|| "one of nearest, earliest-pickup and batch is wanted".to_owned())
}

pub fn run(args: Args) -> Result<(), Failure> {
    let mut world = load_world(&args.file, args.seed)?;
    if let Some(policy) = args.policy {
        Arc::make_mut(&mut world).dispatch.policy = policy;
    }
    let until = ticks(&world, args.until.unwrap_or(world.duration));
    let threads = threads(args.threads, &world);
    let mut display = Display::new(until);
    let summary = run::run(world, threads, until, |progress| display.show(progress)).map_err(|halted| {
        Failure::failed(
            format!("the run stopped: {halted}"),
            "this is a bug; please report it with the scenario",
        )
    })?;
    display.finish();
    let text = if args.json {
        json(&summary)?
    } else {
        table(&summary)
    };
    let _closed = writeln!(std::io::stdout(), "{text}");
    Ok(())
}

/// Whole ticks that cover this much time; at least one.
fn ticks(world: &World, until: SimDuration) -> Tick {
    until.0.div_ceil(world.tick.0).max(1)
}

fn json(summary: &Summary) -> Result<String, Failure> {
    serde_json::to_string(summary).map_err(|error| {
        Failure::failed(
            format!("the summary cannot be written: {error}"),
            "this is a bug; please report it",
        )
    })
}

/// A bar on a terminal, lines elsewhere.
struct Display {
    bar: Option<ProgressBar>,
    began: Instant,
    next: Instant,
}

impl Display {
    #[expect(clippy::disallowed_methods, reason = "shows progress to people")]
    fn new(until: Tick) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_bar} {percent:>3}%  {msg}  eta {eta}");
            ProgressBar::new(until).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let began = Instant::now();
        let first = if bar.is_some() { Duration::ZERO } else { LINE_EVERY };
        Display {
            bar,
            began,
            next: began + first,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "shows progress to people")]
    fn show(&mut self, progress: &Progress) {
        // The clock is not worth asking on every one of a million ticks.
        if !progress.tick.is_multiple_of(16) {
            return;
        }
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let line = progress_line(progress, now - self.began);
        match &self.bar {
            Some(bar) => {
                self.next = now + Duration::from_millis(100);
                bar.set_position(progress.tick);
                bar.set_message(line);
            }
            None => {
                self.next = now + LINE_EVERY;
                eprintln!("{:>3} %  {line}", progress.tick * 100 / progress.until);
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn progress_line(progress: &Progress, wall: Duration) -> String {
    let deliveries = &progress.deliveries;
    format!(
        "{}  ×{:.0}  {} of {} delivered  {} aloft",
        clock(progress.at.as_secs()),
        progress.at.as_secs() / wall.as_secs_f64().max(1e-9),
        deliveries.completed,
        deliveries.requested,
        progress.airborne,
    )
}

/// `HH:MM:SS`
fn clock(secs: f64) -> String {
    let secs = secs as u64;
    format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60)
}

fn table(summary: &Summary) -> String {
    let deliveries = &summary.deliveries;
    let seconds = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1} s"));
    let share =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{:.2} %", value * 100.0));
    let completed_share = deliveries.completed as f64 / (deliveries.requested.max(1)) as f64;
    let rows = [
        (
            "scenario",
            format!("{} (seed {}, {})", summary.scenario, summary.seed, summary.policy),
        ),
        (
            "simulated",
            format!("{} in {} ticks", clock(summary.sim_seconds), summary.ticks),
        ),
        (
            "wall time",
            format!(
                "{:.2} s, {:.0} times real time",
                summary.wall_seconds, summary.real_time_factor
            ),
        ),
        (
            "drones",
            format!(
                "{}, {:.1} in the air on average",
                summary.drones, summary.airborne_mean
            ),
        ),
        ("requested", deliveries.requested.to_string()),
        (
            "  completed",
            format!("{} ({:.1} %)", deliveries.completed, completed_share * 100.0),
        ),
        ("  cancelled", deliveries.cancelled.to_string()),
        ("  failed", deliveries.failed.to_string()),
        ("  third party", deliveries.third_party.to_string()),
        ("  in progress", deliveries.in_progress.to_string()),
        (
            "quote error",
            format!(
                "median {}, 95th percentile {} of the trip",
                share(summary.eta.quote_error_p50),
                share(summary.eta.quote_error_p95)
            ),
        ),
        ("quote bias", seconds(summary.eta.quote_bias_seconds)),
        ("late", share(summary.eta.late_share)),
        (
            "energy",
            format!(
                "{:.1} kWh, {} per km ({})",
                summary.energy.total_wh / 1_000.0,
                summary
                    .energy
                    .wh_per_km
                    .map_or("–".to_owned(), |value| format!("{value:.2} Wh")),
                summary.energy.model
            ),
        ),
        (
            "below reserve",
            format!("{} flights", summary.energy.reserve_dips),
        ),
        ("digest", summary.digest.clone()),
    ];
    let lines = rows.iter().map(|(name, value)| format!("{name:<14} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
