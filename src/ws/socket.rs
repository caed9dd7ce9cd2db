//! A WebSocket on its session's arbiter: reads frames for the session's actor, and writes what
//! its outlet could not. It knows nothing of topics.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use axum::extract::ws::CloseFrame;
use axum::extract::ws::close_code;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message, protocol};

use super::Shared;
use super::connection::Connection;
use super::outlet::{Batch, Tray};
use super::session::{CustomerSession, Heard, Reading, Written};
use super::telemetry::Waiting;

pub(super) type WebSocket = WebSocketStream<Connection>;

/// How long a closed connection is kept for the client's own close.
const LINGER: Duration = Duration::from_secs(1);

/// How a connection ends.
enum End {
    /// The client closed it, or is gone.
    Theirs,
    /// The client takes part in closing.
    Closing(CloseFrame),
    /// What the client sends can be read no more.
    Broken(CloseFrame),
    /// The client reads nothing; this stands before the close.
    Slow(Vec<u8>),
}

/// Until either side ends it.
pub(super) async fn serve(
    mut socket: WebSocket,
    session: &Addr<CustomerSession>,
    tray: &Tray,
    shared: &Arc<Shared>,
) {
    tray.lend(socket.get_ref().clone());
    let end = converse(&mut socket, session, tray, shared).await;
    // Nothing follows a close.
    tray.reclaim();
    match end {
        End::Theirs => {}
        End::Closing(frame) => {
            let closed = async {
                if socket.send(close(frame)).await.is_ok() {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            };
            let _ = timeout(LINGER, closed).await;
        }
        End::Broken(frame) => {
            let sent = timeout(LINGER, socket.send(close(frame))).await;
            if matches!(sent, Ok(Ok(()))) {
                // To drop a socket with unread bytes resets the connection, and a client
                // that is still sending might not get to read why.
                tokio::time::sleep(LINGER).await;
            }
        }
        End::Slow(before) => {
            let closed = async {
                if socket.get_mut().write_all(&before).await.is_ok() {
                    let frame = closing(close_code::AGAIN, "nothing was read for too long");
                    let _ = socket.send(close(frame)).await;
                }
            };
            let _ = timeout(LINGER, closed).await;
        }
    }
}

async fn converse(
    socket: &mut WebSocket,
    session: &Addr<CustomerSession>,
    tray: &Tray,
    shared: &Shared,
) -> End {
    let mut reading = Reading::On;
    loop {
        tokio::select! {
            biased;
            batch = tray.next() => {
                let Some(batch) = batch else {
                    return End::Closing(closing(close_code::ERROR, "the session failed"));
                };
                if let Err(end) = write(socket.get_mut(), tray.unwritten(), batch, shared).await {
                    return end;
                }
                reading = Reading::On;
                if tray.written() {
                    // At most one is on its way at any time.
                    session.do_send(Written);
                }
            }
            frame = socket.next(), if reading == Reading::On => {
                let heard = match frame {
                    Some(Ok(Message::Text(text))) => Heard::Text(text),
                    Some(Ok(Message::Binary(bytes))) => Heard::Binary(bytes),
                    Some(Ok(Message::Pong(ping))) => Heard::Pong(ping),
                    Some(Ok(Message::Ping(_) | Message::Close(_) | Message::Frame(_))) => {
                        match answer(socket, tray, shared).await {
                            Ok(()) => continue,
                            Err(end) => return end,
                        }
                    }
                    Some(Err(error)) => return end_after(error),
                    None => return End::Theirs,
                };
                match session.send(heard).await {
                    Ok(next) => reading = next,
                    Err(_) => return End::Closing(closing(close_code::ERROR, "the session failed")),
                }
            }
        }
    }
}

/// The library's answer to a ping or a close, undisturbed by the outlet.
async fn answer(socket: &mut WebSocket, tray: &Tray, shared: &Shared) -> Result<(), End> {
    tray.reclaim();
    match timeout(shared.house.config.patience.close_after, socket.flush()).await {
        Ok(Ok(())) => {
            tray.lend(socket.get_ref().clone());
            Ok(())
        }
        // After a close: the next read says that it is the end.
        Ok(Err(Error::ConnectionClosed)) => Ok(()),
        Ok(Err(_)) => Err(End::Theirs),
        Err(_) => {
            shared.house.telemetry.was_slow();
            Err(End::Slow(Vec::new()))
        }
    }
}

/// What the outlet left, and then the batch. The outlet writes nothing meanwhile.
async fn write(
    connection: &mut Connection,
    mut bytes: Vec<u8>,
    batch: Batch,
    shared: &Shared,
) -> Result<(), End> {
    connection.frame(&batch, &mut bytes);
    let mut waiting = Waiting::new(&*shared.house.telemetry, bytes.len() as u64);
    let mut written = 0;
    while written < bytes.len() {
        let taken = connection.write(&bytes[written..]);
        match timeout(shared.house.config.patience.close_after, taken).await {
            Ok(Ok(0) | Err(_)) => return Err(End::Theirs),
            Ok(Ok(taken)) => {
                waiting.less(taken as u64);
                written += taken;
            }
            Err(_) => {
                shared.house.telemetry.was_slow();
                return Err(End::Slow(bytes.split_off(written)));
            }
        }
    }
    match batch.close {
        Some(frame) => Err(End::Closing(frame)),
        None => Ok(()),
    }
}

fn end_after(error: Error) -> End {
    match error {
        Error::Utf8(_) => End::Broken(closing(close_code::INVALID, "text must be UTF-8")),
        Error::Capacity(_) => End::Broken(closing(close_code::SIZE, "a message holds at most 65536 bytes")),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Theirs,
        Error::Protocol(error) => End::Broken(closing(close_code::PROTOCOL, &error.to_string())),
        _ => End::Theirs,
    }
}

fn closing(code: u16, reason: &str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

fn close(frame: CloseFrame) -> Message {
    Message::Close(Some(protocol::CloseFrame {
        code: frame.code.into(),
        reason: frame.reason.as_str().into(),
    }))
}
