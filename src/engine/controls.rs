//! What operators ask of the clock, and what they were promised and not told yet.
//!
//! Bound: requests that are not answered, [`CONTROLS_WAITING`] in all, whether they wait for
//! the next tick's boundary or for ticks that are still to come; beyond that `Busy`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::actors::ingestion::NotTaken;
use crate::sim::time::Tick;
use crate::view::commands::{PaceChange, Refusal};

/// Requests to the clock that may be unanswered at a time.
pub const CONTROLS_WAITING: usize = 64;
/// When a refused client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub enum Control {
    Change(PaceChange, Reply<()>),
    /// Advance a paused world by so many ticks.
    Step(u64, Reply<Tick>),
    /// Whoever is told of all that happens leaves, and is told how the world stands.
    Dismiss(Reply<()>),
}

impl Control {
    /// Whether time may stand still once this is in force.
    pub fn may_pause(&self) -> bool {
        match self {
            Control::Change(change, _) => change.paused == Some(true) || change.pause_at_tick.is_some(),
            Control::Step(..) | Control::Dismiss(_) => false,
        }
    }
}

/// Where the answer goes. Its room is free again once it is answered or dropped.
pub struct Reply<T> {
    answer: oneshot::Sender<Result<T, Refusal>>,
    room: OwnedSemaphorePermit,
}

impl<T> Reply<T> {
    /// Whether somebody still waits for it.
    pub fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    /// Whoever asked may have gone.
    pub fn say(self, value: Result<T, Refusal>) {
        // First, so that whoever is answered finds the room free.
        drop(self.room);
        let _gone = self.answer.send(value);
    }
}

/// The asking side. Clone it freely.
#[derive(Clone)]
pub struct Controls {
    sender: mpsc::Sender<Control>,
    room: Arc<Semaphore>,
}

impl Controls {
    pub fn new() -> (Self, mpsc::Receiver<Control>) {
        let (sender, receiver) = mpsc::channel(CONTROLS_WAITING);
        let room = Arc::new(Semaphore::new(CONTROLS_WAITING));
        (Controls { sender, room }, receiver)
    }

    pub async fn ask<T>(&self, control: impl FnOnce(Reply<T>) -> Control) -> Result<T, Refusal> {
        let busy = |_| Refusal::Busy {
            retry_after: RETRY_AFTER,
        };
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(busy)?;
        let (answer, answered) = oneshot::channel();
        let reply = Reply { answer, room };
        // Who has room has a place in the channel too, so it is closed where it takes nothing.
        self.sender
            .try_send(control(reply))
            .map_err(|_| Refusal::ShuttingDown)?;
        answered.await.unwrap_or(Err(Refusal::ShuttingDown))
    }

    /// Unanswered requests, and the bound.
    pub fn queue(&self) -> (usize, usize) {
        (CONTROLS_WAITING - self.room.available_permits(), CONTROLS_WAITING)
    }
}

/// As the outside hears it.
pub fn refusal(not_taken: NotTaken) -> Refusal {
    let retry_after = RETRY_AFTER;
    match not_taken {
        NotTaken::Full => Refusal::Full { retry_after },
        NotTaken::StoreGone => Refusal::StoreGone { retry_after },
    }
}

/// What ticks that are still to come will answer.
#[derive(Default)]
pub struct Promises {
    /// In the order of their last ticks.
    steps: VecDeque<(Tick, Reply<Tick>)>,
}

impl Promises {
    /// So many ticks after those that are promised already.
    pub fn step(&mut self, now: Tick, count: u64, reply: Reply<Tick>) {
        let after = self.steps.back().map_or(now, |(last, _)| *last);
        self.steps.push_back((after.saturating_add(count), reply));
    }

    pub fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Those whose last tick this was.
    pub fn stepped(&mut self, now: Tick) -> Vec<Reply<Tick>> {
        let done = self.steps.partition_point(|(last, _)| *last <= now);
        self.steps.drain(..done).map(|(_, reply)| reply).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn reply(controls: &Controls) -> (Reply<Tick>, oneshot::Receiver<Result<Tick, Refusal>>) {
        let (answer, answered) = oneshot::channel();
        let room = Arc::clone(&controls.room).try_acquire_owned().unwrap();
        (Reply { answer, room }, answered)
    }

    #[test]
    fn beyond_the_bound_the_clock_is_busy_until_somebody_is_answered() {
        let (controls, mut asked) = Controls::new();
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting: Vec<_> = (0..CONTROLS_WAITING)
            .map(|_| Box::pin(controls.ask(|reply| Control::Step(1, reply))))
            .collect();
        for ask in &mut waiting {
            assert!(ask.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(controls.queue(), (CONTROLS_WAITING, CONTROLS_WAITING));
        let refused =
            |context: &mut Context| pin!(controls.ask(|reply| Control::Step(1, reply))).poll(context);
        assert!(matches!(
            refused(&mut context),
            Poll::Ready(Err(Refusal::Busy { .. }))
        ));

        // Taken from the channel it is still unanswered.
        let Ok(Control::Step(1, reply)) = asked.try_recv() else {
            panic!("a step was asked for")
        };
        assert!(matches!(
            refused(&mut context),
            Poll::Ready(Err(Refusal::Busy { .. }))
        ));
        reply.say(Ok(7));
        assert_eq!(waiting[0].as_mut().poll(&mut context), Poll::Ready(Ok(7)));
        assert!(refused(&mut context).is_pending());
    }

    #[test]
    fn each_step_is_answered_at_its_own_last_tick() {
        let (controls, _asked) = Controls::new();
        let mut promises = Promises::default();
        promises.step(10, 5, reply(&controls).0);
        promises.step(12, 2, reply(&controls).0);
        assert_eq!(promises.stepped(14).len(), 0);
        assert_eq!(promises.stepped(15).len(), 1);
        assert_eq!(promises.stepped(16).len(), 0);
        assert_eq!(promises.stepped(17).len(), 1);
        assert!(!promises.has_steps());
    }
}
