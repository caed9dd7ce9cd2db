//! `/api/timeline`: a recording at a glance, while it is made too.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::documents::{AccessProblems, QueryProblems, ReadProblems};
use super::failure::Failure;
use super::parameters::Parameters;
use crate::sim::time::SimTime;
use crate::view::timeline::{Mark, MarkKind, Marked};
use crate::wire::api::timeline as wire;
use crate::wire::time::rfc3339;

const BUCKETS: usize = 240;
const BUCKETS_MOST: usize = 2_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read_timeline))
}

/// A recording at a glance: deliveries over time, and what went wrong
///
/// Only a server that plays a recording has one, and a live world while it is recorded: that one
/// grows.
#[utoipa::path(
    get,
    path = "/api/timeline",
    tag = "Simulation",
    params(("buckets" = Option<u32>, Query, minimum = 1, maximum = 2000, description = "stretches to count deliveries in, 1 to 2,000; 240 where it is left out")),
    responses((status = 200, body = wire::Timeline), QueryProblems, ReadProblems, AccessProblems)
)]
async fn read_timeline(
    State(api): State<Api>,
    _: Operator,
    mut parameters: Parameters,
) -> Result<Json<wire::Timeline>, Failure> {
    let buckets = parameters.optional("buckets", |text| match text.parse() {
        Ok(buckets @ 1..=BUCKETS_MOST) => Ok(buckets),
        _ => Err(format!("must be a number from 1 to {BUCKETS_MOST}").into()),
    });
    parameters.finish()?;
    let timeline = api.view.timeline().ok_or(Failure::NotARecording)?;
    // Of a session's own moment too it is the whole.
    let excerpt = api.view.excerpt();
    let now = excerpt.map_or_else(|| api.view.clock().at, |excerpt| excerpt.to);
    let glance = timeline.glance(buckets.unwrap_or(BUCKETS), now);
    let world = api.view.world();
    let time = |at: SimTime| rfc3339(&world, at);
    Ok(Json(wire::Timeline {
        from: time(timeline.from()),
        to: time(glance.to),
        buckets: glance.completed,
        marks: glance.marks.into_iter().map(|mark| shown(mark, time)).collect(),
        unmarked: glance.unmarked,
        gathered: glance.gathered.map(time),
    }))
}

fn shown(mark: Mark, time: impl Fn(SimTime) -> String) -> wire::Mark {
    let (of, id) = match mark.of {
        Marked::Drone(id) => (wire::MarkedKind::Drone, id),
        Marked::Delivery(id) => (wire::MarkedKind::Delivery, id),
        Marked::Hub(id) => (wire::MarkedKind::Hub, id),
    };
    wire::Mark {
        at: time(mark.at),
        kind: match mark.kind {
            MarkKind::Fault => wire::MarkKind::Fault,
            MarkKind::Loss => wire::MarkKind::Loss,
            MarkKind::Failure => wire::MarkKind::Failure,
        },
        what: mark.what,
        of,
        id,
        with: mark.with,
    }
}
