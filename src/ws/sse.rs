//! A session without a WebSocket: it speaks through the body of an HTTP answer, as
//! server-sent events, and hears nothing.
//!
//! What it follows is opened before there is an answer, so that a mistake has a status.
//! The body hands out a piece of a batch at a time, and the next when the last was
//! written: so what is in memory for a client that does not read is one batch, and the
//! session composes the next when this one is gone. A piece that does not get written for
//! too long ends the connection, without a word, since it would not be read either.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::auth::Grant;
use crate::view::shown;
use crate::wire::stream::Encoded;
use crate::wire::stream::client::{Refused, Subscribe, Topic};
use crate::wire::stream::sse::{self, Bookmark};

use super::outlet::{Tray, outlet};
use super::seat::{Seat, Seated};
use super::session::{CustomerSession, Opening, Written};
use super::subscriptions::Subscriptions;
use super::telemetry::{Telemetry, Waiting};
use super::{Gateway, Shared};

/// What is handed to the connection at a time. A connection that has much less to write
/// than it takes at most (64 KiB) goes on asking for more, and so is there to hear of the end.
pub(super) const PIECE: usize = 16 * 1024;

/// What somebody wants to follow.
#[derive(Clone, Debug)]
pub struct Wish {
    pub grant: Grant,
    /// Their subscriptions are numbered from 1 on.
    pub topics: Vec<Topic>,
    /// Wanted most positions a second.
    pub max_hz: Option<f64>,
    /// Where an earlier stream of the same topics broke off. One that is none of ours
    /// counts as none: who sends it could not be told.
    pub last_event_id: Option<String>,
}

/// Why there is no stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStream {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("there is no room for another session")]
    Full,
    #[error("the server shuts down")]
    ShuttingDown,
    #[error("a session tells of its own moment itself")]
    Elsewhere,
}

/// Why a stream breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Broken {
    #[error("nothing was read for too long")]
    Slow,
    #[error("the session failed")]
    Failed,
}

impl Gateway {
    /// The body of a stream of server-sent events.
    ///
    /// # Errors
    /// A topic that this viewer cannot follow, or no room.
    pub fn stream(&self, wish: Wish) -> Result<Body, NoStream> {
        let shared = &self.shared;
        let (subscriptions, bookmark) = open(shared, &wish)?;
        if *shared.house.closing.borrow() {
            return Err(NoStream::ShuttingDown);
        }
        let seat = Seat::take(shared).ok_or(NoStream::Full)?;
        let (outlet, tray) = outlet();
        let opening = Opening::Stream {
            grant: wish.grant,
            subscriptions,
        };
        let session = CustomerSession::new(Arc::clone(shared), outlet, seat.number, opening);
        let line = Line {
            seated: Seated::new(seat, session),
            tray,
            bookmark,
            text: Bytes::from_static(sse::RETRY.as_bytes()),
            batch: None,
            under_way: None,
        };
        Ok(Body::from_stream(stream::try_unfold(line, Line::next)))
    }
}

/// Each topic goes on where the client's bookmark says, as far as it can.
fn open(shared: &Shared, wish: &Wish) -> Result<(Subscriptions, Bookmark), Refused> {
    let topics = wish.topics.len();
    let before = wish.last_event_id.as_deref();
    let before = before.and_then(|text| Bookmark::read(text, topics));
    let mut bookmark = Bookmark::new(shown::epoch(&shared.view.clock()), topics);
    let mut subscriptions = Subscriptions::default();
    for (place, topic) in wish.topics.iter().enumerate() {
        let since = before.as_ref().and_then(|before| before.since(place));
        let request = Subscribe {
            id: place as u64 + 1,
            topic: topic.clone(),
            max_hz: wish.max_hz,
            since: since.clone(),
        };
        let subscription = subscriptions.open(shared, &wish.grant.viewer, request)?;
        if let Some(since) = since.filter(|_| subscription.is_recovered()) {
            bookmark.note(place, since.seq);
        }
    }
    Ok((subscriptions, bookmark))
}

/// What the body has to do.
struct Line {
    seated: Seated,
    tray: Tray,
    bookmark: Bookmark,
    /// Not handed out yet.
    text: Bytes,
    batch: Option<Rest>,
    /// Told when the last piece was written.
    under_way: Option<Arc<Notify>>,
}

/// Of a batch, what is not text yet.
struct Rest {
    messages: std::vec::IntoIter<Encoded>,
    is_last: bool,
    waiting: Waiting<Arc<Telemetry>>,
}

impl Line {
    /// The next piece; `None` where the session has come to its end.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Broken> {
        if let Some(under_way) = self.under_way.take() {
            let patience = self.seated.shared().house.config.patience.close_after;
            if timeout(patience, under_way.notified()).await.is_err() {
                self.seated.shared().house.telemetry.was_slow();
                return Err(Broken::Slow);
            }
        }
        while self.text.is_empty() {
            match self.batch.take() {
                Some(rest) if rest.messages.len() > 0 => self.write(rest),
                Some(rest) if rest.is_last => return Ok(None),
                Some(_) => {
                    if self.tray.written() {
                        // At most one is on its way at any time.
                        self.seated.session.do_send(Written);
                    }
                }
                None => self.wait().await?,
            }
        }
        let piece = self.text.split_to(self.text.len().min(PIECE));
        let written = Arc::new(Notify::new());
        self.under_way = Some(Arc::clone(&written));
        Ok(Some((
            Bytes::from_owner(Piece {
                bytes: piece,
                written,
            }),
            self,
        )))
    }

    /// For the next batch, or until it is time to say that the server is still there.
    async fn wait(&mut self) -> Result<(), Broken> {
        let silence = self.seated.shared().house.config.silence_most;
        match timeout(silence, self.tray.next()).await {
            Ok(Some(batch)) => {
                let telemetry = Arc::clone(&self.seated.shared().house.telemetry);
                self.batch = Some(Rest {
                    waiting: Waiting::new(telemetry, batch.bytes()),
                    messages: batch.messages.into_iter(),
                    is_last: batch.close.is_some(),
                });
                Ok(())
            }
            Ok(None) => Err(Broken::Failed),
            Err(_) => {
                self.text = Bytes::from_static(sse::KEEP_ALIVE.as_bytes());
                Ok(())
            }
        }
    }

    /// Messages up to about a piece.
    fn write(&mut self, mut rest: Rest) {
        let mut text = String::new();
        for message in rest.messages.by_ref() {
            // Such a session speaks JSON.
            if let Encoded::Text(json) = &message {
                sse::write(json, &mut self.bookmark, &mut text);
                self.seated.sent(1, json.len() as u64);
            }
            rest.waiting.less(message.len() as u64);
            if text.len() >= PIECE {
                break;
            }
        }
        self.text = text.into();
        self.batch = Some(rest);
    }
}

/// Dropped by the connection once it has written it.
struct Piece {
    bytes: Bytes,
    written: Arc<Notify>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.written.notify_one();
    }
}
