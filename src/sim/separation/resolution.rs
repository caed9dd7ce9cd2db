//! Tactical resolution: who makes way in a conflict, and how.
//!
//! Who carries something keeps its way before who does not, then the one with less left in its
//! battery, then the one with the lower number; who is not on a straight cruise (on its way up or
//! down, in a turn, making way already) keeps it in any case. The other one takes the first of
//! the scenario's means that works: to the nearest level on which nobody is in the way, slower,
//! or a stop until the other has passed.

use serde::{Deserialize, Serialize};

use super::super::flight::{Course, Manoeuvre};
use super::super::route::LEVELS_M;
use super::super::sky::Fix;
use super::super::world::Model;
use super::Conflict;
use super::body::{Body, Minima};

/// What a scenario may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Means {
    Level,
    Slow,
    Hold,
}

/// One of the two in a conflict, as whoever gives way must know it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Party {
    pub body: Body,
    pub fix: Fix,
    /// Of the straight cruise that it is on; `None` where it is on none.
    pub course: Option<Course>,
    pub is_loaded: bool,
    pub battery: f64,
}

/// To a drone that is to make way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    pub conflict: Conflict,
    /// Which of the two bodies it is.
    pub own: u8,
    pub fix: Fix,
    pub course: Course,
    /// On which of the levels nobody would be in the way.
    pub free: [bool; LEVELS_M.len()],
    /// The other cannot make way.
    pub is_last: bool,
}

impl Advice {
    /// Who comes.
    pub fn other(&self) -> &Body {
        &self.conflict.bodies[1 - usize::from(self.own)]
    }

    fn speed_mps(&self) -> f64 {
        self.fix.velocity.speed_mps()
    }
}

/// Which of the two makes way; `None` where neither can.
pub fn yields(one: &Party, other: &Party) -> Option<usize> {
    match (one.course, other.course) {
        (None, None) => None,
        (Some(_), None) => Some(0),
        (None, Some(_)) => Some(1),
        (Some(_), Some(_)) => {
            let load = one.is_loaded.cmp(&other.is_loaded);
            let battery = other.battery.total_cmp(&one.battery);
            let number = other.body.drone.cmp(&one.body.drone);
            // Greater keeps its way.
            let keeps = load.then(battery).then(number);
            Some(usize::from(keeps.is_gt()))
        }
    }
}

/// Of the type's airspeed: wings still carry at that.
const SLOWLY: f64 = 0.6;
const STOPS_S: [f64; 3] = [5.0, 10.0, 20.0];
/// It must not only just work.
const SPARE: f32 = 1.1;
const STEP_S: f32 = 0.5;
/// So much before it is needed a change of level must be done.
const EARLY_S: f64 = 1.0;
/// Closer than this a level is the present one.
const SAME_LEVEL_M: f64 = 10.0;

/// The manoeuvres of this means that work, the best first.
pub fn manoeuvres(means: Means, advice: &Advice, model: &Model, minima: Minima) -> Vec<Manoeuvre> {
    match means {
        Means::Level => levels(advice, model, minima),
        Means::Slow => {
            let lasts_s = minima.look_ahead_s.min(advice.other().lasts_s);
            let seconds = f64::from(lasts_s.max(advice.conflict.in_s));
            let slow = Manoeuvre::Slow {
                share: SLOWLY,
                seconds,
            };
            let slow_mps = SLOWLY * advice.speed_mps();
            let passes = passes(advice, model, minima, slow_mps, f64::INFINITY);
            passes.then_some(slow).into_iter().collect()
        }
        Means::Hold => {
            let works = |seconds: &f64| passes(advice, model, minima, 0.0, *seconds);
            let stop = STOPS_S.into_iter().find(works);
            stop.map(|seconds| Manoeuvre::Hold { seconds })
                .into_iter()
                .collect()
        }
    }
}

fn levels(advice: &Advice, model: &Model, minima: Minima) -> Vec<Manoeuvre> {
    let height_m = advice.fix.height_m;
    let away = |level: &f64| (level - height_m).abs();
    let in_time = |to_m: &f64| {
        let rate_mps = if *to_m > height_m {
            model.climb_mps
        } else {
            model.descent_mps
        };
        // Half of the time in which the climb is taken up is lost.
        let begins_s = 0.5 * rate_mps / model.vertical_acceleration_mps2;
        f64::from(minima.vertical_m) / rate_mps + begins_s + EARLY_S <= f64::from(advice.conflict.in_s)
    };
    let free = LEVELS_M.into_iter().zip(advice.free).filter(|(_, free)| *free);
    let mut free: Vec<f64> = free
        .map(|(level, _)| level)
        .filter(|level| away(level) > SAME_LEVEL_M && in_time(level))
        .collect();
    free.sort_by(|a, b| away(a).total_cmp(&away(b)));
    free.into_iter().map(|to_m| Manoeuvre::Level { to_m }).collect()
}

/// Whether the other has gone by when the one slows down to this speed, stays there for so long,
/// and goes on as before.
fn passes(advice: &Advice, model: &Model, minima: Minima, slow_mps: f64, seconds: f64) -> bool {
    let braking = model.acceleration_mps2;
    let (usual_mps, other) = (advice.speed_mps(), advice.other());
    let slows_s = (usual_mps - slow_mps) / braking;
    let mut along_m = 0.0;
    let (mut speed_mps, mut at_s) = (usual_mps, 0.0_f32);
    let least = SPARE * minima.horizontal_m;
    let until_s = other.lasts_s.max(advice.conflict.in_s + STEP_S);
    while at_s <= until_s {
        let own_x = advice.fix.at.x + advice.course.east * along_m;
        let own_y = advice.fix.at.y + advice.course.north * along_m;
        let (x, y) = other.after(at_s);
        let (dx, dy) = (x - own_x as f32, y - own_y as f32);
        let height = other.height + other.up * at_s;
        let apart = (height - advice.fix.height_m as f32).abs();
        if dx * dx + dy * dy < least * least && apart < minima.vertical_m {
            return false;
        }
        let change = braking * f64::from(STEP_S);
        let next_mps = match f64::from(at_s) < slows_s + seconds {
            true => (speed_mps - change).max(slow_mps),
            false => (speed_mps + change).min(usual_mps),
        };
        along_m += 0.5 * (speed_mps + next_mps) * f64::from(STEP_S);
        speed_mps = next_mps;
        at_s += STEP_S;
    }
    true
}

#[cfg(test)]
mod tests;
