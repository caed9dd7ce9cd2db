//! Durable commands on their way into the world, in journal order.
//!
//! Its bound is ingestion's: every command in here holds a permit of it.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::actors::ingestion::{Durable, Gate};
use crate::sim::command::{Command, Decision};
use crate::sim::time::Tick;
use crate::view::View;

use super::Admission;

/// Commands admitted in one tick at most; the rest waits for the next.
const ADMITTED_PER_TICK: usize = 16_384;

pub struct Inbox {
    waiting: Mutex<Waiting>,
    view: Arc<View>,
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<Durable>,
    /// How many of them somebody waits for.
    asked: usize,
}

/// A durable command whose sender waits, by its number in the journal.
pub type Asked = (u64, Answerable);

/// Where the answer goes. The sender's room is free again once this is dropped.
pub struct Answerable {
    answer: oneshot::Sender<(Tick, Decision)>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Answerable {
    /// Whoever asked may have gone.
    pub fn say(self, tick: Tick, decision: Decision) {
        let _gone = self.answer.send((tick, decision));
    }
}

impl Inbox {
    pub fn new(view: Arc<View>) -> Self {
        Inbox {
            waiting: Mutex::default(),
            view,
        }
    }

    /// What the next tick admits, and who waits for its decisions.
    pub fn take(&self) -> (Admission, Vec<Asked>) {
        let mut waiting = self.waiting.lock();
        let count = waiting.commands.len().min(ADMITTED_PER_TICK);
        let (mut admission, mut asked) = (Admission::default(), Vec::new());
        for durable in waiting.commands.drain(..count) {
            admission.through = durable.seq;
            admission.commands.push(durable.command);
            if let Some(answer) = durable.answer {
                let _room = durable._room;
                asked.push((durable.seq, Answerable { answer, _room }));
            }
        }
        waiting.asked -= asked.len();
        (admission, asked)
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().commands.len()
    }

    /// Whether somebody waits for the decision about a command in here.
    pub fn is_asked(&self) -> bool {
        self.waiting.lock().asked > 0
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Gate for Inbox {
    fn pass(&self, commands: Vec<Durable>) {
        let requested = |durable: &Durable| match &durable.command {
            Command::RequestDelivery { id, order, .. } => Some((*id, Arc::clone(order))),
            _ => None,
        };
        self.view.queue(commands.iter().filter_map(requested));
        let mut waiting = self.waiting.lock();
        waiting.asked += commands.iter().filter(|durable| durable.answer.is_some()).count();
        waiting.commands.extend(commands);
    }
}
