//! `[[fault]]`: what breaks by itself, and when.

use super::diagnostic::{At, Log, Span};
use super::document::Document;
use super::fields::{Fields, suggest};
use super::kinds::{Choice, Number, Text};
use super::times::{ANY_DURATION, Duration, LONGEST};
use crate::sim::actor::{Actor, SINGLE_ACTORS};
use crate::sim::fault::{Fault, FlightFault, StepFault, Victim, WindShift};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::places::normal_name;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::Step;
use crate::sim::world::ScheduledFault;

pub(super) struct FaultKeys {
    at: Option<At<SimDuration>>,
    kind: Option<At<Kind>>,
    target: Option<At<String>>,
    duration: Option<At<SimDuration>>,
    mode: Option<At<Mode>>,
    speed: Option<At<f64>>,
    from: Option<At<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Fail,
    AnswerLost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InFlight(FlightFault),
    HubClosed,
    CarrierDown,
    LinkLost,
    StepFail,
    StepSlow,
    ActorPanic,
    WindShift,
}

pub(super) fn fault(f: &mut Fields<'_>) -> FaultKeys {
    FaultKeys {
        at: f.required("at", "when it happens, from the start on", ANY_DURATION),
        kind: f.required(
            "kind",
            "what breaks",
            Choice(&[
                ("rotor_out", Kind::InFlight(FlightFault::RotorOut)),
                ("link_lost", Kind::LinkLost),
                ("battery_cell", Kind::InFlight(FlightFault::BatteryCell)),
                ("hub_closed", Kind::HubClosed),
                ("wind_shift", Kind::WindShift),
                ("carrier_down", Kind::CarrierDown),
                ("step_fail", Kind::StepFail),
                ("step_slow", Kind::StepSlow),
                ("actor_panic", Kind::ActorPanic),
            ]),
        ),
        target: f.optional("target", "the drone, hub, step or actor kind that it hits", Text),
        duration: f.optional(
            "duration",
            "how long it lasts; once where it is left out, and a hub stays closed until another fault says when it opens; answers of a slow step come so much later for so long",
            Duration(SimDuration(1)..=LONGEST),
        ),
        mode: f.optional(
            "mode",
            "of `step_fail`: whether the step is not done, as where it is left out, or done and nobody hears of it",
            Choice(&[("fail", Mode::Fail), ("answer_lost", Mode::AnswerLost)]),
        ),
        speed: f.optional(
            "speed",
            "of `wind_shift`: the mean wind at 10 m from then on, m/s; as it is where it is left out",
            Number(0.0..=60.0),
        ),
        from: f.optional(
            "from",
            "of `wind_shift`: where it comes from, degrees clockwise from north; with neither the wind turns and strengthens as is drawn",
            Number(0.0..=360.0),
        ),
    }
}

/// What is simulated of the file's faults, earliest first.
pub(super) fn build_faults(document: &Document, log: &mut Log) -> Vec<ScheduledFault> {
    let build = |fault: &At<FaultKeys>| {
        let target = build_fault(document, &fault.value, log);
        let at = fault.value.at.as_ref()?;
        if document.duration.as_ref().is_some_and(|end| at.value > end.value) {
            log.warn(
                &at.span,
                "this fault strikes after the end of a run",
                "move it, or give a longer `duration`",
            );
        }
        Some(ScheduledFault {
            at: SimTime::START + at.value,
            fault: target?,
        })
    };
    let mut faults: Vec<_> = document.faults.iter().filter_map(build).collect();
    faults.sort_by_key(|scheduled| scheduled.at);
    faults
}

fn build_fault(document: &Document, keys: &FaultKeys, log: &mut Log) -> Option<Fault> {
    let kind = keys.kind.as_ref()?;
    let duration = keys.duration.as_ref().map(|at| at.value);
    refuse_strangers(kind.value, keys, log);
    match kind.value {
        Kind::InFlight(what) => {
            let drone = drone(document, keys, log)?;
            Some(Fault::InFlight(drone, what))
        }
        Kind::HubClosed => {
            let hub = hub(document, keys, log)?;
            Some(Fault::HubClosed(hub, duration.unwrap_or(SimDuration::FOREVER)))
        }
        Kind::CarrierDown => {
            there_is_one_carrier(document, keys, log).then_some(Fault::CarrierDown(duration))
        }
        Kind::LinkLost => {
            let drone = drone(document, keys, log)?;
            Some(Fault::LinkLost(drone, duration))
        }
        Kind::StepFail => {
            let step = step(keys, log)?;
            let fault = match keys.mode.as_ref().map(|at| at.value) {
                None | Some(Mode::Fail) => StepFault::Fail,
                Some(Mode::AnswerLost) => StepFault::AnswerLost,
            };
            Some(Fault::Step(step, fault, duration))
        }
        Kind::StepSlow => {
            let fault = StepFault::slow(duration, document.workflow.step_timeout);
            Some(Fault::Step(step(keys, log)?, fault, duration))
        }
        Kind::ActorPanic => victim(document, keys, log).map(Fault::Panic),
        Kind::WindShift => {
            let at = match &keys.target {
                Some(target) => Some(place(document, target, log)?),
                None => None,
            };
            let read = |key: &Option<At<f64>>| key.as_ref().map(|at| at.value);
            Some(Fault::WindShift(WindShift {
                at,
                turn: WindShift::turn(read(&keys.speed), read(&keys.from)),
                lasts: duration,
            }))
        }
    }
}

/// Keys that say something of other kinds only.
fn refuse_strangers(kind: Kind, keys: &FaultKeys, log: &mut Log) {
    let mut refuse = |span: &Span, message: &str| log.error(span, message, "leave it out");
    for key in [&keys.speed, &keys.from].into_iter().flatten() {
        if kind != Kind::WindShift {
            refuse(&key.span, "`speed` and `from` are of `wind_shift` only");
        }
    }
    if let (Some(mode), false) = (&keys.mode, kind == Kind::StepFail) {
        refuse(&mode.span, "`mode` is of `step_fail` only");
    }
    let happens_once = matches!(kind, Kind::InFlight(_) | Kind::ActorPanic);
    if let (Some(duration), true) = (&keys.duration, happens_once) {
        refuse(&duration.span, "this fault happens once, and has no `duration`");
    }
}

/// So it need not be named; it goes by its step, and by what customers see.
fn there_is_one_carrier(document: &Document, keys: &FaultKeys, log: &mut Log) -> bool {
    let Some(target) = &keys.target else { return true };
    let names = [Step::ThirdParty.as_str(), document.carrier.name.as_str()];
    let is_known = names.contains(&target.value.as_str());
    if !is_known {
        log.missing(
            &target.span,
            format!("there is no carrier \"{}\"", target.value),
            "write `third_party`, the one carrier that there is, or leave `target` out",
        );
    }
    is_known
}

fn step(keys: &FaultKeys, log: &mut Log) -> Option<Step> {
    let index = listed(keys, &Step::ALL.map(Step::as_str), log)?;
    Some(Step::ALL[index])
}

fn victim(document: &Document, keys: &FaultKeys, log: &mut Log) -> Option<Victim> {
    let named = target(keys, log)?;
    if named.value.starts_with("d-") {
        let drone = drone(document, keys, log)?;
        return Some(Victim::Actor(Actor::Drone(drone)));
    }
    let found = Victim::of_kind(&named.value);
    if found.is_none() {
        let kinds = SINGLE_ACTORS
            .map(Actor::kind)
            .into_iter()
            .chain(["drone", "delivery"]);
        log.missing(
            &named.span,
            format!("there is no kind of actor \"{}\"", named.value),
            suggest(&named.value, kinds.collect::<Vec<_>>().into_iter()),
        );
    }
    found
}

fn target<'k>(keys: &'k FaultKeys, log: &mut Log) -> Option<&'k At<String>> {
    if let (None, Some(kind)) = (&keys.target, &keys.kind) {
        log.missing(&kind.span, "this fault has no `target`", "say what it hits");
    }
    keys.target.as_ref()
}

fn drone(document: &Document, keys: &FaultKeys, log: &mut Log) -> Option<DroneId> {
    let target = target(keys, log)?;
    let counts = (document.fleets.iter().flat_map(|fleets| &fleets.value)).map(|fleet| &fleet.value.count);
    let are_known = document.fleets.is_some() && counts.clone().all(Option::is_some);
    let drones: u64 = counts
        .flatten()
        .fold(0, |sum, count| sum.saturating_add(count.value));
    let drone = target.value.parse::<DroneId>();
    let found = drone.ok().filter(|drone| u64::from(drone.0) < drones);
    // Those of a fleet that could not be read may be meant.
    if found.is_none() && are_known {
        log.missing(
            &target.span,
            format!("there is no drone \"{}\"", target.value),
            format!("drones are d-0 to d-{}", drones.saturating_sub(1)),
        );
    }
    found
}

fn hub(document: &Document, keys: &FaultKeys, log: &mut Log) -> Option<HubId> {
    let hubs = document.hubs.iter().flat_map(|hubs| &hubs.value);
    let ids: Vec<&str> = hubs
        .filter_map(|hub| hub.value.id.as_ref())
        .map(|id| id.value.as_str())
        .collect();
    let index = listed(keys, &ids, log)?;
    u16::try_from(index).ok().map(HubId)
}

/// A hub by its id, or a place by its name.
fn place(document: &Document, target: &At<String>, log: &mut Log) -> Option<LatLon> {
    let hubs = document.hubs.iter().flat_map(|hubs| &hubs.value);
    let hub = hubs
        .filter(|hub| hub.value.id.as_ref().is_some_and(|id| id.value == target.value))
        .find_map(|hub| hub.value.location.as_ref());
    let wanted = normal_name(&target.value);
    let places = document.places.iter().flatten();
    let named = places
        .filter(|place| {
            place
                .value
                .name
                .as_ref()
                .is_some_and(|name| normal_name(&name.value) == wanted)
        })
        .find_map(|place| place.value.location.as_ref());
    let found = hub.or(named).map(|at| at.value);
    // One that could not be read may be the one that is meant.
    if found.is_none() && document.places.is_some() {
        log.missing(
            &target.span,
            format!("there is no hub or place \"{}\"", target.value),
            "name a hub by its `id`, a place by its `name`, or leave `target` out",
        );
    }
    found
}

/// Which of these the target is.
fn listed(keys: &FaultKeys, known: &[&str], log: &mut Log) -> Option<usize> {
    let target = target(keys, log)?;
    let found = known.iter().position(|name| *name == target.value);
    if found.is_none() {
        log.missing(
            &target.span,
            format!("there is no target \"{}\" for this fault", target.value),
            suggest(&target.value, known.iter().copied()),
        );
    }
    found
}
