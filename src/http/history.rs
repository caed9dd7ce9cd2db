//! `/api/deliveryhistory`: what became of deliveries, for as long as the store keeps them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{delivery_for, must};
use super::cursor;
use super::deliveries::listed;
use super::documents::{AccessProblems, PastProblems, QueryProblems, ReadProblems, WriteProblems};
use super::failure::Failure;
use super::fields::Complaint;
use super::parameters::{NoParameters, Parameters, PathId};
use crate::auth::{Carriage, Parcel, Viewer, What};
use crate::sim::calendar::Day;
use crate::sim::delivery::Stage;
use crate::sim::event::Happening;
use crate::sim::ids::DeliveryName;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::view::archive::Unread;
use crate::view::day::{DayExport, NoDay};
use crate::view::{DeliveryRecord, EndFilter, Step, quotes};
use crate::wire::api::List;
use crate::wire::api::history::{DeliveryHistory, PastEvent, QuotedEtas};
use crate::wire::day::MEDIA_TYPE;
use crate::wire::event::name_of;
use crate::wire::place::{Location, rounded};
use crate::wire::time::{parse_rfc3339, rfc3339};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_history))
        .routes(routes!(read_history))
        .routes(routes!(export_day))
}

/// Days that are written at the same time, at most.
const EXPORTS: usize = 2;

/// Turns for writing days.
#[derive(Clone)]
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Exports(Arc::new(Semaphore::new(EXPORTS)))
    }
}

/// All that ended on one day, as Parquet
///
/// One row a delivery, with its events as a list; written as it is read. Operators only.
#[utoipa::path(
    get,
    path = "/api/deliveryhistory.parquet",
    tag = "Delivery history",
    params(("date" = String, Query, description = "A day of the simulated calendar, in UTC", example = "2026-06-01")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/vnd.apache.parquet"),
        QueryProblems,
        PastProblems,
        AccessProblems,
    )
)]
async fn export_day(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Response, Failure> {
    must(&viewer, &What::Everything)?;
    let day = parameters.required("date", |text| {
        text.parse::<Day>()
            .map_err(|_| "must be a day such as 2026-06-01".into())
    });
    parameters.finish()?;
    let Some(day) = day else {
        return Err(Failure::Unknown("day"));
    };
    if api.view.is_moved(day).await? {
        return Err(Unread::Moved(day).into());
    }
    let turn = Arc::clone(&api.exports.0)
        .try_acquire_owned()
        .map_err(|_| Failure::NotReady("as many days are being written as can be"))?;
    let export = DayExport::of(&api.view, day).map_err(|error| {
        tracing::error!(%error, "a day cannot be exported");
        Failure::Panicked
    })?;
    // Each portion is made when the one before is on its way: who does not read costs one.
    let portions = stream::try_unfold(
        (export, Arc::clone(&api.view), turn),
        |(mut export, view, turn)| async move {
            let bytes = export.next(&view).await?;
            Ok::<_, NoDay>(bytes.map(|bytes| (bytes, (export, view, turn))))
        },
    );
    let name = format!("attachment; filename=\"deliveries-{day}.parquet\"");
    let headers = [(CONTENT_TYPE, MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(portions)).into_response())
}

/// A delivery with all that happened to it, ended or not
#[utoipa::path(
    get,
    path = "/api/deliveryhistory/{id}",
    tag = "Delivery history",
    params(("id" = String, Path)),
    responses((status = 200, body = DeliveryHistory), QueryProblems, ReadProblems, PastProblems, AccessProblems)
)]
async fn read_history(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(name): PathId<DeliveryName>,
) -> Result<Json<DeliveryHistory>, Failure> {
    let record = delivery_for(&api, &viewer, name, "delivery").await?;
    Ok(Json(history_of(&api.view.world(), &viewer, &record)))
}

/// Deliveries that have ended, in the order in which they did
#[utoipa::path(
    get,
    path = "/api/deliveryhistory",
    tag = "Delivery history",
    params(
        ("ownerId" = Option<String>, Query),
        ("from" = Option<String>, Query, description = "Ended then or later; RFC 3339, simulated"),
        ("to" = Option<String>, Query, description = "Ended before; RFC 3339, simulated"),
        ("limit" = Option<u16>, Query, description = "1 to 1,000; 100 where it is left out"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, body = List<DeliveryHistory>), QueryProblems, WriteProblems, AccessProblems)
)]
async fn list_history(
    State(api): State<Api>,
    viewer: Viewer,
    mut parameters: Parameters,
) -> Result<Json<List<DeliveryHistory>>, Failure> {
    let world = &api.view.world();
    let time = |text: &str| moment(world, text);
    let mut filter = EndFilter {
        only: viewer.only(),
        owner: parameters.optional("ownerId", |text| Ok(text.to_owned())),
        from: parameters.optional("from", time).unwrap_or(SimTime::START),
        until: parameters.optional("to", time).unwrap_or(SimTime::NEVER),
    };
    let limit = parameters.limit();
    let after = parameters.optional("cursor", cursor::decode);
    parameters.finish()?;
    match &filter.owner {
        Some(owner) => must(&viewer, &What::ListOf(owner))?,
        None => filter.owner = viewer.account().map(str::to_owned),
    }
    let page = api.view.list_ended(&filter, after, limit).await?;
    let items = page.items.iter();
    Ok(Json(List {
        items: items.map(|record| history_of(world, &viewer, record)).collect(),
        next: page.next.as_ref().map(cursor::encode),
    }))
}

fn moment(world: &World, text: &str) -> Result<SimTime, Complaint> {
    let unix_us = parse_rfc3339(text).ok_or("must be a date such as 2026-06-01T18:00:00Z")?;
    Ok(world.sim_time(unix_us))
}

fn history_of(world: &World, viewer: &Viewer, record: &DeliveryRecord) -> DeliveryHistory {
    let steps = record.steps();
    // Where a drone comes from before it has the package is not for everybody.
    let waiting = Parcel {
        carriage: Carriage::Waiting,
        ..Parcel::of(record)
    };
    let sees_all = viewer.may(&What::PlaceOf(&waiting));
    let event = |step: &Step| {
        let has_package = step.stage.is_terminal() || step.stage == Stage::HeadedToDropoff;
        let location = match sees_all || has_package {
            true => Location::new(step.place.at, step.place.height_m.into()),
            false => Location::new(record.order.pickup.location, 0.0),
        };
        let kind = match &step.event.happening {
            Happening::Delivery(_, event) => name_of(event),
            _ => "",
        };
        PastEvent {
            seq: step.event.seq,
            kind: kind.to_owned(),
            stage: step.stage,
            sim_time: rfc3339(world, step.event.at),
            location,
            delivery_eta: step.etas.map(|etas| rfc3339(world, etas.delivery)),
        }
    };
    let quoted = quotes(&steps).into_iter().map(|(step, etas)| QuotedEtas {
        sim_time: rfc3339(world, step.event.at),
        pickup_eta: rfc3339(world, etas.pickup),
        delivery_eta: rfc3339(world, etas.delivery),
    });
    DeliveryHistory {
        delivery: listed(world, record),
        events: steps.iter().map(event).collect(),
        quoted_etas: quoted.collect(),
        energy_wh: record.energy_wh().map(|wh| rounded(wh, 1e3)),
    }
}
