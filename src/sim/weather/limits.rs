//! How much weather a drone type may fly in.

use serde::{Deserialize, Serialize};

use super::{Wind, speed_mps};

/// What its maker, or whoever operates it, lets a type fly in; infinite where nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The mean wind at 10 m, m/s.
    pub wind_mps: f64,
    /// The wind at 10 m with its gusts, m/s.
    pub gust_mps: f64,
    pub rain_mmph: f64,
}

/// The weather at a place and a moment, as it is or as it is forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    /// The mean at 10 m.
    pub wind: Wind,
    /// As strong as the wind gets, m/s at 10 m.
    pub gust_mps: f64,
    pub rain_mmph: f64,
}

/// Why a type may not fly, or does not get on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    Wind,
    Gust,
    Rain,
    /// Less than 1 m/s over the ground.
    NoHeadway,
}

impl Breach {
    pub const ALL: [Breach; 4] = [Breach::Wind, Breach::Gust, Breach::Rain, Breach::NoHeadway];

    pub fn as_str(self) -> &'static str {
        match self {
            Breach::Wind => "wind",
            Breach::Gust => "gust",
            Breach::Rain => "rain",
            Breach::NoHeadway => "no_headway",
        }
    }
}

impl Limits {
    pub const NONE: Limits = Limits {
        wind_mps: f64::INFINITY,
        gust_mps: f64::INFINITY,
        rain_mmph: f64::INFINITY,
    };

    /// The one limit that is told of where it breaks several.
    pub fn broken_by(&self, conditions: &Conditions) -> Option<Breach> {
        let wind_mps = speed_mps(conditions.wind);
        let limits = [
            (Breach::Wind, wind_mps, self.wind_mps),
            (Breach::Gust, conditions.gust_mps, self.gust_mps),
            (Breach::Rain, conditions.rain_mmph, self.rain_mmph),
        ];
        let broken = limits.into_iter().find(|(_, is, most)| is > most);
        broken.map(|(breach, ..)| breach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_is_still_flown_in() {
        let limits = Limits {
            wind_mps: 10.0,
            gust_mps: 14.0,
            rain_mmph: 0.0,
        };
        let breach = |east, north, gust_mps, rain_mmph| {
            limits.broken_by(&Conditions {
                wind: (east, north),
                gust_mps,
                rain_mmph,
            })
        };
        assert_eq!(breach(6.0, -8.0, 14.0, 0.0), None, "at each limit");
        assert_eq!(breach(6.0, -8.1, 14.0, 0.0), Some(Breach::Wind));
        assert_eq!(breach(6.0, 0.0, 14.1, 0.0), Some(Breach::Gust));
        assert_eq!(breach(6.0, 0.0, 9.0, 0.1), Some(Breach::Rain));
        let storm = Conditions {
            wind: (90.0, 0.0),
            gust_mps: 120.0,
            rain_mmph: 300.0,
        };
        assert_eq!(Limits::NONE.broken_by(&storm), None);
    }
}
