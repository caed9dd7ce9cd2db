//! Durable commands on their way into the world, in journal order.
//!
//! Its bound is ingestion's: every command in here holds a permit of it.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::actors::ingestion::{Durable, Gate};
use crate::sim::order::Command;
use crate::view::View;

use super::Admission;

/// Commands admitted in one tick at most; the rest waits for the next.
const ADMITTED_PER_TICK: usize = 16_384;

pub struct Inbox {
    waiting: Mutex<VecDeque<Durable>>,
    view: Arc<View>,
}

impl Inbox {
    pub fn new(view: Arc<View>) -> Self {
        Inbox {
            waiting: Mutex::new(VecDeque::new()),
            view,
        }
    }

    /// What the next tick admits.
    pub fn take(&self) -> Admission {
        let mut waiting = self.waiting.lock();
        let count = waiting.len().min(ADMITTED_PER_TICK);
        let mut admission = Admission::default();
        for durable in waiting.drain(..count) {
            admission.through = durable.seq;
            admission.commands.push(durable.command);
        }
        admission
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Gate for Inbox {
    fn pass(&self, commands: Vec<Durable>) {
        for durable in &commands {
            if let Command::RequestDelivery { id, order, .. } = &durable.command {
                self.view.queue(*id, Arc::clone(order));
            }
        }
        self.waiting.lock().extend(commands);
    }
}
