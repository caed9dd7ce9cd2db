//! Ingestion: takes requests from outside and makes them durable before anybody hears yes.
//!
//! Owns the numbering of commands and what waits for the journal; requests that wait
//! together share one flush. Hears a knock where something was submitted; answers once durable, and hands the command
//! on through the [`Gate`]. Bound: accepted and not yet admitted requests, `capacity` in
//! all; beyond that `Full`. If it dies, the answers it owes are `StoreGone`, and what is
//! durable is found again at the next start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use crate::sim::command::{Command, Decision};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::Tick;
use crate::store::writer::Refused;
use crate::store::{IngestBatch, Writer};

/// Commands that share one journal row at most.
const BATCH: usize = 4_096;

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

/// A write from outside, and who waits for its answer.
enum Wanted {
    Delivery {
        /// The client's own choice; else it is made here.
        id: Option<DeliveryId>,
        order: Arc<Order>,
        key: Option<String>,
        answer: oneshot::Sender<Receipt>,
    },
    Decision {
        command: Command,
        answer: oneshot::Sender<Journalled>,
    },
}

struct Submit {
    wanted: Wanted,
    room: OwnedSemaphorePermit,
}

/// Something was put in front of the door, where nothing was. A message for each would cost
/// more than looking at what it brings.
struct Knock;

impl Message for Knock {
    type Result = ();
}

/// What was submitted and not yet taken in, in the order of submission; `None` once nobody
/// takes in any more.
struct Doorstep(Mutex<Option<Vec<Submit>>>);

/// The private actor's public side. Clone it freely.
#[derive(Clone)]
pub struct IngestionHandle {
    actor: actix::Addr<Ingestion>,
    doorstep: Arc<Doorstep>,
    room: Arc<Semaphore>,
    capacity: usize,
}

impl IngestionHandle {
    pub async fn submit(&self, order: Order, key: Option<String>) -> Receipt {
        self.take(None, order, key).await
    }

    /// A delivery by an id of the client's: asked again, also after a crash, it is the same one.
    pub async fn put(&self, id: DeliveryId, order: Order) -> Receipt {
        self.take(Some(id), order, Some(key_of_put(id))).await
    }

    async fn take(&self, id: Option<DeliveryId>, order: Order, key: Option<String>) -> Receipt {
        let (answer, answered) = oneshot::channel();
        let order = Arc::new(order);
        self.send(Wanted::Delivery {
            id,
            order,
            key,
            answer,
        })?;
        answered.await.unwrap_or(Err(NotTaken::StoreGone))
    }

    /// Makes a command durable; the next tick decides about it.
    pub async fn journal(&self, command: Command) -> Journalled {
        let (answer, answered) = oneshot::channel();
        self.send(Wanted::Decision { command, answer })?;
        answered.await.unwrap_or(Err(NotTaken::StoreGone))
    }

    fn send(&self, wanted: Wanted) -> Result<(), NotTaken> {
        let room = Arc::clone(&self.room)
            .try_acquire_owned()
            .map_err(|_| NotTaken::Full)?;
        // Room bounds what waits, so the doorstep needs no bound of its own.
        let is_first = {
            let mut doorstep = self.doorstep.0.lock();
            let waiting = doorstep.as_mut().ok_or(NotTaken::StoreGone)?;
            waiting.push(Submit { wanted, room });
            waiting.len() == 1
        };
        if is_first {
            self.actor.do_send(Knock);
        }
        Ok(())
    }

    /// Accepted and not yet admitted, and the bound.
    pub fn queue(&self) -> (usize, usize) {
        (self.capacity - self.room.available_permits(), self.capacity)
    }
}

pub struct Ingestion {
    doorstep: Arc<Doorstep>,
    journal: Writer,
    gate: Arc<dyn Gate>,
    next_seq: u64,
    waiting: VecDeque<Submit>,
    flushing: bool,
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
        let doorstep = Arc::new(Doorstep(Mutex::new(Some(Vec::new()))));
        let taken_from = Arc::clone(&doorstep);
        let actor = Ingestion::start_in_arbiter(arbiter, move |_| Ingestion {
            doorstep: taken_from,
            journal,
            gate,
            next_seq,
            waiting: VecDeque::new(),
            flushing: false,
            keys: BTreeMap::new(),
        });
        let room = Arc::new(Semaphore::new(capacity));
        IngestionHandle {
            actor,
            doorstep,
            room,
            capacity,
        }
    }

    fn enqueue(&mut self, submit: Submit, context: &mut Context<Self>) {
        self.waiting.push_back(submit);
        self.flush(context);
    }

    /// All of it, before anything is flushed.
    fn take_in(&mut self, context: &mut Context<Self>) {
        let submitted = self.doorstep.0.lock().replace(Vec::new()).unwrap_or_default();
        for submit in submitted {
            match &submit.wanted {
                Wanted::Delivery { key: Some(key), .. } => self.look_up(key.clone(), submit, context),
                Wanted::Delivery { key: None, .. } | Wanted::Decision { .. } => {
                    self.waiting.push_back(submit);
                }
            }
        }
        self.flush(context);
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
        if self.flushing || self.waiting.is_empty() {
            return;
        }
        self.flushing = true;
        let count = self.waiting.len().min(BATCH);
        let submits = self.waiting.drain(..count);
        let commands: Vec<(Command, Submit)> = submits.map(|submit| (command_of(&submit), submit)).collect();
        let batch = IngestBatch {
            first_seq: self.next_seq,
            commands: commands.iter().map(|(command, _)| command.clone()).collect(),
        };
        let journal = self.journal.clone();
        let flush = async move { (journal.append_commands(batch).await, commands) };
        let then = flush.into_actor(self).map(|(result, commands), actor, context| {
            actor.flushing = false;
            actor.flushed(result, commands);
            actor.flush(context);
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

/// Never a key of a client's: those hold no control character, or begin with an account.
fn key_of_put(id: DeliveryId) -> String {
    format!("\u{1f}put:{id}")
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
        self.doorstep.0.lock().take();
    }
}

#[cfg(test)]
mod tests;
