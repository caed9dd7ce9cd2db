//! One leg: a line, an arc, a climb or a wait, with its speeds, time and power.

use serde::{Deserialize, Serialize};

use super::super::air::Air;
use super::super::drone::DroneStatus;
use super::super::energy::PowerLaw;
use super::super::geo::Point;
use super::super::motion::{self, Profile, positive};
use super::super::units::GRAVITY_MPS2;
use super::super::world::Model;
use super::{Milestone, Phase};

/// Where a leg leads. Heights are above ground, directions are unit vectors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Path {
    Line {
        from: Point,
        east: f64,
        north: f64,
        length_m: f64,
        height_m: f64,
    },
    /// Part of a circle, from `start_rad` (counter-clockwise from east, seen from the
    /// centre) through `sweep_rad` (positive is counter-clockwise).
    Arc {
        centre: Point,
        radius_m: f64,
        start_rad: f64,
        sweep_rad: f64,
        height_m: f64,
    },
    Vertical {
        at: Point,
        from_m: f64,
        to_m: f64,
    },
    Hold {
        at: Point,
        height_m: f64,
        seconds: f64,
    },
    /// A straight line in space, at an airspeed of its own: how way is made.
    Slope {
        from: Point,
        east: f64,
        north: f64,
        /// Along the slope.
        length_m: f64,
        from_m: f64,
        to_m: f64,
        airspeed_mps: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    pub path: Path,
    /// Speeds along the path, over the ground. All 1 on a hold, whose metres are seconds.
    pub entry_mps: f64,
    pub target_mps: f64,
    pub exit_mps: f64,
    pub duration_s: f64,
    pub payload_kg: f64,
    pub phase: Phase,
    /// What its end means.
    pub milestone: Option<Milestone>,
}

impl Path {
    /// Metres; seconds for a hold.
    pub fn length(&self) -> f64 {
        match *self {
            Path::Line { length_m, .. } | Path::Slope { length_m, .. } => length_m,
            Path::Arc {
                radius_m, sweep_rad, ..
            } => radius_m * sweep_rad.abs(),
            Path::Vertical { from_m, to_m, .. } => (to_m - from_m).abs(),
            Path::Hold { seconds, .. } => seconds,
        }
    }

    /// Metres over the ground.
    pub fn ground_length(&self) -> f64 {
        match self {
            Path::Line { .. } | Path::Arc { .. } => self.length(),
            Path::Slope {
                length_m,
                from_m,
                to_m,
                ..
            } => positive(length_m * length_m - (to_m - from_m) * (to_m - from_m)).sqrt(),
            Path::Vertical { .. } | Path::Hold { .. } => 0.0,
        }
    }

    pub fn start(&self) -> (Point, f64) {
        self.at(0.0)
    }

    /// The place and the height after `along` of the path's length.
    pub fn at(&self, along: f64) -> (Point, f64) {
        match *self {
            Path::Line {
                from,
                east,
                north,
                height_m,
                ..
            } => {
                let at = Point {
                    x: from.x + east * along,
                    y: from.y + north * along,
                };
                (at, height_m)
            }
            Path::Arc {
                centre,
                radius_m,
                height_m,
                ..
            } => {
                let (sin, cos) = libm::sincos(self.arc_angle(along));
                let at = Point {
                    x: centre.x + radius_m * cos,
                    y: centre.y + radius_m * sin,
                };
                (at, height_m)
            }
            Path::Vertical { at, from_m, to_m } => (
                at,
                if to_m >= from_m {
                    from_m + along
                } else {
                    from_m - along
                },
            ),
            Path::Hold { at, height_m, .. } => (at, height_m),
            Path::Slope {
                from,
                east,
                north,
                length_m,
                from_m,
                to_m,
                ..
            } => {
                let share = along / length_m;
                let ground_m = share * self.ground_length();
                let at = Point {
                    x: from.x + east * ground_m,
                    y: from.y + north * ground_m,
                };
                (at, from_m + share * (to_m - from_m))
            }
        }
    }

    /// The unit vector (east, north, up) of motion; zero while holding.
    pub fn direction(&self, along: f64) -> (f64, f64, f64) {
        match *self {
            Path::Line { east, north, .. } => (east, north, 0.0),
            Path::Arc { sweep_rad, .. } => {
                let (sin, cos) = libm::sincos(self.arc_angle(along));
                if sweep_rad >= 0.0 {
                    (-sin, cos, 0.0)
                } else {
                    (sin, -cos, 0.0)
                }
            }
            Path::Vertical { from_m, to_m, .. } => (0.0, 0.0, if to_m >= from_m { 1.0 } else { -1.0 }),
            Path::Hold { .. } => (0.0, 0.0, 0.0),
            Path::Slope {
                east,
                north,
                length_m,
                from_m,
                to_m,
                ..
            } => {
                let level = self.ground_length() / length_m;
                (east * level, north * level, (to_m - from_m) / length_m)
            }
        }
    }

    pub fn is_turn(&self) -> bool {
        matches!(self, Path::Arc { .. })
    }

    pub fn is_hold(&self) -> bool {
        matches!(self, Path::Hold { .. })
    }

    fn arc_angle(&self, along: f64) -> f64 {
        match *self {
            Path::Arc {
                radius_m,
                start_rad,
                sweep_rad,
                ..
            } => {
                start_rad
                    + if sweep_rad >= 0.0 {
                        along / radius_m
                    } else {
                        -along / radius_m
                    }
            }
            _ => 0.0,
        }
    }
}

impl Leg {
    /// From rest to rest, its target speed and time yet to be set.
    pub(super) fn new(path: Path, phase: Phase, payload_kg: f64) -> Self {
        Leg {
            path,
            entry_mps: 0.0,
            target_mps: 0.0,
            exit_mps: 0.0,
            duration_s: 0.0,
            payload_kg,
            phase,
            milestone: None,
        }
    }

    pub(super) fn timed(mut self, model: &Model) -> Self {
        self.duration_s = motion::duration(self.entry_mps, self.path.length(), self.profile(model));
        self
    }

    pub fn end(&self) -> (Point, f64) {
        self.path.at(self.path.length())
    }

    pub fn profile(&self, model: &Model) -> Profile {
        let acceleration = match self.path {
            Path::Line { .. } | Path::Arc { .. } | Path::Slope { .. } => model.acceleration_mps2,
            Path::Vertical { .. } => model.vertical_acceleration_mps2,
            Path::Hold { .. } => 0.0,
        };
        Profile {
            target: self.target_mps,
            exit: self.exit_mps,
            acceleration,
        }
    }

    pub fn on_ground(&self) -> bool {
        matches!(self.path, Path::Hold { height_m, .. } if height_m <= 0.0)
    }

    pub fn status(&self) -> DroneStatus {
        match self.phase {
            Phase::Climb => DroneStatus::Climbing,
            Phase::Cruise => DroneStatus::Cruising,
            Phase::Descend => DroneStatus::Descending,
            Phase::Handover => DroneStatus::Hovering,
            Phase::Return => DroneStatus::Returning,
            // It waits for its turn to take off.
            Phase::Hold if self.on_ground() => DroneStatus::Parked,
            Phase::Hold => DroneStatus::Holding,
        }
    }

    /// Power against airspeed on this leg: exact at rest and at the type's cruise airspeed, a
    /// straight line in between. A hover costs the same in any wind.
    pub fn power(&self, model: &Model, air: &Air<'_>) -> PowerLaw {
        let mass_kg = model.empty_mass_kg + self.payload_kg;
        let density = air.density_kgpm3();
        let hover_w = model.power.hover_w(model, mass_kg, density);
        match self.path {
            Path::Hold { .. } if self.on_ground() => PowerLaw::default(),
            Path::Hold { .. } => PowerLaw::constant(hover_w),
            Path::Vertical { from_m, to_m, .. } if to_m < from_m => PowerLaw::constant(hover_w),
            Path::Vertical { .. } => {
                let climb_w = model.power.climb_w(model, mass_kg, density);
                PowerLaw::through((0.0, hover_w), (model.climb_mps, climb_w))
            }
            Path::Line { .. } | Path::Arc { .. } => cruise_power(model, mass_kg, hover_w, density),
            Path::Slope {
                from_m,
                to_m,
                length_m,
                ..
            } => {
                // What lifts it comes on top; going down it gets nothing back.
                let climb_mps = positive(to_m - from_m) / length_m * self.target_mps;
                let lift_w = mass_kg * GRAVITY_MPS2 * climb_mps / LIFTING;
                cruise_power(model, mass_kg, hover_w, density).plus(lift_w)
            }
        }
    }
}

/// So much of a motor's power lifts, a cautious figure.
const LIFTING: f64 = 0.5;

fn cruise_power(model: &Model, mass_kg: f64, hover_w: f64, density: f64) -> PowerLaw {
    let at = |airspeed_mps| {
        let watts = model.power.forward_w(mass_kg, airspeed_mps, density);
        (airspeed_mps, watts)
    };
    let cruise = at(model.cruise_airspeed_mps);
    match model.power.transition_share() {
        None => PowerLaw::through((0.0, hover_w), cruise),
        Some(share) => {
            let transition = at(share * model.cruise_airspeed_mps);
            PowerLaw::through(transition, cruise).slow_below(transition.0, hover_w)
        }
    }
}
