//! From a client's body to an order: every field checked, units converted, places found.
//! What becomes of the order is nobody's business here.

use serde_json::Value;

use super::fields::{self, Complaint, Complaints, Fields};
use crate::sim::geo::LatLon;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::places::{coordinates, resolve_place};
use crate::sim::time::SimTime;
use crate::sim::units;
use crate::sim::world::World;
use crate::wire::time::parse_rfc3339;

pub const MAX_TEXT: usize = 256;
pub(super) const MAX_TAG: usize = 1_024;
/// What a small lorry carries.
const MOST_POUNDS: f64 = 10_000.0;

/// In the order of the reference's numbers.
pub(super) const SIZES: [(&str, ContainerSize); 3] = [
    ("Small", ContainerSize::Small),
    ("Medium", ContainerSize::Medium),
    ("Large", ContainerSize::Large),
];

/// In the order of the reference's numbers.
pub const CONFIRMATIONS: [(&str, ConfirmationRequired); 4] = [
    ("FingerPrint", ConfirmationRequired::FingerPrint),
    ("Picture", ConfirmationRequired::Picture),
    ("Voice", ConfirmationRequired::Voice),
    ("None", ConfirmationRequired::None),
];

/// `None` where something is wrong; `complaints` has it all.
pub fn read_order(world: &World, body: &Value, complaints: &mut Complaints) -> Option<Order> {
    let place = |value: &Value| stop(world, value);
    let mut request = Fields::of_body(body, complaints);
    let owner_id = request.required("ownerId", fields::name);
    let pickup = request.required("pickupLocation", place);
    let dropoff = request.required("dropOffLocation", place);
    let expedited = request.optional("expedited", fields::boolean);
    let confirmation = request.optional("confirmationRequired", |value| {
        fields::name_or_number(value, &CONFIRMATIONS)
    });
    let deadline = request.optional("deadline", |value| fields::text(value, MAX_TEXT));
    let not_before = request.optional("pickupTime", |value| moment(world, value));
    let package = read_package(&mut request.object("packageInfo", "/packageInfo"));
    if !complaints.is_empty() {
        return None;
    }
    Some(Order {
        owner: Owner::account(owner_id?),
        pickup: pickup?,
        dropoff: dropoff?,
        package: package?,
        expedited: expedited.unwrap_or(false),
        confirmation: confirmation.unwrap_or(ConfirmationRequired::None),
        deadline: deadline.unwrap_or_default().to_owned(),
        not_before: not_before.unwrap_or(SimTime::START),
    })
}

fn read_package(package: &mut Fields) -> Option<Package> {
    let id = package.required("packageId", fields::name);
    let size = package.required("size", size);
    let weight_kg = package.required("weight", weight_kg);
    let tag = package.optional("tag", tag);
    Some(Package {
        id: id?.to_owned(),
        size: size?,
        weight_kg: weight_kg?,
        tag: tag.map(str::to_owned),
    })
}

pub fn stop(world: &World, value: &Value) -> Result<Stop, Complaint> {
    stop_named(world, value.as_str().ok_or("must be a string")?)
}

pub(super) fn stop_named(world: &World, text: &str) -> Result<Stop, Complaint> {
    let text = fields::at_most(text, MAX_TEXT)?;
    let place = resolve_place(world, text);
    let bounds = &world.area.bounds;
    let is_inside = place.as_ref().is_ok_and(|stop| bounds.contains(stop.location));
    if !is_inside && swapped(text).is_some_and(|other| bounds.contains(other)) {
        return Err(
            "is far away, and in this world the other way round: latitude comes before longitude".into(),
        );
    }
    place.map_err(|error| error.to_string().into())
}

/// The place that its coordinates would name if the last two were exchanged.
fn swapped(text: &str) -> Option<LatLon> {
    match *coordinates(text)? {
        [.., lon, lat] if lat.abs() <= 90.0 && lon.abs() <= 180.0 => Some(LatLon { lat, lon }),
        _ => None,
    }
}

pub fn size(value: &Value) -> Result<ContainerSize, Complaint> {
    fields::name_or_number(value, &SIZES)
}

pub fn tag(value: &Value) -> Result<&str, Complaint> {
    fields::text(value, MAX_TAG)
}

/// Pounds, as a number or as a text that is one.
pub fn weight_kg(value: &Value) -> Result<f64, Complaint> {
    let pounds: Option<f64> = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let kg = pounds.and_then(kg_of_pounds);
    kg.ok_or("must be a number of pounds above 0, and at most 10,000".into())
}

pub(super) fn kg_of_pounds(pounds: f64) -> Option<f64> {
    let kg = units::pounds_to_kg(pounds);
    (kg > 0.0 && kg <= units::pounds_to_kg(MOST_POUNDS)).then_some(kg)
}

pub fn moment(world: &World, value: &Value) -> Result<SimTime, Complaint> {
    let moment = value.as_str().and_then(|text| moment_named(world, text));
    moment.ok_or("must be a date and time like 2026-06-01T18:00:00Z".into())
}

pub(super) fn moment_named(world: &World, text: &str) -> Option<SimTime> {
    parse_rfc3339(text).map(|unix_us| world.sim_time(unix_us))
}
