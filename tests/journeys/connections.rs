//! Connections that say nothing, or half of something, or are too many: each is ended or told
//! so, and nobody else notices.

use std::time::Duration;

use skyhaul::server::{Limits, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{interval, timeout};
use tokio_tungstenite::connect_async;

use crate::support::PATIENCE;
use crate::support::server::{Running, quiet};
use crate::support::sse::Events;
use crate::support::worlds::tiny;

fn bounded(limits: Limits) -> Options {
    Options { limits, ..quiet() }
}

/// A client that sends what it likes, when it likes.
struct Raw {
    stream: TcpStream,
    unread: Vec<u8>,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Raw {
    async fn connect(server: &Running) -> Self {
        let stream = TcpStream::connect(server.address()).await;
        Raw {
            stream: stream.expect("somebody listens"),
            unread: Vec::new(),
        }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("it is open");
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.say(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
            .await;
        self.answer().await
    }

    /// An answer with a length.
    async fn answer(&mut self) -> Answer {
        let head_end = self
            .until(|unread| unread.windows(4).position(|end| end == b"\r\n\r\n"))
            .await;
        let head = String::from_utf8(self.unread.drain(..head_end + 4).collect()).expect("a head is text");
        let head = head.to_lowercase();
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find_map(|(field, value)| (field == name).then_some(value))
        };
        let length: usize = field("content-length").map_or(0, |length| length.parse().expect("a number"));
        self.until(|unread| (unread.len() >= length).then_some(())).await;
        let body = self.unread.drain(..length).collect();
        Answer {
            status: head[9..12].parse().expect("a status"),
            body: String::from_utf8(body).expect("a body is text"),
            head,
        }
    }

    async fn until<T>(&mut self, found: impl Fn(&[u8]) -> Option<T>) -> T {
        loop {
            if let Some(found) = found(&self.unread) {
                return found;
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
            let read = read.expect("it comes in time").expect("the connection is sound");
            assert!(
                read > 0,
                "closed after {:?}",
                String::from_utf8_lossy(&self.unread)
            );
        }
    }

    /// Waits for the other side to close, and nothing to come before that.
    async fn is_closed(&mut self) {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        // Who still says something hears a reset instead of an end.
        let read = read.expect("it is closed in time").unwrap_or(0);
        assert_eq!(read, 0, "{:?}", String::from_utf8_lossy(&self.unread));
    }

    /// Goes on with a byte at a time until the other side closes.
    async fn trickle_until_closed(&mut self, byte: &str) {
        let mut beats = interval(Duration::from_millis(20));
        let trickling = async {
            let mut read = [0; 1];
            loop {
                tokio::select! {
                    end = self.stream.read(&mut read) => {
                        assert_eq!(end.unwrap_or(0), 0);
                        return;
                    }
                    _ = beats.tick() => {
                        if self.stream.write_all(byte.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            }
        };
        timeout(PATIENCE, trickling).await.expect("it is closed in time");
    }
}

impl Answer {
    fn is_last(&self) -> bool {
        self.head.contains("connection: close\r\n")
    }
}

/// Of a metric without labels, or with these.
async fn figure(client: &mut Raw, name: &str) -> u64 {
    let page = client.get("/metrics").await.body;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("{name} is not in {page}"));
    value.parse().expect("a whole number")
}

const OPEN: &str = r#"skyhaul_queue_depth{queue="http_connections"}"#;
const BOUND: &str = r#"skyhaul_queue_bound{queue="http_connections"}"#;
const TURNED_AWAY: &str = "skyhaul_http_connections_turned_away_total";

/// Asks until it has this value; what is waited for happens by itself.
async fn until_figure(client: &mut Raw, name: &str, wanted: u64) {
    let asking = async { while figure(client, name).await != wanted {} };
    timeout(PATIENCE, asking).await.expect("it comes to that");
}

#[tokio::test]
async fn a_head_or_a_body_that_does_not_come_ends_the_connection() {
    let limits = Limits {
        head: Duration::from_millis(300),
        body: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = Running::start(tiny(), bounded(limits)).await;
    let half_a_head = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
    let half_a_body = "PUT /api/simulation HTTP/1.1\r\nHost: 127.0.0.1\r\n\
                       Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"state\":";

    let mut silent = Raw::connect(&server).await;
    silent.is_closed().await;

    let mut slow = Raw::connect(&server).await;
    slow.say(half_a_head).await;
    slow.trickle_until_closed("a").await;

    let mut done = Raw::connect(&server).await;
    let answer = done.get("/healthz").await;
    assert_eq!((answer.status, answer.is_last()), (200, false));
    done.is_closed().await;

    let mut half = Raw::connect(&server).await;
    half.say(half_a_body).await;
    let answer = half.answer().await;
    assert_eq!((answer.status, answer.is_last()), (408, true), "{}", answer.body);
    assert!(
        answer.body.contains("urn:skyhaul:problem:body-too-slow"),
        "{}",
        answer.body
    );
    half.is_closed().await;

    let mut chunked = Raw::connect(&server).await;
    chunked
        .say(&half_a_body.replace(
            "Content-Length: 100\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n9\r\n",
        ))
        .await;
    let answer = chunked.answer().await;
    assert_eq!((answer.status, answer.is_last()), (408, true), "{}", answer.body);
    chunked.is_closed().await;

    // Who is watched over a stream, or answered after a while, is not meant.
    let mut events = Events::open(server.address(), "topic=fleet", None)
        .await
        .expect("a stream");
    let mut window = server.stream().await;
    window.follow(1, "fleet").await;
    let mut slow = Raw::connect(&server).await;
    slow.is_closed().await;
    let simulation = server.client().run_to(50).await;
    assert_eq!(simulation["tick"], 50);
    events.next_where(|message| message["tick"] == 50).await;
    window.next_of("fleet").await;
    server.stop().await;
}

#[tokio::test]
async fn more_connections_than_there_are_places_for_are_told_so() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let server = Running::start(tiny(), bounded(limits)).await;
    let mut first = Raw::connect(&server).await;
    assert_eq!(figure(&mut first, OPEN).await, 1);
    assert_eq!(figure(&mut first, BOUND).await, 3);
    let mut others = Vec::new();
    for open in [2, 3] {
        let mut other = Raw::connect(&server).await;
        assert_eq!(figure(&mut other, OPEN).await, open);
        others.push(other);
    }
    for (number, request) in (1..).zip([
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "PUT /api/simulation HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        "PUT /api/simulation HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    ]) {
        let mut one_more = Raw::connect(&server).await;
        one_more.say(request).await;
        let answer = one_more.answer().await;
        assert_eq!((answer.status, answer.is_last()), (503, true), "{request}");
        assert!(answer.head.contains("retry-after: 1\r\n"), "{}", answer.head);
        assert!(
            answer.head.contains("content-type: application/problem+json\r\n"),
            "{}",
            answer.head
        );
        one_more.is_closed().await;
        assert_eq!(figure(&mut first, TURNED_AWAY).await, number);
    }

    // Those who are there are served, and whoever leaves makes room.
    drop(others.pop());
    until_figure(&mut first, OPEN, 2).await;
    let mut newcomer = Raw::connect(&server).await;
    assert_eq!(newcomer.get("/healthz").await.status, 200);
    drop(newcomer);

    // A WebSocket needs a place only until it is one; an event stream keeps its own.
    let mut windows = Vec::new();
    for _ in 0..5 {
        until_figure(&mut first, OPEN, 2).await;
        let (window, _) = connect_async(format!("ws://{}/ws", server.address()))
            .await
            .expect("there is a place");
        windows.push(window);
    }
    until_figure(&mut first, OPEN, 2).await;
    until_figure(&mut first, "skyhaul_ws_sessions_open", 5).await;
    let stream = Events::open(server.address(), "topic=fleet", None).await;
    assert_eq!(figure(&mut first, OPEN).await, 3);
    assert!(
        Events::open(server.address(), "topic=fleet", None)
            .await
            .is_none()
    );
    drop(stream);
    until_figure(&mut first, OPEN, 2).await;
    assert_eq!(figure(&mut first, TURNED_AWAY).await, 4);
    server.stop().await;
}

#[tokio::test]
async fn who_reads_nothing_of_what_it_asked_for_is_let_go() {
    let limits = Limits {
        unread: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Running::start(tiny(), bounded(limits)).await;
    let mut other = Raw::connect(&server).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut deaf = socket.connect(server.address()).await.expect("somebody listens");
    // More than the kernel takes on the way.
    let asked = "GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(500);
    deaf.write_all(asked.as_bytes()).await.expect("it is open");
    assert_eq!(figure(&mut other, OPEN).await, 2);
    until_figure(&mut other, OPEN, 1).await;
    server.stop().await;
}

#[tokio::test]
async fn the_end_waits_for_nobody_who_has_nothing_to_say() {
    let server = Running::start(tiny(), quiet()).await;
    let mut silent = Raw::connect(&server).await;
    let mut idle = Raw::connect(&server).await;
    assert_eq!(idle.get("/healthz").await.status, 200);
    let mut events = Events::open(server.address(), "topic=fleet", None)
        .await
        .expect("a stream");
    // Accepted all of them.
    assert_eq!(figure(&mut idle, OPEN).await, 3);
    let ((), last) = tokio::join!(server.stop(), async {
        let mut last = None;
        while let Some(message) = events.next().await {
            last = Some(message);
        }
        last
    });
    assert_eq!(last.expect("something was said")["type"], "bye");
    silent.is_closed().await;
    idle.is_closed().await;
}
