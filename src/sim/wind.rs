//! Wind over the area, and the wind triangle.

/// What the air does. Gusts and forecast errors are kept for later and not flown yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Where the mean wind at 10 m blows to, m/s east and north.
    pub wind_east_mps: f64,
    pub wind_north_mps: f64,
    pub air_density_kgpm3: f64,
}

/// Slower than this over the ground counts as not flyable.
const MIN_GROUND_SPEED_MPS: f64 = 1.0;

impl Weather {
    /// The wind (east, north) at a height above ground: the one at 10 m times
    /// (z/10)^0.2.
    pub fn wind_at(&self, height_m: f64) -> (f64, f64) {
        let factor = libm::pow(height_m.max(0.0) / 10.0, 0.2);
        (self.wind_east_mps * factor, self.wind_north_mps * factor)
    }
}

/// The speed over the ground along a course (a unit vector) at an airspeed, m/s: the
/// along-track wind plus what of the airspeed is left when the nose holds against the
/// cross-track wind. `None` where that is not flyable.
pub fn ground_speed(airspeed_mps: f64, wind: (f64, f64), course: (f64, f64)) -> Option<f64> {
    let along = wind.0 * course.0 + wind.1 * course.1;
    let across = wind.0 * course.1 - wind.1 * course.0;
    if across.abs() >= airspeed_mps {
        return None;
    }
    let speed = along + (airspeed_mps * airspeed_mps - across * across).sqrt();
    (speed >= MIN_GROUND_SPEED_MPS).then_some(speed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_in_head_tail_and_cross_wind() {
        let north = (0.0, 1.0);
        assert_eq!(ground_speed(10.0, (0.0, 0.0), north), Some(10.0));
        assert_eq!(ground_speed(10.0, (0.0, 4.0), north), Some(14.0));
        assert_eq!(ground_speed(10.0, (0.0, -4.0), north), Some(6.0));
        assert_eq!(ground_speed(10.0, (6.0, 0.0), north), Some(8.0));
        assert_eq!(ground_speed(10.0, (-10.0, 0.0), north), None);
        assert_eq!(ground_speed(10.0, (0.0, -9.5), north), None);
    }

    #[test]
    fn wind_grows_with_height() {
        let weather = Weather {
            wind_east_mps: 3.0,
            wind_north_mps: -4.0,
            air_density_kgpm3: 1.225,
        };
        assert_eq!(weather.wind_at(10.0), (3.0, -4.0));
        let (east, _) = weather.wind_at(110.0);
        assert!((east / 3.0 - 1.615_4).abs() < 1e-4, "{east}");
    }
}
