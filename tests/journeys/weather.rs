//! Weather that drones may not fly in: who is on the ground waits, who is in the air gets down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;
use skyhaul::engine::digest::hex;
use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::sim::event::{DroneEvent, Event, Happening, HubEvent};
use skyhaul::sim::ids::{DroneId, HubId};
use skyhaul::sim::weather::Breach;
use skyhaul::sim::world::World;

use crate::support::client::parcel;
use crate::support::server::{Running, quiet};
use crate::support::worlds::busy_where;

/// It rains from the first forecast on, and stops after twenty minutes.
const SHOWER: &str = r#"[weather]
rain = 30.0
wind = { speed = 4.0, from = 250 }

[[weather.change]]
at = "19m"
rain = 30.0

[[weather.change]]
at = "20m"
rain = 0.0
"#;

const WIND: &str = r#"[weather]
wind = { speed = 4.0, from = 250 }
"#;

#[tokio::test]
async fn a_ground_stop_is_shown_and_requests_wait_for_the_weather() {
    let world = busy_where(WIND, &SHOWER.replace("19m", "9m").replace("20m", "10m"));
    let server = Running::start(world, quiet()).await;
    let operator = server.client();
    let (status, hubs) = operator.get("/api/hubs").await;
    assert_eq!(status, StatusCode::OK);
    let stops = |hub: usize| hubs["items"][hub]["groundStops"].clone();
    assert_eq!(stops(0), json!([{"model": "zipline-p2", "reason": "rain"}]));
    assert_eq!(stops(1), json!([{"model": "m100", "reason": "rain"}]));
    let order = parcel("Dolores Park", "General Hospital", 0.8);
    let accepted = operator.order(&order).await;
    operator.run_to(10).await;
    let (_, request) = operator.get(&format!("/api/deliveryrequests/{accepted}")).await;
    assert_eq!(
        (&request["state"], &request["waitingFor"]),
        (&json!("AwaitingDrone"), &json!("weather")),
        "{request}"
    );
    server.stop().await;
}

/// What a stormy half-hour brought.
#[derive(Default)]
struct Storm {
    alarms: BTreeMap<Breach, u32>,
    holdings: u32,
    diverted: BTreeSet<DroneId>,
    stopped: Vec<HubEvent>,
    landed_elsewhere: BTreeSet<DroneId>,
    came_home: BTreeSet<DroneId>,
    taken_off: u32,
}

impl Storm {
    fn hear(&mut self, world: &World, event: &Event) {
        let home = |drone: &DroneId| world.fleet_of(*drone).unwrap().hub;
        match &event.happening {
            Happening::Drone(drone, event) => match event {
                DroneEvent::WeatherAlarm(breach) => *self.alarms.entry(*breach).or_default() += 1,
                DroneEvent::Holding => self.holdings += 1,
                DroneEvent::Diverted => {
                    self.diverted.insert(*drone);
                }
                DroneEvent::Landed { hub, .. } if *hub != home(drone) => {
                    self.landed_elsewhere.insert(*drone);
                }
                DroneEvent::Landed { .. } if self.landed_elsewhere.contains(drone) => {
                    self.came_home.insert(*drone);
                }
                DroneEvent::TakenOff { .. } => self.taken_off += 1,
                _ => {}
            },
            Happening::Hub(
                HubId(0),
                event @ (HubEvent::GroundStopped { .. } | HubEvent::GroundStopLifted { .. }),
            ) => {
                self.stopped.push(event.clone());
            }
            _ => {}
        }
    }
}

/// Too strong for zipliners' limits and still flown, and more than the others can fly in at all.
fn stormy() -> World {
    busy_where(
        WIND,
        r#"[weather]
wind = { speed = 4.0, from = 250, gust = 1.0, forecast_error = 0.05 }
grid = [2, 1]

[[fault]]
at = "9m"
kind = "wind_shift"
speed = 15.0
duration = "8m"

[[fault]]
at = "9m"
kind = "wind_shift"
target = "City Hall"
from = 200
duration = "2m"
"#,
    )
}

fn lived(threads: usize, stops: &[u64]) -> (String, Storm) {
    const UNTIL: u64 = 30_000;
    let world = Arc::new(stormy());
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(Arc::clone(&world), threads, headless::arbiters(threads)).unwrap();
        let (mut storm, mut saved) = (Storm::default(), BTreeMap::new());
        while engine.tick_number() < UNTIL {
            let outcome = engine.tick(Admission::default()).await.unwrap();
            for event in &outcome.events {
                storm.hear(&world, event);
            }
            if stops.contains(&outcome.tick) {
                // Each has the actors that were touched since the one before.
                let mut snapshot = engine.snapshot().await.unwrap();
                saved.extend(std::mem::take(&mut snapshot.actors));
                snapshot.actors = saved.clone().into_iter().collect();
                let arbiters = headless::arbiters(threads);
                engine = Engine::restore(Arc::clone(&world), threads, arbiters, snapshot)
                    .unwrap()
                    .0;
            }
            if outcome.tick.is_multiple_of(500) {
                let audit = engine.audit().await.unwrap();
                assert!(audit.wrong.is_empty(), "tick {}: {:?}", outcome.tick, audit.wrong);
            }
        }
        (hex(engine.digest()), storm)
    })
}

#[test]
fn a_storm_brings_drones_down_where_they_can_and_home_when_it_is_over_on_any_threads_and_over_stops() {
    let (digest, storm) = lived(1, &[]);
    assert!(storm.alarms.contains_key(&Breach::Wind), "{:?}", storm.alarms);
    assert!(storm.holdings > 0 && !storm.diverted.is_empty());
    assert!(!storm.landed_elsewhere.is_empty(), "{:?}", storm.diverted);
    assert_eq!(storm.came_home, storm.landed_elsewhere);
    assert!(
        matches!(
            storm.stopped[..],
            [
                HubEvent::GroundStopped { .. },
                ..,
                HubEvent::GroundStopLifted { .. }
            ]
        ),
        "{:?}",
        storm.stopped
    );
    assert!(storm.taken_off > 20, "{}", storm.taken_off);
    assert_eq!(lived(2, &[]).0, digest, "on two threads");
    assert_eq!(lived(1, &[5_500, 6_100, 9_000]).0, digest, "over stops");
}
