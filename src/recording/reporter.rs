//! A live world's recorder: it never makes a world wait that keeps a pace. What there is no room for
//! is left out, the file says which ticks, and the recording goes on from a whole state. A world that
//! runs as fast as it can has no pace to lose, and waits a little.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::witness::{Standing, Told, Wish, Witness};
use crate::sim::time::{SimTime, Tick};
use crate::sim::world::World;
use crate::store::Snapshot;
use crate::view::reading::Speed;
use crate::view::{Publication, View};

use super::cadence::{Cadence, Keyframes};
use super::changes::Changes;
use super::recorder::{NoRoom, Recorder, TickNews};

/// Of a world that runs as fast as it can, for the thread that writes to be so far.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Reporter {
    recorder: Arc<Recorder>,
    cadence: Cadence,
    keyframes: Keyframes,
    /// The last tick whose positions were recorded.
    framed: Option<Tick>,
    /// As of the last tick.
    world: Arc<World>,
    course: Course,
}

enum Course {
    /// From the next whole state on; the first tick that is left out, where some are.
    Waiting {
        left_out_from: Option<Tick>,
    },
    Recording,
    /// The file takes no more.
    Ended,
}

impl Reporter {
    pub fn new(recorder: Arc<Recorder>, world: Arc<World>, hz: f64) -> Self {
        Reporter {
            recorder,
            cadence: Cadence::new(hz, world.tick),
            keyframes: Keyframes::from(SimTime::START),
            framed: None,
            world,
            course: Course::Waiting { left_out_from: None },
        }
    }

    fn heed(&mut self, sent: Result<(), NoRoom>, tick: Tick) {
        match sent {
            Ok(()) => {}
            Err(NoRoom::Busy) => {
                tracing::warn!(tick, "the recording does not keep up; ticks are left out of it");
                self.course = Course::Waiting {
                    left_out_from: Some(tick),
                };
            }
            Err(NoRoom::Ended) => {
                let cause = self.recorder.progress().failure();
                tracing::error!(tick, cause, "the recording ended: it cannot be written any more");
                self.course = Course::Ended;
            }
        }
    }
}

fn patience_of(view: &View) -> Duration {
    match view.clock().pace.speed {
        Speed::Max => PATIENCE,
        Speed::Times(_) => Duration::ZERO,
    }
}

impl Witness for Reporter {
    fn tick(&mut self, publication: &Publication, told: Told, view: &View) {
        let world = std::mem::replace(&mut self.world, Arc::clone(&publication.world));
        if !matches!(self.course, Course::Recording) {
            return;
        }
        let is_recorded = self.cadence.is_due(publication.at);
        let news = TickNews {
            tick: publication.tick,
            at: publication.at,
            world: Arc::clone(&publication.world),
            digest: publication.digest,
            admitted_through: told.admitted_through,
            first_event: told.first_event,
            commands: told.commands,
            changes: Changes::of(publication, &world, view),
            rows: is_recorded.then(|| publication.airborne.clone()),
        };
        let rows = news.rows.as_ref().map_or(0, Vec::len);
        self.keyframes.recorded(rows, news.changes.events.len());
        self.framed = is_recorded.then_some(publication.tick).or(self.framed);
        let sent = self.recorder.try_tick(news, patience_of(view));
        self.heed(sent, publication.tick);
    }

    fn wants(&self, at: SimTime) -> Option<Wish> {
        match self.course {
            // Not while the thread that writes still has what it could not keep up with.
            Course::Waiting { .. } => self.recorder.is_idle().then_some(Wish::Whole),
            Course::Recording => self.keyframes.is_due(at).then_some(Wish::Changes),
            Course::Ended => None,
        }
    }

    fn state(&mut self, snapshot: &Snapshot, at: SimTime, digest: [u8; 32]) {
        let tick = snapshot.tick;
        let is_whole = match self.course {
            Course::Ended => return,
            Course::Recording => false,
            Course::Waiting { left_out_from } => {
                if let Some(from) = left_out_from {
                    let sent = self.recorder.try_gap(from, tick, at);
                    if sent.is_err() {
                        return self.heed(sent, from);
                    }
                }
                true
            }
        };
        self.keyframes.taken(at, snapshot.engine.len() as u64);
        self.course = Course::Recording;
        let sent = self.recorder.try_keyframe(snapshot.clone(), at, digest, is_whole);
        self.heed(sent, tick);
    }

    fn wants_last(&self) -> Option<Wish> {
        match self.course {
            Course::Waiting { .. } => Some(Wish::Whole),
            Course::Recording => Some(Wish::Changes),
            Course::Ended => None,
        }
    }

    /// A file ends with a frame and a state of the moment that it ends at, whatever is due then: so
    /// all can be seen that was recorded, and what goes on from it ends as the world did.
    fn last(&mut self, snapshot: &Snapshot, standing: Standing, view: &View) {
        let (tick, at, digest) = (snapshot.tick, standing.at, standing.digest);
        if !self.keyframes.is_taken(at) || !matches!(self.course, Course::Recording) {
            self.state(snapshot, at, digest);
        }
        if !matches!(self.course, Course::Recording) || self.framed == Some(tick) {
            return;
        }
        let frame = TickNews {
            tick,
            at,
            world: standing.world,
            digest,
            admitted_through: standing.admitted_through,
            first_event: standing.next_event,
            commands: Vec::new(),
            changes: Changes::default(),
            rows: Some(standing.airborne),
        };
        let sent = self.recorder.try_tick(frame, patience_of(view));
        self.heed(sent, tick);
    }
}
