//! The sky beside BlueSky's, the open simulator of air traffic: so many rotorcraft over the
//! same city, in turns of one run, on one core each, conflict detection off. `make peers` sets BlueSky up and calls this.
//!
//! The two do not model the same; README says what each has and the other lacks.

#[path = "../support/airborne.rs"]
mod airborne;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;

use airborne::Stand;
use support::{median, now, per_second, thread_cpu};

const ROUNDS: usize = 3;
const TURN: Duration = Duration::from_secs(3);
const TICKS: [&str; 2] = ["100ms", "1s"];
const AIRCRAFT: [u32; 3] = [1_000, 10_000, 50_000];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flown {
    flown: usize,
    cpu_s: f64,
}

/// Aircraft steps a second of processor time.
fn bluesky(python: &Path, aircraft: u32, tick_s: f64) -> f64 {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/fly_bluesky.py");
    let mut command = Command::new(python);
    command.arg(script).args(["--aircraft", &aircraft.to_string()]);
    command.args(["--tick", &tick_s.to_string()]);
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
fn skyhaul(stand: &mut Stand) -> f64 {
    let (began, spent) = (now(), thread_cpu());
    let (mut steps, mut sending) = (0, Duration::ZERO);
    while began.elapsed() < TURN {
        let events = stand.step(None);
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
    for (tick, aircraft) in TICKS.into_iter().flat_map(|tick| AIRCRAFT.map(|n| (tick, n))) {
        beside(&python, tick, aircraft);
    }
}

fn beside(python: &Path, tick: &str, aircraft: u32) {
    let mut stand = Stand::busy(aircraft, tick);
    let tick_s = stand.world.tick.as_secs();
    let turns = (0..ROUNDS).map(|_| (skyhaul(&mut stand), bluesky(python, aircraft, tick_s)));
    let (ours, theirs): (Vec<f64>, Vec<f64>) = turns.unzip();
    let (ours, theirs) = (median(ours) / 1e6, median(theirs) / 1e6);
    println!(
        "{aircraft:>6} aircraft, ticks of {tick:>5}: skyhaul {ours:7.2}  bluesky {theirs:7.4}  {:4.0} times",
        ours / theirs
    );
}
