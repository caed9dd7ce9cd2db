//! The wind triangle.

use super::Wind;

/// Slower than this over the ground counts as not flyable.
const MIN_GROUND_SPEED_MPS: f64 = 1.0;

/// The speed over the ground along a course (a unit vector) at an airspeed, m/s: the
/// along-track wind plus what of the airspeed is left when the nose holds against the
/// cross-track wind. `None` where that is not flyable.
pub fn ground_speed(airspeed_mps: f64, wind: Wind, course: (f64, f64)) -> Option<f64> {
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
}
