//! All who are in the air, as separation sees them.

use super::super::separation::{Body, ON_PAD_M};
use super::Sky;
use super::columns::Chunk;

impl Sky {
    /// Everyone above the pads, in the columns' order, each with how long its present leg goes
    /// on, at most `look_ahead_s`.
    pub fn bodies(&self, look_ahead_s: f32, into: &mut Vec<Body>) {
        into.clear();
        into.reserve(self.airborne_count());
        for chunk in &self.chunks {
            let flying = (0..chunk.len()).filter(|i| chunk.motion(*i).height >= ON_PAD_M);
            into.extend(flying.map(|i| body(chunk, i, look_ahead_s)));
        }
    }
}

pub(super) fn body(chunk: &Chunk, i: usize, look_ahead_s: f32) -> Body {
    let motion = chunk.motion(i);
    let speed = motion.speed;
    let left_s = motion.remaining as f32 / speed.max(1e-3);
    Body {
        drone: motion.drone,
        x: motion.x as f32,
        y: motion.y as f32,
        height: motion.height,
        east: speed * motion.east,
        north: speed * motion.north,
        up: speed * motion.up,
        lasts_s: left_s.min(look_ahead_s),
    }
}
