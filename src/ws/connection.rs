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

use axum::extract::ws::Message;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::Telemetry;
use super::outlet::length;

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

    /// What is left to write of these messages' frames.
    pub(super) fn write_now(&self, messages: &[Message]) -> Vec<u8> {
        let mut frames = self.frames(messages);
        let mut written = 0;
        while written < frames.len() {
            match self.stream.try_write(&frames[written..]) {
                Ok(taken) => written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // Who reads from it is told too, and ends the session.
                Err(_) => written = frames.len(),
            }
        }
        if written == frames.len() {
            return Vec::new();
        }
        frames.drain(..written);
        frames
    }

    /// As they go over the connection.
    pub(super) fn frames(&self, messages: &[Message]) -> Vec<u8> {
        const LONGEST_HEAD: usize = 10;
        let bytes: u64 = messages.iter().map(length).sum();
        self.telemetry.sent(self.shard, messages.len() as u64, bytes);
        let mut frames = Vec::with_capacity(bytes as usize + messages.len() * LONGEST_HEAD);
        for message in messages {
            let (opcode, payload): (_, &[u8]) = match message {
                Message::Text(text) => (OpCode::Data(Data::Text), text.as_bytes()),
                Message::Binary(bytes) => (OpCode::Data(Data::Binary), bytes),
                Message::Ping(bytes) => (OpCode::Control(Control::Ping), bytes),
                Message::Pong(bytes) => (OpCode::Control(Control::Pong), bytes),
                Message::Close(_) => unreachable!("a batch has its close beside its messages"),
            };
            let header = FrameHeader {
                opcode,
                ..FrameHeader::default()
            };
            let written = header.format(payload.len() as u64, &mut frames);
            written.expect("writing into memory does not fail");
            frames.extend_from_slice(payload);
        }
        frames
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => {
                    buffer.advance(read?);
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
