//! Where a drone in the air is: for whoever plans on from there, and as the read side sees it.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::super::drone::DroneStatus;
use super::super::flight::{Velocity, Whereabouts};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::motion::Profile;
use super::super::time::SimTime;
use super::Sky;
use super::columns::{Chunk, Motion};

/// What a plan for a drone in the air begins with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    pub at: Point,
    pub height_m: f64,
    pub velocity: Velocity,
    pub energy_wh: f64,
}

impl Fix {
    pub fn whereabouts(self) -> Whereabouts {
        Whereabouts {
            at: self.at,
            height_m: self.height_m,
            velocity: self.velocity,
        }
    }
}

impl Sky {
    /// Where one airborne drone is, how it moves, and with how much; `None` while on the ground or lost.
    pub fn fix(&self, drone: DroneId) -> Option<Fix> {
        let (chunk, i) = self.row_of(drone)?;
        let motion = chunk.motion(i);
        Some(Fix {
            at: motion.at(),
            height_m: f64::from(motion.height),
            velocity: motion.velocity(),
            energy_wh: motion.energy_wh,
        })
    }

    /// Seconds that are left of the hand-over that it is in the middle of; `None` for who is not.
    pub fn handover_left_s(&self, drone: DroneId) -> Option<f64> {
        let (chunk, i) = self.row_of(drone)?;
        let leg = chunk.flights[i].present_leg();
        let hands_over = leg.path.is_hold() && leg.milestone.is_some();
        hands_over.then(|| chunk.motion(i).remaining)
    }
}

impl Motion {
    pub fn at(&self) -> Point {
        Point { x: self.x, y: self.y }
    }

    /// The leg's profile in the forecast wind.
    pub fn planned(&self) -> Profile {
        Profile {
            target: f64::from(self.target),
            exit: f64::from(self.exit),
            acceleration: f64::from(self.acceleration),
        }
    }

    pub fn head_for(&mut self, (east, north, up): (f64, f64, f64)) {
        (self.east, self.north, self.up) = (east as f32, north as f32, up as f32);
    }

    pub fn velocity(&self) -> Velocity {
        let direction = [self.east, self.north, self.up].map(f64::from);
        Velocity::along(direction.into(), f64::from(self.speed))
    }
}

/// One airborne drone as the read side sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Airborne {
    pub drone: DroneId,
    pub at: Point,
    pub height_m: f64,
    /// Where the nose points, radians clockwise from north, 0 to 2π.
    pub heading_rad: f64,
    pub ground_speed_mps: f64,
    pub vertical_speed_mps: f64,
    pub energy_wh: f64,
    pub payload_kg: f64,
    pub status: DroneStatus,
    /// Expected times as of the last ETA pass; `None` once passed.
    pub pickup_eta: Option<SimTime>,
    pub delivery_eta: Option<SimTime>,
}

pub(super) fn airborne(chunk: &Chunk, i: usize) -> Airborne {
    let (motion, outlook) = (chunk.motion(i), chunk.outlook(i));
    let speed = f64::from(motion.speed);
    let (east, north) = (f64::from(motion.east), f64::from(motion.north));
    let up = f64::from(motion.up);
    let heading = f64::from(motion.heading);
    let eta = |at: f64, after: f64| (!after.is_nan()).then(|| SimTime::from_secs(at));
    Airborne {
        drone: motion.drone,
        at: motion.at(),
        height_m: f64::from(motion.height),
        heading_rad: if heading < 0.0 { heading + TAU } else { heading },
        ground_speed_mps: speed * (east * east + north * north).sqrt(),
        vertical_speed_mps: speed * up,
        energy_wh: motion.energy_wh,
        payload_kg: outlook.payload_kg,
        status: outlook.status,
        pickup_eta: eta(outlook.pickup_at, outlook.pickup_after_leg),
        delivery_eta: eta(outlook.delivery_at, outlook.delivery_after_leg),
    }
}
