//! What `/metrics` shows of how well promised times held, over the last deliveries.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use crate::sim::promise::TIMES_TO_GO;
use crate::view::reading::{ErrorReading, QuoteReading};

pub(super) fn encode(quotes: &QuoteReading, encoder: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
    let errors: Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>> = Family::default();
    let at_quote = ErrorReading {
        p50_s: quotes.p50_s,
        p95_s: quotes.p95_s,
    };
    let told = [
        ("quote".to_owned(), Some(at_quote)),
        ("pickup".to_owned(), quotes.at_pickup),
    ];
    let before = TIMES_TO_GO.iter().map(|seconds| format!("{seconds}s"));
    for (when, error) in told.into_iter().chain(before.zip(quotes.by_time_to_go)) {
        let quantiles = error.map(|error| [("0.5", error.p50_s), ("0.95", error.p95_s)]);
        for (quantile, seconds) in quantiles.into_iter().flatten() {
            let label = vec![("told_at", when.clone()), ("quantile", quantile.to_owned())];
            errors.get_or_create(&label).set(seconds);
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
