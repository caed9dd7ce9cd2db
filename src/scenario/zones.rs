//! No-fly zones, from the file itself and from GeoJSON.

use std::collections::BTreeSet;
use std::path::Path;

use geo::{Area as _, Contains, ConvexHull, Coord, Intersects, LineString, Polygon, Validation};

use super::build::{refuse_doubles, refuse_file};
use super::diagnostic::{At, Log, Span};
use super::document::{Document, REFERENCES, ZONE_HEIGHTS};
use super::geojson;
use super::times::parse_duration;
use crate::sim::geo::{Area, LatLon};
use crate::sim::places::normal_name;
use crate::sim::route::LEVELS_M;
use crate::sim::time::SimTime;
use crate::sim::world::{HeightReference, Hub, World, Zone};

/// A zone with less is a mistake.
const LEAST_AREA_M2: f64 = 1.0;

pub(super) fn build_zones(
    document: &Document,
    area: Option<&Area>,
    base_dir: &Path,
    log: &mut Log,
) -> Vec<Zone> {
    let mut zones = Vec::new();
    for zone in &document.zones {
        let (Some(name), Some(corners)) = (&zone.value.name, &zone.value.polygon) else {
            continue;
        };
        let corner = |at: &At<LatLon>| Coord {
            x: at.value.lon,
            y: at.value.lat,
        };
        let exterior: LineString = corners.value.iter().map(corner).collect();
        let built = Zone {
            name: name.value.clone(),
            polygon: Polygon::new(exterior, Vec::new()),
            floor_m: zone.value.floor,
            ceiling_m: zone.value.ceiling.value,
            reference: zone.value.reference,
            from: SimTime::START + zone.value.from,
            until: (zone.value.until.as_ref()).map_or(SimTime::NEVER, |at| SimTime::START + at.value),
        };
        check_zone(&built, &corners.span, &zone.value.ceiling.span, area, log);
        if let Some(until) = &zone.value.until
            && built.until <= built.from
        {
            log.error(
                &until.span,
                format!("zone \"{}\" ends before it begins", built.name),
                "give an `until` after its `from`",
            );
        }
        if zone.value.from > document.duration.as_ref().map_or(zone.value.from, |at| at.value) {
            log.warn(
                &corners.span,
                format!("zone \"{}\" begins after the end of a run", built.name),
                "give an earlier `from`, or a longer `duration`",
            );
        }
        zones.push(built);
    }
    let names = document.zones.iter().filter_map(|zone| zone.value.name.as_ref());
    refuse_doubles(names, "name", "zones", log);
    if let Some(file) = &document.zone_file {
        match geojson::read_shapes(&base_dir.join(&file.value)) {
            Ok(shapes) => {
                let mut known: BTreeSet<String> = zones.iter().map(|zone| normal_name(&zone.name)).collect();
                let mut last = 0;
                for shape in shapes {
                    // The polygons of one feature are one zone.
                    let is_another = std::mem::replace(&mut last, shape.feature) != shape.feature;
                    let zone = zone_of(shape, file, log);
                    check_zone(&zone, &file.span, &file.span, area, log);
                    if is_another && !known.insert(normal_name(&zone.name)) {
                        let message = format!(
                            "with \"{}\", two zones have the name \"{}\"",
                            file.value, zone.name
                        );
                        log.error(&file.span, message, "give each its own name");
                    }
                    zones.push(zone);
                }
            }
            Err(error) => refuse_file(file, "zones file", &error, log),
        }
    }
    zones
}

/// A zone of a GeoJSON file; its properties have the names and defaults of `[[zone]]`.
fn zone_of(shape: geojson::Shape, file: &At<String>, log: &mut Log) -> Zone {
    let name = match shape.properties.get("name").and_then(|name| name.as_str()) {
        Some(name) => name.to_owned(),
        None => format!("zone {}", shape.feature),
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

/// Nobody takes off from a hub, or lands there, while a zone reaches down to all ways from it.
pub(super) fn warn_of_closed_hubs(document: &Document, world: &World, log: &mut Log) {
    let own = document
        .zones
        .iter()
        .filter_map(|zone| zone.value.polygon.as_ref());
    let own = own.map(|corners| &corners.span);
    let of_file = document.zone_file.iter().map(|file| &file.span).cycle();
    for (zone, span) in world.zones.iter().zip(own.chain(of_file)) {
        let ground_m = match zone.reference {
            HeightReference::Agl => 0.0,
            HeightReference::Amsl => world.area.ground_m,
        };
        let reaches_down =
            zone.polygon.is_valid() && zone.floor_m - ground_m <= LEVELS_M[0] && zone.ceiling_m > ground_m;
        let is_under = |hub: &&Hub| {
            let LatLon { lat, lon } = hub.location;
            zone.polygon.contains(&geo::Point::new(lon, lat))
        };
        let under: Vec<&Hub> = world
            .hubs
            .iter()
            .filter(|_| reaches_down)
            .filter(is_under)
            .collect();
        let over = match under[..] {
            [] => continue,
            [hub] => format!("hub `{}`, which", hub.key),
            [ref some @ .., last] if under.len() < world.hubs.len() => {
                let some = some.iter().map(|hub| format!("`{}`", hub.key));
                let some = some.collect::<Vec<_>>().join(", ");
                format!("the hubs {some} and `{}`, which", last.key)
            }
            _ => format!("all {} hubs, which", under.len()),
        };
        log.warn(
            span,
            format!(
                "zone \"{}\" lies over {over} nobody leaves while it is in force",
                zone.name
            ),
            "move one of them, or give the zone a `from` and an `until`",
        );
    }
}

/// At the zone's first corner.
fn area_of_a_degree_m2(zone: &Zone) -> f64 {
    const METRES: f64 = 111_195.0;
    let lat = zone
        .polygon
        .exterior()
        .coords()
        .next()
        .map_or(0.0, |corner| corner.y);
    METRES * METRES * libm::cos(lat.to_radians())
}

fn check_zone(zone: &Zone, polygon: &Span, ceiling: &Span, area: Option<&Area>, log: &mut Log) {
    if zone.floor_m >= zone.ceiling_m {
        log.error(
            ceiling,
            format!(
                "zone \"{}\" ends at {} m, not above its floor",
                zone.name, zone.ceiling_m
            ),
            format!("give a ceiling above {} m", zone.floor_m),
        );
    }
    doubt_underground(zone, ceiling, area, log);
    let hull = zone.polygon.convex_hull();
    let has_no_area = hull.unsigned_area() * area_of_a_degree_m2(zone) < LEAST_AREA_M2;
    if has_no_area {
        log.error(
            polygon,
            format!("zone \"{}\" has no area", zone.name),
            "give at least three corners that are not on one line",
        );
    } else if let Err(problem) = zone.polygon.check_validation() {
        log.error(
            polygon,
            format!(
                "the outline of zone \"{}\" is not a simple polygon: {problem}",
                zone.name
            ),
            "give its corners in order, without crossings",
        );
    }
    let Some(area) = area.filter(|_| !has_no_area) else {
        return;
    };
    let bounds = area.bounds;
    let within = geo::Rect::new((bounds.west, bounds.south), (bounds.east, bounds.north));
    if !zone.polygon.intersects(&within) {
        log.warn(
            polygon,
            format!("zone \"{}\" is outside the area", zone.name),
            "each corner is [latitude, longitude]; move it, or widen `bbox`",
        );
    }
}

/// Where the ground is as high as it reaches, it closes nothing.
fn doubt_underground(zone: &Zone, ceiling: &Span, area: Option<&Area>, log: &mut Log) {
    let ground_m = match zone.reference {
        HeightReference::Agl => Some(0.0),
        HeightReference::Amsl => area.map(|area| area.ground_m),
    };
    if let Some(ground_m) =
        ground_m.filter(|ground_m| zone.ceiling_m <= *ground_m && zone.floor_m < zone.ceiling_m)
    {
        let (above, remedy) = match zone.reference {
            HeightReference::Agl => ("", "give a ceiling above 0 m".to_owned()),
            HeightReference::Amsl => (
                " above the sea, where the ground is higher",
                format!(
                    "give a ceiling above the area's ground, {ground_m} m, or heights over it by `reference = \"AGL\"`"
                ),
            ),
        };
        log.warn(
            ceiling,
            format!(
                "zone \"{}\" closes nothing: it ends at {} m{above}",
                zone.name, zone.ceiling_m
            ),
            remedy,
        );
    }
}
