//! What stands before all routes: trailing slashes are tolerated, and who asks about a session's own
//! moment is led to the routes before that.
//!
//! In front of the one that routes: a layer sees what its own router has routed already.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::routing::future::RouteFuture;
use tower::Service;

use super::shows::{self, Shows};

#[derive(Clone)]
pub struct FrontDoor {
    routes: Router,
    shows: Option<Arc<Shows>>,
}

impl FrontDoor {
    pub fn new(routes: Router) -> Self {
        FrontDoor { routes, shows: None }
    }

    /// With those before sessions' own moments.
    pub(super) fn with(routes: Router, shows: Shows) -> Self {
        FrontDoor {
            routes,
            shows: Some(Arc::new(shows)),
        }
    }
}

impl Service<Request> for FrontDoor {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        trim_trailing_slash(&mut request);
        if let (Some(shows), Some((name, rest))) = (&self.shows, shows::named(request.uri().path()))
            && let Some(mut door) = shows.door(name)
        {
            let rest = rest.to_owned();
            lead_to(&mut request, &rest);
            return door.call(request);
        }
        self.routes.call(request)
    }
}

fn trim_trailing_slash(request: &mut Request) {
    let path = request.uri().path();
    // The documentation's own links are relative to its slash.
    if path.len() < 2 || !path.ends_with('/') || path.starts_with("/docs") {
        return;
    }
    let trimmed = path.trim_end_matches('/').to_owned();
    if !trimmed.is_empty() {
        lead_to(request, &trimmed);
    }
}

/// As if this path had been asked for, with the same query.
fn lead_to(request: &mut Request, path: &str) {
    let path = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    if let Ok(path_and_query) = PathAndQuery::try_from(path) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(path_and_query);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}
