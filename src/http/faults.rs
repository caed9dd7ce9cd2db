//! `/api/simulation/faults`: breaks something, to see what becomes of it.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::ChangeBody;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields, name};
use super::parameters::NoParameters;
use crate::scenario::parse_duration;
use crate::sim::actor::Actor;
use crate::sim::command::Command;
use crate::sim::fault::{Fault, FlightFault, StepFault, Victim, WindShift};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::places::normal_name;
use crate::sim::time::SimDuration;
use crate::sim::weather::Turn;
use crate::sim::workflow::Step;
use crate::view::View;
use crate::wire::api::faults::{FaultKind, FaultMode, FaultRequest, InjectedFault};
use crate::wire::time::rfc3339;

const KINDS: &str = "rotor_out, battery_cell, link_lost, hub_closed, wind_shift, carrier_down, \
                     step_fail, step_slow, actor_panic";

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(inject_fault))
}

/// Break something
///
/// Answers when the tick that brought it about is committed; 409 where it came too late to
/// change anything, as where a drone is on the ground. A drone that loses a rotor limps to the
/// nearest hub where it has six or more, glides down on its wings where it has those, and falls
/// else. A drone that loses its link hovers for the
/// duration, and then goes on; without one it flies home. A hub that is closed without a duration stays
/// closed until another `hub_closed` says when it opens; one that is closed for a while is not
/// opened earlier. A `wind_shift` makes the true wind another for the duration, or for good: with
/// `speed` (m/s) and `from` (degrees) it is that, with one of them the other stays, and with
/// neither it turns and strengthens as is drawn; in the weather cell of `target`, a hub or a
/// place, or everywhere. Forecasts know of it from the next one on. While the carrier of third-party transport is down it takes no more jobs;
/// without a duration it does not take the next one. `step_fail` strikes the next call of a
/// step's owner, or each for the duration, and its undoing too: the step is not done, or with
/// `mode` `answer_lost` done and not heard of. Answers of a `step_slow` come later by its duration,
/// for so long; without one the next comes later than anybody waits for it. An actor that panics
/// goes on from its state before, without the message; of drones and deliveries one is drawn.
#[utoipa::path(
    post,
    path = "/api/simulation/faults",
    tag = "Simulation",
    request_body = FaultRequest,
    responses((status = 200, body = InjectedFault), BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn inject_fault(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: ChangeBody,
) -> Result<Json<InjectedFault>, Failure> {
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["kind", "target", "duration", "mode", "speed", "from"]);
    let kind = fields.required("kind", kind);
    let target = match kind {
        Some(FaultKind::CarrierDown | FaultKind::WindShift) => fields.optional("target", name),
        _ => fields.required("target", name),
    };
    let duration = fields.optional("duration", duration);
    let mode = fields.optional("mode", mode);
    let speed = fields.optional("speed", |value| between(value, 60.0, "m/s"));
    let from = fields.optional("from", |value| between(value, 360.0, "degrees"));
    if mode.is_some() && kind.is_some_and(|kind| kind != FaultKind::StepFail) {
        complaints.add("/mode", "is for step_fail only");
    }
    for (pointer, is_given) in [("/speed", speed.is_some()), ("/from", from.is_some())] {
        if is_given && kind.is_some_and(|kind| kind != FaultKind::WindShift) {
            complaints.add(pointer, "is for wind_shift only");
        }
    }
    let asked = Asked {
        wind: WindShift::turn(speed, from),
        target,
        duration,
        mode: mode.unwrap_or_default(),
    };
    let fault = kind.and_then(|kind| read_fault(&api.view, kind, asked, &mut complaints));
    let (Some(fault), Some(kind), true) = (fault, kind, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let tick = api.commands.write(Command::Inject(fault)).await?.tick;
    let world = &api.view.world();
    Ok(Json(InjectedFault {
        fault: FaultRequest {
            kind,
            target: target.map(str::to_owned),
            duration: body.value["duration"].as_str().map(str::to_owned),
            mode,
            speed,
            from,
        },
        tick,
        sim_time: rfc3339(world, world.time_of(tick)),
    }))
}

/// What belongs to a kind.
#[derive(Clone, Copy)]
struct Asked<'a> {
    wind: Option<Turn>,
    target: Option<&'a str>,
    duration: Option<SimDuration>,
    mode: FaultMode,
}

fn kind(value: &Value) -> Result<FaultKind, Complaint> {
    match value.as_str() {
        Some("rotor_out") => Ok(FaultKind::RotorOut),
        Some("battery_cell") => Ok(FaultKind::BatteryCell),
        Some("link_lost") => Ok(FaultKind::LinkLost),
        Some("hub_closed") => Ok(FaultKind::HubClosed),
        Some("wind_shift") => Ok(FaultKind::WindShift),
        Some("carrier_down") => Ok(FaultKind::CarrierDown),
        Some("step_fail") => Ok(FaultKind::StepFail),
        Some("step_slow") => Ok(FaultKind::StepSlow),
        Some("actor_panic") => Ok(FaultKind::ActorPanic),
        _ => Err(format!("must be one of {KINDS}").into()),
    }
}

fn duration(value: &Value) -> Result<SimDuration, Complaint> {
    let text = value.as_str().ok_or("must be a string such as \"10m\"")?;
    parse_duration(text)
        .filter(|duration| *duration > SimDuration::default())
        .ok_or("must be a duration above nothing, such as \"90s\" or \"10m\"".into())
}

fn read_fault(
    view: &View,
    kind: FaultKind,
    Asked {
        wind,
        target,
        duration,
        mode,
    }: Asked<'_>,
    complaints: &mut Complaints,
) -> Option<Fault> {
    if kind == FaultKind::CarrierDown {
        return there_is_one_carrier(view, target, complaints).then_some(Fault::CarrierDown(duration));
    }
    if kind == FaultKind::WindShift {
        return Some(Fault::WindShift(WindShift {
            at: match target {
                Some(target) => Some(place(view, target, complaints)?),
                None => None,
            },
            turn: wind,
            lasts: duration,
        }));
    }
    let target = target?;
    match kind {
        FaultKind::RotorOut => in_flight(view, target, FlightFault::RotorOut, duration, complaints),
        FaultKind::BatteryCell => in_flight(view, target, FlightFault::BatteryCell, duration, complaints),
        FaultKind::LinkLost => Some(Fault::LinkLost(drone(view, target, complaints)?, duration)),
        FaultKind::HubClosed => {
            let hub = view.hub_of_key(target).ok_or("no hub has this id".into());
            let hub = complaints.note(|| "/target".into(), hub);
            let duration = duration.unwrap_or(SimDuration::FOREVER);
            Some(Fault::HubClosed(hub?, duration))
        }
        FaultKind::StepFail => {
            let fault = match mode {
                FaultMode::Fail => StepFault::Fail,
                FaultMode::AnswerLost => StepFault::AnswerLost,
            };
            Some(Fault::Step(step(target, complaints)?, fault, duration))
        }
        FaultKind::StepSlow => {
            let fault = StepFault::slow(duration, view.world().workflow.step_timeout);
            Some(Fault::Step(step(target, complaints)?, fault, duration))
        }
        FaultKind::ActorPanic => {
            if duration.is_some() {
                complaints.add("/duration", "actor_panic happens once, so it has none");
            }
            victim(view, target, complaints).map(Fault::Panic)
        }
        FaultKind::CarrierDown | FaultKind::WindShift => None,
    }
}

fn between(value: &Value, most: f64, unit: &str) -> Result<f64, Complaint> {
    let number = value.as_f64().filter(|number| (0.0..=most).contains(number));
    number.ok_or(format!("must be a number of {unit} from 0 to {most}").into())
}

/// A hub by its id, or a place by its name.
fn place(view: &View, target: &str, complaints: &mut Complaints) -> Option<LatLon> {
    let world = view.world();
    let hub = view.hub_of_key(target).map(|hub| world.hub(hub).location);
    let wanted = normal_name(target);
    let named = || {
        world
            .places
            .iter()
            .find(|place| normal_name(&place.name) == wanted)
    };
    let found = hub.or_else(|| named().map(|place| place.location));
    let unknown = "no hub has this id, and no place this name".into();
    complaints.note(|| "/target".into(), found.ok_or(unknown))
}

fn mode(value: &Value) -> Result<FaultMode, Complaint> {
    match value.as_str() {
        Some("fail") => Ok(FaultMode::Fail),
        Some("answer_lost") => Ok(FaultMode::AnswerLost),
        _ => Err("must be fail or answer_lost".into()),
    }
}

fn step(target: &str, complaints: &mut Complaints) -> Option<Step> {
    let named = Step::ALL.into_iter().find(|step| step.as_str() == target);
    let unknown = "must be a step: account, package, third_party, drone or delivery";
    complaints.note(|| "/target".into(), named.ok_or(unknown.into()))
}

/// An actor by its kind, a drone or a delivery by its id.
fn victim(view: &View, target: &str, complaints: &mut Complaints) -> Option<Victim> {
    let drone = target.parse::<DroneId>().ok().and_then(|id| view.drone(id));
    let delivery = target.parse::<DeliveryId>().ok();
    let delivery = delivery.filter(|id| view.with_delivery(*id, |_| ()).is_some());
    let found = Victim::of_kind(target)
        .or(drone.map(|drone| Victim::Actor(Actor::Drone(drone.id))))
        .or(delivery.map(|id| Victim::Actor(Actor::Delivery(id))));
    let unknown = "must be a kind of actor (scheduler, fleet, drone, delivery, account, package, \
                   transport, supervisor), or the id of a drone or of a delivery";
    complaints.note(|| "/target".into(), found.ok_or(unknown.into()))
}

/// So it need not be named; it goes by its step, and by what customers see.
fn there_is_one_carrier(view: &View, target: Option<&str>, complaints: &mut Complaints) -> bool {
    let world = view.world();
    let known =
        target.is_none_or(|target| target == world.carrier.name || target == Step::ThirdParty.as_str());
    if !known {
        complaints.add("/target", "must be third_party, the one carrier that there is");
    }
    known
}

fn in_flight(
    view: &View,
    target: &str,
    fault: FlightFault,
    duration: Option<SimDuration>,
    complaints: &mut Complaints,
) -> Option<Fault> {
    if duration.is_some() {
        complaints.add(
            "/duration",
            format!("{} happens once, so it has none", fault.as_str()),
        );
    }
    Some(Fault::InFlight(drone(view, target, complaints)?, fault))
}

/// Whether it is in the air is its own to say, when the fault strikes.
fn drone(view: &View, target: &str, complaints: &mut Complaints) -> Option<DroneId> {
    let reading = target.parse::<DroneId>().ok().and_then(|id| view.drone(id));
    let drone = reading.map(|drone| drone.id).ok_or("no drone has this id".into());
    complaints.note(|| "/target".into(), drone)
}
