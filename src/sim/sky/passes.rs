//! Passes over a block's columns, written so that the compiler vectorises them: no
//! branches, no calls but `sqrt`, single precision wherever nothing adds up, and no loop that
//! mixes single with double precision, since its width is that of the wider.

use std::f32::consts::{PI, TAU};

use super::columns::{BLOCK_ROWS, Column, Motions, STRIP_ROWS, TURN_ROWS};

/// What is left of each leg, metres.
#[inline(always)]
pub fn narrow(left: &mut Column<f32>, remaining: &Column<f64>) {
    for i in 0..STRIP_ROWS {
        left[i] = remaining[i] as f32;
    }
}

/// What a step of speeds only reads.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// Metres left of the leg.
    pub left: &'a Column<f32>,
    pub wind_east: &'a Column<f32>,
    pub wind_north: &'a Column<f32>,
    pub east: &'a Column<f32>,
    pub north: &'a Column<f32>,
    pub windage: &'a Column<f32>,
    pub airspeed: &'a Column<f32>,
    pub exit: &'a Column<f32>,
    pub acceleration: &'a Column<f32>,
    pub watch: &'a Column<f32>,
    pub law: Law<&'a Column<f32>>,
}

/// What a step of speeds comes to, row by row.
pub struct Stepped {
    /// How far each row goes on by itself: the tick, or none for one that is to be stepped alone.
    pub seconds: Column<f32>,
    /// How far it moves in them.
    pub moved: Column<f32>,
    /// What it draws.
    pub watts: Column<f32>,
}

impl Stepped {
    pub const NONE: Stepped = Stepped {
        seconds: [0.0; STRIP_ROWS],
        moved: [0.0; STRIP_ROWS],
        watts: [0.0; STRIP_ROWS],
    };
}

/// New speeds by the wind triangle, and by the same law as [`super::super::motion::next_speed`].
///
/// No row moves further in a tick than its speed takes it and `watch` besides. Those that may
/// come to the end of their leg, or are in a turn, stay as they are.
#[inline(always)]
pub fn accelerate(
    speed: &mut Column<f32>,
    Stepped {
        seconds,
        moved,
        watts,
    }: &mut Stepped,
    given: &Given<'_>,
    dt: f32,
) {
    let per_second = 1.0 / dt;
    for i in 0..STRIP_ROWS {
        let (now, left, a) = (speed[i], given.left[i], given.acceleration[i]);
        let is_alone = is_watched(left, now, given.watch[i], dt);
        let wind = (given.wind_east[i], given.wind_north[i]);
        let (along, across) = blown(wind, (given.east[i], given.north[i]), given.windage[i]);
        let target = reached(given.airspeed[i], along, across);
        let (step, exit) = (a * dt, given.exit[i]);
        let half = 0.5 * step;
        let radicand = half * half + exit * exit + 2.0 * a * left - step * now;
        let braking = positive(radicand).sqrt() - half;
        let wanted = lesser(now + step, greater(target, now - step));
        // Not a choice between the two speeds: that would be made a masked store, a slow one.
        let (floor, cap) = if is_alone {
            (now, now)
        } else {
            (0.0, f32::INFINITY)
        };
        let next = greater(lesser(lesser(wanted, braking), cap), floor);
        let metres = 0.5 * (now + next) * dt;
        let drawn = given.law.of(i).watts(metres * per_second, along, across);
        speed[i] = next;
        seconds[i] = if is_alone { 0.0 } else { dt };
        moved[i] = if is_alone { 0.0 } else { metres };
        watts[i] = if is_alone { 0.0 } else { drawn };
    }
}

#[inline(always)]
fn is_watched(left: f32, speed: f32, watch: f32, dt: f32) -> bool {
    const SPARE: f32 = 1.001;
    left <= SPARE * speed * dt + watch
}

/// What of the wind blows along a course, and what across it, m/s.
#[inline(always)]
pub fn blown((wind_east, wind_north): (f32, f32), (east, north): (f32, f32), windage: f32) -> (f32, f32) {
    let along = windage * (wind_east * east + wind_north * north);
    let across = windage * (wind_east * north - wind_north * east);
    (along, across)
}

/// The ground speed that the wind triangle leaves, m/s; nobody is blown backwards or aside.
#[inline(always)]
pub fn reached(airspeed: f32, along: f32, across: f32) -> f32 {
    let square = airspeed * airspeed - across * across;
    let ahead = positive(along + positive(square).sqrt());
    if square > 0.0 { ahead } else { 0.0 }
}

/// Over the ground along the direction, and on along the leg.
#[inline(always)]
pub fn travel(
    x: &mut Column<f64>,
    y: &mut Column<f64>,
    remaining: &mut Column<f64>,
    east: &Column<f32>,
    north: &Column<f32>,
    moved: &Column<f32>,
) {
    for i in 0..STRIP_ROWS {
        let metres = f64::from(moved[i]);
        x[i] += f64::from(east[i]) * metres;
        y[i] += f64::from(north[i]) * metres;
        remaining[i] -= metres;
    }
}

/// Heights along the upward component, down to the ground.
#[inline(always)]
pub fn rise(height: &mut Column<f32>, up: &Column<f32>, moved: &Column<f32>) {
    for i in 0..STRIP_ROWS {
        height[i] = positive(height[i] + up[i] * moved[i]);
    }
}

/// A row's [`super::super::energy::PowerLaw`], or a block's.
#[derive(Clone, Copy)]
pub struct Law<T> {
    pub slow_w: T,
    pub transition_mps: T,
    pub base_w: T,
    pub slope_w_per_mps: T,
}

impl Law<&Column<f32>> {
    #[inline(always)]
    fn of(&self, i: usize) -> Law<f32> {
        Law {
            slow_w: self.slow_w[i],
            transition_mps: self.transition_mps[i],
            base_w: self.base_w[i],
            slope_w_per_mps: self.slope_w_per_mps[i],
        }
    }
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

/// Draws `dt` seconds of power from the batteries, to nothing at most. Answers how many of them
/// are at or below the level to be told of.
#[inline(always)]
pub fn discharge(energy_wh: &mut Column<f64>, watts: &Column<f32>, alarm_wh: &Column<f32>, dt: f32) -> u64 {
    let hours = f64::from(dt) / 3_600.0;
    let mut low = 0;
    for i in 0..STRIP_ROWS {
        let left = energy_wh[i] - f64::from(watts[i]) * hours;
        let left = if left > 0.0 { left } else { 0.0 };
        energy_wh[i] = left;
        low += u64::from(left <= f64::from(alarm_wh[i]));
    }
    low
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

/// Those who may have to turn; of whom nobody did, they are left alone from then on.
#[inline(always)]
pub fn turn(
    heading: &mut Column<f32>,
    course: &Column<f32>,
    yaw_rate: &Column<f32>,
    seconds: &Column<f32>,
    turning: &mut [bool],
) {
    let heading = heading.as_chunks_mut::<TURN_ROWS>().0;
    let given = [course, yaw_rate, seconds].map(|column| column.as_chunks::<TURN_ROWS>().0);
    for (rows, turning) in turning.iter_mut().enumerate().filter(|(_, turning)| **turning) {
        let [course, yaw_rate, seconds] = given.map(|column| &column[rows]);
        let mut changed = 0;
        for (i, heading) in heading[rows].iter_mut().enumerate() {
            let next = turned(*heading, course[i], yaw_rate[i], seconds[i]);
            changed |= next.to_bits() ^ heading.to_bits();
            *heading = next;
        }
        *turning = changed != 0;
    }
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
    pub fn fold(&mut self, motions: &Motions, rows: usize) {
        let Motions {
            drone,
            x,
            y,
            height,
            energy_wh,
            ..
        } = motions;
        // A place is one word and the rest another, turned so that their lowest bits, in
        // which runs first differ, do not meet.
        let place = |i: usize| x[i].to_bits() ^ y[i].to_bits().rotate_left(32);
        let rest = |i: usize| {
            let named = u64::from(drone[i].0) << 32 | u64::from(height[i].to_bits());
            energy_wh[i].to_bits() ^ named.rotate_left(20)
        };
        let [mut a, mut b, mut c, mut d] = self.0;
        for i in (1..rows.min(BLOCK_ROWS)).step_by(2) {
            a = mix(a, place(i - 1));
            b = mix(b, rest(i - 1));
            c = mix(c, place(i));
            d = mix(d, rest(i));
        }
        if rows % 2 == 1 {
            a = mix(a, place(rows - 1));
            b = mix(b, rest(rows - 1));
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
    use super::super::columns::Motion;
    use super::*;

    use super::super::super::ids::DroneId;

    /// Three rows, the last of which stands for all that come alone at a block's end.
    fn fingerprint(drones: [u32; 3], [x, y, energy]: [[f64; 3]; 3], heights: [f32; 3]) -> u64 {
        let mut fingerprint = Fingerprint::new(3);
        let mut motions = Motions::of(&Motion::AT_REST);
        motions.drone[..3].copy_from_slice(&drones.map(DroneId));
        motions.x[..3].copy_from_slice(&x);
        motions.y[..3].copy_from_slice(&y);
        motions.energy_wh[..3].copy_from_slice(&energy);
        motions.height[..3].copy_from_slice(&heights);
        fingerprint.fold(&motions, 3);
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
            let (along, across) = blown((wind.0 as f32, wind.1 as f32), (east as f32, north as f32), 1.0);
            let target = reached(airspeed as f32, along, across);
            match ground_speed(airspeed, wind, (east, north)) {
                Some(planned) => prop_assert!((f64::from(target) - planned).abs() < 1e-3, "{planned}"),
                None => prop_assert!(target < 1.001, "{target}"),
            }
            let profile = Profile { target: f64::from(target), exit, acceleration: 2.5 };
            let planned = next_speed(speed, left, profile, 0.1);
            let all = |of: f64| [of as f32; STRIP_ROWS];
            let (mut speeds, mut stepped) = (all(speed), Stepped::NONE);
            let given = Given {
                left: &all(left),
                wind_east: &all(wind.0),
                wind_north: &all(wind.1),
                east: &all(east),
                north: &all(north),
                windage: &all(1.0),
                airspeed: &all(airspeed),
                exit: &all(exit),
                acceleration: &all(2.5),
                watch: &all(f64::NEG_INFINITY),
                law: Law { slow_w: &all(900.0), transition_mps: &all(7.0), base_w: &all(40.0), slope_w_per_mps: &all(9.0) },
            };
            accelerate(&mut speeds, &mut stepped, &given, 0.1);
            prop_assert!((f64::from(speeds[0]) - planned).abs() < 1e-3, "{} {planned}", speeds[0]);
            let mean = 0.5 * (speed + planned);
            prop_assert!((f64::from(stepped.moved[0]) - 0.1 * mean).abs() < 1e-3, "{mean}");
        }
    }
}
