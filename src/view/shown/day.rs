//! A delivery that has ended, as a row of its day's file.

use super::{carrier, price};
use crate::sim::event::{Etas, Happening};
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::view::{DeliveryRecord, Step, quotes};
use crate::wire::day::{DayEvent, DayRow};
use crate::wire::event::{EventBody, name_of};
use crate::wire::place::Location;

/// `None` for one that has not ended.
pub fn day_row(world: &World, record: &DeliveryRecord) -> Option<DayRow> {
    let steps = record.steps();
    let order = &record.order;
    let first_quoted = quotes(&steps).first().map(|(_, etas)| etas.delivery);
    let flights = || record.flights.iter();
    Some(DayRow {
        delivery_id: record.id.to_string(),
        account_id: order.owner.account.clone(),
        user_id: order.owner.user_or_account().to_owned(),
        stage: record.stage.as_str(),
        drone_id: record.drone().map(|drone| drone.to_string()),
        carrier: carrier(world, record.bearer),
        price: record.price(world).map(price),
        accepted_us: world.unix_us(steps.first()?.event.at),
        ended_us: world.unix_us(record.ended?),
        first_quoted_us: first_quoted.map(|at| world.unix_us(at)),
        pickup: Location::of_stop(&order.pickup),
        dropoff: Location::of_stop(&order.dropoff),
        deadline: order.deadline.clone(),
        expedited: order.expedited,
        confirmation_required: format!("{:?}", order.confirmation),
        package_id: order.package.id.clone(),
        package_size: format!("{:?}", order.package.size),
        package_kg: order.package.weight_kg,
        package_tag: order.package.tag.clone(),
        energy_wh: record.energy_wh(),
        flown_m: flights().map(|flight| flight.distance_m).sum(),
        airborne_s: flights().map(|flight| flight.airborne_s).sum(),
        events: steps.iter().map(|step| event(world, step)).collect(),
    })
}

fn event(world: &World, step: &Step) -> DayEvent {
    let happening = &step.event.happening;
    let eta = |of: fn(&Etas) -> SimTime| step.etas.as_ref().map(|etas| world.unix_us(of(etas)));
    DayEvent {
        seq: i32::try_from(step.event.seq).unwrap_or(i32::MAX),
        kind: match happening {
            Happening::Delivery(_, event) => name_of(event),
            _ => "",
        },
        stage: step.stage.as_str(),
        time_us: world.unix_us(step.event.at),
        place: Location::new(step.place.at, step.place.height_m.into()),
        pickup_eta_us: eta(|etas| etas.pickup),
        delivery_eta_us: eta(|etas| etas.delivery),
        event: serde_json::to_string(&EventBody::new(world, happening)).unwrap_or_default(),
    }
}
