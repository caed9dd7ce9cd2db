//! Zones of a GeoJSON file: a feature is one, and its properties have the names and defaults of
//! `[[zone]]`. Properties of other names are the file's own affair, unless they look like slips.

use std::collections::BTreeSet;

use geo::{LineString, Polygon};
use serde_json::{Map, Value};

use super::super::diagnostic::{At, Log};
use super::super::document::{REFERENCES, ZONE_HEIGHTS};
use super::super::fields::nearest;
use super::super::geojson::Feature;
use super::super::times::parse_duration;
use super::checks::{Checks, Spans};
use super::unnamed;
use crate::sim::places::normal_name;
use crate::sim::time::SimTime;
use crate::sim::world::{HeightReference, Zone};

const KEYS: [&str; 6] = ["name", "floor", "ceiling", "reference", "from", "until"];

pub(super) fn add_zones(
    features: Vec<Feature>,
    file: &At<String>,
    checks: &Checks<'_>,
    zones: &mut Vec<At<Zone>>,
    log: &mut Log,
) {
    let mut known: BTreeSet<String> = zones.iter().map(|zone| normal_name(&zone.value.name)).collect();
    let spans = Spans::all_at(&file.span);
    for feature in features.into_iter().filter(Feature::counts) {
        let zone = Properties::of(&feature, file).zone(log);
        checks.heights(&zone, &spans, log);
        checks.times(&zone, &spans, log);
        if !known.insert(normal_name(&zone.name)) {
            let message = format!(
                "with \"{}\", two zones have the name \"{}\"",
                file.value, zone.name
            );
            log.error(&file.span, message, "give each its own name");
        }
        for polygon in feature.polygons {
            let zone = Zone {
                polygon,
                ..zone.clone()
            };
            checks.outline(&zone, &spans, log);
            zones.push(At {
                value: zone,
                span: file.span.clone(),
            });
        }
    }
}

struct Properties<'a> {
    given: &'a Map<String, Value>,
    /// Of the zone.
    name: String,
    file: &'a At<String>,
}

impl<'a> Properties<'a> {
    fn of(feature: &'a Feature, file: &'a At<String>) -> Self {
        let given = &feature.properties;
        let name = given.get("name").and_then(Value::as_str);
        Properties {
            given,
            name: name.map_or_else(|| unnamed(feature.number), str::to_owned),
            file,
        }
    }

    /// Still without its outline.
    fn zone(&self, log: &mut Log) -> Zone {
        self.doubt_names(log);
        let name = self.get("name");
        if let Some(value) = name.filter(|name| !name.is_string()) {
            let what = format!(
                "in \"{}\", a name is {value}, and no text: that zone is called \"{}\"",
                self.file.value, self.name
            );
            log.warn(&self.file.span, what, "give it in quotes");
        }
        Zone {
            name: self.name.clone(),
            polygon: Polygon::new(LineString::new(Vec::new()), Vec::new()),
            floor_m: self.height_m("floor", 0.0, log),
            ceiling_m: self.height_m("ceiling", 120.0, log),
            reference: self.reference(log),
            from: self.moment("from", SimTime::START, log),
            until: self.moment("until", SimTime::NEVER, log),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.given.get(key).filter(|value| !value.is_null())
    }

    fn refuse(&self, key: &str, value: &Value, remedy: &str, log: &mut Log) {
        let what = format!(
            "in \"{}\", the `{key}` of zone \"{}\" cannot be {value}",
            self.file.value, self.name
        );
        log.error(&self.file.span, what, remedy);
    }

    fn height_m(&self, key: &str, default_m: f64, log: &mut Log) -> f64 {
        let Some(value) = self.get(key) else {
            return default_m;
        };
        let height_m = value
            .as_f64()
            .filter(|height_m| ZONE_HEIGHTS.0.contains(height_m));
        height_m.unwrap_or_else(|| {
            self.refuse(key, value, "give a number of metres", log);
            default_m
        })
    }

    fn moment(&self, key: &str, default: SimTime, log: &mut Log) -> SimTime {
        let Some(value) = self.get(key) else {
            return default;
        };
        match value.as_str().and_then(parse_duration) {
            Some(after) => SimTime::START + after,
            None => {
                let remedy = "give a time from the start on, such as \"90m\"";
                self.refuse(key, value, remedy, log);
                default
            }
        }
    }

    fn reference(&self, log: &mut Log) -> HeightReference {
        let Some(value) = self.get("reference") else {
            return HeightReference::Agl;
        };
        let known = REFERENCES.0.iter().find(|(word, _)| value == word);
        known.map_or_else(
            || {
                self.refuse("reference", value, "give \"AGL\" or \"AMSL\"", log);
                HeightReference::Agl
            },
            |(_, reference)| *reference,
        )
    }

    fn doubt_names(&self, log: &mut Log) {
        let missing = KEYS.iter().copied().filter(|key| self.get(key).is_none());
        let others = self.given.keys().filter(|key| !KEYS.contains(&key.as_str()));
        for key in others {
            let Some(meant) = nearest(key, missing.clone()) else {
                continue;
            };
            let what = format!(
                "in \"{}\", zone \"{}\" has a property `{key}`, which means nothing",
                self.file.value, self.name
            );
            log.warn(&self.file.span, what, format!("did you mean `{meant}`?"));
        }
    }
}
