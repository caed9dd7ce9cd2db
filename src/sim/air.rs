//! The air as planners know it: what is forecast, what was seen, and what is open, from one moment
//! on.
//!
//! Plans are made with this and with nothing else. What drones meet in it is the sky's
//! ([`super::sky`]).

use super::airspace::{Airspace, Closed, End, Reckoning};
use super::geo::Point;
use super::route::Route;
use super::time::{SimDuration, SimTime};
use super::weather::{Breach, Conditions, Limits, Weather, Wind, speed_mps, windage};

/// The forecast for flights that begin now.
#[derive(Clone, Copy, Debug)]
pub struct Air<'a> {
    weather: &'a Weather,
    airspace: &'a Airspace,
    seed: u64,
    now: SimTime,
    zones: Reckoning,
    /// Where it is the same everywhere.
    uniform: Option<Conditions>,
    /// It is as somebody feels it, and nobody else has seen it.
    is_felt: bool,
}

impl<'a> Air<'a> {
    /// `seed` is the world's: it says by how much forecasts are off.
    pub fn forecast(weather: &'a Weather, airspace: &'a Airspace, seed: u64, now: SimTime) -> Self {
        let uniform = (weather.cells() == 1).then(|| weather.forecast_conditions(seed, 0, now));
        Air {
            weather,
            airspace,
            seed,
            now,
            zones: now.into(),
            uniform,
            is_felt: false,
        }
    }

    /// The same air with this weather all over, whatever was forecast: for whoever is in it.
    pub fn felt(self, conditions: Conditions) -> Self {
        Air {
            uniform: Some(conditions),
            is_felt: true,
            ..self
        }
    }

    /// The same weather under the zones of another moment: for whoever waits until one ends.
    pub fn under_zones_of(self, moment: SimTime) -> Self {
        Air {
            zones: moment.into(),
            ..self
        }
    }

    /// The same under the zones that are in force alone, and for how many seconds they are all.
    pub fn before_next_zone(self) -> Option<(Self, f64)> {
        let now = self.zones.at;
        let begins = self.airspace.next_begins(now)?;
        let zones = Reckoning {
            announced: false,
            ..self.zones
        };
        Some((Air { zones, ..self }, begins.since(now).as_secs()))
    }

    /// What is forecast for a place.
    pub fn conditions(&self, at: Point) -> Conditions {
        self.uniform.unwrap_or_else(|| {
            let cell = self.weather.cell_of(at);
            self.weather.forecast_conditions(self.seed, cell, self.now)
        })
    }

    /// What keeps a type with these limits from a place: the forecast, or what stations there
    /// have seen of late.
    pub fn breach(&self, limits: &Limits, at: Point) -> Option<Breach> {
        let forecast = limits.broken_by(&self.conditions(at));
        if self.is_felt || forecast.is_some() {
            return forecast;
        }
        let mut seen = self.weather.observed(self.weather.cell_of(at), self.now);
        seen.find_map(|conditions| limits.broken_by(&conditions))
    }

    /// The shortest open way.
    ///
    /// # Errors
    /// Where there is none.
    pub fn route(&self, from: End, to: End) -> Result<Route, Closed> {
        self.airspace.route(self.zones, from, to)
    }

    /// The shortest open way on the level at this height; `None` where there is none, or no zone at all.
    pub fn route_at(&self, from: End, to: End, height_m: f64) -> Option<Route> {
        self.airspace.route_on(self.zones, from, to, height_m)
    }

    /// Whether a zone lies over a place between these heights.
    pub fn is_shut(&self, at: Point, low_m: f64, high_m: f64) -> bool {
        self.airspace.is_shut(self.zones, at, low_m, high_m)
    }

    /// Whether a zone is in force over a place between these heights before so many seconds are over.
    pub fn is_closed_within(&self, seconds: f64, at: Point, low_m: f64, high_m: f64) -> bool {
        let now = self.zones.at;
        let until = now + SimDuration::from_secs(seconds);
        let (place, heights_m) = ((at, at), (low_m, high_m));
        !self.airspace.lets_pass((now, until), place, heights_m)
    }

    /// Whether who flies straight from the first of these places to the next, and so on, between
    /// these heights, keeps as far off the zones as it is there, at most half of the margin.
    pub fn keeps_off(&self, places: &[Point], heights_m: (f64, f64)) -> bool {
        self.airspace.keeps_off(self.zones, places, heights_m)
    }

    /// The shortest way off the zones; `None` for who is in none.
    pub fn way_out(&self, at: Point, height_m: f64) -> Option<Route> {
        self.airspace.way_out(self.zones, at, height_m)
    }

    /// Whether nothing is in the way from there to there at this height.
    pub fn is_open(&self, from: Point, to: Point, height_m: f64) -> bool {
        self.airspace.is_open(self.zones, from, to, height_m)
    }

    /// Where the wind blows to, m/s east and north, over a place at a height above ground.
    pub fn wind(&self, at: Point, height_m: f64) -> Wind {
        let (east, north) = match self.uniform {
            Some(conditions) => conditions.wind,
            None => {
                let cell = self.weather.cell_of(at);
                self.weather.forecast(self.seed, cell, self.now)
            }
        };
        let factor = windage(height_m);
        (east * factor, north * factor)
    }

    /// Whether it is the same at all places of a height.
    pub fn is_uniform(&self) -> bool {
        self.uniform.is_some()
    }

    /// No wind below this height is stronger, m/s.
    pub fn strongest_mps(&self, height_m: f64) -> f64 {
        let strongest = match self.uniform {
            Some(conditions) => speed_mps(conditions.wind),
            None => self.weather.strongest_forecast_mps(),
        };
        strongest * windage(height_m)
    }

    pub fn density_kgpm3(&self) -> f64 {
        self.weather.air_density_kgpm3
    }
}
