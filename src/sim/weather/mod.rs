//! The weather: a mean wind over place and time, gusts around it, rain, and what is forecast of
//! them.
//!
//! Planners see the forecast alone, through [`super::air::Air`]; drones meet the mean and the
//! gusts, through the sky. All wind is at 10 m here; [`windage`] takes it to a height.

mod field;
mod gusts;
mod limits;
mod shift;
mod triangle;

use std::sync::LazyLock;

use super::geo::Point;
use super::random::{Purpose, Stream};
use super::route::LEVELS_M;
use super::time::{SimDuration, SimTime};

pub use self::field::{Blend, Change, Field, Grid};
pub use self::gusts::Gusts;
pub use self::limits::{Breach, Conditions, Limits};
pub use self::shift::{Shift, Turn};
pub use self::triangle::ground_speed;

/// Where the air blows to, m/s east and north.
pub type Wind = (f64, f64);

/// A forecast is issued so often, and holds until the next one.
pub const FORECAST_EVERY: SimDuration = SimDuration(600_000_000);
/// Stations look so often at what the weather is, and what they have seen counts for so many of
/// these looks: after a storm nobody takes off before it has been over for a while.
pub const OBSERVED_EVERY: SimDuration = SimDuration(30_000_000);
const LOOKS: u64 = 5;
/// Forecasts tell of gusts of so many standard deviations.
const GUSTS_EXPECTED: f64 = 2.0;
/// Shifts of the wind at a time.
pub const SHIFTS_MOST: usize = 64;
/// No forecast is further off than so many standard deviations.
const WORST_ERROR: f64 = 3.0;

#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    pub mean: Field,
    /// mm/h.
    pub rain: Field<f64>,
    /// In order; those that no forecast knows any more are struck out by and by.
    pub shifts: Vec<Shift>,
    /// Standard deviation of the wind around its mean, m/s, of either component.
    pub gust_mps: f64,
    /// In which what is left of a gust falls to 1/e, seconds.
    pub gust_time_s: f64,
    /// Standard deviation of the forecast speed around the mean's, as a share of it.
    pub forecast_error: f64,
    pub air_density_kgpm3: f64,
}

impl Weather {
    /// The same wind everywhere and for ever, and known.
    pub const fn steady(east_mps: f64, north_mps: f64, air_density_kgpm3: f64) -> Self {
        Weather {
            mean: Field::uniform((east_mps, north_mps)),
            rain: Field::uniform(0.0),
            shifts: Vec::new(),
            gust_mps: 0.0,
            gust_time_s: 30.0,
            forecast_error: 0.0,
            air_density_kgpm3,
        }
    }

    /// The mean as it is, m/s at 10 m.
    pub fn wind(&self, cell: usize, now: SimTime) -> Wind {
        shift::shifted(&self.shifts, cell, now, self.mean.at(cell, now))
    }

    /// What is forecast for a cell by whoever asks at a moment: the mean as it was when the
    /// forecast was issued, and its error.
    pub fn forecast(&self, seed: u64, cell: usize, now: SimTime) -> Wind {
        let period = now.0 / FORECAST_EVERY.0;
        let (east, north) = self.wind(cell, SimTime(period * FORECAST_EVERY.0));
        let factor = self.forecast_factor(seed, cell, period, Purpose::Forecast);
        (east * factor, north * factor)
    }

    /// The same of the rain, mm/h.
    pub fn forecast_rain(&self, seed: u64, cell: usize, now: SimTime) -> f64 {
        let period = now.0 / FORECAST_EVERY.0;
        let rain_mmph = self.rain.at(cell, SimTime(period * FORECAST_EVERY.0));
        match rain_mmph > 0.0 {
            true => rain_mmph * self.forecast_factor(seed, cell, period, Purpose::RainForecast),
            false => 0.0,
        }
    }

    /// What planners count on: gusts of twice their deviation on top of the mean.
    pub fn forecast_conditions(&self, seed: u64, cell: usize, now: SimTime) -> Conditions {
        let wind = self.forecast(seed, cell, now);
        Conditions {
            wind,
            gust_mps: speed_mps(wind) + GUSTS_EXPECTED * self.gust_mps,
            rain_mmph: self.forecast_rain(seed, cell, now),
        }
    }

    /// What stations in a cell have seen of late, the newest first, gusts taken as in forecasts:
    /// what is met is known, whatever was forecast.
    pub fn observed(&self, cell: usize, now: SimTime) -> impl Iterator<Item = Conditions> + '_ {
        let newest = now.0 / OBSERVED_EVERY.0;
        let looks = if self.is_steady() {
            1
        } else {
            LOOKS.min(newest + 1)
        };
        (0..looks).map(move |back| {
            let at = SimTime((newest - back) * OBSERVED_EVERY.0);
            let wind = self.wind(cell, at);
            Conditions {
                wind,
                gust_mps: speed_mps(wind) + GUSTS_EXPECTED * self.gust_mps,
                rain_mmph: self.rain.at(cell, at),
            }
        })
    }

    fn is_steady(&self) -> bool {
        self.mean.is_steady() && self.rain.is_steady() && self.shifts.is_empty()
    }

    /// Whether stations have looked after `before`, up to `now`, and these limits are broken
    /// otherwise by what they know.
    pub fn observations_change<'a>(
        &self,
        limits: impl Iterator<Item = &'a Limits> + Clone,
        before: SimTime,
        now: SimTime,
    ) -> bool {
        let broken = |limits: &Limits, cell, now| {
            let mut seen = self.observed(cell, now);
            seen.find_map(|conditions| limits.broken_by(&conditions))
        };
        let differs = |cell| {
            let mut limits = limits.clone();
            limits.any(|limits| broken(limits, cell, before) != broken(limits, cell, now))
        };
        is_looked(before, now) && !self.is_steady() && (0..self.cells()).any(differs)
    }

    /// From `shift.from` on, if that is now; shifts of which no forecast knows any more go.
    pub fn shift(&mut self, shift: Shift) {
        let known = |old: &Shift| old.until + FORECAST_EVERY > shift.from;
        self.shifts.retain(known);
        self.shifts.push(shift);
    }

    /// Whether another forecast was issued after `before`, up to `now`, that says something else.
    pub fn forecast_changes(&self, seed: u64, before: SimTime, now: SimTime) -> bool {
        let is_issued = before.0 / FORECAST_EVERY.0 != now.0 / FORECAST_EVERY.0;
        let all = |cell, now| self.forecast_conditions(seed, cell, now);
        let differs = |cell| all(cell, before) != all(cell, now);
        is_issued && (0..self.cells()).any(differs)
    }

    fn forecast_factor(&self, seed: u64, cell: usize, period: u64, of: Purpose) -> f64 {
        if self.forecast_error == 0.0 {
            return 1.0;
        }
        let entity = (cell as u64) << 40 | period;
        let drawn = Stream::new(seed, entity, of).normal();
        let error = self.forecast_error * drawn.clamp(-WORST_ERROR, WORST_ERROR);
        (1.0 + error).max(0.0)
    }

    /// No forecast wind is stronger, m/s at 10 m.
    pub fn strongest_forecast_mps(&self) -> f64 {
        let strongest_mps = shift::strongest_mps(&self.shifts, self.mean.strongest_mps());
        strongest_mps * (1.0 + WORST_ERROR * self.forecast_error)
    }

    pub fn cell_of(&self, at: Point) -> usize {
        self.mean.grid().cell_of(at)
    }

    pub fn cells(&self) -> usize {
        self.mean.grid().cells()
    }
}

/// When the next forecast is issued.
pub fn next_forecast(now: SimTime) -> SimTime {
    SimTime((now.0 / FORECAST_EVERY.0 + 1).saturating_mul(FORECAST_EVERY.0))
}

/// Whether stations have looked after the one moment, up to the other.
pub fn is_looked(before: SimTime, now: SimTime) -> bool {
    before.0 / OBSERVED_EVERY.0 != now.0 / OBSERVED_EVERY.0
}

/// When they look next.
pub fn next_look(now: SimTime) -> SimTime {
    SimTime((now.0 / OBSERVED_EVERY.0 + 1).saturating_mul(OBSERVED_EVERY.0))
}

pub fn speed_mps((east, north): Wind) -> f64 {
    (east * east + north * north).sqrt()
}

/// How much stronger the wind is at a height above ground than at 10 m: (z/10)^0.2.
pub fn windage(height_m: f64) -> f64 {
    let at_level = LEVELS_M.iter().position(|level| *level == height_m);
    at_level.map_or_else(|| raised(height_m), |level| AT_LEVELS[level])
}

/// By level: planning asks for hardly any other height, and raising to a power is the dearest
/// part of it.
static AT_LEVELS: LazyLock<[f64; LEVELS_M.len()]> = LazyLock::new(|| LEVELS_M.map(raised));

fn raised(height_m: f64) -> f64 {
    libm::pow(height_m.max(0.0) / 10.0, 0.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wind_grows_with_height() {
        assert_eq!(windage(10.0), 1.0);
        assert_eq!(windage(0.0), 0.0);
        assert_eq!(LEVELS_M.map(windage), LEVELS_M.map(raised), "bit for bit");
        assert!((windage(110.0) - 1.615_4).abs() < 1e-4);
    }

    #[test]
    fn another_forecast_is_news_where_it_says_something_else() {
        let mut weather = Weather::steady(6.0, -8.0, 1.225);
        let (before, now) = (SimTime(FORECAST_EVERY.0 - 1), SimTime(FORECAST_EVERY.0));
        assert!(!weather.forecast_changes(7, before, now), "a steady wind stays");
        weather.forecast_error = 0.15;
        assert!(weather.forecast_changes(7, before, now));
        assert!(
            !weather.forecast_changes(7, SimTime::START, before),
            "none was issued"
        );
        let at = SimTime(2 * FORECAST_EVERY.0);
        let values = vec![(3.0, 0.0)];
        weather = Weather {
            mean: Field::new((6.0, -8.0), vec![Change { at, values }], Grid::WHOLE),
            ..Weather::steady(0.0, 0.0, 1.225)
        };
        assert!(weather.forecast_changes(7, before, now));
        let later = |periods: u64| SimTime(periods * FORECAST_EVERY.0);
        assert!(
            !weather.forecast_changes(7, later(3), later(4)),
            "it has come to rest"
        );
    }

    #[test]
    fn forecasts_err_by_cell_and_period_as_much_as_they_say() {
        let mut weather = Weather::steady(6.0, -8.0, 1.225);
        assert_eq!(
            weather.forecast(7, 0, SimTime(5)),
            (6.0, -8.0),
            "without an error"
        );
        weather.forecast_error = 0.15;
        let factor = |cell, period| {
            let wind = weather.forecast(7, cell, SimTime(period * FORECAST_EVERY.0 + 1));
            assert!(
                (wind.0 / 6.0 - wind.1 / -8.0).abs() < 1e-12,
                "its direction is right"
            );
            wind.0 / 6.0
        };
        let last = SimTime(FORECAST_EVERY.0 - 1);
        assert_eq!(weather.forecast(7, 3, SimTime(0)), weather.forecast(7, 3, last));
        assert_ne!(factor(3, 0), factor(3, 1));
        assert_ne!(factor(3, 0), factor(4, 0));
        let errors: Vec<f64> = (0..5_000).map(|i| factor(i % 50, i as u64 / 50) - 1.0).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let square = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((square.sqrt() / 0.15 - 1.0).abs() < 0.05, "{square}");
        let strongest = weather.strongest_forecast_mps();
        assert!(errors.iter().all(|error| 10.0 * (1.0 + error) <= strongest));
    }
}
