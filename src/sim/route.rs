//! Routes: way-points between two places, and the height at which they are flown.

use super::geo::Point;

/// The levels that routes are flown at, metres above ground, by the quadrant of the heading
/// from start to end: opposite traffic is 40 m apart.
pub const LEVELS_M: [f64; 4] = [50.0, 70.0, 90.0, HIGHEST_M];

/// No route is flown higher than this, metres above ground.
pub const HIGHEST_M: f64 = 110.0;

#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub from: Point,
    pub via: Vec<Point>,
    pub to: Point,
    /// Metres above ground, all the way.
    pub level_m: f64,
}

impl Route {
    /// Straight, on the level of its heading.
    pub fn direct(from: Point, to: Point) -> Self {
        Route {
            from,
            via: Vec::new(),
            to,
            level_m: level_of_heading(from, to),
        }
    }

    /// From way-point to way-point, metres.
    pub fn length_m(&self) -> f64 {
        let mut at = self.from;
        let onwards = self.via.iter().chain([&self.to]);
        onwards
            .map(|next| std::mem::replace(&mut at, *next).distance(*next))
            .sum()
    }
}

pub fn level_of_heading(from: Point, to: Point) -> f64 {
    let (east, north) = (to.x - from.x, to.y - from.y);
    let quadrant = match (east >= 0.0, north > 0.0) {
        (true, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (false, true) => 3,
    };
    LEVELS_M[quadrant]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quadrant_has_its_level() {
        let level = |x, y| Route::direct(Point { x: 5.0, y: 5.0 }, Point { x, y }).level_m;
        assert_eq!(
            [level(6.0, 6.0), level(6.0, 4.0), level(4.0, 4.0), level(4.0, 6.0)],
            [50.0, 70.0, 90.0, 110.0]
        );
    }
}
