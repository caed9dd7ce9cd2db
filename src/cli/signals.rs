//! Ctrl-C and SIGTERM.

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// What the system sends to who writes more than `ulimit -f` allows; it ends a program that does not
/// hear it.
const SIGXFSZ: i32 = 25;

/// Whoever writes hears of such a limit by an error, as of a full disk, from now on.
pub fn outlive_file_limits() {
    let Ok(runtime) = runtime::Builder::new_current_thread().enable_io().build() else {
        return;
    };
    let _within = runtime.enter();
    // Once it is listened to, it is for as long as the program runs.
    if let Err(error) = signal(SignalKind::from_raw(SIGXFSZ)) {
        tracing::warn!(%error, "a limit to the size of files would end the program");
    }
}

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
