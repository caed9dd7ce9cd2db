//! What every request passes on its way in, and its answer on the way out: it is timed and
//! counted, pages of other origins are told what they may read, strangers are turned away,
//! who asks is established, and how often, what they send is read, and every failure gets its body.
//!
//! One layer for all of it: each layer of its own is copied for every request, and this is
//! the way of tens of thousands a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONNECTION, ORIGIN, VARY};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

use super::failure::{CLOSE, Failure};
use super::telemetry::{Asked, Requests};
use super::{Parts, RateLimit, access, body, failure};
use crate::auth::{Grant, Guard};
use crate::view::commands::Refusal;
use crate::ws::Looker;

/// What [`CorsLayer`] says by itself.
const VARIES: HeaderValue =
    HeaderValue::from_static("origin, access-control-request-method, access-control-request-headers");

pub struct Threshold {
    requests: Requests,
    guard: Arc<Guard>,
    sharing: CorsLayer,
    /// How long the body of a request may take.
    patience: Duration,
    rate_limit: Option<Arc<RateLimit>>,
    /// Of a session's own moment: nobody else is let in.
    only: Option<Looker>,
    /// Why nothing behind it can be changed, where that is so.
    unchanging: Option<Refusal>,
}

/// What is no change of the world, though it is no read either: its clock, branches, tokens, and
/// shows that are not there.
const BESIDE_THE_WORLD: [&str; 4] = ["/api/simulation", "/api/forks", "/api/tokens", "/shows"];

impl Threshold {
    pub fn new(parts: &Parts, only: Option<Looker>) -> Arc<Self> {
        Arc::new(Threshold {
            requests: parts.requests.clone(),
            sharing: access::sharing(&parts.guard),
            guard: Arc::clone(&parts.guard),
            patience: parts.body_patience,
            rate_limit: parts.rate_limit.clone(),
            only,
            unchanging: parts.commands.can_change().err(),
        })
    }
}

/// The way in.
pub async fn pass(State(threshold): State<Arc<Threshold>>, request: Request, next: Next) -> Response {
    let asked = Asked::now(&request);
    let response = if is_from_a_page(&request) {
        let within = Arc::clone(&threshold);
        let within = service_fn(move |request: Request| {
            let (within, next) = (Arc::clone(&within), next.clone());
            async move { Ok::<Response, Infallible>(within.let_in(request, next).await) }
        });
        match threshold.sharing.layer(within).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    } else {
        let mut response = threshold.let_in(request, next).await;
        response.headers_mut().append(VARY, VARIES);
        response
    };
    threshold.requests.answered(asked, response.status());
    response
}

/// Only browsers speak of origins, or ask what they may ask.
fn is_from_a_page(request: &Request) -> bool {
    request.headers().contains_key(ORIGIN) || request.method() == Method::OPTIONS
}

impl Threshold {
    /// Who asks, and whether they may ask anything at all.
    fn judge(&self, request: &mut Request) -> Result<(), Failure> {
        access::turn_strangers_away(&self.guard, request)?;
        let known = access::ask_who_it_is(&self.guard, request);
        if let Some(limit) = &self.rate_limit {
            limit.count(request)?;
        }
        known?;
        let grant = request.extensions().get::<Grant>();
        match (&self.only, grant) {
            // As if there were no such moment.
            (Some(looker), Some(grant)) if !looker.is(&grant.viewer) => Err(Failure::Unknown("show")),
            _ if request.method().is_safe() => Ok(()),
            _ => self.unchanging(request),
        }
    }

    /// Where nothing can be changed, nobody looks at what is wanted.
    fn unchanging(&self, request: &Request) -> Result<(), Failure> {
        let Some(why) = &self.unchanging else {
            return Ok(());
        };
        let path = request.uri().path();
        let is_beside = BESIDE_THE_WORLD.iter().any(|route| {
            let rest = path.strip_prefix(route);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let is_known = request.extensions().get::<MatchedPath>().is_some();
        match self.only.is_none() && (is_beside || !is_known) {
            true => Ok(()),
            false => Err(why.clone().into()),
        }
    }

    async fn let_in(&self, mut request: Request, next: Next) -> Response {
        let uri = request.uri().clone();
        if let Err(refused) = self.judge(&mut request) {
            let is_read = match refused {
                Failure::Refused(_) => body::leave(&mut request, self.patience).await,
                _ => body::pass_over(&mut request, self.patience).await,
            };
            let mut refusal = failure::problem_response(refused, uri.path());
            if !is_read {
                refusal.headers_mut().insert(CONNECTION, CLOSE);
            }
            return refusal;
        }
        // Before the routes, so that whichever of them refuses the request, it was read.
        match body::receive(&mut request, self.patience).await {
            Ok(()) => failure::as_problem(&uri, next.run(request)).await,
            Err(unread) => failure::problem_response(unread, uri.path()),
        }
    }
}
