//! Bodies side by side, eight at a time, so that one of them is held against eight others at
//! once: whether they may lose separation in time at all, which most pairs do not. What it takes
//! beyond that is asked of each pair by itself.

use super::super::ids::DroneId;
use super::body::{Body, Minima};

pub const LANES: usize = 8;
type Lanes = [f32; LANES];

/// Lanes in which nobody was put mean nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Eight {
    x: Lanes,
    y: Lanes,
    height: Lanes,
    east: Lanes,
    north: Lanes,
    up: Lanes,
    lasts_s: Lanes,
}

impl Eight {
    #[inline(always)]
    pub fn put(&mut self, lane: usize, body: &Body) {
        self.x[lane] = body.x;
        self.y[lane] = body.y;
        self.height[lane] = body.height;
        self.east[lane] = body.east;
        self.north[lane] = body.north;
        self.up[lane] = body.up;
        self.lasts_s[lane] = body.lasts_s;
    }

    /// A byte for each, 1 if the one approaches it, see [`Body::approaches`]; the first is the
    /// lowest. Bytes are had from lanes by packing, bits would have to be added up.
    #[inline(always)]
    pub fn approached_by(&self, one: &Body, minima: Minima) -> u64 {
        let mut are_approached = [0_u8; LANES];
        for (lane, is_approached) in are_approached.iter_mut().enumerate() {
            let other = Body {
                drone: DroneId(0),
                x: self.x[lane],
                y: self.y[lane],
                height: self.height[lane],
                east: self.east[lane],
                north: self.north[lane],
                up: self.up[lane],
                lasts_s: self.lasts_s[lane],
            };
            *is_approached = u8::from(one.approaches(&other, minima));
        }
        u64::from_le_bytes(are_approached)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::random::{Purpose, Stream};
    use super::*;

    #[test]
    fn eight_at_once_are_approached_as_each_alone_is() {
        let mut stream = Stream::new(3, 0, Purpose::Aloft);
        let mut within = |side: f64| ((stream.uniform() - 0.5) * side) as f32;
        let minima = Minima {
            horizontal_m: 50.0,
            vertical_m: 15.0,
            look_ahead_s: 20.0,
        };
        let mut body = |drone| Body {
            drone: DroneId(drone),
            x: within(400.0),
            y: within(400.0),
            height: 70.0 + within(50.0),
            east: within(60.0),
            north: within(60.0),
            up: within(6.0),
            lasts_s: 10.0 + within(20.0),
        };
        let mut approached = 0;
        for turn in 0..500 {
            let one = body(0);
            let others: [Body; LANES] = std::array::from_fn(|lane| body(1 + lane as u32));
            let mut eight = Eight::default();
            for (lane, other) in others.iter().enumerate() {
                eight.put(lane, other);
            }
            let bytes = eight.approached_by(&one, minima);
            for (lane, other) in others.iter().enumerate() {
                let is_approached = bytes >> (8 * lane) & 0xff == 1;
                assert_eq!(
                    is_approached,
                    one.approaches(other, minima),
                    "turn {turn}, lane {lane}"
                );
                approached += u32::from(is_approached);
            }
        }
        assert!((100..3_000).contains(&approached), "{approached} of 4,000");
    }
}
