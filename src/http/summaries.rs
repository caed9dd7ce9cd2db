//! What an account's deliveries came to in a month: the reference's three summaries.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::must;
use super::documents::{AccessProblems, QueryProblems};
use super::failure::Failure;
use super::parameters::Parameters;
use crate::auth::{Viewer, What};
use crate::sim::calendar::Month;
use crate::sim::sums::Sums;
use crate::sim::units;
use crate::wire::api::history::{DeliverySummary, PackageSummary, Utilization};
use crate::wire::api::problem::Problem;
use crate::wire::place::rounded;

/// Digits of sums that are shown.
const PARTS: f64 = 1e6;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(count_deliveries))
        .routes(routes!(weigh_packages))
        .routes(routes!(utilization))
}

/// How many deliveries were completed for an account in a month of the simulated calendar
#[utoipa::path(
    get,
    path = "/api/deliveries/summary",
    tag = "Delivery history",
    params(("ownerId" = String, Query), ("year" = u16, Query), ("month" = u8, Query, description = "1 to 12")),
    responses((status = 200, body = DeliverySummary), QueryProblems, AccessProblems)
)]
async fn count_deliveries(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<DeliverySummary>, Failure> {
    let wanted = wanted(&mut parameters);
    parameters.finish_as_reference()?;
    let sums = sums_of(&api, &viewer, wanted)?.unwrap_or_default();
    Ok(Json(DeliverySummary {
        count: sums.completed,
    }))
}

/// What the packages weigh that were taken on for an account in a month of the simulated calendar
///
/// A package counts from when its request has come past the package step, and no longer once that
/// is undone: where the request is called off, or comes to nothing, before its delivery sets out.
/// Packages that were put by themselves go by no delivery, and do not count.
#[utoipa::path(
    get,
    path = "/api/packages/summary",
    tag = "Delivery history",
    params(("ownerId" = String, Query), ("year" = u16, Query), ("month" = u8, Query, description = "1 to 12")),
    responses((status = 200, body = PackageSummary), QueryProblems, AccessProblems)
)]
async fn weigh_packages(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<PackageSummary>, Failure> {
    let wanted = wanted(&mut parameters);
    parameters.finish_as_reference()?;
    let sums = sums_of(&api, &viewer, wanted)?.unwrap_or_default();
    Ok(Json(PackageSummary {
        total_weight: rounded(units::kg_to_pounds(sums.weight_kg), PARTS),
    }))
}

/// What drones flew for an account in a month of the simulated calendar, once they were back
#[utoipa::path(
    get,
    path = "/api/dronedeliveries/utilization",
    tag = "Delivery history",
    params(("ownerId" = String, Query), ("year" = u16, Query), ("month" = u8, Query, description = "1 to 12")),
    responses(
        (status = 200, body = Utilization),
        (status = 400, description = "Parameters are wrong or missing; all are named",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing was flown",
            body = Problem, content_type = "application/problem+json"),
        AccessProblems,
    )
)]
async fn utilization(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<Utilization>, Failure> {
    let wanted = wanted(&mut parameters);
    parameters.finish_as_bad_request()?;
    let sums = sums_of(&api, &viewer, wanted)?.filter(|sums| sums.flights > 0);
    let sums = sums.ok_or(Failure::NothingBooked)?;
    Ok(Json(Utilization {
        traveled_miles: rounded(units::metres_to_miles(sums.flown_m), PARTS),
        assigned_hours: rounded(sums.airborne_s / 3_600.0, PARTS),
    }))
}

/// The account and the month that somebody asks about; `None` once the complaints are noted.
fn wanted(parameters: &mut Parameters) -> Option<(String, Month)> {
    let owner = parameters.required("ownerId", |text| match text {
        "" => Err("must not be empty".into()),
        text => Ok(text.to_owned()),
    });
    let year = parameters.required("year", |text| match text.parse() {
        Ok(year @ 1..=9_999_u16) => Ok(year),
        _ => Err("must be a year from 1 to 9999".into()),
    });
    let month = parameters.required("month", |text| match text.parse() {
        Ok(month @ 1..=12_u8) => Ok(month),
        _ => Err("must be a month from 1 to 12".into()),
    });
    Some((owner?, Month::new(year?.into(), month?)?))
}

fn sums_of(api: &Api, viewer: &Viewer, wanted: Option<(String, Month)>) -> Result<Option<Sums>, Failure> {
    let Some((owner, month)) = wanted else {
        return Ok(None);
    };
    must(viewer, &What::ListOf(&owner))?;
    if viewer.only().is_some() {
        return Err(Failure::Forbidden("this token shows one delivery, and no sums"));
    }
    Ok(api.view.sums(&owner, month))
}
