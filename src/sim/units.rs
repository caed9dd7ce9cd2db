//! Units at the edges: SI inside (m, s, kg, W, J, rad), converted once on the way in or out.
//!
//! Inside, a name's last word says its unit (`airspeed_mps`, `energy_j`). Batteries are
//! the exception that people expect: capacities and mission energies are in watt-hours.

/// Standard gravity as `flight.md`'s formulas use it, m/s².
pub const GRAVITY_MPS2: f64 = 9.81;
/// Air density at sea level, kg/m³.
pub const AIR_DENSITY_KGPM3: f64 = 1.225;

const KG_PER_POUND: f64 = 0.453_592_37;
const METRES_PER_MILE: f64 = 1_609.344;
const JOULES_PER_WATT_HOUR: f64 = 3_600.0;

pub fn pounds_to_kg(pounds: f64) -> f64 {
    pounds * KG_PER_POUND
}

pub fn kg_to_pounds(kg: f64) -> f64 {
    kg / KG_PER_POUND
}

pub fn metres_to_miles(metres: f64) -> f64 {
    metres / METRES_PER_MILE
}

pub fn joules_to_wh(joules: f64) -> f64 {
    joules / JOULES_PER_WATT_HOUR
}

pub fn wh_to_joules(wh: f64) -> f64 {
    wh * JOULES_PER_WATT_HOUR
}
