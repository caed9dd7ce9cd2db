//! What an account's deliveries came to in one month: sums of what happened, nothing else.

use serde::{Deserialize, Serialize};

/// All zero where nothing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Deliveries completed in that month.
    pub completed: u64,
    /// Of the packages that were created in that month, and not undone since.
    pub weight_kg: f64,
    /// Flights that ended in that month: booked when the drone is on the ground.
    pub flights: u64,
    /// Over the ground, take-off to landing.
    pub flown_m: f64,
    pub airborne_s: f64,
}
