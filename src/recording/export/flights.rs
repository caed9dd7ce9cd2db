//! Rows of frames, gathered into flights: from when a drone is first there until it is not.

use std::collections::BTreeMap;

use crate::recording::positions::FixedRow;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fix {
    pub at: SimTime,
    pub place: LatLon,
    pub height_m: f64,
}

/// One drone, without a break.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flight {
    pub drone: DroneId,
    /// Of this drone, from 1.
    pub number: u32,
    /// At least one.
    pub fixes: Vec<Fix>,
}

#[derive(Default)]
pub(super) struct Flights {
    under_way: BTreeMap<DroneId, Vec<Fix>>,
    numbers: BTreeMap<DroneId, u32>,
}

impl Flights {
    /// Answers with the flights that were over before, in the order of their drones.
    pub(super) fn frame(&mut self, at: SimTime, rows: &[FixedRow]) -> Vec<Flight> {
        let mut before = std::mem::take(&mut self.under_way);
        for row in rows {
            let mut fixes = before.remove(&row.drone).unwrap_or_default();
            fixes.push(Fix {
                at,
                place: row.at(),
                height_m: row.height_m(),
            });
            self.under_way.insert(row.drone, fixes);
        }
        self.over(before)
    }

    /// All that are left.
    pub(super) fn end(&mut self) -> Vec<Flight> {
        let left = std::mem::take(&mut self.under_way);
        self.over(left)
    }

    fn over(&mut self, ended: BTreeMap<DroneId, Vec<Fix>>) -> Vec<Flight> {
        let flight = |(drone, fixes)| {
            let number = self.numbers.entry(drone).or_default();
            *number += 1;
            Flight {
                drone,
                number: *number,
                fixes,
            }
        };
        ended.into_iter().map(flight).collect()
    }
}
