//! `skyhaul emit`: a simulated fleet as the source of somebody else's backend.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use tokio::sync::watch;

use super::{Failure, Signals, duration, load_world, parse_threads, threads};
use crate::emit::{self, BadDestination, Destination, EmitError, Options, Tally, What};
use crate::sim::time::SimDuration;
use crate::sim::world::World;

/// Fastest beat, and fastest clock.
const MOST_HZ: f64 = 1_000.0;
const FASTEST: f64 = 10_000.0;
/// Most records of one HTTP request.
const MOST_IN_ONE: usize = 100_000;
/// Progress comes this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub struct Args {
    /// The scenario file
    file: PathBuf,
    /// Where it goes: ndjson:- (the standard output), ndjson:PATH, http://… (POST requests with
    /// up to --batch records each; a token in SKYHAUL_TOKEN), mqtt://HOST:1883/PREFIX (topic
    /// PREFIX/drones/ID) or nats://HOST:4222/PREFIX (subject PREFIX.drones.ID). Brokers may want
    /// USER:PASSWORD@ before the host: give that by the environment
    #[arg(long, value_name = "DESTINATION", env = "SKYHAUL_TO", hide_env_values = true)]
    to: String,
    /// Beats a second; each has every drone, parked ones too
    #[arg(long, value_name = "N", env = "SKYHAUL_HZ", default_value_t = 1.0, value_parser = parse_hz)]
    hz: f64,
    /// What a record looks like
    #[arg(long, value_enum, env = "SKYHAUL_SHAPE", default_value = "skyhaul")]
    shape: Shape,
    /// The orders of the scenario's customers instead of telemetry, as POST /api/deliveryrequests
    /// takes them, one a request
    #[arg(long, env = "SKYHAUL_ORDERS", value_parser = BoolishValueParser::new())]
    orders: bool,
    /// End after this much simulated time, for example 30m [default: the scenario's duration]
    #[arg(long, value_name = "DURATION", env = "SKYHAUL_UNTIL", value_parser = duration)]
    until: Option<SimDuration>,
    /// Simulated seconds per second
    #[arg(long, value_name = "N", env = "SKYHAUL_SPEED", default_value_t = 1.0, value_parser = parse_speed)]
    speed: f64,
    /// Most records of one HTTP request
    #[arg(long, value_name = "N", env = "SKYHAUL_BATCH", default_value_t = 500, value_parser = parse_batch)]
    batch: usize,
    /// The seed, instead of the scenario's
    #[arg(long, value_name = "N", env = "SKYHAUL_SEED")]
    seed: Option<u64>,
    /// Worker threads of the world [default: 1, or the machine's cores for over 50,000 drones]
    #[arg(long, value_name = "N", env = "SKYHAUL_THREADS", value_parser = parse_threads)]
    threads: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// As GET /api/drones/{id} shows a drone
    Skyhaul,
    /// A GeoJSON feature
    Geojson,
}

fn parse_hz(text: &str) -> Result<f64, String> {
    let hz = text.parse().ok().filter(|hz| *hz > 0.0 && *hz <= MOST_HZ);
    hz.ok_or_else(|| format!("a number above 0 and up to {MOST_HZ} is wanted"))
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed| *speed > 0.0 && *speed <= FASTEST);
    speed.ok_or_else(|| format!("a number above 0 and up to {FASTEST} is wanted"))
}

fn parse_batch(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(batch @ 1..=MOST_IN_ONE) => Ok(batch),
        _ => Err(format!("a number from 1 to {MOST_IN_ONE} is wanted")),
    }
}

pub fn emit(args: Args) -> Result<(), Failure> {
    let world = load_world(&args.file, args.seed)?;
    check(&args, &world)?;
    // Not by the command line's parser, which would show what may hold a password.
    let to: Destination = args.to.parse().map_err(bad_destination)?;
    let options = Options {
        what: match (args.orders, args.shape) {
            (true, _) => What::Orders,
            (false, shape) => What::Telemetry {
                hz: args.hz,
                shape: match shape {
                    Shape::Skyhaul => emit::Shape::Skyhaul,
                    Shape::Geojson => emit::Shape::Geojson,
                },
            },
        },
        to,
        batch: args.batch,
        speed: args.speed,
        until: args.until.unwrap_or(world.duration),
        threads: threads(args.threads, &world),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::failed(
            format!("the runtime cannot start: {error}"),
            "see whether the machine has room for threads",
        )
    })?;
    let emitted = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            signals.end().await;
            let _it_has_ended = stop.send(true);
        });
        let mut lines = Lines::new();
        let emitted = emit::emit(world, options, stopped, |tally| lines.show(tally)).await;
        let tally = emitted.map_err(describe)?;
        eprintln!("{}", lines.of(&tally));
        Ok(tally)
    });
    // A standard output that nobody reads does not keep the program from ending.
    runtime.shutdown_background();
    let sent = emitted?.sent;
    match sent.failure {
        None => Ok(()),
        Some(failure) => Err(Failure::failed(
            format!(
                "{} of {} records were not taken; of the first: {failure}",
                sent.failed,
                sent.failed + sent.records
            ),
            "see what the destination says of them",
        )),
    }
}

/// What cannot come to anything, before anybody is asked for a connection.
fn check(args: &Args, world: &World) -> Result<(), Failure> {
    let ticks_hz = args.speed / world.tick.as_secs();
    if args.orders && world.demand.is_none() && world.scripted.is_empty() {
        return Err(Failure::bad_input(
            format!("nobody orders anything in {}", args.file.display()),
            "give the scenario a [demand], or leave --orders out",
        ));
    }
    if args.orders && args.shape == Shape::Geojson {
        return Err(Failure::bad_input(
            "orders have one shape",
            "leave --shape out, or --orders",
        ));
    }
    // Sums of shares of a second are not exact.
    if !args.orders && args.hz > ticks_hz * (1.0 + 1e-9) {
        return Err(Failure::bad_input(
            format!(
                "nothing changes {} times a second here: the world has {ticks_hz} ticks a second",
                args.hz
            ),
            format!(
                "give --hz {ticks_hz}, or a shorter tick in {}",
                args.file.display()
            ),
        ));
    }
    Ok(())
}

fn bad_destination(error: BadDestination) -> Failure {
    Failure::bad_input(
        format!("--to cannot be used: {error}"),
        "see --to in `skyhaul emit --help`",
    )
}

fn describe(error: EmitError) -> Failure {
    let remedy = match &error {
        EmitError::Unreachable(_) => "see whether it is there, and lets this program in",
        EmitError::World(_) | EmitError::Gone => "this is a bug; please report it with the scenario",
        EmitError::Thread(_) => "see whether the machine has room for threads",
    };
    Failure::failed(error.to_string(), remedy)
}

/// How far it has come, on standard error.
struct Lines {
    began: Instant,
    next: Instant,
}

impl Lines {
    #[expect(clippy::disallowed_methods, reason = "shows progress to people")]
    fn new() -> Self {
        let began = Instant::now();
        Lines {
            began,
            next: began + LINE_EVERY,
        }
    }

    fn show(&mut self, tally: &Tally) {
        if self.began.elapsed() >= self.next - self.began {
            self.next += LINE_EVERY;
            eprintln!("{}", self.of(tally));
        }
    }

    fn of(&self, tally: &Tally) -> String {
        let sent = &tally.sent;
        let mut line = format!(
            "{} records in {} batches, {:.1} MB, over {:.1} s; at most {:.0} ms late",
            sent.records,
            tally.batches,
            sent.bytes as f64 / 1e6,
            self.began.elapsed().as_secs_f64(),
            tally.latest_s * 1e3,
        );
        if tally.overdue > 0 {
            line += &format!(", {} of them so late that the next was due", tally.overdue);
        }
        if sent.failed > 0 {
            line += &format!("; {} NOT taken", sent.failed);
        }
        line
    }
}
