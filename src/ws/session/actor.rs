//! The actor around a session: what reaches it as messages, and which socket or stream it is
//! the end of.
//!
//! What it owns ([`Session`]) may be reached by its shard too, which is on the same thread: so a
//! beat needs no message to each session.

use std::sync::{Arc, Weak};

use actix::{Actor, ActorContext, Context, Handler, Message, MessageResult};
use axum::body::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{Ending, Farewell, Opening, Session};
use crate::wire::stream::client::{ClientMessage, Refused};
use crate::wire::stream::{Encoding, ErrorCode};
use crate::ws::Shared;
use crate::ws::outlet::Outlet;
use crate::ws::shard::{End, Leave};

const MOST_REPLIES: usize = 64;

pub(in crate::ws) struct CustomerSession(pub(super) Arc<Mutex<Session>>);

/// A frame from the client.
#[derive(Message)]
#[rtype(result = "Reading")]
pub(in crate::ws) enum Heard {
    Text(Utf8Bytes),
    Binary(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
}

/// How the socket goes on.
#[derive(Debug, PartialEq)]
pub(in crate::ws) enum Reading {
    On,
    /// Too many answers wait: read on only when some were written.
    Wait,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::ws) struct Written;

impl CustomerSession {
    pub(in crate::ws) fn new(shared: Arc<Shared>, outlet: Outlet, number: u64, opening: Opening) -> Self {
        CustomerSession(Arc::new(Mutex::new(Session::new(
            shared, outlet, number, opening,
        ))))
    }

    /// Ends with the actor.
    pub(in crate::ws) fn reach(&self) -> Weak<Mutex<Session>> {
        Arc::downgrade(&self.0)
    }
}

impl Actor for CustomerSession {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let mut session = self.0.lock();
        match session.opening.take() {
            Some(Opening::Handshake { shown, from, .. }) => {
                session.from = from;
                session.introduce(shown, context);
            }
            Some(Opening::Stream { grant, subscriptions }) => session.begin(grant, subscriptions, context),
            None => {}
        }
        session.speak();
    }
}

impl Handler<Heard> for CustomerSession {
    type Result = MessageResult<Heard>;

    fn handle(&mut self, heard: Heard, context: &mut Context<Self>) -> Self::Result {
        let mut session = self.0.lock();
        match (&heard, session.encoding) {
            (Heard::Pong(ping), _) => session.lag.hears(ping, Instant::now()),
            (Heard::Text(text), Encoding::Json) => session.hear(ClientMessage::read_json(text), context),
            (Heard::Binary(bytes), Encoding::MessagePack) => {
                session.hear(ClientMessage::read_msgpack(bytes), context)
            }
            (Heard::Binary(_), Encoding::Json) => {
                session.hear(wrong_frame("this session speaks JSON in text frames"), context);
            }
            (Heard::Text(_), Encoding::MessagePack) => {
                session.hear(
                    wrong_frame("this session speaks MessagePack in binary frames"),
                    context,
                );
            }
        }
        session.speak();
        MessageResult(if session.replies.len() < MOST_REPLIES {
            Reading::On
        } else {
            Reading::Wait
        })
    }
}

impl Handler<Written> for CustomerSession {
    type Result = ();

    fn handle(&mut self, _: Written, _: &mut Context<Self>) {
        let mut session = self.0.lock();
        session.lag.progresses(Instant::now());
        session.speak();
    }
}

impl Handler<Leave> for CustomerSession {
    type Result = ();

    fn handle(&mut self, _: Leave, _: &mut Context<Self>) {
        let mut session = self.0.lock();
        if matches!(session.farewell, Farewell::NotYet) {
            session.farewell = Farewell::Due(Ending::Shutdown);
        }
        session.speak();
    }
}

impl Handler<End> for CustomerSession {
    type Result = ();

    fn handle(&mut self, _: End, context: &mut Context<Self>) {
        context.stop();
    }
}

fn wrong_frame(expected: &str) -> Result<ClientMessage, Refused> {
    Err(Refused::new(None, ErrorCode::BadMessage, expected))
}
