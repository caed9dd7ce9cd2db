//! Expected times of pick-up and delivery: a pass over columns.
//!
//! What is left of the present leg at its speeds in the forecast wind, and the planned time
//! of the legs after it. Who waits for a drone hears only of moves beyond a threshold, and the last
//! word when it comes down to it: from there on nothing is uncertain any more.

use super::super::flight::{Leg, Phase};
use super::super::ids::DroneId;
use super::super::motion::{self, Profile, lesser};
use super::super::promise::THRESHOLD_S;
use super::super::time::SimTime;
use super::columns::{BLOCK_ROWS, Chunk, Column, Motion, MotionStrip, OutlookStrip, STRIP_ROWS};
use super::{FlightEvent, FlightEventKind};

/// Or when it is over before the next look, and the drone comes later than that by more than this,
/// seconds: nobody is promised for the past.
const LATER_S: f64 = 1.0;
const SOON_S: f64 = 1.0;
/// How often expected times are refreshed, microseconds; each tick if ticks are longer.
pub const EVERY_US: u64 = 1_000_000;

/// Refreshes a chunk's expected times at the end of a tick.
pub fn refresh(chunk: &mut Chunk, processor: pulp::Arch, now_s: f64, events: &mut Vec<FlightEvent>) {
    for first in (0..chunk.len()).step_by(STRIP_ROWS) {
        let (block, strip) = (first / BLOCK_ROWS, first % BLOCK_ROWS / STRIP_ROWS);
        let motions = chunk.motions[block].strip(strip);
        let mut outlooks = chunk.outlooks[block].strip(strip);
        let refresh = Refresh {
            motions: &motions,
            outlooks: &mut outlooks,
            now_s,
        };
        if processor.dispatch(refresh) > 0 {
            for i in 0..STRIP_ROWS.min(chunk.flights.len() - first) {
                tell(motions.drone[i], &mut outlooks, i, now_s, events);
            }
        }
    }
}

/// Of one row, if its times have moved far enough.
fn tell(
    drone: DroneId,
    outlooks: &mut OutlookStrip<'_>,
    i: usize,
    now_s: f64,
    events: &mut Vec<FlightEvent>,
) {
    if !has_moved(outlooks, i, now_s) {
        return;
    }
    let (pickup, delivery) = (outlooks.pickup_at[i], outlooks.delivery_at[i]);
    (outlooks.told_pickup_at[i], outlooks.told_delivery_at[i]) = (pickup, delivery);
    events.push(moved(drone, pickup, delivery));
}

#[inline(always)]
fn has_moved(outlooks: &OutlookStrip<'_>, i: usize, now_s: f64) -> bool {
    let (pickup, told_pickup) = (outlooks.pickup_at[i], outlooks.told_pickup_at[i]);
    let (delivery, told_delivery) = (outlooks.delivery_at[i], outlooks.told_delivery_at[i]);
    let is_over = |told: f64, at: f64| (told < now_s + SOON_S) & (at - told > LATER_S);
    let is_picked_up = outlooks.pickup_after_leg[i].is_nan();
    let is_elsewhere = ((delivery - told_delivery).abs() > THRESHOLD_S)
        | ((pickup - told_pickup).abs() > THRESHOLD_S)
        | is_over(told_delivery, delivery)
        | (!is_picked_up & is_over(told_pickup, pickup));
    !outlooks.delivery_after_leg[i].is_nan() & is_elsewhere
}

/// As a drone begins to come down to its pick-up or drop-off, or to hand over there: the last word,
/// where what was told would be over more than a tick before.
pub fn tell_last_word(
    chunk: &mut Chunk,
    i: usize,
    (row, leg): (&Motion, &Leg),
    (at_s, tick_s): (f64, f64),
    events: &mut Vec<FlightEvent>,
) {
    if !matches!(leg.phase, Phase::Descend | Phase::Handover) {
        return;
    }
    let leg_end_s = at_s + as_planned(f64::from(row.speed), row.remaining, row.planned());
    let outlook = chunk.outlook(i);
    let pickup_at = leg_end_s + outlook.pickup_after_leg;
    let delivery_at = leg_end_s + outlook.delivery_after_leg;
    let is_picked_up = outlook.pickup_after_leg.is_nan();
    let (early_s, pickup_at) = match is_picked_up {
        true => (delivery_at - outlook.told_delivery_at, outlook.pickup_at),
        false => (pickup_at - outlook.told_pickup_at, pickup_at),
    };
    // Nobody waits where it is not a number.
    if outlook.delivery_after_leg.is_nan() || early_s <= tick_s {
        return;
    }
    chunk.change_outlook(i, |outlook| {
        (outlook.pickup_at, outlook.delivery_at) = (pickup_at, delivery_at);
        (outlook.told_pickup_at, outlook.told_delivery_at) = (pickup_at, delivery_at);
    });
    events.push(moved(row.drone, pickup_at, delivery_at));
}

fn moved(drone: DroneId, pickup_at: f64, delivery_at: f64) -> FlightEvent {
    FlightEvent {
        drone,
        kind: FlightEventKind::EtaMoved {
            pickup: SimTime::from_secs(pickup_at),
            delivery: SimTime::from_secs(delivery_at),
        },
    }
}

/// A strip's expected times. Answers how many are to be told.
struct Refresh<'a, 's> {
    motions: &'a MotionStrip<'s>,
    outlooks: &'a mut OutlookStrip<'s>,
    now_s: f64,
}

impl pulp::NullaryFnOnce for Refresh<'_, '_> {
    type Output = u64;

    #[inline(always)]
    fn call(self) -> u64 {
        let Refresh {
            motions,
            outlooks,
            now_s,
        } = self;
        for (i, left_s) in seconds_left(motions).into_iter().enumerate() {
            let leg_end_s = now_s + left_s;
            // What is behind is not a number, nor is anything added to it.
            let to_delivery = outlooks.delivery_after_leg[i];
            let to_pickup = outlooks.pickup_after_leg[i] + 0.0 * to_delivery;
            let (pickup, delivery) = (leg_end_s + to_pickup, leg_end_s + to_delivery);
            let (pickup_at, delivery_at) = (outlooks.pickup_at[i], outlooks.delivery_at[i]);
            outlooks.pickup_at[i] = if pickup.is_nan() { pickup_at } else { pickup };
            outlooks.delivery_at[i] = if delivery.is_nan() { delivery_at } else { delivery };
        }
        (0..STRIP_ROWS)
            .map(|i| u64::from(has_moved(outlooks, i, now_s)))
            .sum()
    }
}

/// Of a strip's rows until the ends of their legs.
#[inline(always)]
pub fn seconds_left(motions: &MotionStrip<'_>) -> Column<f64> {
    let mut left = [0.0; STRIP_ROWS];
    for (i, left) in left.iter_mut().enumerate() {
        let profile = Profile {
            target: f64::from(motions.target[i]),
            exit: f64::from(motions.exit[i]),
            acceleration: f64::from(motions.acceleration[i]),
        };
        *left = as_planned(f64::from(motions.speed[i]), motions.remaining[i], profile);
    }
    left
}

/// Of one row.
pub fn seconds_left_of_leg(chunk: &Chunk, i: usize) -> f64 {
    let row = chunk.motion(i);
    as_planned(f64::from(row.speed), row.remaining, row.planned())
}

/// The wind of the moment, which may help or hinder, is not counted upon.
#[inline(always)]
fn as_planned(speed: f64, remaining: f64, planned: Profile) -> f64 {
    motion::duration(lesser(speed, planned.target), remaining, planned)
}
