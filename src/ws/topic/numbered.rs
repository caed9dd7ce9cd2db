//! A topic's numbered events, told without holes.

use crate::sim::event::Event;
use crate::sim::world::World;
use crate::wire::event::EventBody;
use crate::wire::stream::ServerMessage;
use crate::wire::time::rfc3339;

use super::Speech;

/// How far a topic was told.
pub(super) enum Told {
    /// A snapshot comes first.
    Nothing,
    /// Everything up to the event of this number.
    UpTo(u32),
}

pub(super) fn say(id: u64, event: &Event, speech: &mut Speech<'_>) {
    let world = speech.shared.view.world();
    let body = EventBody::new(world, &event.happening);
    let sim_time = rfc3339(world, event.at);
    speech.say(&ServerMessage::Event {
        id,
        seq: event.seq,
        tick: tick_of(world, event),
        sim_time: &sim_time,
        event: &body,
    });
}

/// The tick that committed it: the first that is not before it.
fn tick_of(world: &World, event: &Event) -> u64 {
    event.at.0.div_ceil(world.tick.0.max(1))
}
