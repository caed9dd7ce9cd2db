//! `/api/supervisor`: workflows, dead letters and breakers, for operators.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::cursor;
use super::delivery_requests::status_of;
use super::documents::{AccessProblems, ClockProblems, QueryProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::parameters::{NoParameters, Parameters, PathId, one_of};
use crate::sim::command::Command;
use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryId;
use crate::view::archive::Unread;
use crate::view::reading::Page;
use crate::view::{DeliveryFilter, DeliveryRecord, LetterReading, View};
use crate::wire::api::List;
use crate::wire::api::delivery_requests::{RequestState, RequestStatus};
use crate::wire::api::supervisor::{Breaker, DeadLetter, Panics, Retried, Supervision};
use crate::wire::time::rfc3339;

/// Deliveries that are looked at for one page at most: a state that hardly any is in may take
/// several pages, some of them empty.
const LOOKED_AT: usize = 10_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_workflows))
        .routes(routes!(list_dead_letters))
        .routes(routes!(retry_dead_letter))
        .routes(routes!(read_health))
}

/// Workflows, in the order of their deliveries' ids
///
/// Of all requests that the store has, those that have ended too. A page may hold fewer than asked
/// for, even none, and have a next one.
#[utoipa::path(
    get,
    path = "/api/supervisor/workflows",
    tag = "Supervisor",
    params(
        ("state" = Option<RequestState>, Query),
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<RequestStatus>), QueryProblems, WriteProblems, AccessProblems)
)]
async fn list_workflows(
    State(api): State<Api>,
    _: Operator,
    mut parameters: Parameters,
) -> Result<Json<List<RequestStatus>>, Failure> {
    let state = parameters.optional("state", |text| {
        one_of(text, &RequestState::ALL, RequestState::as_str)
    });
    let limit = parameters.limit();
    let mut after = parameters.optional("cursor", cursor::decode);
    parameters.finish()?;
    let mut items = Vec::new();
    let mut looked_at = 0;
    loop {
        let wanted = limit - items.len();
        let page = candidates(&api.view, state, after, wanted).await?;
        looked_at += page.items.len();
        let statuses = page.items.iter().map(|record| status_of(&api.view, record));
        items.extend(statuses.filter(|status| state.is_none_or(|state| state == status.state)));
        after = page.next;
        if after.is_none() || items.len() >= limit || looked_at >= LOOKED_AT {
            break;
        }
    }
    Ok(Json(List {
        items,
        next: after.as_ref().map(cursor::encode),
    }))
}

/// A page of those among whom are all that are in this state; the archive is only asked where
/// it may have some.
async fn candidates(
    view: &View,
    state: Option<RequestState>,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Page<DeliveryRecord, DeliveryId>, Unread> {
    use RequestState as S;
    let of_stage = |stage| DeliveryFilter {
        stage,
        ..DeliveryFilter::default()
    };
    match state {
        // What was delivered has been scheduled for good.
        None | Some(S::Scheduled) => view.list(&of_stage(None), after, limit).await,
        Some(S::Failed) => view.list(&of_stage(Some(Stage::Failed)), after, limit).await,
        Some(S::Cancelled) => view.list(&of_stage(Some(Stage::Cancelled)), after, limit).await,
        Some(S::DeadLettered) => view.of_dead_letters(after, limit).await,
        Some(S::Queued | S::Running | S::AwaitingDrone | S::Retrying | S::Compensating) => {
            Ok(view.deliveries(&of_stage(None), after, limit))
        }
    }
}

/// Requests that came to nothing and that something is still held for
#[utoipa::path(
    get,
    path = "/api/supervisor/deadletters",
    tag = "Supervisor",
    params(
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<DeadLetter>), QueryProblems, AccessProblems)
)]
async fn list_dead_letters(
    State(api): State<Api>,
    _: Operator,
    mut parameters: Parameters,
) -> Result<Json<List<DeadLetter>>, Failure> {
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode);
    parameters.finish()?;
    let page = api.view.dead_letters(after, limit);
    Ok(Json(List {
        items: page.items.iter().map(|letter| shown(&api.view, letter)).collect(),
        next: page.next.as_ref().map(cursor::encode),
    }))
}

fn shown(view: &View, letter: &LetterReading) -> DeadLetter {
    DeadLetter {
        delivery_id: letter.id.to_string(),
        step: letter.step,
        since: rfc3339(&view.world(), letter.since),
        times: letter.times,
    }
}

/// Try a dead letter again
///
/// What is still held for the request is undone, the last step first. Answers when the tick in
/// which that began is committed; 409 where it was resolved meanwhile.
#[utoipa::path(
    post,
    path = "/api/supervisor/deadletters/{id}/retry",
    tag = "Supervisor",
    params(("id" = String, Path)),
    responses((status = 200, body = Retried), QueryProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn retry_dead_letter(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    PathId(id): PathId<DeliveryId>,
) -> Result<Json<Retried>, Failure> {
    let letter = id.and_then(|id| api.view.dead_letter(id));
    let id = letter.ok_or(Failure::Unknown("dead letter"))?.id;
    let tick = api.commands.write(Command::RetryDeadLetter(id)).await?.tick;
    Ok(Json(Retried {
        delivery_id: id.to_string(),
        resolved: api.view.dead_letter(id).is_none(),
        tick,
    }))
}

/// Breakers, dead letters, and actors that panicked
#[utoipa::path(
    get,
    path = "/api/supervisor/health",
    tag = "Supervisor",
    responses((status = 200, body = Supervision), QueryProblems, AccessProblems)
)]
async fn read_health(State(api): State<Api>, _: Operator, _: NoParameters) -> Json<Supervision> {
    let breaker = Breaker {
        name: "carrier".into(),
        state: api.view.breaker(),
    };
    let panics = api.view.panics().into_iter();
    Json(Supervision {
        breakers: vec![breaker],
        dead_letters: api.view.dead_letter_count() as u64,
        panics: panics.map(|(actor, count)| Panics { actor, count }).collect(),
    })
}
