//! Ingestion: takes requests from outside and makes them durable before anybody hears yes.
//!
//! Owns the numbering of commands and what waits for the journal; requests that wait
//! together share one flush. Hears a knock where enough was submitted for a flush; answers once
//! durable, and hands the command on through the [`Gate`]. Bound: accepted and not yet admitted
//! requests, `capacity` in all; beyond that `Full`. If it dies, the answers it owes are
//! `StoreGone`, and what is durable is found again at the next start.
//!
//! **When it flushes.** A flush costs nearly the same for one request as for a hundred. So where
//! the last had many, the next waits for half of those who are known to be at it, and the other
//! half comes while that is written; but never longer than [`GATHERING`]. Where few come, nobody
//! waits for others.

mod doorstep;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use uuid::Uuid;

use crate::sim::command::{Command, Decision};
use crate::sim::ids::DeliveryId;
use crate::sim::time::Tick;
use crate::store::writer::Refused;
use crate::store::{IngestBatch, Writer};

pub use doorstep::IngestionHandle;
use doorstep::{Doorstep, Knock, Submit, Wanted};

/// Commands that share one journal row at most.
const BATCH: usize = 4_096;
/// Answered together, so many are enough for the next flush to wait for company.
const CROWD: usize = 16;
/// The longest that a flush waits for company.
const GATHERING: Duration = Duration::from_millis(3);

/// A command that is in the journal, on its way to the world. Dropping it frees its room.
pub struct Durable {
    pub seq: u64,
    pub command: Command,
    /// Who waits for what the world decides about it.
    pub answer: Option<Waiting>,
    pub _room: Option<OwnedSemaphorePermit>,
}

/// Hears what was decided, and in which tick, once everybody can see it.
pub type Waiting = oneshot::Sender<(Tick, Decision)>;

/// Where durable commands go.
pub trait Gate: Send + Sync + 'static {
    fn pass(&self, commands: Vec<Durable>);
}

/// The actor's answer to an order: the delivery, and whether the key was seen before.
pub type Receipt = Result<(DeliveryId, bool), NotTaken>;

/// The actor's answer to any other command: it is in the journal, and this is where the
/// world's decision about it will come.
pub type Journalled = Result<oneshot::Receiver<(Tick, Decision)>, NotTaken>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    Full,
    StoreGone,
}

/// What it does with what is submitted.
enum Stance {
    /// Flushes it at once.
    Idle,
    /// Flushes it when so many wait, or at the alarm of this number.
    Gathering { wanted: usize, alarm: u64 },
    /// Looks at it when the flush is over.
    Flushing,
}

pub struct Ingestion {
    doorstep: Arc<Doorstep>,
    journal: Writer,
    gate: Arc<dyn Gate>,
    next_seq: u64,
    waiting: VecDeque<Submit>,
    stance: Stance,
    /// Set so far.
    alarms: u64,
    /// Keys that are on their way to the journal, and who else waits for their answer, each
    /// with the room that it takes.
    keys: BTreeMap<String, Vec<(oneshot::Sender<Receipt>, OwnedSemaphorePermit)>>,
}

impl Ingestion {
    /// Starts it on one of the arbiters. `next_seq` continues the journal's numbers.
    pub fn start(
        arbiter: &actix::ArbiterHandle,
        journal: Writer,
        gate: Arc<dyn Gate>,
        next_seq: u64,
        capacity: usize,
    ) -> IngestionHandle {
        let doorstep = Arc::new(Doorstep::new());
        let taken_from = Arc::clone(&doorstep);
        let actor = Ingestion::start_in_arbiter(arbiter, move |_| Ingestion {
            doorstep: taken_from,
            journal,
            gate,
            next_seq,
            waiting: VecDeque::new(),
            stance: Stance::Idle,
            alarms: 0,
            keys: BTreeMap::new(),
        });
        IngestionHandle::new(actor, doorstep, capacity)
    }

    fn enqueue(&mut self, submit: Submit, context: &mut Context<Self>) {
        self.waiting.push_back(submit);
        self.go_on(context);
    }

    /// All that was submitted so far; then what comes of it.
    fn take_in(&mut self, context: &mut Context<Self>) {
        for submit in self.doorstep.take() {
            match &submit.wanted {
                Wanted::Delivery { key: Some(key), .. } => self.look_up(key.clone(), submit, context),
                Wanted::Delivery { key: None, .. } | Wanted::Decision { .. } => {
                    self.waiting.push_back(submit);
                }
            }
        }
        self.go_on(context);
    }

    /// Flushes what waits, if it is time for that; else sees to it that somebody knocks.
    fn go_on(&mut self, context: &mut Context<Self>) {
        let missing = match self.stance {
            Stance::Flushing => return,
            Stance::Idle => 1_usize.saturating_sub(self.waiting.len()),
            Stance::Gathering { wanted, .. } => wanted.saturating_sub(self.waiting.len()),
        };
        if missing == 0 {
            self.flush(context);
        } else if self.doorstep.await_knock(missing) {
            context.notify(Knock);
        }
    }

    /// After a flush that had so many.
    fn gather(&mut self, flushed: usize, context: &mut Context<Self>) {
        self.stance = Stance::Idle;
        if flushed >= CROWD {
            let at_it = flushed + self.waiting.len() + self.doorstep.len();
            let wanted = at_it.div_ceil(2).min(BATCH);
            self.alarms += 1;
            let alarm = self.alarms;
            self.stance = Stance::Gathering { wanted, alarm };
            context.run_later(GATHERING, move |actor, context| actor.alarmed(alarm, context));
        }
        self.take_in(context);
    }

    /// It has waited long enough, unless it waits no more.
    fn alarmed(&mut self, number: u64, context: &mut Context<Self>) {
        if matches!(self.stance, Stance::Gathering { alarm, .. } if alarm == number) {
            self.stance = Stance::Idle;
            self.take_in(context);
        }
    }

    /// Looks the key up in the journal before the request may go there.
    fn look_up(&mut self, key: String, submit: Submit, context: &mut Context<Self>) {
        if let Some(waiting) = self.keys.get_mut(&key) {
            if let Wanted::Delivery { answer, .. } = submit.wanted {
                waiting.push((answer, submit.room));
            }
            return;
        }
        self.keys.insert(key.clone(), Vec::new());
        let journal = self.journal.clone();
        let look_up = async move { (journal.delivery_of_key(key).await, submit) };
        let then = look_up
            .into_actor(self)
            .map(|(found, submit), actor, context| match found {
                Ok(None) => actor.enqueue(submit, context),
                Ok(Some(id)) => actor.answer_repeat(submit, id),
                Err(refused) => actor.refuse(submit, not_taken(&refused)),
            });
        context.spawn(then);
    }

    /// One batch at a time: what arrives meanwhile gathers for the next.
    fn flush(&mut self, context: &mut Context<Self>) {
        self.stance = Stance::Flushing;
        self.doorstep.want_no_knock();
        let count = self.waiting.len().min(BATCH);
        let submits = self.waiting.drain(..count);
        let commands: Vec<(Command, Submit)> = submits.map(|submit| (command_of(&submit), submit)).collect();
        let batch = IngestBatch {
            first_seq: self.next_seq,
            commands: commands.iter().map(|(command, _)| command.clone()).collect(),
        };
        let journal = self.journal.clone();
        let flush = async move { (journal.append_commands(batch).await, commands) };
        let then = flush
            .into_actor(self)
            .map(move |(result, commands), actor, context| {
                actor.flushed(result, commands);
                actor.gather(count, context);
            });
        context.spawn(then);
    }

    fn flushed(&mut self, result: Result<(), Refused>, commands: Vec<(Command, Submit)>) {
        match result {
            Ok(()) => self.pass_on(commands),
            Err(Refused::OutOfSequence { expected }) => {
                self.next_seq = expected;
                for (_, submit) in commands.into_iter().rev() {
                    self.waiting.push_front(submit);
                }
            }
            Err(refused @ (Refused::Busy | Refused::Unavailable)) => {
                for (_, submit) in commands {
                    self.refuse(submit, not_taken(&refused));
                }
            }
        }
    }

    fn pass_on(&mut self, commands: Vec<(Command, Submit)>) {
        let mut durable = Vec::with_capacity(commands.len());
        let mut receipts = Vec::new();
        let mut journalled = Vec::new();
        for (command, submit) in commands {
            let waiting = match submit.wanted {
                Wanted::Delivery { key, answer, .. } => {
                    receipts.push((key, answer, requested(&command)));
                    None
                }
                Wanted::Decision { answer, .. } => {
                    let (waiting, decision) = oneshot::channel();
                    journalled.push((answer, decision));
                    Some(waiting)
                }
            };
            durable.push(Durable {
                seq: self.next_seq,
                command,
                answer: waiting,
                _room: Some(submit.room),
            });
            self.next_seq += 1;
        }
        // The read side must know a request before its client hears of it.
        self.gate.pass(durable);
        for (key, answer, id) in receipts {
            self.answer_all(key, answer, Ok((id, false)));
        }
        for (answer, decision) in journalled {
            let _gone = answer.send(Ok(decision));
        }
    }

    fn answer_repeat(&mut self, submit: Submit, id: DeliveryId) {
        if let Wanted::Delivery { key, answer, .. } = submit.wanted {
            self.answer_all(key, answer, Ok((id, true)));
        }
    }

    fn refuse(&mut self, submit: Submit, why: NotTaken) {
        match submit.wanted {
            Wanted::Delivery { key, answer, .. } => self.answer_all(key, answer, Err(why)),
            Wanted::Decision { answer, .. } => {
                let _gone = answer.send(Err(why));
            }
        }
    }

    /// A client that went away does not read its answer; its request stands all the same.
    fn answer_all(&mut self, key: Option<String>, first: oneshot::Sender<Receipt>, receipt: Receipt) {
        let others = key.and_then(|key| self.keys.remove(&key)).unwrap_or_default();
        for (other, _room) in others {
            let _gone = other.send(receipt.map(|(id, _)| (id, true)));
        }
        let _gone = first.send(receipt);
    }
}

fn not_taken(refused: &Refused) -> NotTaken {
    match refused {
        Refused::Busy => NotTaken::Full,
        Refused::Unavailable | Refused::OutOfSequence { .. } => NotTaken::StoreGone,
    }
}

/// Made in journal order, so that ids sort as the journal does.
fn new_id() -> DeliveryId {
    DeliveryId::from_bytes(*Uuid::now_v7().as_bytes())
}

fn command_of(submit: &Submit) -> Command {
    match &submit.wanted {
        Wanted::Delivery { id, order, key, .. } => Command::RequestDelivery {
            id: id.unwrap_or_else(new_id),
            order: Arc::clone(order),
            idempotency_key: key.clone(),
        },
        Wanted::Decision { command, .. } => command.clone(),
    }
}

/// The delivery that an order's command requests.
fn requested(command: &Command) -> DeliveryId {
    match command {
        Command::RequestDelivery { id, .. } => *id,
        other => unreachable!("an order becomes a request, not {other:?}"),
    }
}

impl Actor for Ingestion {
    type Context = Context<Self>;
}

impl Handler<Knock> for Ingestion {
    type Result = ();

    fn handle(&mut self, _: Knock, context: &mut Context<Self>) {
        self.take_in(context);
    }
}

/// Answers what nobody will take in any more.
impl Drop for Ingestion {
    fn drop(&mut self) {
        self.doorstep.close();
    }
}

#[cfg(test)]
mod tests;
