//! Durable commands on their way into the world, in journal order.
//!
//! Its bound is ingestion's: every command in here holds a permit of it.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::actors::ingestion::{Durable, Gate};
use crate::sim::command::{Command, Decision};
use crate::sim::time::{SimDuration, Tick};
use crate::view::View;

use super::Admission;

/// Commands admitted in one tick at most; the rest waits for the next.
const ADMITTED_PER_TICK: usize = 16_384;
/// Of a simulated second all are admitted, if they are no more than these.
const AT_ONCE_PER_SECOND: f64 = 20_000.0;
/// However short the ticks are.
const AT_ONCE_PER_TICK: usize = 1_024;
/// Of more than that, what waits is spread over so many ticks.
const SPREAD_OVER: usize = 32;

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
        let count = share(waiting.commands.len(), self.view.world().tick);
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

/// How many of those that wait one tick admits. A spike is what the inbox is there for: taken
/// in as it comes, it would make a long tick, of which everybody who looks would have to wait
/// for the end, and take the processor from those who are still to be answered. What waits
/// longer is not forgotten: the more it is, the more of it each tick admits. What a tick did
/// admit stands in the journal.
fn share(waiting: usize, tick: SimDuration) -> usize {
    let at_once = (AT_ONCE_PER_SECOND * tick.as_secs()) as usize;
    let more = waiting / SPREAD_OVER;
    waiting
        .min(at_once.max(AT_ONCE_PER_TICK) + more)
        .min(ADMITTED_PER_TICK)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_spread_over_ticks_and_what_waits_is_all_admitted_in_the_end() {
        let tick = SimDuration::from_secs(0.1);
        assert_eq!([0, 1, 2_000].map(|waiting| share(waiting, tick)), [0, 1, 2_000]);
        assert_eq!(share(32_000, tick), 3_000);
        assert_eq!(share(1_000_000, tick), ADMITTED_PER_TICK);
        assert_eq!(share(1_000, SimDuration::from_secs(0.001)), 1_000);
        assert_eq!(share(100_000, SimDuration::from_secs(10.0)), ADMITTED_PER_TICK);
        let mut waiting = 100_000;
        let ticks = std::iter::from_fn(|| {
            waiting -= share(waiting, tick);
            (waiting > 0).then_some(())
        });
        assert_eq!(ticks.take(1_000).count(), 29, "three seconds at this tick");
    }
}
