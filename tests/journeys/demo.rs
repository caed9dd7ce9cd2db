//! The story that `make demo` plays: it happens as its captions tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skyhaul::engine::headless;
use skyhaul::scenario;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Happening};
use skyhaul::sim::ids::{DeliveryId, DroneId};

use crate::support::worlds::shipped;

#[derive(Debug, Default)]
struct Told {
    tag: String,
    drones: Vec<DroneId>,
    is_completed: bool,
}

#[test]
fn the_demo_tells_its_story_to_the_end() {
    let world = scenario::load(&shipped("demo")).expect("a shipped world").world;
    let until = world.duration.0 / world.tick.0;
    let mut stories: BTreeMap<DeliveryId, Told> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    headless::run(Arc::new(world), 1, until, |_, outcome| {
        for event in &outcome.events {
            match &event.happening {
                Happening::Delivery(id, DeliveryEvent::Accepted { order }) => {
                    if let Some(tag) = order.package.tag.clone() {
                        stories.insert(
                            *id,
                            Told {
                                tag,
                                ..Told::default()
                            },
                        );
                    }
                }
                Happening::Delivery(id, kind) => {
                    if let Some(story) = stories.get_mut(id) {
                        match kind {
                            DeliveryEvent::Assigned { drone, .. } => story.drones.push(*drone),
                            DeliveryEvent::Completed { .. } => story.is_completed = true,
                            _ => {}
                        }
                    }
                }
                Happening::Drone(drone, DroneEvent::Fault(_)) => {
                    broken.insert(*drone);
                }
                _ => {}
            }
        }
        true
    })
    .expect("the world goes on to its end");
    assert_eq!(stories.len(), 4, "{stories:?}");
    assert!(stories.values().all(|story| story.is_completed), "{stories:?}");
    let breaks = |story: &&Told| story.drones.iter().any(|drone| broken.contains(drone));
    let hit: Vec<&Told> = stories.values().filter(breaks).collect();
    let [rotor] = hit.as_slice() else {
        panic!("the rotor breaks in one of the stories: {hit:?}, {broken:?}");
    };
    assert!(rotor.tag.contains("rotor"), "{rotor:?}");
    assert!(rotor.drones.len() > 1, "another drone takes over: {rotor:?}");
}
