//! The sky as snapshots before format 5 hold it: when drones flew at the ground speeds that
//! their plans promised.

use serde::Deserialize;

use super::columns::{Chunk, Flight, Row};
use super::ground::Ground;
use super::leg_change::new_flight;
use super::{Few, Gusts, Sky};
use crate::sim::drone::DroneStatus;
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;
use crate::sim::world::World;

#[derive(Deserialize)]
pub struct SkyBefore5 {
    chunks: Vec<ChunkBefore5>,
    places: Vec<u32>,
    ground: Ground,
    fingerprints: Vec<u64>,
}

/// Columns that are not read follow from the leg.
#[derive(Deserialize)]
struct ChunkBefore5 {
    drone: Vec<DroneId>,
    x: Vec<f64>,
    y: Vec<f64>,
    height: Vec<f64>,
    _direction: [Vec<f64>; 3],
    speed: Vec<f64>,
    remaining: Vec<f64>,
    _profile: [Vec<f64>; 3],
    energy_wh: Vec<f64>,
    alarm_wh: Vec<f32>,
    _power: [Vec<f32>; 4],
    heading: Vec<f32>,
    _course_yaw_rate_watch: [Vec<f32>; 3],
    _status: Vec<DroneStatus>,
    _payload_kg: Vec<f64>,
    _after_leg: [Vec<f64>; 2],
    expected_at: [Vec<f64>; 2],
    told_at: [Vec<f64>; 2],
    flights: Vec<Flight>,
}

impl SkyBefore5 {
    /// The same places, speeds and batteries; from `now` on the wind is felt.
    pub fn now(self, world: &World, now: SimTime) -> Sky {
        let air = world.air(now);
        let chunk = |before: ChunkBefore5| {
            let mut chunk = Chunk::default();
            for (i, flight) in before.flights.into_iter().enumerate() {
                let plan = flight.plan.clone();
                let (_, mut row) = new_flight(
                    world,
                    before.drone[i],
                    flight.model,
                    plan,
                    before.energy_wh[i],
                    now,
                );
                let model = world.model(flight.model);
                row.begin_leg(&flight, world, model, &air, before.speed[i]);
                let Row { motion, outlook } = &mut row;
                (motion.x, motion.y, motion.height) = (before.x[i], before.y[i], before.height[i] as f32);
                (motion.speed, motion.remaining) = (before.speed[i] as f32, before.remaining[i]);
                (motion.alarm_wh, motion.heading) = (before.alarm_wh[i], before.heading[i]);
                [outlook.pickup_at, outlook.delivery_at] = [0, 1].map(|of| before.expected_at[of][i]);
                [outlook.told_pickup_at, outlook.told_delivery_at] = [0, 1].map(|of| before.told_at[of][i]);
                chunk.push(&row, flight);
            }
            chunk.find_cells(&world.weather);
            chunk
        };
        Sky {
            chunks: self.chunks.into_iter().map(chunk).collect(),
            places: self.places,
            ground: self.ground,
            gusts: Gusts::new(&world.weather, world.seed),
            fingerprints: self.fingerprints,
            few: Few::default(),
        }
    }
}
