//! No-fly zones: drones fly round those of the scenario, and those that are laid over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use geo::{Contains, Polygon};
use reqwest::StatusCode;
use serde_json::{Value, json};
use skyhaul::engine::digest::hex;
use skyhaul::engine::{Admission, Engine, headless};
use skyhaul::sim::command::Command;
use skyhaul::sim::drone::DroneStatus;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::flight::Path;
use skyhaul::sim::geo::{LatLon, Point};
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::roster::{Change, RosterWrite, ZoneWrite};
use skyhaul::sim::time::{SimDuration, SimTime};
use skyhaul::sim::world::World;

use crate::support::client::{Client, with};
use crate::support::server::{Running, kept_in};
use crate::support::worlds::busy_where;

/// Between the hubs and much of the land; the corridor opens after a quarter of an hour.
const ZONES: &str = r#"
[[zone]]
name = "Corridor"
polygon = [[37.7625, -122.4400], [37.7625, -122.4180], [37.7665, -122.4180], [37.7665, -122.4400]]
until = "15m"

[[zone]]
name = "Dent"
polygon = [[37.770, -122.412], [37.782, -122.412], [37.782, -122.398], [37.779, -122.398], [37.779, -122.409], [37.770, -122.409]]
ceiling = 100

[[place]]
"#;

fn world() -> World {
    busy_where("[[place]]", ZONES)
}

/// Drones that are over a zone in force, and not above it.
fn intruders(engine: &Engine) -> BTreeSet<DroneId> {
    let world = engine.world();
    let now = world.time_of(engine.tick_number());
    let in_force: Vec<_> = (world.zones.iter())
        .filter(|zone| zone.from <= now && now < zone.until)
        .collect();
    let is_in = |polygon: &Polygon, at: LatLon| polygon.contains(&geo::Point::new(at.lon, at.lat));
    let inside = engine.sky().airborne().filter(|drone| {
        let at = world.area.frame.to_latlon(drone.at);
        let mut over = in_force.iter().filter(|zone| is_in(&zone.polygon, at));
        over.any(|zone| drone.height_m < zone.ceiling_m)
    });
    inside.map(|drone| drone.drone).collect()
}

#[test]
fn no_drone_enters_a_zone_and_deliveries_go_on() {
    let mut completed = 0;
    let until = 18_000;
    let run = headless::run(Arc::new(world()), 1, until, |engine, outcome| {
        assert_eq!(intruders(engine), BTreeSet::new(), "tick {}", outcome.tick);
        let ends = outcome.events.iter().filter(|event| {
            matches!(
                event.happening,
                Happening::Delivery(_, DeliveryEvent::Completed { .. })
            )
        });
        completed += ends.count();
        true
    });
    run.expect("the world goes on");
    assert!(completed > 10, "{completed} deliveries");
}

fn lay() -> Command {
    lay_between(SimTime::START, SimTime::NEVER)
}

fn lay_between(from: SimTime, until: SimTime) -> Command {
    let corner = |lat, lon| LatLon { lat, lon };
    let zone = ZoneWrite {
        name: "Fire".into(),
        corners: vec![
            corner(37.748, -122.432),
            corner(37.748, -122.418),
            corner(37.758, -122.418),
            corner(37.758, -122.432),
        ],
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

/// Whether anybody flies where [`lay`] lays its zone.
fn somebody_is_there(engine: &Engine) -> bool {
    let frame = engine.world().area.frame;
    let there = |at: LatLon| (37.748..37.758).contains(&at.lat) && (-122.432..-122.418).contains(&at.lon);
    engine
        .sky()
        .airborne()
        .any(|drone| there(frame.to_latlon(drone.at)))
}

/// Lays the zone when ten minutes are over and somebody is there: who was in it then, who still after two minutes, who came in
/// afterwards, and the digest.
fn laid_over(threads: usize) -> (BTreeSet<DroneId>, BTreeSet<DroneId>, BTreeSet<DroneId>, String) {
    const NOT_BEFORE: u64 = 6_000;
    let world = Arc::new(world());
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(world, threads, headless::arbiters(threads)).unwrap();
        let mut seen = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        let mut laid = u64::MAX;
        while engine.tick_number() < 12_000 {
            let tick = engine.tick_number() + 1;
            if laid == u64::MAX && tick >= NOT_BEFORE && somebody_is_there(&engine) {
                laid = tick;
            }
            let commands: Vec<Command> = (tick == laid).then(lay).into_iter().collect();
            let through = u64::from(tick >= laid);
            engine.tick(Admission { through, commands }).await.unwrap();
            match tick {
                _ if tick == laid => seen[0] = intruders(&engine),
                _ if tick == laid.saturating_add(1_200) => seen[1] = intruders(&engine),
                _ if tick > laid.saturating_add(1_200) => seen[2].extend(intruders(&engine)),
                _ => {}
            }
        }
        let [at_once, soon, later] = seen;
        (at_once, soon, later, hex(engine.digest()))
    })
}

#[test]
fn who_is_in_the_air_leaves_a_zone_that_is_laid_there_and_nobody_comes_in() {
    let (at_once, soon, later, digest) = laid_over(1);
    assert!(!at_once.is_empty(), "nobody was there: the test shows nothing");
    assert_eq!(soon, BTreeSet::new(), "of {at_once:?}");
    assert_eq!(later, BTreeSet::new());
    assert_eq!(laid_over(2).3, digest);
}

#[test]
fn who_is_in_the_air_is_out_of_the_way_when_an_announced_zone_begins() {
    let world = Arc::new(busy_where("[[place]]", "\n[[place]]\n"));
    let (announced, begins, ends) = (6_000, 6_900, 9_900);
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(world, 1, headless::arbiters(1)).unwrap();
        let (mut were_there, mut lost, mut flown) = (BTreeSet::new(), 0, 0);
        while engine.tick_number() < ends {
            let tick = engine.tick_number() + 1;
            let time = |tick| engine.world().time_of(tick);
            let commands: Vec<Command> = (tick == announced)
                .then(|| lay_between(time(begins), time(ends)))
                .into_iter()
                .collect();
            let through = u64::from(tick >= announced);
            let outcome = engine.tick(Admission { through, commands }).await.unwrap();
            if (announced..begins).contains(&tick) && somebody_is_there(&engine) {
                were_there.insert(tick);
            }
            if tick >= begins {
                assert_eq!(intruders(&engine), BTreeSet::new(), "tick {tick}");
                flown += engine.sky().airborne_count();
            }
            let is_loss =
                |event: &&Event| matches!(event.happening, Happening::Drone(_, DroneEvent::Lost { .. }));
            lost += outcome.events.iter().filter(is_loss).count();
        }
        assert!(
            !were_there.is_empty(),
            "nobody flew there before: the test shows nothing"
        );
        assert!(flown > 0 && lost == 0, "{flown} {lost}");
    });
}

/// A square of 400 m around a place, for five minutes from then on.
fn square(world: &World, middle: Point, now: SimTime) -> Command {
    let corner = |(x, y)| {
        world.area.frame.to_latlon(Point {
            x: middle.x + x,
            y: middle.y + y,
        })
    };
    let corners = [(-200.0, -200.0), (200.0, -200.0), (200.0, 200.0), (-200.0, 200.0)];
    let zone = ZoneWrite {
        name: "Fire".into(),
        corners: corners.map(corner).to_vec(),
        floor_m: 0.0,
        ceiling_m: 150.0,
        above_sea: false,
        from: SimTime::START,
        until: now + SimDuration::from_secs(300.0),
    };
    Command::Roster(RosterWrite {
        change: Change::AddZone(zone),
        idempotency_key: None,
    })
}

/// Lays a square over each place in turn, in a world of its own: nobody who had room to brake
/// comes in, and who was there leaves. It is laid when somebody is at this. Answers how many
/// fell.
fn laid_on(middle: impl Fn(&World) -> Point, status: DroneStatus) -> usize {
    // Nobody needs more to brake.
    const BRAKES_M: f64 = 160.0;
    let calm = Arc::new(busy_where("[[place]]", "\n[[place]]\n"));
    let middle = middle(&calm);
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(calm, 1, headless::arbiters(1)).unwrap();
        let (mut near, mut fallen, mut laid) = (BTreeSet::new(), 0, u64::MAX);
        while engine.tick_number() < laid.saturating_add(4_500) {
            let tick = engine.tick_number() + 1;
            let now = engine.world().time_of(tick);
            let is_there = |engine: &Engine| engine.sky().airborne().any(|drone| drone.status == status);
            if laid == u64::MAX && tick >= 6_000 && is_there(&engine) {
                laid = tick;
            }
            assert!(tick < 18_000 || laid < u64::MAX, "nobody is ever {status:?}");
            let commands: Vec<Command> = (tick == laid)
                .then(|| square(engine.world(), middle, now))
                .into_iter()
                .collect();
            let through = u64::from(tick >= laid);
            let outcome = engine.tick(Admission { through, commands }).await.unwrap();
            if tick == laid {
                let off_m = |at: Point| (at.x - middle.x).abs().max((at.y - middle.y).abs()) - 200.0;
                let close = engine.sky().airborne().filter(|drone| off_m(drone.at) < BRAKES_M);
                near = close.map(|drone| drone.drone).collect();
            }
            if tick > laid {
                let inside = intruders(&engine);
                assert!(
                    inside.is_subset(&near),
                    "tick {tick}: {inside:?}, near were {near:?}"
                );
                assert!(
                    tick < laid + 1_200 || inside.is_empty(),
                    "tick {tick}: {inside:?}"
                );
                let lost =
                    |event: &&Event| matches!(event.happening, Happening::Drone(_, DroneEvent::Lost { .. }));
                fallen += outcome.events.iter().filter(lost).count();
            }
        }
        fallen
    })
}

#[test]
fn whatever_drones_are_at_nobody_flies_into_a_zone_that_is_laid_for_a_while() {
    use DroneStatus as S;
    for (hub, status) in [(0, S::Climbing), (1, S::Returning), (0, S::Holding)] {
        let fallen = laid_on(|world| world.hubs[hub].at, status);
        assert_eq!(fallen, 0, "{status:?}: they wait, or go to another hub");
    }
    for (place, status) in [(0, S::Hovering), (1, S::Cruising), (0, S::Descending)] {
        let fallen = laid_on(|world| world.area.point(world.places[place].location), status);
        assert_eq!(fallen, 0, "{status:?}");
    }
}

/// Somebody in the last seconds of a hand-over, how many are left of it, and a place that its way
/// leads over afterwards.
fn hands_over(engine: &Engine) -> Option<(DroneId, f64, Point)> {
    let now = engine.world().time_of(engine.tick_number());
    engine.sky().airborne().find_map(|drone| {
        let left_s = engine.sky().handover_left_s(drone.drone)?;
        let (plan, _) = engine.sky().plan_of(drone.drone, now)?;
        let mut ahead = plan.legs().iter().filter_map(|leg| match leg.path {
            Path::Line { from, length_m, .. } if from.distance(drone.at) < 1.0 && length_m > 800.0 => {
                Some(leg.path.at(0.5 * length_m).0)
            }
            _ => None,
        });
        let middle = ahead.next().filter(|_| (5.0..15.0).contains(&left_s))?;
        Some((drone.drone, left_s, middle))
    })
}

#[test]
fn whoever_hands_over_when_a_zone_comes_to_lie_on_its_way_is_done_no_later() {
    let world = Arc::new(busy_where("[[place]]", "\n[[place]]\n"));
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(world, 1, headless::arbiters(1)).unwrap();
        let (drone, left_s, middle) = loop {
            engine.tick(Admission::default()).await.unwrap();
            assert!(engine.tick_number() < 18_000, "nobody ever hands over");
            if let Some(found) = hands_over(&engine) {
                break found;
            }
        };
        let now = engine.world().time_of(engine.tick_number() + 1);
        let commands = vec![square(engine.world(), middle, now)];
        let outcome = engine.tick(Admission { through: 1, commands }).await.unwrap();
        assert!(outcome.planned.contains(&drone), "it was told");
        let tick_s = engine.world().tick.as_secs();
        let mut handed_s = tick_s;
        while engine.sky().handover_left_s(drone).is_some() {
            let through = 1;
            let commands = Vec::new();
            engine.tick(Admission { through, commands }).await.unwrap();
            handed_s += tick_s;
        }
        assert!(handed_s <= left_s + 2.0 * tick_s, "{handed_s} s of {left_s} s");
    });
}

fn fire() -> Value {
    json!({
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[
            [-122.432, 37.748], [-122.418, 37.748], [-122.418, 37.758], [-122.432, 37.758], [-122.432, 37.748],
        ]]},
        "properties": {"name": "Fire 1/2", "ceiling": 150},
    })
}

async fn names(operator: &Client) -> Vec<String> {
    let (status, zones) = operator.get("/api/zones").await;
    assert_eq!(status, StatusCode::OK);
    let features = zones["features"].as_array().expect("a list").iter();
    let name = |feature: &Value| feature["properties"]["name"].as_str().expect("a name").to_owned();
    features.map(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_lays_a_zone_it_outlives_a_restart_and_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let options = || skyhaul::server::Options {
        paused: false,
        demand: false,
        ..kept_in(folder.path())
    };
    let server = Running::start(world(), options()).await;
    let operator = server.client();
    let (status, laid) = operator.post("/api/zones", &fire()).await;
    assert_eq!(status, StatusCode::CREATED, "{laid}");
    assert_eq!(laid["geometry"], fire()["geometry"]);
    let expected = json!({"name": "Fire 1/2", "floor": 0.0, "ceiling": 150.0, "reference": "AGL"});
    assert_eq!(laid["properties"], expected);
    let (status, problem) = operator.post("/api/zones", &fire()).await;
    assert_eq!(
        (status, &problem["type"]),
        (StatusCode::CONFLICT, &json!("urn:skyhaul:problem:zone-exists"))
    );
    server.stop().await;

    let server = Running::start(world(), options()).await;
    let operator = server.client();
    assert_eq!(names(&operator).await, ["Corridor", "Dent", "Fire 1/2"]);
    let (status, _) = operator.delete("/api/zones/Fire%201%2F2").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(names(&operator).await, ["Corridor", "Dent"]);
    let (status, _) = operator.delete("/api/zones/Fire%201%2F2").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_zone_is_refused_field_by_field() {
    let server = Running::start(world(), skyhaul::server::Options::default()).await;
    let operator = server.client();
    let geometry = |ring: Value| {
        with(
            fire(),
            json!({"geometry": {"type": "Polygon", "coordinates": [ring]}}),
        )
    };
    let properties = |more: Value| {
        let properties = with(fire()["properties"].clone(), more);
        with(fire(), json!({"properties": properties}))
    };
    for (body, pointers) in [
        (json!({}), vec!["/type", "/geometry", "/properties"]),
        (
            with(fire(), json!({"type": "Point", "colour": 1})),
            vec!["/colour", "/type"],
        ),
        (
            geometry(json!([[0, 0], [1, 1], [0, 0]])),
            vec!["/geometry/coordinates"],
        ),
        (
            // A bow tie.
            geometry(json!([
                [-122.43, 37.75],
                [-122.42, 37.76],
                [-122.42, 37.75],
                [-122.43, 37.76],
                [-122.43, 37.75]
            ])),
            vec!["/geometry/coordinates"],
        ),
        (
            geometry(json!([[2, 48], [3, 48], [3, 49], [2, 48]])),
            vec!["/geometry/coordinates"],
        ),
        (
            properties(json!({"floor": 200, "reference": "MSL", "until": "soon"})),
            vec![
                "/properties/ceiling",
                "/properties/reference",
                "/properties/until",
            ],
        ),
    ] {
        let (status, problem) = operator.post("/api/zones", &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        let named: BTreeSet<_> = errors.map(|error| error["pointer"].as_str().unwrap()).collect();
        for pointer in pointers {
            assert!(named.contains(pointer), "{pointer} in {problem}");
        }
    }
    assert_eq!(names(&operator).await, ["Corridor", "Dent"]);
    server.stop().await;
}
