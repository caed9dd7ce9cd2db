//! `/api/deliveries`: what was ordered and where it is, in the reference's shapes.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{delivery_for, handle_for, must};
use super::cursor;
use super::documents::{AccessProblems, PastProblems, QueryProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::parameters::{Parameters, PathId, one_of};
use crate::auth::{Viewer, What};
use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryName;
use crate::sim::world::World;
use crate::view::shown;
use crate::view::{DeliveryFilter, DeliveryRecord, Outlook};
use crate::wire::api::List;
use crate::wire::api::deliveries::{Delivery, DeliveryStatus, Estimate, ListedDelivery, Owner};
use crate::wire::place::Location;
use crate::wire::time::rfc3339;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_deliveries))
        .routes(routes!(read_delivery))
        .routes(routes!(read_public_delivery))
        .routes(routes!(read_owner))
        .routes(routes!(read_status))
}

const KIND: &str = "delivery";

/// Deliveries, in the order of their ids
///
/// Ids that the server gives sort by the time of the request; those that a client chose, or that
/// come from its names, lie anywhere between. So whoever goes through the pages finds every
/// delivery that was there at the beginning, once, and of those that come meanwhile the ones that
/// lie further on. `/api/deliveryhistory` goes by time.
#[utoipa::path(
    get,
    path = "/api/deliveries",
    tag = "Deliveries",
    params(
        ("ownerId" = Option<String>, Query),
        ("stage" = Option<Stage>, Query),
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<ListedDelivery>), QueryProblems, WriteProblems, AccessProblems)
)]
async fn list_deliveries(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<List<ListedDelivery>>, Failure> {
    let mut filter = DeliveryFilter {
        only: viewer.only(),
        owner: parameters.optional("ownerId", |text| Ok(text.to_owned())),
        stage: parameters.optional("stage", |text| one_of(text, &Stage::ALL, Stage::as_str)),
    };
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode);
    parameters.finish()?;
    match &filter.owner {
        Some(owner) => must(&viewer, &What::ListOf(owner))?,
        None => filter.owner = viewer.account().map(str::to_owned),
    }
    let page = api.view.list(&filter, after, limit).await?;
    let listed = |record: &DeliveryRecord| listed(&api.view.world(), record);
    Ok(Json(List {
        items: page.items.iter().map(listed).collect(),
        next: page.next.as_ref().map(cursor::encode),
    }))
}

/// One delivery
#[utoipa::path(
    get,
    path = "/api/deliveries/{id}",
    tag = "Deliveries",
    params(("id" = String, Path)),
    responses((status = 200, body = Delivery), ReadProblems, PastProblems, AccessProblems)
)]
async fn read_delivery(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<Json<Delivery>, Failure> {
    let record = delivery_for(&api, &viewer, name, KIND).await?;
    Ok(Json(delivery_of(&api.view.world(), &record)))
}

/// One delivery, under the reference's other path
#[utoipa::path(
    get,
    path = "/api/deliveries/public/{id}",
    tag = "Deliveries",
    params(("id" = String, Path)),
    responses((status = 200, body = Delivery), ReadProblems, PastProblems, AccessProblems)
)]
async fn read_public_delivery(
    api: State<Api>,
    viewer: Viewer,
    name: PathId<DeliveryName>,
) -> Result<Json<Delivery>, Failure> {
    read_delivery(api, viewer, name).await
}

/// Who ordered a delivery
#[utoipa::path(
    get,
    path = "/api/deliveries/{id}/owner",
    tag = "Deliveries",
    params(("id" = String, Path)),
    responses((status = 200, body = Owner), ReadProblems, PastProblems, AccessProblems)
)]
async fn read_owner(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<Json<Owner>, Failure> {
    let record = delivery_for(&api, &viewer, name, KIND).await?;
    Ok(Json(owner_of(&record)))
}

/// Where a delivery is, and when it is expected
#[utoipa::path(
    get,
    path = "/api/deliveries/{id}/status",
    tag = "Deliveries",
    params(("id" = String, Path)),
    responses((status = 200, body = DeliveryStatus), ReadProblems, PastProblems, AccessProblems)
)]
async fn read_status(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<Json<DeliveryStatus>, Failure> {
    let handle = handle_for(&api, &viewer, name, KIND).await?;
    let id = handle.look().id;
    let status = viewer.status_of_delivery(&api.view, id);
    let status = status.ok_or(Failure::Unknown(KIND))?;
    let outlook = match status.etas {
        Some(_) => Outlook::default(),
        None => api.view.outlook_of(&handle),
    };
    let date = |at| rfc3339(&api.view.world(), at);
    Ok(Json(DeliveryStatus {
        stage: status.stage,
        last_known_location: Location::new(status.location, status.height_m),
        pickup_eta: status.etas.map(|etas| date(etas.pickup)),
        delivery_eta: status.etas.map(|etas| date(etas.delivery)),
        estimate: outlook.etas.map(|etas| Estimate {
            pickup_eta: date(etas.pickup),
            delivery_eta: date(etas.delivery),
        }),
        return_eta: outlook.back.map(date),
        price: status.price.map(shown::price),
    }))
}

pub fn listed(world: &World, record: &DeliveryRecord) -> ListedDelivery {
    ListedDelivery {
        delivery: delivery_of(world, record),
        stage: record.stage,
    }
}

pub(super) fn delivery_of(world: &World, record: &DeliveryRecord) -> Delivery {
    Delivery {
        id: record.id.to_string(),
        owner: owner_of(record),
        pickup: Location::of_stop(&record.order.pickup),
        dropoff: Location::of_stop(&record.order.dropoff),
        deadline: record.order.deadline.clone(),
        expedited: record.order.expedited,
        confirmation_required: record.order.confirmation,
        drone_id: record.drone().map(|drone| drone.to_string()),
        carrier: shown::carrier(world, record.bearer),
        price: record.price(world).map(shown::price),
        tag: record.order.package.tag.clone(),
    }
}

fn owner_of(record: &DeliveryRecord) -> Owner {
    Owner {
        user_id: record.order.owner.user_or_account().to_owned(),
        account_id: record.order.owner.account.clone(),
    }
}
