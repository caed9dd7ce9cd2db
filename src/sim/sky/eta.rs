//! Expected times of pick-up and delivery: a pass over columns.
//!
//! What is left of the present leg at its speeds in the forecast wind, and the planned time of the legs after
//! it. Who waits for a drone hears only of moves beyond a threshold.

use super::super::motion::{self, Profile, lesser};
use super::super::time::SimTime;
use super::columns::Chunk;
use super::{FlightEvent, FlightEventKind};

/// An expected time is told again when it has moved by more than this, seconds.
const THRESHOLD_S: f64 = 5.0;
/// How often expected times are refreshed, microseconds; each tick if ticks are longer.
pub const EVERY_US: u64 = 1_000_000;

/// Refreshes a chunk's expected times at the end of a tick.
pub fn refresh(chunk: &mut Chunk, now_s: f64, events: &mut Vec<FlightEvent>) {
    for i in 0..chunk.len() {
        let (to_pickup, to_delivery) = (chunk.pickup_after_leg[i], chunk.delivery_after_leg[i]);
        if to_delivery.is_nan() {
            continue;
        }
        let leg_end_s = now_s + seconds_left_of_leg(chunk, i);
        if !to_pickup.is_nan() {
            chunk.pickup_at[i] = leg_end_s + to_pickup;
        }
        chunk.delivery_at[i] = leg_end_s + to_delivery;
        let (pickup, delivery) = (chunk.pickup_at[i], chunk.delivery_at[i]);
        let moved = (delivery - chunk.told_delivery_at[i]).abs() > THRESHOLD_S
            || (pickup - chunk.told_pickup_at[i]).abs() > THRESHOLD_S;
        if moved {
            (chunk.told_pickup_at[i], chunk.told_delivery_at[i]) = (pickup, delivery);
            events.push(FlightEvent {
                drone: chunk.drone[i],
                kind: FlightEventKind::EtaMoved {
                    pickup: SimTime::from_secs(pickup),
                    delivery: SimTime::from_secs(delivery),
                },
            });
        }
    }
}

/// As planned; the wind of the moment, which may help or hinder, is not counted upon.
pub fn seconds_left_of_leg(chunk: &Chunk, i: usize) -> f64 {
    let profile = Profile {
        target: f64::from(chunk.target[i]),
        exit: f64::from(chunk.exit[i]),
        acceleration: f64::from(chunk.acceleration[i]),
    };
    let speed = lesser(f64::from(chunk.speed[i]), profile.target);
    motion::duration(speed, chunk.remaining[i], profile)
}
