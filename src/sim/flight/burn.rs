//! What a leg takes out of the battery, as planned: its power, which is a law over airspeed,
//! along a trapezoid of speeds over the ground.

use super::super::air::Air;
use super::super::energy::PowerLaw;
use super::super::motion::{self, Plateau, greater, lesser};
use super::super::units::joules_to_wh;
use super::super::weather::Wind;
use super::super::world::Model;
use super::{Leg, Path};

/// An arc's course is taken as so many straight ones.
const PIECES_OF_ARC: u32 = 8;

impl Leg {
    /// In the wind that is forecast for its middle, watt-hours.
    pub fn energy_wh(&self, model: &Model, air: &Air<'_>) -> f64 {
        let law = self.power(model, air);
        let length = self.path.length();
        let wind = || {
            let (at, height_m) = self.path.at(0.5 * length);
            air.wind(at, height_m)
        };
        let joules = match self.path {
            Path::Hold { .. } => law.base_w * self.duration_s,
            Path::Vertical { .. } | Path::Stop { .. } => Course::CALM.joules(self, model, &law),
            Path::Line { east, north, .. }
            | Path::Slope { east, north, .. }
            | Path::Bend { east, north, .. } => {
                Course::along((east, north), wind()).joules(self, model, &law)
            }
            Path::Arc { .. } => {
                let wind = wind();
                let piece = |i| {
                    let middle = (f64::from(i) + 0.5) / f64::from(PIECES_OF_ARC);
                    let (east, north, _) = self.path.direction(middle * length);
                    Course::along((east, north), wind).joules(self, model, &law)
                };
                (0..PIECES_OF_ARC).map(piece).sum::<f64>() / f64::from(PIECES_OF_ARC)
            }
        };
        joules_to_wh(joules)
    }
}

/// The wind along and across a course.
#[derive(Clone, Copy)]
struct Course {
    along: f64,
    across: f64,
}

impl Course {
    const CALM: Course = Course {
        along: 0.0,
        across: 0.0,
    };

    fn along((east, north): (f64, f64), wind: Wind) -> Self {
        Course {
            along: wind.0 * east + wind.1 * north,
            across: wind.0 * north - wind.1 * east,
        }
    }

    fn airspeed(self, ground_mps: f64) -> f64 {
        let ahead = ground_mps - self.along;
        (ahead * ahead + self.across * self.across).sqrt()
    }

    /// A whole leg with this wind all along.
    fn joules(self, leg: &Leg, model: &Model, law: &PowerLaw) -> f64 {
        let profile = leg.profile(model);
        let Plateau { speed, seconds } = motion::plateau(leg.entry_mps, leg.path.length(), profile);
        // A line is flown at the type's airspeed, whatever ground speed that makes by place.
        let airspeed = match leg.path {
            Path::Line { .. } => model.cruise_airspeed_mps,
            Path::Slope { airspeed_mps, .. } | Path::Bend { airspeed_mps, .. } => airspeed_mps,
            _ => self.airspeed(speed),
        };
        let up = self.ramp(law, leg.entry_mps, speed);
        let down = match leg.exit_mps == leg.entry_mps {
            true => up,
            false => self.ramp(law, leg.exit_mps, speed),
        };
        let ramps = up + down;
        ramps / profile.acceleration + law.watts(airspeed) * seconds
    }

    /// Power over ground speeds between two, W·m/s: energy times acceleration.
    fn ramp(self, law: &PowerLaw, from: f64, to: f64) -> f64 {
        let (slow_from, slow_to) = self.slower_than(law.transition_mps);
        let slow_from = greater(slow_from, from);
        let slow_to = greater(lesser(slow_to, to), slow_from);
        let slow = slow_to - slow_from;
        let slow_airspeed = match slow > 0.0 {
            true => self.integral(slow_to) - self.integral(slow_from),
            false => 0.0,
        };
        let fast_airspeed = (self.integral(to) - self.integral(from)) - slow_airspeed;
        law.slow_w * slow + law.base_w * (to - from - slow) + law.slope_w_per_mps * fast_airspeed
    }

    /// Between which ground speeds the airspeed is below this.
    fn slower_than(self, airspeed: f64) -> (f64, f64) {
        let square = airspeed * airspeed - self.across * self.across;
        if square <= 0.0 {
            return (f64::NEG_INFINITY, f64::NEG_INFINITY);
        }
        let half = square.sqrt();
        (self.along - half, self.along + half)
    }

    /// The integral of the airspeed over ground speed: with u what is flown ahead through the
    /// air and c across, of sqrt(u² + c²).
    fn integral(self, ground_mps: f64) -> f64 {
        const NONE: f64 = 1e-6;
        let ahead = ground_mps - self.along;
        let across = self.across.abs();
        if across < NONE {
            return 0.5 * ahead * ahead.abs();
        }
        0.5 * (ahead * self.airspeed(ground_mps) + across * across * libm::asinh(ahead / across))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_are_what_small_steps_add_up_to() {
        let law = PowerLaw {
            slow_w: 900.0,
            transition_mps: 14.0,
            base_w: 50.0,
            slope_w_per_mps: 20.0,
        };
        for (along, across) in [
            (0.0, 0.0),
            (-9.0, 3.0),
            (8.0, -6.0),
            (18.0, 2.0),
            (-16.0, 0.0),
            (3.0, 15.0),
        ] {
            let course = Course { along, across };
            for (from, to) in [(0.0, 24.0), (5.0, 11.0), (7.0, 7.0)] {
                const STEPS: u32 = 200_000;
                let step = (to - from) / f64::from(STEPS);
                let watts = |i| law.watts(course.airspeed(from + (f64::from(i) + 0.5) * step));
                let added: f64 = (0..STEPS).map(watts).sum::<f64>() * step;
                let exact = course.ramp(&law, from, to);
                assert!(
                    (exact - added).abs() <= 1e-4 * added,
                    "{along} {across}, {from} to {to}: {exact} {added}"
                );
            }
        }
    }
}
