//! Where a leg leads: its geometry, and nothing of its speeds.

use serde::{Deserialize, Serialize};

use super::super::geo::Point;
use super::super::motion::positive;

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
    /// A straight line in space on which it comes to rest, in any wind: how a change of plan
    /// begins.
    Stop {
        from: Point,
        from_m: f64,
        /// The unit vector of motion.
        east: f64,
        north: f64,
        up: f64,
        length_m: f64,
    },
    /// Part of a circle in the upright plane of a course: how a slope begins and ends. Pitches
    /// are above the horizon, a positive sweep raises them.
    Bend {
        from: Point,
        from_m: f64,
        east: f64,
        north: f64,
        radius_m: f64,
        pitch_rad: f64,
        sweep_rad: f64,
        airspeed_mps: f64,
    },
}

impl Path {
    /// Metres; seconds for a hold.
    pub fn length(&self) -> f64 {
        match *self {
            Path::Line { length_m, .. } | Path::Slope { length_m, .. } | Path::Stop { length_m, .. } => {
                length_m
            }
            Path::Arc {
                radius_m, sweep_rad, ..
            }
            | Path::Bend {
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
            Path::Stop { up, length_m, .. } => positive(1.0 - up * up).sqrt() * length_m,
            Path::Bend { .. } => self.bent(self.length()).0,
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
            Path::Stop {
                from,
                from_m,
                east,
                north,
                up,
                ..
            } => {
                let at = Point {
                    x: from.x + east * along,
                    y: from.y + north * along,
                };
                (at, positive(from_m + up * along))
            }
            Path::Bend {
                from,
                from_m,
                east,
                north,
                ..
            } => {
                let (ground_m, rise_m) = self.bent(along);
                let at = Point {
                    x: from.x + east * ground_m,
                    y: from.y + north * ground_m,
                };
                (at, from_m + rise_m)
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
            Path::Stop { east, north, up, .. } => (east, north, up),
            Path::Bend { east, north, .. } => {
                let (sin, cos) = libm::sincos(self.pitch(along));
                (east * cos, north * cos, sin)
            }
        }
    }

    /// Whether its direction changes on the way.
    pub fn is_turn(&self) -> bool {
        matches!(self, Path::Arc { .. } | Path::Bend { .. })
    }

    /// Whether more than the wind says how fast it may be flown: a turn's radius, or how fast the type
    /// climbs and sinks.
    pub fn is_bound(&self) -> bool {
        let is_inclined = matches!(self, Path::Slope { from_m, to_m, .. } if from_m != to_m);
        self.is_turn() || is_inclined
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

    /// Of a bend: above the horizon.
    fn pitch(&self, along: f64) -> f64 {
        match *self {
            Path::Bend {
                radius_m,
                pitch_rad,
                sweep_rad,
                ..
            } => pitch_rad + along / radius_m * sign(sweep_rad),
            _ => 0.0,
        }
    }

    /// Of a bend: metres over the ground and up.
    fn bent(&self, along: f64) -> (f64, f64) {
        let Path::Bend {
            radius_m,
            pitch_rad,
            sweep_rad,
            ..
        } = *self
        else {
            return (0.0, 0.0);
        };
        let (sin_from, cos_from) = libm::sincos(pitch_rad);
        let (sin, cos) = libm::sincos(self.pitch(along));
        let radius_m = radius_m * sign(sweep_rad);
        (radius_m * (sin - sin_from), radius_m * (cos_from - cos))
    }
}

fn sign(of: f64) -> f64 {
    if of >= 0.0 { 1.0 } else { -1.0 }
}
