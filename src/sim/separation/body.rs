//! One drone in the air as separation sees it, and what two of them come to.
//!
//! Single precision: to a centimetre over a city. Plain sums, products and square roots, so
//! that the same pair gives the same bits whatever grid found it.

use serde::{Deserialize, Serialize};

use super::super::ids::DroneId;
use super::Rules;

/// Metres east, north and above ground, and the velocity over the ground, m/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub drone: DroneId,
    pub x: f32,
    pub y: f32,
    pub height: f32,
    pub east: f32,
    pub north: f32,
    pub up: f32,
    /// So long its present leg goes on, at most as far as is looked ahead, seconds: beyond its
    /// end its velocity says nothing.
    pub lasts_s: f32,
}

/// The minima, single precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minima {
    pub horizontal_m: f32,
    pub vertical_m: f32,
    pub look_ahead_s: f32,
}

impl Minima {
    pub fn of(rules: &Rules) -> Self {
        Minima {
            horizontal_m: rules.horizontal_m as f32,
            vertical_m: rules.vertical_m as f32,
            look_ahead_s: rules.look_ahead.as_secs() as f32,
        }
    }
}

/// How close two are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    pub horizontal_m: f32,
    pub vertical_m: f32,
}

impl Closeness {
    /// 0 at the edge of the minima, 1 in the same place: the lesser of how far either is
    /// undercut, as BlueSky has it.
    pub fn depth(self, minima: Minima) -> f32 {
        let level = 1.0 - self.horizontal_m / minima.horizontal_m;
        let upright = 1.0 - self.vertical_m / minima.vertical_m;
        level.min(upright)
    }
}

impl Body {
    /// Where it will be, if nothing changes.
    pub fn after(&self, seconds: f32) -> (f32, f32) {
        (self.x + self.east * seconds, self.y + self.north * seconds)
    }

    /// How close they are where that is a loss of separation.
    pub fn lost(&self, other: &Body, minima: Minima) -> Option<Closeness> {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let vertical_m = (other.height - self.height).abs();
        let square = dx * dx + dy * dy;
        // Both at once: a branch for each costs more.
        let is_lost = (square < minima.horizontal_m * minima.horizontal_m) & (vertical_m < minima.vertical_m);
        is_lost.then(|| Closeness {
            horizontal_m: square.sqrt(),
            vertical_m,
        })
    }

    /// In how many seconds they lose separation if both go on as they do, 0 where they have;
    /// `None` where they do not before one of them is at the end of its leg, or as far as is
    /// looked ahead.
    #[inline]
    pub fn meets(&self, other: &Body, minima: Minima) -> Option<f32> {
        let is_near = self.approaches(other, minima);
        is_near.then(|| self.meets_near(other, minima)).flatten()
    }

    /// The same of one that it approaches.
    #[inline]
    pub fn meets_near(&self, other: &Body, minima: Minima) -> Option<f32> {
        let (enters, leaves) = self.too_close(other, minima)?;
        let lasts_s = self.lasts_s.min(other.lasts_s);
        let is_in_time = enters <= 0.0 || enters < lasts_s;
        (leaves > 0.0 && is_in_time).then(|| enters.max(0.0))
    }

    /// Whether they are too close or will be in time, as far as that is known without a division;
    /// most pairs are not.
    #[inline(always)]
    pub fn approaches(&self, other: &Body, minima: Minima) -> bool {
        let (rise, up) = (other.height - self.height, other.up - self.up);
        // All at once: a branch for each costs more.
        self.approaches_level(other, minima) & ((rise.abs() < minima.vertical_m) | (rise * up < 0.0))
    }

    /// The same whatever their heights.
    #[inline(always)]
    pub fn approaches_level(&self, other: &Body, minima: Minima) -> bool {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let (vx, vy) = (other.east - self.east, other.north - self.north);
        let Crossing {
            square,
            speed,
            closing,
        } = crossing((dx, dy), (vx, vy), minima.horizontal_m);
        let radicand = closing * closing - speed * square;
        // How far they are from the closest then, times their speed; rounded to the near side.
        let lasts_s = self.lasts_s.min(other.lasts_s);
        let late = -closing * (1.0 - ROUNDING) - speed * lasts_s * (1.0 + ROUNDING);
        let is_in_time = (late <= 0.0) | (late * late <= radicand * (1.0 + ROUNDING));
        (square < 0.0) | ((closing < 0.0) & (radicand > 0.0) & is_in_time)
    }

    /// From when until when they are, in seconds from now, if both went on for ever.
    pub fn too_close(&self, other: &Body, minima: Minima) -> Option<(f32, f32)> {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let (vx, vy) = (other.east - self.east, other.north - self.north);
        let level = within_disc((dx, dy), (vx, vy), minima.horizontal_m)?;
        let (rise, up) = (other.height - self.height, other.up - self.up);
        let upright = within_slab(rise, up, minima.vertical_m)?;
        let (enters, leaves) = (level.0.max(upright.0), level.1.min(upright.1));
        (enters < leaves).then_some((enters, leaves))
    }
}

/// More than what single precision makes of a few sums and products.
const ROUNDING: f32 = 1e-5;

/// Slower than this past one another, two stay as far apart as they are, m/s.
const STILL_MPS: f32 = 1e-3;

/// Of a point that flies past the origin: the square of its distance beyond a radius, that of its
/// speed, and how fast it comes nearer, times its distance.
struct Crossing {
    square: f32,
    speed: f32,
    closing: f32,
}

#[inline(always)]
fn crossing((dx, dy): (f32, f32), (vx, vy): (f32, f32), radius: f32) -> Crossing {
    Crossing {
        square: dx * dx + dy * dy - radius * radius,
        speed: vx * vx + vy * vy,
        closing: dx * vx + dy * vy,
    }
}

/// From when until when a point is within a radius of the origin.
fn within_disc(at: (f32, f32), velocity: (f32, f32), radius: f32) -> Option<(f32, f32)> {
    let Crossing {
        square,
        speed,
        closing,
    } = crossing(at, velocity, radius);
    if speed < STILL_MPS * STILL_MPS {
        return (square < 0.0).then_some((f32::NEG_INFINITY, f32::INFINITY));
    }
    let radicand = closing * closing - speed * square;
    if radicand <= 0.0 {
        return None;
    }
    let half = radicand.sqrt();
    Some(((-closing - half) / speed, (half - closing) / speed))
}

fn within_slab(distance: f32, speed: f32, half: f32) -> Option<(f32, f32)> {
    if speed.abs() < STILL_MPS {
        return (distance.abs() < half).then_some((f32::NEG_INFINITY, f32::INFINITY));
    }
    let (one, other) = ((-half - distance) / speed, (half - distance) / speed);
    Some((one.min(other), one.max(other)))
}

/// Two drones as one number, the lower one first: pairs are sorted by it. One drone twice stands for
/// it and whoever is around a hub with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair(u64);

impl Pair {
    pub fn of(one: DroneId, other: DroneId) -> Self {
        let (low, high) = (one.0.min(other.0), one.0.max(other.0));
        Pair(u64::from(low) << 32 | u64::from(high))
    }

    pub fn drones(self) -> [DroneId; 2] {
        [DroneId((self.0 >> 32) as u32), DroneId(self.0 as u32)]
    }
}
