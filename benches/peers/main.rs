//! The sky beside BlueSky's, the open simulator of air traffic: so many rotorcraft over the
//! same city, in turns of one run, on one core each, without and with looking for conflicts.
//! `make peers` sets BlueSky up and calls this.
//!
//! The two do not model the same; README says what each has and the other lacks.

#[path = "../support/airborne.rs"]
mod airborne;
#[path = "../support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use skyhaul::sim::separation::Separation;

use airborne::Stand;
use support::{median, now, per_second, thread_cpu};

const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(3);

/// What both fly.
struct Flight {
    aircraft: u32,
    tick: &'static str,
    /// Whether they look for conflicts: each second, 20 s ahead.
    detect: bool,
    /// BlueSky looks at all pairs: from some number on it would not come to an end here.
    is_beyond_bluesky: bool,
}

const fn flight(aircraft: u32, tick: &'static str, detect: bool) -> Flight {
    Flight {
        aircraft,
        tick,
        detect,
        is_beyond_bluesky: detect && aircraft > 4_000,
    }
}

const FLIGHTS: [Flight; 9] = [
    flight(1_000, "100ms", false),
    flight(10_000, "100ms", false),
    flight(50_000, "100ms", false),
    flight(1_000, "1s", false),
    flight(10_000, "1s", false),
    flight(50_000, "1s", false),
    flight(1_000, "1s", true),
    flight(4_000, "1s", true),
    flight(10_000, "1s", true),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flown {
    flown: usize,
    cpu_s: f64,
}

/// Aircraft steps a second of processor time.
fn bluesky(python: &Path, flight: &Flight, tick_s: f64) -> f64 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/fly_bluesky.py");
    let mut command = Command::new(python);
    command.arg(script);
    command.args(["--aircraft", &flight.aircraft.to_string()]);
    command.args(["--tick", &tick_s.to_string()]);
    if flight.detect {
        command.arg("--detect");
    }
    // Its arithmetic on one core, as ours.
    command
        .env("OMP_NUM_THREADS", "1")
        .env("OPENBLAS_NUM_THREADS", "1");
    let output = command.output().expect("Python starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let flown: Flown = serde_json::from_str(told.trim()).unwrap_or_else(|error| {
        panic!("{error}: {told}{}", String::from_utf8_lossy(&output.stderr));
    });
    flown.flown as f64 / flown.cpu_s
}

/// As above.
fn skyhaul(stand: &mut Stand, separation: &mut Separation, flight: &Flight) -> f64 {
    let (began, spent) = (now(), thread_cpu());
    let (mut steps, mut sending) = (0, Duration::ZERO);
    while began.elapsed() < TURN {
        let events = stand.step(None);
        if flight.detect {
            let losses = separation.look(&stand.world, &stand.sky, stand.now(), None);
            black_box(losses);
        }
        steps += stand.sky.airborne_count();
        let before = thread_cpu();
        stand.send_out_again(&events);
        sending += thread_cpu() - before;
    }
    per_second(steps, thread_cpu() - spent - sending)
}

fn main() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/python");
    if !python.exists() {
        return println!("BlueSky is not set up: `make peers` does that");
    }
    println!("million aircraft steps a second of processor time, medians of {ROUNDS} turns");
    for flight in &FLIGHTS {
        beside(&python, flight);
    }
}

fn beside(python: &Path, flight: &Flight) {
    let mut stand = Stand::busy(flight.aircraft, flight.tick);
    let mut separation = Separation::default();
    let tick_s = stand.world.tick.as_secs();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(skyhaul(&mut stand, &mut separation, flight) / 1e6);
        if !flight.is_beyond_bluesky {
            theirs.push(bluesky(python, flight, tick_s) / 1e6);
        }
    }
    let ours = median(ours);
    let beside = match flight.is_beyond_bluesky {
        true => "BlueSky not tried: it looks at all pairs".into(),
        false => {
            let theirs = median(theirs);
            format!("BlueSky {theirs:8.4}  {:5.0} times", ours / theirs)
        }
    };
    println!(
        "{:>6} aircraft, ticks of {:>5}, conflicts {:>3}: skyhaul {ours:7.2}  {beside}",
        flight.aircraft,
        flight.tick,
        if flight.detect { "on" } else { "off" },
    );
}
