//! Passes over a block's columns, written so that the compiler vectorises them: no
//! branches, no calls but `sqrt`, one loop a pass.

use std::f32::consts::{PI, TAU};

use super::super::ids::DroneId;
use super::super::motion::{Profile, next_speed, positive};

/// Rows that may end their leg within a tick, or are in a turn.
pub fn count_watched(remaining: &[f64], watch: &[f32]) -> usize {
    let pairs = remaining.iter().zip(watch);
    pairs
        .map(|(&left, &watch)| usize::from(left <= f64::from(watch)))
        .sum()
}

/// New speeds, and how far each row moves (`moved`) in `dt` seconds.
pub fn accelerate(
    speed: &mut [f64],
    remaining: &mut [f64],
    [target, exit, acceleration]: [&[f64]; 3],
    moved: &mut [f64],
    dt: f64,
) {
    let n = speed.len();
    let (remaining, moved) = (&mut remaining[..n], &mut moved[..n]);
    let (target, exit, acceleration) = (&target[..n], &exit[..n], &acceleration[..n]);
    for i in 0..n {
        let profile = Profile {
            target: target[i],
            exit: exit[i],
            acceleration: acceleration[i],
        };
        let next = next_speed(speed[i], remaining[i], profile, dt);
        let metres = 0.5 * (speed[i] + next) * dt;
        speed[i] = next;
        remaining[i] -= metres;
        moved[i] = metres;
    }
}

/// One coordinate along one component of the direction.
pub fn shift(coordinate: &mut [f64], direction: &[f64], moved: &[f64]) {
    let n = coordinate.len();
    let (direction, moved) = (&direction[..n], &moved[..n]);
    for i in 0..n {
        coordinate[i] += direction[i] * moved[i];
    }
}

/// Watts at a speed along the leg.
#[inline(always)]
pub fn watts(speed: f64, slow_w: f32, transition_mps: f32, base_w: f32, slope: f32) -> f64 {
    let fast_w = f64::from(base_w) + f64::from(slope) * speed;
    if speed < f64::from(transition_mps) {
        f64::from(slow_w)
    } else {
        fast_w
    }
}

/// Draws `dt` seconds of power at the mean speed from the batteries, to nothing at most.
pub fn discharge(
    energy_wh: &mut [f64],
    [slow_w, transition_mps, base_w, slope]: [&[f32]; 4],
    moved: &[f64],
    dt: f64,
) {
    let n = energy_wh.len();
    let (moved, slow_w, transition_mps) = (&moved[..n], &slow_w[..n], &transition_mps[..n]);
    let (base_w, slope) = (&base_w[..n], &slope[..n]);
    let (per_second, hours) = (1.0 / dt, dt / 3_600.0);
    for i in 0..n {
        let watts = watts(
            moved[i] * per_second,
            slow_w[i],
            transition_mps[i],
            base_w[i],
            slope[i],
        );
        energy_wh[i] = positive(energy_wh[i] - watts * hours);
    }
}

/// The heading after turning towards the course for `dt` seconds, the short way round.
#[inline(always)]
pub fn turned(heading: f32, course: f32, yaw_rate: f32, dt: f32) -> f32 {
    let most = yaw_rate * dt;
    let turn = wrapped(course - heading);
    let turn = if turn > most { most } else { turn };
    let turn = if turn < -most { -most } else { turn };
    wrapped(heading + turn)
}

#[inline(always)]
fn wrapped(angle: f32) -> f32 {
    let angle = if angle > PI { angle - TAU } else { angle };
    if angle < -PI { angle + TAU } else { angle }
}

pub fn turn(heading: &mut [f32], course: &[f32], yaw_rate: &[f32], dt: f32) {
    let n = heading.len();
    let (course, yaw_rate) = (&course[..n], &yaw_rate[..n]);
    for i in 0..n {
        heading[i] = turned(heading[i], course[i], yaw_rate[i], dt);
    }
}

/// Rows whose battery is at or below the level to be told of.
pub fn count_alarms(energy_wh: &[f64], alarm_wh: &[f32]) -> usize {
    let pairs = energy_wh.iter().zip(alarm_wh);
    pairs
        .map(|(&energy, &alarm)| usize::from(energy <= f64::from(alarm)))
        .sum()
}

/// A hash over the bits of rows, in four lanes. Made for telling runs apart, not for
/// withstanding an adversary; the digest above it is cryptographic.
#[derive(Clone, Copy)]
pub struct Fingerprint([u64; 4]);

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl Fingerprint {
    pub fn new(rows: usize) -> Self {
        let seed = rows as u64;
        Fingerprint([seed, !seed, seed ^ MULTIPLIER, !(seed ^ MULTIPLIER)])
    }

    pub fn fold(&mut self, drone: &[DroneId], [x, y, height, energy]: [&[f64]; 4]) {
        let n = drone.len();
        let (x, y, height, energy) = (&x[..n], &y[..n], &height[..n], &energy[..n]);
        let [mut a, mut b, mut c, mut d] = self.0;
        for i in 0..n {
            let id = u64::from(drone[i].0).rotate_left(32);
            a = mix(a, x[i].to_bits() ^ id);
            b = mix(b, y[i].to_bits());
            c = mix(c, height[i].to_bits());
            d = mix(d, energy[i].to_bits());
        }
        self.0 = [a, b, c, d];
    }

    pub fn finish(self) -> u64 {
        self.0.into_iter().fold(0, mix)
    }
}

#[inline(always)]
fn mix(lane: u64, word: u64) -> u64 {
    (lane ^ word).wrapping_mul(MULTIPLIER).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(drone: u32, columns: [f64; 4]) -> u64 {
        let mut fingerprint = Fingerprint::new(1);
        let columns: [&[f64]; 4] = [&columns[..1], &columns[1..2], &columns[2..3], &columns[3..]];
        fingerprint.fold(&[DroneId(drone)], columns);
        fingerprint.finish()
    }

    #[test]
    fn a_fingerprint_is_of_the_drone_its_place_its_height_and_its_battery() {
        let columns = [1_500.0, -2_000.0, 70.0, 31.5];
        let usual = fingerprint(3, columns);
        assert_eq!(fingerprint(3, columns), usual);
        assert_ne!(fingerprint(4, columns), usual);
        for column in 0..columns.len() {
            let mut other = columns;
            other[column] = f64::from_bits(other[column].to_bits() ^ 1);
            assert_ne!(fingerprint(3, other), usual, "column {column}");
        }
    }
}
