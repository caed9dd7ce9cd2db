//! Where a drone is and how it moves, and how it comes to rest from there: what a change of plan
//! in the air begins with.

use serde::{Deserialize, Serialize};

use super::super::airspace::End;
use super::super::geo::Point;
use super::super::motion::lesser;
use super::leg::braking_mps2;
use super::{Leg, Path, Phase, Planner};

/// Slower than this a drone is at rest, m/s.
pub const AT_REST_MPS: f64 = 0.05;
/// Longer than braking takes: what a tick rounds off, metres.
const SPARE_M: f64 = 0.01;

/// Over the ground and up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Velocity {
    pub east_mps: f64,
    pub north_mps: f64,
    pub up_mps: f64,
}

/// A place in the air, or on the ground where it takes up a package, and how it moves there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whereabouts {
    pub at: Point,
    pub height_m: f64,
    pub velocity: Velocity,
}

impl Velocity {
    pub const NONE: Velocity = Velocity {
        east_mps: 0.0,
        north_mps: 0.0,
        up_mps: 0.0,
    };

    /// Along a unit vector.
    pub fn along((east, north, up): (f64, f64, f64), speed_mps: f64) -> Self {
        Velocity {
            east_mps: speed_mps * east,
            north_mps: speed_mps * north,
            up_mps: speed_mps * up,
        }
    }

    pub fn speed_mps(self) -> f64 {
        self.dot((self.east_mps, self.north_mps, self.up_mps)).sqrt()
    }

    /// The part of it along a unit vector.
    pub fn dot(self, (east, north, up): (f64, f64, f64)) -> f64 {
        self.east_mps * east + self.north_mps * north + self.up_mps * up
    }

    /// The length of the difference.
    pub fn off_mps(self, other: Velocity) -> f64 {
        let off = Velocity {
            east_mps: self.east_mps - other.east_mps,
            north_mps: self.north_mps - other.north_mps,
            up_mps: self.up_mps - other.up_mps,
        };
        off.speed_mps()
    }
}

impl Whereabouts {
    pub fn at_rest(at: Point, height_m: f64) -> Self {
        Whereabouts {
            at,
            height_m,
            velocity: Velocity::NONE,
        }
    }

    pub(super) fn end(self) -> End {
        let (at, height_m) = (self.at, self.height_m);
        End { at, height_m }
    }
}

impl Planner<'_> {
    /// Brakes on the way that it is on, as hard as its type does. Answers where it comes to rest.
    pub(super) fn come_to_rest(
        &self,
        from: Whereabouts,
        phase: Phase,
        payload_kg: f64,
        sink: &mut impl FnMut(Leg),
    ) -> Whereabouts {
        let speed_mps = from.velocity.speed_mps();
        if speed_mps < AT_REST_MPS {
            return Whereabouts::at_rest(from.at, from.height_m);
        }
        let share = |mps: f64| mps / speed_mps;
        let Velocity {
            east_mps,
            north_mps,
            up_mps,
        } = from.velocity;
        let up = share(up_mps);
        let braking_m = speed_mps * speed_mps / (2.0 * braking_mps2(self.model, up)) + SPARE_M;
        // Whoever is about to touch the ground is slow enough to.
        let room_m = if up < 0.0 {
            from.height_m / -up
        } else {
            f64::INFINITY
        };
        let path = Path::Stop {
            from: from.at,
            from_m: from.height_m,
            east: share(east_mps),
            north: share(north_mps),
            up,
            length_m: lesser(braking_m, room_m),
        };
        let leg = Leg {
            entry_mps: speed_mps,
            target_mps: speed_mps,
            ..Leg::new(path, phase, payload_kg)
        };
        let leg = leg.timed(self.model);
        let (at, height_m) = leg.end();
        sink(leg);
        Whereabouts::at_rest(at, height_m)
    }
}
