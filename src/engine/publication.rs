//! From an outcome to what is committed and what is published.

use std::sync::Arc;

use crate::sim::event::{DroneEvent, Happening};
use crate::sim::ids::DroneId;
use crate::sim::sky::{Airborne, Sky};
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::store::TickRow;
use crate::view::Publication;
use crate::view::frame::DroneRow;
use crate::view::routes::PlannedRoute;

use super::{Engine, Outcome};

/// The journal's row and the read side's share of one tick.
pub fn split(engine: &Engine, outcome: Outcome) -> (TickRow, Publication) {
    let Outcome {
        tick,
        digest,
        events,
        event_bytes,
        grounded,
        healths,
        planned,
        notices,
        ..
    } = outcome;
    let row = TickRow {
        tick,
        admitted_through: engine.admitted_through(),
        first_event: engine.events_through() + 1 - events.len() as u64,
        event_count: events.len() as u32,
        events: event_bytes,
        digest,
        notices,
    };
    let sky = engine.sky();
    let lost = events.iter().filter_map(|event| match event.happening {
        Happening::Drone(drone, DroneEvent::Lost { .. }) => Some(drone),
        _ => None,
    });
    let lost = lost_with(engine.world(), sky, lost);
    let publication = Publication {
        tick,
        at: engine.world().time_of(tick),
        digest,
        world: Arc::clone(engine.world()),
        events: events.into_iter().map(Arc::new).collect(),
        airborne: airborne_rows(engine.world(), sky),
        grounded: grounded
            .into_iter()
            .map(|drone| (drone, sky.grounded(drone)))
            .collect(),
        lost_with: lost,
        healths,
        routes: routes(engine.world(), sky, planned, engine.world().time_of(tick)),
        kept: None,
    };
    (row, publication)
}

pub fn airborne_rows(world: &World, sky: &Sky) -> Vec<DroneRow> {
    sky.airborne().map(|drone| row(world, &drone)).collect()
}

/// Of those of these drones that are lost, what their batteries held, as shares of their types'
/// capacity.
pub fn lost_with(world: &World, sky: &Sky, drones: impl IntoIterator<Item = DroneId>) -> Vec<(DroneId, f64)> {
    let share = |drone| {
        let model = world.model(world.fleet_of(drone)?.model);
        Some((drone, sky.lost_with_wh(drone)? / model.battery.capacity_wh))
    };
    drones.into_iter().filter_map(share).collect()
}

/// Where those of these drones that are in the air are going.
pub fn routes(
    world: &World,
    sky: &Sky,
    drones: impl IntoIterator<Item = DroneId>,
    now: SimTime,
) -> Vec<(DroneId, PlannedRoute)> {
    let route = |drone| {
        let (plan, begun_s) = sky.plan_of(drone, now)?;
        Some((drone, PlannedRoute::of(plan, begun_s, &world.area.frame)))
    };
    drones.into_iter().filter_map(route).collect()
}

fn row(world: &World, airborne: &Airborne) -> DroneRow {
    let fleet = world
        .fleet_of(airborne.drone)
        .expect("every drone belongs to a fleet");
    let capacity_wh = world.model(fleet.model).battery.capacity_wh;
    DroneRow {
        drone: airborne.drone,
        status: airborne.status,
        at: world.area.frame.to_latlon(airborne.at),
        height_m: airborne.height_m as f32,
        heading_deg: airborne.heading_rad.to_degrees() as f32,
        ground_speed_mps: airborne.ground_speed_mps as f32,
        vertical_speed_mps: airborne.vertical_speed_mps as f32,
        battery: (airborne.energy_wh / capacity_wh) as f32,
        payload_kg: airborne.payload_kg as f32,
    }
}
