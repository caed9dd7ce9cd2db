//! Randomness without state: Philox4x32-10, one stream per (seed, entity, purpose).
//!
//! A counter-based generator (Salmon et al. 2011, "Parallel Random Numbers: As Easy as
//! 1, 2, 3"): the numbers are a function of key and counter, so nobody shares a
//! generator and the order in which entities draw changes nothing. Not for secrets.

use std::convert::Infallible;
use std::f64::consts::TAU;

use rand::rand_core::{Rng, TryRng};

/// What the numbers are for; streams of different purposes never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    Demand = 1,
    DeliveryId = 2,
    ScatteredPlace = 3,
    Aloft = 4,
    Carrier = 5,
    Backoff = 8,
    Recipient = 6,
    Victim = 9,
    Gust = 10,
    Forecast = 11,
    Preparation = 12,
    RainForecast = 13,
    WindShift = 14,
    Cycles = 15,
    /// What a capacity test asks for, and when.
    Load = 16,
}

/// A stream of 2³⁴ words. Implements rand's `TryRng`/`Rng`.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    /// Block number, entity (low, high), purpose.
    counter: [u32; 4],
    block: [u32; 4],
    /// How many words of `block` are spent.
    spent: usize,
}

impl Stream {
    /// `entity` is whatever the numbers belong to: a tick, a drone, a name's hash.
    pub fn new(seed: u64, entity: u64, purpose: Purpose) -> Self {
        Stream {
            key: [seed as u32, (seed >> 32) as u32],
            counter: [0, entity as u32, (entity >> 32) as u32, purpose as u32],
            block: [0; 4],
            spent: 4,
        }
    }

    /// Uniform in [0, 1) with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * SCALE
    }

    /// Uniform in [low, high).
    pub fn uniform_in(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..n without bias; `n` > 0. (Lemire 2019.)
    pub fn below(&mut self, n: u32) -> u32 {
        let biased_below = n.wrapping_neg() % n;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            if product as u32 >= biased_below {
                return (product >> 32) as u32;
            }
        }
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.uniform())
    }

    /// Standard normal. (Box and Muller 1958; the second value is not kept.)
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * libm::cos(TAU * self.uniform())
    }

    /// Poisson with this mean (≥ 0), exact: arrivals of a unit-rate process before
    /// `mean`. Costs as many draws as it counts.
    pub fn poisson(&mut self, mean: f64) -> u32 {
        let mut arrivals = 0;
        let mut at = self.exponential();
        while at < mean {
            arrivals += 1;
            at += self.exponential();
        }
        arrivals
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if self.spent == 4 {
            self.block = philox4x32_10(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.spent = 0;
        }
        let word = self.block[self.spent];
        self.spent += 1;
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.try_next_u32()?;
        let high = self.try_next_u32()?;
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let left = u64::from(counter[0]) * u64::from(MULTIPLIERS[0]);
        let right = u64::from(counter[2]) * u64::from(MULTIPLIERS[1]);
        counter = [
            (right >> 32) as u32 ^ counter[1] ^ key[0],
            right as u32,
            (left >> 32) as u32 ^ counter[3] ^ key[1],
            left as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        let answers = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in answers {
            assert_eq!(philox4x32_10(counter, key), expected);
        }
    }

    #[test]
    fn streams_differ_by_seed_entity_and_purpose_and_repeat() {
        let first = |seed, entity, purpose| Stream::new(seed, entity, purpose).bytes::<16>();
        let base = first(1, 2, Purpose::Demand);
        assert_eq!(base, first(1, 2, Purpose::Demand));
        for other in [
            first(1 << 32, 2, Purpose::Demand),
            first(1, 2 << 32, Purpose::Demand),
            first(1, 2, Purpose::Aloft),
        ] {
            assert_ne!(base, other);
        }
    }

    /// Mean and variance of many draws.
    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        const DRAWS: u32 = 40_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..DRAWS {
            let value = draw();
            sum += value;
            squares += value * value;
        }
        let mean = sum / f64::from(DRAWS);
        (mean, squares / f64::from(DRAWS) - mean * mean)
    }

    #[test]
    fn samplers_have_the_moments_of_their_distributions() {
        let mut stream = Stream::new(7, 0, Purpose::Demand);
        let close = |(mean, variance): (f64, f64), expected: (f64, f64)| {
            let scale = expected.1.sqrt();
            assert!((mean - expected.0).abs() < 0.03 * scale, "{mean} {expected:?}");
            assert!(
                (variance / expected.1 - 1.0).abs() < 0.05,
                "{variance} {expected:?}"
            );
        };
        close(moments(|| stream.uniform()), (0.5, 1.0 / 12.0));
        close(moments(|| stream.exponential()), (1.0, 1.0));
        close(moments(|| stream.normal()), (0.0, 1.0));
        close(moments(|| f64::from(stream.poisson(0.3))), (0.3, 0.3));
        close(moments(|| f64::from(stream.poisson(40.0))), (40.0, 40.0));
        close(moments(|| f64::from(stream.below(7))), (3.0, 4.0));
    }

    #[test]
    fn poisson_is_exact_for_means_beyond_what_exp_can_hold() {
        let count = Stream::new(1, 1, Purpose::Demand).poisson(2_000.0);
        assert!((1_700..2_300).contains(&count), "{count}");
        assert_eq!(Stream::new(1, 1, Purpose::Demand).poisson(0.0), 0);
    }

    #[test]
    fn below_stays_below_even_where_rejection_is_likely() {
        let mut stream = Stream::new(3, 0, Purpose::Aloft);
        let n = (1 << 31) + 1;
        assert!((0..1_000).all(|_| stream.below(n) < n));
        assert_eq!(stream.below(1), 0);
    }
}
