//! No-fly zones, from the file itself and from GeoJSON.

mod checks;
mod features;

use std::path::Path;

use geo::{Coord, LineString, Polygon};

use self::checks::{Checks, Spans};
use super::build::refuse_doubles;
use super::diagnostic::{At, Log};
use super::document::{self, Document};
use super::geojson;
use crate::sim::geo::{Area, LatLon};
use crate::sim::time::SimTime;
use crate::sim::world::Zone;

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
        let features = geojson::read_features(base_dir, file, "zones file", log);
        features::add_zones(features, file, &checks, &mut zones, log);
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
