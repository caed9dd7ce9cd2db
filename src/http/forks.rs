//! `/api/forks`, `/api/comparison`: what if a recorded world had gone on otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::JsonBody;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, QueryProblems, ReadProblems};
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields, pointer};
use super::parameters::{NoParameters, PathId};
use super::simulation::moment_of;
use crate::sim::time::SimTime;
use crate::view::branches::{Branch, Branches, NoBranch, Stage};
use crate::view::commands::Refusal;
use crate::wire::api::forks as wire;
use crate::wire::time::rfc3339;

/// Changes of one branch.
const CHANGES_MOST: usize = 32;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_forks, begin_fork))
        .routes(routes!(cancel_fork))
        .routes(routes!(read_comparison))
}

fn branches(api: &Api) -> Result<&Arc<dyn Branches>, Failure> {
    let why = match api.view.is_playback() {
        true => "this recording is shown beside; /api/forks has the branches of the one that is played",
        false => "this world is live; a recording that `skyhaul replay` plays has branches",
    };
    api.branches.as_ref().ok_or(Failure::NoBranches(why))
}

/// What is beside has none, whatever is asked for.
fn not_beside(api: &Api) -> Result<(), Failure> {
    match api.branches.is_none() && api.view.is_playback() {
        true => Err(Refusal::Beside.into()),
        false => Ok(()),
    }
}

/// The branches of the recording that is played
#[utoipa::path(
    get,
    path = "/api/forks",
    tag = "Simulation",
    responses((status = 200, body = wire::Forks), QueryProblems, ReadProblems, AccessProblems)
)]
async fn list_forks(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
) -> Result<Json<wire::Forks>, Failure> {
    let branches = branches(&api)?;
    let world = api.view.world();
    let beside = branches.beside().map(|beside| wire::Beside {
        from: rfc3339(&world, beside.from),
        to: rfc3339(&world, beside.to),
        file: beside.file,
    });
    let items = branches.all().into_iter().map(|branch| shown(&api, branch));
    Ok(Json(wire::Forks {
        items: items.collect(),
        beside,
    }))
}

/// What if: let the recorded world go on from a moment, otherwise
///
/// It runs to the end of the recording, into a file beside it, one branch at a time; when it is
/// done it is shown beside, under `/beside/`, at the moments that are played. Only a server that
/// plays a recording does this. 409 where another branch is under way, or where no file can be
/// written beside the recording.
#[utoipa::path(
    post,
    path = "/api/forks",
    tag = "Simulation",
    request_body = wire::NewFork,
    responses(
        (status = 201, body = wire::Fork, headers(("Location" = String, description = "/api/forks/{id}"))),
        BodyProblems, ReadProblems, ClockProblems, AccessProblems,
    )
)]
async fn begin_fork(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: JsonBody,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<wire::Fork>), Failure> {
    not_beside(&api)?;
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["at", "set"]);
    let at: Option<SimTime> = fields.required("at", |value| moment_of(&api.view, value));
    let set = fields.optional("set", |value| match value.as_object() {
        Some(set) if set.len() <= CHANGES_MOST => Ok(set.clone()),
        Some(_) => Err(format!("must have at most {CHANGES_MOST} keys").into()),
        None => Err("must be an object of keys and values".into()),
    });
    let changes: Vec<_> = (set.iter().flatten())
        .filter_map(|(key, value)| {
            let text = complaints.note(|| pointer("/set", key), text_of(value))?;
            Some((key.clone(), text))
        })
        .collect();
    let (Some(at), true) = (at, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let branches = branches(&api)?;
    for (key, _) in &changes {
        complaints.note(
            || pointer("/set", key),
            branches.check(key).map_err(Complaint::from),
        );
    }
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    let begun = tokio::task::spawn_blocking({
        // It reads files.
        let branches = Arc::clone(branches);
        move || branches.begin(at, changes)
    });
    let begun = begun
        .await
        .unwrap_or_else(|error| Err(NoBranch::Unread(error.to_string())));
    let branch = begun.map_err(|refused| match refused {
        NoBranch::NoScenario(why) => {
            complaints.add("/set", why);
            complaints.into_failure()
        }
        other => Failure::NoBranch(other),
    })?;
    let location = format!("/api/forks/{}", branch.number);
    let location = HeaderValue::try_from(location).expect("a path with a number is ASCII");
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        Json(shown(&api, branch)),
    ))
}

/// As it would stand in the scenario.
fn text_of(value: &Value) -> Result<String, Complaint> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err("must be text or a number".into()),
    }
}

/// Call a branch off that is under way
///
/// Its file is removed.
#[utoipa::path(
    delete,
    path = "/api/forks/{id}",
    tag = "Simulation",
    params(("id" = u32, Path)),
    responses(
        (status = 204, description = "It ends"),
        QueryProblems, ReadProblems, ClockProblems, AccessProblems,
    )
)]
async fn cancel_fork(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    PathId(number): PathId<u32>,
) -> Result<StatusCode, Failure> {
    not_beside(&api)?;
    let number = number.ok_or(Failure::Unknown("fork"))?;
    branches(&api)?.cancel(number).map_err(Failure::NoBranch)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is played against what is shown beside it
///
/// In the time that both have. Where a branch and what it is of were the same world before, that
/// counts for both.
#[utoipa::path(
    get,
    path = "/api/comparison",
    tag = "Simulation",
    responses((status = 200, body = wire::Comparison), QueryProblems, ReadProblems, AccessProblems)
)]
async fn read_comparison(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
) -> Result<Json<wire::Comparison>, Failure> {
    let found = branches(&api)?
        .comparison()
        .await
        .map_err(Failure::NoComparison)?;
    let world = api.view.world();
    let time = |at: SimTime| rfc3339(&world, at);
    Ok(Json(wire::Comparison {
        from: time(found.from),
        to: time(found.to),
        parts_at: found.parts_at.map(|(at, _)| time(at)),
        recordings: found.recordings.to_vec(),
        measures: found.measures,
    }))
}

fn shown(api: &Api, branch: Branch) -> wire::Fork {
    let (state, progress, why) = match branch.stage {
        Stage::Running(share) => (wire::ForkState::Running, share, None),
        Stage::Done => (wire::ForkState::Done, 1.0, None),
        Stage::Failed(why) => (wire::ForkState::Failed, 0.0, Some(why)),
        Stage::Cancelled => (wire::ForkState::Cancelled, 0.0, None),
    };
    wire::Fork {
        id: branch.number,
        at: rfc3339(&api.view.world(), branch.at),
        set: BTreeMap::from_iter(branch.set),
        file: branch.file,
        state,
        progress,
        why,
    }
}
