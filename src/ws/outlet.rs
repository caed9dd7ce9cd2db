//! The way from a session to its socket: room for one batch of messages, and a new one
//! only once the last is written. So a slow client leaves nothing lying about; what it
//! would have been sent is composed when it has caught up, from what is true by then.
//!
//! While the outlet is lent the connection it writes a batch itself, all of it at once as a
//! rule, and nobody has to be woken for that; what the connection does not take waits.

use std::sync::Arc;

use axum::extract::ws::CloseFrame;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection::Connection;
use crate::wire::stream::Encoded;

#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<Encoded>,
    /// Goes out after the messages.
    pub(super) ping: Option<Ping>,
    /// Ends the connection after all that.
    pub(super) close: Option<CloseFrame>,
}

/// What the client answers with.
pub(super) type Ping = [u8; 8];

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.ping.is_none() && self.close.is_none()
    }

    /// Of the messages' texts.
    pub(super) fn bytes(&self) -> u64 {
        self.messages.iter().map(|message| message.len() as u64).sum()
    }
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

    /// Only where none is being written. Where the session has more to say than this, it is
    /// told when this is written.
    pub(super) fn letter(&self, batch: Batch, has_more: bool, now: Instant) -> Letter {
        Letter {
            to: Arc::clone(&self.0),
            batch,
            has_more,
            at: now,
        }
    }
}

/// A batch that is composed, and not on its way yet. Until it is delivered its session must
/// not speak again.
#[must_use]
pub(super) struct Letter {
    to: Arc<Shared>,
    batch: Batch,
    has_more: bool,
    at: Instant,
}

impl Letter {
    /// `room` is for its frames; to use the same for many spares the asking for it.
    pub(super) fn deliver(mut self, room: &mut Vec<u8>) {
        let mut slot = self.to.slot.lock();
        if let Some(connection) = &slot.lent {
            room.clear();
            connection.frame(&self.batch, room);
            let written = connection.write_now(room);
            self.batch = Batch {
                close: self.batch.close,
                ..Batch::default()
            };
            if written == room.len() && self.batch.is_empty() && !self.has_more {
                return;
            }
            slot.unwritten = room.split_off(written);
        }
        // For the socket; what is empty comes back as written.
        slot.wanted = self.has_more;
        slot.batch = Some(self.batch);
        slot.busy = Some(self.at);
        self.to.changed.notify_one();
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
            messages: vec![Encoded::Text(text.into())],
            ping: Some(*b"Are you?"),
            close: None,
        }
    }

    fn deliver(letter: Letter) {
        letter.deliver(&mut Vec::new());
    }

    #[tokio::test]
    async fn a_batch_is_written_at_once_where_the_connection_takes_it() {
        let (connection, mut client) = connected().await;
        let (outlet, tray) = outlet();
        tray.lend(connection);
        deliver(outlet.letter(telling("short"), false, Instant::now()));
        assert_eq!(outlet.writing_since(), None);
        assert_eq!(client.next().await.unwrap().unwrap().to_text().unwrap(), "short");
        assert!(client.next().await.unwrap().unwrap().is_ping());

        deliver(outlet.letter(telling("more to come"), true, Instant::now()));
        assert_eq!(
            client.next().await.unwrap().unwrap().to_text().unwrap(),
            "more to come"
        );
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
        deliver(outlet.letter(telling(&long), false, Instant::now()));
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
        deliver(outlet.letter(telling("later"), false, Instant::now()));
        assert!(outlet.writing_since().is_some());
        let batch = tray.next().await.unwrap();
        assert!(batch.messages.len() == 1 && batch.ping.is_some());
    }
}
