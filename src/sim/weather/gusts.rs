//! Gusts: for each weather cell an Ornstein–Uhlenbeck process around the mean.
//!
//! Stepped exactly, whatever the tick: with a = exp(−dt/τ), what is left of the gust is a
//! times what it was, and the rest is drawn. Who flies feels them; nobody plans with them.

use serde::{Deserialize, Serialize};

use super::{Weather, Wind};
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::Tick;

/// How far the wind of each cell is from its mean now; empty where there are no gusts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Gusts(Vec<Wind>);

impl Gusts {
    /// As they may be found at any moment.
    pub fn new(weather: &Weather, seed: u64) -> Self {
        if weather.gust_mps == 0.0 {
            return Gusts::default();
        }
        let drawn = |cell| draw(seed, cell, 0, weather.gust_mps);
        Gusts((0..weather.cells()).map(drawn).collect())
    }

    /// On to the end of this tick, which is `dt_s` seconds long.
    pub fn step(&mut self, weather: &Weather, seed: u64, tick: Tick, dt_s: f64) {
        let kept = libm::exp(-dt_s / weather.gust_time_s);
        let drawn_mps = weather.gust_mps * (1.0 - kept * kept).sqrt();
        for (cell, (east, north)) in self.0.iter_mut().enumerate() {
            let drawn = draw(seed, cell, tick, drawn_mps);
            (*east, *north) = (kept * *east + drawn.0, kept * *north + drawn.1);
        }
    }

    pub fn of(&self, cell: usize) -> Wind {
        self.0.get(cell).copied().unwrap_or_default()
    }
}

fn draw(seed: u64, cell: usize, tick: Tick, deviation_mps: f64) -> Wind {
    let mut stream = Stream::new(seed, (cell as u64) << 40 | tick, Purpose::Gust);
    let (east, north) = (stream.normal(), stream.normal());
    (deviation_mps * east, deviation_mps * north)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 11;

    fn gusty() -> Weather {
        Weather {
            gust_mps: 1.5,
            gust_time_s: 30.0,
            ..Weather::steady(5.0, 0.0, 1.225)
        }
    }

    /// One component, tick by tick.
    fn trace(ticks: u64, dt_s: f64) -> Vec<f64> {
        let weather = gusty();
        let mut gusts = Gusts::new(&weather, SEED);
        let next = |tick| {
            gusts.step(&weather, SEED, tick, dt_s);
            gusts.of(0).1
        };
        (1..=ticks).map(next).collect()
    }

    fn correlation(trace: &[f64], lag: usize) -> f64 {
        let pairs = trace.iter().zip(&trace[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / (trace.len() - lag) as f64
    }

    #[test]
    fn gusts_have_their_deviation_and_fade_with_their_time() {
        // 200,000 s are 3,300 independent gusts: 2.5 % on the variance, thrice over.
        for dt_s in [0.5, 5.0] {
            let trace = trace((200_000.0 / dt_s) as u64, dt_s);
            let mean = trace.iter().sum::<f64>() / trace.len() as f64;
            assert!(mean.abs() < 0.12, "{mean}");
            let variance = correlation(&trace, 0);
            assert!((variance / 2.25 - 1.0).abs() < 0.08, "{variance}");
            let after = |seconds: f64| correlation(&trace, (seconds / dt_s) as usize) / variance;
            assert!((after(30.0) - libm::exp(-1.0)).abs() < 0.06, "{}", after(30.0));
            assert!(
                (after(10.0) - libm::exp(-1.0 / 3.0)).abs() < 0.06,
                "{}",
                after(10.0)
            );
            assert!(after(200.0).abs() < 0.1, "{}", after(200.0));
        }
    }

    #[test]
    fn a_step_is_the_same_from_the_same_state_and_cells_gust_apart() {
        let weather = Weather {
            mean: super::super::Field::new(
                (0.0, 0.0),
                Vec::new(),
                super::super::Grid {
                    columns: 2,
                    ..super::super::Grid::WHOLE
                },
            ),
            ..gusty()
        };
        let mut gusts = Gusts::new(&weather, SEED);
        gusts.step(&weather, SEED, 1, 0.1);
        let mut restored: Gusts = postcard::from_bytes(&postcard::to_stdvec(&gusts).unwrap()).unwrap();
        gusts.step(&weather, SEED, 2, 0.1);
        restored.step(&weather, SEED, 2, 0.1);
        assert_eq!(gusts.of(1), restored.of(1));
        assert_ne!(gusts.of(0), gusts.of(1));
        assert_ne!(
            Gusts::new(&weather, SEED + 1).of(0),
            Gusts::new(&weather, SEED).of(0)
        );
        let calm = Gusts::new(&Weather::steady(5.0, 0.0, 1.225), SEED);
        assert_eq!(calm.of(0), (0.0, 0.0));
    }
}
