//! A connection that two write to, never at once: the session's outlet its messages, past
//! the library that reads from it, and the library its pongs and the close. All of them are
//! on one arbiter.
//!
//! The outlet frames a batch and hands it to the kernel in one call. It is never kept
//! waiting: what the kernel does not take at once is left to the socket's task.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::Telemetry;
use super::outlet::{Batch, Ping};
use crate::wire::stream::Encoded;

#[derive(Clone)]
pub(super) struct Connection {
    stream: Arc<TcpStream>,
    telemetry: Arc<Telemetry>,
    /// Where it counts what it sends.
    shard: usize,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, telemetry: Arc<Telemetry>, shard: usize) -> Self {
        Connection {
            stream: Arc::new(stream),
            telemetry,
            shard,
        }
    }

    /// How many of these bytes the kernel takes at once.
    pub(super) fn write_now(&self, bytes: &[u8]) -> usize {
        // Not by way of the runtime, which looks up first whether it believes that this works.
        let socket = SockRef::from(&*self.stream);
        let mut written = 0;
        while written < bytes.len() {
            match socket.send(&bytes[written..]) {
                Ok(taken) => written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Who reads from it is told too, and ends the session.
                Err(_) => written = bytes.len(),
            }
        }
        written
    }

    /// A read that did not fill its room left nothing behind: the next one waits for word from
    /// the kernel, instead of asking it first.
    fn is_read_empty(&self) {
        let nothing = || Err::<(), _>(ErrorKind::WouldBlock.into());
        let _ = self.stream.try_io(Interest::READABLE, nothing);
    }

    /// Adds a batch, all but its close, as it goes over the connection, and counts it as sent.
    pub(super) fn frame(&self, batch: &Batch, frames: &mut Vec<u8>) {
        const LONGEST_HEAD: usize = 10;
        let (messages, bytes) = (batch.messages.len(), batch.bytes());
        self.telemetry.sent(self.shard, messages as u64, bytes);
        frames.reserve(bytes as usize + (messages + 1) * LONGEST_HEAD + size_of::<Ping>());
        for message in &batch.messages {
            let (kind, payload) = match message {
                Encoded::Text(text) => (Data::Text, text.as_bytes()),
                Encoded::Binary(bytes) => (Data::Binary, &bytes[..]),
            };
            push_frame(frames, OpCode::Data(kind), payload);
        }
        if let Some(ping) = &batch.ping {
            push_frame(frames, OpCode::Control(Control::Ping), ping);
        }
    }
}

fn push_frame(frames: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    let header = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    let written = header.format(payload.len() as u64, frames);
    written.expect("writing into memory does not fail");
    frames.extend_from_slice(payload);
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let room = buffer.initialize_unfilled();
            let (most, read) = (room.len(), self.stream.try_read(room));
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => {
                    let read = read?;
                    if (1..most).contains(&read) {
                        self.is_read_empty();
                    }
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// It ends when it is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
