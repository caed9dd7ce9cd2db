//! What every request passes on its way in, and its answer on the way out: it is timed and
//! counted, pages of other origins are told what they may read, strangers are turned away,
//! who asks is established, and how often, what they send is read, and every failure gets its body.
//!
//! One layer for all of it: each layer of its own is copied for every request, and this is
//! the way of tens of thousands a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, ORIGIN, VARY};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;

use super::failure::{CLOSE, Failure};
use super::telemetry::{Asked, Requests};
use super::{Parts, RateLimit, access, body, failure};
use crate::auth::Guard;

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
}

impl Threshold {
    pub fn new(parts: &Parts) -> Arc<Self> {
        Arc::new(Threshold {
            requests: parts.requests.clone(),
            sharing: access::sharing(&parts.guard),
            guard: Arc::clone(&parts.guard),
            patience: parts.body_patience,
            rate_limit: parts.rate_limit.clone(),
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
        known
    }

    async fn let_in(&self, mut request: Request, next: Next) -> Response {
        let uri = request.uri().clone();
        if let Err(refused) = self.judge(&mut request) {
            let is_read = body::pass_over(&mut request, self.patience).await;
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

/// Routes without regard to trailing slashes. In front of the one that routes: a layer sees
/// what its own router has routed already.
#[derive(Clone)]
pub struct Trimmed(pub Router);

impl Service<Request> for Trimmed {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.0, context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(trim_trailing_slash(request))
    }
}

fn trim_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    // The documentation's own links are relative to its slash.
    if path.len() < 2 || !path.ends_with('/') || path.starts_with("/docs") {
        return request;
    }
    let trimmed = match (path.trim_end_matches('/'), request.uri().query()) {
        ("", _) => return request,
        (path, Some(query)) => format!("{path}?{query}"),
        (path, None) => path.to_owned(),
    };
    if let Ok(path_and_query) = PathAndQuery::try_from(trimmed) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(path_and_query);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}
