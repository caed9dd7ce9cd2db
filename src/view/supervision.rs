//! What the supervisor watches over, as its events tell it.

use std::collections::BTreeMap;

use crate::sim::breaker::BreakerState;
use crate::sim::event::SupervisorEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::sim::workflow::Step;

use super::View;
use super::reading::Page;

#[derive(Clone, Debug)]
pub struct Supervision {
    pub letters: BTreeMap<DeliveryId, LetterReading>,
    pub breaker: BreakerState,
    /// How often each kind of actor panicked.
    pub panics: BTreeMap<String, u64>,
}

impl Default for Supervision {
    fn default() -> Self {
        Supervision {
            letters: BTreeMap::new(),
            breaker: BreakerState::Closed,
            panics: BTreeMap::new(),
        }
    }
}

/// A request that came to nothing and that somebody still holds something for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterReading {
    pub id: DeliveryId,
    /// Whose undo failed.
    pub step: Step,
    pub since: SimTime,
    /// How often it was given up.
    pub times: u32,
}

impl Supervision {
    pub(super) fn apply(&mut self, event: &SupervisorEvent) {
        match *event {
            SupervisorEvent::DeadLettered {
                id,
                step,
                since,
                times,
            } => {
                let letter = LetterReading {
                    id,
                    step,
                    since,
                    times,
                };
                self.letters.insert(id, letter);
            }
            SupervisorEvent::Resolved { id } => drop(self.letters.remove(&id)),
            SupervisorEvent::BreakerMoved { state } => self.breaker = state,
            SupervisorEvent::ActorPanicked { actor } => {
                *self.panics.entry(actor.kind().to_owned()).or_default() += 1;
            }
        }
    }
}

impl View {
    pub fn dead_letter(&self, id: DeliveryId) -> Option<LetterReading> {
        self.now.read().supervision.letters.get(&id).copied()
    }

    /// In order of their ids, from the first after `after` on.
    pub fn dead_letters(&self, after: Option<DeliveryId>, limit: usize) -> Page<LetterReading, DeliveryId> {
        let now = self.now.read();
        let letters = &now.supervision.letters;
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let mut rest = letters
            .range((from, std::ops::Bound::Unbounded))
            .map(|(_, letter)| *letter);
        let items: Vec<_> = rest.by_ref().take(limit).collect();
        let next = rest.next().and(items.last()).map(|letter| letter.id);
        Page { items, next }
    }

    pub fn dead_letter_count(&self) -> usize {
        self.now.read().supervision.letters.len()
    }

    /// How often each kind of actor panicked.
    pub fn panics(&self) -> BTreeMap<String, u64> {
        self.now.read().supervision.panics.clone()
    }

    /// The circuit breaker around the carrier.
    pub fn breaker(&self) -> BreakerState {
        self.now.read().supervision.breaker
    }
}
