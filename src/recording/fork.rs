//! What if: a recorded world that goes on from some moment by itself, as it did or otherwise.
//!
//! From the last whole state before that moment the ticks up to it are executed again, with what
//! came from outside; so without a change everything after it is as it was, up to the digest.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use prost::Message;

use crate::engine::{Admission, Engine, Outcome, headless, look, publication};
use crate::sim::command::Command;
use crate::sim::event::Event;
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::world::World;
use crate::view::View;

use super::cadence::Cadence;
use super::changes::Changes;
use super::file::{FileError, Recording};
use super::headless::{Filmed, Stopped};
use super::keyframe::{State, state_in};
use super::layout::{self, Topic};
use super::projector::NotShown;
use super::recorder::Recorder;

pub struct Fork<'a> {
    recording: &'a Recording,
    /// Of the last whole state before it.
    from: Tick,
    state: Vec<u8>,
    /// The last tick that is as it was.
    at: Tick,
    /// The recording's last.
    end: Tick,
    /// By the ticks that admitted them, from `from` on.
    commands: BTreeMap<Tick, Vec<(u64, Command)>>,
    /// By the ticks in which they happened, up to `from`; and how many were airborne then.
    told: BTreeMap<Tick, (Vec<Arc<Event>>, Option<usize>)>,
}

impl<'a> Fork<'a> {
    /// # Errors
    /// A recording that cannot be read.
    pub fn at(recording: &'a Recording, at: SimTime) -> Result<Self, FileError> {
        let tick_us = recording.origin.tick_us.max(1);
        let mut fork = Fork {
            recording,
            from: 0,
            state: Vec::new(),
            at: at.0 / tick_us,
            end: recording.end().0 / tick_us,
            commands: BTreeMap::new(),
            told: BTreeMap::new(),
        };
        let mut state = None;
        for (number, chunk) in recording.chunks().iter().enumerate() {
            for message in recording.messages(chunk)? {
                if message.topic == Topic::Keyframes {
                    let keyframe = layout::Keyframe::decode(message.data.as_slice())?;
                    if keyframe.tick <= fork.at {
                        (fork.from, state) = (keyframe.tick, Some(number));
                    }
                }
                fork.hear(message.topic, &message.data)?;
            }
        }
        if let Some(chunk) = state {
            fork.state = state_in(recording, chunk)?;
        }
        let from = fork.from;
        fork.told.retain(|tick, _| *tick <= from);
        fork.commands.retain(|tick, _| *tick > from);
        Ok(fork)
    }

    fn hear(&mut self, topic: Topic, data: &[u8]) -> Result<(), FileError> {
        match topic {
            Topic::Commands => {
                let command = layout::Command::decode(data)?;
                let write = postcard::from_bytes(&command.command)?;
                let of_tick = self.commands.entry(command.tick).or_default();
                of_tick.push((command.number, write));
            }
            Topic::Journal => {
                let journal = layout::Journal::decode(data)?;
                if journal.tick <= self.at {
                    let changes: Changes = postcard::from_bytes(&journal.changes)?;
                    // A tick may be told of twice, the second time for its frame.
                    self.told
                        .entry(journal.tick)
                        .or_default()
                        .0
                        .extend(changes.events);
                }
            }
            Topic::Positions => {
                let positions = layout::Positions::decode(data)?;
                if positions.tick <= self.at {
                    self.told.entry(positions.tick).or_default().1 = Some(positions.drone.len());
                }
            }
            Topic::Scenario | Topic::Keyframes | Topic::Events | Topic::History | Topic::Gaps => {}
        }
        Ok(())
    }

    /// The recording's last tick, at which the branch ends too.
    pub fn end(&self) -> Tick {
        self.end
    }

    /// The last whole state before the moment: from its tick on it is executed again.
    pub fn from(&self) -> Tick {
        self.from
    }

    /// Whether the moment is in the recording.
    pub fn is_inside(&self) -> bool {
        self.at <= self.end && !self.state.is_empty()
    }

    /// What happened before the whole state that the branch begins with, tick by tick: events, and
    /// how many drones were in the air, as far as that was recorded.
    pub fn tell(&self, mut hear: impl FnMut(&[Event], usize)) {
        let mut airborne = 0;
        for tick in 1..=self.from {
            let (events, rows) = match self.told.get(&tick) {
                Some((events, rows)) => (events.as_slice(), *rows),
                None => (&[][..], None),
            };
            airborne = rows.unwrap_or(airborne);
            let events: Vec<Event> = events.iter().map(|event| Event::clone(event)).collect();
            hear(&events, airborne);
        }
    }

    /// Goes on to the recording's end, in another world from the moment on where there is one,
    /// and records what it does from there. `watch` sees every tick from the whole state on, and
    /// may break it off.
    ///
    /// # Errors
    /// A recording that cannot be read, a world that failed, or a recording that takes no more.
    pub fn run(
        &self,
        changed: Option<World>,
        threads: usize,
        recorder: &Recorder,
        hz: f64,
        mut watch: impl FnMut(&Engine, &Outcome) -> ControlFlow<()>,
    ) -> Result<Engine, Stopped> {
        let mut told = |engine: &Engine, outcome: &Outcome| match watch(engine, outcome) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stopped::Cancelled),
        };
        let scenario = Arc::new(self.recording.origin.world().map_err(NotShown::from)?);
        let state = State::from_bytes(&self.state);
        let snapshot = state
            .map_err(|error| NotShown::File(error.into()))?
            .into_snapshot();
        actix::System::new().block_on(async {
            let (world, restored) = look::look(Arc::clone(&scenario), snapshot.clone())?;
            let view = Arc::new(View::new(world, restored));
            let arbiters = headless::arbiters(threads);
            let (mut engine, _) = Engine::restore(scenario, threads, arbiters, snapshot)?;
            while engine.tick_number() < self.at {
                let admission = self.admission(&engine);
                let outcome = engine.tick(admission).await?;
                told(&engine, &outcome)?;
                let (_, publication) = publication::split(&engine, outcome);
                view.publish(publication);
            }
            if let Some(changed) = changed {
                engine.go_on_in(changed)?;
            }
            let mut filmed = Filmed::new(engine, view, recorder, Cadence::new(hz, self.tick()));
            filmed.begin().await?;
            while filmed.engine.tick_number() < self.end {
                let admission = self.admission(&filmed.engine);
                let commands = self.commands_after(&filmed.engine).to_vec();
                let outcome = filmed.engine.tick(admission).await?;
                told(&filmed.engine, &outcome)?;
                let is_last = filmed.engine.tick_number() == self.end;
                filmed.record(outcome, commands, is_last).await?;
            }
            Ok(filmed.engine)
        })
    }

    fn tick(&self) -> SimDuration {
        SimDuration(self.recording.origin.tick_us)
    }

    fn commands_after(&self, engine: &Engine) -> &[(u64, Command)] {
        let commands = self.commands.get(&(engine.tick_number() + 1));
        commands.map_or(&[], Vec::as_slice)
    }

    /// What the next tick admits.
    fn admission(&self, engine: &Engine) -> Admission {
        let commands = self.commands_after(engine);
        let through = commands.last().map(|(number, _)| *number);
        Admission {
            through: through.unwrap_or_else(|| engine.admitted_through()),
            commands: commands.iter().map(|(_, command)| command.clone()).collect(),
        }
    }
}
