//! Counts requests and times them, by route as the router knows it, never by path.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds.
const BUCKETS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// The figures of the front door.
#[derive(Clone)]
pub struct Requests(Arc<Families>);

struct Families {
    answered: Family<Answered, Counter>,
    duration: Family<Route, Histogram, fn() -> Histogram>,
}

impl Requests {
    /// Adds the figures to the registry that `/metrics` shows.
    pub fn register(registry: &mut Registry) -> Self {
        let answered = Family::default();
        let make_histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let duration = Family::new_with_constructor(make_histogram);
        registry.register(
            "skyhaul_http_requests",
            "HTTP requests answered",
            answered.clone(),
        );
        registry.register(
            "skyhaul_http_request_duration_seconds",
            "Wall time from a request's headers to its answer's",
            duration.clone(),
        );
        Requests(Arc::new(Families { answered, duration }))
    }
}

/// A route's pattern; none for paths that no route has.
#[derive(Clone, Debug)]
struct Route(Option<MatchedPath>);

impl Route {
    fn as_str(&self) -> &str {
        self.0.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelSet for Route {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        [("route", self.as_str())].as_slice().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answered {
    method: &'static str,
    route: Route,
    status: u16,
}

impl EncodeLabelSet for Answered {
    fn encode(&self, encoder: &mut LabelSetEncoder) -> Result<(), std::fmt::Error> {
        let texts = [("method", self.method), ("route", self.route.as_str())];
        texts.as_slice().encode(encoder)?;
        [("status", self.status)].as_slice().encode(encoder)
    }
}

/// A request that is on its way.
pub struct Asked {
    began: Instant,
    method: &'static str,
    route: Route,
}

impl Asked {
    /// The router has found its route.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long people wait is wall time, and the world never hears of it"
    )]
    pub fn now(request: &Request) -> Self {
        Asked {
            began: Instant::now(),
            method: name_of(request.method()),
            route: Route(request.extensions().get::<MatchedPath>().cloned()),
        }
    }
}

impl Requests {
    pub fn answered(&self, asked: Asked, status: StatusCode) {
        let Requests(families) = self;
        let Asked { began, method, route } = asked;
        let duration = families.duration.get_or_create(&route);
        duration.observe(began.elapsed().as_secs_f64());
        drop(duration);
        let answered = Answered {
            method,
            route,
            status: status.as_u16(),
        };
        families.answered.get_or_create(&answered).inc();
    }
}

/// Clients may make methods up; the figures may not grow with their imagination.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
