//! What came of runs, as a table for people.

use super::display::clock;
use crate::run::{Comparison, Figures, METRICS, Metric, Spread, Summary};

pub fn of_one(summary: &Summary) -> String {
    let (deliveries, separation) = (&summary.deliveries, &summary.separation);
    let seconds = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.1} s"));
    let share =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{:.2} %", value * 100.0));
    let spread = |error: &Spread| {
        format!(
            "median {}, 95th percentile {}",
            seconds(error.p50_seconds),
            seconds(error.p95_seconds)
        )
    };
    let before = summary.eta.by_time_to_go.iter().map(|before| {
        let p95 = seconds(before.error.p95_seconds);
        let at_quote = seconds(before.at_quote.p95_seconds);
        format!("{} min: {p95} ({at_quote})", before.seconds / 60)
    });
    let by_time_to_go = format!(
        "95th percentile (the same trips' when quoted) {}",
        before.collect::<Vec<_>>().join(", ")
    );
    let completed_share = deliveries.completed as f64 / (deliveries.requested.max(1)) as f64;
    let rows = [
        (
            "scenario",
            format!("{} (seed {}, {})", summary.scenario, summary.seed, summary.policy),
        ),
        (
            "simulated",
            format!("{} in {} ticks", clock(summary.sim_seconds), summary.ticks),
        ),
        (
            "wall time",
            format!(
                "{:.2} s, {:.0} times real time",
                summary.wall_seconds, summary.real_time_factor
            ),
        ),
        (
            "drones",
            format!(
                "{}, {:.1} in the air on average, {:.1} % in use",
                summary.drones,
                summary.airborne_mean,
                summary.fleet_use.in_use * 100.0
            ),
        ),
        ("requested", deliveries.requested.to_string()),
        (
            "  completed",
            format!("{} ({:.1} %)", deliveries.completed, completed_share * 100.0),
        ),
        ("  cancelled", deliveries.cancelled.to_string()),
        ("  failed", deliveries.failed.to_string()),
        ("  third party", deliveries.third_party.to_string()),
        ("  in progress", deliveries.in_progress.to_string()),
        (
            "to the door",
            format!(
                "mean {}, 95th percentile {}",
                seconds(summary.fulfilment.all.mean_seconds),
                seconds(summary.fulfilment.all.p95_seconds)
            ),
        ),
        (
            "quote error",
            format!(
                "median {}, 95th percentile {} of the trip",
                share(summary.eta.quote_error_p50),
                share(summary.eta.quote_error_p95)
            ),
        ),
        ("  in seconds", spread(&summary.eta.at_quote)),
        ("  at pick-up", spread(&summary.eta.at_pickup)),
        ("  before it came", by_time_to_go),
        (
            "ETA jumps",
            summary
                .eta
                .jumps
                .mean
                .map_or("–".to_owned(), |mean| format!("{mean:.2} a delivery")),
        ),
        ("quote bias", seconds(summary.eta.quote_bias_seconds)),
        ("late", share(summary.eta.late_share)),
        (
            "energy",
            format!(
                "{:.1} kWh, {} per km ({})",
                summary.energy.total_wh / 1_000.0,
                summary
                    .energy
                    .wh_per_km
                    .map_or("–".to_owned(), |value| format!("{value:.2} Wh")),
                summary.energy.model
            ),
        ),
        (
            "below reserve",
            match summary.energy.reserve_dip_share {
                Some(share) => format!("{} flights ({:.1} %)", summary.energy.reserve_dips, 100.0 * share),
                None => "no flights".to_owned(),
            },
        ),
        (
            "conflicts",
            format!(
                "{} in {:.1} flight hours, {} prevented",
                separation.conflicts,
                separation.flight_hours,
                share(separation.prevention_rate)
            ),
        ),
        (
            "lost separation",
            format!(
                "{} times, {} around hubs; {} deep on average",
                separation.losses,
                separation.terminal_losses,
                share(separation.severity)
            ),
        ),
        ("digest", summary.digest.clone()),
    ];
    let lines = rows.iter().map(|(name, value)| format!("{name:<15} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// One column a policy: means over the seeds, each ± half of its interval; then what sets each
/// apart from the first. A star marks what is unlikely to be chance.
pub fn of_several(by_policy: &[&[Summary]], comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    let first = by_policy.first().and_then(|runs| runs.first());
    let seeds: Vec<u64> = by_policy
        .iter()
        .flat_map(|runs| runs.iter().map(|run| run.seed))
        .collect();
    if let Some(run) = first {
        let range = match (seeds.iter().min(), seeds.iter().max()) {
            (Some(low), Some(high)) if low < high => format!("seeds {low} to {high}"),
            _ => format!("seed {}", run.seed),
        };
        let simulated = clock(run.sim_seconds);
        lines.push(format!(
            "{}, {range}, {simulated} simulated in each run",
            run.scenario
        ));
    }
    let columns: Vec<(String, &Figures)> = comparison
        .means
        .iter()
        .map(|of| (of.policy.to_owned(), &of.metrics))
        .collect();
    lines.extend(
        ["".to_owned()]
            .into_iter()
            .chain(block("mean ± 95 %", &columns, false)),
    );
    let columns: Vec<(String, &Figures)> = comparison
        .differences
        .iter()
        .map(|of| (of.policy.to_owned(), &of.metrics))
        .collect();
    if let Some(difference) = comparison.differences.first() {
        let title = format!("against {}", difference.against);
        lines.extend(["".to_owned()].into_iter().chain(block(&title, &columns, true)));
        lines.push("* zero is outside the 95 % interval of the paired differences (Student's t)".to_owned());
    }
    lines.join("\n")
}

fn block(title: &str, columns: &[(String, &Figures)], signed: bool) -> Vec<String> {
    let head = columns.iter().map(|(name, _)| format!("{name:>24}"));
    let row = |metric: &Metric| {
        let cells = columns
            .iter()
            .map(|(_, figures)| format!("{:>24}", cell(metric, figures, signed)));
        format!("{:<22}{}", metric.title, cells.collect::<String>())
    };
    let head = format!("{title:<22}{}", head.collect::<String>());
    std::iter::once(head).chain(METRICS.iter().map(row)).collect()
}

fn cell(metric: &Metric, figures: &Figures, signed: bool) -> String {
    let Some(interval) = figures.get(metric.name) else {
        return "–".to_owned();
    };
    let mean = interval.mean * metric.scale;
    let mean = if signed {
        format!("{mean:+.2}")
    } else {
        format!("{mean:.2}")
    };
    let Some((low, high)) = interval.low.zip(interval.high) else {
        return mean;
    };
    let half = (high - low) / 2.0 * metric.scale;
    let sure = signed && (low > 0.0 || high < 0.0);
    format!("{mean} ± {half:.2}{}", if sure { " *" } else { "" })
}
