//! What it costs to tell many watchers where the drones are, beside `nats-server`'s
//! WebSocket listener with frames of the same sizes to as many clients, and beside the
//! floor: a loop of `write`s.
//!
//! Half of the watchers look at a district, half at a single drone; nats has a subject for
//! each half. Servers are programs of their own (`program`), whose CPU is the kernel's own
//! account of that process; the clients (`crowd`) are the same for all and live here.
//! Servers take turns, and each figure is the median of the rounds.
//! `cargo bench --bench fanout -- [--rounds N] [--beside OTHER-SKYHAUL] [SESSIONS…]`.

mod crowd;
mod floor;
mod program;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError::Timeout;
use std::sync::mpsc::{Sender, channel};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use support::{median, now};

use crowd::{Crowd, Heard, Tongue, frame, wall_ms};
use program::Program;

const HZ: u32 = 10;
const SETTLED: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(4);
const NATS_HELLO: &str = "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1}\r\n";
const SUBJECTS: [&str; 2] = ["district", "drone"];
/// A part of the city, in cells of 300 m; the frames are a few kilobytes.
const DISTRICT: [f64; 4] = [-122.43, 37.75, -122.40, 37.775];

const WORLD: &str = r#"
name = "fan-out"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "24h"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 99
chargers = 400
[[fleet]]
hub = "mission"
model = "wing"
count = 400
aloft = 0.9
[demand]
rate = "2000/h"
payload = { min = 0.2, max = 1.0 }
"#;

/// One server's figures in one round.
struct Figures {
    user_us: f64,
    system_us: f64,
    /// Of a core, for the world before anybody watched it.
    alone: f64,
    frames: f64,
    bytes: [usize; 2],
    p50_ms: f64,
    p99_ms: f64,
    idle_kib: f64,
    lost: u64,
}

impl Figures {
    fn cpu_us(&self) -> f64 {
        self.user_us + self.system_us
    }
}

#[derive(Clone, PartialEq)]
enum Server {
    Skyhaul(PathBuf),
    Nats,
    Floor,
}

impl Server {
    fn name(&self) -> String {
        match self {
            Server::Skyhaul(binary) if *binary == ours() => "skyhaul".into(),
            Server::Skyhaul(_) => "beside".into(),
            Server::Nats => "nats".into(),
            Server::Floor => "floor".into(),
        }
    }
}

fn ours() -> PathBuf {
    env!("CARGO_BIN_EXE_skyhaul").into()
}

fn subscription(number: usize) -> Vec<u8> {
    let mut message = json!({"type": "subscribe", "id": 1, "maxHz": HZ});
    if number.is_multiple_of(2) {
        message["topic"] = "area".into();
        message["bbox"] = json!(DISTRICT);
    } else {
        message["topic"] = format!("drone/d-{}", number % 400).into();
    }
    frame(true, message.to_string().as_bytes())
}

fn measure(program: &Program, heard: &Heard) -> Figures {
    sleep(SETTLED);
    heard.start_over();
    let (cpu, start) = (program.cpu(), now());
    sleep(MEASURED);
    let frames = heard.frames().max(1) as f64;
    let (cpu, seconds) = (program.cpu() - cpu, start.elapsed().as_secs_f64());
    Figures {
        user_us: cpu.user / frames * 1e6,
        system_us: cpu.system / frames * 1e6,
        alone: 0.0,
        frames: frames / seconds,
        bytes: heard.mean_bytes(),
        p50_ms: heard.quantile_ms(0.5) as f64,
        p99_ms: heard.quantile_ms(0.99) as f64,
        idle_kib: 0.0,
        lost: heard.lost(),
    }
}

/// What the world costs, of a core.
fn share_alone(program: &Program) -> f64 {
    sleep(Duration::from_secs(1));
    let (cpu, start) = (program.cpu(), now());
    sleep(Duration::from_secs(2));
    let cpu = program.cpu() - cpu;
    (cpu.user + cpu.system) / start.elapsed().as_secs_f64()
}

/// `None` where there is no such server here.
fn round(server: &Server, sessions: usize, bytes: [usize; 2]) -> std::io::Result<Option<Figures>> {
    let (program, path, tongue) = match server {
        Server::Skyhaul(binary) => (Program::skyhaul(binary, WORLD), "/ws", Tongue::Skyhaul),
        Server::Floor => (Program::floor(bytes), "/", Tongue::Skyhaul),
        Server::Nats => match Program::nats() {
            Some(program) => (program, "/", Tongue::Nats),
            None => return Ok(None),
        },
    };
    let alone = match server {
        Server::Skyhaul(_) => share_alone(&program),
        Server::Nats | Server::Floor => 0.0,
    };
    let before = program.resident_kib();
    let mut crowd = Crowd::connect(program.address, path, tongue, sessions)?;
    sleep(Duration::from_secs(1));
    let idle_kib = (program.resident_kib() - before) / sessions as f64;
    match server {
        Server::Skyhaul(_) => crowd.say(subscription)?,
        Server::Nats => crowd.say(|number| {
            let subject = SUBJECTS[number % 2];
            frame(false, format!("{NATS_HELLO}SUB {subject} 1\r\n").as_bytes())
        })?,
        Server::Floor => {}
    }
    let watching = crowd.watch();
    let heard = &watching.heard;
    let figures = std::thread::scope(|scope| {
        let publishing = (*server == Server::Nats).then(|| Publisher::start(scope, &program, bytes));
        let figures = measure(&program, heard);
        drop(publishing);
        figures
    });
    drop(program);
    watching.end();
    Ok(Some(Figures {
        alone,
        idle_kib,
        ..figures
    }))
}

/// Publishes one message to each subject at each beat, until dropped.
struct Publisher {
    _stay: Sender<()>,
}

impl Publisher {
    fn start<'a>(scope: &'a std::thread::Scope<'a, '_>, program: &'a Program, bytes: [usize; 2]) -> Self {
        let (stay, stop) = channel();
        scope.spawn(move || {
            let crowd = Crowd::connect(program.address, "/", Tongue::Nats, 1);
            let mut crowd = crowd.expect("nats listens");
            let mut hello = NATS_HELLO.to_owned();
            while stop.recv_timeout(Duration::from_secs(1) / HZ) == Err(Timeout) {
                let mut words = std::mem::take(&mut hello);
                for (subject, bytes) in SUBJECTS.into_iter().zip(bytes) {
                    // The frame's head and the line before the payload count too.
                    let bytes = bytes.saturating_sub(24);
                    let payload = format!("{{\"sentAt\":{:013},", wall_ms());
                    let payload = format!("{payload:x<bytes$}");
                    words.push_str(&format!("PUB {subject} {}\r\n{payload}\r\n", payload.len()));
                }
                crowd
                    .say(|_| frame(false, words.as_bytes()))
                    .expect("nats listens");
            }
        });
        Publisher { _stay: stay }
    }
}

struct Wanted {
    rounds: usize,
    servers: Vec<Server>,
    sessions: Vec<usize>,
}

/// Unknown words, such as those of `cargo bench` itself, are passed over.
fn wanted() -> Wanted {
    let mut wanted = Wanted {
        rounds: 3,
        servers: vec![Server::Skyhaul(ours()), Server::Nats, Server::Floor],
        sessions: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
                wanted.rounds = rounds.expect("--rounds takes a number");
            }
            "--beside" => {
                let other = arguments.next().expect("--beside takes a program");
                wanted.servers.push(Server::Skyhaul(other.into()));
            }
            other => wanted.sessions.extend(other.parse::<usize>().ok()),
        }
    }
    if wanted.sessions.is_empty() {
        wanted.sessions = vec![500, 2_000, 8_000, 10_000];
    }
    wanted
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == program::AS_FLOOR) {
        let bytes = [1, 2].map(|word| arguments[at + word].parse().expect("a number of bytes"));
        return floor::serve(bytes);
    }
    let wanted = wanted();
    println!(
        "{HZ} Hz; half watch a district, half a single drone; clients on the same machine; medians of {} rounds",
        wanted.rounds
    );
    println!(
        "watchers  server   CPU µs/frame  user   sys  (world) of nats  frames/s  bytes/frame  p50 ms p99 ms  KiB idle  lost"
    );
    for &sessions in &wanted.sessions {
        compare(&wanted, sessions)?;
    }
    Ok(())
}

/// All servers in turn, the order turned round each time.
fn compare(wanted: &Wanted, sessions: usize) -> std::io::Result<()> {
    let mut figures: Vec<Vec<Figures>> = wanted.servers.iter().map(|_| Vec::new()).collect();
    let mut bytes = [0; 2];
    for number in 0..wanted.rounds {
        let mut order: Vec<usize> = (0..wanted.servers.len()).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for server in order {
            let Some(measured) = round(&wanted.servers[server], sessions, bytes)? else {
                continue;
            };
            if server == 0 {
                bytes = measured.bytes;
            }
            figures[server].push(measured);
        }
    }
    let of = |figures: &[Figures], of: fn(&Figures) -> f64| median(figures.iter().map(of).collect());
    let nats = wanted.servers.iter().position(|server| *server == Server::Nats);
    let nats_us = nats
        .filter(|nats| !figures[*nats].is_empty())
        .map(|nats| of(&figures[nats], Figures::cpu_us));
    for (server, figures) in wanted.servers.iter().zip(&figures) {
        if figures.is_empty() {
            println!("{sessions:8}  {:8} absent: not on this machine", server.name());
            continue;
        }
        let cpu_us = of(figures, Figures::cpu_us);
        let ratio = nats_us.map_or_else(|| "-".into(), |nats_us| format!("{:.2}", cpu_us / nats_us));
        let frames = of(figures, |figures| figures.frames);
        let world_us = of(figures, |figures| figures.alone) / frames * 1e6;
        let bytes = figures[0].bytes;
        println!(
            "{sessions:8}  {:8} {cpu_us:12.2} {:5.2} {:5.2} {world_us:8.2} {ratio:>7} {frames:9.0} {:>12} {:7.0} {:6.0} {:9.1} {:5}",
            server.name(),
            of(figures, |figures| figures.user_us),
            of(figures, |figures| figures.system_us),
            format!("{}/{}", bytes[0], bytes[1]),
            of(figures, |figures| figures.p50_ms),
            of(figures, |figures| figures.p99_ms),
            of(figures, |figures| figures.idle_kib),
            figures.iter().map(|figures| figures.lost).sum::<u64>(),
        );
    }
    std::io::stdout().flush()
}
