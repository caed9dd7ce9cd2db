//! From a caller who blocks to a connection that does not: whose thread waits, and how long.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::link::Link;
use super::location::Location;
use super::trouble::Trouble;
use crate::store::StoreError;

/// Connecting to each of a few addresses, waiting for the lock, and reading the ends.
const TO_OPEN: Duration = Duration::from_secs(30);

/// The way to a database, whether or not somebody is connected.
pub(super) struct Line {
    pub location: Location,
    /// Its one thread moves the connection's bytes. `None` once this is dropped.
    runtime: Option<Runtime>,
}

impl Line {
    pub fn new(location: Location) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|cause| StoreError::Io {
                cause: cause.to_string(),
            })?;
        Ok(Line {
            location,
            runtime: Some(runtime),
        })
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it ends with the line")
    }

    /// Blocks until the work is done or the time is over. It need not be work that this
    /// line's own thread can do: what waits for answers is the caller's thread.
    pub fn wait<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let _reactor = self.runtime().enter();
        let bounded = async { tokio::time::timeout(limit, work).await };
        // Whoever's thread this is, their scheduler's rationing is not meant for it.
        let answered = futures_executor::block_on(tokio::task::unconstrained(bounded));
        answered.unwrap_or(Err(Trouble::Silent))
    }

    pub fn told(&self, trouble: Trouble) -> StoreError {
        trouble.told(&self.location.words)
    }

    /// A connection for reading, without the lock.
    pub fn reading_link(&self) -> Result<Link, Trouble> {
        self.wait(TO_OPEN, Link::open_beside(&self.location))
    }

    /// A connection with the lock.
    pub fn link(&self) -> Result<Link, Trouble> {
        self.wait(TO_OPEN, Link::open(&self.location))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // To wait for its thread is forbidden where this may happen.
            runtime.shutdown_background();
        }
    }
}
