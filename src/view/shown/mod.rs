//! Readings in the shapes of the wire: one way for HTTP and WebSocket, so that both show
//! the same digits.

mod day;
mod route;

use super::reading::{
    self, ClockReading, DeliveryStatus, DroneReading, ErrorReading, FleetReading, HubReading, QuoteReading,
};
use crate::sim::delivery::Bearer;
use crate::sim::drone::DroneStatus;
use crate::sim::ids::DeliveryId;
use crate::sim::promise::TIMES_TO_GO;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::wire::api::simulation::{NamedSpeed, Speed};
use crate::wire::drone::Drone;
use crate::wire::hub::{GroundStop, Hub};
use crate::wire::place::{Location, rounded};
use crate::wire::stream::positions::{Place, Row};
use crate::wire::stream::{DeliveryCounts, DeliverySnapshot, ErrorSpread, EtaError, Fleet, TimeToGo};
use crate::wire::time::rfc3339;

pub use day::day_row;
pub use route::route;

pub fn row(drone: &DroneReading) -> Row {
    Row::from(Place {
        drone: drone.id,
        at: drone.location,
        height_m: drone.height_m,
        heading_deg: drone.heading_deg,
        ground_speed_mps: drone.ground_speed_mps,
        battery: drone.battery,
        status: drone.status,
    })
}

pub fn drone(world: &World, drone: &DroneReading) -> Drone {
    Drone {
        id: drone.id.to_string(),
        model: world.model(drone.model).key.clone(),
        hub: world.hub(drone.hub).key.clone(),
        status: drone.status,
        location: Location::new(drone.location, drone.height_m),
        heading: rounded(drone.heading_deg, 10.0),
        ground_speed: rounded(drone.ground_speed_mps, 100.0),
        vertical_speed: rounded(drone.vertical_speed_mps, 100.0),
        battery: rounded(drone.battery, 1e4),
        battery_health: rounded(drone.battery_health, 1e4),
        delivery_id: drone.delivery.map(|id| id.to_string()),
        payload_kg: rounded(drone.payload_kg, 1e3),
    }
}

pub fn delivery(world: &World, id: DeliveryId, status: &DeliveryStatus) -> DeliverySnapshot {
    DeliverySnapshot {
        id: id.to_string(),
        stage: status.stage,
        drone_id: status.drone().map(|drone| drone.to_string()),
        carrier: carrier(world, status.bearer),
        price: status.price.map(price),
        location: Location::new(status.location, status.height_m),
        pickup_eta: status.etas.map(|etas| rfc3339(world, etas.pickup)),
        delivery_eta: status.etas.map(|etas| rfc3339(world, etas.delivery)),
    }
}

/// What customers are told of who carries a delivery, where that is no drone.
pub fn carrier(world: &World, bearer: Option<Bearer>) -> Option<String> {
    (bearer == Some(Bearer::Carrier)).then(|| world.carrier.name.clone())
}

/// To the hundredth, as money is.
pub fn price(price: f64) -> f64 {
    rounded(price, 100.0)
}

/// `with_gauges`: with what stands and waits there.
pub fn hub(world: &World, reading: &HubReading, with_gauges: bool) -> Hub {
    let hub = world.hub(reading.hub);
    let gauge = |count| with_gauges.then_some(count);
    Hub {
        id: hub.key.clone(),
        name: hub.name.clone(),
        location: Location::new(hub.location, 0.0),
        pads: hub.pads,
        chargers: hub.chargers,
        charging: gauge(reading.queues.charging),
        queued: gauge(reading.queues.queued),
        holding: gauge(reading.queues.holding),
        departing: gauge(reading.queues.departing),
        beside_pads: gauge(reading.queues.beside_pads),
        parked: gauge(reading.grounded.saturating_sub(reading.queues.charging)),
        closed: reading.closed_until.is_some(),
        closed_until: reading
            .closed_until
            .filter(|until| *until != SimTime::NEVER)
            .map(|until| rfc3339(world, until)),
        ground_stops: (reading.ground_stops.iter())
            .map(|(model, reason)| GroundStop::new(world, *model, *reason))
            .collect(),
    }
}

/// `sessions`: how many look on at this moment.
pub fn fleet(fleet: &FleetReading, sessions: u64) -> Fleet {
    let pace = fleet.clock.pace;
    let by_status = DroneStatus::ALL.map(|status| (status.as_str(), fleet.by_status[status as usize]));
    Fleet {
        drones: fleet.drones,
        airborne: fleet.airborne,
        charging: fleet.charging,
        lost: fleet.lost,
        by_status: by_status.into(),
        speed: speed(pace.speed),
        real_time_factor: rounded(pace.real_time_factor, 100.0),
        tick_ms: rounded(pace.tick_ms, 1_000.0),
        tick_slip_ms: rounded(pace.tick_slip_ms, 100.0),
        state: pace.state.as_str(),
        sessions,
        completed_per_minute: rounded(fleet.completed_per_minute, 100.0),
        eta_error: fleet.quotes.as_ref().map(eta_error),
        deliveries: DeliveryCounts {
            accepted: fleet.deliveries.accepted,
            waiting: fleet.deliveries.waiting,
            under_way: fleet.deliveries.under_way,
            completed: fleet.deliveries.completed,
            failed: fleet.deliveries.failed,
            cancelled: fleet.deliveries.cancelled,
        },
    }
}

fn eta_error(quotes: &QuoteReading) -> EtaError {
    let spread = |error: ErrorReading| ErrorSpread {
        p50_seconds: rounded(error.p50_s, 10.0),
        p95_seconds: rounded(error.p95_s, 10.0),
        p50_share: rounded(error.p50_share, 1e4),
        p95_share: rounded(error.p95_share, 1e4),
    };
    let told = TIMES_TO_GO.into_iter().zip(quotes.by_time_to_go);
    let told = told.filter_map(|(seconds, row)| {
        let row = row?;
        Some(TimeToGo {
            seconds,
            trips: row.trips,
            error: spread(row.error),
            at_quote: spread(row.at_quote),
        })
    });
    EtaError {
        samples: quotes.samples,
        at_quote: spread(quotes.at_quote),
        bias_seconds: rounded(quotes.bias_s, 10.0),
        late_share: rounded(quotes.late_share, 1e4),
        at_pickup: quotes.at_pickup.map(spread),
        by_time_to_go: told.collect(),
        jumps: rounded(quotes.jumps, 100.0),
    }
}

pub fn speed(speed: reading::Speed) -> Speed {
    match speed {
        reading::Speed::Times(factor) => Speed::Times(factor),
        reading::Speed::Max => Speed::Named(NamedSpeed::Max),
    }
}

/// `e1`
pub fn epoch(clock: &ClockReading) -> String {
    format!("e{}", clock.epoch)
}
