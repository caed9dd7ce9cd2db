//! Where what is submitted lies until ingestion takes it in, and the handle that puts it there.
//!
//! Nothing is decided here but who knocks. The bound is the handle's: room for each submission.

use std::sync::Arc;

use actix::Message;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Ingestion, Journalled, NotTaken, Receipt};
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;

/// A write from outside, and who waits for its answer.
pub(super) enum Wanted {
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

pub(super) struct Submit {
    pub wanted: Wanted,
    pub room: OwnedSemaphorePermit,
}

/// As much was put in front of the door as ingestion waits for. A message for each submission
/// would cost more than looking at what it brings.
pub(super) struct Knock;

impl Message for Knock {
    type Result = ();
}

/// What was submitted and not yet taken in; `None` once nobody takes in any more.
pub(super) struct Doorstep(Mutex<Option<Left>>);

struct Left {
    /// In the order of submission.
    submits: Vec<Submit>,
    /// Whoever makes it so many knocks; nobody does where ingestion will look by itself.
    knock_at: Option<usize>,
}

impl Doorstep {
    pub fn new() -> Self {
        Doorstep(Mutex::new(Some(Left {
            submits: Vec::new(),
            knock_at: Some(1),
        })))
    }

    /// Whether it is for this one to knock.
    fn put(&self, submit: Submit) -> Result<bool, NotTaken> {
        let mut doorstep = self.0.lock();
        let left = doorstep.as_mut().ok_or(NotTaken::StoreGone)?;
        left.submits.push(submit);
        let is_enough = left.knock_at.is_some_and(|count| left.submits.len() >= count);
        if is_enough {
            left.knock_at = None;
        }
        Ok(is_enough)
    }

    pub fn take(&self) -> Vec<Submit> {
        let mut doorstep = self.0.lock();
        let submits = doorstep.as_mut().map(|left| std::mem::take(&mut left.submits));
        submits.unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.0.lock().as_ref().map_or(0, |left| left.submits.len())
    }

    /// Whether so many lie there already; else whoever makes it so many will knock.
    pub fn await_knock(&self, count: usize) -> bool {
        let mut doorstep = self.0.lock();
        let Some(left) = doorstep.as_mut() else {
            return false;
        };
        let are_there = left.submits.len() >= count;
        left.knock_at = (!are_there).then_some(count);
        are_there
    }

    /// Ingestion will look by itself.
    pub fn want_no_knock(&self) {
        if let Some(left) = self.0.lock().as_mut() {
            left.knock_at = None;
        }
    }

    /// Drops what lies there, and takes nothing more.
    pub fn close(&self) {
        self.0.lock().take();
    }
}

/// The private actor's public side. Clone it freely.
#[derive(Clone)]
pub struct IngestionHandle {
    actor: actix::Addr<Ingestion>,
    doorstep: Arc<Doorstep>,
    room: Arc<Semaphore>,
    capacity: usize,
}

impl IngestionHandle {
    pub(super) fn new(actor: actix::Addr<Ingestion>, doorstep: Arc<Doorstep>, capacity: usize) -> Self {
        IngestionHandle {
            actor,
            doorstep,
            room: Arc::new(Semaphore::new(capacity)),
            capacity,
        }
    }

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
        let is_enough = self.doorstep.put(Submit { wanted, room })?;
        if is_enough {
            self.actor.do_send(Knock);
        }
        Ok(())
    }

    /// Accepted and not yet admitted, and the bound.
    pub fn queue(&self) -> (usize, usize) {
        (self.capacity - self.room.available_permits(), self.capacity)
    }
}

/// Never a key of a client's: those hold no control character, or begin with an account.
fn key_of_put(id: DeliveryId) -> String {
    format!("\u{1f}put:{id}")
}
