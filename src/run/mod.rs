//! `skyhaul run`: scenarios from start to end without listeners, what came of them, and how
//! several runs differ.
//!
//! Drives the headless engine, and listens to every tick like any other listener; prints
//! nothing itself.

mod against;
mod compare;
mod deliveries;
mod fleet_use;
mod quality;
mod several;
mod summary;
mod table;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Engine, Halted, headless};
use crate::recording::{self, Fork, Recorder, Stopped};
use crate::sim::event::Event;
use crate::sim::promise::Kept;
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;

pub use against::{NotCompared, against};
pub use compare::{Comparison, Figures, METRICS, Metric};
pub use deliveries::{DeliveryRow, Fulfilment, Outcome};
pub use fleet_use::FleetUse;
pub use quality::{Jumps, Spread, TimeToGo};
pub use several::{News, several};
use summary::Tally;
pub use summary::{DeliveryTotals, EnergyTotals, EtaQuality, SeparationTotals, Summary};
pub use table::write_runs;

/// How far a run has come, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub tick: Tick,
    pub until: Tick,
    pub at: SimTime,
    pub deliveries: DeliveryTotals,
    pub airborne: usize,
}

/// A run that came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    pub summary: Summary,
    /// Of each delivery, where rows were asked for.
    pub deliveries: Vec<DeliveryRow>,
    /// How what was promised held, of each that was completed.
    pub promises: Vec<Kept>,
}

/// Runs the world until this tick. `show` sees the progress after every tick.
///
/// # Errors
/// An actor that failed, or no threads to be had.
pub fn run(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    keeps_rows: bool,
    show: impl FnMut(&Progress),
) -> Result<Ended, Halted> {
    let mut watch = Watch::open(until, keeps_rows, show);
    let engine = headless::run(world, threads, until, |engine, outcome| {
        watch.hear(engine, &outcome.events);
        true
    })?;
    Ok(watch.close(&engine))
}

/// The same, recorded; the recording is ended by the caller. `show` may say that it is enough.
///
/// # Errors
/// A world that failed, or a recording that takes no more.
pub fn run_recorded(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    keeps_rows: bool,
    recorder: &Recorder,
    hz: f64,
    show: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Ended, Stopped> {
    let mut watch = Watch::open(until, keeps_rows, show);
    let engine = recording::run(world, threads, until, recorder, hz, |engine, outcome| {
        watch.hear(engine, &outcome.events)
    })?;
    Ok(watch.close(&engine))
}

/// A recorded world goes on from some moment: what it comes to, with what was before. `show` may
/// break it off.
///
/// # Errors
/// A recording that cannot be read, a world that failed, or a recording that takes no more.
pub fn go_on(
    fork: &Fork<'_>,
    changed: Option<World>,
    threads: usize,
    recorder: &Recorder,
    hz: f64,
    show: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Summary, Stopped> {
    let mut watch = Watch::open(fork.end(), false, show);
    fork.tell(|events, airborne| watch.tally.hear(events, airborne));
    let engine = fork.run(changed, threads, recorder, hz, |engine, outcome| {
        watch.hear(engine, &outcome.events)
    })?;
    Ok(watch.close(&engine).summary)
}

/// What a run comes to, while it runs.
struct Watch<Show> {
    began: Instant,
    until: Tick,
    tally: Tally,
    show: Show,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the summary tells how long the run took"
)]
impl<Heard, Show: FnMut(&Progress) -> Heard> Watch<Show> {
    fn open(until: Tick, keeps_rows: bool, show: Show) -> Self {
        Watch {
            began: Instant::now(),
            until,
            tally: Tally::new(keeps_rows),
            show,
        }
    }

    fn hear(&mut self, engine: &Engine, events: &[Event]) -> Heard {
        let airborne = engine.sky().airborne_count();
        self.tally.hear(events, airborne);
        let tick = engine.tick_number();
        (self.show)(&Progress {
            tick,
            until: self.until,
            at: engine.world().time_of(tick),
            deliveries: self.tally.deliveries(),
            airborne,
        })
    }

    fn close(self, engine: &Engine) -> Ended {
        let summary = self.tally.summary(engine, self.began.elapsed());
        let (deliveries, promises) = self.tally.into_rows();
        Ended {
            summary,
            deliveries,
            promises,
        }
    }
}
