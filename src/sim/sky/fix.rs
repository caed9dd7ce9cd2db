//! Where a drone in the air is, for whoever plans on from there.

use serde::{Deserialize, Serialize};

use super::super::geo::Point;
use super::super::ids::DroneId;
use super::Sky;

/// What a plan for a drone in the air begins with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    pub at: Point,
    pub height_m: f64,
    pub energy_wh: f64,
}

impl Sky {
    /// Where one airborne drone is, and with how much; `None` while on the ground or lost.
    pub fn fix(&self, drone: DroneId) -> Option<Fix> {
        self.row_of(drone).map(|(chunk, i)| Fix {
            at: Point {
                x: chunk.x[i],
                y: chunk.y[i],
            },
            height_m: chunk.height[i],
            energy_wh: chunk.energy_wh[i],
        })
    }
}
