//! What is said of files that are wrong or doubtful.

use proptest::prelude::*;

use super::*;

/// What is there, what stands there instead, and what is said of that; ⏎ is a line's end.
const MISTAKES: &str = r#"
pads = 12 | pds = 12 | 18:1: error: unknown key `pds`; did you mean `pads`?
from = 270 | from = 270, towards = 90 | 67:35: error: unknown key `towards`
start = "2026-06-01T18:00:00Z" |  | 1:1: error: `start` is missing; add start
"2026-06-01T18:00:00Z" | "noon" | 4:9: error: `start` cannot be "noon"
"2026-06-01T18:00:00Z" | 1960-01-01T00:00:00Z | 4:9: error: `start` is before 1970
duration = "4h" | duration = "-1h" | 5:12: error: `duration` cannot be "-1h"
duration = "4h" | duration = "0s" | 5:12: error: `duration` cannot be "0s"
duration = "4h" | duration = 4 | 5:12: error: `duration` is a number, not a duration
"100ms" | "0ms" | 6:8: error: `tick` cannot be "0ms"; give a duration from 1ms to 10s
"100ms" | "11s" | 6:8: error: `tick` cannot be "11s"
"100ms" | "300ms" | 6:8: error: `tick` is neither a whole part of a second
[-122.52, 37.70, -122.35, 37.83] | [-122.35, 37.70, -122.52, 37.83] | 9:8: error: `bbox` has its west
[-122.52, 37.70, -122.35, 37.83] | [37.70, -122.52, 37.83, -122.35] | 9:8: error: `bbox` has latitude and
[-122.52, 37.70, -122.35, 37.83] | [-122.52, 37.70, -122.35] | 9:8: error: `bbox` has 3 numbers, not 4
ground = 20 | ground = 20⏎land = "no.geojson" | 11:8: error: the land file "no.geojson" cannot be
ground = 20 | ground = 20⏎land = "tiny.toml" | 11:8: error: the land file "tiny.toml" is not Geo
ground = 20 | land = "maps/seattle.land.geojson" | 10:8: error: the land file "maps/seattle.land.geojson" has no land
ground = 20 | ground = nan | 10:10: error: `ground` is not a finite number
"refuse" | "ignore" | 12:18: error: `unknown_places` cannot be "ignore"; known: `refuse`
[model.long-wing] | [[hub]]⏎id = "king"⏎location = [37.75, -122.41]⏎[model.long-wing] | 28:6: error: two hubs have the id "king"; give each its own id
id = "king" | id = "Kings Rd" | 22:6: error: `id` is "Kings Rd", which cannot stand in
id = "king" | id = "king"⏎name = "Mission Street hub" | 23:8: error: two hubs have the name
[37.7599, -122.4148] | [-122.4148, 37.7599] | 17:12: error: `location` has latitude and longitude the
[37.7599, -122.4148] | [37.7599, 181] | 17:12: error: `location` [37.7599, 181] is no place on
[37.7599, -122.4148] | [37.7599, "west"] | 17:22: error: `location` is text, not a number
pads = 12 | pads = -1 | 18:8: error: `pads` cannot be -1; give a whole number from 1 to
pads = 12 | pads = 1.5 | 18:8: error: `pads` is 1.5, not a whole number
count = 100 | count = 0 | 50:9: error: `count` cannot be 0
count = 100 | count = 99999999999 | 50:9: error: `count` cannot be 99999999999
count = 100 | count = "many" | 50:9: error: `count` is text, not a whole number
aloft = 0.25 | aloft = 1.5 | 51:9: error: `aloft` cannot be 1.5; give a number from 0 to 1
hub = "mission" | hub = "misson" | 48:7: error: there is no hub "misson"; did you mean `mission`?
model = "box" | model = "b747" | 55:9: error: there is no drone type "b747"; known: `m100`, `m600`
base = "wing" | base = "wings" | 28:8: error: there is no drone type "wings" in the catalogue; did
airspeed = 15 |  | 32:1: error: drone type `box` has no `airspeed`; add
model = "multirotor" | model = "hybrid" | 45:9: error: `power` has no `wing`, which its model needs
[weather] | [[place]]⏎name = "FERRY building"⏎location = [37.75, -122.41]⏎[weather] | 67:8: error: two places have the name "FERRY building"
[weather] | [[place]]⏎name = "1, 2"⏎location = [37.75, -122.41]⏎[weather] | 67:8: error: the place name "1, 2" would be read as coordinates
speed = 5.0 | speed = inf | 67:18: error: `speed` is not a finite number
rate = "60/h" | rate = 60 | 71:8: error: `rate` is no rate; name its unit, as in "600/h"
rate = "60/h" |  | 70:1: error: `demand` has no `rate`
{ at = "places" } | { at = "places", prep = { median = "6m", p95 = "5m" } } | 73:57: error: `p95` is shorter than the median
{ spread = "land" } | { points = "tiny.toml" } | 74:22: error: the file "tiny.toml" has no column `latitude`
rate = "60/h" | trace = "nowhere.csv" | 71:9: error: the file "nowhere.csv" cannot be read
["60m", 1.5] | ["0m", 1.5] | 72:25: error: this time in `profile` is not after
["60m", 1.5] | "60m" | 72:25: error: an entry of `profile` is not a pair
min = 0.2 | min = 1.2 | 75:19: error: the lightest payload (1.2 kg) is heavier than the heaviest (1.1 kg)
pickup = "ferry building" | pickup = "ferry bulding" | 80:10: error: there is no place "ferry bulding"
"37.76,-122.41" | "91,0" | 87:10: error: latitude 91 is not within -90 and 90
expedited = true | expedited = 1 | 91:13: error: `expedited` is a number, not true or false
"earliest-pickup" | "earliest" | 94:10: error: `policy` cannot be "earliest"; did you mean `earliest-p
delivery = 0.7 | delivery = 0.8 | 101:10: error: the shares of `follow` add up to 1.1
rate = "200/s", for | to = "200/s", for | 106:11: error: a stage of `load` is neither steady nor a ramp
{ to = "2000/s", over = "60s" } | { users = 4, for = "60s" } | 106:44: error: some stages of `load` are rates, and some count users
{ to = "2000/s", over = "60s" } | { users = 4 } | 106:44: error: a stage of `load` is neither steady nor a ramp; write { rate
stages = [{ rate = "200/s", for = "30s" }, { to = "2000/s", over = "60s" }] | stages = [{ rate = "0/s", for = "30s" }] | 103:1: error: no stage of `load` asks for anything
{ to = "2000/s", over = "60s" } | { name = "1", to = "2000/s", over = "60s" } | 106:53: error: two stages of `load` have the name "1"; give each
stages = [{ rate = "200/s", for = "30s" }, { to = "2000/s", over = "60s" }] | stages = [] | 106:10: error: `stages` has 0 entries; give at least 1
"{token}" | "{tokn}" | 118:25: error: nothing stands for {tokn} in `headers.x-api-key`; did you mean `token`?
"{token}" | "two\nlines" | 118:13: error: the value of `x-api-key` has more than one line
x-api-key | Content-Length | 118:13: error: `Content-Length` is said by the load itself
"/v2/jobs" | "v2/jobs" | 121:8: error: `path` is no path; begin it with a slash
"/v2/jobs" | "/v2/{id}" | 121:8: error: nothing stands for {id} in `path`
"/job/id" | "job.id" | 123:6: error: `id` is "job.id", which is no JSON pointer
completed = ["DONE"] |  | 125:1: error: `completed` is missing
quantile = 0.99 | stage = "peak" | 110:9: error: there is no stage "peak" in `load`; known: "1", "2"
quantile = 0.99 | window = "1ms" | 110:10: error: `window` cannot be "1ms"
drain = "20s" | connections = 0 | 105:15: error: `connections` cannot be 0
max = "50ms" | max = 0.5 | 111:7: error: `max` does not suit its `op`
seed = 42 | seed =  | 3:8: error: not valid TOML
[weather] | [[zone]]⏎name = "X"⏎polygon = [[37.75, -122.42], [37.76, -122.42], [37.77, -122.42]]⏎[weather] | 68:11: error: zone "X" has no area; give at least three corners
[weather] | [[zone]]⏎name = "x"⏎polygon = [[37.77, -122.4], [37.78, -122.39]]⏎[weather] | 68:11: error: `polygon` has 2 entries; give at least 3
expedited = 0.1⏎ | expedited = 0.1⏎prep = "5m"⏎ | 77:1: error: unknown key `prep`
air_density = 1.2 | grid = [2, 1]⏎[[weather.change]]⏎at = "1h"⏎cells = [[5.0, 270]] | 69:1: error: `cells` has 1 wind, and `grid` 2 cells
air_density = 1.2 | [[weather.change]]⏎at = "1h"⏎speed = 4.0 | 68:1: error: a change of the wind has either `speed` and `from`, or `cells`
air_density = 1.2 | air_density = 1.2⏎[[weather.change]]⏎at = "1h"⏎speed = 4.0⏎from = 361 | 72:8: error: `from` cannot be 361
[weather] | [[zone]]⏎name = "X"⏎polygon = [[37.77, -122.4], [37.78, -122.39], [37.77, -122.39]]⏎[[zone]]⏎name = "x"⏎polygon = [[37.77, -122.4], [37.78, -122.39], [37.77, -122.39]]⏎[weather] | 70:8: error: two zones have the name "x"; give each its own name
[weather] | [[fault]]⏎at = "5m"⏎kind = "wind_shift"⏎duration = "0s"⏎[weather] | 69:12: error: `duration` cannot be "0s"; give a duration from 1us
[weather] | [[fault]]⏎at = "5m"⏎kind = "hub_closed"⏎target = "king"⏎duration = "0s"⏎[weather] | 70:12: error: `duration` cannot be "0s"
[weather] | [[fault]]⏎at = "5m"⏎kind = "carrier_down"⏎mode = "fail"⏎[weather] | 69:8: error: `mode` is of `step_fail` only; leave it out
[weather] | [[fault]]⏎at = "5m"⏎kind = "step_slow"⏎target = "drone"⏎mode = "answer_lost"⏎[weather] | 70:8: error: `mode` is of `step_fail` only
[weather] | [[fault]]⏎at = "5m"⏎kind = "hub_closed"⏎target = "king"⏎speed = 4⏎[weather] | 70:9: error: `speed` and `from` are of `wind_shift` only
[weather] | [[fault]]⏎at = "5m"⏎kind = "battery_cell"⏎target = "d-1"⏎duration = "1m"⏎[weather] | 70:12: error: this fault happens once, and has no `duration`
[weather] | [[fault]]⏎at = "5m"⏎kind = "actor_panic"⏎target = "fleet"⏎duration = "1m"⏎[weather] | 70:12: error: this fault happens once, and has no `duration`
[weather] | [[fault]]⏎at = "5m"⏎kind = "carrier_down"⏎target = "mission"⏎[weather] | 69:10: error: there is no carrier "mission"; write `third_party`
[weather] | [[fault]]⏎at = "5m"⏎kind = "rotor_out"⏎target = "d-102"⏎[weather] | 69:10: error: there is no drone "d-102"; drones are d-0 to d-101
aloft = 0.25 | cycles = { min = 3, max = 2 } | 51:18: error: the fewest cycles (3) are more than the most (2)
[weather] | [weather | 66:9: error: not valid TOML
"#;

#[test]
fn a_mistake_is_told_with_its_place_and_its_remedy() {
    for mistake in MISTAKES.trim().lines() {
        let row: Vec<String> = mistake.split(" | ").map(|cell| cell.replace('⏎', "\n")).collect();
        let [piece, instead, expected] = row.as_slice() else {
            panic!("not three cells: {mistake}");
        };
        let said = said_of(piece, instead);
        let errors: Vec<&String> = said.iter().filter(|line| line.contains(": error: ")).collect();
        // One mistake makes one error.
        let expected = format!("world.toml:{expected}");
        assert!(
            errors.len() == 1 && errors[0].starts_with(&expected),
            "{mistake}\n{said:#?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_in_one_go() {
    let source = FULL
        .replace("seed = 42", "seed = -1")
        .replace("pads = 12", "pads = ")
        .replace("count = 2\n", "count = 0\nspare = 1\n")
        .replace("payload = 0.8", "payload = 0");
    let wrong = parse_here(&source).unwrap_err();
    let places: Vec<_> = wrong.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(
        places,
        [(3, 8), (18, 8), (56, 9), (57, 1), (83, 11)],
        "{wrong:#?}"
    );
}

/// What is there, what stands there instead, and where something is wrong then, all of it; ⏎ is a
/// line's end.
const SEVERAL: &str = r#"
base = "wing"⏎max_payload = 2.0 | base = "wings"⏎airspeed = "fast"⏎max_payload = 2.0 | 28:8 29:12
airspeed = 15⏎climb = 4 | airspeed = "fast" | 32:1 35:12
model = "multirotor", rotors | model = "hybrid", wing = 5, rotors | 45:36
battery = { capacity = 600, charge_power = 600 } | battery = { capacity = 0, charge_power = 0 } | 44:24 44:42
[weather] | [[zone]]⏎polygon = [[37.75, -122.42], [37.76, -122.41], [37.76, -122.42], [37.75, -122.41]]⏎ceiling = -1⏎from = "2h"⏎until = "1h"⏎[weather] | 66:1 67:11 68:11 70:9
[weather] | [[zone]]⏎name = "X"⏎polygon = 5⏎floor = 200⏎[weather] | 66:1 68:11
air_density = 1.2 | grid = [2, 1]⏎[[weather.change]]⏎at = "1h"⏎cells = [[5.0, 270]]⏎from = 90⏎rain = 1.0⏎rain_cells = [1.0] | 69:1 69:1 69:1 69:1
air_density = 1.2 | grid = [2, 1]⏎[[weather.change]]⏎at = "1h"⏎cells = [[5.0, 270], [99.0, 270]] | 71:23
air_density = 1.2 | grid = 2⏎[[weather.change]]⏎at = "1h"⏎cells = [[5.0, 270], [6.0, 270]] | 68:8
["60m", 1.5]]⏎pickup = { at = "places" }⏎dropoff = { spread = "land" }⏎payload = { min = 0.2, | ["0m", 1.5]]⏎pickup = { at = "places" }⏎dropoff = { spread = "land" }⏎payload = { min = 2.2, | 72:25 75:19
name = "full" | name = "" | 1:8
{ x-api-key = "{token}" }⏎⏎[target.request]⏎path = "/v2/jobs" | { host = "x" }⏎⏎[target.request]⏎headers = { host = "x", connection = "x" }⏎path = "jobs" | 118:13 121:13 121:25 122:8
[weather] | [[fault]]⏎at = "1m"⏎kind = "link_lost"⏎target = "d-200"⏎[[fleet]]⏎hub = "mission"⏎model = "box"⏎count = 0⏎[[request]]⏎at = "1m"⏎pickup = "nowhere"⏎dropoff = "Dolores Park"⏎payload = 1.0⏎[weather] | 73:9 76:10
"#;

#[test]
fn no_mistake_hides_another_nor_makes_one() {
    let mut wrong = Vec::new();
    for mistakes in SEVERAL.trim().lines() {
        let row: Vec<String> = mistakes
            .split(" | ")
            .map(|cell| cell.replace('⏎', "\n"))
            .collect();
        let [piece, instead, expected] = row.as_slice() else {
            panic!("not three cells: {mistakes}");
        };
        let said = said_of(piece, instead);
        let errors = said.iter().filter(|line| line.contains(": error: "));
        let place = |line: &String| line.splitn(4, ':').skip(1).take(2).collect::<Vec<_>>().join(":");
        let places: Vec<String> = errors.map(place).collect();
        if places.join(" ") != *expected {
            wrong.push(format!("{mistakes}\n{said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// As [`MISTAKES`], for doubts that refuse nothing.
const DOUBTS: &str = r#"
[37.7765, -122.3950] | [37.8765, -122.3950] | 23:12: warning: hub `king` is outside the area
[37.7955, -122.3937] | [37.5, -122.3937] | 60:12: warning: place "Ferry Building" is outside the area
max = 1.1 | max = 6.0 | 75:30: warning: a payload of 6 kg is more than any drone type carries
payload = 2.5 | payload = 9 | 89:11: warning: a payload of 9 kg is more than any drone type carries
at = "2m" | at = "5h" | 79:6: warning: this request is made after the end of a run
rate = "60/h" | rate = "6000/h" | 71:8: warning: offered 9000/h at the peak, the fleet serves about
model = "box" | model = "m600" | 32:8: warning: no fleet flies the drone type `box`
[weather] | [[fault]]⏎at = "5h"⏎kind = "carrier_down"⏎[weather] | 67:6: warning: this fault strikes after the end of a run; move it
[weather] | [[zone]]⏎name = "X"⏎from = "5h"⏎polygon = [[37.77, -122.4], [37.78, -122.39], [37.77, -122.39]]⏎[weather] | 68:8: warning: zone "X" begins after the end of a run
[37.7596, -122.4269]⏎payload | [37.7596, -122.6]⏎payload | 81:11: warning: this place is outside the area
reserve = 0.25 | swap = "90s", cycles_to_80 = 300 | 30:58: warning: batteries that are swapped come as new
[weather] | [separation]⏎tactical = ["level", "hold", "level"]⏎[weather] | 67:30: warning: `tactical` names this twice
"37.76,-122.41" | "37.6,-122.41" | 87:10: warning: this place is outside the area
[weather] | [[zone]]⏎name = "X"⏎polygon = [[37.75, -122.42], [37.77, -122.42], [37.77, -122.41], [37.75, -122.41]]⏎[weather] | 68:11: warning: zone "X" lies over hub `mission`, which nobody leaves
charge_power = 300 } | charge_power = 300, cycles_to_80 = 100 }⏎[[fleet]]⏎hub = "mission"⏎model = "long-wing"⏎count = 2⏎cycles = { min = 10, max = 400 } | 35:10: warning: some batteries of this fleet hold no more than the reserve
aloft = 0.25 | cycles = { min = 0, max = 2 } | 51:10: warning: batteries of `long-wing` do not age
air_density = 1.2 | air_density = 1.2⏎[[weather.change]]⏎at = "20m"⏎rain = 1.0⏎[[weather.change]]⏎at = "10m"⏎rain = 2.0 | 72:1: warning: a change of the weather comes after one that is later than it
air_density = 1.2 | air_density = 1.2⏎[[weather.change]]⏎at = "10m"⏎rain = 1.0⏎[[weather.change]]⏎at = "10m"⏎rain = 2.0 | 72:1: warning: two changes of the weather are at the same time
"#;

#[test]
fn doubts_are_told_and_refuse_nothing() {
    for doubt in DOUBTS.trim().lines() {
        let row: Vec<String> = doubt.split(" | ").map(|cell| cell.replace('⏎', "\n")).collect();
        let [piece, instead, expected] = row.as_slice() else {
            panic!("not three cells: {doubt}");
        };
        let said = said_of(piece, instead);
        let expected = format!("world.toml:{expected}");
        let errors = said.iter().filter(|line| line.contains(": error: ")).count();
        let doubted = said.iter().any(|line| line.starts_with(&expected));
        assert!(errors == 0 && doubted, "{doubt}\n{said:#?}");
    }
}

#[test]
fn who_may_not_fly_in_the_rain_serves_nobody() {
    let said = said_of("[weather]", "[weather]\nrain = 100");
    let kept = "since the weather keeps it on the ground for 98 % of the time";
    assert!(
        said.len() == 2 && said[0].contains("rain of 100.0 mm/h is forecast") && said[1].contains(kept),
        "{said:#?}"
    );
}

#[test]
fn a_hub_in_the_water_is_doubted() {
    let source = FULL
        .replace("ground = 20", "land = \"maps/san-francisco.land.geojson\"")
        .replace("[37.7765, -122.3950]", "[37.80, -122.37]");
    let scenario = parse_here(&source).unwrap();
    let said: Vec<String> = scenario.warnings.iter().map(Diagnostic::to_string).collect();
    assert_eq!(
        said,
        ["world.toml:23:12: warning: hub `king` is in the water; move it onto land"]
    );
}

#[test]
fn coordinates_inside_the_area_when_swapped_get_a_hint() {
    let source = "name = \"n\"\nseed = 1\nstart = \"2026-06-01T00:00:00Z\"\nduration = \"1h\"\n\
        area.bbox = [8.4, 47.3, 8.6, 47.5]\n[[hub]]\nid = \"a\"\nlocation = [8.5, 47.4]\n\
        [[fleet]]\nhub = \"a\"\nmodel = \"wing\"\ncount = 1\n";
    let scenario = parse_here(source).unwrap();
    let said: Vec<String> = scenario.warnings.iter().map(Diagnostic::to_string).collect();
    let expected =
        "world.toml:8:12: warning: hub `a` is outside the area; latitude comes first: [47.4, 8.5] is inside";
    assert_eq!(said, [expected]);
}

#[test]
fn files_that_are_no_scenarios_are_refused_with_words() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, b"name = \"ok\"\nseed = \xff\xfe").unwrap();
    let said = check(&[missing, binary, folder.path().to_owned()]);
    let said: Vec<_> = said
        .iter()
        .map(|error| (error.line, error.column, error.message.as_str()))
        .collect();
    assert_eq!(said.len(), 3);
    assert!(said[0].2.starts_with("the file cannot be read"));
    assert_eq!(said[1], (2, 8, "the file is not UTF-8 text"));
    assert!(said[2].2.starts_with("the file cannot be read"));
}

#[test]
fn an_empty_file_names_all_that_is_required() {
    let wrong = parse_here("").unwrap_err();
    let messages: Vec<&str> = wrong.iter().map(|error| error.message.as_str()).collect();
    let required = ["name", "seed", "start", "duration", "area", "hub", "fleet"];
    assert_eq!(messages, required.map(|key| format!("`{key}` is missing")));
}

proptest! {
    #[test]
    fn any_text_is_answered(source in ".{0,200}") {
        let answered = parse_here(&source);
        prop_assert!(answered.is_err_and(|wrong| !wrong.is_empty()));
    }

    /// Whatever is exchanged in a good file, there is an answer, and it points into the file.
    #[test]
    fn any_mutation_is_answered(
        start in 0..FULL.len(),
        length in 0..40_usize,
        instead in prop_oneof![
            "[ -~\n]{0,12}".prop_map(String::from),
            Just("nan".to_owned()), Just("1e999".to_owned()), Just("[[".to_owned()), Just("= {".to_owned()),
            Just("-9223372036854775808".to_owned()), Just("\"\"\"".to_owned()), Just("\u{feff}é".to_owned()),
        ],
    ) {
        let end = (start + length).min(FULL.len());
        let source = format!("{}{instead}{}", &FULL[..start], &FULL[end..]);
        let diagnostics = match parse_here(&source) {
            Ok(scenario) => scenario.warnings,
            Err(wrong) => {
                prop_assert!(wrong.iter().any(|error| error.severity == Severity::Error));
                wrong
            }
        };
        let lines = source.matches('\n').count() + 1;
        for diagnostic in diagnostics {
            prop_assert!((1..=lines).contains(&diagnostic.line) && diagnostic.column >= 1);
            prop_assert!(!diagnostic.to_string().contains('\n'));
        }
    }
}
