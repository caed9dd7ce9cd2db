//! `/api/stream`: the WebSocket's feed as server-sent events. What they say is the window's;
//! here is only who may ask for what, and how that is answered.

use std::borrow::Cow;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{NOT_YOUR_DELIVERY, NOT_YOUR_DRONE, ONLY_OPERATORS};
use super::documents::{AccessProblems, PastProblems, QueryProblems, ReadProblems};
use super::failure::{Failure, NO_ROOM};
use super::fields::{Complaint, Complaints};
use super::parameters::Parameters;
use crate::auth::Grant;
use crate::view::commands::Refusal;
use crate::wire::stream::ErrorCode;
use crate::wire::stream::client::{NotATopic, Refused, Topic};
use crate::ws::{NoStream, Wish};

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Proxies that gather an answer before they pass it on would never pass on this one.
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(stream))
}

/// What happens, as server-sent events
///
/// The server's messages of the WebSocket, which `/asyncapi.json` describes: the type is the
/// event's name, the message is its data. Subscriptions are numbered from 1 on, in the order
/// of the topics. Events and snapshots carry an id; whoever comes back to the same address
/// with the last one as `Last-Event-ID`, as browsers do by themselves, misses no numbered
/// event and gets none twice, also after a restart. An id that is none of this stream's
/// begins anew, with snapshots.
#[utoipa::path(
    get,
    path = "/api/stream",
    tag = "World",
    params(
        ("topic" = Vec<String>, Query, example = json!(["drone/d-17", "fleet"]),
            description = "`delivery/{id}`, `drone/{id}`, `hub/{id}`, `area`, `fleet` or `events`; up to 64 times"),
        ("bbox" = Option<String>, Query, description = "west,south,east,north of `area`"),
        ("maxHz" = Option<f64>, Query, description = "positions a second, at most; 5 where it is left out"),
        ("Last-Event-ID" = Option<String>, Header, example = "e7.57.-"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        QueryProblems,
        ReadProblems,
        PastProblems,
        AccessProblems,
    )
)]
async fn stream(
    State(api): State<Api>,
    grant: Grant,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let max_hz = parameters.optional("maxHz", rate);
    let topics = read_topics(&mut parameters);
    // Clients of such streams add what their libraries think of, against caches for instance.
    parameters.pass_over_others();
    parameters.finish()?;
    let (topics, unknown) = topics;
    if let Some(kind) = unknown {
        return Err(Failure::Unknown(kind));
    }
    // Those that ended long ago are in memory from here on, until they are followed.
    let mut held = Vec::new();
    for topic in &topics {
        if let Topic::Delivery(id) = topic {
            held.extend(api.view.find(*id).await?);
        }
    }
    let last_event_id = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let wish = Wish {
        grant,
        topics: topics.clone(),
        max_hz,
        last_event_id: last_event_id.map(str::to_owned),
    };
    let body = (api.streams)(wish).map_err(|no_stream| failure_of(no_stream, &topics))?;
    let headers = [
        (CONTENT_TYPE, EVENT_STREAM),
        (CACHE_CONTROL, NO_STORE),
        UNBUFFERED,
    ];
    Ok((headers, body).into_response())
}

fn rate(text: &str) -> Result<f64, Complaint> {
    match text.parse() {
        Ok(hz) if hz > 0.0 && f64::is_finite(hz) => Ok(hz),
        _ => Err("must be a number above 0".into()),
    }
}

/// All that can be topics, and of the first one that nothing can be, its kind.
fn read_topics(parameters: &mut Parameters) -> (Vec<Topic>, Option<&'static str>) {
    let names = parameters.all("topic");
    let bounds = parameters.bounds();
    if names.is_empty() {
        parameters.note::<()>("topic", Err("is missing".into()));
    }
    let (mut topics, mut unknown) = (Vec::new(), None);
    for (number, name) in (1..).zip(&names) {
        match Topic::read(name, bounds) {
            Ok(topic) => topics.push(topic),
            Err(NotATopic::NoSuch) => {
                unknown.get_or_insert(if name.starts_with("drone/") {
                    "drone"
                } else {
                    "delivery"
                });
            }
            Err(NotATopic::NeedsBounds) => {
                // One that is wrong was complained of already.
                if parameters.all("bbox").is_empty() {
                    parameters.note::<()>("bbox", Err("is missing: `area` needs it".into()));
                }
            }
            Err(NotATopic::Unknown) => {
                let complaint = format!("number {number} must be one of {}", Topic::NAMES.join(", "));
                parameters.note::<()>("topic", Err(complaint.into()));
            }
        }
    }
    (topics, unknown)
}

fn failure_of(no_stream: NoStream, topics: &[Topic]) -> Failure {
    match no_stream {
        NoStream::Elsewhere => Failure::ToldBySession,
        NoStream::Full => Failure::NotReady(NO_ROOM),
        NoStream::ShuttingDown => Failure::Refused(Refusal::ShuttingDown),
        NoStream::Refused(refused) => {
            let number = refused.id.and_then(|id| usize::try_from(id).ok());
            let topic = number.and_then(|number| topics.get(number.checked_sub(1)?));
            failure_of_topic(refused, topic)
        }
    }
}

fn failure_of_topic(Refused { code, message, .. }: Refused, topic: Option<&Topic>) -> Failure {
    match (code, topic) {
        (ErrorCode::NotFound, Some(Topic::Drone(_))) => Failure::Unknown("drone"),
        (ErrorCode::NotFound, Some(Topic::Hub(_))) => Failure::Unknown("hub"),
        (ErrorCode::NotFound, _) => Failure::Unknown("delivery"),
        (ErrorCode::Forbidden, Some(Topic::Delivery(_))) => Failure::Forbidden(NOT_YOUR_DELIVERY),
        (ErrorCode::Forbidden, Some(Topic::Drone(_))) => Failure::Forbidden(NOT_YOUR_DRONE),
        (ErrorCode::Forbidden, Some(Topic::Area(_))) => {
            Failure::Forbidden("this token does not show areas, and this world no densities")
        }
        (ErrorCode::Forbidden, _) => Failure::Forbidden(ONLY_OPERATORS),
        _ => {
            let mut complaints = Complaints::default();
            complaints.add("?topic", Cow::Owned(message));
            complaints.into_failure()
        }
    }
}
