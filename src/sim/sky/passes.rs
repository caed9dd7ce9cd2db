//! Passes over a block's columns, written so that the compiler vectorises them: no
//! branches, no calls but `sqrt`, one loop a pass, single precision wherever nothing adds up.

use std::f32::consts::{PI, TAU};

use super::super::ids::DroneId;

/// No row moves further in a tick than its speed takes it and `watch` besides: those that may
/// come to the end of their leg, or are in a turn, are marked with 1. Answers how many.
#[inline(always)]
pub fn mark_watched(marks: &mut [u8], remaining: &[f64], speed: &[f32], watch: &[f32], dt: f32) -> usize {
    let n = marks.len();
    let (remaining, speed, watch) = (&remaining[..n], &speed[..n], &watch[..n]);
    let mut count = 0;
    for i in 0..n {
        marks[i] = u8::from(is_watched(remaining[i], speed[i], watch[i], dt));
        count += u32::from(marks[i]);
    }
    count as usize
}

#[inline(always)]
fn is_watched(remaining: f64, speed: f32, watch: f32, dt: f32) -> bool {
    const SPARE: f32 = 1.001;
    remaining as f32 <= SPARE * speed * dt + watch
}

/// What of the wind blows along each row's course, and what across it, m/s.
#[inline(always)]
pub fn blow(
    [along, across]: [&mut [f32]; 2],
    [wind_east, wind_north]: [&[f32]; 2],
    [east, north, windage]: [&[f32]; 3],
) {
    let n = along.len();
    let (across, windage) = (&mut across[..n], &windage[..n]);
    let (wind_east, wind_north) = (&wind_east[..n], &wind_north[..n]);
    let (east, north) = (&east[..n], &north[..n]);
    for i in 0..n {
        along[i] = windage[i] * (wind_east[i] * east[i] + wind_north[i] * north[i]);
        across[i] = windage[i] * (wind_east[i] * north[i] - wind_north[i] * east[i]);
    }
}

/// The ground speeds that the wind triangle leaves, m/s; nobody is blown backwards or aside.
#[inline(always)]
pub fn reach(target: &mut [f32], airspeed: &[f32], along: &[f32], across: &[f32]) {
    let n = target.len();
    let (airspeed, along, across) = (&airspeed[..n], &along[..n], &across[..n]);
    for i in 0..n {
        target[i] = reached(airspeed[i], along[i], across[i]);
    }
}

#[inline(always)]
pub fn reached(airspeed: f32, along: f32, across: f32) -> f32 {
    let square = airspeed * airspeed - across * across;
    let ahead = positive(along + positive(square).sqrt());
    if square > 0.0 { ahead } else { 0.0 }
}

/// New speeds, and how far each row moves (`moved`) in `dt` seconds. The same law as
/// [`super::super::motion::next_speed`].
#[inline(always)]
pub fn accelerate(
    speed: &mut [f32],
    remaining: &mut [f64],
    moved: &mut [f32],
    target: &[f32],
    [exit, acceleration]: [&[f32]; 2],
    dt: f32,
) {
    let n = speed.len();
    let (remaining, moved, target) = (&mut remaining[..n], &mut moved[..n], &target[..n]);
    let (exit, acceleration) = (&exit[..n], &acceleration[..n]);
    for i in 0..n {
        let (now, left, a) = (speed[i], remaining[i] as f32, acceleration[i]);
        let step = a * dt;
        let half = 0.5 * step;
        let radicand = half * half + exit[i] * exit[i] + 2.0 * a * left - step * now;
        let braking = positive(radicand).sqrt() - half;
        let wanted = lesser(now + step, greater(target[i], now - step));
        let next = positive(lesser(wanted, braking));
        let metres = 0.5 * (now + next) * dt;
        speed[i] = next;
        moved[i] = metres;
        remaining[i] -= f64::from(metres);
    }
}

/// One coordinate along one component of the direction.
#[inline(always)]
pub fn shift(coordinate: &mut [f64], direction: &[f32], moved: &[f32]) {
    let n = coordinate.len();
    let (direction, moved) = (&direction[..n], &moved[..n]);
    for i in 0..n {
        coordinate[i] += f64::from(direction[i]) * f64::from(moved[i]);
    }
}

/// Heights along the upward component, down to the ground.
#[inline(always)]
pub fn rise(height: &mut [f32], up: &[f32], moved: &[f32]) {
    let n = height.len();
    let (up, moved) = (&up[..n], &moved[..n]);
    for i in 0..n {
        height[i] = positive(height[i] + up[i] * moved[i]);
    }
}

/// A row's [`super::super::energy::PowerLaw`].
#[derive(Clone, Copy)]
pub struct Law<T> {
    pub slow_w: T,
    pub transition_mps: T,
    pub base_w: T,
    pub slope_w_per_mps: T,
}

impl Law<f32> {
    /// Watts at a ground speed in a wind along and across the course.
    #[inline(always)]
    pub fn watts(self, ground_mps: f32, along: f32, across: f32) -> f32 {
        let ahead = ground_mps - along;
        let airspeed = (ahead * ahead + across * across).sqrt();
        let fast_w = self.base_w + self.slope_w_per_mps * airspeed;
        if airspeed < self.transition_mps {
            self.slow_w
        } else {
            fast_w
        }
    }
}

/// Draws `dt` seconds of power at the mean speed from the batteries, to nothing at most.
#[inline(always)]
pub fn discharge(
    energy_wh: &mut [f64],
    law: Law<&[f32]>,
    moved: &[f32],
    along: &[f32],
    across: &[f32],
    dt: f32,
) {
    let n = energy_wh.len();
    let (moved, along, across) = (&moved[..n], &along[..n], &across[..n]);
    let (slow_w, transition_mps) = (&law.slow_w[..n], &law.transition_mps[..n]);
    let (base_w, slope_w_per_mps) = (&law.base_w[..n], &law.slope_w_per_mps[..n]);
    let (per_second, hours) = (1.0 / dt, f64::from(dt) / 3_600.0);
    for i in 0..n {
        let law = Law {
            slow_w: slow_w[i],
            transition_mps: transition_mps[i],
            base_w: base_w[i],
            slope_w_per_mps: slope_w_per_mps[i],
        };
        let watts = law.watts(moved[i] * per_second, along[i], across[i]);
        let left = energy_wh[i] - f64::from(watts) * hours;
        energy_wh[i] = if left > 0.0 { left } else { 0.0 };
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

#[inline(always)]
pub fn turn(heading: &mut [f32], course: &[f32], yaw_rate: &[f32], dt: f32) {
    let n = heading.len();
    let (course, yaw_rate) = (&course[..n], &yaw_rate[..n]);
    for i in 0..n {
        heading[i] = turned(heading[i], course[i], yaw_rate[i], dt);
    }
}

/// Rows whose battery is at or below the level to be told of.
#[inline(always)]
pub fn count_alarms(energy_wh: &[f64], alarm_wh: &[f32]) -> usize {
    let pairs = energy_wh.iter().zip(alarm_wh);
    pairs
        .map(|(&energy, &alarm)| usize::from(energy <= f64::from(alarm)))
        .sum()
}

// Plain compare and select: `f32::min` and `max` cost more for the sake of not-a-number.
#[inline(always)]
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn positive(a: f32) -> f32 {
    greater(a, 0.0)
}

/// A hash over the bits of rows, in four lanes: two for even rows, two for odd ones. Made
/// for telling runs apart, not for withstanding an adversary; the digest above it is
/// cryptographic.
#[derive(Clone, Copy)]
pub struct Fingerprint([u64; 4]);

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

impl Fingerprint {
    pub fn new(rows: usize) -> Self {
        let seed = rows as u64;
        Fingerprint([seed, !seed, seed ^ MULTIPLIER, !(seed ^ MULTIPLIER)])
    }

    /// The rows of one block, of which all but a chunk's last have an even number. Not inlined,
    /// so that the lanes stay in registers.
    #[inline(never)]
    pub fn fold(&mut self, drone: &[DroneId], [x, y, energy]: [&[f64]; 3], height: &[f32]) {
        let n = drone.len();
        let (x, y, height, energy) = (&x[..n], &y[..n], &height[..n], &energy[..n]);
        // A place is one word and the rest another, turned so that their lowest bits, in
        // which runs first differ, do not meet.
        let place = |i: usize| x[i].to_bits() ^ y[i].to_bits().rotate_left(32);
        let rest = |i: usize| {
            let named = u64::from(drone[i].0) << 32 | u64::from(height[i].to_bits());
            energy[i].to_bits() ^ named.rotate_left(20)
        };
        let [mut a, mut b, mut c, mut d] = self.0;
        for i in (1..n).step_by(2) {
            a = mix(a, place(i - 1));
            b = mix(b, rest(i - 1));
            c = mix(c, place(i));
            d = mix(d, rest(i));
        }
        if n % 2 == 1 {
            a = mix(a, place(n - 1));
            b = mix(b, rest(n - 1));
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
    use proptest::prelude::*;

    use super::super::super::motion::{Profile, next_speed};
    use super::super::super::weather::ground_speed;
    use super::*;

    /// Three rows, the last of which stands for all that come alone at a block's end.
    fn fingerprint(drones: [u32; 3], columns: [[f64; 3]; 3], heights: [f32; 3]) -> u64 {
        let mut fingerprint = Fingerprint::new(3);
        let [x, y, energy] = &columns;
        fingerprint.fold(&drones.map(DroneId), [x, y, energy], &heights);
        fingerprint.finish()
    }

    #[test]
    fn a_fingerprint_is_of_every_drone_its_place_its_height_and_its_battery() {
        let drones = [3, 4, 5];
        let columns = [[1_500.0, 20.0, -0.5], [-2_000.0, 10.0, 9.0], [31.5, 31.0, 7.0]];
        let heights = [70.0, 0.0, 110.0];
        let usual = fingerprint(drones, columns, heights);
        assert_eq!(fingerprint(drones, columns, heights), usual);
        for row in 0..3 {
            let mut others = drones;
            others[row] ^= 1;
            assert_ne!(fingerprint(others, columns, heights), usual, "row {row}");
            let mut higher = heights;
            higher[row] = f32::from_bits(higher[row].to_bits() ^ 1);
            assert_ne!(fingerprint(drones, columns, higher), usual, "row {row}");
            for column in 0..columns.len() {
                let mut other = columns;
                other[column][row] = f64::from_bits(other[column][row].to_bits() ^ 1);
                assert_ne!(
                    fingerprint(drones, other, heights),
                    usual,
                    "row {row}, column {column}"
                );
            }
            let mut moved = columns;
            moved.swap(0, 1);
            assert_ne!(fingerprint(drones, moved, heights), usual, "east for north");
        }
    }

    proptest! {
        #[test]
        fn passes_follow_the_laws_of_planners(
            airspeed in 8.0..31.0f64, wind in (-9.0..9.0f64, -9.0..9.0f64), course in 0.0..6.2f64,
            speed in 0.0..40.0f64, left in 5.0..9_000.0f64, exit in 0.0..3.0f64,
        ) {
            let (north, east) = libm::sincos(course);
            let (mut along, mut across, mut target) = ([0.0], [0.0], [0.0]);
            blow(
                [&mut along, &mut across],
                [&[wind.0 as f32], &[wind.1 as f32]],
                [&[east as f32], &[north as f32], &[1.0]],
            );
            reach(&mut target, &[airspeed as f32], &along, &across);
            match ground_speed(airspeed, wind, (east, north)) {
                Some(planned) => prop_assert!((f64::from(target[0]) - planned).abs() < 1e-3, "{planned}"),
                None => prop_assert!(target[0] < 1.001, "{}", target[0]),
            }
            let profile = Profile { target: f64::from(target[0]), exit, acceleration: 2.5 };
            let planned = next_speed(speed, left, profile, 0.1);
            let (mut speeds, mut remaining, mut moved) = ([speed as f32], [left], [0.0]);
            accelerate(&mut speeds, &mut remaining, &mut moved, &target, [&[exit as f32], &[2.5]], 0.1);
            prop_assert!((f64::from(speeds[0]) - planned).abs() < 1e-3, "{} {planned}", speeds[0]);
            prop_assert!((left - remaining[0] - f64::from(moved[0])).abs() < 1e-9);
        }
    }
}
