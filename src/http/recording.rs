//! `/api/recording`: what goes into a recording from when on, as operators wish.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::ChangeBody;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, QueryProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{Complaint, Complaints, Fields};
use super::parameters::NoParameters;
use crate::view::recordings::RecordingState;
use crate::wire::api::recording as wire;
use crate::wire::time::rfc3339;

const LONGEST_NAME: usize = 100;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read_recording, change_recording))
}

/// Whether the world is recorded, and how far that is
#[utoipa::path(
    get,
    path = "/api/recording",
    tag = "Simulation",
    responses((status = 200, body = wire::Recording), QueryProblems, AccessProblems)
)]
async fn read_recording(State(api): State<Api>, _: Operator, _: NoParameters) -> Json<wire::Recording> {
    Json(recording_of(&api))
}

/// Begin to record, or end it
///
/// Answers when the file is begun, or whole. It is `NAME.mcap` in the data folder's `recordings`,
/// or in that of `--recordings`; no file is replaced. While it is written every WebSocket session
/// may `seek` in it.
#[utoipa::path(
    put,
    path = "/api/recording",
    tag = "Simulation",
    request_body = wire::RecordingChange,
    responses((status = 200, body = wire::Recording), BodyProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn change_recording(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: ChangeBody,
) -> Result<Json<wire::Recording>, Failure> {
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["state", "name"]);
    let is_wanted = fields.required("state", wanted);
    let name = fields.optional("name", name);
    let (Some(is_wanted), true) = (is_wanted, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    match is_wanted {
        true => {
            api.recordings
                .start(name.unwrap_or_else(|| unnamed(&api)))
                .await?
        }
        false => api.recordings.stop().await?,
    }
    Ok(Json(recording_of(&api)))
}

/// By the moment that it begins at.
fn unnamed(api: &Api) -> String {
    let now = rfc3339(&api.view.world(), api.view.clock().at);
    let digits: String = now.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    format!("recording-{digits}")
}

fn wanted(value: &Value) -> Result<bool, Complaint> {
    match value.as_str() {
        Some("recording") => Ok(true),
        Some("off") => Ok(false),
        _ => Err("must be one of recording, off".into()),
    }
}

/// One that is a file's name wherever it is put, and nothing else.
fn name(value: &Value) -> Result<String, Complaint> {
    let is_plain = |name: &&str| {
        name.len() <= LONGEST_NAME
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let name = value.as_str().filter(is_plain);
    name.map(str::to_owned).ok_or_else(|| {
        "must be letters, digits, -, _ and ., at most 100, and begin with a letter or digit".into()
    })
}

fn recording_of(api: &Api) -> wire::Recording {
    let reading = api.recordings.reading();
    let world = api.view.world();
    wire::Recording {
        state: match reading.state {
            RecordingState::Off => wire::RecordingState::Off,
            RecordingState::Recording => wire::RecordingState::Recording,
            RecordingState::Failed => wire::RecordingState::Failed,
        },
        name: reading.name,
        file: reading.file,
        bytes: reading.bytes,
        from: reading.from.map(|at| rfc3339(&world, at)),
        gaps: reading.gaps,
        failure: reading.failure,
    }
}
