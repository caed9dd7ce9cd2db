//! One tick's positions: immutable, shared, indexed only when somebody looks.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::deliveries::Place;
use super::ground::{AsOf, Roll};
use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::time::{SimTime, Tick};

/// One airborne drone at one tick.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DroneRow {
    pub drone: DroneId,
    pub status: DroneStatus,
    pub at: LatLon,
    pub height_m: f32,
    pub heading_deg: f32,
    pub ground_speed_mps: f32,
    pub vertical_speed_mps: f32,
    /// State of charge, 0 to 1.
    pub battery: f32,
    pub payload_kg: f32,
}

/// All airborne drones at one tick.
pub struct Frame {
    tick: Tick,
    at: SimTime,
    sent_at_wall_ms: u64,
    rows: Vec<DroneRow>,
    /// Who there was besides.
    roll: Roll,
    /// Row numbers in drone order, made at the first look.
    by_drone: OnceLock<Vec<u32>>,
}

impl Frame {
    /// That leaves the engine now.
    pub fn new(tick: Tick, at: SimTime, rows: Vec<DroneRow>) -> Self {
        Frame {
            tick,
            at,
            sent_at_wall_ms: wall_ms(),
            rows,
            roll: Roll::default(),
            by_drone: OnceLock::new(),
        }
    }

    /// The same, when so many had come and gone.
    pub(super) fn among(self, roll: Roll) -> Self {
        Frame { roll, ..self }
    }

    /// Its moment, to ask for what is not in it.
    pub fn as_of(&self) -> AsOf {
        AsOf {
            roll: self.roll,
            at: self.at,
        }
    }

    pub fn tick(&self) -> Tick {
        self.tick
    }

    pub fn at(&self) -> SimTime {
        self.at
    }

    /// When it left the engine, by the wall clock, in milliseconds since 1970: the same
    /// whenever, and however often, somebody is told of it.
    pub fn sent_at_wall_ms(&self) -> u64 {
        self.sent_at_wall_ms
    }

    /// In no particular order.
    pub fn rows(&self) -> &[DroneRow] {
        &self.rows
    }

    pub fn row_of(&self, drone: DroneId) -> Option<&DroneRow> {
        let order = self.order();
        let found = order.binary_search_by_key(&drone, |&row| self.rows[row as usize].drone);
        found.ok().map(|place| &self.rows[order[place] as usize])
    }

    /// Where these drones are, as far as they are in the air, without the order that looks
    /// make: one pass.
    pub(super) fn places_of(&self, drones: impl Iterator<Item = DroneId>) -> BTreeMap<DroneId, Place> {
        let mut wanted: Vec<u64> = Vec::new();
        for drone in drones {
            let (word, bit) = (drone.index() / 64, drone.index() % 64);
            if wanted.len() <= word {
                wanted.resize(word + 1, 0);
            }
            wanted[word] |= 1 << bit;
        }
        if wanted.is_empty() {
            return BTreeMap::new();
        }
        let is_wanted = |drone: DroneId| {
            let word = wanted.get(drone.index() / 64);
            word.is_some_and(|word| word >> (drone.index() % 64) & 1 == 1)
        };
        let found = self.rows.iter().filter(|row| is_wanted(row.drone));
        let place = |row: &DroneRow| Place {
            at: row.at,
            height_m: row.height_m,
        };
        found.map(|row| (row.drone, place(row))).collect()
    }

    /// All from this drone on, in order.
    pub fn drones_from(&self, first: DroneId) -> impl Iterator<Item = DroneId> {
        let order = self.order();
        let drone = |&row: &u32| self.rows[row as usize].drone;
        let start = order.partition_point(|row| drone(row) < first);
        order[start..].iter().map(drone)
    }

    /// Takes the time that the first look would take.
    pub fn put_in_order(&self) {
        self.order();
    }

    fn order(&self) -> &[u32] {
        self.by_drone.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            order.sort_unstable_by_key(|&row| self.rows[row as usize].drone);
            order
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "`sentAt` is wall-clock time")]
fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
