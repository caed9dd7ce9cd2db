//! What must be known of a drone in the air that may have to make way.

use super::super::flight::{Course, Path};
use super::super::ids::DroneId;
use super::super::separation::{Body, Party};
use super::super::world::World;
use super::Sky;
use super::columns::Chunk;

impl Sky {
    /// `None` while on the ground or lost.
    pub fn party(&self, world: &World, body: Body) -> Option<Party> {
        let (chunk, i) = self.row_of(body.drone)?;
        let fix = self.fix(body.drone)?;
        let capacity_wh = world.model(chunk.flights[i].model).battery.capacity_wh;
        Some(Party {
            body,
            fix,
            course: course(chunk, i),
            is_loaded: chunk.outlook(i).payload_kg > 0.0,
            battery: fix.energy_wh / capacity_wh,
        })
    }

    /// Metres of its plan that an airborne drone has yet to fly, ups and downs too.
    pub fn way_left_m(&self, drone: DroneId) -> Option<f64> {
        let (chunk, i) = self.row_of(drone)?;
        let flight = &chunk.flights[i];
        let length_m = |path: &Path| if path.is_hold() { 0.0 } else { path.length() };
        let [present, later @ ..] = &flight.plan.legs()[flight.leg as usize..] else {
            return None;
        };
        let present_m = if present.path.is_hold() {
            0.0
        } else {
            chunk.motion(i).remaining
        };
        Some(present_m + later.iter().map(|leg| length_m(&leg.path)).sum::<f64>())
    }
}

/// Of a straight cruise.
fn course(chunk: &Chunk, i: usize) -> Option<Course> {
    let Path::Line { east, north, .. } = chunk.flights[i].present_leg().path else {
        return None;
    };
    Some(Course {
        east,
        north,
        left_m: chunk.motion(i).remaining,
    })
}
