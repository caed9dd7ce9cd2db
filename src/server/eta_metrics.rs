//! What `/metrics` shows of how well promised times held, over the last deliveries.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};

use crate::sim::promise::TIMES_TO_GO;
use crate::view::reading::{ErrorReading, QuoteReading};

pub(super) fn encode(quotes: &QuoteReading, encoder: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
    let mut told = vec![("quote".to_owned(), quotes.at_quote)];
    told.extend(quotes.at_pickup.map(|error| ("pickup".to_owned(), error)));
    let rows = TIMES_TO_GO.iter().zip(&quotes.by_time_to_go);
    let rows = rows.filter_map(|(seconds, row)| Some((format!("{seconds}s"), row.as_ref()?)));
    let rows: Vec<_> = rows.collect();
    told.extend(rows.iter().map(|(when, row)| (when.clone(), row.error)));
    let same_trips = rows.iter().map(|(when, row)| (when.clone(), row.at_quote));
    let families: [(_, _, Vec<(String, ErrorReading)>); 2] = [
        (
            "skyhaul_eta_error",
            "errors of delivery times as they were told at the first quote, at pick-up and so long \
             before the end, over the last thousand completed deliveries",
            told,
        ),
        (
            "skyhaul_eta_quote_error",
            "errors at the first quote of those deliveries alone that are in the row of so long before \
             the end of skyhaul_eta_error",
            same_trips.collect(),
        ),
    ];
    for (name, what, errors) in families {
        encode_errors(name, what, &errors, encoder)?;
    }
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

/// In seconds, and as shares of the trip from the first quote to the door.
fn encode_errors(
    name: &str,
    what: &str,
    errors: &[(String, ErrorReading)],
    encoder: &mut DescriptorEncoder<'_>,
) -> std::fmt::Result {
    let seconds: Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>> = Family::default();
    let shares: Family<Vec<(&'static str, String)>, Gauge<f64, AtomicU64>> = Family::default();
    for (when, error) in errors {
        for (quantile, in_seconds, share) in [
            ("0.5", error.p50_s, error.p50_share),
            ("0.95", error.p95_s, error.p95_share),
        ] {
            let label = vec![("told_at", when.clone()), ("quantile", quantile.to_owned())];
            seconds.get_or_create(&label).set(in_seconds);
            shares.get_or_create(&label).set(share);
        }
    }
    for (unit, help, family) in [
        ("seconds", format!("Absolute {what}"), seconds),
        (
            "ratio",
            format!("As shares of the trip from the first quote to the door: {what}"),
            shares,
        ),
    ] {
        let name = format!("{name}_{unit}");
        family.encode(encoder.encode_descriptor(&name, &help, None, family.metric_type())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::text;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::view::reading::TimeToGoReading;

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
        let row = |p50_s, p95_s| {
            Some(TimeToGoReading {
                trips: 2,
                error: error(p50_s, p95_s),
                at_quote: error(p50_s + 20.0, p95_s + 20.0),
            })
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Told(QuoteReading {
            samples: 3,
            at_quote: error(20.5, 80.0),
            bias_s: -4.25,
            late_share: 0.125,
            at_pickup: told(7.0, 9.0),
            by_time_to_go: [None, row(5.0, 6.0), row(3.0, 4.0), row(1.0, 2.0)],
            jumps: 1.5,
        })));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        for line in [
            "skyhaul_eta_error_seconds{told_at=\"quote\",quantile=\"0.5\"} 20.5",
            "skyhaul_eta_error_seconds{told_at=\"pickup\",quantile=\"0.95\"} 9.0",
            "skyhaul_eta_error_seconds{told_at=\"60s\",quantile=\"0.95\"} 2.0",
            "skyhaul_eta_quote_error_seconds{told_at=\"60s\",quantile=\"0.95\"} 22.0",
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
