//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

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
        self.status().await;
    }

    /// The same with the exit status of what it ended, as a shell has it.
    async fn status(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }
}

/// Does this once one has come, on a thread of its own; with the exit status that it means. Whoever
/// sends another does not want to wait.
pub fn on_signal(act: impl FnOnce(u8) + Send + 'static) -> Result<(), Failure> {
    let unheard = |error| {
        let cause = format!("signals cannot be heard: {error}");
        Failure::failed(cause, "see whether the machine has room for threads")
    };
    let runtime = runtime::Builder::new_current_thread().enable_io().build();
    let runtime = runtime.map_err(unheard)?;
    let mut signals = {
        let _within = runtime.enter();
        Signals::listen()?
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let listening = thread.spawn(move || {
        act(runtime.block_on(signals.status()));
        std::process::exit(runtime.block_on(signals.status()).into());
    });
    listening.map(drop).map_err(unheard)
}

/// Whether one has come, for who has something to bring to an end first.
#[derive(Clone)]
pub struct Told(Arc<AtomicU8>);

impl Told {
    /// From now on.
    pub fn listen() -> Result<Self, Failure> {
        let told = Told(Arc::default());
        let tell = told.clone();
        on_signal(move |status| tell.0.store(status, Ordering::Relaxed))?;
        Ok(told)
    }

    /// The exit status that it means.
    pub fn status(&self) -> Option<u8> {
        let status = self.0.load(Ordering::Relaxed);
        (status != 0).then_some(status)
    }
}
