//! Power and batteries: what flying costs and how charging gives it back.
//!
//! Where a drone is on its legs is not known here; `flight` plans with these powers and
//! `sky` draws them from the batteries.

use serde::{Deserialize, Serialize};

use super::units::{GRAVITY_MPS2, joules_to_wh, wh_to_joules};
use super::world::{Battery, Model};

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

impl Wing {
    /// Watts in level flight.
    pub fn cruise_w(&self, mass_kg: f64, airspeed_mps: f64) -> f64 {
        let lift_n = mass_kg * GRAVITY_MPS2;
        lift_n * airspeed_mps / (self.efficiency * self.lift_to_drag) + self.electronics_w
    }
}

impl Rotors {
    /// Watts in hover: (m g)^1.5 / (η sqrt(2 ρ A)) + p. Also for descents, where momentum
    /// theory fails in the vortex ring.
    pub fn hover_w(&self, mass_kg: f64, air_density_kgpm3: f64) -> f64 {
        let thrust_n = mass_kg * GRAVITY_MPS2;
        self.shaft_w(thrust_n * self.induced_in_hover_mps(thrust_n, air_density_kgpm3))
    }

    /// Watts in a vertical climb: T (v_c/2 + sqrt(v_c²/4 + v_h²)) / η + p.
    pub fn climb_w(&self, mass_kg: f64, climb_mps: f64, air_density_kgpm3: f64) -> f64 {
        let thrust_n = mass_kg * GRAVITY_MPS2;
        let hover_mps = self.induced_in_hover_mps(thrust_n, air_density_kgpm3);
        let half = 0.5 * climb_mps;
        self.shaft_w(thrust_n * (half + (half * half + hover_mps * hover_mps).sqrt()))
    }

    /// Watts in level flight: T (v sin α + v_i) / η + p with
    /// v_i = T / (2 ρ A sqrt((v cos α)² + (v sin α + v_i)²)).
    pub fn forward_w(&self, mass_kg: f64, airspeed_mps: f64, air_density_kgpm3: f64) -> f64 {
        let weight_n = mass_kg * GRAVITY_MPS2;
        let drag_n = 0.5 * air_density_kgpm3 * self.drag_area_m2 * airspeed_mps * airspeed_mps;
        let thrust_n = (weight_n * weight_n + drag_n * drag_n).sqrt();
        let through = airspeed_mps * drag_n / thrust_n;
        let along = airspeed_mps * weight_n / thrust_n;
        let induced = self.induced_in_flow_mps(thrust_n, through, along, air_density_kgpm3);
        self.shaft_w(thrust_n * (through + induced))
    }

    fn shaft_w(&self, air_w: f64) -> f64 {
        air_w / self.efficiency + self.electronics_w
    }

    fn induced_in_hover_mps(&self, thrust_n: f64, air_density_kgpm3: f64) -> f64 {
        (thrust_n / (2.0 * air_density_kgpm3 * self.disc_area_m2)).sqrt()
    }

    /// The fixed point of v_i = v_h² / sqrt(along² + (through + v_i)²), from the hover
    /// speed downwards. The bare iteration swings without end near hover; the mean of
    /// old and new halves the error each time at worst.
    fn induced_in_flow_mps(&self, thrust_n: f64, through: f64, along: f64, air_density_kgpm3: f64) -> f64 {
        let hover_mps = self.induced_in_hover_mps(thrust_n, air_density_kgpm3);
        let mut induced = hover_mps;
        for _ in 0..60 {
            let normal = through + induced;
            let next = hover_mps * hover_mps / (along * along + normal * normal).sqrt();
            let change = 0.5 * (next - induced);
            induced += change;
            if change.abs() <= 1e-13 * hover_mps {
                break;
            }
        }
        induced
    }
}

impl PowerModel {
    /// Watts at rest in the air, and in descents. A wing alone cannot hover: D'Andrea
    /// charges the whole flight at cruise power.
    pub fn hover_w(&self, model: &Model, mass_kg: f64, air_density_kgpm3: f64) -> f64 {
        match self {
            PowerModel::LiftToDrag(wing) => wing.cruise_w(mass_kg, model.cruise_airspeed_mps),
            PowerModel::Multirotor(rotors) | PowerModel::Hybrid { rotors, .. } => {
                rotors.hover_w(mass_kg, air_density_kgpm3)
            }
        }
    }

    /// Watts while climbing at the type's climb speed. For a wing alone: cruise power
    /// and the rate of gain in height energy, m g v_c / η.
    pub fn climb_w(&self, model: &Model, mass_kg: f64, air_density_kgpm3: f64) -> f64 {
        match self {
            PowerModel::LiftToDrag(wing) => {
                wing.cruise_w(mass_kg, model.cruise_airspeed_mps)
                    + mass_kg * GRAVITY_MPS2 * model.climb_mps / wing.efficiency
            }
            PowerModel::Multirotor(rotors) | PowerModel::Hybrid { rotors, .. } => {
                rotors.climb_w(mass_kg, model.climb_mps, air_density_kgpm3)
            }
        }
    }

    /// Watts in level flight at an airspeed.
    pub fn forward_w(&self, mass_kg: f64, airspeed_mps: f64, air_density_kgpm3: f64) -> f64 {
        match self {
            PowerModel::LiftToDrag(wing) | PowerModel::Hybrid { wing, .. } => {
                wing.cruise_w(mass_kg, airspeed_mps)
            }
            PowerModel::Multirotor(rotors) => rotors.forward_w(mass_kg, airspeed_mps, air_density_kgpm3),
        }
    }

    /// Below this share of its cruise airspeed a lift-and-cruise aircraft hangs on its
    /// rotors. Derived: a wing sized for cruise near its best lift-to-drag ratio stalls
    /// at roughly half of that speed.
    pub fn transition_share(&self) -> Option<f64> {
        match self {
            PowerModel::Hybrid { .. } => Some(0.5),
            PowerModel::LiftToDrag(_) | PowerModel::Multirotor(_) => None,
        }
    }
}

/// Power on one leg as a function of the speed through the air (on a climb: up): `slow_w`
/// below the transition speed, `base_w + slope · speed` from there on. It knows no wind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PowerLaw {
    pub slow_w: f64,
    pub transition_mps: f64,
    pub base_w: f64,
    pub slope_w_per_mps: f64,
}

impl PowerLaw {
    /// So much more at any airspeed.
    pub fn plus(self, watts: f64) -> Self {
        PowerLaw {
            slow_w: self.slow_w + watts,
            base_w: self.base_w + watts,
            ..self
        }
    }

    pub fn constant(watts: f64) -> Self {
        PowerLaw {
            base_w: watts,
            ..PowerLaw::default()
        }
    }

    /// The straight line through two (speed, watts); constant where the speeds are one.
    pub fn through(from: (f64, f64), to: (f64, f64)) -> Self {
        let run = to.0 - from.0;
        let slope = if run > 0.0 { (to.1 - from.1) / run } else { 0.0 };
        PowerLaw {
            base_w: to.1 - slope * to.0,
            slope_w_per_mps: slope,
            ..PowerLaw::default()
        }
    }

    pub fn watts(&self, airspeed_mps: f64) -> f64 {
        if airspeed_mps < self.transition_mps {
            self.slow_w
        } else {
            self.base_w + self.slope_w_per_mps * airspeed_mps
        }
    }

    pub fn slow_below(self, transition_mps: f64, slow_w: f64) -> Self {
        PowerLaw {
            slow_w,
            transition_mps,
            ..self
        }
    }
}

/// Constant-power charging ends at this state of charge.
const TAPER_FROM: f64 = 0.8;
/// Share of the charging power that is left at a full battery.
const TAPER_TO: f64 = 0.1;
/// With x the state of charge above four fifths, charging power falls as 1 − `TAPER`·x.
const TAPER: f64 = (1.0 - TAPER_TO) / (1.0 - TAPER_FROM);

/// What the battery holds after charging for some seconds, Wh; at most its capacity. Where it is
/// swapped it is the old one until then.
pub fn energy_after(battery: &Battery, energy_wh: f64, seconds: f64) -> f64 {
    let capacity = battery.capacity_wh;
    if let Some(swap_s) = battery.swap_s {
        return if seconds >= swap_s { capacity } else { energy_wh };
    }
    let knee_wh = TAPER_FROM * capacity;
    let steady_s = steady_seconds(battery, energy_wh);
    if seconds <= steady_s {
        return energy_wh + joules_to_wh(battery.charge_power_w * seconds);
    }
    let x = (energy_wh.max(knee_wh) / capacity - TAPER_FROM).min(1.0 - TAPER_FROM);
    let left = (1.0 - TAPER * x) * libm::exp(-taper_rate(battery) * (seconds - steady_s));
    if left <= TAPER_TO {
        return capacity;
    }
    (knee_wh + capacity * (1.0 - left) / TAPER).min(capacity)
}

/// Seconds of charging until the battery holds `target_wh` (at most its capacity).
pub fn time_to_reach(battery: &Battery, energy_wh: f64, target_wh: f64) -> f64 {
    let capacity = battery.capacity_wh;
    let target_wh = target_wh.min(capacity);
    if target_wh <= energy_wh {
        return 0.0;
    }
    if let Some(swap_s) = battery.swap_s {
        return swap_s;
    }
    let knee_wh = TAPER_FROM * capacity;
    if target_wh <= knee_wh {
        return wh_to_joules(target_wh - energy_wh) / battery.charge_power_w;
    }
    let power_left = |wh: f64| 1.0 - TAPER * (wh / capacity - TAPER_FROM);
    let tapering =
        libm::log(power_left(energy_wh.max(knee_wh)) / power_left(target_wh)) / taper_rate(battery);
    steady_seconds(battery, energy_wh) + tapering
}

pub fn time_to_full(battery: &Battery, energy_wh: f64) -> f64 {
    time_to_reach(battery, energy_wh, battery.capacity_wh)
}

/// Seconds of constant-power charging ahead.
fn steady_seconds(battery: &Battery, energy_wh: f64) -> f64 {
    wh_to_joules((TAPER_FROM * battery.capacity_wh - energy_wh).max(0.0)) / battery.charge_power_w
}

/// In the taper dx/dt = P/C · (1 − `TAPER`·x), so 1 − `TAPER`·x decays at this rate, 1/s.
fn taper_rate(battery: &Battery) -> f64 {
    TAPER * battery.charge_power_w / wh_to_joules(battery.capacity_wh)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sim::units::AIR_DENSITY_KGPM3;

    const ROTORS: Rotors = Rotors {
        disc_area_m2: 0.342,
        efficiency: 0.55,
        drag_area_m2: 0.05,
        electronics_w: 10.0,
    };

    #[test]
    fn lift_to_drag_gives_the_published_figures() {
        // D'Andrea 2014: 2 kg in a 4 kg vehicle at 45 km/h; his 370 is 3600/9.81.
        let wing = Wing {
            efficiency: 0.5,
            lift_to_drag: 3.0,
            electronics_w: 100.0,
        };
        let kw = wing.cruise_w(6.0, 45.0 / 3.6) / 1_000.0;
        assert!((kw / 0.586 - 1.0).abs() < 0.01, "{kw}");
        // 10 km against 30 km/h of wind are 40 minutes at 45 km/h.
        let kwh = kw * 10.0 / (45.0 - 30.0);
        assert!((kwh / 0.391 - 1.0).abs() < 0.01, "{kwh}");
    }

    #[test]
    fn forward_flight_meets_hover_at_rest_then_falls_and_rises() {
        let power = |v| ROTORS.forward_w(3.6, v, AIR_DENSITY_KGPM3);
        let hover = ROTORS.hover_w(3.6, AIR_DENSITY_KGPM3);
        assert!((power(0.0) / hover - 1.0).abs() < 1e-9);
        assert!(power(6.0) < power(2.0) && power(2.0) < hover);
        assert!(power(30.0) > power(20.0) && power(20.0) > power(8.0));
        assert!(ROTORS.forward_w(4.0, 8.0, AIR_DENSITY_KGPM3) > power(8.0));
    }

    #[test]
    fn the_induced_speed_is_a_solution() {
        for v in [0.5, 3.0, 8.0, 18.0, 40.0] {
            let (thrust, through, along) = (40.0, 0.3 * v, 0.9 * v);
            let induced = ROTORS.induced_in_flow_mps(thrust, through, along, AIR_DENSITY_KGPM3);
            let normal = through + induced;
            let right = thrust
                / (2.0 * AIR_DENSITY_KGPM3 * ROTORS.disc_area_m2 * (along * along + normal * normal).sqrt());
            assert!((induced - right).abs() < 1e-9 * right, "{v}: {induced} {right}");
        }
    }

    #[test]
    fn climbing_costs_less_than_hover_and_lifting_added_up() {
        let hover = ROTORS.hover_w(3.6, AIR_DENSITY_KGPM3);
        let climb = ROTORS.climb_w(3.6, 5.0, AIR_DENSITY_KGPM3);
        let naive = hover + 3.6 * GRAVITY_MPS2 * 5.0 / ROTORS.efficiency;
        assert!(hover < climb && climb < 0.9 * naive, "{hover} {climb} {naive}");
        assert!((ROTORS.climb_w(3.6, 0.0, AIR_DENSITY_KGPM3) / hover - 1.0).abs() < 1e-12);
    }

    #[test]
    fn charging_by_hand() {
        let battery = Battery {
            capacity_wh: 100.0,
            reserve: 0.2,
            charge_power_w: 100.0,
            swap_s: None,
            cycles_to_80: None,
        };
        assert!((time_to_reach(&battery, 0.0, 80.0) - 2_880.0).abs() < 1e-9);
        // ln 10 / 4.5 hours from four fifths to full.
        let taper = 3_600.0 * std::f64::consts::LN_10 / 4.5;
        assert!((time_to_full(&battery, 80.0) - taper).abs() < 1e-6);
        assert_eq!(time_to_full(&battery, 100.0), 0.0);
        assert_eq!(energy_after(&battery, 100.0, 60.0), 100.0);
        assert_eq!(energy_after(&battery, 10.0, 1e9), 100.0);
    }

    #[test]
    fn a_swapped_battery_is_the_old_one_and_then_a_full_one() {
        let battery = Battery {
            capacity_wh: 100.0,
            reserve: 0.2,
            charge_power_w: 100.0,
            swap_s: Some(90.0),
            cycles_to_80: None,
        };
        assert_eq!(time_to_full(&battery, 30.0), 90.0);
        assert_eq!(time_to_reach(&battery, 30.0, 20.0), 0.0);
        assert_eq!(energy_after(&battery, 30.0, 89.9), 30.0);
        assert_eq!(energy_after(&battery, 30.0, 90.0), 100.0);
    }

    proptest! {
        #[test]
        fn charging_splits_anywhere_and_inverts(
            from in 0.0..100.0f64, first in 0.0..4_000.0f64, second in 0.0..4_000.0f64,
        ) {
            let battery = Battery {
                capacity_wh: 100.0,
                reserve: 0.2,
                charge_power_w: 120.0,
                swap_s: None,
                cycles_to_80: None,
            };
            let half = energy_after(&battery, from, first);
            let whole = energy_after(&battery, from, first + second);
            prop_assert!(from <= half && half <= whole && whole <= 100.0);
            prop_assert!((energy_after(&battery, half, second) - whole).abs() < 1e-9);
            if whole < 100.0 {
                let back = time_to_reach(&battery, from, whole);
                prop_assert!((back - first - second).abs() < 1e-6, "{back}");
            }
        }
    }
}
