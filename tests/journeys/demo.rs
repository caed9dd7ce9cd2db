//! The story that `make demo` plays: it happens as its captions tell, in the scenario and in the
//! recording of it that ships.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use skyhaul::engine::headless;
use skyhaul::recording::{Fork, Recorder, Recording};
use skyhaul::scenario;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::ids::{DeliveryId, DroneId};
use skyhaul::sim::time::SimTime;

use crate::recordings::replay;
use crate::support::worlds::shipped;

/// What ships is no larger.
const MOST_BYTES: u64 = 5_000_000;
const ANEW: &str = "record it anew: make record-demo";

fn recording() -> PathBuf {
    shipped("demo").with_extension("mcap")
}

/// What became of the scripted requests.
#[derive(Debug, Default)]
struct Story {
    requests: BTreeMap<DeliveryId, Told>,
    broken: BTreeSet<DroneId>,
}

#[derive(Debug, Default)]
struct Told {
    tag: String,
    drones: Vec<DroneId>,
    is_completed: bool,
}

impl Story {
    fn hear(&mut self, event: &Event) {
        match &event.happening {
            Happening::Delivery(id, DeliveryEvent::Accepted { order }) => {
                if let Some(tag) = order.package.tag.clone() {
                    let told = Told {
                        tag,
                        ..Told::default()
                    };
                    self.requests.insert(*id, told);
                }
            }
            Happening::Delivery(id, kind) => {
                if let Some(told) = self.requests.get_mut(id) {
                    match kind {
                        DeliveryEvent::Assigned { drone, .. } => told.drones.push(*drone),
                        DeliveryEvent::Completed { .. } => told.is_completed = true,
                        _ => {}
                    }
                }
            }
            Happening::Drone(drone, DroneEvent::Fault(_)) => {
                self.broken.insert(*drone);
            }
            _ => {}
        }
    }

    fn assert_it_is_told_to_the_end(&self) {
        assert_eq!(self.requests.len(), 4, "{self:?}");
        assert!(self.requests.values().all(|told| told.is_completed), "{self:?}");
        let breaks = |told: &&Told| told.drones.iter().any(|drone| self.broken.contains(drone));
        let hit: Vec<&Told> = self.requests.values().filter(breaks).collect();
        let [rotor] = hit.as_slice() else {
            panic!("the rotor breaks in one of the stories: {hit:?}, {self:?}");
        };
        assert!(rotor.tag.contains("rotor"), "{rotor:?}");
        assert!(rotor.drones.len() > 1, "another drone takes over: {rotor:?}");
    }
}

#[test]
fn the_demo_tells_its_story_to_the_end() {
    let world = scenario::load(&shipped("demo")).expect("a shipped world").world;
    let until = world.duration.0 / world.tick.0;
    let mut story = Story::default();
    headless::run(Arc::new(world), 1, until, |_, outcome| {
        outcome.events.iter().for_each(|event| story.hear(event));
        true
    })
    .expect("the world goes on to its end");
    story.assert_it_is_told_to_the_end();
}

#[test]
fn the_recording_that_ships_is_of_the_demo_and_tells_the_same_story() {
    let recording = Recording::open(&recording()).expect(ANEW);
    assert_eq!(recording.cut_off(), None, "{ANEW}");
    assert!(std::fs::metadata(&recording.path).unwrap().len() <= MOST_BYTES);
    let world = scenario::load(&shipped("demo")).expect("a shipped world").world;
    let recorded = recording.origin.world().expect(ANEW);
    assert_eq!(recorded.scenario_hash, world.scenario_hash, "{ANEW}");
    assert_eq!(recording.end().0, world.duration.0, "{ANEW}");
    let mut story = Story::default();
    let told = recording.tell(|told| told.events.iter().for_each(|event| story.hear(event)));
    told.expect(ANEW);
    story.assert_it_is_told_to_the_end();
}

#[test]
fn the_recording_that_ships_goes_on_with_this_build() {
    let recording = Recording::open(&recording()).expect(ANEW);
    let at = SimTime(recording.end().0 - 45_000_000);
    let fork = Fork::at(&recording, at).expect(ANEW);
    assert!(
        (fork.from()..=fork.from() + 100).contains(&(at.0 / 100_000)),
        "there is a state every ten seconds"
    );
    // All of it, since rules may be of some moments only.
    let fork = Fork::at(&recording, recording.begin()).expect(ANEW);
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(&folder.path().join("branch.mcap"), recording.origin.clone()).unwrap();
    let mut digests = BTreeMap::new();
    let told = recording.tell(|told| {
        digests.insert(told.tick, told.digest);
    });
    told.expect(ANEW);
    assert!(digests.contains_key(&fork.end()));
    let mut parts_at = None;
    let engine = fork.run(None, 1, &recorder, 1.0, |engine, _| {
        let recorded = digests.get(&engine.tick_number());
        if recorded.is_some_and(|recorded| recorded != engine.digest()) {
            parts_at = parts_at.or(Some(engine.tick_number()));
        }
        ControlFlow::Continue(())
    });
    assert_eq!(engine.expect(ANEW).tick_number(), fork.end());
    assert_eq!(parts_at, None, "the rules are not those of the recording: {ANEW}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recording_that_ships_plays() {
    let (server, client) = replay(&recording()).await;
    let shown = client.control(json!({"simTime": "2026-06-01T19:12:00Z"})).await;
    assert_eq!(shown["simTime"], "2026-06-01T19:12:00.000Z");
    let (_, drones) = client.get("/api/drones?status=cruising&limit=1000").await;
    assert!(drones["items"].as_array().unwrap().len() > 5, "{drones}");
    server.stop().await;
}
