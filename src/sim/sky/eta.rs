//! Expected times of pick-up and delivery: a pass over columns.
//!
//! What is left of the present leg at its speeds in the forecast wind, and the planned time
//! of the legs after it. Who waits for a drone hears only of moves beyond a threshold.

use std::ops::Range;

use super::super::motion::{self, Profile, lesser};
use super::super::time::SimTime;
use super::columns::Chunk;
use super::step::BLOCK_ROWS;
use super::{FlightEvent, FlightEventKind};

/// An expected time is told again when it has moved by more than this, seconds.
pub const THRESHOLD_S: f64 = 5.0;
/// Or when it is over before the next look, and the drone comes later than that by more than this,
/// seconds: nobody is promised for the past.
const LATER_S: f64 = 1.0;
const SOON_S: f64 = 1.0;
/// How often expected times are refreshed, microseconds; each tick if ticks are longer.
pub const EVERY_US: u64 = 1_000_000;

/// Refreshes a chunk's expected times at the end of a tick.
pub fn refresh(chunk: &mut Chunk, processor: pulp::Arch, now_s: f64, events: &mut Vec<FlightEvent>) {
    let mut left = [0.0; BLOCK_ROWS];
    for start in (0..chunk.len()).step_by(BLOCK_ROWS) {
        let block = start..chunk.len().min(start + BLOCK_ROWS);
        seconds_left(chunk, block.clone(), processor, &mut left);
        for (i, left_s) in block.zip(left) {
            refresh_row(chunk, i, (now_s, left_s), events);
        }
    }
}

fn refresh_row(chunk: &mut Chunk, i: usize, (now_s, left_s): (f64, f64), events: &mut Vec<FlightEvent>) {
    let leg_end_s = now_s + left_s;
    let (to_pickup, to_delivery) = (chunk.pickup_after_leg[i], chunk.delivery_after_leg[i]);
    if to_delivery.is_nan() {
        return;
    }
    if !to_pickup.is_nan() {
        chunk.pickup_at[i] = leg_end_s + to_pickup;
    }
    chunk.delivery_at[i] = leg_end_s + to_delivery;
    let (pickup, delivery) = (chunk.pickup_at[i], chunk.delivery_at[i]);
    let is_over = |told: f64, at: f64| told < now_s + SOON_S && at - told > LATER_S;
    let moved = (delivery - chunk.told_delivery_at[i]).abs() > THRESHOLD_S
        || (pickup - chunk.told_pickup_at[i]).abs() > THRESHOLD_S
        || is_over(chunk.told_delivery_at[i], delivery)
        || !to_pickup.is_nan() && is_over(chunk.told_pickup_at[i], pickup);
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

/// Of a block's rows until the ends of their legs, into the first of `left`.
pub fn seconds_left(chunk: &Chunk, block: Range<usize>, processor: pulp::Arch, left: &mut [f64; BLOCK_ROWS]) {
    processor.dispatch(SecondsLeft { chunk, block, left });
}

struct SecondsLeft<'a> {
    chunk: &'a Chunk,
    block: Range<usize>,
    left: &'a mut [f64; BLOCK_ROWS],
}

impl pulp::NullaryFnOnce for SecondsLeft<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let SecondsLeft { chunk, block, left } = self;
        let n = block.len();
        let b = || block.clone();
        let (speed, remaining) = (&chunk.speed[b()][..n], &chunk.remaining[b()][..n]);
        let (target, exit) = (&chunk.target[b()][..n], &chunk.exit[b()][..n]);
        let (acceleration, left) = (&chunk.acceleration[b()][..n], &mut left[..n]);
        for i in 0..n {
            let profile = Profile {
                target: f64::from(target[i]),
                exit: f64::from(exit[i]),
                acceleration: f64::from(acceleration[i]),
            };
            left[i] = as_planned(f64::from(speed[i]), remaining[i], profile);
        }
    }
}

/// Of one row.
pub fn seconds_left_of_leg(chunk: &Chunk, i: usize) -> f64 {
    let row = chunk.row(i);
    as_planned(f64::from(row.speed), row.remaining, row.planned())
}

/// The wind of the moment, which may help or hinder, is not counted upon.
#[inline(always)]
fn as_planned(speed: f64, remaining: f64, planned: Profile) -> f64 {
    motion::duration(lesser(speed, planned.target), remaining, planned)
}
