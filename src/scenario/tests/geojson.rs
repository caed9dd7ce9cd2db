//! Zones and land in GeoJSON: each mistake of each feature in one go.

use super::*;

const RING: &str = "[-122.44,37.77],[-122.43,37.77],[-122.43,37.78],[-122.44,37.78],[-122.44,37.77]";

/// What is said of the world with these features as its zones.
fn said_of_zones(features: &[String]) -> Vec<String> {
    let collection = format!(
        r#"{{"type":"FeatureCollection","features":[{}]}}"#,
        features.join(",")
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("z.geojson"), collection).unwrap();
    let source = format!("zones = \"z.geojson\"\n{FULL}");
    let said = match parse(&source, "world.toml", folder.path()) {
        Ok(scenario) => scenario.warnings,
        Err(said) => said,
    };
    let lines = said.iter().map(Diagnostic::to_string);
    let strip = |line: String| {
        let line = line
            .strip_prefix("world.toml:1:9: ")
            .expect("it is said of the file");
        line.replace("in \"z.geojson\", ", "")
    };
    lines.map(strip).collect()
}

fn feature(properties: &str, geometry: &str) -> String {
    format!(r#"{{"type":"Feature","properties":{{{properties}}},"geometry":{geometry}}}"#)
}

fn polygon(ring: &str) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[[{ring}]]}}"#)
}

#[test]
fn every_mistake_of_every_feature_is_told_in_one_go() {
    let right = polygon(RING);
    let features = [
        feature(r#""name":"good","ceiling":100"#, &right),
        feature(
            r#""name":"short""#,
            &polygon("[-122.44,37.77],[-122.43,37.77],[-122.44,37.77]"),
        ),
        feature(
            r#""name":"swapped","floor":50,"ceiling":20"#,
            &polygon("[37.77,-122.44],[37.77,-122.43],[37.78,-122.43],[37.77,-122.44]"),
        ),
        feature(r#""reference":5"#, &right),
        feature(r#""name":"high","floor":"low","reference":"XX","from":5"#, &right),
        feature(r#""name":"good""#, &right),
        feature("", r#"{"type":"Polygon","coordinates":"none"}"#),
    ];
    let said = said_of_zones(&features);
    let expected = [
        "error: feature 2 has a ring of 3 positions; give at least four",
        "error: feature 3 has a place that is no longitude and latitude, [37.77, -122.44]; longitude comes first: [-122.44, 37.77]",
        "error: feature 7 is not GeoJSON: ",
        "error: zone \"swapped\" ends at 20 m, not above its floor",
        "error: the `reference` of zone \"zone 4\" cannot be 5; give \"AGL\" or \"AMSL\"",
        "error: the `floor` of zone \"high\" cannot be \"low\"; give a number of metres",
        "error: the `from` of zone \"high\" cannot be 5; give a time",
        "error: the `reference` of zone \"high\" cannot be \"XX\"",
        "error: with \"z.geojson\", two zones have the name \"good\"",
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for begins in expected {
        assert!(
            said.iter().any(|line| line.starts_with(begins)),
            "{begins}\n{said:#?}"
        );
    }
}

#[test]
fn what_nothing_is_made_of_is_doubted() {
    let right = polygon(RING);
    let doubtful = [
        (
            feature("", r#"{"type":"Point","coordinates":[-122.44,37.77]}"#),
            "feature 2 is a Point, and no polygon: nothing is made of it; give a Polygon",
        ),
        (feature("", "null"), "feature 2 has no geometry: nothing"),
        (
            feature(r#""ceilling":30"#, &right),
            "zone \"zone 2\" has a property `ceilling`, which means nothing; did you mean `ceiling`?",
        ),
        (
            feature(r#""name":7"#, &right),
            "a name is 7, and no text: that zone is called \"zone 2\"; give it in quotes",
        ),
    ];
    let good = feature(r#""name":"good","colour":"red","ceiling":null"#, &right);
    for (other, tells) in doubtful {
        let said = said_of_zones(&[good.clone(), other]);
        let expected = format!("warning: {tells}");
        assert!(
            said.len() == 1 && said[0].starts_with(&expected),
            "{expected}\n{said:#?}"
        );
    }
    assert_eq!(said_of_zones(&[good]), [""; 0]);
}

#[test]
fn a_file_without_any_polygon_is_refused() {
    let point = feature("", r#"{"type":"Point","coordinates":[-122.44,37.77]}"#);
    for (features, lines) in [(vec![], 1), (vec![point], 2)] {
        let said = said_of_zones(&features);
        assert_eq!(said.len(), lines, "{said:#?}");
        assert!(
            said[0].starts_with("error: the zones file \"z.geojson\" has no polygon"),
            "{said:#?}"
        );
    }
}

#[test]
fn land_with_a_mistake_is_refused_and_what_else_is_wrong_told_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let land = feature(
        "",
        &polygon("[-122.44,97],[-122.43,37.77],[-122.43,37.78],[-122.44,97]"),
    );
    std::fs::write(folder.path().join("l.geojson"), land).unwrap();
    let source = FULL
        .replace("ground = 20", "ground = 20\nland = \"l.geojson\"")
        .replace("pads = 12", "pads = 0");
    let said = parse(&source, "world.toml", folder.path()).unwrap_err();
    let said: Vec<String> = said.iter().map(Diagnostic::to_string).collect();
    let place = "world.toml:11:8: error: in \"l.geojson\", feature 1 has a place that is no longitude and latitude, [-122.44, 97.0]; give degrees";
    assert!(
        said.len() == 2 && said[0].starts_with(place) && said[1].contains("pads"),
        "{said:#?}"
    );
}
