//! Actors that panic go on, and nobody else notices.

use std::sync::Arc;

use actix::Arbiter;
use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::sim::actor::{Actor, SINGLE_ACTORS};
use skyhaul::sim::event::{Event, Happening, SupervisorEvent};
use skyhaul::sim::fault::{Fault, Victim};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::time::SimTime;
use skyhaul::sim::world::{ScheduledFault, World};

use crate::support::worlds::busy;

const TICKS: u64 = 6_000;

/// The busy world, in which one of each kind of actor panics every few seconds.
fn stumbling() -> World {
    let mut world = busy();
    let singles = SINGLE_ACTORS.map(Victim::Actor).into_iter();
    let victims: Vec<Victim> = singles
        .chain([
            Victim::AnyDrone,
            Victim::AnyDelivery,
            Victim::Actor(Actor::Drone(DroneId(0))),
        ])
        .collect();
    let faults = (1..120).map(|number| ScheduledFault {
        at: SimTime::from_secs(f64::from(number) * 4.7),
        fault: Fault::Panic(victims[number as usize % victims.len()]),
    });
    world.faults = faults.collect();
    world
}

fn events(world: World, threads: usize) -> (Vec<Event>, [u8; 32]) {
    let mut events = Vec::new();
    let engine = headless::run(world.into(), threads, TICKS, |_, outcome| {
        events.extend(outcome.events);
        true
    });
    (events, *engine.expect("the world goes on").digest())
}

fn of_others(events: &[Event]) -> Vec<&Event> {
    let is_others = |event: &&Event| !matches!(event.happening, Happening::Supervisor(_));
    events.iter().filter(is_others).collect()
}

#[test]
fn nobody_else_notices_when_actors_of_every_kind_panic() {
    let (usual, _) = events(busy(), 1);
    let (stumbled, digest) = events(stumbling(), 1);
    assert!(of_others(&usual).len() > 200, "{}", usual.len());
    assert_eq!(of_others(&stumbled), of_others(&usual));
    let mut kinds: Vec<&str> = stumbled
        .iter()
        .filter_map(|event| match event.happening {
            Happening::Supervisor(SupervisorEvent::ActorPanicked { actor }) => Some(actor.kind()),
            _ => None,
        })
        .collect();
    assert!(kinds.len() > 100, "{} panics", kinds.len());
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), SINGLE_ACTORS.len() + 2, "{kinds:?}");
    assert_eq!(events(stumbling(), 2), (stumbled, digest), "whatever the threads");
}

#[test]
fn a_world_with_panics_goes_on_from_its_snapshot_as_if_never_stopped() {
    let (_, whole) = events(stumbling(), 1);
    let resumed = actix::System::new().block_on(async {
        let world = Arc::new(stumbling());
        let arbiters = || vec![Arbiter::current()];
        let mut engine = Engine::genesis(Arc::clone(&world), 1, arbiters()).unwrap();
        while engine.tick_number() < TICKS / 2 {
            engine.tick(Admission::default()).await.unwrap();
        }
        let snapshot = engine.snapshot().await.unwrap();
        let (mut engine, _) = Engine::restore(world, 1, arbiters(), snapshot).unwrap();
        while engine.tick_number() < TICKS {
            engine.tick(Admission::default()).await.unwrap();
        }
        *engine.digest()
    });
    assert_eq!(resumed, whole);
}
