//! A WebSocket on its session's arbiter: reads frames for the session's actor and writes what
//! it hands out. It knows nothing of topics.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::StreamExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

use super::Shared;
use super::outlet::{Batch, Tray, length};
use super::session::{CustomerSession, Heard, Reading, Written};
use super::telemetry::Waiting;

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
    /// The client reads nothing.
    Slow,
}

/// Until either side ends it.
pub(super) async fn serve(
    mut socket: WebSocket,
    session: &Addr<CustomerSession>,
    tray: &Tray,
    shared: &Arc<Shared>,
) {
    match converse(&mut socket, session, tray, shared).await {
        End::Theirs => {}
        End::Closing(frame) => {
            let closed = async {
                if socket.send(Message::Close(Some(frame))).await.is_ok() {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            };
            let _ = timeout(LINGER, closed).await;
        }
        End::Broken(frame) => {
            let sent = timeout(LINGER, socket.send(Message::Close(Some(frame)))).await;
            if matches!(sent, Ok(Ok(()))) {
                // To drop a socket with unread bytes resets the connection, and a client
                // that is still sending might not get to read why.
                tokio::time::sleep(LINGER).await;
            }
        }
        End::Slow => {
            let frame = closing(close_code::AGAIN, "nothing was read for too long");
            let _ = timeout(LINGER, socket.send(Message::Close(Some(frame)))).await;
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
                if let Err(end) = write(socket, batch, shared).await {
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
                    // Answered by the library; after a close it still has to be sent.
                    Some(Ok(Message::Ping(_) | Message::Close(_))) => continue,
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

async fn write(socket: &mut WebSocket, batch: Batch, shared: &Shared) -> Result<(), End> {
    let mut waiting = Waiting::new(&*shared.telemetry, batch.messages.iter().map(length).sum());
    for message in batch.messages {
        let bytes = length(&message);
        match timeout(shared.config.patience.close_after, socket.send(message)).await {
            Ok(Ok(())) => {
                waiting.less(bytes);
                shared.telemetry.sent(bytes);
            }
            Ok(Err(_)) => return Err(End::Theirs),
            Err(_) => {
                shared.telemetry.was_slow();
                return Err(End::Slow);
            }
        }
    }
    match batch.close {
        Some(frame) => Err(End::Closing(frame)),
        None => Ok(()),
    }
}

fn end_after(error: axum::Error) -> End {
    use tungstenite::Error;
    match error.into_inner().downcast::<Error>().map(|error| *error) {
        Ok(Error::Utf8(_)) => End::Broken(closing(close_code::INVALID, "text must be UTF-8")),
        Ok(Error::Capacity(_)) => {
            End::Broken(closing(close_code::SIZE, "a message holds at most 65536 bytes"))
        }
        Ok(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => End::Theirs,
        Ok(Error::Protocol(error)) => End::Broken(closing(close_code::PROTOCOL, &error.to_string())),
        _ => End::Theirs,
    }
}

fn closing(code: u16, reason: &str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}
