//! One kept-alive connection, and one request at a time on it: as much of HTTP/1.1 as a load
//! test needs, over bare sockets, since the generator often has no processor of its own and
//! what a general client would do for it is most of what a request costs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use httparse::Status;
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::head::{Framing, Head};
use super::request::Request;
use super::target::Dial;

/// More than this of an answer is read and not kept.
pub(super) const KEPT_BYTES: usize = 64 * 1024;
/// Heads, sizes of chunks and trailers are shorter.
const MOST_UNREAD: usize = 64 * 1024;
const READ_AT_ONCE: usize = 4 * 1024;

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Nobody listens there.
    Refused,
    /// It cannot be reached, or this machine has no socket left for it.
    Unreachable,
    /// The connection ended before the answer did.
    Broken,
    /// What came is not HTTP.
    NotHttp,
    /// Nothing came for [`PATIENCE`].
    Silent,
}

/// Whatever is no part of the load is answered by then, or counts as unanswered.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl NoAnswer {
    pub fn as_str(self) -> &'static str {
        match self {
            NoAnswer::Refused => "connection refused",
            NoAnswer::Unreachable => "unreachable",
            NoAnswer::Broken => "connection broken",
            NoAnswer::NotHttp => "not http",
            NoAnswer::Silent => "no answer within 10 s",
        }
    }

    pub(super) fn of_dialling(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => NoAnswer::Refused,
            io::ErrorKind::ConnectionReset => NoAnswer::Broken,
            _ => NoAnswer::Unreachable,
        }
    }
}

/// A place for one connection: opened when somebody asks, and kept as long as it holds. Who
/// gives an answer up, by dropping what waits for it, closes the connection.
pub(super) struct Line<Io> {
    connection: Option<Connection<Io>>,
    request: Request,
    body: Vec<u8>,
}

impl<Io> Default for Line<Io> {
    fn default() -> Self {
        Line {
            connection: None,
            request: Request::default(),
            body: Vec::new(),
        }
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Line<Io> {
    /// Asks what `write` writes, and returns the answer's status.
    pub async fn ask<D: Dial<Io = Io>>(
        &mut self,
        dial: &D,
        write: impl FnOnce(&mut Request),
    ) -> Result<u16, NoAnswer> {
        self.ask_for(dial, KEPT_BYTES, write).await
    }

    /// The same, with so much of the answer.
    pub async fn ask_for<D: Dial<Io = Io>>(
        &mut self,
        dial: &D,
        kept_bytes: usize,
        write: impl FnOnce(&mut Request),
    ) -> Result<u16, NoAnswer> {
        self.body.clear();
        let mut open = match self.connection.take().and_then(Connection::if_quiet) {
            Some(open) => open,
            None => {
                let io = dial.dial().await;
                Connection::new(io.map_err(|error| NoAnswer::of_dialling(&error))?)
            }
        };
        self.request.clear();
        write(&mut self.request);
        let sent = open.io.write_all(self.request.whole()).await;
        sent.map_err(|_| NoAnswer::Broken)?;
        let mut kept = Kept {
            body: &mut self.body,
            room: kept_bytes,
        };
        let (status, goes_on) = open.answer(&mut kept).await?;
        self.connection = Some(open).filter(|_| goes_on);
        Ok(status)
    }

    /// What the last answer said, as far as it was kept.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// As far as is known.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }
}

/// What is kept of an answer.
struct Kept<'a> {
    body: &'a mut Vec<u8>,
    room: usize,
}

impl Kept<'_> {
    fn add(&mut self, bytes: &[u8]) {
        let taken = &bytes[..bytes.len().min(self.room)];
        self.room -= taken.len();
        self.body.extend_from_slice(taken);
    }
}

struct Connection<Io> {
    io: Io,
    /// What came and was not taken yet.
    unread: Vec<u8>,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Connection<Io> {
    fn new(io: Io) -> Self {
        Connection {
            io,
            unread: Vec::with_capacity(READ_AT_ONCE),
        }
    }

    /// Where nothing has come since the last answer, not even the connection's end.
    fn if_quiet(mut self) -> Option<Self> {
        let mut byte = [0];
        let mut context = Context::from_waker(Waker::noop());
        let reading = Pin::new(&mut self.io).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
        let is_quiet = self.unread.is_empty() && reading.is_pending();
        is_quiet.then_some(self)
    }

    /// Waits for more; false at the connection's end.
    async fn more(&mut self) -> Result<bool, NoAnswer> {
        if self.unread.len() > MOST_UNREAD {
            return Err(NoAnswer::NotHttp);
        }
        self.unread.reserve(READ_AT_ONCE);
        let read = self.io.read_buf(&mut self.unread).await;
        Ok(read.map_err(|_| NoAnswer::Broken)? > 0)
    }

    async fn more_or_broken(&mut self) -> Result<(), NoAnswer> {
        match self.more().await? {
            true => Ok(()),
            false => Err(NoAnswer::Broken),
        }
    }

    /// The status, and whether the connection takes one more request.
    async fn answer(&mut self, kept: &mut Kept<'_>) -> Result<(u16, bool), NoAnswer> {
        let head = loop {
            let head = self.head().await?;
            if head.status >= 200 {
                break head;
            }
        };
        match head.framing {
            Framing::Length(length) => self.pass(length, kept).await?,
            Framing::Chunked => self.chunks(kept).await?,
            Framing::UntilClosed => loop {
                kept.add(&self.unread);
                self.unread.clear();
                if !self.more().await? {
                    break;
                }
            },
        }
        Ok((head.status, head.keeps_open))
    }

    async fn head(&mut self) -> Result<Head, NoAnswer> {
        loop {
            if let Some((length, head)) = Head::read(&self.unread).map_err(|_| NoAnswer::NotHttp)? {
                self.unread.drain(..length);
                return Ok(head);
            }
            self.more_or_broken().await?;
        }
    }

    /// So many bytes of a body.
    async fn pass(&mut self, mut count: u64, kept: &mut Kept<'_>) -> Result<(), NoAnswer> {
        loop {
            let here = usize::try_from(count).map_or(self.unread.len(), |count| count.min(self.unread.len()));
            kept.add(&self.unread[..here]);
            self.unread.drain(..here);
            count -= here as u64;
            if count == 0 {
                return Ok(());
            }
            self.more_or_broken().await?;
        }
    }

    async fn chunks(&mut self, kept: &mut Kept<'_>) -> Result<(), NoAnswer> {
        let unkept = &mut Kept {
            body: &mut Vec::new(),
            room: 0,
        };
        loop {
            let size = match httparse::parse_chunk_size(&self.unread) {
                Ok(Status::Complete((length, size))) => {
                    self.unread.drain(..length);
                    size
                }
                Ok(Status::Partial) => {
                    self.more_or_broken().await?;
                    continue;
                }
                Err(_) => return Err(NoAnswer::NotHttp),
            };
            if size == 0 {
                return self.trailers().await;
            }
            self.pass(size, kept).await?;
            self.pass(2, unkept).await?;
        }
    }

    /// Lines that nobody asks for, up to an empty one.
    async fn trailers(&mut self) -> Result<(), NoAnswer> {
        loop {
            match memmem::find(&self.unread, b"\r\n") {
                Some(length) => {
                    self.unread.drain(..length + 2);
                    if length == 0 {
                        return Ok(());
                    }
                }
                None => self.more_or_broken().await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::DuplexStream;

    use super::*;

    /// Answers each connection once, with this text in pieces of so many bytes, and hangs up.
    #[derive(Clone)]
    struct Says(&'static str, usize);

    impl Dial for Says {
        type Io = DuplexStream;

        async fn dial(&self) -> io::Result<DuplexStream> {
            let Says(text, piece) = *self;
            let (near, mut far) = tokio::io::duplex(piece);
            tokio::spawn(async move {
                let mut heard = Vec::new();
                while !heard.ends_with(b"\r\n\r\n")
                    && far.read_buf(&mut heard).await.is_ok_and(|read| read > 0)
                {}
                let _hung_up = far.write_all(text.as_bytes()).await;
            });
            Ok(near)
        }
    }

    async fn ask(text: &'static str, piece: usize) -> Result<(u16, String, bool), NoAnswer> {
        let (mut line, says) = (Line::default(), Says(text, piece));
        let asked = line.ask(&says, |request| request.begin("GET", "/", b""));
        let status = asked.await?;
        let body = String::from_utf8(line.body().to_vec()).expect("it was text");
        Ok((status, body, line.is_connected()))
    }

    #[tokio::test]
    async fn an_answer_is_read_however_it_is_framed_and_cut_into_pieces() {
        let answers = [
            (
                "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello",
                (202, "hello", true),
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", (204, "", true)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
                (200, "hi", true),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx: y\r\n\r\n",
                (200, "hello", true),
            ),
            (
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi",
                (200, "hi", false),
            ),
            (
                "HTTP/1.1 200 OK\r\n\r\nuntil the end",
                (200, "until the end", false),
            ),
            (
                "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
                (200, "hi", false),
            ),
        ];
        for (text, (status, body, goes_on)) in answers {
            for piece in [1, 2, 7, 1_024] {
                let heard = ask(text, piece).await;
                assert_eq!(
                    heard,
                    Ok((status, body.to_owned(), goes_on)),
                    "{text} in {piece}s"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_apart() {
        for (text, why) in [
            ("", NoAnswer::Broken),
            ("HTTP/1.1 200 OK\r\ncontent-le", NoAnswer::Broken),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", NoAnswer::Broken),
            ("SSH-2.0-OpenSSH_9.2\r\n", NoAnswer::NotHttp),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
                NoAnswer::NotHttp,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz\r\n",
                NoAnswer::NotHttp,
            ),
        ] {
            assert_eq!(ask(text, 1_024).await, Err(why), "{text}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_has_ended_is_not_asked_again() {
        let says = Says("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", 1_024);
        let mut line = Line::default();
        for _ in 0..3 {
            let asked = line.ask(&says, |request| request.begin("GET", "/", b""));
            assert_eq!(asked.await, Ok(200));
            // The other side hangs up as soon as it may go on.
            tokio::task::yield_now().await;
        }
    }
}
