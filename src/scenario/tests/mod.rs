//! Scenario files as their writers meet them: the worlds they make.

mod choices;
mod claims;
mod geojson;
mod mistakes;
mod order_files;
mod policies;
mod rubbish;
mod unreachable;
mod useless;

use std::path::{Path, PathBuf};

use super::*;
use crate::sim::flight::{Errand, plan_delivery};
use crate::sim::places::resolve_place;
use crate::sim::time::{SimDuration, SimTime};

const SHIPPED: [&str; 16] = [
    "tiny.toml",
    "demo.toml",
    "san-francisco.toml",
    "seattle.toml",
    "ten-thousand.toml",
    "lunch.toml",
    "lunch-unsettled.toml",
    "uneven.toml",
    "capacity/smoke.toml",
    "capacity/reference-load.toml",
    "capacity/guide-requirement.toml",
    "capacity/lunch-rush.toml",
    "capacity/ordinary-hour.toml",
    "capacity/flash-crowd.toml",
    "capacity/storm.toml",
    "capacity/million-drones.toml",
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn source_of(name: &str) -> String {
    std::fs::read_to_string(shipped(name)).unwrap()
}

/// Every table and nearly every key, right in all respects; lines are counted below.
const FULL: &str = r#"name = "full"
description = "everything"
seed = 42
start = "2026-06-01T18:00:00Z"
duration = "4h"
tick = "100ms"

[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
ground = 20
geoid = -32
unknown_places = "refuse"

[[hub]]
id = "mission"
name = "Mission Street hub"
location = [37.7599, -122.4148]
pads = 12
chargers = 120

[[hub]]
id = "king"
location = [37.7765, -122.3950]
pads = 4
chargers = 8

[model.long-wing]
base = "wing"
max_payload = 2.0
battery = { capacity = 300, reserve = 0.25, charge_power = 300 }

[model.box]
empty_mass = 10.0
max_payload = 5.0
airspeed = 15
climb = 4
descent = 3
acceleration = 2
vertical_acceleration = 1.5
bank = 25
yaw_rate = 60
handover_height = 0
handover = "30s"
battery = { capacity = 600, charge_power = 600 }
power = { model = "multirotor", rotors = { disc_area = 1.3, efficiency = 0.6, drag_area = 0.1, electronics = 20 } }

[[fleet]]
hub = "mission"
model = "long-wing"
count = 100
aloft = 0.25

[[fleet]]
hub = "king"
model = "box"
count = 2

[[place]]
name = "Ferry Building"
location = [37.7955, -122.3937]

[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]

[weather]
wind = { speed = 5.0, from = 270 }
air_density = 1.2

[demand]
rate = "60/h"
profile = [["0m", 0.5], ["60m", 1.5]]
pickup = { at = "places" }
dropoff = { spread = "land" }
payload = { min = 0.2, max = 1.1 }
expedited = 0.1

[[request]]
at = "2m"
pickup = "ferry building"
dropoff = [37.7596, -122.4269]
payload = 0.8
tag = "hero"

[[request]]
at = "1m"
pickup = "37.76,-122.41"
dropoff = "Dolores Park"
payload = 2.5
owner = "shop"
expedited = true

[dispatch]
policy = "earliest-pickup"
backlog = 100
max_wait = "10m"
when_full = "fail"

[audience]
sessions = 500
follow = { delivery = 0.7, area = 0.3 }

[load]
warmup = "10s"
drain = "20s"
stages = [{ rate = "200/s", for = "30s" }, { to = "2000/s", over = "60s" }]

[[slo]]
op = "accept"
quantile = 0.99
max = "50ms"

[[slo]]
op = "errors"
max = 0.001

[target]
headers = { x-api-key = "{token}" }

[target.request]
path = "/v2/jobs"
body = '{"ref": "{package}"}'
id = "/job/id"

[target.status]
path = "/v2/jobs/{id}"
stage = "/job/state"
completed = ["DONE"]
"#;

fn parse_here(source: &str) -> Result<Scenario, Vec<Diagnostic>> {
    parse(source, "world.toml", &shipped(""))
}

/// What is said of `FULL` with one piece exchanged.
fn said_of(piece: &str, instead: &str) -> Vec<String> {
    assert!(FULL.contains(piece), "{piece} is not in the scenario");
    let source = FULL.replacen(piece, instead, 1);
    let diagnostics = match parse_here(&source) {
        Ok(scenario) => scenario.warnings,
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn every_key_reaches_the_world() {
    let scenario = parse_here(FULL).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    assert_eq!(scenario.warnings, []);
    let world = scenario.world;
    assert_eq!(world.duration, SimDuration(4 * 3_600_000_000));
    assert_eq!(world.start_unix_us, 1_780_336_800_000_000);
    assert_eq!(world.drone_count(), 102);
    assert_eq!(world.hubs[1].name, "king");
    let (east_mps, north_mps) = world.weather.mean.at(0, SimTime::START);
    assert!(east_mps > 4.999 && north_mps.abs() < 1e-9);
    let models: Vec<_> = world
        .models
        .iter()
        .map(|model| (model.key.as_str(), model.battery.capacity_wh))
        .collect();
    assert_eq!(models, [("long-wing", 300.0), ("box", 600.0)]);
    let demand = world.demand.unwrap();
    assert_eq!(demand.rate_per_s, 60.0 / 3_600.0);
    assert_eq!(demand.profile[1], (SimTime(3_600_000_000), 1.5));
    let scripted: Vec<_> = (world.scripted.iter())
        .map(|request| {
            (
                request.at.as_secs(),
                request.order.owner.account.as_str(),
                request.order.dropoff.location.lat,
            )
        })
        .collect();
    assert_eq!(scripted, [(60.0, "shop", 37.7596), (120.0, "scenario", 37.7596)]);
}

#[test]
fn zones_come_from_both_places() {
    let folder = tempfile::tempdir().unwrap();
    let polygon = "[[[-122.40,37.77],[-122.39,37.77],[-122.39,37.78],[-122.40,37.77]]]";
    let collection = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"name":"Stadium","ceiling":300,
        "reference":"AMSL"}},"geometry":{{"type":"Polygon","coordinates":{polygon}}}}}]}}"#
    );
    std::fs::write(folder.path().join("zones.geojson"), collection).unwrap();
    let heliport = "[[zone]]\nname = \"Heliport\"\n\
        polygon = [[37.770, -122.392], [37.776, -122.392], [37.776, -122.386], [37.770, -122.386]]\n";
    let source = format!("zones = \"zones.geojson\"\n{FULL}{heliport}");
    let scenario = parse(&source, "world.toml", folder.path()).unwrap();
    let zones: Vec<_> = (scenario.world.zones.iter())
        .map(|zone| (zone.name.as_str(), zone.ceiling_m))
        .collect();
    assert_eq!(zones, [("Heliport", 120.0), ("Stadium", 300.0)]);

    let crossed = heliport.replace(
        "[37.776, -122.392], [37.776, -122.386]",
        "[37.776, -122.386], [37.776, -122.392]",
    );
    let wrong = parse_here(&format!("{FULL}{crossed}")).unwrap_err();
    assert!(
        wrong
            .iter()
            .any(|error| error.message.contains("is not a simple polygon")),
        "{wrong:#?}"
    );
}

#[test]
fn the_hash_tells_worlds_apart_but_not_their_spelling() {
    let hash = |source: &str| parse_here(source).unwrap().world.scenario_hash;
    let original = hash(FULL);
    let same = [
        format!("# a comment\n{FULL}"),
        FULL.replace("seed = 42", "seed = 43"),
        FULL.replace("duration = \"4h\"", "duration   =   \"240m\""),
        FULL.replace("description = \"everything\"\n", ""),
        FULL.replace("backlog = 100\n", "backlog = 100\nscheduled = 10000\n"),
    ];
    for source in same {
        assert_eq!(hash(&source), original, "{source}");
    }
    let others = [
        FULL.replace("-122.3950", "-122.3951"),
        FULL.replace("speed = 5.0", "speed = 5.1"),
        FULL.replace("count = 100", "count = 101"),
        FULL.replace("backlog = 100\n", "backlog = 100\nscheduled = 100\n"),
        FULL.replace("disc_area = 1.3", "disc_area = 1.4"),
        FULL.replace("tag = \"hero\"\n", ""),
        FULL.replace("ground = 20", "land = \"maps/san-francisco.land.geojson\""),
    ];
    for source in others {
        assert_ne!(hash(&source), original, "{source}");
    }
}

#[test]
fn the_schema_says_what_the_reader_says() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let as_json = |source: &str| serde_json::to_value(source.parse::<toml::Table>().unwrap()).unwrap();
    for source in SHIPPED.map(source_of).iter().map(String::as_str).chain([FULL]) {
        let errors: Vec<String> = validator
            .iter_errors(&as_json(source))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0]);
    }
    let wrong = [
        ("pads = 12", "pds = 12"),
        ("pads = 12", "pads = 0"),
        ("seed = 42", ""),
        ("duration = \"4h\"", "duration = \"4\""),
        ("rate = \"60/h\"", "rate = 60"),
        ("[37.7599, -122.4148]", "[-122.4148, 37.7599]"),
        ("\"refuse\"", "\"ignore\""),
    ];
    for (piece, instead) in wrong {
        assert!(
            !validator.is_valid(&as_json(&FULL.replacen(piece, instead, 1))),
            "{instead}"
        );
    }
}

#[test]
fn shipped_scenarios_load_without_a_warning() {
    for name in SHIPPED {
        let scenario = load(&shipped(name)).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        assert_eq!(scenario.warnings, [], "{name}");
        assert!(
            source_of(name).starts_with("# "),
            "{name} does not open with what it shows"
        );
    }
}

#[test]
fn san_francisco_is_as_large_as_promised_and_just_keeps_up() {
    let world = load(&shipped("san-francisco.toml")).unwrap().world;
    assert!(world.hubs.len() >= 8 && world.drone_count() >= 400 && world.places.len() >= 25);
    let capacity = estimate(&world).unwrap();
    let share = capacity.offered_per_s / capacity.served_per_s;
    assert!((0.8..=1.0).contains(&share), "{capacity:?}");
}

/// The reference's second request: 10 lb between two names that no scenario lists.
#[test]
fn a_heavy_parcel_between_scattered_places_has_a_drone() {
    let world = load(&shipped("san-francisco.toml")).unwrap().world;
    let point = |name| world.area.point(resolve_place(&world, name).unwrap().location);
    let feasible = world.fleets.iter().any(|fleet| {
        let model = world.model(fleet.model);
        let hub = world.hub(fleet.hub).at;
        let errand = Errand {
            hub,
            pickup: point("my pickup"),
            dropoff: point("drop off"),
            home: hub,
            payload_kg: crate::sim::units::pounds_to_kg(10.0),
        };
        let usable_wh = model.battery.capacity_wh * (1.0 - model.battery.reserve);
        plan_delivery(model, &world.air(SimTime::START), &errand)
            .is_ok_and(|mission| mission.energy_wh <= usable_wh)
    });
    assert!(feasible);
}
