//! Power and batteries: what flying costs and how charging gives it back.

use serde::{Deserialize, Serialize};

/// Which published model a drone type uses (`flight.md`, "Power").
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum PowerModel {
    LiftToDrag(Wing),
    Multirotor(Rotors),
    Hybrid { rotors: Rotors, wing: Wing },
}

/// D'Andrea 2014: P = m g v / (η r) + p.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wing {
    pub efficiency: f64,
    pub lift_to_drag: f64,
    pub electronics_w: f64,
}

/// Stolaroff et al. 2018: momentum theory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotors {
    /// Total disc area, m².
    pub disc_area_m2: f64,
    pub efficiency: f64,
    /// Sum of drag coefficients times areas, m².
    pub drag_area_m2: f64,
    pub electronics_w: f64,
}

/// Energy in the battery after charging for this long, watt-hours.
pub fn energy_after(_battery: &super::world::Battery, _energy_wh: f64, _seconds: f64) -> f64 {
    todo!()
}

/// Seconds of charging until the battery holds this much.
pub fn time_to_charge(_battery: &super::world::Battery, _from_wh: f64, _to_wh: f64) -> f64 {
    todo!()
}
