//! Drones that wait on the ground, for a pad, for their hub to open, for the weather: they are on
//! the ground for everybody who looks, and leave when they may.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::engine::{Engine, Outcome, headless};
use skyhaul::scenario;
use skyhaul::sim::drone::DroneStatus;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Etas, Event, Happening, HubEvent, HubQueues};
use skyhaul::sim::geo::Point;
use skyhaul::sim::ids::{DeliveryId, DroneId, HubId};
use skyhaul::sim::time::{SimTime, Tick};
use skyhaul::sim::world::World;

use crate::support::client::{Client, parcel};
use crate::support::server::{Running, quiet};
use crate::support::worlds::{busy, busy_where};

/// One hub with one pad, and more drones than that.
const HUB: &str = r#"
name = "one-pad"
seed = 3
start = "2026-06-01T18:00:00Z"
duration = "1h"

[area]
bbox = [-122.45, 37.74, -122.38, 37.80]

[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 1
chargers = 12

[[fleet]]
hub = "mission"
model = "wing"
count = 12

[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]

[[place]]
name = "General Hospital"
location = [37.7557, -122.4045]
"#;

fn one_pad(more: &str) -> World {
    let text = format!("{HUB}{more}");
    let parsed = scenario::parse(&text, "one-pad.toml", Path::new(""));
    parsed.expect("the scenario is sound").world
}

/// So many requests at one moment.
fn at_once(count: u32, at: &str) -> String {
    (0..count).fold(String::new(), |mut text, _| {
        let request = "pickup = \"Dolores Park\"\ndropoff = \"General Hospital\"\npayload = 0.5";
        writeln!(text, "\n[[request]]\nat = \"{at}\"\n{request}").unwrap();
        text
    })
}

/// Who waits, as the events tell it.
#[derive(Default)]
struct Watch {
    taken_off: Vec<(Tick, DroneId)>,
    /// Drones that have a delivery and have not left.
    waiting: BTreeSet<DroneId>,
    flies_for: BTreeMap<DeliveryId, DroneId>,
    queues: BTreeMap<HubId, HubQueues>,
    told: Vec<(Tick, HubEvent)>,
    completed: u32,
    /// By delivery: when it was told other times, and which.
    etas: BTreeMap<DeliveryId, Vec<(Tick, Etas)>>,
}

impl Watch {
    fn hear(&mut self, tick: Tick, event: &Event) {
        match &event.happening {
            Happening::Delivery(id, DeliveryEvent::Assigned { drone, .. }) => {
                self.flies_for.insert(*id, *drone);
                self.waiting.insert(*drone);
            }
            Happening::Delivery(id, DeliveryEvent::Cancelled | DeliveryEvent::Delayed { .. }) => {
                if let Some(drone) = self.flies_for.remove(id) {
                    self.waiting.remove(&drone);
                }
            }
            Happening::Delivery(_, DeliveryEvent::Completed { .. }) => self.completed += 1,
            Happening::Delivery(id, DeliveryEvent::EtaChanged { etas }) => {
                assert!(etas.delivery >= event.at, "{id} is promised for the past");
                let told = self.etas.entry(*id).or_default();
                assert!(
                    told.last().is_none_or(|(before, _)| *before < tick),
                    "{id} hears twice at tick {tick}"
                );
                told.push((tick, *etas));
            }
            Happening::Drone(drone, DroneEvent::TakenOff { .. }) => {
                self.taken_off.push((tick, *drone));
                self.waiting.remove(drone);
            }
            Happening::Hub(hub, HubEvent::QueuesChanged(queues)) => {
                self.queues.insert(*hub, *queues);
            }
            Happening::Hub(_, event) => self.told.push((tick, event.clone())),
            _ => {}
        }
    }

    fn sum(&self, of: impl Fn(&HubQueues) -> u32) -> usize {
        self.queues.values().map(|queues| of(queues) as usize).sum()
    }
}

/// Lets the world live, and holds at every tick that who waits is on the ground and counted.
fn watched(world: World, until: Tick, look: impl Fn(&Engine, &Outcome, &Watch)) -> Watch {
    let mut watch = Watch::default();
    let run = headless::run(world.into(), 1, until, |engine, outcome| {
        let tick = outcome.tick;
        for event in &outcome.events {
            watch.hear(tick, event);
        }
        for drone in &watch.waiting {
            assert!(engine.sky().grounded(*drone).is_some(), "{drone} at tick {tick}");
        }
        look(engine, &outcome, &watch);
        true
    });
    run.expect("the world goes on");
    watch
}

async fn counts(server: &Running) -> Value {
    let mut stream = server.stream().await;
    stream.follow(1, "fleet").await;
    stream.next_of("snapshot").await["fleet"].clone()
}

async fn drones_where(operator: &Client, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let (_, listed) = operator.get("/api/drones?limit=100").await;
    let drones = listed["items"].as_array().unwrap().clone();
    drones.into_iter().filter(wanted).collect()
}

fn waits(drone: &Value) -> bool {
    drone["status"] == "parked" && !drone["deliveryId"].is_null()
}

#[tokio::test]
async fn of_ten_orders_at_one_pad_one_drone_is_in_the_air_and_the_others_are_parked() {
    let server = Running::start(one_pad(""), quiet()).await;
    let operator = server.client();
    for _ in 0..10 {
        let order = parcel("Dolores Park", "General Hospital", 0.8);
        operator.order(&order).await;
    }
    operator.run_to(20).await;
    let waiting = drones_where(&operator, waits).await;
    let flying = drones_where(&operator, |drone| drone["status"] == "climbing").await;
    assert_eq!((waiting.len(), flying.len()), (9, 1));
    let (_, hubs) = operator.get("/api/hubs").await;
    assert_eq!(hubs["items"][0]["departing"], 9, "{hubs}");
    let told = counts(&server).await;
    assert_eq!((&told["airborne"], &told["drones"]), (&json!(1), &json!(12)));
    let by_status = told["byStatus"].as_object().unwrap();
    let sum: u64 = by_status.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((sum, &by_status["parked"]), (12, &json!(11)), "{told}");

    // They were promised times one after the other, and the last is called off.
    let mut etas = Vec::new();
    for drone in &waiting {
        let id = drone["deliveryId"].as_str().unwrap();
        let status = operator.status(id).await;
        let eta = status["deliveryETA"].as_str();
        etas.push((eta.expect("a time").to_owned(), id.to_owned()));
    }
    etas.sort();
    etas.windows(2).for_each(|pair| assert!(pair[0].0 < pair[1].0));
    let (_, last) = etas.last().unwrap().clone();
    let at_once = json!({"state": "running", "pauseAtTick": 40, "speed": 1.0});
    operator.control(at_once).await;
    let (status, answer) = operator.delete(&format!("/api/deliveryrequests/{last}")).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
    operator.paused_at(40).await;
    assert_eq!(operator.kinds(&last).await.last().unwrap(), "Cancelled");
    let (_, hubs) = operator.get("/api/hubs").await;
    let hub = &hubs["items"][0];
    assert_eq!((&hub["departing"], &hub["besidePads"]), (&json!(8), &json!(0)));
    let called_off = drones_where(&operator, |drone| drone["deliveryId"] == last.as_str()).await;
    assert_eq!(called_off, Vec::<Value>::new());
    server.stop().await;
}

#[test]
fn they_leave_one_after_the_other_and_everybody_is_served() {
    let most = Cell::new(0);
    let watch = watched(one_pad(&at_once(10, "1s")), 15_000, |_, _, watch| {
        assert_eq!(watch.sum(|queues| queues.departing), watch.waiting.len());
        most.set(most.get().max(watch.waiting.len()));
    });
    assert_eq!((watch.taken_off.len(), watch.completed, most.get()), (10, 10, 9));
    let apart = |pair: &[(Tick, DroneId)]| pair[1].0 - pair[0].0;
    let least = watch.taken_off.windows(2).map(apart).min().unwrap();
    assert!(
        least >= 50,
        "a pad is taken until its drone has climbed away: {least} ticks"
    );
}

#[test]
fn in_a_busy_world_those_who_wait_are_counted_where_they_are() {
    let (most_waiting, most_holding) = (Cell::new(0), Cell::new(0));
    let watch = watched(busy(), 18_000, |engine, outcome, watch| {
        let departing = watch.sum(|queues| queues.departing);
        assert_eq!(departing, watch.waiting.len(), "tick {}", outcome.tick);
        let holds = |status| matches!(status, DroneStatus::Holding);
        let in_the_air = engine.sky().airborne().filter(|drone| holds(drone.status));
        let holding = watch.sum(|queues| queues.holding);
        assert_eq!(holding, in_the_air.count(), "tick {}", outcome.tick);
        most_waiting.set(most_waiting.get().max(departing));
        most_holding.set(most_holding.get().max(holding));
    });
    let most = (most_waiting.get(), most_holding.get());
    assert!(most.0 > 1 && most.1 > 0, "waiting and holding: {most:?}");
    assert!(watch.completed > 20, "{}", watch.completed);
    assert!(
        watch
            .queues
            .values()
            .any(|queues| queues.beside_pads > 0 || queues.charging > 0)
    );
}

#[test]
fn a_hub_that_closes_keeps_those_who_wait_there_already() {
    let closed = "\n[[fault]]\nat = \"5s\"\nkind = \"hub_closed\"\ntarget = \"mission\"\nduration = \"3m\"\n";
    let world = one_pad(&format!("{}{closed}", at_once(6, "1s")));
    let watch = watched(world, 15_000, |_, _, _| {});
    let opened = watch.told.iter().find(|(_, event)| *event == HubEvent::Opened);
    let opens = opened.expect("it opens again").0;
    let before: Vec<_> = watch.taken_off.iter().filter(|(tick, _)| *tick < opens).collect();
    assert_eq!(
        (before.len(), watch.taken_off.len()),
        (1, 6),
        "{:?}",
        watch.taken_off
    );
    assert_eq!(watch.taken_off[1].0, opens, "{:?}", watch.taken_off);
    // When it closed each was told its own turn behind the opening.
    let last_before = |told: &Vec<(Tick, Etas)>| told.iter().rfind(|(at, _)| *at < opens).copied();
    let waited: Vec<(Tick, Etas)> = watch.etas.values().filter_map(last_before).collect();
    let mut pickups: Vec<f64> = waited.iter().map(|(_, etas)| etas.pickup.as_secs()).collect();
    pickups.sort_by(f64::total_cmp);
    assert_eq!(pickups.len(), 5, "{waited:?}");
    let first_s = pickups[0] - opens as f64 / 10.0;
    for (pickup, (left, _)) in pickups.iter().zip(&watch.taken_off[1..]) {
        let expected = *left as f64 / 10.0 + first_s;
        assert!((pickup - expected).abs() < 2.0, "{pickup}, not {expected}");
    }
}

/// A zone over the hub, for three minutes.
const CLOSED_BY_A_ZONE: &str = r#"
[[zone]]
name = "Fire"
polygon = [[37.757, -122.418], [37.757, -122.411], [37.763, -122.411], [37.763, -122.418]]
from = "8m"
until = "11m"
"#;

#[test]
fn a_zone_over_the_hub_is_waited_out_by_those_who_would_not_be_home_before_it_begins() {
    let orders = [at_once(4, "1s"), at_once(6, "7m"), at_once(2, "12m")].concat();
    let world = one_pad(&format!("{orders}{CLOSED_BY_A_ZONE}"));
    let (begins, ends) = (4_800, 6_600);
    let watch = watched(world, 15_000, |engine, _, _| {
        let over_hub = |at: Point| at.distance(engine.world().hubs[0].at) < 250.0;
        let is_in_force = (begins..ends).contains(&engine.tick_number());
        let aloft = engine.sky().airborne().filter(|drone| over_hub(drone.at));
        assert!(
            !is_in_force || aloft.count() == 0,
            "at tick {}",
            engine.tick_number()
        );
    });
    let left = |from: Tick, until: Tick| {
        let then = watch
            .taken_off
            .iter()
            .filter(|(tick, _)| (from..until).contains(tick));
        then.count()
    };
    assert_eq!(left(0, 1_200), 4, "long before it begins: {:?}", watch.taken_off);
    assert_eq!(left(4_000, ends), 0, "{:?}", watch.taken_off);
    assert_eq!(left(ends, 7_700), 6, "when it is over: {:?}", watch.taken_off);
    assert_eq!((watch.completed, watch.taken_off.len()), (12, 12), "by drones");
}

/// It rains for ten minutes from the second forecast on.
const SHOWER: &str = r#"
[weather]
wind = { speed = 3.0, from = 250 }

[[weather.change]]
at = "599s"
rain = 0.0

[[weather.change]]
at = "10m"
rain = 30.0

[[weather.change]]
at = "1199s"
rain = 30.0

[[weather.change]]
at = "20m"
rain = 0.0
"#;

#[test]
fn a_ground_stop_keeps_those_who_wait_for_a_pad_and_their_times_move() {
    let world = one_pad(&format!("{SHOWER}{}", at_once(5, "595s")));
    let watch = watched(world, 20_000, |_, _, _| {});
    let is_stop = |event: &HubEvent| matches!(event, HubEvent::GroundStopped { .. });
    let stops: Vec<Tick> = (watch.told.iter().filter(|(_, event)| is_stop(event)))
        .map(|(tick, _)| *tick)
        .collect();
    let [stop] = stops[..] else {
        panic!("told once: {stops:?}")
    };
    // It is seen as it comes, and waited out for two minutes when it has gone.
    assert!((5_990..=6_000).contains(&stop), "{stop}");
    let is_lifted = |event: &HubEvent| matches!(event, HubEvent::GroundStopLifted { .. });
    let lifted = watch.told.iter().find(|(_, event)| is_lifted(event));
    let lifted = lifted.expect("it ends").0;
    assert!(lifted >= 12_000, "{lifted}");
    let during = |(tick, _): &&(Tick, DroneId)| (stop..lifted).contains(tick);
    assert_eq!(watch.taken_off.iter().filter(during).count(), 0);
    let later = |(tick, _): &&(Tick, DroneId)| *tick >= lifted;
    assert!(
        watch.taken_off.iter().filter(later).count() >= 3,
        "{:?}",
        watch.taken_off
    );
}

#[test]
fn a_world_that_begins_in_a_storm_says_so() {
    let world = busy_where(
        "wind = { speed = 4.0, from = 250 }",
        "wind = { speed = 4.0, from = 250 }\nrain = 30.0",
    );
    let watch = watched(world, 10, |_, _, _| {});
    let stopped = watch
        .told
        .iter()
        .filter(|(tick, event)| *tick == 1 && matches!(event, HubEvent::GroundStopped { .. }));
    assert_eq!(stopped.count(), 2, "{:?}", watch.told);
    assert_eq!(watch.taken_off, []);
}

/// Over the hospital.
fn fair() -> Value {
    let (west, south, east, north) = (-122.4070, 37.7540, -122.4020, 37.7580);
    let ring = [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ];
    json!({
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"name": "Fair", "floor": 0, "ceiling": 150},
    })
}

#[tokio::test]
async fn a_zone_over_the_door_is_seen_by_who_has_not_left() {
    let server = Running::start(one_pad(""), quiet()).await;
    let operator = server.client();
    for _ in 0..8 {
        operator
            .order(&parcel("Dolores Park", "General Hospital", 0.8))
            .await;
    }
    operator.run_to(20).await;
    assert_eq!(drones_where(&operator, waits).await.len(), 7);
    operator
        .control(json!({"state": "running", "pauseAtTick": 40, "speed": 1.0}))
        .await;
    let (status, laid) = operator.post("/api/zones", &fair()).await;
    assert_eq!(status, StatusCode::CREATED, "{laid}");
    operator.paused_at(40).await;
    let none = Vec::<Value>::new();
    assert_eq!(
        drones_where(&operator, waits).await,
        none,
        "no way leads there any more"
    );
    let (_, hubs) = operator.get("/api/hubs").await;
    assert_eq!(hubs["items"][0]["departing"], 0);
    server.stop().await;
}

#[test]
fn where_ways_are_kept_free_who_waits_for_its_way_is_on_the_ground_too() {
    let apart = "\n[separation]\nstrategic = \"ground_delay\"\nterminal = 0\nhorizontal = 400\n";
    let world = one_pad(&format!("{}{apart}", at_once(10, "1s")));
    let (mut longest, most) = (SimTime::START, Cell::new(0));
    let watch = watched(world, 15_000, |_, _, watch| {
        assert_eq!(watch.sum(|queues| queues.departing), watch.waiting.len());
        most.set(most.get().max(watch.waiting.len()));
    });
    assert!(most.get() > 5, "{} wait", most.get());
    for pair in watch.taken_off.windows(2) {
        longest = longest.max(SimTime((pair[1].0 - pair[0].0) * 100_000));
    }
    assert!(
        longest.as_secs() > 15.0,
        "nobody waited for a way: {:?}",
        watch.taken_off
    );
    assert_eq!((watch.taken_off.len(), watch.completed), (10, 10));
}
