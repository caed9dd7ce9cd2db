//! The sessions of one arbiter, sockets included: everything about one of them happens on
//! that arbiter's thread, so that a beat is heard, composed and written without waking
//! another.
//!
//! It owns the list of its sessions. It hears of their coming (`Enter`) and going (`Left`),
//! of each beat (`BeatMade`) and of the server's end (`Leave`), and passes the latter two
//! on. Bounds: as many sessions as there are seats; of beats only the newest waits. It has
//! nothing that can fail.

use std::collections::BTreeMap;

use actix::{Actor, Addr, Context, Handler, Message};

use super::session::CustomerSession;

#[derive(Default)]
pub(super) struct Shard {
    sessions: BTreeMap<u64, Addr<CustomerSession>>,
    leaving: bool,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Enter {
    pub(super) number: u64,
    pub(super) session: Addr<CustomerSession>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Left {
    pub(super) number: u64,
}

#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct BeatMade;

#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Leave;

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.set_mailbox_capacity(1);
    }
}

impl Handler<Enter> for Shard {
    type Result = ();

    fn handle(&mut self, Enter { number, session }: Enter, _: &mut Context<Self>) {
        if self.leaving {
            session.do_send(Leave);
        }
        self.sessions.insert(number, session);
    }
}

impl Handler<Left> for Shard {
    type Result = ();

    fn handle(&mut self, Left { number }: Left, _: &mut Context<Self>) {
        self.sessions.remove(&number);
    }
}

impl Handler<BeatMade> for Shard {
    type Result = ();

    fn handle(&mut self, beat: BeatMade, _: &mut Context<Self>) {
        for session in self.sessions.values() {
            // A session whose mailbox is full is told of the next beat, and takes the
            // newest whenever it comes to look.
            let _ = session.try_send(beat);
        }
    }
}

impl Handler<Leave> for Shard {
    type Result = ();

    fn handle(&mut self, leave: Leave, _: &mut Context<Self>) {
        self.leaving = true;
        for session in self.sessions.values() {
            session.do_send(leave);
        }
    }
}
