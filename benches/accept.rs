//! The accept path: delivery requests a second over HTTP, each answered once it is on the
//! disk; and beside it, in the same run and under the same clients, the floor: bare axum
//! with one SQLite row per request, where requests that wait together share a commit.
//!
//! The same server on PostgreSQL, which shares the machine too, is measured last.
//!
//! Clients are plain sockets in this process, one request in flight each, so that they
//! take little of the machine. Servers take turns; the medians are compared.

#[path = "../tests/journeys/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod postgres;
mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use rusqlite::Connection;
use serde_json::Value;
use skyhaul::server::{self, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use support::{city, median, now, per_second};

const CONNECTIONS: [usize; 2] = [64, 256];
const TURNS: usize = 3;
const TURN: Duration = Duration::from_secs(4);
/// Requests of a turn's beginning that do not count.
const WARM_UP: Duration = Duration::from_millis(500);

/// The reference's second request, between places that the city has.
const BODY: &str = r#"{"confirmationRequired":"None","deadline":"","deliveryId":"mydelivery","dropOffLocation":"0,37.7596,-122.4269","expedited":true,"ownerId":"myowner","packageInfo":{"packageId":"mypackage","size":"Small","tag":"mytag","weight":1},"pickupLocation":"Place 3","pickupTime":"2019-05-08T20:00:00.000Z"}"#;

/// What the clients of one turn saw.
struct Seen {
    per_second: f64,
    p99_ms: f64,
}

fn request(address: SocketAddr) -> Vec<u8> {
    let length = BODY.len();
    format!(
        "POST /api/deliveryrequests HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{BODY}"
    )
    .into_bytes()
}

/// Bytes of the first whole response in `bytes`, if one is there.
fn response_length(bytes: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"content-length: ";
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let digits = bytes[..head]
        .windows(LENGTH.len())
        .position(|name| name == LENGTH)?
        + LENGTH.len();
    let digits = bytes[digits..head]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |sum, digit| 10 * sum + usize::from(digit - b'0'));
    (bytes.len() >= head + body).then_some(head + body)
}

/// One connection: the latencies of its requests between the warm-up and the end.
async fn client(address: SocketAddr, counts_from: Instant, ends: Instant) -> Vec<Duration> {
    let mut socket = TcpStream::connect(address).await.expect("the server listens");
    socket.set_nodelay(true).expect("a socket can do that");
    let request = request(address);
    let (mut buffer, mut latencies) = (vec![0; 4_096], Vec::new());
    loop {
        let began = now();
        if began >= ends {
            return latencies;
        }
        socket.write_all(&request).await.expect("the server reads");
        let mut filled = 0;
        while response_length(&buffer[..filled]).is_none() {
            let read = socket
                .read(&mut buffer[filled..])
                .await
                .expect("the server answers");
            assert!(read > 0, "the server hung up");
            filled += read;
        }
        assert!(
            buffer.starts_with(b"HTTP/1.1 202"),
            "{}",
            String::from_utf8_lossy(&buffer[..filled])
        );
        if began >= counts_from {
            latencies.push(began.elapsed());
        }
    }
}

/// All connections of one turn, on a thread of their own.
fn offer(address: SocketAddr, connections: usize) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let latencies = runtime.expect("a runtime can be had").block_on(async {
        let counts_from = now() + WARM_UP;
        let clients =
            (0..connections).map(|_| tokio::spawn(client(address, counts_from, counts_from + TURN)));
        let mut latencies = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            latencies.extend(client.await.expect("a client ends"));
        }
        latencies
    });
    let mut millis: Vec<f64> = latencies
        .iter()
        .map(|latency| 1e3 * latency.as_secs_f64())
        .collect();
    millis.sort_unstable_by(f64::total_cmp);
    Seen {
        per_second: per_second(millis.len(), TURN),
        p99_ms: millis[millis.len() * 99 / 100],
    }
}

/// A request on its way to the floor's database.
struct Row {
    id: Uuid,
    body: String,
    written: oneshot::Sender<()>,
}

async fn floor_accepts(State(rows): State<mpsc::Sender<Row>>, body: String) -> Response {
    let id = Uuid::now_v7();
    let Ok(mut echo) = serde_json::from_str::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    echo["deliveryId"] = id.to_string().into();
    let (written, durable) = oneshot::channel();
    let row = Row { id, body, written };
    if rows.send(row).await.is_err() || durable.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let location = format!("/api/deliveryrequests/{id}");
    (StatusCode::ACCEPTED, [(LOCATION, location)], axum::Json(echo)).into_response()
}

fn floor_writes(folder: &Path, mut rows: mpsc::Receiver<Row>) -> rusqlite::Result<()> {
    let mut connection = Connection::open(folder.join("floor.db"))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE request (id BLOB PRIMARY KEY, body TEXT NOT NULL)")?;
    let mut together = Vec::new();
    while rows.blocking_recv_many(&mut together, 4_096) > 0 {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO request VALUES (?1, ?2)")?;
            for row in &together {
                insert.execute((row.id.as_bytes(), &row.body))?;
            }
        }
        transaction.commit()?;
        for row in together.drain(..) {
            let _client_left = row.written.send(());
        }
    }
    Ok(())
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

async fn start_floor(folder: &Path) -> SocketAddr {
    let (sender, rows) = mpsc::channel(100_000);
    let folder = folder.to_owned();
    std::thread::spawn(move || floor_writes(&folder, rows).expect("the floor's database works"));
    let (listener, address) = listen().await;
    let listener = listener.tap_io(|socket| socket.set_nodelay(true).expect("a socket can do that"));
    let routes = Router::new()
        .route("/api/deliveryrequests", post(floor_accepts))
        .with_state(sender);
    tokio::spawn(axum::serve(listener, routes).into_future());
    address
}

/// The server as `serve` starts it, over a city whose drones are soon all out.
async fn start_skyhaul(data: String) -> (server::Server, SocketAddr) {
    let (listener, address) = listen().await;
    let options = Options {
        data,
        demand: false,
        ..Options::default()
    };
    let world = Arc::new(city(1_000, "100ms"));
    let server = server::start(world, options, listener).await;
    (server.expect("the store opens"), address)
}

async fn turn(address: SocketAddr, connections: usize) -> Seen {
    let seen = tokio::task::spawn_blocking(move || offer(address, connections)).await;
    seen.expect("the clients end")
}

fn figures(turns: &[Seen]) -> (f64, f64) {
    (
        median(turns.iter().map(|seen| seen.per_second).collect()),
        median(turns.iter().map(|seen| seen.p99_ms).collect()),
    )
}

async fn compare() {
    let folder = tempfile::tempdir().expect("there is room for files");
    let floor = start_floor(folder.path()).await;
    let data = folder.path().join("skyhaul").display().to_string();
    let (server, skyhaul) = start_skyhaul(data).await;
    for connections in CONNECTIONS {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            bare.push(turn(floor, connections).await);
            ours.push(turn(skyhaul, connections).await);
        }
        let ((ours, our_p99), (bare, bare_p99)) = (figures(&ours), figures(&bare));
        println!(
            "{connections} connections, medians of {TURNS} turns of {} s:",
            TURN.as_secs()
        );
        println!("  skyhaul: {ours:.0} durable requests/s, p99 {our_p99:.1} ms");
        println!("  bare axum + SQLite: {bare:.0} durable requests/s, p99 {bare_p99:.1} ms");
        println!("  ratio: {:.0} %", 100.0 * ours / bare);
    }
    server.stop().await.expect("the last ticks are committed");
    on_postgres().await;
}

async fn on_postgres() {
    let cluster = postgres::Cluster::start_with(true);
    let (server, skyhaul) = start_skyhaul(cluster.database()).await;
    for connections in CONNECTIONS {
        let mut seen = Vec::new();
        for _ in 0..TURNS {
            seen.push(turn(skyhaul, connections).await);
        }
        let (requests, p99) = figures(&seen);
        println!(
            "{connections} connections, on PostgreSQL: {requests:.0} durable requests/s, p99 {p99:.1} ms"
        );
    }
    server.stop().await.expect("the last ticks are committed");
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be had");
    runtime.block_on(compare());
}
