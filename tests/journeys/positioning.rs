//! Idle drones that wait where demand is expected.

use std::collections::BTreeMap;
use std::sync::Arc;

use skyhaul::engine::digest::Digest;
use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::scenario;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::ids::DeliveryId;
use skyhaul::sim::time::{SimTime, Tick};
use skyhaul::sim::world::{Positioning, World};

use crate::support::worlds::shipped;

fn uneven(seed: u64, positioning: Positioning) -> World {
    let mut world = scenario::load(&shipped("uneven")).expect("no mistakes").world;
    world.seed = seed;
    world.dispatch.positioning = positioning;
    world
}

/// How a run went.
struct Ran {
    completed: u32,
    /// From the request to the door, on average, seconds.
    door_s: f64,
    /// Flights from one hub to another for nobody.
    moves: u32,
    digest: Digest,
}

/// Where `stop` says, it goes on from a snapshot of that tick.
fn run(world: World, threads: usize, stop: Option<Tick>) -> Ran {
    let until = world.duration.0 / world.tick.0;
    let mut since: BTreeMap<DeliveryId, SimTime> = BTreeMap::new();
    let (mut completed, mut sum_s, mut moves, mut lost) = (0, 0.0, 0, 0);
    let mut hear = |event: Event| match event.happening {
        Happening::Delivery(id, DeliveryEvent::Accepted { .. }) => {
            since.insert(id, event.at);
        }
        Happening::Delivery(id, DeliveryEvent::Completed { .. }) => {
            completed += 1;
            sum_s += event.at.since(since[&id]).as_secs();
        }
        Happening::Drone(_, DroneEvent::TakenOff { delivery: None, .. }) => moves += 1,
        Happening::Drone(_, DroneEvent::Lost { .. } | DroneEvent::LowBattery) => lost += 1,
        _ => {}
    };
    let digest = actix::System::new().block_on(async {
        let (world, arbiters) = (Arc::new(world), headless::arbiters(threads));
        let begun = Engine::genesis(Arc::clone(&world), threads, arbiters.clone());
        let mut engine = begun.expect("there are threads");
        while engine.tick_number() < until {
            let outcome = engine
                .tick(Admission::default())
                .await
                .expect("the world goes on");
            outcome.events.into_iter().for_each(&mut hear);
            if stop == Some(outcome.tick) {
                let snapshot = engine.snapshot().await.expect("all actors are there");
                let restored = Engine::restore(Arc::clone(&world), threads, arbiters.clone(), snapshot);
                (engine, _) = restored.expect("it can be read");
            }
            if outcome.tick.is_multiple_of(1_000) {
                let audit = engine.audit().await.expect("all actors are there");
                assert_eq!(audit.wrong, [""; 0], "at {}", outcome.tick);
            }
        }
        *engine.digest()
    });
    assert_eq!(lost, 0, "nobody runs low over moving");
    Ran {
        completed,
        door_s: sum_s / f64::from(completed),
        moves,
        digest,
    }
}

#[test]
fn packages_are_at_the_door_sooner_where_drones_wait_for_them() {
    for seed in 1..=3 {
        let (own, moved) = (
            run(uneven(seed, Positioning::None), 1, None),
            run(uneven(seed, Positioning::Demand), 1, None),
        );
        println!(
            "seed {seed}: {} completed, {:.0} s to the door; with {} moves {} completed, {:.0} s",
            own.completed, own.door_s, moved.moves, moved.completed, moved.door_s
        );
        assert_eq!(own.moves, 0);
        assert!((10..200).contains(&moved.moves), "{} moves", moved.moves);
        assert!(moved.completed + 5 >= own.completed && moved.door_s < 0.97 * own.door_s);
    }
}

#[test]
fn moves_are_the_same_on_any_threads_and_after_a_stop() {
    let run = |threads, stop| {
        let mut world = uneven(4, Positioning::Demand);
        world.duration.0 /= 4;
        run(world, threads, stop)
    };
    let one = run(1, None);
    assert!(one.moves > 5, "{} moves", one.moves);
    for other in [run(2, None), run(1, Some(700))] {
        assert_eq!((one.digest, one.completed), (other.digest, other.completed));
    }
}
