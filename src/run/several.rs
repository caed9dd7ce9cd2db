//! Several runs side by side: one a thread, each by itself on it, so that none depends on how
//! many there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::engine::Halted;
use crate::sim::time::Tick;
use crate::sim::world::World;

use super::{Ended, run};

/// Ticks that are told of together: all threads tell the same listener.
const TOLD_AT_ONCE: Tick = 256;

/// What there is to tell while they run, from any of the threads.
pub enum News<'a> {
    /// So many more ticks are done.
    Ticks(Tick),
    Ended(&'a Ended),
}

/// Runs each world until this tick; what came of them is in their order.
///
/// # Errors
/// The first of them that failed.
pub fn several(
    worlds: &[Arc<World>],
    threads: usize,
    until: Tick,
    keeps_rows: bool,
    tell: impl Fn(News<'_>) + Sync,
) -> Result<Vec<Ended>, Halted> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<Ended, Halted>>>> =
        Mutex::new(worlds.iter().map(|_| None).collect());
    let work = || {
        while let Some((index, world)) = take(&next, worlds) {
            let result = run(Arc::clone(world), 1, until, keeps_rows, |progress| {
                if progress.tick.is_multiple_of(TOLD_AT_ONCE) {
                    tell(News::Ticks(TOLD_AT_ONCE));
                }
            });
            tell(News::Ticks(until % TOLD_AT_ONCE));
            if let Ok(ended) = &result {
                tell(News::Ended(ended));
            }
            results.lock()[index] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(worlds.len()) {
            scope.spawn(work);
        }
    });
    results.into_inner().into_iter().flatten().collect()
}

fn take<'a>(next: &AtomicUsize, worlds: &'a [Arc<World>]) -> Option<(usize, &'a Arc<World>)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, worlds.get(index)?))
}
