//! Worlds to play in: the shipped ones, and a small busy one whose keys can be changed.

use std::path::{Path, PathBuf};

use skyhaul::scenario::{self, Scenario};
use skyhaul::sim::weather::Weather;
use skyhaul::sim::world::World;
use skyhaul::wire::time::parse_rfc3339;

/// Two hubs, two types, wind, and more demand than the few drones and chargers can serve
/// at once: so there are queues, waits, failures and charging within minutes.
const BUSY: &str = r#"
name = "busy"
seed = 7
start = "2026-06-01T18:00:00Z"
duration = "30m"

[area]
bbox = [-122.45, 37.74, -122.38, 37.80]

[weather]
wind = { speed = 4.0, from = 250 }

[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 1
chargers = 8

[[hub]]
id = "potrero"
location = [37.7680, -122.4075]
pads = 4
chargers = 3

[[fleet]]
hub = "mission"
model = "zipline-p2"
count = 16

[[fleet]]
hub = "potrero"
model = "m100"
count = 8

[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]

[[place]]
name = "City Hall"
location = [37.7793, -122.4193]

[[place]]
name = "General Hospital"
location = [37.7557, -122.4045]

[demand]
rate = "240/h"
payload = { min = 0.2, max = 3.8 }
expedited = 0.2

[dispatch]
backlog = 12
max_wait = "3m"
when_full = "fail"
"#;

pub fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(format!("{name}.toml"))
}

fn load(name: &str) -> World {
    scenario::load(&shipped(name))
        .expect("shipped scenarios have no mistakes")
        .world
}

pub fn tiny() -> World {
    load("tiny")
}

/// The tiny world with this many of its three drones.
pub fn tiny_with_drones(count: u32) -> World {
    let mut world = tiny();
    world.fleets[0].count = count;
    world
}

pub fn san_francisco() -> World {
    load("san-francisco")
}

pub fn in_still_air(mut world: World) -> World {
    world.weather = Weather::steady(0.0, 0.0, world.weather.air_density_kgpm3);
    world
}

pub fn busy() -> World {
    parse(BUSY)
}

/// The busy world where one piece of its text reads differently.
pub fn busy_where(text: &str, reads: &str) -> World {
    assert!(BUSY.contains(text), "the busy world has no {text:?}");
    parse(&BUSY.replacen(text, reads, 1))
}

fn parse(text: &str) -> World {
    let Scenario { world, .. } = scenario::parse(text, "busy.toml", Path::new("")).expect("no mistakes");
    world
}

/// Seconds since the scenario's start of an RFC 3339 date in an answer.
pub fn sim_seconds(world: &World, date: &serde_json::Value) -> f64 {
    let date = date
        .as_str()
        .unwrap_or_else(|| panic!("a date is wanted, not {date}"));
    let unix_us = parse_rfc3339(date).unwrap_or_else(|| panic!("{date} is no date"));
    (unix_us - world.start_unix_us) as f64 / 1e6
}
