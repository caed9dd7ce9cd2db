//! Many watchers on one thread, as cheap as can be, so that what they cost disturbs the
//! server little: bare sockets, one `read` for whatever has come, and of that only frames'
//! heads and `sentAt` are looked at. They are the same whichever server they watch.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// Watchers look now and then instead of waiting to be woken: the kernel bills the waking of
/// a client on the same machine to the server, which a client elsewhere would not cost it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// What the watchers saw, by kind of watcher.
pub struct Heard {
    frames: [AtomicU64; 2],
    bytes: [AtomicU64; 2],
    /// How many frames took so many milliseconds.
    delays: Vec<AtomicU64>,
    /// Connections that ended.
    lost: AtomicU64,
}

impl Heard {
    fn new() -> Arc<Self> {
        Arc::new(Heard {
            frames: Default::default(),
            bytes: Default::default(),
            delays: (0..5_000).map(|_| AtomicU64::new(0)).collect(),
            lost: AtomicU64::new(0),
        })
    }

    pub fn start_over(&self) {
        let counts = self.frames.iter().chain(&self.bytes).chain(&self.delays);
        counts.for_each(|count| count.store(0, Relaxed));
    }

    pub fn frames(&self) -> u64 {
        self.frames.iter().map(|frames| frames.load(Relaxed)).sum()
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Of a frame to each kind of watcher.
    pub fn mean_bytes(&self) -> [usize; 2] {
        [0, 1].map(|kind| {
            let frames = self.frames[kind].load(Relaxed).max(1);
            (self.bytes[kind].load(Relaxed) / frames) as usize
        })
    }

    pub fn quantile_ms(&self, share: f64) -> usize {
        let counts: Vec<u64> = self.delays.iter().map(|count| count.load(Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share) as u64;
        let mut so_far = 0;
        let reached = counts.iter().position(|count| {
            so_far += count;
            so_far > wanted
        });
        reached.unwrap_or(0)
    }

    /// A frame's or a message's beginning: `sentAt` stands there, unless a read ended before.
    fn hear(&self, kind: usize, bytes: u64, beginning: &[u8]) {
        const MARK: &[u8] = b"sentAt\":";
        self.frames[kind].fetch_add(1, Relaxed);
        self.bytes[kind].fetch_add(bytes, Relaxed);
        let beginning = &beginning[..beginning.len().min(200)];
        let Some(at) = beginning.windows(MARK.len()).position(|window| window == MARK) else {
            return;
        };
        let digits = &beginning[at + MARK.len()..];
        let digits = &digits[..digits.len().min(13)];
        let sent_at = std::str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse().ok());
        if let Some(sent_at) = sent_at {
            let delay = wall_ms().saturating_sub(sent_at) as usize;
            self.delays[delay.min(self.delays.len() - 1)].fetch_add(1, Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
pub fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_millis() as u64
}

/// What a server speaks inside its WebSocket frames.
#[derive(Clone, Copy)]
pub enum Tongue {
    Skyhaul,
    Nats,
}

/// Bytes that came and whose sense is not complete yet, and bytes yet to come that have none.
#[derive(Default)]
struct Unread {
    carried: Vec<u8>,
    skip: usize,
}

struct Watcher {
    stream: TcpStream,
    tongue: Tongue,
    kind: usize,
    /// Of frames.
    outer: Unread,
    /// Of nats's protocol inside them.
    inner: Unread,
}

/// Connections that are watched by a thread once they all have subscribed.
pub struct Crowd {
    watchers: Vec<Watcher>,
    poll: Poll,
    pub heard: Arc<Heard>,
}

impl Crowd {
    /// Every second one is of kind 0, the others of kind 1.
    pub fn connect(address: SocketAddr, path: &str, tongue: Tongue, number: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut watchers = Vec::with_capacity(number);
        for number in 0..number {
            let (stream, rest) = shake_hands(address, path)?;
            stream.set_nonblocking(true)?;
            let mut watcher = Watcher {
                stream: TcpStream::from_std(stream),
                tongue,
                kind: number % 2,
                outer: Unread::default(),
                inner: Unread::default(),
            };
            watcher.outer.carried = rest;
            poll.registry()
                .register(&mut watcher.stream, Token(number), Interest::READABLE)?;
            watchers.push(watcher);
        }
        Ok(Crowd {
            watchers,
            poll,
            heard: Heard::new(),
        })
    }

    /// What each watcher says is a function of its number.
    pub fn say(&mut self, words: impl Fn(usize) -> Vec<u8>) -> io::Result<()> {
        for (number, watcher) in self.watchers.iter_mut().enumerate() {
            watcher.stream.write_all(&words(number))?;
        }
        Ok(())
    }

    /// Watches on a thread of its own.
    pub fn watch(self) -> Watching {
        let Crowd {
            watchers,
            mut poll,
            heard,
        } = self;
        let over = Arc::new(AtomicBool::new(false));
        let (told, stop) = (Arc::clone(&heard), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            let mut events = Events::with_capacity(4096);
            let mut room = vec![0; 256 * 1024];
            let mut watchers: Vec<_> = watchers.into_iter().map(Some).collect();
            while !stop.load(Relaxed) {
                std::thread::sleep(BETWEEN_LOOKS);
                if poll.poll(&mut events, Some(Duration::ZERO)).is_err() {
                    continue;
                }
                for event in &events {
                    let place = &mut watchers[event.token().0];
                    // Of one that is gone more may be told.
                    let Some(watcher) = place else { continue };
                    if watcher.read(&mut room, &told).is_err() {
                        *place = None;
                        told.lost.fetch_add(1, Relaxed);
                    }
                }
            }
        });
        Watching { heard, over, thread }
    }
}

/// A crowd that watches.
pub struct Watching {
    pub heard: Arc<Heard>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Watching {
    /// Returns when its sockets are closed: the next crowd needs as many.
    pub fn end(self) {
        self.over.store(true, Relaxed);
        self.thread.join().expect("the crowd watches to the end");
    }
}

/// The stream, and what came behind the answer to the handshake.
fn shake_hands(address: SocketAddr, path: &str) -> io::Result<(std::net::TcpStream, Vec<u8>)> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut room = [0; 2048];
    loop {
        let read = stream.read(&mut room)?;
        answer.extend_from_slice(&room[..read]);
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", answer.escape_ascii());
            return Ok((stream, answer.split_off(end + 4)));
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A frame from a client, masked with zeros.
pub fn frame(is_text: bool, payload: &[u8]) -> Vec<u8> {
    framed(if is_text { TEXT } else { BINARY }, payload)
}

fn framed(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const MASKED: u8 = 0x80;
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => frame.push(MASKED | short as u8),
        medium @ 126..=0xffff => {
            frame.push(MASKED | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(MASKED | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Opcode, length of the head, length of the payload; `None` where the head is incomplete.
fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, length) = (bytes.first()? & 0x0f, bytes.get(1)? & 0x7f);
    match length {
        126 => Some((
            opcode,
            4,
            u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(),
        )),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            Some((opcode, 10, length as usize))
        }
        short => Some((opcode, 2, short.into())),
    }
}

impl Unread {
    /// What is new together with what was carried, without what is skipped.
    fn take<'a>(&mut self, new: &'a [u8], joined: &'a mut Vec<u8>) -> &'a [u8] {
        let skipped = self.skip.min(new.len());
        self.skip -= skipped;
        let new = &new[skipped..];
        if self.carried.is_empty() {
            return new;
        }
        *joined = std::mem::take(&mut self.carried);
        joined.extend_from_slice(new);
        joined
    }

    /// Goes on behind so many bytes, some of which may be yet to come.
    fn pass<'a>(&mut self, bytes: &'a [u8], length: usize) -> &'a [u8] {
        let here = length.min(bytes.len());
        self.skip = length - here;
        &bytes[here..]
    }
}

impl Watcher {
    fn read(&mut self, room: &mut [u8], heard: &Heard) -> io::Result<()> {
        loop {
            let read = match self.stream.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            self.hear_frames(&room[..read], heard)?;
            // A read that did not fill the room has emptied the socket.
            if read < room.len() {
                return Ok(());
            }
        }
    }

    fn hear_frames(&mut self, new: &[u8], heard: &Heard) -> io::Result<()> {
        let mut joined = Vec::new();
        let mut outer = std::mem::take(&mut self.outer);
        if let (Tongue::Nats, true) = (self.tongue, outer.skip > 0) {
            self.hear_nats(&new[..outer.skip.min(new.len())], heard)?;
        }
        let mut bytes = outer.take(new, &mut joined);
        while !bytes.is_empty() {
            let Some((opcode, head, length)) = head(bytes) else {
                outer.carried = bytes.to_vec();
                break;
            };
            let payload = &bytes[head..bytes.len().min(head + length)];
            match (opcode, self.tongue) {
                (CLOSE, _) => return Err(io::ErrorKind::ConnectionAborted.into()),
                (PING, _) if payload.len() < length => {
                    outer.carried = bytes.to_vec();
                    break;
                }
                (PING, _) => self.stream.write_all(&framed(PONG, payload))?,
                (_, Tongue::Skyhaul) => heard.hear(self.kind, (head + length) as u64, payload),
                (_, Tongue::Nats) => self.hear_nats(payload, heard)?,
            }
            bytes = outer.pass(bytes, head + length);
        }
        self.outer = outer;
        Ok(())
    }

    /// Lines, some of them with a payload of the length that stands at their end.
    fn hear_nats(&mut self, new: &[u8], heard: &Heard) -> io::Result<()> {
        let mut joined = Vec::new();
        let mut inner = std::mem::take(&mut self.inner);
        let mut bytes = inner.take(new, &mut joined);
        while !bytes.is_empty() {
            let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") else {
                inner.carried = bytes.to_vec();
                break;
            };
            let line = &bytes[..end];
            let mut length = end + 2;
            if line.starts_with(b"MSG ") {
                let last = line.rsplit(|byte| *byte == b' ').next();
                let digits = last.and_then(|digits| std::str::from_utf8(digits).ok());
                length += 2 + digits
                    .and_then(|digits| digits.parse::<usize>().ok())
                    .unwrap_or(0);
                heard.hear(self.kind, length as u64, &bytes[end + 2..]);
            } else if line == b"PING" {
                self.stream.write_all(&frame(false, b"PONG\r\n"))?;
            }
            bytes = inner.pass(bytes, length);
        }
        self.inner = inner;
        Ok(())
    }
}
