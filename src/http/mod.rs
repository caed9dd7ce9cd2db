//! The front door: HTTP in, typed questions to the view and commands to the world, HTTP
//! out. One file a resource; `failure` alone knows which failure has which status.
//!
//! Nothing here decides anything about drones or deliveries, and nothing here knows who
//! runs the world. Sockets and addresses are the server's.

mod access;
mod accounts;
mod basemap;
mod body;
mod changes;
mod cursor;
mod deliveries;
mod delivery_requests;
mod documents;
mod drones;
mod failure;
mod faults;
mod fields;
mod history;
mod map;
mod operations;
mod order;
mod packages;
mod page;
mod parameters;
mod simulation;
mod stream;
mod summaries;
mod supervisor;
pub mod telemetry;
#[cfg(test)]
mod tests;
mod third_party;
mod tokens;
mod world;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Guard;
use crate::view::View;
use crate::view::commands::Commands;
use crate::ws::{NoStream, Wish};

pub use basemap::{Basemap, BasemapError};
pub use history::Exports;

/// All that the front door needs of the rest of the house.
#[derive(Clone)]
pub struct Api {
    pub view: Arc<View>,
    pub commands: Arc<dyn Commands>,
    /// Asked by `/readyz`; that the clock is stalled the view says by itself.
    pub ready: Arc<dyn Fn() -> Readiness + Send + Sync>,
    /// What `/metrics` shows, in the OpenMetrics text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub requests: telemetry::Requests,
    /// What the map lies on, where the operator gave something.
    pub basemap: Option<Basemap>,
    /// Asks every comer for their token.
    pub guard: Arc<Guard>,
    /// Who may write a day of history.
    pub exports: Exports,
    /// Tells of topics as they go, in the body of an answer.
    pub streams: Arc<dyn Fn(Wish) -> Result<Body, NoStream> + Send + Sync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    Draining,
}

/// All routes, with that of the WebSocket, which is the window's. Trailing slashes are
/// tolerated.
pub fn router(api: Api, window: Router) -> Router {
    let requests = api.requests.clone();
    let (routes, _) = routes()
        .merge(basemap::routes(api.basemap.as_ref()))
        .split_for_parts();
    let guard = Arc::clone(&api.guard);
    let routes = routes
        .with_state(api)
        .merge(operations::documentation())
        .merge(window)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&guard),
            access::ask_who_it_is,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&guard),
            access::turn_strangers_away,
        ))
        .layer(middleware::from_fn(failure::as_problems))
        .layer(access::sharing(&guard))
        .layer(middleware::from_fn_with_state(requests, telemetry::measure));
    // A layer sees what its own router has routed already, so the paths are trimmed in
    // front of the one that routes.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::map_request(trim_trailing_slash))
}

/// The description of all routes, made from the handlers themselves.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(documents::Head::openapi())
        .merge(delivery_requests::routes())
        .merge(deliveries::routes())
        .merge(history::routes())
        .merge(summaries::routes())
        .merge(accounts::routes())
        .merge(third_party::routes())
        .merge(packages::routes())
        .merge(changes::routes())
        .merge(drones::routes())
        .merge(map::routes())
        .merge(simulation::routes())
        .merge(stream::routes())
        .merge(tokens::routes())
        .merge(faults::routes())
        .merge(supervisor::routes())
        .merge(world::routes())
        .merge(operations::routes())
        .merge(page::routes())
}

async fn trim_trailing_slash(mut request: Request) -> Request {
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
