//! No-fly zones, from the file itself and from GeoJSON.

mod checks;

use std::collections::BTreeSet;
use std::path::Path;

use geo::{Coord, LineString, Polygon};

use self::checks::{Checks, Spans};
use super::build::{refuse_doubles, refuse_file};
use super::diagnostic::{At, Log};
use super::document::{self, Document, REFERENCES, ZONE_HEIGHTS};
use super::geojson;
use super::times::parse_duration;
use crate::sim::geo::{Area, LatLon};
use crate::sim::places::normal_name;
use crate::sim::time::SimTime;
use crate::sim::world::{HeightReference, Zone};

pub(super) use self::checks::warn_of_closed_hubs;

/// All of them, each with the place in the file where its outline stands.
pub(super) fn build_zones(
    document: &Document,
    area: Option<&Area>,
    base_dir: &Path,
    log: &mut Log,
) -> Vec<At<Zone>> {
    let run = document.duration.as_ref().map(|at| at.value);
    let checks = Checks { area, run };
    let numbered = (1..).zip(&document.zones);
    let mut zones: Vec<At<Zone>> = numbered
        .filter_map(|(number, keys)| own_zone(number, keys, &checks, log))
        .collect();
    let names = document.zones.iter().filter_map(|zone| zone.value.name.as_ref());
    refuse_doubles(names, "name", "zones", log);
    if let Some(file) = &document.zone_file {
        match geojson::read_shapes(&base_dir.join(&file.value)) {
            Ok(shapes) => add_shapes(shapes, file, &checks, &mut zones, log),
            Err(error) => refuse_file(file, "zones file", &error, log),
        }
    }
    zones
}

/// `None` where something is missing of it; what there is is checked all the same.
fn own_zone(
    number: usize,
    keys: &At<document::Zone>,
    checks: &Checks<'_>,
    log: &mut Log,
) -> Option<At<Zone>> {
    let spans = Spans::of(keys);
    let keys = &keys.value;
    let corner = |at: &At<LatLon>| Coord {
        x: at.value.lon,
        y: at.value.lat,
    };
    let corners = keys.polygon.iter().flat_map(|corners| &corners.value);
    let exterior: LineString = corners.map(corner).collect();
    let zone = Zone {
        name: match &keys.name {
            Some(name) => name.value.clone(),
            None => unnamed(number),
        },
        polygon: Polygon::new(exterior, Vec::new()),
        floor_m: keys.floor.value,
        ceiling_m: keys.ceiling.value,
        reference: keys.reference,
        from: SimTime::START + keys.from.as_ref().map(|at| at.value).unwrap_or_default(),
        until: (keys.until.as_ref()).map_or(SimTime::NEVER, |at| SimTime::START + at.value),
    };
    checks.heights(&zone, &spans, log);
    checks.times(&zone, &spans, log);
    let polygon = keys.polygon.as_ref()?;
    checks.outline(&zone, &spans, log);
    keys.name.as_ref()?;
    Some(At {
        value: zone,
        span: polygon.span.clone(),
    })
}

fn unnamed(number: usize) -> String {
    format!("zone {number}")
}

fn add_shapes(
    shapes: Vec<geojson::Shape>,
    file: &At<String>,
    checks: &Checks<'_>,
    zones: &mut Vec<At<Zone>>,
    log: &mut Log,
) {
    let mut known: BTreeSet<String> = zones.iter().map(|zone| normal_name(&zone.value.name)).collect();
    let spans = Spans::all_at(&file.span);
    let mut last = 0;
    for shape in shapes {
        // The polygons of one feature are one zone.
        let is_another = std::mem::replace(&mut last, shape.feature) != shape.feature;
        let zone = zone_of(shape, file, log);
        checks.heights(&zone, &spans, log);
        checks.times(&zone, &spans, log);
        checks.outline(&zone, &spans, log);
        if is_another && !known.insert(normal_name(&zone.name)) {
            let message = format!(
                "with \"{}\", two zones have the name \"{}\"",
                file.value, zone.name
            );
            log.error(&file.span, message, "give each its own name");
        }
        zones.push(At {
            value: zone,
            span: file.span.clone(),
        });
    }
}

/// A zone of a GeoJSON file; its properties have the names and defaults of `[[zone]]`.
fn zone_of(shape: geojson::Shape, file: &At<String>, log: &mut Log) -> Zone {
    let name = match shape.properties.get("name").and_then(|name| name.as_str()) {
        Some(name) => name.to_owned(),
        None => unnamed(shape.feature),
    };
    let mut height = |key: &str, default: f64| match shape.properties.get(key) {
        None | Some(serde_json::Value::Null) => default,
        Some(value) => value
            .as_f64()
            .filter(|height| ZONE_HEIGHTS.0.contains(height))
            .unwrap_or_else(|| {
                log.error(
                    &file.span,
                    format!("in \"{}\", the {key} of {name} cannot be {value}", file.value),
                    "give a number of metres",
                );
                default
            }),
    };
    let (floor_m, ceiling_m) = (height("floor", 0.0), height("ceiling", 120.0));
    let mut moment = |key: &str, default: SimTime| match shape.properties.get(key) {
        None | Some(serde_json::Value::Null) => default,
        Some(value) => match value.as_str().and_then(parse_duration) {
            Some(after) => SimTime::START + after,
            None => {
                log.error(
                    &file.span,
                    format!("in \"{}\", `{key}` of {name} cannot be {value}", file.value),
                    "give a time from the start on, such as \"90m\"",
                );
                default
            }
        },
    };
    let (from, until) = (moment("from", SimTime::START), moment("until", SimTime::NEVER));
    let reference = match shape.properties.get("reference").and_then(|word| word.as_str()) {
        None => HeightReference::Agl,
        Some(word) => {
            let known = REFERENCES.0.iter().find(|(known, _)| *known == word);
            known.map(|(_, reference)| *reference).unwrap_or_else(|| {
                log.error(
                    &file.span,
                    format!(
                        "in \"{}\", the reference of {name} cannot be \"{word}\"",
                        file.value
                    ),
                    "give \"AGL\" or \"AMSL\"",
                );
                HeightReference::Agl
            })
        }
    };
    Zone {
        name,
        polygon: shape.polygon,
        floor_m,
        ceiling_m,
        reference,
        from,
        until,
    }
}
