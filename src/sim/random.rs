//! Randomness without state: Philox4x32-10, one stream per (seed, entity, purpose).

/// What the numbers are for; streams of different purposes never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    Demand = 1,
    DeliveryId = 2,
    ScatteredPlace = 3,
    Aloft = 4,
}

/// A stream of a counter-based generator. Implements rand's `TryRng`/`Rng`.
pub struct Stream {}

impl Stream {
    /// `entity` is whatever the numbers belong to: a tick, a drone, a name's hash.
    pub fn new(_seed: u64, _entity: u64, _purpose: Purpose) -> Self {
        todo!()
    }
    /// Uniform in [0, 1) with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        todo!()
    }
    /// Uniform in [low, high).
    pub fn uniform_in(&mut self, _low: f64, _high: f64) -> f64 {
        todo!()
    }
    /// Uniform in 0..n without bias; `n` > 0.
    pub fn below(&mut self, _n: u32) -> u32 {
        todo!()
    }
    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        todo!()
    }
    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        todo!()
    }
    /// Poisson with this mean (≥ 0).
    pub fn poisson(&mut self, _mean: f64) -> u32 {
        todo!()
    }
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        todo!()
    }
}
