//! Where a drone in the air is: for whoever plans on from there, and as the read side sees it.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use super::super::drone::DroneStatus;
use super::super::flight::{Velocity, Whereabouts};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::time::SimTime;
use super::Sky;
use super::columns::{Chunk, Row};

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
        self.row_of(drone).map(|(chunk, i)| Fix {
            at: Point {
                x: chunk.x[i],
                y: chunk.y[i],
            },
            height_m: f64::from(chunk.height[i]),
            velocity: chunk.row(i).velocity(),
            energy_wh: chunk.energy_wh[i],
        })
    }
}

impl Row {
    pub(super) fn velocity(&self) -> Velocity {
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
    let speed = f64::from(chunk.speed[i]);
    let (east, north) = (f64::from(chunk.east[i]), f64::from(chunk.north[i]));
    let up = f64::from(chunk.up[i]);
    let heading = f64::from(chunk.heading[i]);
    let eta = |at: f64, after: f64| (!after.is_nan()).then(|| SimTime::from_secs(at));
    Airborne {
        drone: chunk.drone[i],
        at: Point {
            x: chunk.x[i],
            y: chunk.y[i],
        },
        height_m: f64::from(chunk.height[i]),
        heading_rad: if heading < 0.0 { heading + TAU } else { heading },
        ground_speed_mps: speed * (east * east + north * north).sqrt(),
        vertical_speed_mps: speed * up,
        energy_wh: chunk.energy_wh[i],
        payload_kg: chunk.payload_kg[i],
        status: chunk.status[i],
        pickup_eta: eta(chunk.pickup_at[i], chunk.pickup_after_leg[i]),
        delivery_eta: eta(chunk.delivery_at[i], chunk.delivery_after_leg[i]),
    }
}
