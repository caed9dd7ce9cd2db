//! `skyhaul run`: one scenario from start to end without listeners, and what came of it.
//!
//! Drives the headless engine, and listens to every tick like any other listener; prints
//! nothing itself.

mod quality;
mod summary;

use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Engine, Halted, headless};
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;

pub use quality::Spread;
use summary::Tally;
pub use summary::{DeliveryTotals, EnergyTotals, EtaQuality, SeparationTotals, Summary, TimeToGo};

/// How far a run has come, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub tick: Tick,
    pub until: Tick,
    pub at: SimTime,
    pub deliveries: DeliveryTotals,
    pub airborne: usize,
}

/// Runs the world until this tick. `show` sees the progress after every tick.
///
/// # Errors
/// An actor that failed, or no threads to be had.
#[expect(
    clippy::disallowed_methods,
    reason = "the summary tells how long the run took"
)]
pub fn run(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    mut show: impl FnMut(&Progress),
) -> Result<Summary, Halted> {
    let began = Instant::now();
    let mut tally = Tally::default();
    let engine = headless::run(Arc::clone(&world), threads, until, |engine, outcome| {
        tally.hear(&outcome.events, engine.sky().airborne_count());
        show(&progress(engine, until, &tally));
        true
    })?;
    Ok(tally.summary(&world, engine.tick_number(), *engine.digest(), began.elapsed()))
}

fn progress(engine: &Engine, until: Tick, tally: &Tally) -> Progress {
    let tick = engine.tick_number();
    Progress {
        tick,
        until,
        at: engine.world().time_of(tick),
        deliveries: tally.deliveries(),
        airborne: engine.sky().airborne_count(),
    }
}
