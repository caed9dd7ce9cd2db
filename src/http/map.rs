//! `/api/hubs`: what stands still.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::cursor;
use super::documents::{QueryProblems, ReadProblems, TokenProblems};
use super::failure::Failure;
use super::parameters::{NoParameters, Parameters, PathId};
use crate::auth::{Viewer, What};
use crate::sim::ids::HubId;
use crate::view::shown;
use crate::wire::api::List;
use crate::wire::hub::Hub;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_hubs))
        .routes(routes!(read_hub))
}

/// Hubs, with their pads and chargers
///
/// Operators see what stands and waits there too.
#[utoipa::path(
    get,
    path = "/api/hubs",
    tag = "World",
    params(
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<Hub>), QueryProblems, TokenProblems)
)]
async fn list_hubs(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<List<Hub>>, Failure> {
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode::<HubId>);
    parameters.finish()?;
    let mut hubs = api.view.hubs();
    hubs.drain(..after.map_or(0, |last| hubs.partition_point(|hub| hub.hub <= last)));
    let next = (hubs.len() > limit).then(|| cursor::encode(&hubs[limit - 1].hub));
    hubs.truncate(limit);
    let with_gauges = viewer.may(&What::Everything);
    let world = &api.view.world();
    let shown = |reading| shown::hub(world, reading, with_gauges);
    Ok(Json(List {
        items: hubs.iter().map(shown).collect(),
        next,
    }))
}

/// One hub
#[utoipa::path(
    get,
    path = "/api/hubs/{id}",
    tag = "World",
    params(("id" = String, Path, example = "mission")),
    responses((status = 200, body = Hub), QueryProblems, ReadProblems, TokenProblems)
)]
async fn read_hub(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(id): PathId<String>,
) -> Result<Json<Hub>, Failure> {
    let hub = id.and_then(|id| api.view.hub_of_key(&id));
    let hubs = api.view.hubs();
    let reading = hubs.iter().find(|reading| Some(reading.hub) == hub);
    let reading = reading.ok_or(Failure::Unknown("hub"))?;
    let with_gauges = viewer.may(&What::Everything);
    Ok(Json(shown::hub(&api.view.world(), reading, with_gauges)))
}
