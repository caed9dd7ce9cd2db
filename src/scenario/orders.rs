//! What is delivered: the scenario's own demand, its scripted requests, and how they are
//! dispatched.

use std::path::Path;

use super::build::warn_if_outside;
use super::diagnostic::{At, Log};
use super::document::Document;
use super::kinds::OneOf;
use super::order_files;
use super::order_keys::{self, Spot};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::places::{self, PlaceError};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{
    Demand, DispatchRules, DropoffSpread, PickupAt, Preparation, ScriptedRequest, World,
};

/// Light parcels, as drones carry them today, kg.
const DEFAULT_PAYLOAD_KG: (f64, f64) = (0.2, 1.1);

/// The scenario's own customers; `None` where they send nothing.
pub(super) fn build_demand(
    demand: &order_keys::Demand,
    no_places: bool,
    base_dir: &Path,
    log: &mut Log,
) -> Option<Demand> {
    let preparation = demand.prep.as_ref().and_then(|prep| read_prep(prep, log));
    let points = demand.dropoff.points.as_ref();
    let dropoff_points = points.and_then(|file| order_files::read_points(file, base_dir, log));
    let pickup = choose_pickup(demand, no_places, log);
    let dropoff = choose_dropoff(&demand.dropoff, no_places, log);
    let payload_kg = match &demand.payload {
        Some(payload) => read_payload(&payload.value, log),
        None => Some(DEFAULT_PAYLOAD_KG),
    };
    let profile = read_profile(demand, log);
    let within_m = read_within(&demand.dropoff, dropoff, log);
    Some(Demand {
        rate_per_s: demand.rate.as_ref()?.value,
        profile,
        pickup,
        preparation,
        dropoff,
        dropoff_points: dropoff_points.unwrap_or_default(),
        within_m,
        payload_kg: payload_kg?,
        expedited: demand.expedited,
    })
}

fn read_prep(prep: &At<order_keys::Prep>, log: &mut Log) -> Option<Preparation> {
    let (median, p95) = (prep.value.median.as_ref()?, prep.value.p95.as_ref()?);
    if median.value == SimDuration::ZERO {
        log.error(
            &median.span,
            "a median of nothing has no log-normal times about it",
            "leave `prep` out where goods are ready at once",
        );
        return None;
    }
    if p95.value < median.value {
        log.error(
            &p95.span,
            "`p95` is shorter than the median",
            "give a longer `p95`",
        );
        return None;
    }
    Some(Preparation::of(median.value.as_secs(), p95.value.as_secs()))
}

fn choose_pickup(demand: &order_keys::Demand, no_places: bool, log: &mut Log) -> PickupAt {
    match &demand.pickup_at {
        Some(at) => {
            if at.value == PickupAt::Places && no_places {
                log.missing(
                    &at.span,
                    "there is no place to pick up at",
                    "add a [[place]], or pick up at \"hub\"",
                );
            }
            at.value
        }
        None if no_places => PickupAt::Hub,
        None => PickupAt::Places,
    }
}

fn choose_dropoff(dropoff: &order_keys::Dropoff, no_places: bool, log: &mut Log) -> DropoffSpread {
    let Some(spread) = &dropoff.spread else {
        return match dropoff.points {
            Some(_) => DropoffSpread::Points,
            None => DropoffSpread::Land,
        };
    };
    if let Some(points) = &dropoff.points {
        log.error(
            &points.span,
            "`dropoff` has both `spread` and `points`",
            "give one of them",
        );
    }
    if spread.value == DropoffSpread::Places && no_places {
        log.missing(
            &spread.span,
            "there is no place to deliver to",
            "add a [[place]], or spread over \"land\"",
        );
    }
    spread.value
}

/// What is listed is where it is, however far that may be.
fn read_within(keys: &order_keys::Dropoff, spread: DropoffSpread, log: &mut Log) -> Option<f64> {
    let within = keys.within.as_ref()?;
    if matches!(spread, DropoffSpread::Places | DropoffSpread::Points) {
        log.error(
            &within.span,
            "`within` has no say where drop-offs are listed",
            "spread them over \"land\" or the \"area\", or leave it out",
        );
    }
    Some(within.value)
}

fn read_payload(payload: &order_keys::Payload, log: &mut Log) -> Option<(f64, f64)> {
    let (min, max) = (payload.min.as_ref()?, payload.max.as_ref()?);
    if min.value > max.value {
        log.error(
            &min.span,
            format!(
                "the lightest payload ({} kg) is heavier than the heaviest ({} kg)",
                min.value, max.value
            ),
            "swap `min` and `max`",
        );
        return None;
    }
    Some((min.value, max.value))
}

fn read_profile(demand: &order_keys::Demand, log: &mut Log) -> Vec<(SimTime, f64)> {
    let Some(profile) = &demand.profile else {
        return Vec::new();
    };
    for pair in profile.value.windows(2) {
        if pair[1].value.0 <= pair[0].value.0 {
            log.error(
                &pair[1].span,
                "this time in `profile` is not after the one before it",
                "put the times in order, each once",
            );
        }
    }
    profile
        .value
        .iter()
        .map(|at| (SimTime(at.value.0.0), at.value.1))
        .collect()
}

pub(super) fn build_dispatch(dispatch: &order_keys::Dispatch) -> DispatchRules {
    DispatchRules {
        policy: dispatch.policy,
        batch_every: dispatch.batch_every,
        positioning: dispatch.positioning,
        backlog: usize::try_from(dispatch.backlog).unwrap_or(usize::MAX),
        scheduled: usize::try_from(dispatch.scheduled).unwrap_or(usize::MAX),
        max_wait: dispatch.max_wait,
        when_full: dispatch.when_full,
    }
}

/// The scripted requests and those of a trace, earliest first. They are numbered as the files
/// have them.
pub(super) fn build_requests(
    document: &Document,
    base_dir: &Path,
    world: &World,
    log: &mut Log,
) -> Vec<ScriptedRequest> {
    let mut scripted = Vec::new();
    for (index, request) in document.requests.iter().enumerate() {
        let request = &request.value;
        let pickup = request.pickup.as_ref().and_then(|spot| resolve(spot, world, log));
        let dropoff = request
            .dropoff
            .as_ref()
            .and_then(|spot| resolve(spot, world, log));
        if let Some(at) = request.at.as_ref().filter(|at| at.value > world.duration) {
            log.warn(
                &at.span,
                "this request is made after the end of a run",
                "move it, or give a longer `duration`",
            );
        }
        let (Some(at), Some(pickup), Some(dropoff), Some(payload)) =
            (&request.at, pickup, dropoff, &request.payload)
        else {
            continue;
        };
        let at = SimTime(at.value.0);
        let package = Package {
            id: package_of(index),
            size: size_of(payload.value),
            weight_kg: payload.value,
            tag: request.tag.as_ref().map(|tag| tag.value.clone()),
        };
        let order = Order {
            owner: Owner::account(request.owner.value.clone()),
            pickup,
            dropoff,
            package,
            expedited: request.expedited,
            confirmation: ConfirmationRequired::None,
            deadline: String::new(),
            not_before: at,
        };
        scripted.push(ScriptedRequest { at, order });
    }
    let demand = document.demand.as_ref();
    let trace = demand.and_then(|demand| demand.value.trace.as_ref());
    if let Some(file) = trace {
        scripted.extend(order_files::read_trace(file, base_dir, world, log));
    }
    scripted.sort_by_key(|request| request.at);
    scripted
}

/// The package that the file's `[[request]]` of this place in it sends.
pub(super) fn package_of(index: usize) -> String {
    format!("request-{}", index + 1)
}

/// A container that a parcel of this weight fits, by rule of thumb.
pub(super) fn size_of(weight_kg: f64) -> ContainerSize {
    if weight_kg <= 1.0 {
        ContainerSize::Small
    } else if weight_kg <= 3.0 {
        ContainerSize::Medium
    } else {
        ContainerSize::Large
    }
}

fn resolve(spot: &At<Spot>, world: &World, log: &mut Log) -> Option<Stop> {
    let name = match &spot.value {
        OneOf::First(name) => name,
        OneOf::Second(location) => {
            let at = At {
                value: *location,
                span: spot.span.clone(),
            };
            warn_if_outside(&at, "this place", &world.area, log);
            return Some(Stop {
                location: *location,
                altitude_m: 0.0,
            });
        }
    };
    match places::resolve_place(world, name) {
        Ok(stop) => {
            if places::coordinates(name).is_some() {
                let at = At {
                    value: stop.location,
                    span: spot.span.clone(),
                };
                warn_if_outside(&at, "this place", &world.area, log);
            }
            Some(stop)
        }
        Err(error) => {
            let remedy = match error {
                PlaceError::Unknown { .. } => {
                    let names = world.places.iter().map(|place| place.name.as_str());
                    super::fields::suggest(name, names)
                }
                _ => "write a place's name, or \"latitude,longitude\"".to_owned(),
            };
            log.error(&spot.span, error.to_string(), remedy);
            None
        }
    }
}

/// Payloads that no drone type of the world carries go by third party at best.
pub(super) fn warn_of_heavy_payloads(document: &Document, world: &World, log: &mut Log) {
    let strongest = world
        .models
        .iter()
        .map(|model| model.max_payload_kg)
        .fold(0.0, f64::max);
    let remedy = format!("no type here carries more than {strongest} kg");
    let demand = document
        .demand
        .as_ref()
        .and_then(|demand| demand.value.payload.as_ref());
    let demanded = demand.and_then(|payload| payload.value.max.as_ref());
    let requested = document
        .requests
        .iter()
        .filter_map(|request| request.value.payload.as_ref());
    for payload in demanded.into_iter().chain(requested) {
        if payload.value > strongest {
            log.warn(
                &payload.span,
                format!(
                    "a payload of {} kg is more than any drone type carries",
                    payload.value
                ),
                remedy.clone(),
            );
        }
    }
}
