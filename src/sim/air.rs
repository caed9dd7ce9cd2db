//! The air as planners know it: what is forecast, from one moment on.
//!
//! Plans are made with this and with nothing else. What drones meet in it is the sky's
//! ([`super::sky`]).

use super::geo::Point;
use super::time::SimTime;
use super::wind::Weather;

/// The forecast for flights that begin now.
#[derive(Clone, Copy, Debug)]
pub struct Air<'a> {
    weather: &'a Weather,
}

impl<'a> Air<'a> {
    pub fn forecast(weather: &'a Weather, _now: SimTime) -> Self {
        Air { weather }
    }

    /// Where the wind blows to, m/s east and north, over a place at a height above ground.
    pub fn wind(&self, _at: Point, height_m: f64) -> (f64, f64) {
        self.weather.wind_at(height_m)
    }

    /// No wind below this height is stronger, m/s.
    pub fn strongest_mps(&self, height_m: f64) -> f64 {
        let (east, north) = self.weather.wind_at(height_m);
        (east * east + north * north).sqrt()
    }

    pub fn density_kgpm3(&self) -> f64 {
        self.weather.air_density_kgpm3
    }
}
