//! A world that runs to its end and is recorded: nothing is left out, the world waits.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::engine::recovery::{self, Recovered};
use crate::engine::{Admission, Engine, Halted, Outcome, headless, publication};
use crate::sim::command::Command;
use crate::sim::time::Tick;
use crate::sim::world::World;
use crate::store::{self, Identity, TickRow};
use crate::view::{Publication, View};

use super::cadence::{Cadence, Keyframes};
use super::changes::Changes;
use super::projector::NotShown;
use super::recorder::{Full, Recorder, TickNews};

/// Why a recorded run ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error(transparent)]
    World(#[from] Halted),
    #[error(transparent)]
    Recording(#[from] Full),
    #[error(transparent)]
    NotShown(#[from] NotShown),
    #[error("it was called off")]
    Cancelled,
}

/// Runs the world to its end on this thread. `watch` sees every tick, and may make it the last.
///
/// # Errors
/// A world that failed, or a recording that takes no more.
pub fn run(
    world: Arc<World>,
    threads: usize,
    until: Tick,
    recorder: &Recorder,
    hz: f64,
    mut watch: impl FnMut(&Engine, &Outcome) -> ControlFlow<()>,
) -> Result<Engine, Stopped> {
    actix::System::new().block_on(async {
        let identity = Identity {
            scenario_hash: world.scenario_hash,
            seed: world.seed,
        };
        let cadence = Cadence::new(hz, world.tick);
        let mut store = store::open(store::IN_MEMORY, &identity, true).map_err(Halted::from)?;
        let arbiters = headless::arbiters(threads);
        let recovered = recovery::recover(store.as_mut(), world, threads, arbiters).await?;
        let Recovered { engine, view, .. } = recovered;
        let mut filmed = Filmed::new(engine, view, recorder, cadence);
        filmed.begin().await?;
        let mut is_last = until <= filmed.engine.tick_number();
        while !is_last {
            let outcome = filmed.engine.tick(Admission::default()).await?;
            is_last = watch(&filmed.engine, &outcome).is_break() || filmed.engine.tick_number() == until;
            filmed.record(outcome, Vec::new(), is_last).await?;
        }
        Ok(filmed.engine)
    })
}

/// A world with its read side, which tells where events happened and what is history.
pub(super) struct Filmed<'a> {
    pub engine: Engine,
    view: Arc<View>,
    recorder: &'a Recorder,
    cadence: Cadence,
    keyframes: Keyframes,
}

impl<'a> Filmed<'a> {
    pub(super) fn new(engine: Engine, view: Arc<View>, recorder: &'a Recorder, cadence: Cadence) -> Self {
        Filmed {
            keyframes: Keyframes::from(engine.world().time_of(engine.tick_number())),
            engine,
            view,
            recorder,
            cadence,
        }
    }

    /// The first frame and the first state: those before the next tick.
    pub(super) async fn begin(&mut self) -> Result<(), Stopped> {
        self.engine.touch_all();
        self.view.touch_all();
        self.keyframe().await?;
        let world = Arc::clone(self.engine.world());
        self.recorder.tick(TickNews {
            tick: self.engine.tick_number(),
            at: world.time_of(self.engine.tick_number()),
            digest: *self.engine.digest(),
            admitted_through: self.engine.admitted_through(),
            first_event: self.engine.events_through() + 1,
            commands: Vec::new(),
            changes: Changes::default(),
            rows: Some(publication::airborne_rows(&world, self.engine.sky())),
            world,
        })?;
        Ok(())
    }

    /// The last tick is recorded whenever it comes: what goes on from a recording ends with it.
    pub(super) async fn record(
        &mut self,
        outcome: Outcome,
        commands: Vec<(u64, Command)>,
        is_last: bool,
    ) -> Result<(), Stopped> {
        let (row, publication) = publication::split(&self.engine, outcome);
        let is_recorded = is_last || self.cadence.is_due(publication.at);
        let news = TickNews {
            commands,
            ..self.news(&row, &publication, is_recorded)
        };
        let at = publication.at;
        let rows = news.rows.as_ref().map_or(0, Vec::len);
        self.keyframes.recorded(rows, news.changes.events.len());
        self.view.publish(publication);
        self.recorder.tick(news)?;
        if self.keyframes.is_due(at) {
            self.keyframe().await?;
        }
        Ok(())
    }

    fn news(&self, row: &TickRow, publication: &Publication, is_recorded: bool) -> TickNews {
        TickNews {
            tick: row.tick,
            at: publication.at,
            world: Arc::clone(&publication.world),
            digest: row.digest,
            admitted_through: row.admitted_through,
            first_event: row.first_event,
            commands: Vec::new(),
            changes: Changes::of(publication, &self.view.world(), &self.view),
            rows: is_recorded.then(|| publication.airborne.clone()),
        }
    }

    async fn keyframe(&mut self) -> Result<(), Stopped> {
        let snapshot = self.engine.snapshot_with_records(&self.view).await?;
        let tick = snapshot.tick;
        let at = self.engine.world().time_of(tick);
        self.keyframes.taken(at, snapshot.engine.len() as u64);
        self.recorder.keyframe(snapshot, at, *self.engine.digest())?;
        self.view.kept(tick);
        Ok(())
    }
}
