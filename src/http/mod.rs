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
mod drone_deliveries;
mod drones;
mod failure;
mod faults;
mod fields;
mod forks;
mod front_door;
mod history;
mod map;
mod names;
mod operations;
mod order;
mod packages;
mod page;
mod parameters;
mod put_delivery;
mod quick_order;
mod rate;
mod recipient;
mod recording;
mod roster;
mod shows;
mod simulation;
mod stream;
mod summaries;
mod supervisor;
pub mod telemetry;
#[cfg(test)]
mod tests;
mod third_party;
mod threshold;
mod timeline;
mod tokens;
mod world;
mod zones;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::middleware;
use axum::response::Response;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::Guard;
use crate::view::View;
use crate::view::branches::Branches;
use crate::view::commands::Commands;
use crate::view::recordings::Recordings;
use crate::ws::{Looker, Moments, NoStream, Wish};

use failure::Failure;
use shows::Shows;
use threshold::Threshold;

pub use basemap::{Basemap, BasemapError};
pub use front_door::FrontDoor;
pub use history::Exports;
pub use rate::RateLimit;

/// What handlers have of the rest of the house.
#[derive(Clone)]
pub struct Api(Arc<Parts>);

impl Deref for Api {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// All that the front door needs of the rest of the house.
pub struct Parts {
    pub view: Arc<View>,
    pub commands: Arc<dyn Commands>,
    /// Whoever records the world.
    pub recordings: Arc<dyn Recordings>,
    /// Asked by `/readyz`; that the clock is stalled the view says by itself.
    pub ready: Arc<dyn Fn() -> Readiness + Send + Sync>,
    /// What `/metrics` shows, in the OpenMetrics text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub requests: telemetry::Requests,
    /// How long the body of a request may take.
    pub body_patience: Duration,
    /// How much one client may ask; as much as it likes where it is left out.
    pub rate_limit: Option<Arc<RateLimit>>,
    /// What the map lies on, where the operator gave something.
    pub basemap: Option<Basemap>,
    /// Asks every comer for their token.
    pub guard: Arc<Guard>,
    /// Who may write a day of history.
    pub exports: Exports,
    /// Of the recording that is played; a live world has none.
    pub branches: Option<Arc<dyn Branches>>,
    /// Tells of topics as they go, in the body of an answer.
    pub streams: Arc<dyn Fn(Wish) -> Result<Body, NoStream> + Send + Sync>,
    /// Other moments, which sessions look at by themselves.
    pub moments: Arc<Moments>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    Draining,
}

/// All routes, with that of the WebSocket, which is the window's.
pub fn router(api: Parts, window: Router) -> FrontDoor {
    let moments = Arc::clone(&api.moments);
    let (common, routes) = router_of(api, window, None);
    FrontDoor::with(routes, Shows { moments, common })
}

/// The same without a door before them; where they are only for one, for nobody else.
fn router_of(api: Parts, window: Router, only: Option<Looker>) -> (Api, Router) {
    let threshold = Threshold::new(&api, only);
    let (routes, _) = routes()
        .merge(basemap::routes(api.basemap.as_ref()))
        .split_for_parts();
    let api = Api(Arc::new(api));
    let routes = routes
        .with_state(api.clone())
        .merge(operations::documentation())
        .merge(window)
        .layer(middleware::from_fn_with_state(threshold, threshold::pass));
    (api, routes)
}

/// What whoever comes hears when there is no place for another connection.
pub async fn turn_away(mut request: Request, patience: Duration) -> Response {
    body::pass_over(&mut request, patience).await;
    let failure = Failure::NotReady("there is no place for another connection");
    let mut response = failure::problem_response(failure, request.uri().path());
    response.headers_mut().insert(CONNECTION, failure::CLOSE);
    response
}

/// What whoever asks for something hears that is not here.
pub fn nothing_here(path: &str) -> Response {
    failure::problem_response(Failure::UnknownRoute, path)
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
        .merge(recipient::routes())
        .merge(put_delivery::routes())
        .merge(drone_deliveries::routes())
        .merge(drones::routes())
        .merge(map::routes())
        .merge(roster::routes())
        .merge(zones::routes())
        .merge(simulation::routes())
        .merge(timeline::routes())
        .merge(forks::routes())
        .merge(recording::routes())
        .merge(stream::routes())
        .merge(shows::routes())
        .merge(tokens::routes())
        .merge(faults::routes())
        .merge(supervisor::routes())
        .merge(world::routes())
        .merge(operations::routes())
        .merge(page::routes())
}
