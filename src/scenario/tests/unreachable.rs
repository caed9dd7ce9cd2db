//! What no drone gets to, and hubs through which too few get: told, and not where they do.

use super::useless::hold_all_that_is_said_against;
use super::*;

/// As the rows of worlds that are useless.
const UNREACHABLE: &str = r#"
[weather] | [[zone]]⏎name = "Park"⏎polygon = [[37.758, -122.43], [37.762, -122.43], [37.762, -122.424], [37.758, -122.424]]⏎[weather] | 64:12: warning: place "Dolores Park" lies under zone "Park", which no drone flies in; move one of them, or & 84:11: warning: no drone flies this request: zone "Park" lies over its drop-off then; move & 91:11: warning: no drone flies this request: zone "Park" lies over its drop-off then
[weather] | [[zone]]⏎name = "Park"⏎polygon = [[37.758, -122.43], [37.762, -122.43], [37.762, -122.424], [37.758, -122.424]]⏎until = "10m"⏎[weather] |
[weather] | [[zone]]⏎name = "Park"⏎polygon = [[37.758, -122.43], [37.762, -122.43], [37.762, -122.424], [37.758, -122.424]]⏎until = "3h"⏎[weather] | 85:11: warning: no drone flies this request: zone "Park" lies over its drop-off then; move & 92:11: warning: no drone
[weather] | [[zone]]⏎name = "Park"⏎polygon = [[37.758, -122.43], [37.762, -122.43], [37.762, -122.424], [37.758, -122.424]]⏎ceiling = 4⏎[weather] | 92:11: warning: no drone flies this request: zone "Park" lies over its drop-off then
[weather] | [[zone]]⏎name = "Pier"⏎polygon = [[37.794, -122.396], [37.797, -122.396], [37.797, -122.391], [37.794, -122.391]]⏎[weather] | 60:12: warning: place "Ferry Building" lies under zone "Pier" & 83:10: warning: no drone flies this request: zone "Pier" lies over its pick-up then
capacity = 600 | capacity = 90 | 88:11: warning: no drone flies this request: no battery of a type that lifts its 2.5 kg lasts for it; give nearer places
pads = 12 | pads = 1 | 71:8: warning: offered 90/h at the peak, the pads take about
chargers = 120 | chargers = 1 | 71:8: warning: offered 90/h at the peak, the fleet serves about
"#;

#[test]
fn what_nobody_gets_to_is_told_with_what_is_in_the_way() {
    hold_all_that_is_said_against(UNREACHABLE);
}

#[test]
fn chargers_that_let_too_few_through_are_named() {
    let chargers = said_of("chargers = 120", "chargers = 1");
    assert!(
        chargers[0].contains("since its chargers keep up with no more"),
        "{chargers:#?}"
    );
}

/// `FULL` without its demand.
fn without_demand() -> String {
    let begins = FULL.find("[demand]").expect("it has demand");
    let ends = FULL.find("[[request]]").expect("it has requests");
    format!("{}{}", &FULL[..begins], &FULL[ends..])
}

fn warnings_of(source: &str) -> Vec<String> {
    let scenario = parse_here(source).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    scenario.warnings.iter().map(Diagnostic::to_string).collect()
}

#[test]
fn where_nobody_says_what_is_asked_for_pads_and_chargers_go_by_the_drones() {
    let source = without_demand();
    assert_eq!(warnings_of(&source), [""; 0]);
    let pads = warnings_of(&source.replace("pads = 12", "pads = 1"));
    assert!(
        pads.len() == 1
            && pads[0]
                .starts_with("world.toml:18:8: warning: hub `mission` has 1 pad for 100 drones: it takes"),
        "{pads:#?}"
    );
    let chargers = warnings_of(&source.replace("chargers = 120", "chargers = 2"));
    assert!(
        chargers.len() == 1
            && chargers[0]
                .starts_with("world.toml:19:12: warning: hub `mission` has 2 chargers for 100 drones"),
        "{chargers:#?}"
    );
}

/// Whose drones do not come far.
fn weak(source: &str) -> String {
    source
        .replace("capacity = 300", "capacity = 60")
        .replace("capacity = 600", "capacity = 200")
}

/// A hub from which drones of others bring things is as good as one with its own.
#[test]
fn a_hub_without_a_fleet_is_doubted_where_nobody_gets_there() {
    let said_of_hub_at = |location: &str| -> Vec<String> {
        let hub = format!("[[hub]]\nid = \"corner\"\nlocation = {location}\n[model.long-wing]");
        let source = weak(&without_demand()).replace("[model.long-wing]", &hub);
        let said = warnings_of(&source).into_iter();
        said.filter(|line| line.contains("`corner`")).collect()
    };
    assert_eq!(said_of_hub_at("[37.7650, -122.4200]"), [""; 0]);
    let said = said_of_hub_at("[37.8290, -122.3510]");
    let expected = "world.toml:28:6: warning: hub `corner` has no fleet, and drones of others cannot";
    assert!(said.len() == 1 && said[0].starts_with(expected), "{said:#?}");
}

#[test]
fn a_share_of_the_demand_that_is_out_of_reach_is_told() {
    let told = |line: &String| line.starts_with("world.toml:71:8: warning: no drone can fly about");
    let said = warnings_of(&weak(FULL));
    assert!(said.iter().any(told), "{said:#?}");
}

#[test]
fn requests_of_a_trace_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = "at,pickup,dropoff,payload\n1m,Ferry Building,Dolores Park,0.5\n2m,Ferry Building,\"37.70,-122.52\",5.0\n";
    std::fs::write(folder.path().join("day.csv"), rows).expect("a file");
    let source = FULL.replace("rate = \"60/h\"", "trace = \"day.csv\"");
    let scenario = parse(&source, "world.toml", folder.path()).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let said: Vec<String> = scenario.warnings.iter().map(Diagnostic::to_string).collect();
    assert!(
        said.len() == 1 && said[0].contains("no drone can fly 1 of 2 requests looked at in \"day.csv\""),
        "{said:#?}"
    );
}

/// Storm until half past, and a request on either side of its end.
const STORM: &str = r#"name = "storm"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "1h"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
[[hub]]
id = "h"
location = [37.7600, -122.4500]
[[fleet]]
hub = "h"
model = "wing"
count = 8
[dispatch]
max_wait = "5m"
[weather]
wind = { speed = 20, from = 270 }
[[weather.change]]
at = "30m"
speed = 20
from = 270
[[weather.change]]
at = "31m"
speed = 3
from = 270
[[request]]
at = "2m"
pickup = [37.76, -122.449]
dropoff = [37.762, -122.43]
payload = 0.4
[[request]]
at = "40m"
pickup = [37.76, -122.449]
dropoff = [37.762, -122.43]
payload = 0.4
"#;

#[test]
fn a_request_that_only_weather_keeps_down_is_told_unless_it_waits_until_that_is_over() {
    let [only] = &warnings_of(STORM)[..] else {
        panic!("{:#?}", warnings_of(STORM));
    };
    let expected = "world.toml:29:11: warning: no drone flies this request: weather keeps everybody on the \
                    ground for as long as it waits; move it to another time";
    assert!(only.starts_with(expected), "{only}");
    for patient in [
        STORM.replace("max_wait = \"5m\"", "max_wait = \"45m\""),
        STORM.replace("at = \"2m\"", "at = \"38m\""),
        STORM.replace("speed = 20, from", "speed = 5, from"),
    ] {
        assert_eq!(warnings_of(&patient), [""; 0], "{patient}");
    }
}

#[test]
fn gusts_that_keep_a_type_down_are_told_in_grammar() {
    let said = said_of("speed = 5.0, from = 270", "speed = 5.0, from = 270, gust = 10");
    assert!(
        said.iter()
            .any(|line| line.contains("gusts of 25.0 m/s are forecast at the start")),
        "{said:#?}"
    );
}
