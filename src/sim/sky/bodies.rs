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
            let flying = (0..chunk.len()).filter(|i| chunk.height[*i] >= ON_PAD_M);
            into.extend(flying.map(|i| body(chunk, i, look_ahead_s)));
        }
    }
}

pub(super) fn body(chunk: &Chunk, i: usize, look_ahead_s: f32) -> Body {
    let speed = chunk.speed[i];
    let left_s = chunk.remaining[i] as f32 / speed.max(1e-3);
    Body {
        drone: chunk.drone[i],
        x: chunk.x[i] as f32,
        y: chunk.y[i] as f32,
        height: chunk.height[i],
        east: speed * chunk.east[i],
        north: speed * chunk.north[i],
        up: speed * chunk.up[i],
        lasts_s: left_s.min(look_ahead_s),
    }
}
