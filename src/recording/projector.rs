//! A recording that is shown: the read side as it was at any moment, and from there on, or back,
//! moment by moment. No wall clock and no actors: [`super::playback`] has the clock.
//!
//! To go to a moment is to take the last whole state before it and to apply what was recorded
//! since, on a read side that nobody sees yet; then that takes the place of the one that is
//! looked at, under a new epoch.

use std::sync::Arc;

use prost::Message;

use crate::engine::{Halted, look};
use crate::sim::command::Objection;
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::world::World;
use crate::view::frame::DroneRow;
use crate::view::{Publication, Reversal, View};

use super::between::{Undone, overlay};
use super::changes::WorldChanges;
use super::file::{FileError, Recording};
use super::keyframe::State;
use super::layout::{self, Topic};
use super::moments::{Moment, moments_of};
use super::origin::NoWorld;
use super::past::Past;

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
struct Place {
    /// Among those that have moments.
    chunk: usize,
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
    /// As last shown.
    rows: Vec<DroneRow>,
    world: Arc<World>,
    /// The tick at which deliveries left memory last.
    forgotten: Tick,
}

/// Ticks after which deliveries that ended leave memory, the last of them aside.
const FORGET_EVERY: Tick = 600;

impl Projector {
    /// Shows the recording's moment at this time, or the next before it.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn open(recording: Recording, at: SimTime, epoch: u64) -> Result<Self, NotShown> {
        let scenario = Arc::new(recording.origin.world()?);
        let with = |wanted: &[Topic]| {
            let chunks = recording.chunks().iter().enumerate();
            let chosen = chunks.filter(|(_, chunk)| wanted.iter().any(|topic| chunk.topics.contains(topic)));
            chosen.map(|(number, _)| number).collect::<Vec<usize>>()
        };
        let chunks = with(&[Topic::Positions, Topic::Journal]);
        let keyframes = with(&[Topic::Keyframes]);
        let gaps = with(&[Topic::Gaps]);
        let first = *keyframes.first().ok_or(FileError::Nothing)?;
        let (view, world) = state_of(&recording, first, &scenario)?;
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
            place: Place {
                chunk: 0,
                is_passed: false,
                moments: Vec::new(),
                next: 0,
            },
            rows: Vec::new(),
            forgotten: 0,
        };
        let past = Past::open(&projector.recording, &projector.view)?;
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

    /// Shows the moment at this time, or the last before it, under a new epoch.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn seek(&mut self, at: SimTime) -> Result<(), NotShown> {
        let chunks = self.recording.chunks();
        let began = |number: &&usize| self.recording.origin.at(chunks[**number].from_ns) <= at;
        let keyframe = self.keyframes.iter().rfind(began).or(self.keyframes.first());
        let keyframe = *keyframe.ok_or(FileError::Nothing)?;
        let (fresh, world) = state_of(&self.recording, keyframe, &self.scenario)?;
        self.world = world;
        self.rows = fresh.frame().rows().to_vec();
        let from = fresh.clock().tick;
        // The first chunk of moments behind the state.
        self.place = Place {
            chunk: self.chunks.partition_point(|number| *number < keyframe),
            is_passed: false,
            moments: Vec::new(),
            next: 0,
        };
        self.bound_for = Some(at);
        self.load()?;
        self.is_torn = false;
        let mut is_first = true;
        while let Some(moment) = self.peek()? {
            if moment.at > at {
                break;
            }
            let is_later = moment.tick > from || is_first && moment.tick == from;
            if is_later {
                let has_rows = moment.rows.is_some();
                let publication = self.take()?;
                show(&fresh, publication, has_rows);
                is_first = false;
            } else {
                self.place.next += 1;
            }
        }
        self.is_torn = false;
        self.bound_for = None;
        self.forgotten = fresh.clock().tick;
        self.epoch += 1;
        self.view.take_over(fresh, self.epoch);
        Ok(())
    }

    /// When the next moment is.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn next_at(&mut self) -> Result<Option<SimTime>, NotShown> {
        Ok(self.peek()?.map(|moment| moment.at))
    }

    /// Shows the next moment; answers whether it has positions.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn forward(&mut self) -> Result<bool, NotShown> {
        let next = self.peek()?.map(|moment| moment.at);
        if let (true, Some(at)) = (self.is_torn, next) {
            self.seek(at)?;
            return Ok(true);
        }
        let has_rows = self.peek()?.is_some_and(|moment| moment.rows.is_some());
        let mut publication = self.take()?;
        // What has ended leaves memory: the recording's history has it.
        if publication.tick / FORGET_EVERY > self.forgotten / FORGET_EVERY {
            self.forgotten = publication.tick;
            drop(self.view.take_changes());
            publication.kept = Some(publication.tick.saturating_sub(1));
        }
        show(&self.view, publication, has_rows);
        Ok(has_rows)
    }

    /// Shows the frame before the one that is shown, where there is one: positions only. What was
    /// told of deliveries stays as it is, until somebody goes on from here by
    /// [`Projector::seek`].
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn back(&mut self) -> Result<bool, NotShown> {
        let mut undone = Undone::default();
        let mut is_shown = true;
        loop {
            if self.place.next == 0 {
                if self.place.chunk == 0 {
                    return Ok(false);
                }
                self.place.chunk -= 1;
                self.load()?;
                self.place.next = self.place.moments.len();
                continue;
            }
            let moment = &self.place.moments[self.place.next - 1];
            if let (Some(rows), false) = (&moment.rows, is_shown) {
                self.rows.clone_from(rows);
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
            undone.undo(&moment.changes, &self.rows, &self.world);
            self.place.next -= 1;
            is_shown = false;
        }
    }

    fn peek(&mut self) -> Result<Option<&Moment>, NotShown> {
        while self.place.next >= self.place.moments.len() {
            if self.place.chunk + 1 >= self.chunks.len() {
                return Ok(None);
            }
            let (from, to) = (self.chunks[self.place.chunk], self.chunks[self.place.chunk + 1]);
            self.is_torn |= self.gaps.iter().any(|gap| (from..to).contains(gap));
            self.place.chunk += 1;
            self.place.next = 0;
            self.load()?;
        }
        Ok(self.place.moments.get(self.place.next))
    }

    fn load(&mut self) -> Result<(), NotShown> {
        self.place.is_passed = self.is_passed(self.place.chunk);
        let with_rows = !self.place.is_passed;
        self.place.moments = match self.chunks.get(self.place.chunk) {
            Some(number) => moments_of(&self.recording, *number, with_rows)?,
            None => Vec::new(),
        };
        Ok(())
    }

    /// Whether a later chunk has the frame that is wanted: the next has one, and ends before.
    fn is_passed(&self, chunk: usize) -> bool {
        let chunks = self.recording.chunks();
        let number = |later: usize| Some(&chunks[*self.chunks.get(chunk + later)?]);
        let (Some(bound_for), Some(next), Some(after)) = (self.bound_for, number(1), number(2)) else {
            return false;
        };
        let begins = self.recording.origin.at(after.from_ns);
        next.topics.contains(&Topic::Positions) && begins <= bound_for
    }

    /// The next moment as the read side hears of it.
    fn take(&mut self) -> Result<Publication, NotShown> {
        let moment = &mut self.place.moments[self.place.next];
        self.place.next += 1;
        if let Some(changes) = &moment.changes.world {
            self.world = changed(&self.scenario, changes)?;
        }
        match &moment.rows {
            Some(rows) => self.rows.clone_from(rows),
            None if self.place.is_passed => {}
            None => overlay(&mut self.rows, &moment.changes),
        }
        let changes = &moment.changes;
        let airborne = match self.place.is_passed {
            // Nobody sees it; but what happens, happens somewhere.
            true => changes.carriers.clone(),
            false => self.rows.clone(),
        };
        Ok(Publication {
            tick: moment.tick,
            at: moment.at,
            digest: moment.digest,
            world: Arc::clone(&self.world),
            events: changes.events.clone(),
            airborne,
            grounded: changes.grounded.clone(),
            lost_with: changes.lost_with.clone(),
            healths: changes.healths.clone(),
            routes: changes.routes.clone(),
            kept: None,
        })
    }
}

fn show(view: &View, publication: Publication, has_rows: bool) {
    match has_rows {
        true => view.publish(publication),
        false => view.publish_between(publication),
    }
}

fn changed(scenario: &Arc<World>, changes: &WorldChanges) -> Result<Arc<World>, Objection> {
    let mut world = World::clone(scenario).with_changes(changes.roster.clone())?;
    world.weather.shifts.clone_from(&changes.shifts);
    Ok(Arc::new(world))
}

/// A read side as the whole state in this chunk has it.
fn state_of(
    recording: &Recording,
    chunk: usize,
    scenario: &Arc<World>,
) -> Result<(View, Arc<World>), NotShown> {
    let messages = recording.messages(&recording.chunks()[chunk])?;
    let keyframe = messages.iter().rfind(|message| message.topic == Topic::Keyframes);
    let keyframe = keyframe.ok_or_else(|| FileError::Damaged("a state is missing".to_owned()))?;
    let keyframe = layout::Keyframe::decode(keyframe.data.as_slice()).map_err(FileError::from)?;
    let state = State::from_bytes(&keyframe.state).map_err(FileError::from)?;
    let (world, restored) = look::look(Arc::clone(scenario), state.into_snapshot())?;
    Ok((View::new(Arc::clone(&world), restored), world))
}
