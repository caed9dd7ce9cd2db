//! A recording that is shown: the read side as it was at any moment, and from there on, or back,
//! moment by moment. No wall clock and no actors: [`super::playback`] has the clock.
//!
//! To go to a moment is to take the last whole state before it and to apply what was recorded
//! since, on a read side that nobody sees yet; then that takes the place of the one that is
//! looked at, under a new epoch.

mod arrival;

use std::sync::Arc;

use crate::engine::Halted;
use crate::sim::command::Objection;
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::world::World;
use crate::view::{Publication, Reversal, View};

use super::before::Before;
use super::export::clock;
use super::file::{FileError, Recording};
use super::keyframe::{last_state, restored_of};
use super::layout::Topic;
use super::moments::{Moment, moments_of};
use super::origin::NoWorld;
use super::past::Past;
use super::undone::{Replaced, Undone};

/// Why a moment is not shown.
#[derive(Debug, thiserror::Error)]
pub enum NotShown {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    NoWorld(#[from] NoWorld),
    #[error("its states cannot be read: {0}")]
    State(#[from] Halted),
    #[error("its world cannot be made: {0}")]
    World(#[from] Objection),
}

/// Where in the file the show is: a chunk, and the next moment in it.
#[derive(Default)]
struct Place {
    /// Among those that have moments; behind the last where that is not written yet.
    chunk: usize,
    is_loaded: bool,
    /// It is only passed: its positions were not read, as later ones are shown.
    is_passed: bool,
    moments: Vec<Moment>,
    next: usize,
}

pub struct Projector {
    recording: Recording,
    /// As the scenario has it.
    scenario: Arc<World>,
    view: Arc<View>,
    epoch: u64,
    /// Chunks with moments, and with whole states, by their numbers.
    chunks: Vec<usize>,
    keyframes: Vec<usize>,
    /// Chunks that say that ticks are missing before them.
    gaps: Vec<usize>,
    /// What is shown is before a gap, and the next moment behind it.
    is_torn: bool,
    /// Where it is on the way to.
    bound_for: Option<SimTime>,
    place: Place,
    /// Moments on the way to the next frame: they are shown with it.
    pending: Vec<Publication>,
    replaced: Replaced,
    world: Arc<World>,
    /// The tick at which deliveries left memory last.
    forgotten: Tick,
}

/// Ticks after which deliveries that ended leave memory, the last of them aside.
const FORGET_EVERY: Tick = 600;

impl Projector {
    /// Shows the recording's moment at this time, or the next before it; `before`: what had ended
    /// before it began.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn open(
        recording: Recording,
        at: SimTime,
        epoch: u64,
        before: Option<Before>,
    ) -> Result<Self, NotShown> {
        let scenario = Arc::new(recording.origin.world()?);
        let with = |wanted: &[Topic]| {
            let chunks = recording.chunks().iter().enumerate();
            let chosen = chunks.filter(|(_, chunk)| wanted.iter().any(|topic| chunk.topics.contains(topic)));
            chosen.map(|(number, _)| number).collect::<Vec<usize>>()
        };
        let chunks = with(&[Topic::Positions, Topic::Journal]);
        let keyframes = with(&[Topic::Keyframes]);
        let gaps = with(&[Topic::Gaps]);
        let (view, world, _) = last_state(&recording, &keyframes, &scenario)?;
        view.set_playback();
        let mut projector = Projector {
            recording,
            world,
            scenario,
            view: Arc::new(view),
            epoch,
            chunks,
            keyframes,
            gaps,
            is_torn: false,
            bound_for: None,
            place: Place::default(),
            pending: Vec::new(),
            replaced: Replaced::default(),
            forgotten: 0,
        };
        let past = Past::open(&projector.recording, &projector.view, before)?;
        projector.view.look_into(Arc::new(past));
        projector.seek(at)?;
        Ok(projector)
    }

    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Simulated time from one recorded frame to the next.
    pub fn frame_period(&self) -> SimDuration {
        self.recording.frame_period()
    }

    pub fn end(&self) -> SimTime {
        self.recording.end()
    }

    /// Finds what was recorded since, where the file is still being written; answers whether
    /// anything was.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn grow(&mut self) -> Result<bool, NotShown> {
        let known = self.recording.chunks().len();
        if !self.recording.grow()? {
            return Ok(false);
        }
        for (number, chunk) in self.recording.chunks().iter().enumerate().skip(known) {
            let has = |topic| chunk.topics.contains(&topic);
            if has(Topic::Positions) || has(Topic::Journal) {
                self.chunks.push(number);
            }
            if has(Topic::Keyframes) {
                self.keyframes.push(number);
            }
            if has(Topic::Gaps) {
                self.gaps.push(number);
            }
        }
        Ok(true)
    }

    /// When the next frame is.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn next_at(&mut self) -> Result<Option<SimTime>, NotShown> {
        while let Some(moment) = self.peek()? {
            if moment.rows.is_some() {
                return Ok(Some(moment.at));
            }
            let passed = self.take()?;
            self.pending.push(passed);
        }
        Ok(None)
    }

    /// Shows the next frame, and what happened up to it; answers whether there is one.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn forward(&mut self) -> Result<bool, NotShown> {
        let Some(at) = self.next_at()? else {
            return Ok(false);
        };
        if self.is_torn {
            self.seek(at)?;
            return Ok(true);
        }
        let mut frame = self.take()?;
        // What has ended leaves memory: the recording's history has it.
        if frame.tick / FORGET_EVERY > self.forgotten / FORGET_EVERY {
            self.forgotten = frame.tick;
            drop(self.view.take_changes());
            frame.kept = Some(frame.tick.saturating_sub(1));
        }
        let passed = std::mem::take(&mut self.pending);
        self.view.publish_last(passed.into_iter().chain([frame]));
        Ok(true)
    }

    /// Shows the frame before the one that is shown, where there is one: positions only. What was
    /// told of deliveries stays as it is, until somebody goes on from here by
    /// [`Projector::seek`].
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn back(&mut self) -> Result<bool, NotShown> {
        let mut undone = Undone::default();
        // Those on the way to the next frame have not been shown; then comes the shown one.
        let pending = std::mem::take(&mut self.pending);
        let (chunk, next) = (self.place.chunk, self.place.next);
        let mut unseen = pending.len();
        let mut is_shown = true;
        let mut is_torn = false;
        loop {
            if self.place.next == 0 {
                if self.place.chunk == 0 {
                    self.place.chunk = chunk;
                    self.load()?;
                    (self.place.next, self.pending) = (next, pending);
                    return Ok(false);
                }
                is_torn |= self.is_gap_before(self.place.chunk);
                self.place.chunk -= 1;
                self.load()?;
                self.place.next = self.place.moments.len();
                continue;
            }
            let moment = &self.place.moments[self.place.next - 1];
            match &moment.rows {
                _ if unseen > 0 => unseen -= 1,
                Some(_) if !is_shown && is_torn => {
                    let at = moment.at;
                    self.seek(at)?;
                    return Ok(true);
                }
                Some(rows) if !is_shown => {
                    self.view.turn_back(Reversal {
                        tick: moment.tick,
                        at: moment.at,
                        digest: moment.digest,
                        airborne: rows.clone(),
                        grounded: undone.grounded,
                        found: undone.found,
                    });
                    return Ok(true);
                }
                _ => {
                    if !moment.changes.grounded.is_empty() {
                        self.know_replaced()?;
                    }
                    let moment = &self.place.moments[self.place.next - 1];
                    undone.undo(&moment.changes, self.replaced.at(moment.tick));
                    is_shown = false;
                }
            }
            self.place.next -= 1;
        }
    }

    /// Reads how drones stood before what happened in the chunk that is shown.
    fn know_replaced(&mut self) -> Result<(), NotShown> {
        let chunk = self.chunks[self.place.chunk];
        let Some(&state) = self.keyframes.iter().rfind(|state| **state < chunk) else {
            return Ok(());
        };
        if self.replaced.knows(state, chunk) {
            return Ok(());
        }
        let next = self.keyframes.iter().find(|next| **next > chunk);
        let is_behind = |number: &&usize| **number > state && next.is_none_or(|next| *number < next);
        let behind: Vec<usize> = self.chunks.iter().filter(is_behind).copied().collect();
        let (_, restored) = restored_of(&self.recording, state, &self.scenario)?;
        self.replaced = Replaced::read(&self.recording, state, restored.grounded, &behind)?;
        Ok(())
    }

    /// Whether ticks are missing between this chunk and the one before.
    fn is_gap_before(&self, chunk: usize) -> bool {
        let (from, to) = (self.chunks[chunk - 1], self.chunks.get(chunk));
        let to = to.copied().unwrap_or(usize::MAX);
        self.gaps.iter().any(|gap| (from..to).contains(gap))
    }

    fn peek(&mut self) -> Result<Option<&Moment>, NotShown> {
        while self.place.next >= self.place.moments.len() {
            if self.place.is_loaded {
                if self.place.chunk + 1 >= self.chunks.len() {
                    return Ok(None);
                }
                self.place.chunk += 1;
                self.is_torn |= self.is_gap_before(self.place.chunk);
                self.place.next = 0;
            }
            self.load()?;
            if !self.place.is_loaded {
                return Ok(None);
            }
        }
        Ok(self.place.moments.get(self.place.next))
    }

    fn load(&mut self) -> Result<(), NotShown> {
        self.place.is_passed = self.is_passed(self.place.chunk);
        let with_rows = !self.place.is_passed;
        self.place.moments = Vec::new();
        self.place.is_loaded = self.place.chunk < self.chunks.len();
        let Some(&number) = self.chunks.get(self.place.chunk) else {
            return Ok(());
        };
        match moments_of(&self.recording, number, with_rows) {
            Ok(moments) => self.place.moments = moments,
            Err(NotShown::File(FileError::Damaged(why))) => self.leave_out(number, &why),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What a damaged chunk had is missing, as in a gap.
    fn leave_out(&mut self, number: usize, why: &str) {
        if !self.gaps.contains(&number) {
            let at = clock(self.recording.origin.at(self.recording.chunks()[number].from_ns));
            tracing::warn!(at, why, "a part of the recording is damaged and left out");
            self.gaps.push(number);
        }
        self.is_torn = true;
    }

    /// The next moment as the read side hears of it.
    fn take(&mut self) -> Result<Publication, NotShown> {
        let moment = &mut self.place.moments[self.place.next];
        self.place.next += 1;
        if let Some(changes) = &moment.changes.world {
            self.world = changes.made_of(&self.scenario)?;
        }
        let changes = &moment.changes;
        // Between frames nobody looks; but what happens, happens somewhere.
        let airborne = moment.rows.as_ref().unwrap_or(&changes.carriers);
        Ok(Publication {
            tick: moment.tick,
            at: moment.at,
            digest: moment.digest,
            world: Arc::clone(&self.world),
            events: changes.events.clone(),
            airborne: airborne.clone(),
            grounded: changes.grounded.clone(),
            lost_with: changes.lost_with.clone(),
            healths: changes.healths.clone(),
            routes: changes.routes.clone(),
            kept: None,
        })
    }
}
