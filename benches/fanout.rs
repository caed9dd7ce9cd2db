//! What it costs to tell many watchers where the drones are, beside `nats-server`'s
//! WebSocket listener with frames of the same size to as many clients.
//!
//! The real program is a child process with its own figures; the clients live here. Half of
//! them watch a district, half a single drone; nats carries frames of their mean size.
//! `cargo bench --bench fanout -- [SESSIONS…]`, 500 2000 and 8000 where none is named.

#[path = "support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use support::now;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

const HZ: u32 = 10;
const MEASURED: Duration = Duration::from_secs(8);
const NATS_PORT: u16 = 24_222;
const NATS_WS_PORT: u16 = 24_223;
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

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Default)]
struct Heard {
    frames: AtomicU64,
    bytes: AtomicU64,
    /// How many frames took so many milliseconds.
    delays: Vec<AtomicU64>,
}

impl Heard {
    fn new() -> Arc<Self> {
        Arc::new(Heard {
            delays: (0..2_000).map(|_| AtomicU64::new(0)).collect(),
            ..Heard::default()
        })
    }

    fn hear(&self, bytes: usize, sent_at: Option<u64>) {
        self.frames.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
        if let Some(sent_at) = sent_at {
            let delay = (wall_ms().saturating_sub(sent_at) as usize).min(self.delays.len() - 1);
            self.delays[delay].fetch_add(1, Relaxed);
        }
    }

    fn start_over(&self) {
        for count in self.delays.iter().chain([&self.frames, &self.bytes]) {
            count.store(0, Relaxed);
        }
    }

    fn quantile(&self, share: f64) -> usize {
        let counts: Vec<u64> = self.delays.iter().map(|count| count.load(Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share) as u64;
        let mut so_far = 0;
        let reached = counts.iter().position(|count| {
            so_far += count;
            so_far > wanted
        });
        reached.unwrap_or(0)
    }
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_millis() as u64
}

/// A program that ends with this value.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Seconds of both kinds of CPU time so far.
    fn cpu_seconds(&self) -> f64 {
        const TICKS: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it runs");
        let (_, figures) = stat.rsplit_once(')').expect("its name stands in brackets");
        let times: Vec<f64> = figures
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        times.iter().sum::<f64>() / TICKS
    }

    fn resident_kib(&self) -> f64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.0.id())).expect("it runs");
        let pages: f64 = statm
            .split_whitespace()
            .nth(1)
            .and_then(|pages| pages.parse().ok())
            .expect("a count");
        pages * 4.0
    }
}

/// The real program, once it says where it listens.
fn serve(scenario: &std::path::Path) -> (Program, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_skyhaul"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            ":memory:",
            "--scenario",
        ])
        .arg(scenario)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
    let mut address = None;
    let mut lines = lines.map_while(Result::ok);
    for line in lines.by_ref() {
        if let Some((_, rest)) = line.split_once("http://") {
            address = rest
                .split(|c: char| c.is_whitespace() || c == '/' || c == '"')
                .next()
                .and_then(|text| text.parse().ok());
        }
        if address.is_some() {
            break;
        }
    }
    std::thread::spawn(move || lines.for_each(drop));
    (Program(child), address.expect("it says where it listens"))
}

async fn connect(url: &str) -> Socket {
    let small = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0);
    let (socket, _) = connect_async_with_config(url, Some(small), true)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error}"));
    socket
}

async fn subscribe(socket: &mut Socket, number: usize) {
    let mut message = json!({"type": "subscribe", "id": 1, "maxHz": HZ});
    if number.is_multiple_of(2) {
        message["topic"] = "area".into();
        message["bbox"] = json!(DISTRICT);
    } else {
        message["topic"] = format!("drone/d-{}", number % 400).into();
    }
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.expect("the server listens");
}

async fn follow(mut socket: Socket, heard: Arc<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let sent_at = text.split_once("\"sentAt\":").map(|(_, rest)| rest);
        let digits = sent_at.and_then(|rest| rest.split(',').next());
        if let Some(sent_at) = digits.and_then(|digits| digits.parse().ok()) {
            heard.hear(text.len(), Some(sent_at));
        }
    }
}

struct Figures {
    cpu_us: f64,
    frames: f64,
    mean_bytes: f64,
    p50: usize,
    p99: usize,
}

async fn measure(program: &Program, heard: &Heard) -> Figures {
    sleep(Duration::from_secs(2)).await;
    heard.start_over();
    let (cpu, start) = (program.cpu_seconds(), now());
    sleep(MEASURED).await;
    let frames = heard.frames.load(Relaxed) as f64;
    let (cpu, seconds) = (program.cpu_seconds() - cpu, start.elapsed().as_secs_f64());
    Figures {
        cpu_us: cpu / frames.max(1.0) * 1e6,
        frames: frames / seconds,
        mean_bytes: heard.bytes.load(Relaxed) as f64 / frames.max(1.0),
        p50: heard.quantile(0.5),
        p99: heard.quantile(0.99),
    }
}

fn say(name: &str, sessions: usize, figures: &Figures, idle: &str) {
    println!(
        "{name:8} {sessions:6} {:10.1} {:10.0} {:8.0} {:6} {:6} {idle:>10}",
        figures.cpu_us, figures.frames, figures.mean_bytes, figures.p50, figures.p99
    );
}

async fn skyhaul(scenario: &std::path::Path, sessions: usize) -> f64 {
    let (program, address) = serve(scenario);
    let url = format!("ws://{address}/ws");
    let before = program.resident_kib();
    let mut sockets = Vec::new();
    for _ in 0..sessions {
        sockets.push(connect(&url).await);
    }
    sleep(Duration::from_secs(1)).await;
    let idle = (program.resident_kib() - before) / sessions as f64;
    let base = (program.cpu_seconds(), now());
    sleep(Duration::from_secs(3)).await;
    let idle_cpu = (program.cpu_seconds() - base.0) / base.1.elapsed().as_secs_f64();
    let heard = Heard::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        subscribe(&mut socket, number).await;
        tokio::spawn(follow(socket, Arc::clone(&heard)));
    }
    let figures = measure(&program, &heard).await;
    say("skyhaul", sessions, &figures, &format!("{idle:.1} KiB"));
    println!(
        "         (of which the world and idle sessions: {:.1} % of a core)",
        idle_cpu * 100.0
    );
    figures.mean_bytes
}

/// One publisher, and everybody subscribed to its subject.
async fn nats(sessions: usize, bytes: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("nats.conf");
    let text = format!(
        "listen: 127.0.0.1:{NATS_PORT}\nmax_connections: 20000\nwebsocket {{ listen: \"127.0.0.1:{NATS_WS_PORT}\", no_tls: true }}\n"
    );
    std::fs::write(&config, text).expect("the folder takes a file");
    let started = Command::new("nats-server")
        .arg("-c")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = started else {
        println!("nats     {sessions:6}     absent: no nats-server on this machine");
        return;
    };
    let program = Program(child);
    sleep(Duration::from_secs(1)).await;
    let url = format!("ws://127.0.0.1:{NATS_WS_PORT}/");
    let before = program.resident_kib();
    let heard = Heard::new();
    let hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1}\r\nSUB frames 1\r\n";
    for _ in 0..sessions {
        let mut socket = connect(&url).await;
        let sent = socket.send(Message::binary(hello.as_bytes().to_vec())).await;
        sent.expect("nats listens");
        tokio::spawn(hear_nats(socket, Arc::clone(&heard)));
    }
    sleep(Duration::from_secs(1)).await;
    let idle = (program.resident_kib() - before) / sessions as f64;
    let publisher = tokio::spawn(publish(connect(&url).await, bytes));
    let figures = measure(&program, &heard).await;
    publisher.abort();
    say("nats", sessions, &figures, &format!("{idle:.1} KiB"));
}

async fn hear_nats(mut socket: Socket, heard: Arc<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Binary(frame) = message else { continue };
        let text = std::str::from_utf8(&frame).unwrap_or_default();
        // Several messages may share a frame.
        let messages = text.matches("sentAt:").count().max(1);
        for (at, _) in text.match_indices("sentAt:") {
            let digits = text.get(at + 7..at + 20);
            if let Some(sent_at) = digits.and_then(|digits| digits.parse().ok()) {
                heard.hear(frame.len() / messages, Some(sent_at));
            }
        }
        if text.starts_with("PING") && socket.send(Message::binary(b"PONG\r\n".to_vec())).await.is_err() {
            return;
        }
    }
}

async fn publish(mut socket: Socket, bytes: usize) {
    let hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1}\r\n";
    let mut beats = tokio::time::interval(Duration::from_secs(1) / HZ);
    let mut message = hello.to_owned();
    loop {
        let payload = format!("sentAt:{:013},", wall_ms());
        let payload = format!("{payload:x<bytes$}");
        message.push_str(&format!("PUB frames {}\r\n{payload}\r\n", payload.len()));
        let frame = Message::binary(std::mem::take(&mut message).into_bytes());
        if socket.send(frame).await.is_err() {
            return;
        }
        beats.tick().await;
    }
}

fn main() {
    let named: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let sessions = if named.is_empty() {
        vec![500, 2_000, 8_000]
    } else {
        named
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = folder.path().join("fan-out.toml");
    std::fs::write(&scenario, WORLD).expect("the folder takes a file");
    println!("{HZ} Hz; half watch a district, half a single drone; clients on the same machine");
    println!("server   watchers  CPU µs/frame  frames/s  bytes  p50 ms p99 ms  idle each");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    for sessions in sessions {
        runtime.block_on(async {
            let bytes = skyhaul(&scenario, sessions).await;
            nats(sessions, bytes as usize).await;
        });
    }
}
