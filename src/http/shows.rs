//! `/shows/{show}/api/…`: all reads as of the moment that a WebSocket session looks at by itself.
//!
//! The same routes before the session's read side. They are there as long as the session looks at
//! that moment, and for who has its token; to everybody else they are unknown. Nothing can be
//! changed there.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::documents::{AccessProblems, ReadProblems};
use super::failure::Failure;
use super::{Api, Exports, Parts, router_of};
use crate::auth::Viewer;
use crate::view::View;
use crate::view::commands::NothingChanges;
use crate::ws::{Moments, NoStream};

const BEFORE: &str = "/shows/";

pub fn routes() -> OpenApiRouter<Api> {
    let no_show = post(read_as_of_a_show)
        .put(read_as_of_a_show)
        .patch(read_as_of_a_show)
        .delete(read_as_of_a_show);
    OpenApiRouter::new()
        .routes(routes!(read_as_of_a_show))
        // What nobody looks at cannot be written to either.
        .route("/shows/{show}/api/{resource}", no_show)
}

/// Any read, as of the moment that a session looks at
///
/// A WebSocket session that went to a moment of its own hears `show` in `clock`. Under that name
/// every `GET` of this document is answered as of that moment, however deep its path, with the
/// rights of the token that is shown, which must be the session's. It ends when the session
/// leaves that moment or ends; writes are refused. `timeline` and `recording` are of the whole
/// recording; `stream` is not there: what goes on the session is told over its WebSocket.
#[utoipa::path(
    get,
    path = "/shows/{show}/api/{resource}",
    tag = "World",
    params(
        ("show" = String, Path, description = "as the last `clock` said"),
        ("resource" = String, Path, description = "what comes after `/api/`", example = "drones"),
    ),
    responses(
        (status = 200, description = "what the same path without `/shows/{show}` answers"),
        ReadProblems,
        AccessProblems,
    )
)]
async fn read_as_of_a_show(_: Viewer, _: Path<(String, String)>) -> Failure {
    // Whatever is there, the door has led to already.
    Failure::Unknown("show")
}

/// The name in a path, and the path behind it.
pub(super) fn named(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix(BEFORE)?;
    let (name, rest) = path.split_at(path.find('/')?);
    rest.starts_with("/api/").then_some((name, rest))
}

pub(super) struct Shows {
    pub moments: Arc<Moments>,
    /// Before the moment that all look at.
    pub common: Api,
}

impl Shows {
    /// The routes before the one of this name.
    pub fn door(&self, name: &str) -> Option<Router> {
        let moment = self.moments.find(name)?;
        Some(moment.door(|view, looker| router_of(self.before(view), Router::new(), Some(looker.clone())).1))
    }

    fn before(&self, view: &Arc<View>) -> Parts {
        Parts {
            view: Arc::clone(view),
            commands: Arc::new(NothingChanges),
            // Every moment that is shown lies in it.
            recordings: Arc::clone(&self.common.recordings),
            ready: Arc::clone(&self.common.ready),
            metrics: Arc::clone(&self.common.metrics),
            requests: self.common.requests.clone(),
            body_patience: self.common.body_patience,
            rate_limit: self.common.rate_limit.clone(),
            basemap: self.common.basemap.clone(),
            guard: Arc::clone(&self.common.guard),
            exports: Exports::default(),
            branches: None,
            streams: Arc::new(|_| Err(NoStream::Elsewhere)),
            moments: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_show_has_reads_and_nothing_else() {
        assert_eq!(
            named("/shows/1f/api/drones/d-1/route"),
            Some(("1f", "/api/drones/d-1/route"))
        );
        for path in [
            "/api/drones",
            "/shows/1f",
            "/shows/1f/metrics",
            "/shows/1f/ws",
            "/shows/",
        ] {
            assert_eq!(named(path), None, "{path}");
        }
    }
}
