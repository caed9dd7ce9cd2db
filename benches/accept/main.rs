//! The accept path: delivery requests a second over HTTP, each answered once it is on the
//! disk; and beside it, in the same run and under the same clients, the floor: bare axum
//! with one SQLite row per request. While skyhaul accepts, what it has accepted goes through
//! the whole of its workflow on the same processors.
//!
//! - `sustained`: servers take turns; the medians are compared.
//! - `long`: half a minute of it, in which what waits to be admitted fills the buffer.
//! - `cost`: what one request costs in processor time, by thread, with everything that
//!   follows from it; of use where the machine is not quiet.
//! - `spike`: more than can be taken at once, for five seconds, kept to a timetable.
//! - `postgres`: sustained, on PostgreSQL, which shares the machine too.
//!
//! `cargo bench --bench accept -- [PART…]`; all of them where none is named.

mod clients;
mod cpu;
mod floor;
#[path = "../../tests/journeys/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod postgres;
#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use skyhaul::server::{self, Options, Server};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use clients::{Seen, closed_loop, timetable};
use cpu::Spent;
use support::{city, median, now, resident_bytes};

const CONNECTIONS: [usize; 2] = [64, 256];
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(4);

/// More ended deliveries than these leave memory in the first lull.
const KEPT_IN_A_LULL: usize = 50_000;

const LONG_TURN: Duration = Duration::from_secs(30);
/// Longer than this nothing that was accepted takes.
const PATIENCE: Duration = Duration::from_secs(120);

const SPIKE_RATE: u32 = 50_000;
const SPIKE_CONNECTIONS: usize = 2_000;
const SPIKE: Duration = Duration::from_secs(5);

/// The server as `serve` starts it, over a city whose drones are soon all out.
struct Skyhaul {
    server: Server,
    address: SocketAddr,
    runtime: Runtime,
}

impl Skyhaul {
    fn start(data: String) -> Self {
        let runtime = threads("http");
        let options = Options {
            data,
            demand: false,
            ..Options::default()
        };
        let world = Arc::new(city(1_000, "100ms"));
        let (server, address) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let address = listener.local_addr().expect("it is bound");
            let server = server::start(world, options, listener).await;
            (server.expect("the store opens"), address)
        });
        Skyhaul {
            server,
            address,
            runtime,
        }
    }

    fn accepted(&self) -> u64 {
        self.server.view().fleet().deliveries.accepted
    }

    /// How many were accepted and are not admitted yet.
    fn waiting(&self) -> usize {
        self.depth_of("inbox")
    }

    /// Whether what ended is on its way to the disk, or will be as soon as there is time for it.
    fn is_keeping(&self) -> bool {
        self.server.view().waiting_to_leave() > KEPT_IN_A_LULL || self.depth_of("store_ticks") > 1
    }

    /// How many wait in one of the server's queues, as `/metrics` tells.
    fn depth_of(&self, queue: &str) -> usize {
        let gauge = format!("skyhaul_queue_depth{{queue=\"{queue}\"}} ");
        let mut socket = TcpStream::connect(self.address).expect("the server listens");
        write!(
            socket,
            "GET /metrics HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        )
        .expect("the server reads");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("the server answers");
        let line = answer.lines().find_map(|line| line.strip_prefix(&gauge));
        line.and_then(|depth| depth.trim().parse().ok())
            .expect("the server tells of its queues")
    }

    /// Until all that was accepted has gone through its workflow, what ended is kept, and the
    /// clock is on time.
    fn settle(&self) -> Duration {
        let began = now();
        let mut on_time = 0;
        let mut tick = self.server.view().clock().tick;
        while on_time < 5 {
            assert!(
                began.elapsed() < PATIENCE,
                "what was accepted is not done in time"
            );
            std::thread::sleep(Duration::from_millis(20));
            let clock = self.server.view().clock();
            if clock.tick > tick {
                tick = clock.tick;
                let is_on_time = clock.pace.tick_slip_ms < 50.0 && self.waiting() == 0 && !self.is_keeping();
                on_time = if is_on_time { on_time + 1 } else { 0 };
            }
        }
        began.elapsed()
    }

    fn stop(self) {
        let stopped = self.runtime.block_on(self.server.stop());
        stopped.expect("the last ticks are committed");
    }
}

fn threads(name: &str) -> Runtime {
    let runtime = Builder::new_multi_thread().thread_name(name).enable_all().build();
    runtime.expect("a runtime can be had")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is room for files")
}

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().join("skyhaul").display().to_string()
}

fn figures(turns: &[Seen]) -> (f64, f64) {
    (
        median(turns.iter().map(|seen| seen.per_second).collect()),
        median(turns.iter().map(|seen| seen.p99_ms).collect()),
    )
}

fn sustained() {
    let folder = folder();
    let runtime = threads("floor-http");
    let floor = floor::start(&runtime, folder.path());
    let skyhaul = Skyhaul::start(path(&folder));
    for connections in CONNECTIONS {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            bare.push(closed_loop(floor, connections, TURN));
            ours.push(closed_loop(skyhaul.address, connections, TURN));
            // The floor has the machine for itself.
            skyhaul.settle();
        }
        let refused: usize = ours.iter().map(|seen| seen.refused).sum();
        let ((ours, our_p99), (bare, bare_p99)) = (figures(&ours), figures(&bare));
        println!(
            "{connections} connections, medians of {TURNS} turns of {} s:",
            TURN.as_secs()
        );
        println!("  skyhaul: {ours:.0} durable requests/s, p99 {our_p99:.1} ms, {refused} refused");
        println!("  bare axum + SQLite: {bare:.0} durable requests/s, p99 {bare_p99:.1} ms");
        println!("  ratio: {:.0} %", 100.0 * ours / bare);
    }
    skyhaul.stop();
}

fn long() {
    let folder = folder();
    let skyhaul = Skyhaul::start(path(&folder));
    for connections in CONNECTIONS {
        let before = resident_bytes();
        let seen = closed_loop(skyhaul.address, connections, LONG_TURN);
        let (waiting, memory) = (skyhaul.waiting(), resident_bytes().saturating_sub(before));
        let behind = skyhaul.settle();
        println!(
            "{connections} connections for {} s: {:.0} durable requests/s, p99 {:.1} ms, {} refused",
            LONG_TURN.as_secs(),
            seen.per_second,
            seen.p99_ms,
            seen.refused,
        );
        println!(
            "  at the end {waiting} were not admitted yet and the process had {} MB more; all done {:.1} s later",
            memory >> 20,
            behind.as_secs_f64()
        );
    }
    skyhaul.stop();
}

fn cost() {
    let folder = folder();
    let runtime = threads("floor-http");
    let floor = floor::start(&runtime, folder.path());
    let skyhaul = Skyhaul::start(path(&folder));
    for connections in CONNECTIONS {
        println!("processor time of one request, µs, at {connections} connections:");
        for (name, address) in [("floor", floor), ("skyhaul", skyhaul.address)] {
            skyhaul.settle();
            let before = Spent::so_far();
            let seen = closed_loop(address, connections, TURN);
            let then = Spent::so_far();
            let rest = skyhaul.settle();
            let after = Spent::so_far();
            println!(
                "  {name}: {} requests, {:.1} s until all of it was done",
                seen.accepted,
                rest.as_secs_f64()
            );
            println!("    {:6.1}  clients", cpu::micros(seen.spent, seen.accepted));
            let during = then.each_since(&before, seen.accepted);
            for ((work, all), (_, during)) in after.each_since(&before, seen.accepted).into_iter().zip(during)
            {
                if all >= 0.05 {
                    println!("    {all:6.1}  {work} ({during:.1} while they were accepted)");
                }
            }
        }
    }
    skyhaul.stop();
}

fn spike() {
    let folder = folder();
    let skyhaul = Skyhaul::start(path(&folder));
    let before = resident_bytes();
    let seen = timetable(skyhaul.address, SPIKE_CONNECTIONS, SPIKE_RATE, SPIKE);
    let (waiting, memory) = (skyhaul.waiting(), resident_bytes().saturating_sub(before));
    let behind = skyhaul.settle();
    println!(
        "a spike: {SPIKE_RATE}/s offered for {} s over {SPIKE_CONNECTIONS} connections:",
        SPIKE.as_secs()
    );
    println!(
        "  {} accepted, {} refused, {} without an answer; {} known to the server afterwards",
        seen.accepted,
        seen.refused,
        seen.lost,
        skyhaul.accepted()
    );
    println!(
        "  from when each was due: p50 {:.0} ms, p99 {:.0} ms, longest {:.0} ms; all done {:.1} s after the last answer",
        seen.p50_ms,
        seen.p99_ms,
        seen.max_ms,
        behind.as_secs_f64()
    );
    println!(
        "  at the end {waiting} were not admitted yet, and the process had {} MB more",
        memory >> 20
    );
    skyhaul.stop();
}

fn on_postgres() {
    let cluster = postgres::Cluster::start_with(true);
    let skyhaul = Skyhaul::start(cluster.database());
    for connections in CONNECTIONS {
        let turns: Vec<_> = (0..TURNS)
            .map(|_| closed_loop(skyhaul.address, connections, TURN))
            .collect();
        let (requests, p99) = figures(&turns);
        println!(
            "{connections} connections, on PostgreSQL: {requests:.0} durable requests/s, p99 {p99:.1} ms"
        );
    }
    skyhaul.stop();
}

fn main() {
    let parts: [(&str, fn()); 5] = [
        ("sustained", sustained),
        ("long", long),
        ("cost", cost),
        ("spike", spike),
        ("postgres", on_postgres),
    ];
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    for (name, part) in parts {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            part();
        }
    }
}
