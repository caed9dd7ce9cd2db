//! From the file's keys to a world: what one value means for another.

use std::path::Path;

use geo::{Coord, LineString, Polygon, Validation};

use super::diagnostic::{At, Log, Span};
use super::document::{self, Document, REFERENCES, ZONE_HEIGHTS};
use super::fields::suggest;
use super::geojson::{self, GeoError};
use super::{hash, model, orders};
use crate::sim::catalogue;
use crate::sim::geo::{Area, LatLon, LocalFrame};
use crate::sim::ids::{HubId, ModelId};
use crate::sim::places;
use crate::sim::units::AIR_DENSITY_KGPM3;
use crate::sim::wind::Weather;
use crate::sim::world::{Fleet, HeightReference, Hub, Model, Place, World, Zone};

/// The world that the file describes; `None` after mistakes, all of which the log holds.
pub(super) fn build(document: &Document, base_dir: &Path, log: &mut Log) -> Option<World> {
    check_clock(document, log);
    warn_of_what_has_no_effect(document, log);
    let area = document
        .area
        .as_ref()
        .and_then(|area| build_area(&area.value, base_dir, log));
    let hubs = build_hubs(document, area.as_ref(), log);
    let own_models = build_own_models(document, log);
    let fleets = build_fleets(document, own_models, log);
    let places = build_places(document, area.as_ref(), log);
    let zones = build_zones(document, area.as_ref(), base_dir, log);
    let weather = build_weather(&document.weather);
    let demand = document
        .demand
        .as_ref()
        .and_then(|demand| orders::build_demand(&demand.value, document.places.is_empty(), base_dir, log));
    check_faults(document, log);
    let (fleets, models) = fleets?;
    let mut world = World {
        name: document.name.as_ref()?.value.clone(),
        description: document
            .description
            .as_ref()
            .map(|at| at.value.clone())
            .unwrap_or_default(),
        seed: document.seed.as_ref()?.value,
        start_unix_us: document.start.as_ref()?.value,
        duration: document.duration.as_ref()?.value,
        tick: document.tick.value,
        unknown_places: document.area.as_ref()?.value.unknown_places,
        area: area?,
        hubs: hubs?,
        models,
        fleets,
        places: places?,
        zones,
        weather,
        demand,
        scripted: Vec::new(),
        dispatch: orders::build_dispatch(&document.dispatch),
        scenario_hash: [0; 32],
    };
    world.scripted = orders::build_requests(&document.requests, &world, log);
    orders::warn_of_heavy_payloads(document, &world, log);
    if log.error_count() > 0 {
        return None;
    }
    world.scenario_hash = hash::of(&world);
    Some(world)
}

fn check_clock(document: &Document, log: &mut Log) {
    const SECOND: u64 = super::kinds::SECOND;
    let tick = &document.tick;
    if !SECOND.is_multiple_of(tick.value.0) && !tick.value.0.is_multiple_of(SECOND) {
        log.error(
            &tick.span,
            "`tick` is neither a whole part of a second nor whole seconds",
            "choose a tick like \"50ms\", \"100ms\", \"200ms\" or \"1s\"",
        );
    }
    if let Some(duration) = &document.duration
        && duration.value < tick.value
    {
        log.error(
            &duration.span,
            "`duration` is shorter than a tick",
            "give a longer duration",
        );
    }
}

const NO_EFFECT: &str = "leave it out, or keep it for a later version";

fn warn_of_what_has_no_effect(document: &Document, log: &mut Log) {
    let mut no_effect = |span: &Span, what: &str| {
        log.warn(
            span,
            format!("{what} is read but has no effect in this version"),
            NO_EFFECT,
        );
    };
    let wind = document.weather.wind.iter().flat_map(|wind| &wind.inert);
    for (key, span) in wind {
        no_effect(span, &format!("`{key}`"));
    }
    for (table, span) in &document.inert {
        no_effect(span, table);
    }
    if let Some(fault) = document.faults.first() {
        no_effect(&fault.span, "[[fault]]");
    }
    if let Some(policy) = &document.dispatch.policy
        && policy.value != document::Policy::EarliestPickup
    {
        log.warn(
            &policy.span,
            "this policy is read but has no effect in this version: drones are chosen by earliest pick-up",
            "choose `earliest-pickup`",
        );
    }
    let zones = document.zones.first().map(|zone| &zone.span);
    let file = document.zone_file.as_ref().map(|file| &file.span);
    if let Some(span) = zones.or(file) {
        log.warn(
            span,
            "zones are shown, but routes do not go round them in this version",
            "expect drones to cross them",
        );
    }
}

fn build_area(area: &document::Area, base_dir: &Path, log: &mut Log) -> Option<Area> {
    let bounds = area.bounds.as_ref()?;
    let frame = LocalFrame::at(bounds.value.middle());
    const WIDE_DEG: f64 = 2.0;
    let (width, height) = (
        bounds.value.east - bounds.value.west,
        bounds.value.north - bounds.value.south,
    );
    if width > WIDE_DEG || height > WIDE_DEG {
        log.warn(
            &bounds.span,
            "the area is wider than two degrees, where distances on a plane are no longer right",
            "choose a city or a region",
        );
    }
    let mut built = Area {
        bounds: bounds.value,
        frame,
        land: None,
        ground_m: area.ground,
        geoid_m: area.geoid,
    };
    if let Some(land) = &area.land {
        match geojson::read_land(&base_dir.join(&land.value)) {
            Ok(polygons) => built.land = Some(polygons),
            Err(error) => {
                refuse_file(land, "land file", &error, log);
                return None;
            }
        }
        if !has_land(&built) {
            log.error(
                &land.span,
                format!("the land file \"{}\" has no land in the area", land.value),
                "check `bbox`, or leave `land` out",
            );
            return None;
        }
    }
    Some(built)
}

/// Whether any corner of a fine grid over the area is on land.
fn has_land(area: &Area) -> bool {
    const STEPS: u32 = 64;
    let share = |step| (f64::from(step) + 0.5) / f64::from(STEPS);
    (0..STEPS).any(|x| (0..STEPS).any(|y| area.is_land(area.bounds.at(share(x), share(y)))))
}

fn refuse_file(path: &At<String>, what: &str, error: &GeoError, log: &mut Log) {
    log.error(
        &path.span,
        format!("the {what} \"{}\" {error}", path.value),
        "paths are relative to the scenario file; give a GeoJSON file with polygons",
    );
}

fn build_hubs(document: &Document, area: Option<&Area>, log: &mut Log) -> Option<Vec<Hub>> {
    let hubs = document.hubs.as_ref()?;
    let ids = hubs.value.iter().filter_map(|hub| hub.value.id.as_ref());
    refuse_doubles(ids, "id", "hubs", log);
    let names = hubs.value.iter().filter_map(|hub| hub.value.name.as_ref());
    refuse_doubles(names, "name", "hubs", log);
    if u16::try_from(hubs.value.len()).is_err() {
        log.error(&hubs.span, "there are more than 65,535 hubs", "join some of them");
    }
    let build = |hub: &At<document::Hub>| {
        let id = hub.value.id.as_ref()?;
        let location = hub.value.location.as_ref()?;
        let area = area?;
        let what = format!("hub `{}`", id.value);
        if !warn_if_outside(location, &what, area, log) && !area.is_land(location.value) {
            log.warn(
                &location.span,
                format!("{what} is in the water"),
                "move it onto land",
            );
        }
        Some(Hub {
            key: id.value.clone(),
            name: hub.value.name.as_ref().unwrap_or(id).value.clone(),
            location: location.value,
            at: area.point(location.value),
            pads: hub.value.pads,
            chargers: hub.value.chargers,
        })
    };
    let built: Vec<Option<Hub>> = hubs.value.iter().map(build).collect();
    built.into_iter().collect()
}

/// Warns of a place outside the area and tells whether it did.
fn warn_if_outside(location: &At<LatLon>, what: &str, area: &Area, log: &mut Log) -> bool {
    let LatLon { lat, lon } = location.value;
    if area.bounds.contains(location.value) {
        return false;
    }
    let swapped = LatLon { lat: lon, lon: lat };
    let remedy = if area.bounds.contains(swapped) {
        format!("latitude comes first: [{lon}, {lat}] is inside")
    } else {
        "move it, or widen `bbox`".to_owned()
    };
    log.warn(&location.span, format!("{what} is outside the area"), remedy);
    true
}

/// Two entries of one name are a mistake of the later one.
fn refuse_doubles<'a>(names: impl Iterator<Item = &'a At<String>>, key: &str, entries: &str, log: &mut Log) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(places::normal_name(&name.value)) {
            log.error(
                &name.span,
                format!("two {entries} have the {key} \"{}\"", name.value),
                format!("give each its own {key}"),
            );
        }
    }
}

struct OwnModel {
    name: At<String>,
    /// `None` after a mistake in it.
    model: Option<Model>,
}

fn build_own_models(document: &Document, log: &mut Log) -> Vec<OwnModel> {
    let build = |(name, keys): &(At<String>, At<model::ModelKeys>)| OwnModel {
        name: name.clone(),
        model: model::lower(&name.value, keys, log),
    };
    let own: Vec<OwnModel> = document.models.iter().map(build).collect();
    let flown = |name: &str| {
        let fleets = document.fleets.iter().flat_map(|fleets| &fleets.value);
        fleets
            .filter_map(|fleet| fleet.value.model.as_ref())
            .any(|model| model.value == name)
    };
    for model in &own {
        if !flown(&model.name.value) {
            log.warn(
                &model.name.span,
                format!("no fleet flies the drone type `{}`", model.name.value),
                "name it in a [[fleet]], or leave it out",
            );
        }
    }
    own
}

fn build_fleets(
    document: &Document,
    own_models: Vec<OwnModel>,
    log: &mut Log,
) -> Option<(Vec<Fleet>, Vec<Model>)> {
    let fleets = document.fleets.as_ref()?;
    let hub_ids: Vec<&str> = (document.hubs.iter().flat_map(|hubs| &hubs.value))
        .map(|hub| hub.value.id.as_ref().map_or("", |id| id.value.as_str()))
        .collect();
    let mut models: Vec<Model> = Vec::new();
    let mut built = Vec::new();
    for fleet in &fleets.value {
        let hub = fleet
            .value
            .hub
            .as_ref()
            .and_then(|hub| find_hub(hub, &hub_ids, log));
        let model = fleet
            .value
            .model
            .as_ref()
            .and_then(|key| find_model(key, &own_models, &mut models, log));
        let count = fleet.value.count.as_ref();
        if let (Some(hub), Some(model), Some(count)) = (hub, model, count) {
            let count = u32::try_from(count.value).ok()?;
            built.push(Fleet {
                hub,
                model,
                count,
                aloft: fleet.value.aloft,
            });
        }
    }
    let drones: u64 = built.iter().map(|fleet| u64::from(fleet.count)).sum();
    if drones > document::MOST_DRONES {
        log.error(
            &fleets.span,
            format!("there are {drones} drones"),
            format!("keep to {} in all", document::MOST_DRONES),
        );
    }
    (built.len() == fleets.value.len()).then_some((built, models))
}

fn find_hub(hub: &At<String>, ids: &[&str], log: &mut Log) -> Option<HubId> {
    let index = ids.iter().position(|id| *id == hub.value);
    // An id that could not be read may be the one that is meant.
    if index.is_none() && !ids.is_empty() && !ids.contains(&"") {
        let remedy = suggest(&hub.value, ids.iter().copied());
        log.missing(&hub.span, format!("there is no hub \"{}\"", hub.value), remedy);
    }
    u16::try_from(index?).ok().map(HubId)
}

/// The file's own types come before the catalogue's, so that a file may change one.
fn find_model(key: &At<String>, own: &[OwnModel], models: &mut Vec<Model>, log: &mut Log) -> Option<ModelId> {
    if let Some(index) = models.iter().position(|model| model.key == key.value) {
        return u16::try_from(index).ok().map(ModelId);
    }
    let model = match own.iter().find(|own| own.name.value == key.value) {
        Some(own) => own.model.clone(),
        None => catalogue::model(&key.value).or_else(|| {
            let own = own.iter().map(|own| own.name.value.as_str());
            let remedy = suggest(&key.value, catalogue::keys().iter().copied().chain(own));
            let message = format!("there is no drone type \"{}\"", key.value);
            log.missing(&key.span, message, remedy);
            None
        }),
    };
    models.push(model?);
    u16::try_from(models.len() - 1).ok().map(ModelId)
}

fn build_places(document: &Document, area: Option<&Area>, log: &mut Log) -> Option<Vec<Place>> {
    let names = document
        .places
        .iter()
        .filter_map(|place| place.value.name.as_ref());
    refuse_doubles(names, "name", "places", log);
    let build = |place: &At<document::Place>| {
        let name = place.value.name.as_ref()?;
        let location = place.value.location.as_ref()?;
        if places::coordinates(&name.value).is_some() {
            log.error(
                &name.span,
                format!("the place name \"{}\" would be read as coordinates", name.value),
                "give it a name with letters",
            );
        }
        warn_if_outside(location, &format!("place \"{}\"", name.value), area?, log);
        Some(Place {
            name: name.value.clone(),
            location: location.value,
        })
    };
    let built: Vec<Option<Place>> = document.places.iter().map(build).collect();
    built.into_iter().collect()
}

fn build_zones(document: &Document, area: Option<&Area>, base_dir: &Path, log: &mut Log) -> Vec<Zone> {
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
        };
        check_zone(&built, &corners.span, &zone.value.ceiling.span, area, log);
        zones.push(built);
    }
    if let Some(file) = &document.zone_file {
        match geojson::read_shapes(&base_dir.join(&file.value)) {
            Ok(shapes) => {
                for (index, shape) in shapes.into_iter().enumerate() {
                    let zone = zone_of(shape, index, file, log);
                    check_zone(&zone, &file.span, &file.span, area, log);
                    zones.push(zone);
                }
            }
            Err(error) => refuse_file(file, "zones file", &error, log),
        }
    }
    zones
}

/// A zone of a GeoJSON file; its properties have the names and defaults of `[[zone]]`.
fn zone_of(shape: geojson::Shape, index: usize, file: &At<String>, log: &mut Log) -> Zone {
    let name = match shape.properties.get("name").and_then(|name| name.as_str()) {
        Some(name) => name.to_owned(),
        None => format!("zone {}", index + 1),
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
    }
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
    if let Err(problem) = zone.polygon.check_validation() {
        log.error(
            polygon,
            format!(
                "the outline of zone \"{}\" is not a simple polygon: {problem}",
                zone.name
            ),
            "give its corners in order, without crossings",
        );
    }
    let Some(area) = area else { return };
    let inside = |corner: &Coord| {
        area.bounds.contains(LatLon {
            lat: corner.y,
            lon: corner.x,
        })
    };
    if !zone.polygon.exterior().coords().any(inside) {
        log.warn(
            polygon,
            format!("zone \"{}\" is outside the area", zone.name),
            "each corner is [latitude, longitude]; move it, or widen `bbox`",
        );
    }
}

fn build_weather(weather: &document::Weather) -> Weather {
    let mean = weather
        .wind
        .as_ref()
        .and_then(|wind| Some((wind.speed.as_ref()?.value, wind.from.as_ref()?.value.to_radians())));
    let (speed, from) = mean.unwrap_or((0.0, 0.0));
    Weather {
        wind_east_mps: 0.0 - speed * libm::sin(from),
        wind_north_mps: 0.0 - speed * libm::cos(from),
        air_density_kgpm3: weather.air_density.unwrap_or(AIR_DENSITY_KGPM3),
    }
}

fn check_faults(document: &Document, log: &mut Log) {
    use super::watchers::{FaultKind, STEPS};
    let drones: u64 = (document.fleets.iter().flat_map(|fleets| &fleets.value))
        .filter_map(|fleet| fleet.value.count.as_ref())
        .fold(0, |sum, count| sum.saturating_add(count.value));
    for fault in &document.faults {
        let (Some(kind), Some(target)) = (&fault.value.kind, &fault.value.target) else {
            continue;
        };
        let hubs = document.hubs.iter().flat_map(|hubs| &hubs.value);
        let hub_ids = hubs
            .filter_map(|hub| hub.value.id.as_ref())
            .map(|id| id.value.as_str());
        let known: Vec<&str> = match kind.value {
            FaultKind::OfHub => hub_ids.collect(),
            FaultKind::OfStep => STEPS.to_vec(),
            FaultKind::OfDrone => {
                let drone = target.value.parse::<crate::sim::ids::DroneId>();
                if !drone.is_ok_and(|drone| u64::from(drone.0) < drones) {
                    log.missing(
                        &target.span,
                        format!("there is no drone \"{}\"", target.value),
                        format!("drones are d-0 to d-{}", drones.saturating_sub(1)),
                    );
                }
                continue;
            }
            FaultKind::Other => continue,
        };
        if !known.contains(&target.value.as_str()) {
            let remedy = suggest(&target.value, known.iter().copied());
            log.missing(
                &target.span,
                format!("there is no target \"{}\" for this fault", target.value),
                remedy,
            );
        }
    }
}
