//! Worlds in which nobody flies, or a zone closes nothing, or weather never comes: told once, by the one line that says why.

use super::*;

/// What is there, what stands there instead, and all that is said of it, `&` between lines; ⏎ is a
/// line's end.
const USELESS: &str = r#"
[weather] | [[zone]]⏎name = "All"⏎polygon = [[37.6, -122.6], [37.9, -122.6], [37.9, -122.3], [37.6, -122.3]]⏎[weather] | 68:11: warning: zone "All" lies over all 2 hubs, which nobody leaves while it is in force; move one of them
[weather] | [[zone]]⏎name = "Strip"⏎polygon = [[37.701, -122.9], [37.703, -122.9], [37.703, -122.0], [37.701, -122.0]]⏎[weather] |
[weather] | [[zone]]⏎name = "Far"⏎polygon = [[38.6, -122.6], [38.9, -122.6], [38.9, -122.3], [38.6, -122.3]]⏎[weather] | 68:11: warning: zone "Far" is outside the area
[weather] | [[zone]]⏎name = "Low"⏎polygon = [[37.71, -122.40], [37.72, -122.40], [37.72, -122.39]]⏎ceiling = 15⏎reference = "AMSL"⏎[weather] | 69:11: warning: zone "Low" closes nothing: it ends at 15 m above the sea, where the ground is higher; give a ceiling above the area's ground, 20 m, or
[weather] | [[zone]]⏎name = "Dot"⏎polygon = [[37.75, -122.42], [37.75, -122.42], [37.75, -122.42]]⏎[weather] | 68:11: error: zone "Dot" has no area; give at least three corners
[weather] | [[zone]]⏎name = "Line"⏎polygon = [[37.75, -122.42], [37.76, -122.42], [37.77, -122.42]]⏎[weather] | 68:11: error: zone "Line" has no area
[weather] | [[zone]]⏎name = "Tie"⏎polygon = [[37.75, -122.42], [37.76, -122.41], [37.76, -122.42], [37.75, -122.41]]⏎[weather] | 68:11: error: the outline of zone "Tie" is not a simple polygon
[weather] | [[zone]]⏎name = "High"⏎polygon = [[37.71, -122.40], [37.72, -122.40], [37.72, -122.39]]⏎floor = 111⏎[weather] | 69:9: warning: zone "High" closes nothing: it begins at 111 m above the ground; nobody flies higher than 110 m above the ground; give a floor of 110 m at most
[weather] | [[zone]]⏎name = "High"⏎polygon = [[37.71, -122.40], [37.72, -122.40], [37.72, -122.39]]⏎floor = 110⏎[weather] |
[weather] | [[zone]]⏎name = "High"⏎polygon = [[37.71, -122.40], [37.72, -122.40], [37.72, -122.39]]⏎floor = 131⏎ceiling = 300⏎reference = "AMSL"⏎[weather] | 69:9: warning: zone "High" closes nothing: it begins at 131 m above the sea, and the ground is at 20 m; nobody flies higher than 110 m above the ground; give a floor of 130 m at most
[weather] | [[zone]]⏎name = "High"⏎polygon = [[37.71, -122.40], [37.72, -122.40], [37.72, -122.39]]⏎floor = 130⏎ceiling = 300⏎reference = "AMSL"⏎[weather] |
air_density = 1.2 | air_density = 1.2⏎[[weather.change]]⏎at = "5h"⏎rain = 1.0 | 70:6: warning: this change of the weather is complete after the end of a run only; move it, or
air_density = 1.2 | air_density = 1.2⏎[[weather.change]]⏎at = "4h"⏎rain = 1.0 |
speed = 5.0 | speed = 45 | 49:9: warning: drones of type `long-wing` at hub `mission` never take off: a wind of 45.0 m/s is forecast at the start, they fly in & 55:9: warning: drones of type `box` cannot fly 500 m and back in the wind over hub `king`, 45 m/s at the start; give the day less wind, or the type more than its 15 m/s of `airspeed`
capacity = 600 | capacity = 1 | 55:9: warning: drones of type `box` cannot fly 500 m and back: that takes
[weather] | [separation]⏎tactical = ["level", "hold", "level"]⏎[weather] | 67:30: warning: `tactical` names this twice; name each means once
"#;

#[test]
fn what_makes_a_world_useless_is_told_once() {
    hold_all_that_is_said_against(USELESS);
}

/// Of each row.
pub(super) fn hold_all_that_is_said_against(rows: &str) {
    let mut wrong = Vec::new();
    for row in rows.trim().lines() {
        let cells: Vec<String> = row
            .split(" |")
            .map(|cell| cell.trim_start().replace('⏎', "\n"))
            .collect();
        let [piece, instead, expected] = cells.as_slice() else {
            panic!("not three cells: {row}");
        };
        let said = said_of(piece, instead);
        let expected: Vec<_> = expected.split(" & ").filter(|line| !line.is_empty()).collect();
        let is_said =
            |(said, expected): (&String, &&str)| said.starts_with(&format!("world.toml:{expected}"));
        if said.len() != expected.len() || !said.iter().zip(&expected).all(is_said) {
            wrong.push(format!("{row}\n{said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Also where nothing is ordered that they could be held against.
#[test]
fn batteries_that_are_too_small_are_told_without_demand() {
    let source = FULL.replace("capacity = 300", "capacity = 1");
    let begins = source.find("[demand]").expect("it has demand");
    let ends = source.find("[[request]]").expect("it has requests");
    let source = format!("{}{}", &source[..begins], &source[ends..]);
    let said = parse_here(&source)
        .unwrap_or_else(|wrong| panic!("{wrong:#?}"))
        .warnings;
    let [one] = said.as_slice() else {
        panic!("{said:#?}");
    };
    assert!(
        one.message
            .starts_with("drones of type `long-wing` cannot fly 500 m and back"),
        "{one}"
    );
    assert!(
        one.remedy
            .starts_with("give the type a `battery.capacity` well above "),
        "{one}"
    );
}
