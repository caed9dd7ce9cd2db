//! The clients: plain sockets on one thread, one request in flight on each, so that they
//! take little of the machine. Either each sends as soon as it is answered, or all keep to a
//! timetable; then a request that had to wait for its turn has waited since it was due.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::cpu;
use super::support::{now, per_second};

/// The reference's second request, between places that the city has.
pub const BODY: &str = r#"{"confirmationRequired":"None","deadline":"","deliveryId":"mydelivery","dropOffLocation":"0,37.7596,-122.4269","expedited":true,"ownerId":"myowner","packageInfo":{"packageId":"mypackage","size":"Small","tag":"mytag","weight":1},"pickupLocation":"Place 3","pickupTime":"2019-05-08T20:00:00.000Z"}"#;

/// Requests of a turn's beginning that do not count.
const WARM_UP: Duration = Duration::from_millis(500);

/// What the clients of one turn saw.
pub struct Seen {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
    /// All answers of the turn, those of the warm-up included.
    pub accepted: usize,
    pub refused: usize,
    /// Not answered at all.
    pub lost: usize,
    /// The clients' own time on a processor.
    pub spent: Duration,
}

/// What one client has seen.
#[derive(Default)]
struct Tally {
    latencies: Vec<Duration>,
    accepted: usize,
    refused: usize,
    lost: usize,
}

struct Client {
    socket: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Accepted,
    Refused,
    Lost,
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be had");
        let socket = socket.connect(address).await.expect("the server listens");
        socket.set_nodelay(true).expect("a socket can do that");
        let length = BODY.len();
        let request = format!(
            "POST /api/deliveryrequests HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{BODY}"
        );
        Client {
            socket,
            request: request.into_bytes(),
            buffer: vec![0; 2_048],
        }
    }

    async fn ask(&mut self) -> Answer {
        if self.socket.write_all(&self.request).await.is_err() {
            return Answer::Lost;
        }
        let mut filled = 0;
        while response_length(&self.buffer[..filled]).is_none() {
            match self.socket.read(&mut self.buffer[filled..]).await {
                Ok(read) if read > 0 => filled += read,
                _ => return Answer::Lost,
            }
        }
        match self.buffer.starts_with(b"HTTP/1.1 202") {
            true => Answer::Accepted,
            false => Answer::Refused,
        }
    }
}

impl Tally {
    fn add(&mut self, answer: &Answer) {
        match answer {
            Answer::Accepted => self.accepted += 1,
            Answer::Refused => self.refused += 1,
            Answer::Lost => self.lost += 1,
        }
    }
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

/// Each connection sends its next request when the last is answered, for this long.
pub fn closed_loop(address: SocketAddr, connections: usize, turn: Duration) -> Seen {
    on_a_thread(
        address,
        connections,
        turn,
        move |mut client, _, started| async move {
            let counts_from = started + WARM_UP;
            let mut tally = Tally::default();
            loop {
                let began = now();
                if began >= counts_from + turn {
                    return tally;
                }
                let answer = client.ask().await;
                tally.add(&answer);
                assert_ne!(answer, Answer::Lost, "the server hung up");
                if began >= counts_from {
                    tally.latencies.push(began.elapsed());
                }
            }
        },
    )
}

/// All connections together offer `rate` requests a second for this long, evenly, and then
/// wait for what they are owed.
pub fn timetable(address: SocketAddr, connections: usize, rate: u32, turn: Duration) -> Seen {
    let between = Duration::from_secs_f64(connections as f64 / f64::from(rate));
    let each = (turn.as_secs_f64() / between.as_secs_f64()).round() as u32;
    on_a_thread(
        address,
        connections,
        turn,
        move |mut client, number, started| async move {
            let mut due = started + between * number / connections as u32;
            let mut tally = Tally::default();
            for _ in 0..each {
                if due > now() {
                    tokio::time::sleep_until(due.into()).await;
                }
                let answer = client.ask().await;
                tally.add(&answer);
                tally.latencies.push(now() - due);
                if answer == Answer::Lost {
                    client = Client::connect(address).await;
                }
                due += between;
            }
            tally
        },
    )
}

fn on_a_thread<F>(
    address: SocketAddr,
    connections: usize,
    turn: Duration,
    client: impl Fn(Client, u32, Instant) -> F + Send + 'static,
) -> Seen
where
    F: Future<Output = Tally> + 'static,
{
    let thread = std::thread::Builder::new()
        .name("clients".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let tasks = tokio::task::LocalSet::new();
            let all = tasks.block_on(&runtime.expect("a runtime can be had"), async {
                let mut sockets = Vec::new();
                for _ in 0..connections {
                    sockets.push(Client::connect(address).await);
                }
                let started = now();
                let clients: Vec<_> = sockets
                    .into_iter()
                    .zip(0..)
                    .map(|(socket, number)| tokio::task::spawn_local(client(socket, number, started)))
                    .collect();
                let mut all = Tally::default();
                for client in clients {
                    let tally = client.await.expect("a client ends");
                    all.latencies.extend(tally.latencies);
                    all.accepted += tally.accepted;
                    all.refused += tally.refused;
                    all.lost += tally.lost;
                }
                all
            });
            seen(all, turn, cpu::of_this_thread())
        });
    let thread = thread.expect("a thread can be had");
    thread.join().expect("the clients end")
}

fn seen(all: Tally, turn: Duration, spent: Duration) -> Seen {
    let mut millis: Vec<f64> = all
        .latencies
        .iter()
        .map(|latency| 1e3 * latency.as_secs_f64())
        .collect();
    millis.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
    Seen {
        per_second: per_second(millis.len(), turn),
        p50_ms: quantile(0.5),
        p99_ms: quantile(0.99),
        max_ms: quantile(1.0),
        accepted: all.accepted,
        refused: all.refused,
        lost: all.lost,
        spent,
    }
}
