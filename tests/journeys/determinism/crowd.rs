//! So many in the air that a tick is shared out: the sky's chunks, separation's grid and its sweep
//! go to several threads from 4,096 airborne drones on.

use std::path::Path;

use skyhaul::engine::digest::hex;
use skyhaul::engine::headless;
use skyhaul::scenario;
use skyhaul::sim::separation::Counts;
use skyhaul::sim::world::World;

/// Nearly all of 10,000 drones are on their way home when it begins, and come together there.
const CROWD: &str = r#"
name = "crowd"
seed = 7
start = "2026-06-01T18:00:00Z"
duration = "30m"
tick = "1s"

[area]
bbox = [-122.52, 37.70, -122.35, 37.83]

[weather]
wind = { speed = 4.0, from = 250, gust = 1.0 }

[separation]
horizontal = 20
vertical = 8
look_ahead = "8s"
tactical = ["level", "slow", "hold"]

[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 60
chargers = 400

[[fleet]]
hub = "mission"
model = "wing"
count = 4000
aloft = 0.9

[[hub]]
id = "geary"
location = [37.7803, -122.4787]
pads = 60
chargers = 400

[[fleet]]
hub = "geary"
model = "wing"
count = 6000
aloft = 0.9
"#;

fn crowd(tick: &str) -> World {
    let text = CROWD.replacen("tick = \"1s\"", &format!("tick = \"{tick}\""), 1);
    scenario::parse(&text, "crowd.toml", Path::new(""))
        .expect("no mistakes")
        .world
}

/// The digest after so many ticks, and what separation has come to.
fn after(tick: &str, until: u64, threads: usize) -> (String, Counts) {
    let engine = headless::run(crowd(tick).into(), threads, until, |engine, _| {
        let airborne = engine.sky().airborne_count();
        assert!(airborne > 8_500, "{airborne} are not shared out among threads");
        true
    })
    .expect("the world goes on");
    (hex(engine.digest()), *engine.separation().counts())
}

#[test]
fn any_number_of_threads_share_a_crowded_sky() {
    // Long ticks look for conflicts everywhere, short ones in a tenth of the sky and for losses
    // in all of it.
    for (tick, until) in [("1s", 20), ("100ms", 30)] {
        let (alone, counts) = after(tick, until, 1);
        assert!(counts.losses > 0 && counts.resolutions > 0, "{counts:?}");
        assert_eq!(after(tick, until, 3), (alone, counts), "in ticks of {tick}");
    }
}
