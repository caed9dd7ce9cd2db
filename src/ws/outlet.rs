//! The way from a session to its socket: room for one batch of messages, and a new one
//! only once the last is written. So a slow client leaves nothing lying about; what it
//! would have been sent is composed when it has caught up, from what is true by then.
//!
//! While the outlet is lent the connection it writes a batch itself, all of it at once as a
//! rule, and nobody has to be woken for that; what the connection does not take waits.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection::Connection;
use crate::wire::stream::Encoded;

#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<Message>,
    /// Ends the connection after the messages.
    pub(super) close: Option<CloseFrame>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.close.is_none()
    }
}

/// The frame that carries a message.
pub(super) fn frame(message: Encoded) -> Message {
    match message {
        Encoded::Text(text) => Message::Text(text.into()),
        Encoded::Binary(bytes) => Message::Binary(bytes.into()),
    }
}

/// Of a frame's payload.
pub(super) fn length(message: &Message) -> u64 {
    let length = match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    };
    length as u64
}

#[derive(Default)]
struct Slot {
    batch: Option<Batch>,
    /// Of frames before that batch, what the connection did not take.
    unwritten: Vec<u8>,
    /// Where nothing else is being written to it.
    lent: Option<Connection>,
    /// A batch waits or is being written, since then.
    busy: Option<Instant>,
    /// The session had something to say meanwhile.
    wanted: bool,
    /// The session is no more.
    ended: bool,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Notify,
}

/// The session's end.
pub(super) struct Outlet(Arc<Shared>);

/// The socket's end.
pub(super) struct Tray(Arc<Shared>);

pub(super) fn outlet() -> (Outlet, Tray) {
    let shared = Arc::new(Shared::default());
    (Outlet(Arc::clone(&shared)), Tray(shared))
}

impl Outlet {
    /// When the last batch was put, where it is not written yet: then
    /// [`Tray::written`] will say that the session waits.
    pub(super) fn writing_since(&self) -> Option<Instant> {
        let mut slot = self.0.slot.lock();
        slot.wanted = slot.busy.is_some();
        slot.busy
    }

    /// The session has more to say after the last batch.
    pub(super) fn tell_when_written(&self) {
        let mut slot = self.0.slot.lock();
        slot.wanted = true;
        if slot.busy.is_none() {
            // It was written at once: another one, with nothing in it, comes back as written.
            self.leave(&mut slot, Batch::default(), Instant::now());
        }
    }

    /// Only where none is being written.
    pub(super) fn put(&self, mut batch: Batch, now: Instant) {
        let mut slot = self.0.slot.lock();
        if let Some(connection) = &slot.lent {
            let frames = connection.write_now(&batch.messages);
            batch.messages.clear();
            slot.unwritten = frames;
            if slot.unwritten.is_empty() && batch.is_empty() {
                return;
            }
        }
        self.leave(&mut slot, batch, now);
    }

    /// For the socket.
    fn leave(&self, slot: &mut Slot, batch: Batch, now: Instant) {
        slot.batch = Some(batch);
        slot.busy = Some(now);
        self.0.changed.notify_one();
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.0.slot.lock().ended = true;
        self.0.changed.notify_one();
    }
}

impl Tray {
    /// The next batch; `None` once the session is no more. Safe to drop while it waits.
    pub(super) async fn next(&self) -> Option<Batch> {
        loop {
            {
                let mut slot = self.0.slot.lock();
                if let Some(batch) = slot.batch.take() {
                    return Some(batch);
                }
                if slot.ended {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }

    /// What is to be written before the batch that came last.
    pub(super) fn unwritten(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.slot.lock().unwritten)
    }

    /// The outlet may write to this itself, until it is reclaimed.
    pub(super) fn lend(&self, connection: Connection) {
        self.0.slot.lock().lent = Some(connection);
    }

    pub(super) fn reclaim(&self) {
        self.0.slot.lock().lent = None;
    }

    /// The last batch is written. True where the session waits to hear it.
    pub(super) fn written(&self) -> bool {
        let mut slot = self.0.slot.lock();
        slot.busy = None;
        std::mem::take(&mut slot.wanted)
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        self.reclaim();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn connected() -> (Connection, WebSocketStream<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let connection = Connection::new(server.unwrap().0, Arc::default(), 0);
        let client = WebSocketStream::from_raw_socket(client.unwrap(), Role::Client, None).await;
        (connection, client)
    }

    fn telling(text: &str) -> Batch {
        Batch {
            messages: vec![Message::Text(text.into()), Message::Ping("?".into())],
            close: None,
        }
    }

    #[tokio::test]
    async fn a_batch_is_written_at_once_where_the_connection_takes_it() {
        let (connection, mut client) = connected().await;
        let (outlet, tray) = outlet();
        tray.lend(connection);
        outlet.put(telling("short"), Instant::now());
        assert_eq!(outlet.writing_since(), None);
        assert_eq!(client.next().await.unwrap().unwrap().to_text().unwrap(), "short");
        assert!(client.next().await.unwrap().unwrap().is_ping());

        outlet.tell_when_written();
        let batch = tray.next().await.unwrap();
        assert!(batch.is_empty());
        assert!(
            tray.written(),
            "the session is told, though nothing is left to write"
        );
    }

    #[tokio::test]
    async fn what_the_connection_does_not_take_is_left_to_the_socket() {
        let (mut connection, mut client) = connected().await;
        let (outlet, tray) = outlet();
        tray.lend(connection.clone());
        let long = "0123456789".repeat(1_000_000);
        outlet.put(telling(&long), Instant::now());
        assert!(outlet.writing_since().is_some());

        let batch = tray.next().await.unwrap();
        assert!(batch.messages.is_empty());
        let rest = tray.unwritten();
        let writing = tokio::spawn(async move { connection.write_all(&rest).await });
        assert!(client.next().await.unwrap().unwrap().to_text().unwrap() == long);
        assert!(client.next().await.unwrap().unwrap().is_ping());
        writing.await.unwrap().unwrap();
        assert!(tray.written(), "the session looked in vain meanwhile");
        assert_eq!(outlet.writing_since(), None);
    }

    #[tokio::test]
    async fn a_batch_waits_while_the_connection_is_not_lent() {
        let (connection, _client) = connected().await;
        let (outlet, tray) = outlet();
        tray.lend(connection);
        tray.reclaim();
        outlet.put(telling("later"), Instant::now());
        assert!(outlet.writing_since().is_some());
        assert_eq!(tray.next().await.unwrap().messages.len(), 2);
    }
}
