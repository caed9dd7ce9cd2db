//! A topic's numbered events, told without holes, a portion at a time.

use crate::sim::event::Event;
use crate::sim::world::World;
use crate::view::events::{EventsAfter, Numbered, Subject};
use crate::wire::event::EventBody;
use crate::wire::stream::ServerMessage;
use crate::wire::time::rfc3339;
use crate::ws::Shared;

use super::Speech;

/// Events of one topic in one batch at most, where there is room for so many; the rest
/// follows when the batch is written.
const PORTION: usize = 1_000;

/// How far a subject's events were told.
pub(super) struct Cursor {
    subject: Subject,
    /// The last event that was told, or that the last snapshot covers; `None` where a
    /// snapshot comes first.
    told: Option<u64>,
}

impl Cursor {
    /// `since` is the last event that the client saw; it counts only where the client
    /// misses none after it.
    pub(super) fn open(shared: &Shared, subject: Subject, since: Option<u64>) -> Self {
        let is_kept = |seq: &u64| shared.view.events_after(subject, *seq, 0) != EventsAfter::Gone;
        Cursor {
            subject,
            told: since.filter(is_kept),
        }
    }

    pub(super) fn wants_snapshot(&self) -> bool {
        self.told.is_none()
    }

    /// A snapshot was told that covers everything up to this event.
    pub(super) fn covered(&mut self, seq: u64) {
        self.told = Some(seq);
    }

    /// A snapshot comes first again.
    pub(super) fn start_over(&mut self) {
        self.told = None;
    }

    /// The last event that was told or covered.
    pub(super) fn told(&self) -> Option<u64> {
        self.told
    }

    /// Says the events that follow, as far as there is room, and answers with them.
    pub(super) fn say_events(&mut self, id: u64, speech: &mut Speech<'_>) -> Vec<Numbered> {
        self.say_at_most(PORTION, id, speech)
    }

    /// The same up to this event.
    pub(super) fn say_events_up_to(&mut self, seq: u64, id: u64, speech: &mut Speech<'_>) -> Vec<Numbered> {
        let left = seq.saturating_sub(self.told.unwrap_or(seq));
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        self.say_at_most(left.min(PORTION), id, speech)
    }

    fn say_at_most(&mut self, most: usize, id: u64, speech: &mut Speech<'_>) -> Vec<Numbered> {
        let Some(told) = self.told else { return Vec::new() };
        match speech.shared.view.events_after(self.subject, told, most) {
            EventsAfter::Next(mut events) => {
                speech.has_more |= events.len() == PORTION;
                for (index, numbered) in events.iter().enumerate() {
                    if !speech.has_room() {
                        events.truncate(index);
                        break;
                    }
                    say(id, numbered, speech);
                    self.told = Some(numbered.seq);
                }
                events
            }
            EventsAfter::Gone => {
                self.told = None;
                Vec::new()
            }
        }
    }
}

fn say(id: u64, Numbered { seq, event }: &Numbered, speech: &mut Speech<'_>) {
    let world = &speech.shared.view.world();
    let body = EventBody::new(world, &event.happening);
    let sim_time = rfc3339(world, event.at);
    speech.say(&ServerMessage::Event {
        id,
        seq: *seq,
        tick: tick_of(world, event),
        sim_time: &sim_time,
        event: &body,
    });
}

/// The tick that committed it: the first that is not before it.
fn tick_of(world: &World, event: &Event) -> u64 {
    event.at.0.div_ceil(world.tick.0.max(1))
}
