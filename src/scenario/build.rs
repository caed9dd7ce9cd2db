//! From the file's keys to a world: what one value means for another.

use std::path::Path;

use super::diagnostic::{At, Log};
use super::document::{self, Document};
use super::geojson;
use super::{accounts, faults, fleets, hash, orders, weather, zones};
use crate::sim::account::AccountRules;
use crate::sim::airspace::Airspace;
use crate::sim::geo::{Area, LatLon, LocalFrame};
use crate::sim::places;
use crate::sim::time::SimDuration;
use crate::sim::weather::Weather;
use crate::sim::world::{Demand, Fleet, FleetIndex, Hub, Model, Place, ScheduledFault, World, Zone};

/// The world that the file describes; `None` after mistakes, all of which the log holds. What is
/// wrong with one part is no reason to look less at another: that part is taken as if it were not
/// there, wherever the others can be told all the same.
pub(super) fn build(document: &Document, base_dir: &Path, log: &mut Log) -> Option<World> {
    check_clock(document, log);
    let area = document
        .area
        .as_ref()
        .and_then(|area| build_area(&area.value, base_dir, log));
    let hubs = build_hubs(document, area.as_ref(), log);
    let own_models = fleets::build_own_models(document, log);
    let fleets = fleets::build_fleets(document, own_models, log);
    let places = build_places(document, area.as_ref(), log);
    let zones = zones::build_zones(document, area.as_ref(), base_dir, log);
    let run = document.duration.as_ref().map(|at| at.value);
    let weather = weather::build(&document.weather, area.as_ref(), run, log);
    let no_places = document.places.as_ref().is_some_and(Vec::is_empty);
    let demand = document
        .demand
        .as_ref()
        .and_then(|demand| orders::build_demand(&demand.value, no_places, base_dir, log));
    let faults = faults::build_faults(document, log);
    let area = area?;
    zones::warn_of_closed_hubs(&zones, hubs.as_deref().unwrap_or_default(), &area, log);
    let (has_hubs, has_fleets, has_places) = (hubs.is_some(), fleets.is_some(), places.is_some());
    let parts = Parts {
        area,
        hubs: hubs.unwrap_or_default(),
        fleets: fleets.unwrap_or_default(),
        places: places.unwrap_or_default(),
        zones: zones.into_iter().map(|at| at.value).collect(),
        weather,
        demand,
        faults,
    };
    let mut world = world_of(document, parts)?;
    if has_places {
        world.scripted = orders::build_requests(document, base_dir, &world, log);
    }
    world.accounts = accounts::build_accounts(document, &world, log);
    if has_fleets {
        orders::warn_of_heavy_payloads(document, &world, log);
    }
    let is_whole = has_hubs && has_fleets && has_places && log.error_count() == 0;
    is_whole.then(|| {
        world.scenario_hash = hash::of(&world);
        world
    })
}

/// What is made of more than one key.
struct Parts {
    area: Area,
    hubs: Vec<Hub>,
    fleets: (Vec<Fleet>, Vec<Model>),
    places: Vec<Place>,
    zones: Vec<Zone>,
    weather: Weather,
    demand: Option<Demand>,
    faults: Vec<ScheduledFault>,
}

/// The world, without what is scripted in it; plain keys that are missing are anything.
fn world_of(document: &Document, parts: Parts) -> Option<World> {
    let area = &document.area.as_ref()?.value;
    let text = |key: &Option<At<String>>| key.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    let (fleets, models) = parts.fleets;
    Some(World {
        name: text(&document.name),
        description: text(&document.description),
        seed: document.seed.as_ref().map_or(0, |at| at.value),
        start_unix_us: document.start.as_ref().map_or(0, |at| at.value),
        duration: (document.duration.as_ref()).map_or(SimDuration::FOREVER, |at| at.value),
        tick: document.tick.value,
        unknown_places: area.unknown_places,
        density_shown: area.density,
        airspace: Airspace::new(&parts.zones, &parts.area),
        area: parts.area,
        hubs: parts.hubs,
        models,
        fleets,
        fleet_index: FleetIndex::default(),
        roster: Default::default(),
        places: parts.places,
        zones: parts.zones,
        weather: parts.weather,
        demand: parts.demand,
        scripted: Vec::new(),
        dispatch: orders::build_dispatch(&document.dispatch),
        accounts: AccountRules::default(),
        carrier: document.carrier.clone(),
        recipient: document.recipient,
        separation: document.separation.clone(),
        faults: parts.faults,
        workflow: document.workflow,
        scenario_hash: [0; 32],
    })
}

fn check_clock(document: &Document, log: &mut Log) {
    const SECOND: u64 = super::times::SECOND;
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
        built.land = geojson::read_land(base_dir, land, log);
        if built.land.is_some() && !has_land(&built) {
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
            pads: small(&hub.value.pads),
            chargers: small(&hub.value.chargers),
            turnaround: hub.value.turnaround,
        })
    };
    let built: Vec<Option<Hub>> = hubs.value.iter().map(build).collect();
    built.into_iter().collect()
}

/// The bounds of these keys are far below `u32`'s.
fn small(number: &At<u64>) -> u32 {
    u32::try_from(number.value).unwrap_or(u32::MAX)
}

/// Warns of a place outside the area and tells whether it did.
pub(super) fn warn_if_outside(location: &At<LatLon>, what: &str, area: &Area, log: &mut Log) -> bool {
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
pub(super) fn refuse_doubles<'a>(
    names: impl Iterator<Item = &'a At<String>>,
    key: &str,
    entries: &str,
    log: &mut Log,
) {
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

fn build_places(document: &Document, area: Option<&Area>, log: &mut Log) -> Option<Vec<Place>> {
    let places = document.places.as_ref()?;
    let names = places.iter().filter_map(|place| place.value.name.as_ref());
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
    let built: Vec<Option<Place>> = places.iter().map(build).collect();
    built.into_iter().collect()
}
