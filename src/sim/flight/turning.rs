//! A change of plan in full flight: from the way that a drone is on it turns onto another, as tight
//! as its bank and yaw rate allow at the speed that it has, and comes to its level on a slope. Where
//! a zone is in the way of that, or coming to rest first is quicker, it comes to rest.

use std::f64::consts::{FRAC_PI_4, FRAC_PI_6, TAU};

use super::super::airspace::End;
use super::super::geo::Point;
use super::super::motion::lesser;
use super::super::route::{LEVELS_M, Route};
use super::super::units::GRAVITY_MPS2;
use super::super::weather::ground_speed;
use super::cruise::{cruise_on, lowered};
use super::{
    AT_REST_MPS, Course, Infeasible, Leg, Load, Milestone, Path, Phase, Planner, Velocity, Whereabouts,
    change_level,
};

/// To the left and to the right.
pub(super) const SIDES: [f64; 2] = [1.0, -1.0];
/// Slower than this it comes to rest anyway.
const SLOWEST_MPS: f64 = 3.0;
/// No arc of a turn is longer than this: their chords stand for them where zones are looked for.
const LONGEST_ARC_RAD: f64 = FRAC_PI_4;
/// A way that a zone hides from the end of the turn is looked for once more from there.
const TRIES: usize = 2;
/// Closer to its level than this it is on it, metres.
const SAME_LEVEL_M: f64 = 0.01;
/// Changes of course below this need no arc.
const STRAIGHT_RAD: f64 = 1e-3;
/// Longer than braking takes: what a tick rounds off, metres.
const SPARE_M: f64 = 0.01;

/// Where a drone is on a level course.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub at: Point,
    pub height_m: f64,
    /// East and north.
    pub course: (f64, f64),
    pub speed_mps: f64,
}

impl Planner<'_> {
    /// As [`Planner::hop_from`], from however it moves.
    pub(super) fn fly_to(&self, from: Whereabouts, to: End, load: Load) -> Result<Vec<Leg>, Infeasible> {
        let turned = Bound::of(from).and_then(|bound| self.turned(bound, to, load));
        if turned.is_none()
            && let Some(legs) = self.out_and_on(from, to, load)
        {
            return Ok(legs);
        }
        let mut legs = Vec::with_capacity(16);
        let push = &mut |leg| legs.push(leg);
        let place = self.come_to_rest(from, load.phase(Phase::Cruise), load.payload_kg, push);
        let rested = self.hop_from(place, to, load, push);
        match turned {
            Some(turned) if rested.is_err() || takes_s(&turned) < takes_s(&legs) => Ok(turned),
            _ => rested.map(|()| legs),
        }
    }

    /// There by a turn; `None` where there is none.
    pub(super) fn turned(&self, from: Bound, to: End, load: Load) -> Option<Vec<Leg>> {
        if self.air.is_shut(from.at, from.height_m, from.height_m) {
            return None;
        }
        // The way round a zone may begin on the other side than the place that it leads to.
        let turned = SIDES
            .into_iter()
            .filter_map(|side| self.turned_to(side, from, to, load));
        turned.min_by(|one, other| takes_s(one).total_cmp(&takes_s(other)))
    }

    /// To the left (1) or to the right (−1).
    fn turned_to(&self, side: f64, from: Bound, to: End, load: Load) -> Option<Vec<Leg>> {
        let usual = self.turned_along(side, from, to, load, |from| self.route(from, to).ok());
        // The shortest way may be over or under a zone that leaves no room to get there.
        let level = |from: Whereabouts| self.air.route_at(from.end(), to, from.height_m);
        usual.or_else(|| self.turned_along(side, from, to, load, level))
    }

    fn turned_along(
        &self,
        side: f64,
        from: Bound,
        to: End,
        load: Load,
        route_from: impl Fn(Whereabouts) -> Option<Route>,
    ) -> Option<Vec<Leg>> {
        let mut begins = from.at;
        for _ in 0..TRIES {
            let route = route_from(Whereabouts::at_rest(begins, from.height_m))?;
            let route = lowered(self.model, self.air, &route).unwrap_or(route);
            let first = route.via.first().copied().unwrap_or(to.at);
            let (mut legs, after) = self.turn(side, from, first, load)?;
            let onwards = self.onwards(after, &route, load)?;
            let starts = onwards.iter().map(|leg| leg.path.start());
            let mut on_level = starts.filter(|(_, at_m)| (at_m - route.level_m).abs() < SAME_LEVEL_M);
            let levels_at = on_level.next().map_or(first, |(at, _)| at);
            let sloping_m = (
                lesser(from.height_m, route.level_m),
                from.height_m.max(route.level_m),
            );
            let level_m = (route.level_m, route.level_m);
            let is_clear = self.air.keeps_off(&[after.at, levels_at], sloping_m)
                && self.air.keeps_off(&[levels_at, first], level_m);
            if !is_clear {
                begins = after.at;
                continue;
            }
            legs.extend(onwards);
            let end = load.homeward.then_some(Milestone::Landed);
            let push = &mut |leg| legs.push(leg);
            self.vertical(to.at, route.level_m, to.height_m, load, end, push);
            return Some(legs);
        }
        None
    }

    /// From its course onto the one that leads straight to a place.
    fn turn(&self, side: f64, from: Bound, to: Point, load: Load) -> Option<(Vec<Leg>, Bound)> {
        let farthest_rad = sweep_rad(side, from.bearing_rad(to)) + FRAC_PI_4;
        let (mut legs, slow) = self.slowed(side, from, lesser(farthest_rad, TAU), load)?;
        let circle = Circle::touching(side, slow, self.radius_m(slow.speed_mps));
        let sweep_rad = circle.sweep_to(to)?;
        if sweep_rad > farthest_rad {
            return None;
        }
        self.fly_round(&circle, sweep_rad, slow, load, &mut legs);
        let at = legs.last().map_or(slow.at, |leg| leg.end().0);
        let course = at.direction_to(to);
        let after = Bound { at, course, ..slow };
        let ends = legs.iter().flat_map(|leg| {
            let length = leg.path.length();
            [leg.path.at(0.5 * length).0, leg.path.at(length).0]
        });
        let places: Vec<Point> = std::iter::once(from.at).chain(ends).collect();
        let heights_m = (from.height_m, from.height_m);
        self.air.keeps_off(&places, heights_m).then_some((legs, after))
    }

    /// Onto a course so much farther to a side, whatever lies there.
    pub(super) fn turned_by(
        &self,
        side: f64,
        sweep_rad: f64,
        from: Bound,
        load: Load,
    ) -> Option<(Vec<Leg>, Bound)> {
        let (mut legs, slow) = self.slowed(side, from, sweep_rad, load)?;
        let circle = Circle::touching(side, slow, self.radius_m(slow.speed_mps));
        self.fly_round(&circle, sweep_rad, slow, load, &mut legs);
        let at = legs.last().map_or(slow.at, |leg| leg.end().0);
        let course = from.course_after(side * sweep_rad);
        Some((legs, Bound { at, course, ..slow }))
    }

    /// On its course, to a speed at which it can turn so far to a side.
    fn slowed(&self, side: f64, from: Bound, sweep_rad: f64, load: Load) -> Option<(Vec<Leg>, Bound)> {
        let speed_mps = self.slowest_mps(from, side, sweep_rad)?;
        let mut legs = Vec::with_capacity(8);
        if speed_mps >= from.speed_mps {
            return Some((legs, from));
        }
        let square = from.speed_mps * from.speed_mps - speed_mps * speed_mps;
        let length_m = square / (2.0 * self.model.acceleration_mps2) + SPARE_M;
        let brakes = Leg {
            entry_mps: from.speed_mps,
            target_mps: from.speed_mps,
            exit_mps: speed_mps,
            ..load.cruises(from.ahead(length_m))
        };
        let at = brakes.end().0;
        legs.push(brakes.timed(self.model));
        let slow = Bound {
            at,
            speed_mps,
            ..from
        };
        Some((legs, slow))
    }

    fn fly_round(&self, circle: &Circle, sweep_rad: f64, from: Bound, load: Load, legs: &mut Vec<Leg>) {
        let arcs = match sweep_rad > STRAIGHT_RAD {
            true => (sweep_rad / LONGEST_ARC_RAD) as u32 + 1,
            false => 0,
        };
        let share_rad = circle.side * sweep_rad / f64::from(arcs);
        legs.extend((0..arcs).map(|arc| {
            let path = Path::Arc {
                centre: circle.centre,
                radius_m: circle.radius_m,
                start_rad: circle.start_rad + f64::from(arc) * share_rad,
                sweep_rad: share_rad,
                height_m: from.height_m,
            };
            let arc = Leg {
                entry_mps: from.speed_mps,
                target_mps: from.speed_mps,
                exit_mps: from.speed_mps,
                ..load.cruises(path)
            };
            arc.timed(self.model)
        }));
    }

    /// Along the route, up or down to its level first.
    fn onwards(&self, from: Bound, route: &Route, load: Load) -> Option<Vec<Leg>> {
        let first = route.via.first().copied().unwrap_or(route.to);
        let (mut legs, mut at, mut speed_mps) = (Vec::new(), from.at, from.speed_mps);
        if (route.level_m - from.height_m).abs() > SAME_LEVEL_M {
            let course = from.at.direction_to(first);
            let towards = Bound { course, ..from };
            legs = self.change_level(towards, from.at.distance(first), route.level_m, load)?;
            let last = legs.last()?;
            (at, speed_mps) = (last.end().0, last.exit_mps);
        }
        let rest = Route {
            from: at,
            ..route.clone()
        };
        let draft = |path| load.cruises(path);
        legs.extend(cruise_on(self.model, self.air, &rest, draft, speed_mps)?);
        Some(legs)
    }

    /// Up or down to a level on its course, of which so much is left; `None` where that is too short.
    pub(super) fn change_level(&self, from: Bound, left_m: f64, to_m: f64, load: Load) -> Option<Vec<Leg>> {
        let (east, north) = from.course;
        let course = Course { east, north, left_m };
        change_level(self.model, self.air, (from.whereabouts(), course), to_m, load)
    }

    /// As tight as bank and yaw rate allow.
    fn radius_m(&self, speed_mps: f64) -> f64 {
        let lateral_mps2 = GRAVITY_MPS2 * libm::tan(self.model.max_bank_rad);
        (speed_mps * speed_mps / lateral_mps2).max(speed_mps / self.model.yaw_rate_radps)
    }

    /// No faster than it is, nor than the wind lets it be on any course of the turn.
    fn slowest_mps(&self, from: Bound, side: f64, sweep_rad: f64) -> Option<f64> {
        let wind = self.air.wind(from.at, from.height_m);
        let courses = (sweep_rad / FRAC_PI_6) as u32 + 1;
        let mut slowest_mps = from.speed_mps;
        for number in 0..=courses {
            let turned_rad = side * sweep_rad * f64::from(number) / f64::from(courses);
            let course = from.course_after(turned_rad);
            let speed_mps = ground_speed(self.model.cruise_airspeed_mps, wind, course)?;
            slowest_mps = lesser(slowest_mps, speed_mps);
        }
        (slowest_mps >= SLOWEST_MPS).then_some(slowest_mps)
    }
}

impl Load {
    /// A leg on the way, from rest to rest.
    pub(super) fn cruises(self, path: Path) -> Leg {
        Leg::new(path, self.phase(Phase::Cruise), self.payload_kg)
    }
}

impl Bound {
    /// `None` for who is slow, low, or changes its level.
    pub fn of(from: Whereabouts) -> Option<Bound> {
        let Velocity {
            east_mps,
            north_mps,
            up_mps,
        } = from.velocity;
        let speed_mps = (east_mps * east_mps + north_mps * north_mps).sqrt();
        let (at, height_m) = (from.at, from.height_m);
        let is_level = up_mps.abs() < AT_REST_MPS && height_m > LEVELS_M[0] - SAME_LEVEL_M;
        (speed_mps >= SLOWEST_MPS && is_level).then(|| Bound {
            at,
            height_m,
            course: (east_mps / speed_mps, north_mps / speed_mps),
            speed_mps,
        })
    }

    pub fn whereabouts(self) -> Whereabouts {
        let (east, north) = self.course;
        Whereabouts {
            at: self.at,
            height_m: self.height_m,
            velocity: Velocity::along((east, north, 0.0), self.speed_mps),
        }
    }

    /// So far on its course.
    pub fn ahead(self, length_m: f64) -> Path {
        let (east, north) = self.course;
        Path::Line {
            from: self.at,
            east,
            north,
            length_m,
            height_m: self.height_m,
        }
    }

    /// Its course turned by so much, counter-clockwise.
    fn course_after(self, turned_rad: f64) -> (f64, f64) {
        let (sin, cos) = libm::sincos(turned_rad);
        let (east, north) = self.course;
        (east * cos - north * sin, east * sin + north * cos)
    }

    /// Of a place, counter-clockwise from its course, −π to π.
    fn bearing_rad(&self, place: Point) -> f64 {
        let (east, north) = self.at.direction_to(place);
        let cross = self.course.0 * north - self.course.1 * east;
        libm::atan2(cross, self.course.0 * east + self.course.1 * north)
    }
}

pub(super) fn takes_s(legs: &[Leg]) -> f64 {
    legs.iter().map(|leg| leg.duration_s).sum()
}

/// How far a turn to this side leads until a bearing is ahead, 0 to 2π.
fn sweep_rad(side: f64, bearing_rad: f64) -> f64 {
    let sweep_rad = side * bearing_rad;
    if sweep_rad < 0.0 {
        sweep_rad + TAU
    } else {
        sweep_rad
    }
}

/// Flown from a place on it to one side.
struct Circle {
    centre: Point,
    radius_m: f64,
    /// Of where it is entered, counter-clockwise from east, seen from the centre.
    start_rad: f64,
    side: f64,
}

impl Circle {
    fn touching(side: f64, from: Bound, radius_m: f64) -> Self {
        let (at, (east, north)) = (from.at, from.course);
        let centre = Point {
            x: at.x - side * north * radius_m,
            y: at.y + side * east * radius_m,
        };
        let start_rad = libm::atan2(at.y - centre.y, at.x - centre.x);
        Circle {
            centre,
            radius_m,
            start_rad,
            side,
        }
    }

    /// How far it is flown until it leads straight to a place; `None` where that is inside of it.
    fn sweep_to(&self, to: Point) -> Option<f64> {
        let (x, y) = (to.x - self.centre.x, to.y - self.centre.y);
        let off_m = (x * x + y * y).sqrt();
        if off_m <= self.radius_m {
            return None;
        }
        // The tangent point is seen from the centre so far before the place.
        let leaves_rad = libm::atan2(y, x) - self.side * libm::acos(self.radius_m / off_m);
        let sweep_rad = self.side * (leaves_rad - self.start_rad);
        let turns = libm::floor(sweep_rad / TAU);
        let sweep_rad = sweep_rad - turns * TAU;
        // Rounding makes no full circle of a course that leads there already.
        const STRAIGHT_ON_RAD: f64 = 1e-6;
        Some(if sweep_rad > TAU - STRAIGHT_ON_RAD {
            0.0
        } else {
            sweep_rad
        })
    }
}
