//! What `/metrics` shows of how well promised times held, over the last deliveries.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use crate::sim::promise::TIMES_TO_GO;
use crate::view::reading::QuoteReading;

pub(super) fn encode(quotes: &QuoteReading, encoder: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
    let errors: Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>> = Family::default();
    let shares: Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>> = Family::default();
    let told = [
        ("quote".to_owned(), Some(quotes.at_quote)),
        ("pickup".to_owned(), quotes.at_pickup),
    ];
    let before = TIMES_TO_GO.iter().map(|seconds| format!("{seconds}s"));
    for (when, error) in told.into_iter().chain(before.zip(quotes.by_time_to_go)) {
        let quantiles = error.map(|error| {
            let median = ("0.5", error.p50_s, error.p50_share);
            [median, ("0.95", error.p95_s, error.p95_share)]
        });
        for (quantile, seconds, share) in quantiles.into_iter().flatten() {
            let label = vec![("told_at", when.clone()), ("quantile", quantile.to_owned())];
            errors.get_or_create(&label).set(seconds);
            shares.get_or_create(&label).set(share);
        }
    }
    let help = "Absolute errors of delivery times as they were told at the first quote, at pick-up \
                and so long before the end, over the last thousand completed deliveries";
    errors.encode(encoder.encode_descriptor(
        "skyhaul_eta_error_seconds",
        help,
        None,
        errors.metric_type(),
    )?)?;
    let help = "The same as shares of the trip from the first quote to the door";
    shares.encode(encoder.encode_descriptor(
        "skyhaul_eta_error_ratio",
        help,
        None,
        shares.metric_type(),
    )?)?;
    let figures = [
        (
            "skyhaul_eta_bias_seconds",
            "Mean of actual minus quoted: positive means that deliveries come late",
            quotes.bias_s,
        ),
        (
            "skyhaul_eta_late_ratio",
            "Share of deliveries over a minute after their first quote",
            quotes.late_share,
        ),
        (
            "skyhaul_eta_jumps",
            "How often what a customer was told jumped by more than five seconds, a delivery",
            quotes.jumps,
        ),
    ];
    for (name, help, value) in figures {
        let figure = ConstGauge::new(value);
        figure.encode(encoder.encode_descriptor(name, help, None, figure.metric_type())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::view::reading::ErrorReading;

    #[derive(Debug)]
    struct Told(QuoteReading);

    impl Collector for Told {
        fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
            encode(&self.0, &mut encoder)
        }
    }

    #[test]
    fn every_error_that_is_known_has_a_line_and_no_other() {
        let error = |p50_s, p95_s| ErrorReading {
            p50_s,
            p95_s,
            p50_share: p50_s / 1_000.0,
            p95_share: p95_s / 1_000.0,
        };
        let told = |p50_s, p95_s| Some(error(p50_s, p95_s));
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Told(QuoteReading {
            samples: 3,
            at_quote: error(20.5, 80.0),
            bias_s: -4.25,
            late_share: 0.125,
            at_pickup: told(7.0, 9.0),
            by_time_to_go: [None, told(5.0, 6.0), told(3.0, 4.0), told(1.0, 2.0)],
            jumps: 1.5,
        })));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        for line in [
            "skyhaul_eta_error_seconds{told_at=\"quote\",quantile=\"0.5\"} 20.5",
            "skyhaul_eta_error_seconds{told_at=\"pickup\",quantile=\"0.95\"} 9.0",
            "skyhaul_eta_error_seconds{told_at=\"60s\",quantile=\"0.95\"} 2.0",
            "skyhaul_eta_error_ratio{told_at=\"quote\",quantile=\"0.95\"} 0.08",
            "skyhaul_eta_bias_seconds -4.25",
            "skyhaul_eta_late_ratio 0.125",
            "skyhaul_eta_jumps 1.5",
        ] {
            assert!(page.lines().any(|told| told == line), "{line}:\n{page}");
        }
        assert!(!page.contains("600s"), "nobody was quoted so early:\n{page}");
    }
}
