//! A small world with much going on, and how it goes when nothing ever disturbs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skyhaul::engine::digest::{GENESIS, hex};
use skyhaul::engine::{Outcome, headless};
use skyhaul::scenario;
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;

/// One hub whose chargers and drones are too few for its demand: after some minutes there
/// are deliveries in the air, drones that charge and wait to charge, and requests that wait.
pub const BUSY: &str = r#"
name = "busy"
seed = 7
start = "2026-06-01T18:00:00Z"
duration = "2h"

[area]
bbox = [-122.44, 37.74, -122.39, 37.78]

[[hub]]
id = "mission"
name = "Mission Street hub"
location = [37.7599, -122.4148]
pads = 8
chargers = 4

[[fleet]]
hub = "mission"
model = "zipline-p2"
count = 40

[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]

[[place]]
name = "General Hospital"
location = [37.7557, -122.4045]

[weather]
wind = { speed = 4.0, from = 270 }

[dispatch]
max_wait = "5m"
when_full = "fail"

[demand]
rate = "300/h"
payload = { min = 0.2, max = 1.0 }
"#;

pub fn busy() -> Arc<World> {
    let parsed = scenario::parse(BUSY, "busy.toml", Path::new(""));
    Arc::new(parsed.expect("the scenario is sound").world)
}

/// The same as a file in this folder.
pub fn busy_file(folder: &Path) -> PathBuf {
    let path = folder.join("busy.toml");
    std::fs::write(&path, BUSY).unwrap();
    path
}

/// What the digest of an undisturbed run is after each of these ticks, in hexadecimal.
pub async fn undisturbed(
    world: &Arc<World>,
    ticks: impl IntoIterator<Item = Tick>,
) -> BTreeMap<Tick, String> {
    let mut wanted: BTreeMap<Tick, String> = ticks.into_iter().map(|tick| (tick, String::new())).collect();
    let until = wanted.last_key_value().map_or(0, |(tick, _)| *tick);
    let world = Arc::clone(world);
    let run = move || {
        let watch = |_: &_, outcome: Outcome| {
            if let Some(digest) = wanted.get_mut(&outcome.tick) {
                *digest = hex(&outcome.digest);
            }
            true
        };
        headless::run(world, 1, until, watch).expect("nothing disturbs it");
        wanted.entry(0).and_modify(|digest| *digest = hex(&GENESIS));
        wanted
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}
