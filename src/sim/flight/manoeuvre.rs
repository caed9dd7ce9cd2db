//! Making way for another drone on a straight cruise, and going on to what was planned: to
//! another level on a slope, slower for a while, or a stop.

use super::super::air::Air;
use super::super::motion::{greater, lesser, positive};
use super::super::weather::ground_speed;
use super::super::world::Model;
use super::rest::hover_leg;
use super::{Infeasible, Leg, Mission, Path, Phase, Planner, Point, Rest, Whereabouts, plan_home, plan_rest};

/// A stretch of a straight cruise: where it begins, where it leads, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    pub from: Whereabouts,
    pub east: f64,
    pub north: f64,
    /// Over the ground.
    pub speed_mps: f64,
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
    course: Course,
    manoeuvre: Manoeuvre,
    onward: Onward,
) -> Result<Option<Mission>, Infeasible> {
    let (phase, payload_kg) = match onward {
        Onward::Errand(rest) if rest.pickup.is_some() => (Phase::Cruise, 0.0),
        Onward::Errand(rest) => (Phase::Cruise, rest.payload_kg),
        Onward::Home { payload_kg, .. } => (Phase::Return, payload_kg),
    };
    let draft = |path| Leg::new(path, phase, payload_kg);
    let Some(mut legs) = course.flown(model, air, manoeuvre, draft) else {
        return Ok(None);
    };
    let last = legs[legs.len() - 1];
    let (at, height_m) = last.end();
    let from = Whereabouts { at, height_m };
    let rest = match onward {
        Onward::Errand(rest) => plan_rest(model, air, from, &rest)?,
        Onward::Home { home, payload_kg } => plan_home(model, air, from, home, payload_kg)?,
    };
    let mut rest = rest.plan.legs.into_vec();
    let speed_mps = if last.path.is_hold() { 0.0 } else { last.exit_mps };
    if !stay_at(height_m, &mut rest, model, air, speed_mps) {
        return Ok(None);
    }
    legs.append(&mut rest);
    Ok(Some(Planner { model, air }.mission(legs)))
}

impl Course {
    /// `None` where what is left of it is too short.
    fn flown(
        self,
        model: &Model,
        air: &Air<'_>,
        manoeuvre: Manoeuvre,
        draft: impl Fn(Path) -> Leg,
    ) -> Option<Vec<Leg>> {
        let Whereabouts { at, height_m } = self.from;
        let speed_mps = |airspeed_mps| {
            let wind = air.wind(at, height_m);
            ground_speed(airspeed_mps, wind, (self.east, self.north))
        };
        let cruise_mps = speed_mps(model.cruise_airspeed_mps)?;
        let brakes_m = |from_mps: f64| from_mps * from_mps / (2.0 * model.acceleration_mps2);
        // From a place and speed on; nobody begins faster than it is to go.
        let stretch = |from_m: f64, ground_m: f64, to_m: f64, airspeed_mps: f64, speeds: [f64; 3]| {
            let rise_m = to_m - height_m;
            let path = Path::Slope {
                from: Point {
                    x: at.x + self.east * from_m,
                    y: at.y + self.north * from_m,
                },
                east: self.east,
                north: self.north,
                length_m: (ground_m * ground_m + rise_m * rise_m).sqrt(),
                from_m: height_m,
                to_m,
                airspeed_mps,
            };
            let [entry_mps, target_mps, exit_mps] = speeds;
            let leg = Leg {
                entry_mps: lesser(entry_mps, target_mps),
                target_mps,
                exit_mps,
                ..draft(path)
            };
            leg.timed(model)
        };
        let (present_mps, cruise_airspeed_mps) = (self.speed_mps, model.cruise_airspeed_mps);
        let brake = |to_mps: f64, ground_m: f64| {
            let speeds = [present_mps, greater(present_mps, 1.0), to_mps];
            stretch(0.0, ground_m, height_m, cruise_airspeed_mps, speeds)
        };
        let mut legs = Vec::with_capacity(16);
        match manoeuvre {
            Manoeuvre::Level { to_m } => {
                let rate_mps = if to_m > height_m {
                    model.climb_mps
                } else {
                    model.descent_mps
                };
                let ground_m = cruise_mps * (to_m - height_m).abs() / rate_mps;
                let speeds = [present_mps, cruise_mps, cruise_mps];
                legs.push(stretch(0.0, ground_m, to_m, cruise_airspeed_mps, speeds));
            }
            Manoeuvre::Slow { share, seconds } => {
                let slow_mps = speed_mps(share * cruise_airspeed_mps)?;
                let braked_m = positive(brakes_m(present_mps) - brakes_m(slow_mps));
                if braked_m > 0.0 {
                    legs.push(brake(slow_mps, braked_m));
                }
                let airspeed_mps = share * cruise_airspeed_mps;
                let speeds = [lesser(present_mps, slow_mps), slow_mps, slow_mps];
                legs.push(stretch(
                    braked_m,
                    slow_mps * seconds,
                    height_m,
                    airspeed_mps,
                    speeds,
                ));
            }
            Manoeuvre::Hold { seconds } => {
                const SPARE: f64 = 1.02;
                let stop = brake(0.0, SPARE * brakes_m(present_mps) + 1.0);
                let (at, height_m) = stop.end();
                let place = Whereabouts { at, height_m };
                legs.push(stop);
                legs.push(hover_leg(model, place, seconds, Phase::Hold, stop.payload_kg));
            }
        }
        const ROOM_M: f64 = 20.0;
        let flown_m: f64 = legs.iter().map(|leg| leg.path.ground_length()).sum();
        (flown_m + brakes_m(cruise_mps) + ROOM_M <= self.left_m).then_some(legs)
    }
}

/// Lets legs that were planned from rest, on the level of their heading, begin in flight and
/// stay at this height up to the next descent. Whether they can.
fn stay_at(level_m: f64, legs: &mut Vec<Leg>, model: &Model, air: &Air<'_>, speed_mps: f64) -> bool {
    let is_cruise = |leg: &Leg| matches!(leg.path, Path::Line { .. } | Path::Arc { .. });
    let climbs_first = legs.len() > 1 && matches!(legs[0].path, Path::Vertical { .. }) && is_cruise(&legs[1]);
    if climbs_first {
        legs.remove(0);
    }
    if !legs.first().is_some_and(is_cruise) {
        return false;
    }
    for leg in legs.iter_mut() {
        match &mut leg.path {
            Path::Line { height_m, .. } | Path::Arc { height_m, .. } => *height_m = level_m,
            Path::Vertical { from_m, .. } => {
                *from_m = level_m;
                *leg = leg.timed(model);
                break;
            }
            Path::Hold { .. } | Path::Slope { .. } => break,
        }
    }
    let first = &mut legs[0];
    first.entry_mps = lesser(speed_mps, first.target_mps);
    *first = first.timed(model);
    let mut cruise = legs.iter().take_while(|leg| is_cruise(leg));
    cruise.all(|leg| air.is_open(leg.path.start().0, leg.end().0, level_m))
}

#[cfg(test)]
mod tests;
