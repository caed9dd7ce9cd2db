//! Routes: way-points between two places, and the height at which they are flown.
//!
//! Routes are direct: no-fly zones will put way-points in between, and planners take any
//! number of them.

use super::geo::Point;

/// No route is flown higher than this, metres above ground.
pub const HIGHEST_M: f64 = 110.0;

/// Metres above ground: routes are flown at no others.
pub const LEVELS_M: [f64; 4] = [50.0, 70.0, 90.0, HIGHEST_M];

#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub from: Point,
    pub via: Vec<Point>,
    pub to: Point,
}

impl Route {
    pub fn direct(from: Point, to: Point) -> Self {
        Route {
            from,
            via: Vec::new(),
            to,
        }
    }

    /// Metres above ground for the whole route, by the quadrant of the heading from its
    /// start to its end: opposite traffic is 40 m apart.
    pub fn level_m(&self) -> f64 {
        let (east, north) = (self.to.x - self.from.x, self.to.y - self.from.y);
        match (east >= 0.0, north > 0.0) {
            (true, true) => LEVELS_M[0],
            (true, false) => LEVELS_M[1],
            (false, false) => LEVELS_M[2],
            (false, true) => LEVELS_M[3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quadrant_has_its_level() {
        let level = |x, y| Route::direct(Point { x: 5.0, y: 5.0 }, Point { x, y }).level_m();
        assert_eq!(
            [level(6.0, 6.0), level(6.0, 4.0), level(4.0, 4.0), level(4.0, 6.0)],
            [50.0, 70.0, 90.0, 110.0]
        );
    }
}
