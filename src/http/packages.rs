//! `/api/packages`: what is or was to be carried, in the reference's shapes.
//!
//! A package comes with the request that it goes by, or is put by itself; under one id the
//! newest is shown. Changing one never changes what a request has booked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::must;
use super::body::JsonBody;
use super::documents::{AccessProblems, BodyProblems, ClockProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::fields::{Complaints, Fields};
use super::parameters::PathId;
use super::{names, order};
use crate::auth::{Viewer, What};
use crate::sim::command::{Command, Decision, PackageWrite};
use crate::sim::order::{self as orders, StoredPackage};
use crate::sim::time::SimTime;
use crate::view::DeliveryRecord;
use crate::wire::api::packages::{NewPackage, Package, PackageChange};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(read_package, put_package, change_package))
}

const KIND: &str = "package";

/// One package
///
/// The newest of that id, whether it was put by itself or came with a request.
#[utoipa::path(
    get,
    path = "/api/packages/{packageId}",
    tag = "Packages",
    params(("packageId" = String, Path)),
    responses((status = 200, body = Package), ReadProblems, AccessProblems)
)]
async fn read_package(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(id): PathId<String>,
) -> Result<Json<Package>, Failure> {
    let found = newest_for(&api, &viewer, id).await?;
    Ok(Json(found.package.into()))
}

/// Put a package by itself
///
/// Requests bring their own; this is for packages that none brings yet. It is the account's
/// that put it first. A body's `id` must be the path's.
#[utoipa::path(
    put,
    path = "/api/packages/{packageId}",
    tag = "Packages",
    params(("packageId" = String, Path)),
    request_body = NewPackage,
    responses(
        (status = 201, description = "There was none before"),
        (status = 204, description = "Replaced"),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn put_package(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(id): PathId<String>,
    body: JsonBody,
) -> Result<StatusCode, Failure> {
    must(&viewer, &What::Write)?;
    let mut complaints = Complaints::default();
    let id = names::of_anything("packageId", id, &mut complaints);
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    if let Some(id) = &id {
        fields.same_name("id", id);
    }
    let size = fields.required("size", order::size);
    let weight_kg = fields.required("weight", order::weight_kg);
    let tag = fields.optional("tag", order::tag);
    let (Some(id), Some(size), Some(weight_kg), true) = (id, size, weight_kg, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let package = orders::Package {
        id,
        size,
        weight_kg,
        tag: tag.map(str::to_owned),
    };
    match put(&api, &viewer, package).await? {
        Decision::Created => Ok(StatusCode::CREATED),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Change a package
///
/// What is left out stays as it is with the newest of that id. Where a request brought that
/// one, the request keeps what it booked, and the changed package stands by itself.
#[utoipa::path(
    patch,
    path = "/api/packages/{packageId}",
    tag = "Packages",
    params(("packageId" = String, Path)),
    request_body = PackageChange,
    responses(
        (status = 204, description = "Changed"),
        BodyProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn change_package(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(id): PathId<String>,
    body: JsonBody,
) -> Result<StatusCode, Failure> {
    must(&viewer, &What::Write)?;
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    if let Some(id) = &id {
        fields.same_name("id", id);
    }
    let size = fields.optional("size", order::size);
    let weight_kg = fields.optional("weight", order::weight_kg);
    let tag = fields.optional("tag", order::tag);
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    let before = newest_for(&api, &viewer, id).await?.package;
    let package = orders::Package {
        size: size.unwrap_or(before.size),
        weight_kg: weight_kg.unwrap_or(before.weight_kg),
        tag: tag.map(str::to_owned).or(before.tag),
        id: before.id,
    };
    put(&api, &viewer, package).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put(api: &Api, viewer: &Viewer, package: orders::Package) -> Result<Decision, Failure> {
    let by = viewer.account().map(str::to_owned);
    let write = Command::Package(PackageWrite { package, by });
    Ok(api.commands.write(write).await?.decision)
}

/// The newest of that id, where the viewer may see it.
pub async fn newest_for(api: &Api, viewer: &Viewer, id: Option<String>) -> Result<StoredPackage, Failure> {
    let id = id.ok_or(Failure::Unknown(KIND))?;
    let put = api.view.stored_package(&id);
    let brought = api.view.of_package(&id).await?;
    let brought = brought.map(|handle| brought_by(&handle.look()));
    let newest = put.into_iter().chain(brought).max_by_key(|stored| stored.at);
    let newest = newest.ok_or(Failure::Unknown(KIND))?;
    must(viewer, &What::Package(newest.owner.as_deref()))?;
    Ok(newest)
}

/// The package that a request brought, when it was accepted.
fn brought_by(record: &DeliveryRecord) -> StoredPackage {
    StoredPackage {
        package: record.order.package.clone(),
        owner: Some(record.order.owner.account.clone()),
        at: record.events.first().map_or(SimTime::NEVER, |first| first.at),
    }
}
