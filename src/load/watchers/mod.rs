//! The audience: people who look on while others order. Each has a WebSocket of its own,
//! follows something, loses the connection now and then and goes on where it was.
//!
//! [`watcher`] is one of them; [`seen`] is what all of them saw. Whoever cannot connect tries
//! again; what they hear is numbered, so that what is missed or told twice is noticed.

mod following;
mod seen;
mod watcher;

use std::rc::Rc;

use super::stand::Stand;
use super::target::Dial;
use crate::scenario::{Audience, Shares};
use crate::sim::random::{Purpose, Stream};
use crate::sim::world::World;

use following::Subject;
pub(super) use seen::Seen;
pub use seen::WatcherSummary;

/// Lets all of them in, spread over the ramp, and returns what they see. They watch until
/// their tasks are aborted with `tasks`.
pub(super) fn admit<D: Dial>(
    stand: &Rc<Stand<D>>,
    world: &World,
    audience: &Audience,
    tasks: &mut Vec<tokio::task::AbortHandle>,
) -> Rc<Seen> {
    let seen = Rc::new(Seen::default());
    for number in 0..audience.sessions {
        let mut chance = Stream::new(world.seed, 2 + number as u64, Purpose::Load);
        let subject = subject_of(number, audience, world, &mut chance);
        let watcher = watcher::Watcher {
            stand: Rc::clone(stand),
            seen: Rc::clone(&seen),
            subject,
            comes_after: audience.ramp.mul_f64(number as f64 / audience.sessions as f64),
            hz: audience.hz,
            moves_every: audience.moves_every,
            drops_every: audience.drops_every,
            chance,
        };
        tasks.push(tokio::task::spawn_local(watcher.watch()).abort_handle());
    }
    seen
}

/// Watchers of each kind are spread evenly over the line in which they come.
fn subject_of(number: usize, audience: &Audience, world: &World, chance: &mut Stream) -> Subject {
    let Shares {
        delivery,
        drone,
        hub,
        area: _,
        fleet,
        events,
    } = audience.follow;
    // The golden ratio's multiples are spread evenly, however many there are.
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let place = (number as f64 * GOLDEN).fract();
    let mut upper = 0.0;
    let mut falls_in = |share: f64| {
        upper += share;
        place < upper
    };
    if falls_in(delivery) {
        return Subject::Delivery;
    }
    if falls_in(drone) && world.drone_count() > 0 {
        return Subject::Topic(format!("drone/d-{}", chance.below(world.drone_count())));
    }
    let hubs = world.hubs_of_scenario();
    if falls_in(hub) && !hubs.is_empty() {
        let hub = &hubs[chance.below(hubs.len() as u32) as usize];
        return Subject::Topic(format!("hub/{}", hub.key));
    }
    if falls_in(fleet) {
        return Subject::Topic("fleet".to_owned());
    }
    if falls_in(events) {
        return Subject::Topic("events".to_owned());
    }
    Subject::Area(world.area.bounds)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    #[test]
    fn watchers_follow_what_their_shares_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tiny.toml");
        let world = crate::scenario::load(&path).expect("it has no mistakes").world;
        let audience = Audience {
            sessions: 1_000,
            ramp: Duration::ZERO,
            hz: 5.0,
            follow: Shares {
                delivery: 0.5,
                hub: 0.2,
                ..Shares::default()
            },
            moves_every: Duration::ZERO,
            drops_every: Duration::ZERO,
        };
        let (mut deliveries, mut hubs, mut areas) = (0, 0, 0);
        for number in 0..audience.sessions {
            let mut chance = Stream::new(1, number as u64, Purpose::Load);
            match subject_of(number, &audience, &world, &mut chance) {
                Subject::Delivery => deliveries += 1,
                Subject::Topic(topic) => hubs += i32::from(topic.starts_with("hub/")),
                Subject::Area(_) => areas += 1,
            }
        }
        assert!((495..=505).contains(&deliveries), "{deliveries}");
        assert!((195..=205).contains(&hubs), "{hubs}");
        assert!((295..=305).contains(&areas), "{areas}");
    }
}
