//! How throughput grows with concurrency: Gunther's Universal Scalability Law, fitted to measured
//! levels of load, and what follows from it.
//!
//! X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), with λ the throughput of one at a time, σ the share
//! that has to queue (contention) and κ the cost of agreeing (coherency); N. J. Gunther, *Guerrilla
//! Capacity Planning*, 2007. Concurrency is measured (Little's law: throughput times time in the
//! system), never the number of clients.

/// One level of load in its steady state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Requests in the system on average.
    pub concurrency: f64,
    pub throughput_per_s: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// λ, requests a second.
    pub alone_per_s: f64,
    /// σ
    pub contention: f64,
    /// κ
    pub coherency: f64,
}

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    pub law: Law,
    /// Share of the variance of throughput that the law explains.
    pub r_squared: f64,
    /// Throughput at Kleinrock's knee, where throughput divided by time in the system is greatest.
    pub knee: Estimate,
    /// Greatest throughput of all; none where the law has no peak.
    pub peak: Option<Estimate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFit {
    #[error("a fit needs {LEAST_LEVELS} levels, and {0} came to a steady state")]
    TooFew(usize),
    #[error("concurrency did not grow fourfold between the levels")]
    TooNarrow,
    #[error("the law explains less than nine tenths of what was measured")]
    TooLoose,
}

/// Three parameters are fitted, and as many levels more say whether they are right.
pub const LEAST_LEVELS: usize = 6;
/// Greatest concurrency over the least.
const LEAST_SPAN: f64 = 4.0;
const LEAST_R_SQUARED: f64 = 0.9;

impl Law {
    pub fn throughput_per_s(&self, concurrency: f64) -> f64 {
        let n = concurrency;
        self.alone_per_s * n / (1.0 + self.contention * (n - 1.0) + self.coherency * n * (n - 1.0))
    }

    /// Where X²/N is greatest, from 1 − σ = (σ − κ)N + 3κN²; infinite without any cost.
    pub fn knee(&self) -> f64 {
        let (sigma, kappa) = (self.contention, self.coherency);
        let linear = sigma - kappa;
        if kappa == 0.0 {
            return (1.0 - sigma).max(0.0) / sigma;
        }
        let discriminant = linear * linear + 12.0 * kappa * (1.0 - sigma).max(0.0);
        (discriminant.sqrt() - linear) / (6.0 * kappa)
    }

    /// Where throughput is greatest; infinite where it only comes closer to a limit.
    pub fn peak(&self) -> f64 {
        ((1.0 - self.contention).max(0.0) / self.coherency).sqrt()
    }

    /// N/X is linear in the law's parameters. Errors of X are taken for shares of it. A parameter
    /// that would be negative is none at all.
    fn of(levels: &[Level]) -> Option<Law> {
        let both = [(true, true), (true, false), (false, true), (false, false)];
        both.into_iter()
            .filter_map(|(contends, agrees)| {
                let law = Law::with(levels, contends, agrees)?;
                let fits = law.alone_per_s > 0.0 && law.contention >= 0.0 && law.coherency >= 0.0;
                fits.then(|| (law.error(levels), law))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, law)| law)
    }

    fn with(levels: &[Level], contends: bool, agrees: bool) -> Option<Law> {
        let mut normal = [[0.0; 4]; 3];
        for level in levels {
            let n = level.concurrency;
            let y = n / level.throughput_per_s;
            let one = |is_there: bool, value: f64| if is_there { value / y } else { 0.0 };
            let row = [1.0 / y, one(contends, n - 1.0), one(agrees, n * (n - 1.0))];
            for i in 0..3 {
                for j in 0..3 {
                    normal[i][j] += row[i] * row[j];
                }
                normal[i][3] += row[i];
            }
        }
        // What is left out has a parameter of nothing.
        for (i, is_there) in [true, contends, agrees].into_iter().enumerate() {
            if !is_there {
                normal[i][i] = 1.0;
            }
        }
        let [a, b, c] = solve(normal)?;
        Some(Law {
            alone_per_s: 1.0 / a,
            contention: b / a,
            coherency: c / a,
        })
    }

    /// Sum of squared relative errors.
    fn error(&self, levels: &[Level]) -> f64 {
        levels
            .iter()
            .map(|level| square(self.throughput_per_s(level.concurrency) / level.throughput_per_s - 1.0))
            .sum()
    }
}

fn square(value: f64) -> f64 {
    value * value
}

/// Gaussian elimination with pivots; the last column is the right-hand side.
fn solve(mut rows: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let pivot = (column..3).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let pivot_row = rows[column];
        if pivot_row[column].abs() < f64::MIN_POSITIVE {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column {
                let factor = row[column] / pivot_row[column];
                for (value, of_pivot) in row.iter_mut().zip(pivot_row) {
                    *value -= factor * of_pivot;
                }
            }
        }
    }
    Some([0, 1, 2].map(|index| rows[index][3] / rows[index][index]))
}

impl Fit {
    /// Intervals are the jackknife's (Student's t): the law fitted anew without each level.
    ///
    /// # Errors
    /// Levels that say too little, or something else than the law.
    pub fn of(levels: &[Level]) -> Result<Fit, NoFit> {
        let usable = |level: &&Level| level.concurrency > 0.0 && level.throughput_per_s > 0.0;
        let levels: Vec<Level> = levels.iter().filter(usable).copied().collect();
        if levels.len() < LEAST_LEVELS {
            return Err(NoFit::TooFew(levels.len()));
        }
        let of = |pick: fn(f64, f64) -> f64| levels.iter().map(|level| level.concurrency).reduce(pick);
        let (least, most) = (of(f64::min), of(f64::max));
        if least
            .zip(most)
            .is_none_or(|(least, most)| most < LEAST_SPAN * least)
        {
            return Err(NoFit::TooNarrow);
        }
        let law = Law::of(&levels).ok_or(NoFit::TooLoose)?;
        let r_squared = r_squared(&law, &levels);
        if r_squared < LEAST_R_SQUARED {
            return Err(NoFit::TooLoose);
        }
        let others: Vec<Law> = (0..levels.len())
            .filter_map(|left_out| {
                let mut rest = levels.clone();
                rest.remove(left_out);
                Law::of(&rest)
            })
            .collect();
        let knee = |law: &Law| law.throughput_per_s(law.knee());
        let peak = |law: &Law| law.throughput_per_s(law.peak());
        Ok(Fit {
            law,
            r_squared,
            knee: estimate(&law, &others, knee).ok_or(NoFit::TooLoose)?,
            peak: estimate(&law, &others, peak),
        })
    }
}

fn r_squared(law: &Law, levels: &[Level]) -> f64 {
    let mean = levels.iter().map(|level| level.throughput_per_s).sum::<f64>() / levels.len() as f64;
    let squares = |of: &dyn Fn(&Level) -> f64| levels.iter().map(|level| square(of(level))).sum::<f64>();
    let left = squares(&|level| level.throughput_per_s - law.throughput_per_s(level.concurrency));
    let all = squares(&|level| level.throughput_per_s - mean);
    1.0 - left / all
}

/// None where the law, or one of those beside it, has no such point.
fn estimate(law: &Law, others: &[Law], of: impl Fn(&Law) -> f64) -> Option<Estimate> {
    let value = of(law);
    let left_out: Vec<f64> = others.iter().map(&of).collect();
    let count = left_out.len() as f64;
    let mean = left_out.iter().sum::<f64>() / count;
    let squares: f64 = left_out.iter().map(|value| square(value - mean)).sum();
    let half = student_t(left_out.len() - 1) * (squares * (count - 1.0) / count).sqrt();
    let known = value.is_finite() && half.is_finite();
    known.then_some(Estimate {
        value,
        low: (value - half).max(0.0),
        high: value + half,
    })
}

/// 97.5 % of Student's distribution.
fn student_t(degrees_of_freedom: usize) -> f64 {
    use statrs::distribution::{ContinuousCDF, StudentsT};
    let distribution = StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1) as f64);
    distribution.map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: Law = Law {
        alone_per_s: 1_000.0,
        contention: 0.03,
        coherency: 0.0005,
    };

    /// Levels of a system that follows the law, off by these shares in turn.
    fn levels(law: Law, off_by: f64) -> Vec<Level> {
        let level = |(index, n): (usize, f64)| Level {
            concurrency: n,
            throughput_per_s: law.throughput_per_s(n) * (1.0 + [off_by, -off_by, 0.0][index % 3]),
        };
        let concurrencies = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0];
        concurrencies.into_iter().enumerate().map(level).collect()
    }

    #[test]
    fn what_follows_the_law_gives_it_back() {
        let fit = Fit::of(&levels(LAW, 0.0)).expect("it fits");
        assert!((fit.law.alone_per_s - 1_000.0).abs() < 1e-6, "{fit:?}");
        assert!((fit.law.contention - 0.03).abs() < 1e-9, "{fit:?}");
        assert!((fit.law.coherency - 0.0005).abs() < 1e-9, "{fit:?}");
        // sqrt(0.97 / 0.0005) = 44.05
        assert!((LAW.peak() - 44.0454).abs() < 1e-3);
        let peak = fit.peak.expect("coherency costs").value;
        assert!((peak - LAW.throughput_per_s(LAW.peak())).abs() < 1e-6);
    }

    #[test]
    fn the_peak_and_the_knee_are_where_nothing_beside_them_is_higher() {
        let power = |n: f64| square(LAW.throughput_per_s(n)) / n;
        let (peak, knee) = (LAW.peak(), LAW.knee());
        assert!(knee > 1.0 && knee < peak);
        for beside in [0.99, 1.01] {
            assert!(LAW.throughput_per_s(peak * beside) < LAW.throughput_per_s(peak));
            assert!(power(knee * beside) < power(knee));
        }
    }

    #[test]
    fn intervals_hold_the_truth_where_measurements_are_off_by_a_few_percent() {
        let fit = Fit::of(&levels(LAW, 0.03)).expect("it fits");
        let holds = |estimate: Estimate, truth: f64| {
            assert!(
                estimate.low < truth && truth < estimate.high,
                "{estimate:?} {truth}"
            );
            assert!(estimate.high - estimate.low < truth, "{estimate:?} {truth}");
        };
        holds(fit.knee, LAW.throughput_per_s(LAW.knee()));
        holds(fit.peak.expect("it has one"), LAW.throughput_per_s(LAW.peak()));
    }

    #[test]
    fn without_coherency_there_is_a_knee_and_no_peak() {
        let law = Law {
            coherency: 0.0,
            ..LAW
        };
        let fit = Fit::of(&levels(law, 0.0)).expect("it fits");
        assert!(fit.law.coherency < 1e-9, "{fit:?}");
        assert!((law.knee() - 0.97 / 0.03).abs() < 1e-9);
        let knee = law.throughput_per_s(law.knee());
        assert!((fit.knee.value - knee).abs() < 1e-3 * knee, "{fit:?}");
    }

    #[test]
    fn what_says_too_little_or_something_else_is_no_fit() {
        let all = levels(LAW, 0.0);
        assert_eq!(Fit::of(&all[..5]), Err(NoFit::TooFew(5)));
        let narrow = |index: i32| Level {
            concurrency: 10.0 + f64::from(index),
            throughput_per_s: 100.0,
        };
        let narrow: Vec<Level> = (0..8).map(narrow).collect();
        assert_eq!(Fit::of(&narrow), Err(NoFit::TooNarrow));
        let mut erratic = all;
        for (index, level) in erratic.iter_mut().enumerate() {
            level.throughput_per_s = [200.0, 9_000.0, 700.0][index % 3];
        }
        assert_eq!(Fit::of(&erratic), Err(NoFit::TooLoose));
    }
}
