//! The sessions of one arbiter, sockets included: everything about one of them happens on
//! that arbiter's thread, so that a beat is heard, composed and written without waking
//! another.
//!
//! It owns the list of its sessions. It hears of their coming (`Enter`) and going (`Left`),
//! of each beat (`BeatMade`), on which it lets one session after the other speak, and of the
//! server's end (`Leave`), which it passes on. Bounds: as many sessions as there are seats;
//! of beats only the newest waits; after a portion of sessions others on this thread have
//! their turn. A session that fails while it speaks ends alone, and so does one whose connection
//! is gone, whatever it still waits for (`End`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use actix::fut::WrapFuture;
use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, WeakAddr};
use parking_lot::Mutex;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::Shared;
use super::beat::Beat;
use super::outlet::Letter;
use super::session::{CustomerSession, Session};

/// About two milliseconds' worth.
const PORTION: usize = 256;
/// So many sessions compose before what they have to say is written: the two go quicker when
/// they do not take turns, as long as what was composed stays in the processor's cache.
const AT_ONCE: usize = 32;

#[derive(Default)]
pub(super) struct Shard {
    sessions: BTreeMap<u64, Member>,
    /// Some have not spoken yet since the last beat.
    telling: Telling,
    leaving: bool,
}

struct Member {
    session: Addr<CustomerSession>,
    listener: Listener,
}

/// A session that is told of beats, on its own thread, and without a message.
pub(super) struct Listener {
    pub(super) session: WeakAddr<CustomerSession>,
    pub(super) reach: Weak<Mutex<Session>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Telling {
    #[default]
    Done,
    UnderWay,
    /// Those who have spoken already have not seen the newest beat.
    Again,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Enter {
    pub(super) number: u64,
    pub(super) session: Addr<CustomerSession>,
    pub(super) reach: Weak<Mutex<Session>>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Left {
    pub(super) number: u64,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct BeatMade(pub(super) Arc<Shared>);

#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct Leave;

#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct End;

impl Shard {
    /// From this session on, with pauses.
    fn tell(&mut self, shared: Arc<Shared>, from: u64, context: &mut Context<Self>) {
        let beat = Arc::clone(&shared.newest.read());
        let mut sessions = self.sessions.range(from..);
        let mut letters: Vec<Letter> = Vec::with_capacity(AT_ONCE);
        let mut room = Vec::new();
        for _ in 0..PORTION / AT_ONCE {
            let now = Instant::now();
            for (_, member) in sessions.by_ref().take(AT_ONCE) {
                letters.extend(member.listener.speak_at(&shared, &beat, now));
            }
            letters.drain(..).for_each(|letter| letter.deliver(&mut room));
        }
        let next = match (sessions.next(), self.telling) {
            (Some((number, _)), _) => *number,
            (None, Telling::Again) => {
                self.telling = Telling::UnderWay;
                0
            }
            (None, _) => {
                self.telling = Telling::Done;
                return;
            }
        };
        let paused = yield_now().into_actor(self);
        context.spawn(paused.map(move |(), shard, context| shard.tell(shared, next, context)));
    }
}

impl Listener {
    /// What it has to say at this beat of what it looks at; nothing where it looks elsewhere.
    pub(super) fn speak_at(&self, of: &Arc<Shared>, beat: &Beat, now: Instant) -> Option<Letter> {
        let session = self.reach.upgrade()?;
        // What it leaves behind is not looked at again.
        let spoken = catch_unwind(AssertUnwindSafe(|| {
            let mut session = session.lock();
            session
                .looks_at(of)
                .then(|| session.speak_at(beat, now))
                .flatten()
        }));
        spoken.unwrap_or_else(|_| {
            if let Some(session) = self.session.upgrade() {
                session.do_send(End);
            }
            None
        })
    }
}

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.set_mailbox_capacity(1);
    }
}

impl Handler<Enter> for Shard {
    type Result = ();

    fn handle(&mut self, enter: Enter, _: &mut Context<Self>) {
        if self.leaving {
            enter.session.do_send(Leave);
        }
        let member = Member {
            listener: Listener {
                session: enter.session.downgrade(),
                reach: enter.reach,
            },
            session: enter.session,
        };
        self.sessions.insert(enter.number, member);
    }
}

impl Handler<Left> for Shard {
    type Result = ();

    fn handle(&mut self, Left { number }: Left, _: &mut Context<Self>) {
        if let Some(member) = self.sessions.remove(&number) {
            member.session.do_send(End);
        }
    }
}

impl Handler<BeatMade> for Shard {
    type Result = ();

    fn handle(&mut self, BeatMade(shared): BeatMade, context: &mut Context<Self>) {
        match self.telling {
            Telling::Done => {
                self.telling = Telling::UnderWay;
                self.tell(shared, 0, context);
            }
            Telling::UnderWay | Telling::Again => self.telling = Telling::Again,
        }
    }
}

impl Handler<Leave> for Shard {
    type Result = ();

    fn handle(&mut self, leave: Leave, _: &mut Context<Self>) {
        self.leaving = true;
        for member in self.sessions.values() {
            member.session.do_send(leave);
        }
    }
}
