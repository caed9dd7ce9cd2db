//! `/api/packages`: what is or was to be carried, in the reference's shapes.
//!
//! A package comes with the request that it goes by, or is put by itself; under one id the
//! newest is shown, of an account's own to itself, and of all to operators: what an account calls
//! a package says nothing about another's. Changing one never changes what a request has booked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::must;
use super::body::ChangeBody;
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, ReadProblems, StoreProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{Complaints, Fields};
use super::parameters::PathId;
use super::{names, order};
use crate::auth::{Viewer, What};
use crate::sim::command::{self, Command, Decision, PackageWrite};
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
/// The newest of that id, whether it was put by itself or came with a request: of the account's
/// own, or of all where an operator asks. The newest is the one that was put, or whose request was
/// accepted, last.
#[utoipa::path(
    get,
    path = "/api/packages/{packageId}",
    tag = "Packages",
    params(("packageId" = String, Path)),
    responses((status = 200, body = Package), ReadProblems, StoreProblems, AccessProblems)
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
/// Requests bring their own; this is for packages that none brings yet. Each account has its own
/// of an id. What an operator puts stays with the account that has the newest of that id, and is
/// nobody's where there is none. A body's `id` must be the path's.
#[utoipa::path(
    put,
    path = "/api/packages/{packageId}",
    tag = "Packages",
    params(("packageId" = String, Path)),
    request_body = NewPackage,
    responses(
        (status = 201, description = "There was none before", body = Package,
            headers(("Location" = String, description = "/api/packages/{packageId}"))),
        (status = 204, description = "Replaced"),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn put_package(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(id): PathId<String>,
    body: ChangeBody,
) -> Result<Response, Failure> {
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
    let known = known_to(&api, &viewer, &id).await?;
    let is_first = known.is_none();
    let owner = match viewer.account() {
        Some(account) => Some(account.to_owned()),
        None => known.and_then(|known| known.owner),
    };
    let package = orders::Package {
        id,
        size,
        weight_kg,
        tag: tag.map(str::to_owned),
    };
    let made = Package::from(package.clone());
    let write = Command::Package(PackageWrite { package, owner });
    Ok(match api.commands.write(write).await?.decision {
        // Another may have been quicker.
        Decision::Created if is_first => {
            let name = utf8_percent_encode(&made.id, NON_ALPHANUMERIC);
            let location = format!("/api/packages/{name}");
            (StatusCode::CREATED, [(LOCATION, location)], Json(made)).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    })
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
    body: ChangeBody,
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
    let now = api.view.clock().at;
    let mut known = newest_for(&api, &viewer, id).await?;
    // Of a request that is yet to be accepted: all that is put from now on is newer.
    known.at = known.at.min(now);
    let change = command::PackageChange {
        known,
        size,
        weight_kg,
        tag: tag.map(str::to_owned),
    };
    api.commands.write(Command::ChangePackage(change)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The newest of that id, where the viewer may see one.
async fn newest_for(api: &Api, viewer: &Viewer, id: Option<String>) -> Result<StoredPackage, Failure> {
    let id = id.ok_or(Failure::Unknown(KIND))?;
    if let Some(known) = known_to(api, viewer, &id).await? {
        return Ok(known);
    }
    // Not the viewer's own: whether it is somebody else's.
    if let Some(others) = newest(api, &id, None).await? {
        must(viewer, &What::Package(others.owner.as_deref()))?;
    }
    Err(Failure::Unknown(KIND))
}

/// The newest of that id among those that the viewer may see.
pub async fn known_to(api: &Api, viewer: &Viewer, id: &str) -> Result<Option<StoredPackage>, Failure> {
    let newest = newest(api, id, viewer.account()).await?;
    if let Some(newest) = &newest {
        must(viewer, &What::Package(newest.owner.as_deref()))?;
    }
    Ok(newest)
}

/// This account's newest of that id, or else the newest of all.
async fn newest(api: &Api, id: &str, owner: Option<&str>) -> Result<Option<StoredPackage>, Failure> {
    let put = api.view.stored_package(id, owner);
    let brought = api.view.of_package(id, owner).await?;
    let brought = brought.map(|handle| brought_by(&handle.look()));
    // Whoever puts one in the tick in which a request is accepted has seen that accepted.
    Ok(brought.into_iter().chain(put).max_by_key(|stored| stored.at))
}

/// The package that a request brought, when it was accepted.
fn brought_by(record: &DeliveryRecord) -> StoredPackage {
    StoredPackage {
        package: record.order.package.clone(),
        owner: Some(record.order.owner.account.clone()),
        at: record.accepted().unwrap_or(SimTime::NEVER),
    }
}
