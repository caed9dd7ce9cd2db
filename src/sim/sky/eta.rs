//! Expected times of pick-up and delivery: a pass over columns.
//!
//! What is left of the present leg at its speeds in the forecast wind, and what the wind of the
//! moment is about to take or give before it is as forecast again; then the planned time of the
//! legs after it. Who waits for a drone hears only of moves beyond a threshold, and the last word
//! when it comes down to it: from there on nothing is uncertain any more.

use super::super::flight::{Leg, Phase};
use super::super::ids::DroneId;
use super::super::motion::{self, Profile, lesser, positive};
use super::super::promise::has_drifted;
use super::super::time::SimTime;
use super::columns::{BLOCK_ROWS, Chunk, Column, Motion, MotionStrip, OutlookStrip, STRIP_ROWS};
use super::passes;
use super::winds::{Blown, Winds};
use super::{FlightEvent, FlightEventKind};

/// Or when it is over before the next look, and the drone comes later than that by more than this,
/// seconds: nobody is promised for the past.
const LATER_S: f64 = 1.0;
const SOON_S: f64 = 1.0;
/// What of the difference between the wind that is met and the forecast is taken for a gust; the
/// rest may be the forecast's error.
const OF_GUSTS: f64 = 0.8;
/// How often expected times are refreshed, microseconds; each tick if ticks are longer.
pub const EVERY_US: u64 = 1_000_000;

/// Refreshes a chunk's expected times at the end of a tick, in the winds that were met in it.
pub fn refresh(
    chunk: &mut Chunk,
    processor: pulp::Arch,
    (winds, gust_time_s): (&Winds, f64),
    now_s: f64,
    events: &mut Vec<FlightEvent>,
) {
    let mut blown = Blown::new(winds);
    for first in (0..chunk.len()).step_by(STRIP_ROWS) {
        let (block, strip) = (first / BLOCK_ROWS, first % BLOCK_ROWS / STRIP_ROWS);
        let motions = chunk.motions[block].strip(strip);
        let mut outlooks = chunk.outlooks[block].strip(strip);
        blown.over(winds, motions.cell);
        let refresh = Refresh {
            motions: &motions,
            blown: &blown,
            gust_time_s,
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
    let is_elsewhere = has_drifted(told_delivery, delivery, now_s)
        | has_drifted(told_pickup, pickup, now_s)
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

/// A strip's expected times, for whatever registers the processor has. Answers how many are to be
/// told.
pub struct Refresh<'a, 's> {
    pub motions: &'a MotionStrip<'s>,
    pub blown: &'a Blown,
    pub gust_time_s: f64,
    pub outlooks: &'a mut OutlookStrip<'s>,
    pub now_s: f64,
}

impl pulp::NullaryFnOnce for Refresh<'_, '_> {
    type Output = u64;

    #[inline(always)]
    fn call(self) -> u64 {
        let Refresh {
            motions,
            blown,
            gust_time_s,
            outlooks,
            now_s,
        } = self;
        let ahead = ahead_of_plan(motions, blown);
        let leg_ends = leg_ends(motions, &ahead, gust_time_s, now_s);
        expect_delivery(outlooks.delivery_at, &leg_ends, outlooks.delivery_after_leg);
        let after_leg = (&*outlooks.pickup_after_leg, &*outlooks.delivery_after_leg);
        expect_pickup(outlooks.pickup_at, &leg_ends, after_leg);
        (0..STRIP_ROWS)
            .map(|i| u64::from(has_moved(outlooks, i, now_s)))
            .sum()
    }
}

// Each a loop of its own over columns of its own: else the compiler does not see that none of them
// overlap, and does not vectorise it.

/// By how much the wind that is met lets each row fly faster than planned, m/s; in turns nothing does.
#[inline(always)]
fn ahead_of_plan(motions: &MotionStrip<'_>, blown: &Blown) -> Column<f32> {
    let mut all = [0.0; STRIP_ROWS];
    for (i, ahead) in all.iter_mut().enumerate() {
        let direction = (motions.east[i], motions.north[i]);
        let (along, across) = passes::blown((blown.east[i], blown.north[i]), direction, motions.windage[i]);
        let faster = passes::reached(motions.airspeed[i], along, across) - motions.target[i];
        let is_turn = motions.watch[i] == f32::INFINITY;
        *ahead = if is_turn { 0.0 } else { faster };
    }
    all
}

/// When each row's leg ends, in seconds since the start.
#[inline(always)]
fn leg_ends(motions: &MotionStrip<'_>, ahead: &Column<f32>, gust_time_s: f64, now_s: f64) -> Column<f64> {
    let mut ends = seconds_left(motions);
    for (i, end) in ends.iter_mut().enumerate() {
        let (left_s, target, ahead) = (*end, f64::from(motions.target[i]), f64::from(ahead[i]));
        let lead_s = gust_takes(left_s, target, ahead, gust_time_s);
        *end = now_s + positive(left_s + lead_s);
    }
    ends
}

#[inline(always)]
fn expect_delivery(at: &mut Column<f64>, leg_ends: &Column<f64>, after_leg: &Column<f64>) {
    for i in 0..STRIP_ROWS {
        let expected = leg_ends[i] + after_leg[i];
        at[i] = if expected.is_nan() { at[i] } else { expected };
    }
}

#[inline(always)]
fn expect_pickup(
    at: &mut Column<f64>,
    leg_ends: &Column<f64>,
    (to_pickup, to_delivery): (&Column<f64>, &Column<f64>),
) {
    for i in 0..STRIP_ROWS {
        // What is behind is not a number, nor is anything added to it.
        let expected = leg_ends[i] + (to_pickup[i] + 0.0 * to_delivery[i]);
        at[i] = if expected.is_nan() { at[i] } else { expected };
    }
}

/// How much later than planned a leg ends that goes on for so long, at this speed and now so much
/// faster: a gust falls to 1/e in its time, so what it gives or takes until the end of the leg is known.
/// Of e^−x its Padé approximant will do.
#[inline(always)]
fn gust_takes(left_s: f64, target_mps: f64, ahead_mps: f64, gust_time_s: f64) -> f64 {
    let x = left_s / gust_time_s;
    let over = 1.0 - 1.0 / (1.0 + x + 0.5 * x * x);
    let gained_m = OF_GUSTS * ahead_mps * gust_time_s * over;
    let is_moving = target_mps > 0.0;
    if is_moving { -gained_m / target_mps } else { 0.0 }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gust_takes_what_it_has_time_for() {
        let takes_s = |left_s, ahead_mps| gust_takes(left_s, 20.0, ahead_mps, 30.0);
        assert_eq!(takes_s(300.0, 0.0), 0.0);
        // Its whole time at 0.8 × 2 m/s less: 48 m, which are 2.4 s of flight.
        assert!(
            (takes_s(300.0, -2.0) - 2.4).abs() < 0.05,
            "{}",
            takes_s(300.0, -2.0)
        );
        assert_eq!(takes_s(300.0, 2.0), -takes_s(300.0, -2.0), "or gives");
        // Of the next seconds it has nearly all: 0.8 × 2 m/s over 3 s are 4.8 m.
        assert!((takes_s(3.0, -2.0) - 0.24).abs() < 0.02, "{}", takes_s(3.0, -2.0));
        assert_eq!(gust_takes(300.0, 0.0, -2.0, 30.0), 0.0, "who stands loses no way");
    }
}
