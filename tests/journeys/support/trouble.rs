//! A world in which something goes wrong every few seconds, everywhere: at each step of the
//! workflow, in each kind of actor, in the air, at the hubs and with the carrier.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skyhaul::scenario;
use skyhaul::sim::world::World;

/// Too few of everything, for short patience. It begins ten minutes before a month ends.
const RULES: &str = r#"
name = "troubled"
seed = 11
start = "2026-06-30T23:50:00Z"
duration = "2h"

[area]
bbox = [-122.45, 37.74, -122.38, 37.80]

[weather]
wind = { speed = 4.0, from = 250, gust = 1.5, forecast_error = 0.15 }
grid = [2, 2]

[[weather.change]]
at = "8m"
rain = 0.0

[[weather.change]]
at = "9m"
rain_cells = [0.0, 12.0, 0.0, 3.0]

[[weather.change]]
at = "11m"
rain = 0.0

[[hub]]
id = "mission"
location = [37.7599, -122.4148]
pads = 2
chargers = 8

[[hub]]
id = "potrero"
location = [37.7680, -122.4075]
pads = 4
chargers = 3

[[fleet]]
hub = "mission"
model = "zipline-p2"
count = 20
cycles = { min = 0, max = 50 }

[[fleet]]
hub = "potrero"
model = "m100"
count = 10

[model.m100]
base = "m100"
battery = { swap = "90s" }

[model.zipline-p2]
base = "zipline-p2"
battery = { cycles_to_80 = 50 }

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
rate = "300/h"
payload = { min = 0.2, max = 4.5 }
expedited = 0.2

[dispatch]
backlog = 12
max_wait = "90s"
when_full = "third_party"

[third_party]
capacity = 6
pickup_delay = "1m"
handling = "20s"
failure_rate = 0.1

[recipient]
confirm_after = "40s"
never = 0.2
patience = "30s"
redeliver_after = "1m"

[workflow]
step_timeout = "2s"
retries = 1
backoff = "300ms"
backoff_max = "1s"
breaker_failures = 3
breaker_pause = "5s"
dead_letters = 20
"#;

const STEPS: [&str; 5] = ["account", "package", "third_party", "drone", "delivery"];
const ACTORS: [&str; 8] = [
    "scheduler",
    "fleet",
    "drone",
    "delivery",
    "account",
    "package",
    "transport",
    "supervisor",
];
/// Of a step: it fails, its answer is lost or late, once or for a while.
const WRONGS: [&str; 6] = [
    "kind = \"step_fail\"",
    "kind = \"step_fail\"\nduration = \"4s\"",
    "kind = \"step_fail\"\nmode = \"answer_lost\"",
    "kind = \"step_fail\"\nmode = \"answer_lost\"\nduration = \"4s\"",
    "kind = \"step_slow\"",
    "kind = \"step_slow\"\nduration = \"3s\"",
];

/// Something goes wrong this often, seconds.
const EVERY: u32 = 5;
/// For the first hour.
const FAULTS: u32 = 3_600 / EVERY;
/// Drones that fall: the others must do.
const FALLING: u32 = 6;

/// The fault with this number, without its time.
fn fault(number: u32) -> String {
    let (turn, kind) = (number / 4, number % 4);
    let drone = turn * 7 % 30;
    match kind {
        0 | 1 => {
            let which = (turn * 2 + kind) as usize;
            let step = STEPS[which % STEPS.len()];
            format!(
                "{}\ntarget = \"{step}\"",
                WRONGS[which / STEPS.len() % WRONGS.len()]
            )
        }
        2 => format!(
            "kind = \"actor_panic\"\ntarget = \"{}\"",
            ACTORS[turn as usize % ACTORS.len()]
        ),
        _ => match turn % 8 {
            0 => "kind = \"carrier_down\"\nduration = \"10s\"".to_owned(),
            1 => "kind = \"carrier_down\"".to_owned(),
            2 | 3 => format!("kind = \"link_lost\"\ntarget = \"d-{drone}\"\nduration = \"10s\""),
            4 => format!("kind = \"link_lost\"\ntarget = \"d-{drone}\""),
            5 => format!("kind = \"battery_cell\"\ntarget = \"d-{drone}\""),
            6 if turn % 16 == 6 => {
                "kind = \"wind_shift\"\ntarget = \"City Hall\"\nduration = \"90s\"".to_owned()
            }
            6 => "kind = \"hub_closed\"\ntarget = \"mission\"\nduration = \"15s\"".to_owned(),
            _ => format!("kind = \"rotor_out\"\ntarget = \"d-{}\"", turn / 8 % FALLING),
        },
    }
}

pub fn text() -> String {
    let mut text = RULES.to_owned();
    for number in 0..FAULTS {
        let at = (number + 1) * EVERY;
        write!(text, "\n[[fault]]\nat = \"{at}s\"\n{}\n", fault(number)).unwrap();
    }
    text
}

pub fn world() -> Arc<World> {
    let parsed = scenario::parse(&text(), "troubled.toml", Path::new(""));
    Arc::new(parsed.expect("the scenario is sound").world)
}

/// The same as a file in this folder.
pub fn file(folder: &Path) -> PathBuf {
    let path = folder.join("troubled.toml");
    std::fs::write(&path, text()).unwrap();
    path
}
