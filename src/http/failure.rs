//! Everything that can go wrong at the front door, and the one place that says which
//! status and problem (RFC 9457) each becomes.

mod refusal;

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::auth::{Denied, Stranger};
use crate::view::archive::Unread;
use crate::view::branches::{NoBranch, NoComparison};
use crate::view::commands::Refusal;
use crate::view::recordings::NotRecording;
use crate::wire::api::problem::{FieldProblem, Problem};
use crate::wire::discreet::discreet;
use crate::ws::NoSession;

/// Of `Connection`: nothing more can be asked over this one.
pub const CLOSE: HeaderValue = HeaderValue::from_static("close");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Of sessions.
pub const NO_ROOM: &str = "there is no room for another session";

/// How long a client should wait where nobody knows better.
const DEFAULT_RETRY: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub enum Failure {
    UnknownRoute,
    /// The `Allow` header says what would do.
    MethodNotAllowed,
    /// No such thing of this kind, whether the id is well-formed or not.
    Unknown(&'static str),
    /// A drone on the ground has no route.
    NotInTheAir,
    /// A live world that is not recorded has no timeline.
    NotARecording,
    /// A session's own moment is told over the session's own socket.
    ToldBySession,
    /// This world has no branches, and why.
    NoBranches(&'static str),
    NoBranch(NoBranch),
    NoComparison(NoComparison),
    /// No flight of that account ended in that month.
    NothingBooked,
    /// No recording begins, or ends.
    NotRecording(NotRecording),
    /// Nobody flies for it, for this reason.
    NoDrone(&'static str),
    /// The body is no JSON.
    Unparsable(String),
    /// The body did not arrive whole.
    BodyBrokeOff,
    /// It did not arrive in time.
    BodyTooSlow,
    BodyTooLarge,
    WrongMediaType,
    WrongFields(Vec<FieldProblem>),
    /// The same of a query, on a route of which the reference wants 400.
    BadQuery(Vec<FieldProblem>),
    Refused(Refusal),
    /// The archive does not answer, or no longer has it.
    Unread(Unread),
    NotReady(&'static str),
    /// This client asked as much as it may, and may again after this time.
    TooManyRequests(Duration),
    /// Nobody knows who asks.
    Unauthorized(Denied),
    /// Who asks may not, for this reason.
    Forbidden(&'static str),
    /// A page of another server sent this, or this server does not go by that name.
    Stranger(Stranger),
    /// Nobody opened a WebSocket that is spoken here.
    NotAHandshake {
        status: StatusCode,
        why: String,
    },
    /// A bug: a handler panicked.
    Panicked,
    /// Whatever a library answered by itself.
    Other(StatusCode),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        Failure::Unread(unread)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Failure::Unauthorized(denied)
    }
}

impl From<Stranger> for Failure {
    fn from(stranger: Stranger) -> Self {
        Failure::Stranger(stranger)
    }
}

impl From<NoSession> for Failure {
    fn from(no_session: NoSession) -> Self {
        match no_session {
            NoSession::NotAHandshake { status, why } => Failure::NotAHandshake { status, why },
            NoSession::Stranger(stranger) => stranger.into(),
            NoSession::Full => Failure::NotReady(NO_ROOM),
            NoSession::ShuttingDown => Refusal::ShuttingDown.into(),
        }
    }
}

/// What a failure looks like from outside.
struct Shape {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    retry_after: Option<Duration>,
}

impl Failure {
    fn shape(&self) -> Shape {
        use StatusCode as S;
        let (status, slug, title) = match self {
            Failure::UnknownRoute => (S::NOT_FOUND, "unknown-route", "There is nothing here"),
            Failure::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "This route does not take that method",
            ),
            Failure::Unknown(_) => (S::NOT_FOUND, "unknown-id", "No such thing"),
            Failure::NothingBooked => (S::NOT_FOUND, "nothing-booked", "Nothing was flown"),
            Failure::NoDrone(_) => (S::CONFLICT, "no-drone", "No drone flies for it"),
            Failure::NotInTheAir => (S::NOT_FOUND, "not-in-the-air", "Not in the air"),
            Failure::ToldBySession => (S::NOT_FOUND, "told-by-session", "Its session tells it"),
            Failure::NotARecording | Failure::NoBranches(_) => {
                (S::NOT_FOUND, "not-a-recording", "Not a recording")
            }
            Failure::NoBranch(NoBranch::Unknown) => (S::NOT_FOUND, "unknown-id", "No such thing"),
            Failure::NoBranch(NoBranch::Busy) => (S::CONFLICT, "busy", "One branch at a time"),
            Failure::NoBranch(NoBranch::Ended) => (S::CONFLICT, "ended", "It has ended"),
            Failure::NoBranch(_) => (S::CONFLICT, "no-branch", "No branch can be made"),
            Failure::NoComparison(NoComparison::Alone) => {
                (S::NOT_FOUND, "nothing-beside", "Nothing to compare")
            }
            Failure::NoComparison(_) => (S::CONFLICT, "not-compared", "They cannot be compared"),
            Failure::NotRecording(why) => return refusal::shape_of_recording(why),
            Failure::Unparsable(_) | Failure::BodyBrokeOff => {
                (S::BAD_REQUEST, "unparsable", "The body is not JSON")
            }
            Failure::BodyTooSlow => (
                S::REQUEST_TIMEOUT,
                "body-too-slow",
                "The body did not come in time",
            ),
            Failure::BodyTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is larger than 1 MiB",
            ),
            Failure::WrongMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "wrong-media-type",
                "The body must be JSON",
            ),
            Failure::WrongFields(_) => (
                S::UNPROCESSABLE_ENTITY,
                "wrong-fields",
                "Some fields are wrong or missing",
            ),
            Failure::BadQuery(_) => (
                S::BAD_REQUEST,
                "wrong-parameters",
                "Some parameters are wrong or missing",
            ),
            Failure::Refused(refusal) => return refusal::shape_of(refusal),
            Failure::Unread(Unread::Moved(_)) => (S::GONE, "moved-out", "No longer kept here"),
            Failure::Unread(Unread::Busy | Unread::Unavailable) => {
                return Shape {
                    status: S::SERVICE_UNAVAILABLE,
                    slug: "unread",
                    title: "Past deliveries cannot be read",
                    retry_after: Some(DEFAULT_RETRY),
                };
            }
            Failure::NotReady(_) => {
                return Shape {
                    status: S::SERVICE_UNAVAILABLE,
                    slug: "not-ready",
                    title: "Not ready",
                    retry_after: Some(DEFAULT_RETRY),
                };
            }
            Failure::TooManyRequests(wait) => {
                return Shape {
                    status: S::TOO_MANY_REQUESTS,
                    slug: "too-many-requests",
                    title: "Too many requests",
                    retry_after: Some(*wait),
                };
            }
            Failure::Unauthorized(_) => (S::UNAUTHORIZED, "unauthorized", "No valid token"),
            Failure::Forbidden(_) => (S::FORBIDDEN, "forbidden", "Not yours"),
            Failure::NotAHandshake { status, .. } => (*status, "not-a-handshake", "No WebSocket was opened"),
            Failure::Stranger(Stranger::ForeignOrigin) => {
                (S::FORBIDDEN, "foreign-origin", "Pages from elsewhere may not ask")
            }
            Failure::Stranger(Stranger::UnknownHost) => (
                S::MISDIRECTED_REQUEST,
                "unknown-host",
                "This server has another name",
            ),
            Failure::Panicked => (S::INTERNAL_SERVER_ERROR, "internal", "A bug in the server"),
            Failure::Other(status) => (*status, "other", status.canonical_reason().unwrap_or("Refused")),
        };
        Shape {
            status,
            slug,
            title,
            retry_after: None,
        }
    }

    fn detail(&self) -> String {
        match self {
            Failure::UnknownRoute => "no route has this path; /docs lists them all".into(),
            Failure::MethodNotAllowed => "the Allow header lists the methods that this route takes".into(),
            Failure::Unknown(kind) => format!("no {kind} has this id"),
            Failure::NothingBooked => {
                "no drone came back from a flight for this account in that month".into()
            }
            Failure::NotARecording => {
                "nothing of this world is recorded, so it has no timeline; PUT /api/recording begins a recording".into()
            }
            Failure::ToldBySession => "subscribe over the session's own WebSocket".into(),
            Failure::NoBranches(why) => (*why).into(),
            Failure::NoBranch(refused) => refused.to_string(),
            Failure::NoComparison(refused) => refused.to_string(),
            Failure::NotRecording(why) => why.to_string(),
            Failure::NotInTheAir => "the drone is on the ground, so it has no route".into(),
            Failure::Unparsable(why) => why.clone(),
            Failure::BodyBrokeOff => "the body broke off".into(),
            Failure::BodyTooSlow => "the connection is closed, for the rest of the body may still come".into(),
            Failure::BodyTooLarge => "send at most 1,048,576 bytes".into(),
            Failure::WrongMediaType => "send the body with Content-Type: application/json".into(),
            Failure::WrongFields(errors) | Failure::BadQuery(errors) => match errors.len() {
                1 => "1 field is wrong or missing".into(),
                many => format!("{many} fields are wrong or missing"),
            },
            Failure::Refused(refusal) => refusal.to_string(),
            Failure::Unread(unread) => unread.to_string(),
            Failure::NotReady(why) | Failure::NoDrone(why) => (*why).into(),
            Failure::TooManyRequests(_) => {
                "this account, or this address, has asked as often as one may here; Retry-After says when it may again"
                    .into()
            }
            Failure::Unauthorized(denied) => denied.to_string(),
            Failure::Forbidden(why) => (*why).into(),
            Failure::Stranger(stranger) => stranger.to_string(),
            Failure::NotAHandshake { why, .. } => why.clone(),
            Failure::Panicked => "the request could not be answered; the server's log says why".into(),
            Failure::Other(status) => status.canonical_reason().unwrap_or("refused").to_lowercase(),
        }
    }

    /// Whether what is left of the request stands in the way of another one.
    fn ends_connection(&self) -> bool {
        matches!(
            self,
            Failure::BodyBrokeOff | Failure::BodyTooSlow | Failure::BodyTooLarge
        )
    }

    /// How to come back with more to show (RFC 6750).
    fn challenge(&self) -> Option<HeaderValue> {
        match self {
            Failure::Unauthorized(Denied::Missing) => Some(HeaderValue::from_static("Bearer")),
            Failure::Unauthorized(_) => Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            _ => None,
        }
    }

    fn into_errors(self) -> Vec<FieldProblem> {
        match self {
            Failure::WrongFields(errors) | Failure::BadQuery(errors) => errors
                .into_iter()
                .map(|FieldProblem { pointer, detail }| FieldProblem {
                    pointer: discreet(&pointer).into_owned(),
                    detail: discreet(&detail).into_owned(),
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A response without its body yet: [`as_problem`] knows the path that the body names.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.shape().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives a failure the body of a problem: this crate's failures, what axum answers by
/// itself, and handlers that panic.
pub async fn as_problem(uri: &Uri, answer: impl Future<Output = Response>) -> Response {
    let answer = std::panic::AssertUnwindSafe(answer).catch_unwind();
    let mut response = answer.await.unwrap_or_else(|_| {
        tracing::error!(path = %discreet(uri.path()), "a handler panicked");
        Failure::Panicked.into_response()
    });
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let said = response.extensions_mut();
    let no_session = said.remove::<NoSession>().map(Failure::from);
    let failure = said.remove::<Failure>().or(no_session);
    let failure = failure.unwrap_or_else(|| failure_of_status(status));
    let mut problem = problem_response(failure, uri.path());
    if let Some(allow) = response.headers_mut().remove(axum::http::header::ALLOW) {
        problem.headers_mut().insert(axum::http::header::ALLOW, allow);
    }
    problem
}

fn failure_of_status(status: StatusCode) -> Failure {
    match status {
        StatusCode::NOT_FOUND => Failure::UnknownRoute,
        StatusCode::METHOD_NOT_ALLOWED => Failure::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Failure::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::WrongMediaType,
        other => Failure::Other(other),
    }
}

pub fn problem_response(failure: Failure, path: &str) -> Response {
    let shape = failure.shape();
    let challenge = failure.challenge();
    let ends_connection = failure.ends_connection();
    let problem = Problem {
        kind: format!("urn:skyhaul:problem:{}", shape.slug),
        title: shape.title.into(),
        status: shape.status.as_u16(),
        detail: discreet(&failure.detail()).into_owned(),
        instance: discreet(path).into_owned(),
        errors: failure.into_errors(),
    };
    let mut response = (shape.status, Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    if ends_connection {
        headers.insert(CONNECTION, CLOSE);
    }
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = shape.retry_after {
        let seconds = wait.as_millis().div_ceil(1_000).max(1) as u64;
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_handler_that_panics_is_a_problem_of_the_server() {
        async fn broken() -> &'static str {
            panic!("a bug")
        }
        let uri = Uri::from_static("/broken");
        let response = as_problem(&uri, async { broken().await.into_response() }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let body = to_bytes(response.into_body(), 4_096).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.kind, "urn:skyhaul:problem:internal");
        assert_eq!(problem.instance, "/broken");
    }
}
