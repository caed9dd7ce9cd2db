//! The cruise along a route: straight legs joined by fly-by arcs, each as fast as wind,
//! bank, yaw rate, room and acceleration allow.

use super::super::air::Air;
use super::super::geo::Point;
use super::super::motion::lesser;
use super::super::route::{LEVELS_M, Route};
use super::super::units::GRAVITY_MPS2;
use super::super::weather::ground_speed;
use super::super::world::Model;
use super::{Infeasible, Leg, Path, Phase};

/// Way-points closer together than this are one.
const SAME_PLACE_M: f64 = 1.0;
/// Two arcs this close follow one another without a line between them.
const TOUCHING_M: f64 = 1e-6;
/// Changes of course below this need no arc.
const STRAIGHT_RAD: f64 = 1e-3;
/// In a wind that differs by place a line's speed is the mean over so many parts of it.
const PARTS_OF_LINE: u32 = 8;
/// Where a turn would have to be slower than this, the drone stops and turns on the spot.
const MIN_TURN_MPS: f64 = 1.0;

/// Adds the legs of a cruise from rest to rest. A direct route makes one leg and
/// allocates nothing.
pub(super) fn cruise(
    model: &Model,
    air: &Air<'_>,
    route: &Route,
    level_m: f64,
    draft: impl Fn(Path) -> Leg,
    sink: &mut impl FnMut(Leg),
) -> Result<(), Infeasible> {
    let pilot = Pilot {
        model,
        air,
        level_m,
        draft,
    };
    pilot.check_hover(route)?;
    if route.via.is_empty() {
        if route.from.distance(route.to) > 0.0 {
            sink(pilot.straight(route.from, route.to)?.timed(model));
        }
        return Ok(());
    }
    let (mut legs, junctions) = pilot.legs(&waypoints(route))?;
    limit_speeds(&mut legs, &junctions, 0.0, model.acceleration_mps2);
    legs.into_iter().for_each(|leg| sink(leg.timed(model)));
    Ok(())
}

/// The legs of a cruise to rest that is begun at this speed; `None` where it is too short to brake
/// on, or the wind too strong.
pub(super) fn cruise_on(
    model: &Model,
    air: &Air<'_>,
    route: &Route,
    draft: impl Fn(Path) -> Leg,
    entry_mps: f64,
) -> Option<Vec<Leg>> {
    let pilot = Pilot {
        model,
        air,
        level_m: route.level_m,
        draft,
    };
    pilot.check_hover(route).ok()?;
    let (mut legs, junctions) = pilot.legs(&waypoints(route)).ok()?;
    let fastest_mps = limit_speeds(&mut legs, &junctions, entry_mps, model.acceleration_mps2);
    let first = legs.first_mut().filter(|_| entry_mps <= fastest_mps)?;
    // It slows down to its target before long.
    first.entry_mps = lesser(first.entry_mps, first.target_mps);
    Some(legs.into_iter().map(|leg| leg.timed(model)).collect())
}

/// The same route on the highest level below its own on which the wind lets it be flown, where it
/// does not on its own: wind falls with height.
pub(super) fn lowered(model: &Model, air: &Air<'_>, route: &Route) -> Option<Route> {
    if air.strongest_mps(route.level_m) + MIN_TURN_MPS < model.cruise_airspeed_mps {
        return None;
    }
    let flies = |route: &Route| {
        let draft = |path| Leg::new(path, Phase::Cruise, 0.0);
        cruise(model, air, route, route.level_m, draft, &mut |_| ()).is_ok()
    };
    let is_open = |route: &Route| {
        let points: Vec<Point> = waypoints(route);
        let mut lines = points.windows(2);
        lines.all(|line| air.is_open(line[0], line[1], route.level_m))
    };
    if flies(route) {
        return None;
    }
    let lower = LEVELS_M
        .into_iter()
        .rev()
        .filter(|level_m| *level_m < route.level_m);
    let mut lower = lower.map(|level_m| Route {
        level_m,
        ..route.clone()
    });
    lower.find(|route| is_open(route) && flies(route))
}

fn waypoints(route: &Route) -> Vec<Point> {
    let mut points = vec![route.from];
    for &point in &route.via {
        let news = |other: Point| point.distance(other) >= SAME_PLACE_M;
        if points.last().is_none_or(|&last| news(last)) && news(route.to) {
            points.push(point);
        }
    }
    if route.from != route.to || points.len() > 1 {
        points.push(route.to);
    }
    points
}

struct Pilot<'a, D> {
    model: &'a Model,
    air: &'a Air<'a>,
    level_m: f64,
    draft: D,
}

/// A fly-by at a way-point.
struct Turn {
    /// From the way-point to where the arc touches either leg.
    tangent_m: f64,
    /// The arc; `None` where the drone stops, or need not turn.
    arc: Option<Leg>,
    /// Fastest at which the way-point may be passed.
    speed_mps: f64,
}

impl<D: Fn(Path) -> Leg> Pilot<'_, D> {
    /// Where a route begins and ends it must be able to stay.
    fn check_hover(&self, route: &Route) -> Result<(), Infeasible> {
        for end in [route.from, route.to] {
            let (east, north) = self.air.wind(end, self.level_m);
            if (east * east + north * north).sqrt() >= self.model.cruise_airspeed_mps {
                return Err(Infeasible::TooWindy);
            }
        }
        Ok(())
    }

    fn ground_speed(&self, at: Point, course: (f64, f64)) -> Result<f64, Infeasible> {
        let wind = self.air.wind(at, self.level_m);
        ground_speed(self.model.cruise_airspeed_mps, wind, course).ok_or(Infeasible::TooWindy)
    }

    fn straight(&self, from: Point, to: Point) -> Result<Leg, Infeasible> {
        let (east, north) = from.direction_to(to);
        let path = Path::Line {
            from,
            east,
            north,
            length_m: from.distance(to),
            height_m: self.level_m,
        };
        Ok(Leg {
            target_mps: self.mean_ground_speed(from, to, (east, north))?,
            ..(self.draft)(path)
        })
    }

    /// At which a line takes as long as its parts do.
    fn mean_ground_speed(&self, from: Point, to: Point, course: (f64, f64)) -> Result<f64, Infeasible> {
        if self.air.is_uniform() {
            return self.ground_speed(from, course);
        }
        let mut seconds_per_metre = 0.0;
        for part in 0..PARTS_OF_LINE {
            let share = (f64::from(part) + 0.5) / f64::from(PARTS_OF_LINE);
            let at = along(from, to, share * from.distance(to));
            seconds_per_metre += 1.0 / self.ground_speed(at, course)?;
        }
        Ok(f64::from(PARTS_OF_LINE) / seconds_per_metre)
    }

    /// All legs, and the speed limit at the end of each.
    fn legs(&self, points: &[Point]) -> Result<(Vec<Leg>, Vec<f64>), Infeasible> {
        let mut legs = Vec::with_capacity(2 * points.len());
        let mut junctions = Vec::with_capacity(2 * points.len());
        let Some(&(mut from)) = points.first() else {
            return Ok((legs, junctions));
        };
        for corner in points.windows(3) {
            let turn = self.turn(corner[0], corner[1], corner[2])?;
            let to = along(corner[1], corner[0], turn.tangent_m);
            if from.distance(to) > TOUCHING_M {
                legs.push(self.straight(from, to)?);
                junctions.push(turn.speed_mps);
            }
            if let Some(arc) = turn.arc {
                legs.push(arc);
                junctions.push(turn.speed_mps);
            }
            from = along(corner[1], corner[2], turn.tangent_m);
        }
        if let [.., _, last] = points {
            legs.push(self.straight(from, *last)?);
            junctions.push(0.0);
        }
        Ok((legs, junctions))
    }

    /// Half of the shorter leg is room for a turn. Its radius follows from the bank
    /// limit, v² / (g tan φ), and from the yaw rate, v / ω; where the room is too small
    /// the speed gives way.
    fn turn(&self, before: Point, at: Point, after: Point) -> Result<Turn, Infeasible> {
        let (inward, outward) = (before.direction_to(at), at.direction_to(after));
        let cross = inward.0 * outward.1 - inward.1 * outward.0;
        let dot = inward.0 * outward.0 + inward.1 * outward.1;
        let sweep_rad = libm::atan2(cross, dot);
        let slowest = self.slowest_through(at, inward, sweep_rad)?;
        if sweep_rad.abs() < STRAIGHT_RAD {
            return Ok(Turn {
                tangent_m: 0.0,
                arc: None,
                speed_mps: slowest,
            });
        }
        let lateral_mps2 = GRAVITY_MPS2 * libm::tan(self.model.max_bank_rad);
        let yaw_rate = self.model.yaw_rate_radps;
        let tan_half = libm::tan(0.5 * sweep_rad.abs());
        let room_m = 0.5 * lesser(before.distance(at), at.distance(after));
        let widest_m = room_m / tan_half;
        let speed_mps = lesser(
            slowest,
            lesser((widest_m * lateral_mps2).sqrt(), widest_m * yaw_rate),
        );
        if speed_mps < MIN_TURN_MPS {
            return Ok(Turn {
                tangent_m: 0.0,
                arc: None,
                speed_mps: 0.0,
            });
        }
        let radius_m = (speed_mps * speed_mps / lateral_mps2).max(speed_mps / yaw_rate);
        let tangent_m = lesser(radius_m * tan_half, room_m);
        let from = along(at, before, tangent_m);
        let side = if sweep_rad >= 0.0 { 1.0 } else { -1.0 };
        let centre = Point {
            x: from.x - side * inward.1 * radius_m,
            y: from.y + side * inward.0 * radius_m,
        };
        let path = Path::Arc {
            centre,
            radius_m,
            start_rad: libm::atan2(from.y - centre.y, from.x - centre.x),
            sweep_rad,
            height_m: self.level_m,
        };
        let arc = Leg {
            target_mps: speed_mps,
            ..(self.draft)(path)
        };
        Ok(Turn {
            tangent_m,
            arc: Some(arc),
            speed_mps,
        })
    }

    /// The lowest ground speed on five courses through a turn.
    fn slowest_through(&self, at: Point, inward: (f64, f64), sweep_rad: f64) -> Result<f64, Infeasible> {
        let mut slowest = f64::INFINITY;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let (sin, cos) = libm::sincos(share * sweep_rad);
            let course = (inward.0 * cos - inward.1 * sin, inward.0 * sin + inward.1 * cos);
            slowest = lesser(slowest, self.ground_speed(at, course)?);
        }
        Ok(slowest)
    }
}

/// The point this far from `from` towards `to`.
fn along(from: Point, to: Point, metres: f64) -> Point {
    let (east, north) = from.direction_to(to);
    Point {
        x: from.x + east * metres,
        y: from.y + north * metres,
    }
}

/// Sets entry and exit speeds from this one to rest: no junction faster than its limit, its
/// two legs, or what acceleration reaches from either side. Answers the fastest from which all
/// that can be braked to.
fn limit_speeds(legs: &mut [Leg], junctions: &[f64], entry_mps: f64, acceleration: f64) -> f64 {
    let gain = |from: f64, leg: &Leg| (from * from + 2.0 * acceleration * leg.path.length()).sqrt();
    let mut entry = entry_mps;
    for i in 0..legs.len() {
        let next_target = legs.get(i + 1).map_or(0.0, |next| next.target_mps);
        let limit = lesser(lesser(junctions[i], legs[i].target_mps), next_target);
        legs[i].exit_mps = lesser(limit, gain(entry, &legs[i]));
        entry = legs[i].exit_mps;
    }
    let mut exit = 0.0;
    for leg in legs.iter_mut().rev() {
        leg.exit_mps = lesser(leg.exit_mps, exit);
        exit = gain(leg.exit_mps, leg);
    }
    let mut entry = entry_mps;
    for leg in legs {
        leg.entry_mps = entry;
        entry = leg.exit_mps;
    }
    exit
}
