//! What is wrong with a zone, or doubtful, each part by itself: so no mistake hides another.

use geo::{Area as _, Contains, ConvexHull, Intersects, Validation};

use super::super::diagnostic::{At, Log, Span};
use super::super::document;
use crate::sim::geo::{Area, LatLon};
use crate::sim::route::{HIGHEST_M, LEVELS_M};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{HeightReference, Hub, Zone};

/// A zone with less is a mistake.
const LEAST_AREA_M2: f64 = 1.0;

/// Where the file says what of a zone; where it does not, the zone itself.
pub(super) struct Spans<'a> {
    polygon: &'a Span,
    floor: &'a Span,
    ceiling: &'a Span,
    from: &'a Span,
    until: &'a Span,
}

impl<'a> Spans<'a> {
    pub fn of(zone: &'a At<document::Zone>) -> Self {
        let keys = &zone.value;
        let time = |key: &'a Option<At<SimDuration>>| key.as_ref().map_or(&zone.span, |at| &at.span);
        Spans {
            polygon: keys.polygon.as_ref().map_or(&zone.span, |at| &at.span),
            floor: &keys.floor.span,
            ceiling: &keys.ceiling.span,
            from: time(&keys.from),
            until: time(&keys.until),
        }
    }

    /// Of a zone in another file.
    pub fn all_at(span: &'a Span) -> Self {
        Spans {
            polygon: span,
            floor: span,
            ceiling: span,
            from: span,
            until: span,
        }
    }
}

/// What zones are held against, as far as it is known.
pub(super) struct Checks<'a> {
    pub area: Option<&'a Area>,
    /// How long a run takes.
    pub run: Option<SimDuration>,
}

impl Checks<'_> {
    pub fn heights(&self, zone: &Zone, spans: &Spans<'_>, log: &mut Log) {
        if zone.floor_m >= zone.ceiling_m {
            log.error(
                spans.ceiling,
                format!(
                    "zone \"{}\" ends at {} m, not above its floor",
                    zone.name, zone.ceiling_m
                ),
                format!("give a ceiling above {} m", zone.floor_m),
            );
            return;
        }
        let Some(ground_m) = self.ground_m(zone) else {
            return;
        };
        if zone.ceiling_m <= ground_m {
            let (what, remedy) = underground(zone, ground_m);
            log.warn(spans.ceiling, what, remedy);
        } else if zone.floor_m - ground_m > HIGHEST_M {
            let above = match zone.reference {
                HeightReference::Agl => "the ground".to_owned(),
                HeightReference::Amsl => format!("the sea, and the ground is at {ground_m} m"),
            };
            let message = format!(
                "zone \"{}\" closes nothing: it begins at {} m above {above}; nobody flies higher than {HIGHEST_M} m above the ground",
                zone.name, zone.floor_m
            );
            let remedy = format!("give a floor of {} m at most", ground_m + HIGHEST_M);
            log.warn(spans.floor, message, remedy);
        }
    }

    /// What its heights are over, metres above what they are counted from.
    fn ground_m(&self, zone: &Zone) -> Option<f64> {
        match zone.reference {
            HeightReference::Agl => Some(0.0),
            HeightReference::Amsl => self.area.map(|area| area.ground_m),
        }
    }

    pub fn times(&self, zone: &Zone, spans: &Spans<'_>, log: &mut Log) {
        if zone.until <= zone.from {
            log.error(
                spans.until,
                format!("zone \"{}\" ends before it begins", zone.name),
                "give an `until` after its `from`",
            );
        }
        if self.run.is_some_and(|run| zone.from > SimTime::START + run) {
            log.warn(
                spans.from,
                format!("zone \"{}\" begins after the end of a run", zone.name),
                "give an earlier `from`, or a longer `duration`",
            );
        }
    }

    pub fn outline(&self, zone: &Zone, spans: &Spans<'_>, log: &mut Log) {
        let hull = zone.polygon.convex_hull();
        if hull.unsigned_area() * area_of_a_degree_m2(zone) < LEAST_AREA_M2 {
            log.error(
                spans.polygon,
                format!("zone \"{}\" has no area", zone.name),
                "give at least three corners that are not on one line",
            );
            return;
        }
        if let Err(problem) = zone.polygon.check_validation() {
            log.error(
                spans.polygon,
                format!(
                    "the outline of zone \"{}\" is not a simple polygon: {problem}",
                    zone.name
                ),
                "give its corners in order, without crossings",
            );
        }
        let is_outside = |area: &Area| {
            let bounds = area.bounds;
            let within = geo::Rect::new((bounds.west, bounds.south), (bounds.east, bounds.north));
            !zone.polygon.intersects(&within)
        };
        if self.area.is_some_and(is_outside) {
            log.warn(
                spans.polygon,
                format!("zone \"{}\" is outside the area", zone.name),
                "each corner is [latitude, longitude]; move it, or widen `bbox`",
            );
        }
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

/// Where the ground is as high as it reaches, it closes nothing.
fn underground(zone: &Zone, ground_m: f64) -> (String, String) {
    let (above, remedy) = match zone.reference {
        HeightReference::Agl => ("", "give a ceiling above 0 m".to_owned()),
        HeightReference::Amsl => (
            " above the sea, where the ground is higher",
            format!(
                "give a ceiling above the area's ground, {ground_m} m, or heights over it by `reference = \"AGL\"`"
            ),
        ),
    };
    let message = format!(
        "zone \"{}\" closes nothing: it ends at {} m{above}",
        zone.name, zone.ceiling_m
    );
    (message, remedy)
}

/// Nobody takes off from a hub, or lands there, while a zone reaches down to all ways from it.
pub(in crate::scenario) fn warn_of_closed_hubs(zones: &[At<Zone>], hubs: &[Hub], area: &Area, log: &mut Log) {
    for At { value: zone, span } in zones {
        let ground_m = match zone.reference {
            HeightReference::Agl => 0.0,
            HeightReference::Amsl => area.ground_m,
        };
        let reaches_down =
            zone.polygon.is_valid() && zone.floor_m - ground_m <= LEVELS_M[0] && zone.ceiling_m > ground_m;
        let is_under = |hub: &&Hub| {
            let LatLon { lat, lon } = hub.location;
            zone.polygon.contains(&geo::Point::new(lon, lat))
        };
        let under: Vec<&Hub> = hubs.iter().filter(|_| reaches_down).filter(is_under).collect();
        let over = match under[..] {
            [] => continue,
            [hub] => format!("hub `{}`, which", hub.key),
            [ref some @ .., last] if under.len() < hubs.len() => {
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
