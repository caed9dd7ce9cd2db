//! `/api/dronedeliveries`: the reference's drone service, which gives a delivery a drone, and
//! takes it away again.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::{must, named};
use super::body::ChangeBody;
use super::changes::{DELIVERY, cancel};
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, PastProblems, ReadProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{self, Complaints, Fields};
use super::parameters::PathId;
use super::{names, order, packages};
use crate::auth::{Parcel, Viewer, What};
use crate::sim::command::Objection;
use crate::sim::delivery::{Bearer, Stage};
use crate::sim::ids::{DeliveryId, DeliveryName, DroneId};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::time::SimTime;
use crate::view::commands::Refusal;
use crate::view::reading::RunState;
use crate::view::{DeliveryHandle, DeliveryRecord};
use crate::wire::api::deliveries::DroneDelivery;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(put_drone, withdraw_drone))
}

/// How long somebody waits here for a drone that has yet to come free.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whose deliveries are that operators ask drones for, until somebody says whose they are.
pub const NOBODYS: &str = "drone-service";
const MOST_PACKAGES: usize = 16;

/// Ask for a drone
///
/// Answers with the drone that flies, or flew, for this delivery: asked again, the same one as
/// long as it is on it. For a delivery that is known nothing changes. An id that is not (a UUID,
/// or any text, as with `PUT /api/deliveries/{id}`) becomes a delivery of the account that asks, or
/// else of `drone-service`, until an operator's `PUT /api/deliveries/{id}` says whose it is. Where
/// no drone comes free within five seconds the answer is 409, and the delivery goes on waiting for
/// one: ask again. Also 409 where third-party transport carries it, and where it has come to
/// nothing.
#[utoipa::path(
    put,
    path = "/api/dronedeliveries/{deliveryId}",
    tag = "Drone service",
    params(("deliveryId" = String, Path)),
    request_body = DroneDelivery,
    responses(
        (status = 200, description = "The drone's id", body = String, content_type = "application/json", example = json!("d-17")),
        BodyProblems, ClockProblems, PastProblems, AccessProblems,
    )
)]
async fn put_drone(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(text): PathId<String>,
    body: ChangeBody,
) -> Result<Json<String>, Failure> {
    must(&viewer, &What::Write)?;
    let mut complaints = Complaints::default();
    let name = names::of_delivery(text, &mut complaints);
    let wanted = Wanted::read(&body.value, name, &mut complaints);
    let (Some(name), Some(wanted), true) = (name, wanted, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let handle = match named(&api, name).await? {
        Some(handle) => handle,
        None => make(&api, &viewer, name.own(), wanted).await?,
    };
    must(&viewer, &What::Delivery(&Parcel::of(&handle.look())))?;
    let drone = drone_of(&api, &handle).await?;
    Ok(Json(drone.to_string()))
}

/// Let a drone go
///
/// Calls its delivery off, until the package is picked up; then 409. A drone on its way turns
/// home. What is called off already stays so.
#[utoipa::path(
    delete,
    path = "/api/dronedeliveries/{deliveryId}",
    tag = "Drone service",
    params(("deliveryId" = String, Path)),
    responses((status = 200, description = "Called off"), ReadProblems, ClockProblems, WriteProblems, AccessProblems)
)]
async fn withdraw_drone(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(name): PathId<DeliveryName>,
) -> Result<StatusCode, Failure> {
    cancel(&api, &viewer, name, DELIVERY).await?;
    Ok(StatusCode::OK)
}

async fn make(api: &Api, viewer: &Viewer, id: DeliveryId, wanted: Wanted) -> Result<DeliveryHandle, Failure> {
    let package = wanted.package(api, viewer, id).await?;
    check_running(api)?;
    let order = Order {
        owner: Owner {
            account: viewer.account().unwrap_or(NOBODYS).to_owned(),
            user: viewer.user().map(str::to_owned),
        },
        pickup: wanted.pickup,
        dropoff: wanted.dropoff,
        package,
        expedited: wanted.expedited,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    };
    let id = api.commands.put_delivery(id, order).await?.id;
    let made = api.view.find(id).await?;
    made.ok_or(Failure::Unknown(DELIVERY))
}

/// While the world stands still nobody is assigned.
fn check_running(api: &Api) -> Result<(), Failure> {
    match api.view.clock().pace.state {
        RunState::Paused => Err(Refusal::Paused.into()),
        RunState::Running | RunState::Stalled => Ok(()),
    }
}

/// Waits for as long as somebody may who asks for a drone.
async fn drone_of(api: &Api, handle: &DeliveryHandle) -> Result<DroneId, Failure> {
    let mut published = api.view.published();
    let decided = async {
        loop {
            published.borrow_and_update();
            let assigned = assigned(&handle.look());
            if let Some(decided) = assigned {
                return decided;
            }
            check_running(api)?;
            if published.changed().await.is_err() {
                return Err(Refusal::ShuttingDown.into());
            }
        }
    };
    let late = Failure::NoDrone("no drone has come free in time; the delivery goes on waiting for one");
    timeout(PATIENCE, decided).await.unwrap_or(Err(late))
}

/// `None` while that is open.
fn assigned(record: &DeliveryRecord) -> Option<Result<DroneId, Failure>> {
    if matches!(record.stage, Stage::Cancelled | Stage::Failed) {
        return Some(Err(Refusal::Objected(Objection::Ended).into()));
    }
    record.bearer.map(|bearer| match bearer {
        Bearer::Drone(drone) => Ok(drone),
        Bearer::Carrier => Err(Failure::NoDrone("third-party transport carries it")),
    })
}

/// What a body says, checked.
struct Wanted {
    pickup: Stop,
    dropoff: Stop,
    packages: Vec<(String, ContainerSize)>,
    expedited: bool,
}

impl Wanted {
    fn read(body: &Value, name: Option<DeliveryName>, complaints: &mut Complaints) -> Option<Self> {
        let mut fields = Fields::of_body(body, complaints);
        if let Some(name) = name {
            fields.same_delivery("deliveryId", name);
        }
        let pickup = fields.location("pickup", "/pickup");
        let dropoff = fields.location("dropoff", "/dropoff");
        let expedited = fields.optional("expedited", fields::boolean);
        let packages = read_packages(&body["packageDetails"], complaints);
        Some(Wanted {
            pickup: pickup?,
            dropoff: dropoff?,
            packages: packages?,
            expedited: expedited.unwrap_or(false),
        })
    }

    /// All of them as one. What was put by itself is as heavy as it is there.
    async fn package(&self, api: &Api, viewer: &Viewer, id: DeliveryId) -> Result<Package, Failure> {
        let mut together = Package {
            id: self
                .packages
                .first()
                .map_or_else(|| id.to_string(), |(id, _)| id.clone()),
            size: ContainerSize::Small,
            weight_kg: 0.0,
            tag: None,
        };
        for (id, size) in &self.packages {
            let known = packages::known_to(api, viewer, id).await?;
            together.weight_kg += known.map_or(0.0, |known| known.package.weight_kg);
            if *size as u8 > together.size as u8 {
                together.size = *size;
            }
        }
        Ok(together)
    }
}

fn read_packages(list: &Value, complaints: &mut Complaints) -> Option<Vec<(String, ContainerSize)>> {
    let list = match list {
        Value::Null => return Some(Vec::new()),
        Value::Array(list) if list.len() <= MOST_PACKAGES => list,
        _ => {
            complaints.add(
                "/packageDetails",
                format!("must be a list of at most {MOST_PACKAGES} packages"),
            );
            return None;
        }
    };
    let mut packages = Vec::new();
    for (index, package) in list.iter().enumerate() {
        let mut field = |key: &str| match &package[key] {
            Value::Null => {
                complaints.add(format!("/packageDetails/{index}/{key}"), "is missing");
                None
            }
            value => Some(value),
        };
        let (id, size) = (field("id"), field("size"));
        let at = |key: &str| format!("/packageDetails/{index}/{key}");
        let id = id.and_then(|id| complaints.note(|| at("id"), fields::name(id)));
        let size = size.and_then(|size| complaints.note(|| at("size"), order::size(size)));
        packages.extend(id.map(str::to_owned).zip(size));
    }
    Some(packages)
}
