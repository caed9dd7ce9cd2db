//! Ctrl-C and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// What tells the program to end.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From now on.
    pub fn listen() -> Result<Self, Failure> {
        let hear = |kind| {
            signal(kind).map_err(|error| {
                let cause = format!("signals cannot be heard: {error}");
                Failure::failed(cause, "this is a bug; please report it")
            })
        };
        Ok(Signals {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
        })
    }

    /// Answers when one has come.
    pub async fn end(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
