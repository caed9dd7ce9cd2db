//! A run without store, pace or listeners: one tick after the other, as fast as it goes.

use std::sync::Arc;

use actix::Arbiter;

use crate::sim::time::Tick;
use crate::sim::world::World;

use super::{Admission, Engine, Halted, Outcome};

/// Arbiters for the world's actors. One thread means the engine's own: no hand-over then.
pub fn arbiters(threads: usize) -> Vec<actix::ArbiterHandle> {
    let own = Arbiter::current();
    let others = (1..threads).map(|_| Arbiter::new().handle());
    std::iter::once(own).chain(others).collect()
}

/// Runs the world to its end on this thread and answers with the engine as it stands then.
/// `watch` sees every tick, and ends the run early by answering `false`.
///
/// # Errors
/// An actor that failed, or no threads to be had.
pub fn run(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    mut watch: impl FnMut(&Engine, Outcome) -> bool,
) -> Result<Engine, Halted> {
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(world, threads, arbiters(threads))?;
        while engine.tick_number() < until {
            let outcome = engine.tick(Admission::default()).await?;
            if !watch(&engine, outcome) {
                break;
            }
        }
        Ok(engine)
    })
}
