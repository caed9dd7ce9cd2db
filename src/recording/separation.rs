//! What had come of encounters by some moment of a recording. Events tell of losses alone; whole
//! states have it all, and from the last one before the moment the ticks are executed again.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;

use crate::engine::{Admission, Engine, headless};
use crate::sim::command::Command;
use crate::sim::separation::Counts;
use crate::sim::time::{SimTime, Tick};

use super::file::{FileError, Recording};
use super::keyframe::{State, state_in};
use super::layout::{self, Topic};
use super::projector::NotShown;

/// What the ticks from a whole state to the moment need, and what they must come to.
#[derive(Default)]
struct Stretch {
    commands: BTreeMap<Tick, Vec<(u64, Command)>>,
    digests: BTreeMap<Tick, [u8; 32]>,
}

impl Recording {
    /// Since the world's beginning. `None` where it cannot be known: executed again the ticks come
    /// to something else, since some are missing, or another version recorded them.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn separation_at(&self, at: SimTime) -> Result<Option<Counts>, NotShown> {
        let until = at.0 / self.origin.tick_us.max(1);
        let Some((chunk, from)) = self.state_before(until)? else {
            return Ok(None);
        };
        let stretch = self.stretch(chunk, from, until)?;
        let snapshot = State::from_bytes(&state_in(self, chunk)?)
            .map_err(FileError::from)?
            .into_snapshot();
        let scenario = Arc::new(self.origin.world()?);
        actix::System::new().block_on(async {
            let (mut engine, _) = Engine::restore(scenario, 1, headless::arbiters(1), snapshot)?;
            while engine.tick_number() < until {
                engine.tick(stretch.admission(&engine)).await?;
                let recorded = stretch.digests.get(&engine.tick_number());
                if recorded.is_some_and(|digest| digest != engine.digest()) {
                    return Ok(None);
                }
            }
            Ok(Some(*engine.separation().counts()))
        })
    }

    /// In which chunk the last whole state is, and of which tick.
    fn state_before(&self, until: Tick) -> Result<Option<(usize, Tick)>, FileError> {
        for (number, chunk) in self.chunks().iter().enumerate().rev() {
            if !chunk.topics.contains(&Topic::Keyframes) {
                continue;
            }
            let messages = self.messages(chunk)?;
            let Some(message) = messages.iter().rfind(|message| message.topic == Topic::Keyframes) else {
                continue;
            };
            let tick = layout::Keyframe::decode(message.data.as_slice())?.tick;
            if tick <= until {
                return Ok(Some((number, tick)));
            }
        }
        Ok(None)
    }

    fn stretch(&self, chunk: usize, from: Tick, until: Tick) -> Result<Stretch, FileError> {
        let mut stretch = Stretch::default();
        let wanted = from + 1..=until;
        for chunk in &self.chunks()[chunk..] {
            if self.origin.at(chunk.from_ns).0 / self.origin.tick_us.max(1) > until {
                break;
            }
            for message in self.messages(chunk)? {
                stretch.hear(message.topic, &message.data, &wanted)?;
            }
        }
        Ok(stretch)
    }
}

impl Stretch {
    fn hear(
        &mut self,
        topic: Topic,
        data: &[u8],
        wanted: &std::ops::RangeInclusive<Tick>,
    ) -> Result<(), FileError> {
        match topic {
            Topic::Commands => {
                let command = layout::Command::decode(data)?;
                if wanted.contains(&command.tick) {
                    let write = postcard::from_bytes(&command.command)?;
                    let of_tick = self.commands.entry(command.tick).or_default();
                    of_tick.push((command.number, write));
                }
            }
            Topic::Journal => {
                let journal = layout::Journal::decode(data)?;
                if let (true, Ok(digest)) = (wanted.contains(&journal.tick), journal.digest.try_into()) {
                    self.digests.insert(journal.tick, digest);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the next tick admits.
    fn admission(&self, engine: &Engine) -> Admission {
        let next = engine.tick_number() + 1;
        let commands = self.commands.get(&next).map_or(&[][..], Vec::as_slice);
        let through = commands.last().map(|(number, _)| *number);
        Admission {
            through: through.unwrap_or_else(|| engine.admitted_through()),
            commands: commands.iter().map(|(_, command)| command.clone()).collect(),
        }
    }
}
