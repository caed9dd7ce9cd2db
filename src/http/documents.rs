//! What every route's documentation has in common: its problems, and the document's head.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::wire::api::problem::{FieldProblem, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Skyhaul",
        description = "One living, simulated world of drones and deliveries. Times are simulated, RFC 3339 \
                       in UTC; metres above the ground, m/s, Wh and kg, but for the pounds of a package. \
                       Every failure is a problem (RFC 9457) that names every wrong field at once. \
                       The WebSocket is described in /asyncapi.json.",
        license(name = "Apache-2.0 OR MIT")
    ),
    components(schemas(Problem, FieldProblem)),
    modifiers(&Bearer),
    tags(
        (name = "Delivery requests", description = "Ask for a delivery, and follow its workflow"),
        (name = "Deliveries", description = "What customers see"),
        (name = "Delivery history", description = "What became of deliveries, and what they came to"),
        (name = "Drone service", description = "Drones for deliveries"),
        (name = "Third-party transport", description = "What no drone can carry"),
        (name = "Packages", description = "What is carried"),
        (name = "Accounts", description = "Who may order"),
        (name = "World", description = "Drones, hubs and zones"),
        (name = "Simulation", description = "The clock"),
        (name = "Access", description = "Tokens"),
        (name = "Operations", description = "Health and figures"),
    )
)]
pub struct Head;

/// Tokens, which an open server does not ask for: so each route takes one, or none.
struct Bearer;

const SCHEME: &str = "token";

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "Made by `skyhaul token` or `POST /api/tokens`. Needed where the server runs with \
                 `--auth required`; where it is open, one that is shown still narrows what is seen.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
        let nothing = SecurityRequirement::default();
        let token = SecurityRequirement::new(SCHEME, Vec::<String>::new());
        document.security = Some(vec![token, nothing]);
    }
}

/// Of any route that is for whoever shows a token.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum TokenProblems {
    /// The token is missing or no good
    #[response(status = 401, content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "`Bearer`, and what is wrong with the token")))]
    Unauthorized(#[to_schema] Problem),
    /// This account, or this address, asked more than `--rate-limit` lets it; `Retry-After` says
    /// when it may again
    #[response(status = 429, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "seconds")))]
    TooManyRequests(#[to_schema] Problem),
    /// The program failed over this request, and says in its log how; others go on
    #[response(status = 500, content_type = "application/problem+json")]
    Failed(#[to_schema] Problem),
}

/// Of any route that is not for every token.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum AccessProblems {
    /// The token is missing or no good
    #[response(status = 401, content_type = "application/problem+json",
        headers(("WWW-Authenticate" = String, description = "`Bearer`, and what is wrong with the token")))]
    Unauthorized(#[to_schema] Problem),
    /// This account, or this address, asked more than `--rate-limit` lets it; `Retry-After` says
    /// when it may again
    #[response(status = 429, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "seconds")))]
    TooManyRequests(#[to_schema] Problem),
    /// The program failed over this request, and says in its log how; others go on
    #[response(status = 500, content_type = "application/problem+json")]
    Failed(#[to_schema] Problem),
    /// The token is somebody else's
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
}

/// Of any route that takes a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum BodyProblems {
    /// The body is not JSON
    #[response(status = 400, content_type = "application/problem+json")]
    Unparsable(#[to_schema] Problem),
    /// The body did not come in time
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(#[to_schema] Problem),
    /// The body is larger than 1 MiB
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not sent as JSON
    #[response(status = 415, content_type = "application/problem+json")]
    WrongMediaType(#[to_schema] Problem),
    /// Fields are wrong or missing; all are named
    #[response(status = 422, content_type = "application/problem+json")]
    WrongFields(#[to_schema] Problem),
}

/// Of any route that changes something.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum WriteProblems {
    /// Nothing was taken; `Retry-After` says when to try again
    #[response(status = 503, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "seconds")))]
    Unavailable(#[to_schema] Problem),
}

/// Of clock control.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum ClockProblems {
    /// The clock is not in a state that allows it
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] Problem),
}

/// Of any route with an id.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum ReadProblems {
    /// There is no such thing
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(#[to_schema] Problem),
}

/// Of any route that looks into the store.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum StoreProblems {
    /// The store does not answer; `Retry-After` says when to try again
    #[response(status = 503, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "seconds")))]
    Unavailable(#[to_schema] Problem),
}

/// Of any route that also shows what has ended long ago.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum PastProblems {
    /// It ended so long ago that it was moved to the file that the problem names
    #[response(status = 410, content_type = "application/problem+json")]
    MovedOut(#[to_schema] Problem),
    /// The store does not answer; `Retry-After` says when to try again
    #[response(status = 503, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "seconds")))]
    Unavailable(#[to_schema] Problem),
}

/// Of any route with a query.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only its description is used")]
pub enum QueryProblems {
    /// Parameters are wrong; all are named
    #[response(status = 422, content_type = "application/problem+json")]
    WrongParameters(#[to_schema] Problem),
}
