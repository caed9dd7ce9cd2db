//! Making way for another drone on a straight cruise, and going on to what was planned: to
//! another level on a slope, slower for a while, or a stop.

use serde::{Deserialize, Serialize};

use super::super::air::Air;
use super::super::motion::{greater, lesser, positive};
use super::super::weather::ground_speed;
use super::super::world::Model;
use super::leg::bend_radius_m;
use super::rest::hover_leg;
use super::{
    AT_REST_MPS, Infeasible, Leg, Load, Mission, Path, Phase, Planner, Point, Rest, Velocity, Whereabouts,
    plan_home, plan_rest,
};

/// A straight cruise, from where a drone is: where it leads, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    pub east: f64,
    pub north: f64,
    pub left_m: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Manoeuvre {
    /// Up or down to this height.
    Level { to_m: f64 },
    /// At this share of the type's airspeed for so long.
    Slow { share: f64, seconds: f64 },
    /// Stops, and stays for so long.
    Hold { seconds: f64 },
}

/// What there is to do afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Onward {
    Errand(Rest),
    Home { home: Point, payload_kg: f64 },
}

/// The manoeuvre, and what is left of the mission from its end on at the height that it leads
/// to. `None` where the course is too short for it, or a zone is in the way at that height.
///
/// # Errors
/// What the type cannot do, whatever its battery.
pub fn plan_manoeuvre(
    model: &Model,
    air: &Air<'_>,
    (from, course): (Whereabouts, Course),
    manoeuvre: Manoeuvre,
    onward: Onward,
) -> Result<Option<Mission>, Infeasible> {
    let (phase, payload_kg) = match onward {
        Onward::Errand(rest) if rest.pickup.is_some() => (Phase::Cruise, 0.0),
        Onward::Errand(rest) => (Phase::Cruise, rest.payload_kg),
        Onward::Home { payload_kg, .. } => (Phase::Return, payload_kg),
    };
    let along = Along {
        model,
        air,
        from,
        course,
        phase,
        payload_kg,
    };
    let Some(mut legs) = along.flown(manoeuvre) else {
        return Ok(None);
    };
    let last = legs[legs.len() - 1];
    let (at, _) = last.end();
    let height_m = match manoeuvre {
        Manoeuvre::Level { to_m } => to_m,
        Manoeuvre::Slow { .. } | Manoeuvre::Hold { .. } => from.height_m,
    };
    let after = Whereabouts::at_rest(at, height_m);
    let rest = match onward {
        Onward::Errand(rest) => plan_rest(model, air, after, &rest)?,
        Onward::Home { home, payload_kg } => plan_home(model, air, after, home, payload_kg)?,
    };
    let mut rest = rest.plan.legs.to_vec();
    let speed_mps = if last.path.is_hold() { 0.0 } else { last.exit_mps };
    let velocity = Velocity::along((course.east, course.north, 0.0), speed_mps);
    if !stay_at(height_m, &mut rest, model, air, velocity) {
        return Ok(None);
    }
    legs.append(&mut rest);
    Ok(Some(Planner { model, air }.mission(legs)))
}

/// Up or down to a level on a course that is flown on; `None` where it is too short for that.
pub(super) fn change_level(
    model: &Model,
    air: &Air<'_>,
    (from, course): (Whereabouts, Course),
    to_m: f64,
    load: Load,
) -> Option<Vec<Leg>> {
    let along = Along {
        model,
        air,
        from,
        course,
        phase: load.phase(Phase::Cruise),
        payload_kg: load.payload_kg,
    };
    along.flown(Manoeuvre::Level { to_m })
}

/// On a course, and what it is flown with.
struct Along<'a> {
    model: &'a Model,
    air: &'a Air<'a>,
    from: Whereabouts,
    course: Course,
    phase: Phase,
    payload_kg: f64,
}

impl Along<'_> {
    /// `None` where what is left of the course is too short.
    fn flown(&self, manoeuvre: Manoeuvre) -> Option<Vec<Leg>> {
        let cruise_airspeed_mps = self.model.cruise_airspeed_mps;
        let cruise_mps = self.ground_mps(cruise_airspeed_mps)?;
        let legs = match manoeuvre {
            Manoeuvre::Level { to_m } if (to_m - self.from.height_m).abs() < SAME_LEVEL_M => return None,
            Manoeuvre::Level { to_m } => self.to_level(to_m, cruise_mps),
            Manoeuvre::Slow { share, seconds } => {
                let airspeed_mps = share * cruise_airspeed_mps;
                self.slowly(airspeed_mps, self.ground_mps(airspeed_mps)?, seconds)
            }
            Manoeuvre::Hold { seconds } => {
                let mut legs = Vec::with_capacity(16);
                let (model, air, payload_kg) = (self.model, self.air, self.payload_kg);
                let place =
                    Planner { model, air }
                        .come_to_rest(self.from, self.phase, payload_kg, &mut |leg| legs.push(leg));
                legs.push(hover_leg(model, place, seconds, Phase::Hold, payload_kg));
                legs
            }
        };
        const ROOM_M: f64 = 20.0;
        let flown_m: f64 = legs.iter().map(|leg| leg.path.ground_length()).sum();
        (flown_m + self.braking_m(cruise_mps) + ROOM_M <= self.course.left_m).then_some(legs)
    }

    /// A bend into the slope, the slope, and a bend out of it: the climb is taken up and given
    /// up as fast as the type's is.
    fn to_level(&self, to_m: f64, cruise_mps: f64) -> Vec<Leg> {
        let (model, height_m) = (self.model, self.from.height_m);
        let rise_m = (to_m - height_m).abs();
        let (rate_mps, side) = if to_m > height_m {
            (model.climb_mps, 1.0)
        } else {
            (model.descent_mps, -1.0)
        };
        let level_mps = greater(greater(cruise_mps, self.speed_mps()), self.sloping_mps(to_m, 0.0));
        let steepest = |fastest_mps| libm::asin(lesser(rate_mps / fastest_mps, STEEPEST));
        // No slope comes to be steeper than this, on which the wind slows it down least.
        let bound_rad = steepest(level_mps);
        let fastest_mps = [height_m, to_m].into_iter().fold(level_mps, |fastest_mps, at_m| {
            greater(fastest_mps, self.sloping_mps(at_m, bound_rad))
        });
        let radius_m = bend_radius_m(model, fastest_mps);
        let widest_rad = libm::acos(positive(1.0 - rise_m / (2.0 * radius_m)));
        let pitch_rad = lesser(steepest(fastest_mps), widest_rad);
        let (sin, cos) = libm::sincos(pitch_rad);
        let straight_m = positive(rise_m - 2.0 * radius_m * (1.0 - cos)) / sin;
        let airspeed_mps = model.cruise_airspeed_mps;
        let bend = |from: Point, from_m: f64, pitch_rad: f64, sweep_rad: f64| Path::Bend {
            from,
            from_m,
            east: self.course.east,
            north: self.course.north,
            radius_m,
            pitch_rad,
            sweep_rad,
            airspeed_mps,
        };
        let mut legs = Vec::with_capacity(16);
        let mut fly = |path: Path| {
            let speed_mps = legs.last().map_or(self.speed_mps(), |leg: &Leg| leg.exit_mps);
            let leg = self.leg(path, [speed_mps, cruise_mps, cruise_mps]);
            legs.push(leg);
            leg.end()
        };
        let (at, at_m) = fly(bend(self.from.at, height_m, 0.0, side * pitch_rad));
        let (at, at_m) = match straight_m > 0.0 {
            true => fly(self.slope(at, at_m, straight_m, side * sin, airspeed_mps)),
            false => (at, at_m),
        };
        fly(bend(at, at_m, side * pitch_rad, -side * pitch_rad));
        legs
    }

    fn slowly(&self, airspeed_mps: f64, slow_mps: f64, seconds: f64) -> Vec<Leg> {
        let Whereabouts { at, height_m, .. } = self.from;
        let present_mps = self.speed_mps();
        let braked_m = positive(self.braking_m(present_mps) - self.braking_m(slow_mps));
        let level = |at: Point, length_m: f64, airspeed_mps: f64| {
            self.slope(at, height_m, length_m, 0.0, airspeed_mps)
        };
        let mut legs = Vec::with_capacity(16);
        let mut slow_from = at;
        if braked_m > 0.0 {
            let path = level(at, braked_m, self.model.cruise_airspeed_mps);
            let brakes = self.leg(path, [present_mps, present_mps, slow_mps]);
            slow_from = brakes.end().0;
            legs.push(brakes);
        }
        let path = level(slow_from, slow_mps * seconds, airspeed_mps);
        legs.push(self.leg(path, [lesser(present_mps, slow_mps), slow_mps, slow_mps]));
        legs
    }

    fn slope(&self, from: Point, from_m: f64, length_m: f64, up: f64, airspeed_mps: f64) -> Path {
        Path::Slope {
            from,
            east: self.course.east,
            north: self.course.north,
            length_m,
            from_m,
            to_m: from_m + up * length_m,
            airspeed_mps,
        }
    }

    /// No leg is left faster than it comes to be, nor slower than it can brake to on it.
    fn leg(&self, path: Path, [entry_mps, target_mps, exit_mps]: [f64; 3]) -> Leg {
        let leg = Leg {
            entry_mps: lesser(entry_mps, target_mps),
            target_mps,
            ..Leg::new(path, self.phase, self.payload_kg)
        };
        let gained = 2.0 * leg.profile(self.model).acceleration * path.length();
        let square = entry_mps * entry_mps;
        let most_mps = lesser(exit_mps, (square + gained).sqrt());
        let exit_mps = greater(most_mps, positive(square - gained).sqrt());
        Leg { exit_mps, ..leg }.timed(self.model)
    }

    fn speed_mps(&self) -> f64 {
        self.from.velocity.speed_mps()
    }

    fn ground_mps(&self, airspeed_mps: f64) -> Option<f64> {
        self.ground_mps_at(self.from.height_m, airspeed_mps)
    }

    fn ground_mps_at(&self, height_m: f64, airspeed_mps: f64) -> Option<f64> {
        let wind = self.air.wind(self.from.at, height_m);
        ground_speed(airspeed_mps, wind, (self.course.east, self.course.north))
    }

    /// Along a slope at a height, which meets the less of the wind the steeper it is; 0 where it
    /// cannot be flown.
    fn sloping_mps(&self, height_m: f64, pitch_rad: f64) -> f64 {
        let (east, north) = self.air.wind(self.from.at, height_m);
        let met = libm::cos(pitch_rad);
        let course = (self.course.east, self.course.north);
        let speed_mps = ground_speed(self.model.cruise_airspeed_mps, (met * east, met * north), course);
        speed_mps.unwrap_or(0.0)
    }

    fn braking_m(&self, from_mps: f64) -> f64 {
        from_mps * from_mps / (2.0 * self.model.acceleration_mps2)
    }
}

/// Nobody changes level by less than this.
const SAME_LEVEL_M: f64 = 1.0;
/// No slope leads up or down by more than this share of its length.
const STEEPEST: f64 = 0.5;

/// Lets legs that were planned from rest, on the level of their heading, begin in flight and
/// stay at this height up to the next descent. Whether they can: they may lead elsewhere.
fn stay_at(level_m: f64, legs: &mut Vec<Leg>, model: &Model, air: &Air<'_>, velocity: Velocity) -> bool {
    let is_cruise = |leg: &Leg| matches!(leg.path, Path::Line { .. } | Path::Arc { .. });
    let climbs_first = legs.len() > 1 && matches!(legs[0].path, Path::Vertical { .. }) && is_cruise(&legs[1]);
    if climbs_first {
        legs.remove(0);
    }
    if !legs.first().is_some_and(is_cruise) {
        return false;
    }
    let cruises = legs.iter().take_while(|leg| is_cruise(leg)).count();
    for leg in &mut legs[..cruises] {
        let (at, _) = leg.path.at(0.5 * leg.path.length());
        match &mut leg.path {
            Path::Line {
                height_m,
                east,
                north,
                ..
            } => {
                *height_m = level_m;
                let wind = air.wind(at, level_m);
                let Some(speed_mps) = ground_speed(model.cruise_airspeed_mps, wind, (*east, *north)) else {
                    return false;
                };
                leg.target_mps = speed_mps;
            }
            Path::Arc { height_m, .. } => *height_m = level_m,
            _ => {}
        }
        *leg = leg.timed(model);
    }
    end_at(level_m, legs, cruises, model, air);
    let first = &mut legs[0];
    let direction = first.path.direction(0.0);
    let speed_mps = positive(velocity.dot(direction));
    if velocity.off_mps(Velocity::along(direction, speed_mps)) > AT_REST_MPS {
        return false;
    }
    first.entry_mps = lesser(speed_mps, first.target_mps);
    *first = first.timed(model);
    let mut cruise = legs[..cruises].iter();
    cruise.all(|leg| air.is_open(leg.path.start().0, leg.end().0, level_m))
}

/// Up or down from this height to what comes after so many legs of cruise.
fn end_at(level_m: f64, legs: &mut Vec<Leg>, cruises: usize, model: &Model, air: &Air<'_>) {
    let cruise = legs[cruises - 1];
    let Some(next) = legs.get(cruises).copied() else {
        return;
    };
    let is_vertical = matches!(next.path, Path::Vertical { .. });
    let ((at, to_m), milestone) = match is_vertical {
        true => (next.end(), next.milestone),
        false => (next.path.start(), None),
    };
    if is_vertical {
        legs.remove(cruises);
    }
    let load = Load {
        payload_kg: cruise.payload_kg,
        homeward: cruise.phase == Phase::Return,
    };
    let sink = &mut |leg| legs.insert(cruises, leg);
    Planner { model, air }.vertical(at, level_m, to_m, load, milestone, sink);
}

#[cfg(test)]
mod tests;
