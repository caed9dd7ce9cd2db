//! One leg: a path with its speeds, time and power.

use serde::{Deserialize, Serialize};

use super::super::air::Air;
use super::super::drone::DroneStatus;
use super::super::energy::PowerLaw;
use super::super::geo::Point;
use super::super::motion::{self, Profile, greater, lesser, positive};
use super::super::units::GRAVITY_MPS2;
use super::super::world::Model;
use super::{Milestone, Path, Phase};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    pub path: Path,
    /// Speeds along the path, over the ground. All 1 on a hold, whose metres are seconds.
    pub entry_mps: f64,
    pub target_mps: f64,
    pub exit_mps: f64,
    pub duration_s: f64,
    pub payload_kg: f64,
    pub phase: Phase,
    /// What its end means.
    pub milestone: Option<Milestone>,
}

impl Leg {
    /// From rest to rest, its target speed and time yet to be set.
    pub(super) fn new(path: Path, phase: Phase, payload_kg: f64) -> Self {
        Leg {
            path,
            entry_mps: 0.0,
            target_mps: 0.0,
            exit_mps: 0.0,
            duration_s: 0.0,
            payload_kg,
            phase,
            milestone: None,
        }
    }

    pub(super) fn timed(mut self, model: &Model) -> Self {
        self.duration_s = motion::duration(self.entry_mps, self.path.length(), self.profile(model));
        self
    }

    pub fn end(&self) -> (Point, f64) {
        self.path.at(self.path.length())
    }

    pub fn profile(&self, model: &Model) -> Profile {
        let acceleration = match self.path {
            Path::Line { .. } | Path::Arc { .. } | Path::Slope { .. } => model.acceleration_mps2,
            Path::Bend { .. } => bending_mps2(model, &self.path),
            Path::Vertical { .. } => model.vertical_acceleration_mps2,
            Path::Stop { up, .. } => braking_mps2(model, up),
            Path::Hold { .. } => 0.0,
        };
        Profile {
            target: self.target_mps,
            exit: self.exit_mps,
            acceleration,
        }
    }

    pub fn on_ground(&self) -> bool {
        matches!(self.path, Path::Hold { height_m, .. } if height_m <= 0.0)
    }

    pub fn status(&self) -> DroneStatus {
        match self.phase {
            Phase::Climb => DroneStatus::Climbing,
            Phase::Cruise => DroneStatus::Cruising,
            Phase::Descend => DroneStatus::Descending,
            Phase::Handover => DroneStatus::Hovering,
            Phase::Return => DroneStatus::Returning,
            // As older programs let drones wait for their turn to take off.
            Phase::Hold if self.on_ground() => DroneStatus::Parked,
            Phase::Hold => DroneStatus::Holding,
        }
    }

    /// Power against airspeed on this leg: exact at rest and at the type's cruise airspeed, a
    /// straight line in between. A hover costs the same in any wind.
    pub fn power(&self, model: &Model, air: &Air<'_>) -> PowerLaw {
        let mass_kg = model.empty_mass_kg + self.payload_kg;
        let density = air.density_kgpm3();
        let hover_w = model.power.hover_w(model, mass_kg, density);
        match self.path {
            Path::Hold { .. } if self.on_ground() => PowerLaw::default(),
            Path::Hold { .. } => PowerLaw::constant(hover_w),
            Path::Vertical { from_m, to_m, .. } if to_m < from_m => PowerLaw::constant(hover_w),
            Path::Stop { up, .. } if up < -UPRIGHT => PowerLaw::constant(hover_w),
            Path::Vertical { .. } => climb_power(model, mass_kg, hover_w, density),
            Path::Stop { up, .. } if up > UPRIGHT => climb_power(model, mass_kg, hover_w, density),
            Path::Line { .. } | Path::Arc { .. } | Path::Stop { .. } => {
                cruise_power(model, mass_kg, hover_w, density)
            }
            Path::Slope { .. } | Path::Bend { .. } => {
                // What lifts it comes on top; going down it gets nothing back.
                let (_, _, up) = self.path.direction(0.5 * self.path.length());
                let lift_w = mass_kg * GRAVITY_MPS2 * positive(up) * self.target_mps / LIFTING;
                cruise_power(model, mass_kg, hover_w, density).plus(lift_w)
            }
        }
    }
}

/// Of a type's vertical acceleration a bend takes so much at the speed that is planned. The rest is
/// for what a gust adds to that speed, or changes it by on the way.
const BENDING: f64 = 0.8;

/// Of a bend that is flown at most so fast.
pub(super) fn bend_radius_m(model: &Model, fastest_mps: f64) -> f64 {
    fastest_mps * fastest_mps / (BENDING * model.vertical_acceleration_mps2)
}

/// How hard a type gains speed and brakes in a bend: what of that leads up is what the bend leaves.
fn bending_mps2(model: &Model, bend: &Path) -> f64 {
    let up = |along| bend.direction(along).2.abs();
    let steepest = greater(up(0.0), up(bend.length()));
    let left_mps2 = (1.0 - BENDING) * model.vertical_acceleration_mps2;
    lesser(model.acceleration_mps2, left_mps2 / steepest)
}

/// Steeper than this a straight line in space is a climb or a descent on the spot.
const UPRIGHT: f64 = 0.99;

/// How hard a type brakes on a way of which so much leads up.
pub(super) fn braking_mps2(model: &Model, up: f64) -> f64 {
    match up.abs() > UPRIGHT {
        true => model.vertical_acceleration_mps2,
        false => model.acceleration_mps2,
    }
}

fn climb_power(model: &Model, mass_kg: f64, hover_w: f64, density: f64) -> PowerLaw {
    let climb_w = model.power.climb_w(model, mass_kg, density);
    PowerLaw::through((0.0, hover_w), (model.climb_mps, climb_w))
}

/// So much of a motor's power lifts, a cautious figure.
const LIFTING: f64 = 0.5;

fn cruise_power(model: &Model, mass_kg: f64, hover_w: f64, density: f64) -> PowerLaw {
    let at = |airspeed_mps| {
        let watts = model.power.forward_w(mass_kg, airspeed_mps, density);
        (airspeed_mps, watts)
    };
    let cruise = at(model.cruise_airspeed_mps);
    match model.power.transition_share() {
        None => PowerLaw::through((0.0, hover_w), cruise),
        Some(share) => {
            let transition = at(share * model.cruise_airspeed_mps);
            PowerLaw::through(transition, cruise).slow_below(transition.0, hover_w)
        }
    }
}
