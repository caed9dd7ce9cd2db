//! Shifts: for a while the true wind is another than the scenario's, somewhere or everywhere.
//!
//! Nobody forecasts one before it comes. A forecast that is issued while it lasts knows it.

use serde::{Deserialize, Serialize};

use super::{Wind, speed_mps};
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimTime;

/// How the wind is not as it would be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Turn {
    /// Blows to there at this speed; what is not said stays as it is.
    To {
        speed_mps: Option<f64>,
        /// Where it comes from, radians clockwise from north.
        from_rad: Option<f64>,
    },
    /// Turns by this, counter-clockwise, and is so much stronger.
    By { turn_rad: f64, stronger_mps: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    pub from: SimTime,
    /// [`SimTime::NEVER`] for good.
    pub until: SimTime,
    /// The weather cell; all of them where there is none.
    pub cell: Option<u32>,
    pub turn: Turn,
}

impl Turn {
    /// Of the one that comes with a tick, where nobody says how: 30 to 90 degrees to either side,
    /// and 2 to 6 m/s stronger.
    pub fn drawn(seed: u64, tick: u64) -> Self {
        let mut stream = Stream::new(seed, tick, Purpose::WindShift);
        let side = if stream.below(2) == 0 { 1.0 } else { -1.0 };
        let turn_rad = side * stream.uniform_in(30.0, 90.0).to_radians();
        let stronger_mps = stream.uniform_in(2.0, 6.0);
        Turn::By {
            turn_rad,
            stronger_mps,
        }
    }

    fn of(self, wind: Wind) -> Wind {
        let speed = speed_mps(wind);
        match self {
            Turn::To { speed_mps, from_rad } => {
                let still = speed == 0.0 && from_rad.is_none();
                let (east, north) = match from_rad {
                    Some(from_rad) => {
                        let (sin, cos) = libm::sincos(from_rad);
                        (0.0 - sin, 0.0 - cos)
                    }
                    // Out of a calm it blows to the east, as from the west.
                    None if still => (1.0, 0.0),
                    None => (wind.0 / speed, wind.1 / speed),
                };
                let speed = speed_mps.unwrap_or(speed);
                (speed * east, speed * north)
            }
            Turn::By {
                turn_rad,
                stronger_mps,
            } => {
                let direction_rad = libm::atan2(wind.1, wind.0) + turn_rad;
                let (north, east) = libm::sincos(direction_rad);
                ((speed + stronger_mps) * east, (speed + stronger_mps) * north)
            }
        }
    }

    /// The strongest that it may make of a wind of this speed.
    fn strongest_mps(self, speed_mps: f64) -> f64 {
        match self {
            Turn::To { speed_mps: to, .. } => to.map_or(speed_mps, |to| to.max(speed_mps)),
            Turn::By { stronger_mps, .. } => speed_mps + stronger_mps,
        }
    }
}

impl Shift {
    fn strikes(&self, cell: usize, now: SimTime) -> bool {
        let here = self.cell.is_none_or(|of| of as usize == cell);
        here && self.from <= now && now < self.until
    }
}

/// In order, each upon what those before it have made.
pub fn shifted(shifts: &[Shift], cell: usize, now: SimTime, wind: Wind) -> Wind {
    let strikes = shifts.iter().filter(|shift| shift.strikes(cell, now));
    strikes.fold(wind, |wind, shift| shift.turn.of(wind))
}

pub fn strongest_mps(shifts: &[Shift], speed_mps: f64) -> f64 {
    let each = shifts.iter();
    each.fold(speed_mps, |speed, shift| shift.turn.strongest_mps(speed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEST: Wind = (5.0, 0.0);

    fn shift(cell: Option<u32>, turn: Turn) -> Shift {
        Shift {
            from: SimTime(100),
            until: SimTime(200),
            cell,
            turn,
        }
    }

    fn near(wind: Wind, expected: Wind) -> bool {
        (wind.0 - expected.0).abs() < 1e-9 && (wind.1 - expected.1).abs() < 1e-9
    }

    #[test]
    fn a_shift_is_of_its_time_and_cell_and_changes_what_it_says() {
        let north = Turn::To {
            speed_mps: None,
            from_rad: Some(0.0),
        };
        let strong = Turn::To {
            speed_mps: Some(12.0),
            from_rad: None,
        };
        let shifts = [shift(None, strong), shift(Some(1), north)];
        let at = |cell, now| shifted(&shifts, cell, SimTime(now), WEST);
        assert_eq!(at(1, 99), WEST);
        assert!(near(at(0, 100), (12.0, 0.0)));
        assert!(near(at(1, 100), (0.0, -12.0)), "one upon the other");
        assert_eq!(at(1, 200), WEST);
        assert!(near(shifted(&shifts, 0, SimTime(150), (0.0, 0.0)), (12.0, 0.0)));
        assert_eq!(strongest_mps(&shifts, 5.0), 12.0);
    }

    #[test]
    fn one_that_is_drawn_turns_and_strengthens_by_its_tick() {
        let drawn = Turn::drawn(7, 31);
        assert_eq!(drawn, Turn::drawn(7, 31));
        assert_ne!(drawn, Turn::drawn(7, 32));
        for tick in 0..50 {
            let wind = Turn::drawn(7, tick).of(WEST);
            let speed = speed_mps(wind);
            assert!((7.0..=11.0).contains(&speed), "{speed}");
            let turned = libm::atan2(wind.1, wind.0).abs().to_degrees();
            assert!((29.9..=90.1).contains(&turned), "{turned}");
            assert!(speed <= strongest_mps(&[shift(None, Turn::drawn(7, tick))], 5.0) + 1e-9);
        }
    }
}
