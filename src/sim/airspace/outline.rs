//! A zone's outline on the local plane: its distances, and the corners that ways bend at.

use geo::{Contains, Coord, Line, LineString, Polygon, Winding, line_intersection::line_intersection};

use super::super::geo::{LatLon, LocalFrame, Point};
use super::super::motion::lesser;
use super::MARGIN_M;

/// Distances this much below the margin are rounding, metres.
pub(super) const TOLERANCE_M: f64 = 1e-3;

#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Without holes: nobody gets into them.
    polygon: Polygon,
    /// Counter-clockwise, each corner once.
    corners: Vec<Point>,
}

impl Outline {
    /// Of a polygon in degrees.
    pub fn new(polygon: &Polygon, frame: &LocalFrame) -> Self {
        let to_plane = |corner: &Coord| {
            let at = frame.to_point(LatLon {
                lat: corner.y,
                lon: corner.x,
            });
            Coord { x: at.x, y: at.y }
        };
        let mut ring: LineString = polygon.exterior().coords().map(to_plane).collect();
        ring.close();
        ring.make_ccw_winding();
        let corners = ring.coords().skip(1).map(|corner| Point {
            x: corner.x,
            y: corner.y,
        });
        Outline {
            corners: corners.collect(),
            polygon: Polygon::new(ring, Vec::new()),
        }
    }

    /// Whether a place is inside.
    pub fn holds(&self, at: Point) -> bool {
        self.polygon.contains(&geo::Point::new(at.x, at.y))
    }

    /// (west, south), (east, north).
    pub fn bounds(&self) -> ([f64; 2], [f64; 2]) {
        let mut bounds = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for corner in &self.corners {
            bounds.0 = [bounds.0[0].min(corner.x), bounds.0[1].min(corner.y)];
            bounds.1 = [bounds.1[0].max(corner.x), bounds.1[1].max(corner.y)];
        }
        bounds
    }

    /// From a place to the outline, metres, whichever side it is on.
    pub fn distance(&self, at: Point) -> f64 {
        let sides = self.sides().map(|(a, b)| at.distance(nearest_on(a, b, at)));
        sides.fold(f64::INFINITY, lesser)
    }

    /// From a straight line to the outline, metres; 0 where it crosses it.
    pub fn distance_to_line(&self, from: Point, to: Point) -> f64 {
        let distance = |(a, b): (Point, Point)| match crosses(a, b, from, to) {
            true => 0.0,
            false => {
                let of_line = lesser(
                    a.distance(nearest_on(from, to, a)),
                    b.distance(nearest_on(from, to, b)),
                );
                let of_side = lesser(
                    from.distance(nearest_on(a, b, from)),
                    to.distance(nearest_on(a, b, to)),
                );
                lesser(of_line, of_side)
            }
        };
        self.sides().map(distance).fold(f64::INFINITY, lesser)
    }

    /// Whether the straight line keeps off as far as its ends do, at most so far.
    pub fn lets_pass(&self, from: Point, to: Point, margin_m: f64) -> bool {
        let ends_m = lesser(self.distance(from), self.distance(to));
        let wanted_m = lesser(ends_m, margin_m) - TOLERANCE_M;
        !self.holds(from) && !self.holds(to) && {
            let off_m = self.distance_to_line(from, to);
            off_m > 0.0 && off_m >= wanted_m
        }
    }

    /// For each side, where the margin is reached on the shortest way out of this place.
    pub fn exits(&self, at: Point) -> impl Iterator<Item = Point> + '_ {
        self.sides().map(move |(a, b)| {
            let (nearest, (east, north)) = (nearest_on(a, b, at), a.direction_to(b));
            moved(nearest, (north, -east), MARGIN_M)
        })
    }

    /// What ways bend at: about each outward corner as few points as leave no turn of more than
    /// [`SHARPEST_RAD`], so that fly-bys cut little of the margin. Lines between neighbours touch it.
    pub fn bends(&self) -> Vec<Point> {
        let n = self.corners.len();
        let mut bends = Vec::with_capacity(2 * n);
        for i in 0..n {
            let (before, at, after) = (
                self.corners[(i + n - 1) % n],
                self.corners[i],
                self.corners[(i + 1) % n],
            );
            let (inward, outward) = (before.direction_to(at), at.direction_to(after));
            let cross = inward.0 * outward.1 - inward.1 * outward.0;
            let turn_rad = libm::atan2(cross, inward.0 * outward.0 + inward.1 * outward.1);
            if turn_rad <= 0.0 {
                continue;
            }
            let count = libm::ceil(turn_rad / SHARPEST_RAD);
            let share_rad = turn_rad / count;
            let reach_m = OFF_M / libm::cos(0.5 * share_rad);
            // The outward normal of the side before the corner, turned on by shares.
            let normal = (inward.1, -inward.0);
            bends.extend((0..count as usize).map(|share| {
                let (sin, cos) = libm::sincos((share as f64 + 0.5) * share_rad);
                let turned = (normal.0 * cos - normal.1 * sin, normal.0 * sin + normal.1 * cos);
                moved(at, turned, reach_m)
            }));
        }
        bends
    }

    fn sides(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }
}

/// 45°.
const SHARPEST_RAD: f64 = std::f64::consts::FRAC_PI_4;
/// A hair beyond the margin, so that rounding does not count as coming too near.
const OFF_M: f64 = MARGIN_M * (1.0 + 1e-6);

fn moved(from: Point, (east, north): (f64, f64), metres: f64) -> Point {
    Point {
        x: from.x + east * metres,
        y: from.y + north * metres,
    }
}

/// The point of a line that is nearest to `at`.
fn nearest_on(a: Point, b: Point, at: Point) -> Point {
    let (east, north) = (b.x - a.x, b.y - a.y);
    let square = east * east + north * north;
    if square <= 0.0 {
        return a;
    }
    let share = ((at.x - a.x) * east + (at.y - a.y) * north) / square;
    moved(a, (east, north), share.clamp(0.0, 1.0))
}

fn crosses(a: Point, b: Point, c: Point, d: Point) -> bool {
    let line = |from: Point, to: Point| Line::new(Coord { x: from.x, y: from.y }, Coord { x: to.x, y: to.y });
    line_intersection(line(a, b), line(c, d)).is_some()
}
