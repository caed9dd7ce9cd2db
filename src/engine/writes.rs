//! Writes that an actor decides about, from the outside's question to its answer.
//!
//! While the world is paused none is taken: it would strike at some later time, and whoever
//! asked would wait for as long. So the clock shuts a gate before it pauses, and lets ticks
//! pass until every write that came through is in the world. Bound: ingestion's, whose room a
//! write holds until it is answered.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::actors::ingestion::IngestionHandle;
use crate::sim::command::{Command, Decision};
use crate::view::commands::{Refusal, Written};

use super::controls::refusal;

/// Whether writes are taken. Held for reading by each that is on its way to the inbox.
type Gate = Arc<RwLock<Taken>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    NotWhilePaused,
}

/// The asking side. Clone it freely.
#[derive(Clone)]
pub struct Writes {
    ingestion: IngestionHandle,
    gate: Gate,
}

impl Writes {
    pub fn new(ingestion: IngestionHandle) -> (Self, WriteGate) {
        let gate = Arc::new(RwLock::new(Taken::Yes));
        let clock = WriteGate {
            gate: Arc::clone(&gate),
            taken: Taken::Yes,
        };
        (Writes { ingestion, gate }, clock)
    }

    /// Answers once the tick that decided is published.
    ///
    /// # Errors
    /// The decision where it is a refusal, and whatever kept it from being decided.
    pub async fn write(&self, command: Command) -> Result<Written, Refusal> {
        let (ingestion, gate) = (self.ingestion.clone(), Arc::clone(&self.gate));
        // A task of its own: who stops waiting must not let go of the gate.
        let on_its_way = tokio::spawn(async move {
            let gate = gate.read().await;
            match *gate {
                Taken::NotWhilePaused => Err(Refusal::Paused),
                Taken::Yes => ingestion.journal(command).await.map_err(refusal),
            }
        });
        let journalled = on_its_way.await.map_err(|_| Refusal::ShuttingDown)??;
        match journalled.await.map_err(|_| Refusal::ShuttingDown)? {
            (_, Decision::Refused(why)) => Err(Refusal::Objected(why)),
            (tick, decision) => Ok(Written { tick, decision }),
        }
    }
}

/// The clock's side of the gate.
pub struct WriteGate {
    gate: Gate,
    /// As the gate stands.
    taken: Taken,
}

impl WriteGate {
    /// Nobody comes through while this is held, and who was on the way is in the inbox.
    pub async fn hold(&self) -> Held {
        Held(Arc::clone(&self.gate).write_owned().await)
    }

    /// Shuts it while the world is paused, and opens it when time passes again.
    pub async fn follow(&mut self, is_paused: bool) {
        if self.taken != Taken::when(is_paused) {
            let held = self.hold().await;
            self.let_go(held, is_paused);
        }
    }

    /// Who came while it was held finds it as it is from now on: were it shut only after it is
    /// let go of, a write could come through in between and strike in a world that is paused.
    pub fn let_go(&mut self, held: Held, is_paused: bool) {
        let Held(mut gate) = held;
        self.taken = Taken::when(is_paused);
        *gate = self.taken;
    }
}

/// The gate while nobody comes through it.
pub struct Held(OwnedRwLockWriteGuard<Taken>);

impl Taken {
    fn when(is_paused: bool) -> Self {
        match is_paused {
            true => Taken::NotWhilePaused,
            false => Taken::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn whoever_came_while_the_clock_paused_finds_the_gate_shut() {
        let gate: Gate = Arc::new(RwLock::new(Taken::Yes));
        let mut clock = WriteGate {
            gate: Arc::clone(&gate),
            taken: Taken::Yes,
        };
        let held = clock.hold().await;
        let mut on_the_way = Box::pin(gate.read());
        assert!((&mut on_the_way).now_or_never().is_none(), "nobody comes through");
        clock.let_go(held, true);
        assert_eq!(*on_the_way.await, Taken::NotWhilePaused);
        clock.follow(false).await;
        assert_eq!(*gate.read().await, Taken::Yes);
    }
}
