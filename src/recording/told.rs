//! What a recording tells from its beginning to its end, tick by tick, without showing it.

use std::sync::Arc;

use prost::Message;

use crate::sim::event::Event;
use crate::sim::time::{SimTime, Tick};

use super::changes::Changes;
use super::file::{FileError, Recording};
use super::layout::{self, Topic};

/// A tick in which something happened, or whose positions were recorded.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub tick: Tick,
    pub at: SimTime,
    pub digest: [u8; 32],
    pub events: Vec<Arc<Event>>,
    /// How many were airborne, where positions were recorded.
    pub airborne: Option<usize>,
}

impl Recording {
    /// In the order of ticks.
    ///
    /// # Errors
    /// A file that is damaged.
    pub fn tell(&self, mut hear: impl FnMut(Told)) -> Result<(), FileError> {
        let mut open: Option<Told> = None;
        let wanted = [Topic::Journal, Topic::Positions];
        for chunk in self.chunks() {
            if !wanted.iter().any(|topic| chunk.topics.contains(topic)) {
                continue;
            }
            for message in self.messages(chunk)? {
                match message.topic {
                    Topic::Journal => {
                        let at = self.origin.at(message.time_ns);
                        open.replace(journal(at, &message.data)?)
                            .into_iter()
                            .for_each(&mut hear);
                    }
                    // Behind what else its tick brought.
                    Topic::Positions => {
                        let positions = layout::Positions::decode(message.data.as_slice())?;
                        if let Some(told) = open.as_mut().filter(|told| told.tick == positions.tick) {
                            told.airborne = Some(positions.drone.len());
                        }
                    }
                    _ => {}
                }
            }
        }
        open.into_iter().for_each(hear);
        Ok(())
    }
}

fn journal(at: SimTime, data: &[u8]) -> Result<Told, FileError> {
    let journal = layout::Journal::decode(data)?;
    let changes: Changes = postcard::from_bytes(&journal.changes)?;
    let digest = journal.digest.try_into();
    Ok(Told {
        tick: journal.tick,
        at,
        digest: digest.map_err(|_| FileError::Damaged("a digest is none".to_owned()))?,
        events: changes.events,
        airborne: None,
    })
}
