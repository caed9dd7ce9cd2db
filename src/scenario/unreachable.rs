//! Requests, places and hubs that no drone gets to, however free the fleet is, and what is in the
//! way.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{At, Log};
use super::document::{self, Document};
use super::grounded::{Grounded, LIGHT, NEAR_WAYS, calm_weather};
use super::orders::package_of;
use crate::sim::airspace::{Airspace, LOOK_AHEAD};
use crate::sim::demand::draw_order;
use crate::sim::dispatch::{is_servable, need_wh};
use crate::sim::geo::{LatLon, Point};
use crate::sim::ids::HubId;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::random::{Purpose, Stream};
use crate::sim::route::LEVELS_M;
use crate::sim::time::SimTime;
use crate::sim::weather::{next_forecast, next_look};
use crate::sim::world::{DropoffSpread, ScriptedRequest, World, Zone};

/// So many orders of the demand, or of a trace, are looked at.
const SAMPLES: usize = 256;
/// At so many moments of a run.
const MOMENTS: u64 = 4;
/// So many times at most somebody looks at the weather for a request that waits.
const MOST_LOOKS: usize = 128;
/// Where fewer of them than this share are out of reach, the demand is as it may be.
const SOME: f64 = 0.1;

/// `grounded` are those of whom it is said already why they do not fly; what they might do if
/// they did is held against nobody.
pub(super) fn warn_of_unreachable(document: &Document, world: &World, grounded: &Grounded, log: &mut Log) {
    let reach = Reach {
        world,
        grounded,
        open: OnceCell::new(),
        calm: OnceCell::new(),
    };
    reach.requests(document, log);
    reach.trace(document, log);
    reach.demand(document, log);
    reach.hubs(document, log);
    warn_of_closed_places(document, world, log);
}

struct Reach<'a> {
    world: &'a World,
    grounded: &'a Grounded,
    /// The same world without zones.
    open: OnceCell<World>,
    /// And without wind and rain.
    calm: OnceCell<World>,
}

/// What keeps every drone from an order.
enum Obstacle<'a> {
    /// Over its pick-up.
    OverPickup(&'a Zone),
    OverDropoff(&'a Zone),
    /// Zones leave no way.
    Zones,
    Wind,
    /// Weather that nobody takes off in, for as long as a request waits.
    Weather,
    Distance,
}

impl Reach<'_> {
    fn open(&self) -> &World {
        self.open.get_or_init(|| World {
            zones: Vec::new(),
            airspace: Airspace::default(),
            scripted: Vec::new(),
            ..self.world.clone()
        })
    }

    fn calm(&self) -> &World {
        self.calm.get_or_init(|| World {
            weather: calm_weather(self.world),
            ..self.open().clone()
        })
    }

    /// `None` where a drone can do it, or where what is wrong with it is said elsewhere.
    fn obstacle(&self, at: SimTime, order: &Order) -> Option<Obstacle<'_>> {
        let world = self.world;
        let is_inside = |stop: &Stop| world.area.bounds.contains(stop.location);
        let lifts = |max_kg: f64| max_kg >= order.package.weight_kg;
        let is_lifted = world.models.iter().any(|model| lifts(model.max_payload_kg));
        let mut kept = self.grounded.types.iter().map(|id| world.model(*id));
        let is_said = !is_lifted
            || !is_inside(&order.pickup)
            || !is_inside(&order.dropoff)
            || kept.any(|model| lifts(model.max_payload_kg));
        if is_said {
            return None;
        }
        if is_servable(world, at, order) {
            return self.waits_in_vain(at, order).then_some(Obstacle::Weather);
        }
        if is_servable(self.open(), at, order) {
            let over = |stop: &Stop| self.zone_over(at, stop.location, order.package.weight_kg);
            let over_dropoff = || over(&order.dropoff).map(Obstacle::OverDropoff);
            let over_pickup = over(&order.pickup).map(Obstacle::OverPickup);
            return Some(over_pickup.or_else(over_dropoff).unwrap_or(Obstacle::Zones));
        }
        Some(match is_servable(self.calm(), at, order) {
            true => Obstacle::Wind,
            false => Obstacle::Distance,
        })
    }

    /// Whether weather keeps everybody on the ground who could, until it has waited for too long.
    fn waits_in_vain(&self, at: SimTime, order: &Order) -> bool {
        let world = self.open();
        let leaves = |at: SimTime| {
            let mut pairs = world.pairs().all().iter().zip(0..);
            pairs.any(|(pair, index)| {
                let battery_wh = world.model(pair.model).battery.capacity_wh;
                let suffices = |need_wh| need_wh <= battery_wh;
                world.pairs().in_service(index) > 0 && need_wh(world, at, *pair, order).is_some_and(suffices)
            })
        };
        let by = at + world.dispatch.max_wait;
        let looks = std::iter::successors(Some(at), |at| Some(next_look(*at).min(next_forecast(*at))));
        let mut looks = looks.take_while(|at| *at <= by);
        let leaves_soon = looks.by_ref().take(MOST_LOOKS).any(leaves);
        // In a wait so long it may well.
        !leaves_soon && looks.next().is_none()
    }

    fn zone_over(&self, at: SimTime, location: LatLon, payload_kg: f64) -> Option<&Zone> {
        let counts = |zone: &&Zone| zone.from <= at + LOOK_AHEAD && at < zone.until;
        let zones = self.world.zones.iter().filter(counts);
        let mut over = zones.filter(|zone| is_over(zone, self.world, location, payload_kg));
        over.next()
    }

    fn requests(&self, document: &Document, log: &mut Log) {
        let scripted = self.world.scripted.iter();
        let by_package: BTreeMap<&str, &ScriptedRequest> = scripted
            .map(|request| (request.order.package.id.as_str(), request))
            .collect();
        for (index, keys) in document.requests.iter().enumerate() {
            let Some(request) = by_package.get(package_of(index).as_str()) else {
                continue;
            };
            let keys = &keys.value;
            let (Some(pickup), Some(dropoff)) = (&keys.pickup, &keys.dropoff) else {
                continue;
            };
            let Some(obstacle) = self.obstacle(request.at, &request.order) else {
                continue;
            };
            let span = match obstacle {
                Obstacle::OverPickup(_) => &pickup.span,
                _ => &dropoff.span,
            };
            let (why, remedy) = words(&obstacle, &request.order);
            log.warn(span, format!("no drone flies this request: {why}"), remedy);
        }
    }

    fn trace(&self, document: &Document, log: &mut Log) {
        let demand = document.demand.as_ref();
        let Some(file) = demand.and_then(|demand| demand.value.trace.as_ref()) else {
            return;
        };
        let own: BTreeSet<String> = (0..document.requests.len()).map(package_of).collect();
        let scripted = self.world.scripted.iter();
        let of_trace: Vec<&ScriptedRequest> = scripted
            .filter(|request| !own.contains(&request.order.package.id))
            .collect();
        let every = of_trace.len().div_ceil(SAMPLES).max(1);
        let looked_at: Vec<_> = of_trace.into_iter().step_by(every).collect();
        let is_out = |request: &&&ScriptedRequest| self.obstacle(request.at, &request.order).is_some();
        let out = looked_at.iter().filter(is_out).count();
        if out > 0 {
            let all = looked_at.len();
            log.warn(
                &file.span,
                format!(
                    "no drone can fly {out} of {all} requests looked at in \"{}\"",
                    file.value
                ),
                "they are too far, behind zones, or asked for in weather that nobody flies so far in; give nearer places or other times",
            );
        }
    }

    /// That of which all is out of reach the estimate of the fleet's capacity tells of.
    fn demand(&self, document: &Document, log: &mut Log) {
        let keys = document.demand.as_ref();
        let rate = keys.and_then(|demand| demand.value.rate.as_ref());
        let (Some(rate), Some(demand)) = (rate, &self.world.demand) else {
            return;
        };
        let is_out = |index: &usize| {
            // Seed 0: this is the scenario's, whatever the run's seed.
            let mut stream = Stream::new(0, *index as u64, Purpose::Demand);
            let order = draw_order(self.world, demand, &mut stream);
            self.moments().all(|at| match self.obstacle(at, &order) {
                // Of places and hubs their own lines tell, and weather passes.
                None | Some(Obstacle::OverPickup(_) | Obstacle::Weather) => false,
                Some(Obstacle::OverDropoff(_)) => demand.dropoff != DropoffSpread::Places,
                Some(_) => true,
            })
        };
        let share = (0..SAMPLES).filter(is_out).count() as f64 / SAMPLES as f64;
        if (SOME..1.0).contains(&share) {
            log.warn(
                &rate.span,
                format!(
                    "no drone can fly about {:.0} % of what is asked for, however free the fleet is",
                    100.0 * share
                ),
                "ask for shorter ways, move hubs or zones, or give the types more battery",
            );
        }
    }

    fn moments(&self) -> impl Iterator<Item = SimTime> {
        let each = self.world.duration.0 / MOMENTS;
        (0..MOMENTS).map(move |moment| SimTime(each * moment))
    }

    /// Drones of others pick up at a hub without any, where they get there.
    fn hubs(&self, document: &Document, log: &mut Log) {
        let world = self.world;
        let has_fleet = |id: HubId| world.fleets.iter().any(|fleet| fleet.hub == id);
        let keys = document.hubs.iter().flat_map(|hubs| &hubs.value);
        for ((id, hub), keys) in world.hub_ids().zip(&world.hubs).zip(keys) {
            if has_fleet(id) || !world.area.bounds.contains(hub.location) {
                continue;
            }
            let is_reached = |way: &(f64, f64)| {
                let order = self.light_order(hub.at, *way);
                is_servable(self.calm(), SimTime::START, &order)
            };
            if !NEAR_WAYS.iter().any(is_reached) {
                log.warn(
                    keys.value.id.as_ref().map_or(&keys.span, |id| &id.span),
                    format!(
                        "hub `{}` has no fleet, and drones of others cannot bring anything from there",
                        hub.key
                    ),
                    "give it a [[fleet]], move it nearer to another hub, or leave it out",
                );
            }
        }
    }

    /// From a place to somewhere near.
    fn light_order(&self, from: Point, (east_m, north_m): (f64, f64)) -> Order {
        let to = Point {
            x: from.x + east_m,
            y: from.y + north_m,
        };
        let stop = |at| Stop {
            location: self.world.area.frame.to_latlon(at),
            altitude_m: 0.0,
        };
        let payloads = self.world.models.iter().map(|model| model.max_payload_kg);
        Order {
            owner: Owner::account("check"),
            pickup: stop(from),
            dropoff: stop(to),
            package: Package {
                id: String::new(),
                size: ContainerSize::Small,
                weight_kg: LIGHT * payloads.fold(f64::INFINITY, f64::min),
                tag: None,
            },
            expedited: false,
            confirmation: ConfirmationRequired::None,
            deadline: String::new(),
            not_before: SimTime::START,
        }
    }
}

/// What is wrong, and what would be right.
fn words(obstacle: &Obstacle<'_>, order: &Order) -> (String, &'static str) {
    match obstacle {
        Obstacle::OverPickup(zone) => (
            format!("zone \"{}\" lies over its pick-up then", zone.name),
            "move one of them, or give the zone other times",
        ),
        Obstacle::OverDropoff(zone) => (
            format!("zone \"{}\" lies over its drop-off then", zone.name),
            "move one of them, or give the zone other times",
        ),
        Obstacle::Zones => (
            "the zones leave no way for it that a battery lasts for".to_owned(),
            "move a zone or a place, or give the zone other times",
        ),
        Obstacle::Wind => (
            "in the wind that is forecast then no battery lasts for it".to_owned(),
            "move it to another time, or give nearer places",
        ),
        Obstacle::Weather => (
            "weather keeps everybody on the ground for as long as it waits".to_owned(),
            "move it to another time, let it wait longer by `max_wait`, or give a type wider limits",
        ),
        Obstacle::Distance => (
            format!(
                "no battery of a type that lifts its {} kg lasts for it",
                order.package.weight_kg
            ),
            "give nearer places, a hub nearer to them, or a type more battery",
        ),
    }
}

/// Nobody hovers at a listed place under a zone that is in force for the whole run.
fn warn_of_closed_places(document: &Document, world: &World, log: &mut Log) {
    let end = SimTime::START + world.duration;
    let is_permanent = |zone: &&Zone| zone.from == SimTime::START && zone.until >= end;
    let permanent: Vec<&Zone> = world.zones.iter().filter(is_permanent).collect();
    let keys: Vec<&At<document::Place>> = document.places.iter().flatten().collect();
    for (place, keys) in world.places.iter().zip(keys) {
        let mut zones = permanent.iter();
        let Some(zone) = zones.find(|zone| is_over(zone, world, place.location, 0.0)) else {
            continue;
        };
        log.warn(
            keys.value
                .location
                .as_ref()
                .map_or(&keys.span, |location| &location.span),
            format!(
                "place \"{}\" lies under zone \"{}\", which no drone flies in",
                place.name, zone.name
            ),
            "move one of them, or give the zone a `from` and an `until`",
        );
    }
}

/// Whether it keeps drones of all types that lift this from coming down there.
fn is_over(zone: &Zone, world: &World, location: LatLon, payload_kg: f64) -> bool {
    let alone = Airspace::new(std::slice::from_ref(zone), &world.area);
    let at = world.area.point(location);
    let mut lifting = world
        .models
        .iter()
        .filter(|model| model.max_payload_kg >= payload_kg);
    lifting.all(|model| alone.is_shut(zone.from, at, model.handover_height_m, LEVELS_M[0]))
}
