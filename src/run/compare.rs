//! Runs of several policies and seeds against each other: means over the seeds, and paired
//! differences, since two policies meet the same customers and the same weather where they run
//! with the same seed.
//!
//! Intervals are of 95 % by Student's t: the mean ± t(0.975, n − 1) · s / √n.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Summary;
use crate::wire::api::forks::Measure;

pub const CONFIDENCE: f64 = 0.95;

/// A figure of a run that runs are compared by.
pub struct Metric {
    /// As in JSON.
    pub name: &'static str,
    /// For people, with its unit.
    pub title: &'static str,
    /// What it is shown times of: shares as per cent.
    pub scale: f64,
    read: fn(&Summary) -> Option<f64>,
    /// Follows from events, which recordings have; else only a world itself can tell.
    is_event: bool,
}

impl Metric {
    /// As it is of two; `is_told`: what is told by no event is known of both all the same.
    pub(super) fn measure(&self, of: &[Summary; 2], is_told: bool) -> Measure {
        let values = match self.is_event || is_told {
            true => of.each_ref().map(self.read),
            false => [None; 2],
        };
        let [one, other] = values;
        Measure {
            name: self.name.to_owned(),
            title: self.title.trim_start().to_owned(),
            scale: self.scale,
            values: values.to_vec(),
            difference: one.zip(other).map(|(one, other)| other - one),
        }
    }
}

/// Runs and recordings are compared by the same.
pub const METRICS: [Metric; 23] = [
    metric("requested", "requested", 1.0, |run| {
        Some(run.deliveries.requested as f64)
    }),
    metric("completed", "completed", 1.0, |run| {
        Some(run.deliveries.completed as f64)
    }),
    metric("thirdParty", "third party", 1.0, |run| {
        Some(run.deliveries.third_party as f64)
    }),
    metric("failed", "failed", 1.0, |run| Some(run.deliveries.failed as f64)),
    metric("cancelled", "cancelled", 1.0, |run| {
        Some(run.deliveries.cancelled as f64)
    }),
    metric("inProgress", "in progress", 1.0, |run| {
        Some(run.deliveries.in_progress as f64)
    }),
    metric("fulfilmentMeanSeconds", "to the door, mean s", 1.0, |run| {
        run.fulfilment.all.mean_seconds
    }),
    metric("fulfilmentP95Seconds", "to the door, p95 s", 1.0, |run| {
        run.fulfilment.all.p95_seconds
    }),
    metric("expeditedMeanSeconds", "expedited, mean s", 1.0, |run| {
        run.fulfilment.expedited.mean_seconds
    }),
    metric("airborneMean", "in the air, mean", 1.0, |run| {
        Some(run.airborne_mean)
    }),
    metric("totalWh", "energy, Wh", 1.0, |run| Some(run.energy.total_wh)),
    metric("whPerKm", "energy, Wh/km", 1.0, |run| run.energy.wh_per_km),
    metric("quoteErrorP50", "quote error, p50 %", 100.0, |run| {
        run.eta.quote_error_p50
    }),
    metric("quoteErrorP95", "quote error, p95 %", 100.0, |run| {
        run.eta.quote_error_p95
    }),
    metric("quoteBiasSeconds", "quote bias, s", 1.0, |run| {
        run.eta.quote_bias_seconds
    }),
    metric("lateShare", "late, %", 100.0, |run| run.eta.late_share),
    untold("conflicts", "conflicts", 1.0, |run| {
        Some(run.separation.conflicts as f64)
    }),
    metric("losses", "losses of separation", 1.0, |run| {
        Some(run.separation.losses as f64)
    }),
    untold("terminalLosses", "  around hubs", 1.0, |run| {
        Some(run.separation.terminal_losses as f64)
    }),
    untold("preventionRate", "prevented, %", 100.0, |run| {
        run.separation.prevention_rate
    }),
    untold("severity", "severity, %", 100.0, |run| run.separation.severity),
    untold("addedMetresPerFlightHour", "added, m/flight hour", 1.0, |run| {
        run.separation.added_metres_per_flight_hour
    }),
    untold("meanDelaySeconds", "put off, mean s", 1.0, |run| {
        run.separation.mean_delay_seconds
    }),
];

const fn metric(
    name: &'static str,
    title: &'static str,
    scale: f64,
    read: fn(&Summary) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        title,
        scale,
        read,
        is_event: true,
    }
}

/// What no event tells of.
const fn untold(
    name: &'static str,
    title: &'static str,
    scale: f64,
    read: fn(&Summary) -> Option<f64>,
) -> Metric {
    Metric {
        is_event: false,
        ..metric(name, title, scale, read)
    }
}

/// A mean over runs; without bounds where there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub runs: usize,
    pub mean: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// By the metric's name; what no run could tell is not there.
pub type Figures = BTreeMap<&'static str, Interval>;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfPolicy {
    pub policy: &'static str,
    pub metrics: Figures,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    pub policy: &'static str,
    /// What it is held against: the first that was named.
    pub against: &'static str,
    /// `policy` minus `against`, over the seeds for which both can tell.
    pub metrics: Figures,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    pub confidence: f64,
    pub means: Vec<OfPolicy>,
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// By policy the summaries of the same seeds in the same order.
    pub fn of(policies: &[&[Summary]]) -> Self {
        let name = |runs: &[Summary]| runs.first().map_or("", |run| run.policy);
        let means = policies.iter().map(|runs| OfPolicy {
            policy: name(runs),
            metrics: figures(|metric| runs.iter().filter_map(metric.read).collect()),
        });
        let differences = policies.iter().skip(1).map(|runs| Difference {
            policy: name(runs),
            against: name(policies[0]),
            metrics: figures(|metric| {
                let pairs = runs.iter().zip(policies[0]);
                let difference = |(run, other)| Some((metric.read)(run)? - (metric.read)(other)?);
                pairs.filter_map(difference).collect()
            }),
        });
        Comparison {
            confidence: CONFIDENCE,
            means: means.collect(),
            differences: differences.collect(),
        }
    }
}

fn figures(values: impl Fn(&Metric) -> Vec<f64>) -> Figures {
    let known = METRICS
        .iter()
        .map(|metric| (metric.name, interval(&values(metric))));
    known
        .filter_map(|(name, interval)| Some((name, interval?)))
        .collect()
}

/// `None` of nothing.
fn interval(values: &[f64]) -> Option<Interval> {
    let runs = values.len();
    if runs == 0 {
        return None;
    }
    let n = runs as f64;
    let mean = values.iter().sum::<f64>() / n;
    let half_width = quantile(runs - 1).map(|t| {
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        t * (squares / (n - 1.0) / n).sqrt()
    });
    Some(Interval {
        runs,
        mean,
        low: half_width.map(|half| mean - half),
        high: half_width.map(|half| mean + half),
    })
}

/// Student's t at which the interval ends; `None` without a degree of freedom.
fn quantile(freedom: usize) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    Some(t.inverse_cdf(0.5 + CONFIDENCE / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed tables of Student's t (two-sided, 95 %).
    #[test]
    fn quantiles_are_those_of_printed_tables() {
        for (freedom, printed) in [
            (1, 12.706),
            (2, 4.303),
            (4, 2.776),
            (9, 2.262),
            (29, 2.045),
            (120, 1.980),
        ] {
            let t = quantile(freedom).unwrap();
            assert!((t - printed).abs() < 0.000_6, "{freedom}: {t}");
        }
        assert_eq!(quantile(0), None);
    }

    /// Gosset's sleep data (1908): extra hours of sleep with the second drug against the first,
    /// the same ten patients; any book has the interval 0.70 to 2.46 about 1.58.
    #[test]
    fn gossets_patients_sleep_as_long_as_in_the_books() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let differences: Vec<f64> = second.iter().zip(first).map(|(b, a)| b - a).collect();
        let found = interval(&differences).unwrap();
        assert_eq!(found.runs, 10);
        assert!((found.mean - 1.58).abs() < 1e-9);
        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!(
            (low - 0.700_114).abs() < 1e-5 && (high - 2.459_886).abs() < 1e-5,
            "{low} {high}"
        );
    }

    #[test]
    fn one_run_has_a_mean_and_no_bounds_and_none_has_nothing() {
        let alone = interval(&[3.0]).unwrap();
        assert_eq!((alone.mean, alone.low, alone.high), (3.0, None, None));
        assert_eq!(interval(&[]), None);
    }
}
