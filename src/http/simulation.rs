//! `/api/simulation`: the clock, and control over it.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::{JsonBody, OptionalJsonBody};
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, QueryProblems, TokenProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields};
use super::parameters::NoParameters;
use crate::sim::time::{SimTime, Tick};
use crate::view::commands::PaceChange;
use crate::view::reading::{RunState, Speed};
use crate::view::{Excerpt, View, shown};
use crate::wire::api::simulation as wire;
use crate::wire::place::rounded;
use crate::wire::time::{parse_rfc3339, rfc3339};

const MAX_SPEED: f64 = 10_000.0;
const MAX_STEP: Tick = 1_000_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(read_simulation, change_simulation))
        .routes(routes!(step_simulation))
}

/// How the clock stands
#[utoipa::path(
    get,
    path = "/api/simulation",
    tag = "Simulation",
    responses((status = 200, body = wire::Simulation), QueryProblems, TokenProblems)
)]
async fn read_simulation(State(api): State<Api>, _: NoParameters) -> Json<wire::Simulation> {
    Json(simulation_of(&api.view))
}

/// Pause, resume, or change the speed
///
/// Answers once the change is in force, with how the clock stands then.
#[utoipa::path(
    put,
    path = "/api/simulation",
    tag = "Simulation",
    request_body = wire::SimulationChange,
    responses((status = 200, body = wire::Simulation), BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn change_simulation(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: JsonBody,
) -> Result<Json<wire::Simulation>, Failure> {
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["state", "speed", "pauseAtTick", "simTime", "loop"]);
    let change = PaceChange {
        paused: fields.optional("state", wanted_state),
        speed: fields.optional("speed", |value| speed(value, api.view.is_playback())),
        pause_at_tick: fields.optional("pauseAtTick", |value| {
            value.as_u64().ok_or("must be the number of a tick".into())
        }),
        seek: fields.optional("simTime", |value| moment_of(&api.view, value)),
        is_loop: fields.optional("loop", |value| {
            value.as_bool().ok_or("must be true or false".into())
        }),
    };
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    api.commands.control(change).await?;
    Ok(Json(simulation_of(&api.view)))
}

/// One of what is played, where that is a recording; to the millisecond, as its ends are told.
pub(super) fn moment_of(view: &View, value: &Value) -> Result<SimTime, Complaint> {
    let world = view.world();
    let unix_us = value.as_str().and_then(parse_rfc3339);
    let unix_us = unix_us.ok_or("must be a date as in RFC 3339")?;
    if let Some(Excerpt { from, to, .. }) = view.excerpt() {
        let ends = (world.unix_us(from) - 999)..=world.unix_us(to);
        if !ends.contains(&unix_us) {
            let (from, to) = (rfc3339(&world, from), rfc3339(&world, to));
            return Err(format!("must be a moment of what is played: from {from} to {to}").into());
        }
    }
    Ok(world.sim_time(unix_us))
}

/// `true` pauses.
fn wanted_state(value: &Value) -> Result<bool, Complaint> {
    match value.as_str() {
        Some("paused") => Ok(true),
        Some("running") => Ok(false),
        _ => Err("must be one of running, paused".into()),
    }
}

/// A recording runs backwards too.
fn speed(value: &Value, is_playback: bool) -> Result<Speed, Complaint> {
    let is_allowed = |factor: &f64| match is_playback {
        true => wire::PLAYBACK_SPEEDS.contains(&factor.abs()),
        false => *factor > 0.0 && *factor <= MAX_SPEED,
    };
    let read = match value {
        Value::String(name) if name == "max" => Some(Speed::Max),
        Value::Number(factor) => factor.as_f64().filter(is_allowed).map(Speed::Times),
        _ => None,
    };
    let wanted = match is_playback {
        true => "must be from 0.1 to 1,000, below 0 for backwards, or \"max\"",
        false => "must be above 0 and up to 10,000, or \"max\"",
    };
    read.ok_or(wanted.into())
}

/// Take single steps while paused
///
/// Answers when the last tick is committed.
#[utoipa::path(
    post,
    path = "/api/simulation/step",
    tag = "Simulation",
    request_body = Option<wire::StepRequest>,
    responses((status = 200, body = wire::Simulation), BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn step_simulation(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Json<wire::Simulation>, Failure> {
    let mut ticks = 1;
    if let Some(body) = body {
        let mut complaints = Complaints::default();
        let read = |value: &Value| match value.as_u64() {
            Some(ticks @ 1..=MAX_STEP) => Ok(ticks),
            _ => Err("must be a whole number from 1 to 1,000,000".into()),
        };
        let mut fields = Fields::of_body(&body, &mut complaints);
        fields.nothing_but(&["ticks"]);
        ticks = fields.optional("ticks", read).unwrap_or(ticks);
        if !complaints.is_empty() {
            return Err(complaints.into_failure());
        }
    }
    api.commands.step(ticks).await?;
    Ok(Json(simulation_of(&api.view)))
}

fn simulation_of(view: &View) -> wire::Simulation {
    let clock = view.clock();
    let world = view.world();
    wire::Simulation {
        state: match clock.pace.state {
            RunState::Running => wire::SimulationState::Running,
            RunState::Paused => wire::SimulationState::Paused,
            RunState::Stalled => wire::SimulationState::Stalled,
        },
        speed: shown::speed(clock.pace.speed),
        tick: clock.tick,
        sim_time: rfc3339(&world, clock.at),
        real_time_factor: rounded(clock.pace.real_time_factor, 100.0),
        tick_slip_ms: rounded(clock.pace.tick_slip_ms, 100.0),
        digest: clock.digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        epoch: shown::epoch(&clock),
        playback: view.excerpt().map(|excerpt| wire::Playback {
            from: rfc3339(&world, excerpt.from),
            to: rfc3339(&world, excerpt.to),
            is_loop: excerpt.is_loop,
            frame_seconds: excerpt.frame_period.as_secs(),
        }),
    }
}
