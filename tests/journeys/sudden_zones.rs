//! Zones that are laid over whoever flies, or waits: who flies turns out of them without slowing down,
//! who waits does so elsewhere until they are over.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use skyhaul::engine::{Admission, Engine, Outcome, headless};
use skyhaul::scenario;
use skyhaul::sim::command::Command;
use skyhaul::sim::drone::DroneStatus;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::flight;
use skyhaul::sim::geo::Point;
use skyhaul::sim::ids::{DeliveryId, DroneId};
use skyhaul::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package};
use skyhaul::sim::places::resolve_place;
use skyhaul::sim::roster::{Change, RosterWrite, ZoneWrite};
use skyhaul::sim::time::{SimDuration, SimTime, Tick};
use skyhaul::sim::world::World;

use crate::support::worlds::busy_where;

const HALF_M: f64 = 200.0;

/// A square about a place between these times.
fn square(world: &World, middle: Point, (from, until): (SimTime, SimTime)) -> Command {
    let corner = |(x, y)| {
        world.area.frame.to_latlon(Point {
            x: middle.x + x * HALF_M,
            y: middle.y + y * HALF_M,
        })
    };
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    let zone = ZoneWrite {
        name: "Fire".into(),
        corners: corners.map(corner).to_vec(),
        floor_m: 0.0,
        ceiling_m: 150.0,
        above_sea: false,
        from,
        until,
    };
    Command::Roster(RosterWrite {
        change: Change::AddZone(zone),
        idempotency_key: None,
    })
}

fn is_in(middle: Point, at: Point) -> bool {
    (at.x - middle.x).abs().max((at.y - middle.y).abs()) < HALF_M - 0.1
}

/// One tick, with a zone laid in it or before.
async fn tick(engine: &mut Engine, laid: &mut bool, zone: Option<Command>) -> Outcome {
    *laid |= zone.is_some();
    let admission = Admission {
        through: u64::from(*laid),
        commands: zone.into_iter().collect(),
    };
    engine.tick(admission).await.unwrap()
}

/// Through the air, of what its type flies at.
fn airspeed_share(engine: &Engine, drone: DroneId) -> f64 {
    let world = engine.world();
    let fix = engine.sky().fix(drone).expect("it flies");
    let air = world.air(world.time_of(engine.tick_number()));
    let wind = air.wind(fix.at, fix.height_m);
    let (east_mps, north_mps) = (fix.velocity.east_mps - wind.0, fix.velocity.north_mps - wind.1);
    let model = world.model(world.fleet_of(drone).unwrap().model);
    (east_mps * east_mps + north_mps * north_mps).sqrt() / model.cruise_airspeed_mps
}

/// Somebody in full cruise who has so far to go on its course, and where it is and will be.
fn in_cruise(engine: &Engine, model: &str, at_least_m: f64) -> Option<(DroneId, Point, Point)> {
    const SOON_S: f64 = 3.0;
    let world = engine.world();
    engine.sky().airborne().find_map(|drone| {
        let now = world.time_of(engine.tick_number());
        let (plan, _) = engine.sky().plan_of(drone.drone, now)?;
        let fix = engine.sky().fix(drone.drone)?;
        let ahead = |along_s: f64| Point {
            x: fix.at.x + fix.velocity.east_mps * along_s,
            y: fix.at.y + fix.velocity.north_mps * along_s,
        };
        let is_straight = plan.legs().iter().any(|leg| {
            let is_cruise = matches!(leg.path, flight::Path::Line { .. }) && leg.path.length() > at_least_m;
            is_cruise
                && leg.path.start().0.distance(fix.at) < 0.5 * leg.path.length()
                && leg.end().0.distance(fix.at) > at_least_m
        });
        let is_it = world.model(world.fleet_of(drone.drone)?.model).key == model;
        let is_fast = airspeed_share(engine, drone.drone) > 0.95;
        (is_it && is_fast && is_straight && drone.status == DroneStatus::Cruising)
            .then(|| (drone.drone, fix.at, ahead(SOON_S)))
    })
}

#[test]
fn whoever_flies_where_a_zone_is_laid_leaves_it_at_full_speed_by_the_shortest_way() {
    let world = Arc::new(busy_where("[[place]]", "\n[[place]]\n"));
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(world, 1, headless::arbiters(1)).unwrap();
        let mut laid = false;
        let (drone, at, middle) = loop {
            tick(&mut engine, &mut laid, None).await;
            assert!(engine.tick_number() < 18_000, "nobody ever cruises");
            if let Some(found) = in_cruise(&engine, "zipline-p2", 500.0) {
                break found;
            }
        };
        let speed_mps = engine.sky().fix(drone).unwrap().velocity.speed_mps();
        // Straight on; nobody's shortest way out is longer.
        let straight_s = (at.distance(middle) + HALF_M * 2.0_f64.sqrt()) / speed_mps;
        let zone = square(engine.world(), middle, (SimTime::START, SimTime::NEVER));
        tick(&mut engine, &mut laid, Some(zone)).await;
        let begins = engine.tick_number();
        while is_in(middle, engine.sky().fix(drone).expect("it flies").at) {
            let share = airspeed_share(&engine, drone);
            let inside_s = (engine.tick_number() - begins) as f64 * engine.world().tick.as_secs();
            assert!(share > 0.5, "after {inside_s} s: {share}");
            assert!(inside_s <= straight_s + 2.0, "{inside_s} of {straight_s} s");
            tick(&mut engine, &mut laid, None).await;
        }
    });
}

/// One hub with one pad, more drones than that, and requests that are made at one moment.
const ONE_PAD: &str = r#"
name = "one-pad"
seed = 3
start = "2026-06-01T18:00:00Z"
duration = "2h"

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
count = 8

[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]

[[place]]
name = "General Hospital"
location = [37.7557, -122.4045]

[dispatch]
max_wait = "30m"
"#;

const REQUESTS: usize = 8;

fn one_pad() -> World {
    let request = "\n[[request]]\nat = \"1s\"\npickup = \"Dolores Park\"\ndropoff = \"General Hospital\"\npayload = 0.5\n";
    let text = format!("{ONE_PAD}{}", request.repeat(REQUESTS));
    scenario::parse(&text, "one-pad.toml", Path::new(""))
        .expect("it is sound")
        .world
}

/// What was seen of those who waited.
#[derive(Debug, Default)]
struct Waited {
    /// Seconds after the zone began; 0 where nobody was in it then.
    inside_until_s: f64,
    /// Seconds after the zone ended.
    taken_off_s: Vec<f64>,
    landed_s: Vec<f64>,
    completed: BTreeSet<DeliveryId>,
    ended_otherwise: u32,
    lost: u32,
}

impl Waited {
    fn hear(&mut self, event: &Event, since_end_s: f64) {
        match &event.happening {
            Happening::Delivery(id, DeliveryEvent::Completed { .. }) => {
                self.completed.insert(*id);
            }
            Happening::Delivery(_, DeliveryEvent::Cancelled | DeliveryEvent::Failed { .. }) => {
                self.ended_otherwise += 1;
            }
            Happening::Drone(_, DroneEvent::TakenOff { .. }) => self.taken_off_s.push(since_end_s),
            Happening::Drone(_, DroneEvent::Landed { .. }) => self.landed_s.push(since_end_s),
            Happening::Drone(_, DroneEvent::Lost { .. }) => self.lost += 1,
            _ => {}
        }
    }
}

const NOTICE: SimDuration = SimDuration(40_000_000);
const LASTS: SimDuration = SimDuration(240_000_000);

/// A zone is announced over a place once somebody waits as is said, for a few minutes; all that
/// happens until everybody is down.
fn waited(world: World, middle: Point, waits: impl Fn(&Engine, &BTreeSet<DroneId>) -> bool) -> Waited {
    const LAST: Tick = 36_000;
    let world = Arc::new(world);
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(Arc::clone(&world), 1, headless::arbiters(1)).unwrap();
        let (mut laid, mut flown) = (false, BTreeSet::new());
        let (mut begins, mut ends) = (SimTime::NEVER, SimTime::NEVER);
        let mut seen = Waited::default();
        while engine.tick_number() < LAST {
            let is_time = !laid && waits(&engine, &flown);
            let zone = is_time.then(|| {
                begins = world.time_of(engine.tick_number() + 1) + NOTICE;
                ends = begins + LASTS;
                square(&world, middle, (begins, ends))
            });
            let outcome = tick(&mut engine, &mut laid, zone).await;
            let now = world.time_of(outcome.tick);
            for event in &outcome.events {
                if let Happening::Drone(drone, DroneEvent::TakenOff { .. }) = event.happening {
                    flown.insert(drone);
                }
                seen.hear(event, now.as_secs() - ends.as_secs());
            }
            if begins <= now && now < ends && engine.sky().airborne().any(|drone| is_in(middle, drone.at)) {
                seen.inside_until_s = now.since(begins).as_secs();
            }
        }
        assert!(laid, "nobody ever waits: the test shows nothing");
        assert_eq!(engine.sky().airborne_count(), 0, "{seen:?}");
        seen
    })
}

#[test]
fn whoever_waits_for_a_pad_under_an_announced_zone_takes_off_before_it_or_after_it() {
    let world = one_pad();
    let hub = world.hubs[0].at;
    let seen = waited(world, hub, |_, flown| flown.len() == 3);
    let while_closed = -LASTS.as_secs()..0.0;
    assert!(
        !seen.taken_off_s.iter().any(|at| while_closed.contains(at)),
        "{seen:?}"
    );
    assert!(
        !seen.landed_s.iter().any(|at| while_closed.contains(at)),
        "{seen:?}"
    );
    let after = seen.taken_off_s.iter().filter(|at| **at >= 0.0);
    assert!(
        after.clone().any(|at| *at < 10.0),
        "the next leaves at once: {seen:?}"
    );
    assert_eq!((seen.completed.len(), seen.lost), (REQUESTS, 0), "{seen:?}");
    assert_eq!(seen.inside_until_s, 0.0, "{seen:?}");
}

#[test]
fn whoever_holds_over_its_hub_under_an_announced_zone_does_so_elsewhere_and_lands_after_it() {
    let world = one_pad();
    let hub = world.hubs[0].at;
    let holds = |engine: &Engine| {
        let mut near = engine
            .sky()
            .airborne()
            .filter(|drone| drone.at.distance(hub) < 150.0);
        near.any(|drone| drone.status == DroneStatus::Holding)
    };
    let seen = waited(world, hub, |engine, _| holds(engine));
    assert_eq!((seen.inside_until_s, seen.lost), (0.0, 0), "{seen:?}");
    let while_closed = -LASTS.as_secs()..0.0;
    assert!(
        !seen.landed_s.iter().any(|at| while_closed.contains(at)),
        "{seen:?}"
    );
    assert!(
        seen.landed_s.iter().any(|at| (0.0..120.0).contains(at)),
        "{seen:?}"
    );
    assert_eq!(seen.completed.len(), REQUESTS, "{seen:?}");
}

/// Somebody who takes their time to come to the door, and what is to be put into their hand.
fn to_be_met() -> (World, Command) {
    let text = format!("{ONE_PAD}\n[recipient]\nconfirm_after = \"40s\"\n");
    let parsed = scenario::parse(&text, "to-be-met.toml", Path::new(""));
    let world = parsed.expect("it is sound").world;
    let stop = |name| resolve_place(&world, name).expect("it is listed");
    let order = Order {
        owner: Owner::account("shop"),
        pickup: stop("Dolores Park"),
        dropoff: stop("General Hospital"),
        package: Package {
            id: "letter".into(),
            size: ContainerSize::Small,
            weight_kg: 0.5,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::Picture,
        deadline: String::new(),
        not_before: SimTime::START,
    };
    let request = Command::RequestDelivery {
        id: DeliveryId::new(1, [7; 10]),
        order: Arc::new(order),
        idempotency_key: None,
    };
    (world, request)
}

#[test]
fn whoever_waits_at_a_door_that_a_zone_is_laid_over_leaves_with_its_package_and_comes_again_after_it() {
    /// Up to the lowest level, and out to the side.
    const LEAVES_S: f64 = 40.0;
    const LAST: Tick = 24_000;
    let (world, request) = to_be_met();
    let world = Arc::new(world);
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(Arc::clone(&world), 1, headless::arbiters(1)).unwrap();
        let (mut through, mut next) = (1, vec![request]);
        let mut over: Option<(Point, SimTime)> = None;
        let (mut inside_s, mut story) = (Vec::new(), Vec::new());
        while engine.tick_number() < LAST {
            let commands = std::mem::take(&mut next);
            let outcome = engine.tick(Admission { through, commands }).await.unwrap();
            let now = world.time_of(outcome.tick);
            let since_s = over.map_or(f64::NAN, |(_, begins)| now.as_secs() - begins.as_secs());
            for event in &outcome.events {
                let Happening::Delivery(_, told) = &event.happening else {
                    continue;
                };
                match told {
                    DeliveryEvent::AwaitingConfirmation { .. } if over.is_none() => {
                        let door = engine.sky().airborne().next().expect("it hovers there").at;
                        through += 1;
                        next.push(square(&world, door, (SimTime::START, now + LASTS)));
                        over = Some((door, now));
                    }
                    DeliveryEvent::AwaitingConfirmation { .. } => story.push(("at the door", since_s)),
                    DeliveryEvent::BroughtBack { .. } => story.push(("brought back", since_s)),
                    DeliveryEvent::Completed { .. } => story.push(("completed", since_s)),
                    _ => {}
                }
            }
            let (mut aloft, in_force) = (engine.sky().airborne(), since_s < LASTS.as_secs());
            if over.is_some_and(|(door, _)| in_force && aloft.any(|drone| is_in(door, drone.at))) {
                inside_s.push(since_s);
            }
        }
        let left_s = inside_s.last().copied().expect("it was in there");
        assert!(left_s < LEAVES_S, "{left_s} s");
        let told: Vec<_> = story.iter().map(|(what, _)| *what).collect();
        assert_eq!(told, ["brought back", "at the door", "completed"], "{story:?}");
        assert!(
            story[0].1 < LASTS.as_secs() && story[1].1 > LASTS.as_secs(),
            "{story:?}"
        );
    });
}
