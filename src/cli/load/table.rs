//! What a test found, for people.

use std::fmt::Write;

use crate::load::{Op, OpSummary, Outcome, StageSummary, Summary};

/// Narrow enough for a terminal of 100 columns.
pub(super) fn of(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut text = format!("{} against {}\n\n", summary.scenario, summary.target);
    text += &operations(summary);
    text += &stages(summary);
    text += &deliveries(summary);
    text += &audience(summary);
    text += &errors(summary);
    text += &generator(summary);
    text += &objectives(summary);
    text += &limit(summary);
    for warning in &outcome.warnings {
        line(&mut text, format_args!("warning: {warning}"));
    }
    if let Some(reason) = &summary.void_reason {
        line(&mut text, format_args!("VOID: {reason}"));
    }
    text.trim_end().to_owned()
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn operations(summary: &Summary) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!(
            "{:<12} {:>10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "operation", "count", "errors", "p50", "p90", "p95", "p99", "p99.9", "max"
        ),
    );
    for (name, op) in in_order(summary) {
        let OpSummary {
            count: all, errors, ..
        } = *op;
        if all == 0 {
            line(&mut text, format_args!("{name:<12} {:>10}", "none"));
            continue;
        }
        line(
            &mut text,
            format_args!(
                "{name:<12} {:>10} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
                count(all),
                count(errors),
                ms(op.p50_ms),
                ms(op.p90_ms),
                ms(op.p95_ms),
                ms(op.p99_ms),
                ms(op.p999_ms),
                ms(op.max_ms)
            ),
        );
    }
    text
}

/// As they follow each other in a delivery's life, not by the alphabet.
fn in_order(summary: &Summary) -> impl Iterator<Item = (&'static str, &OpSummary)> {
    let found = |name| summary.ops.get(name).map(|op| (name, op));
    Op::ALL.map(Op::as_str).into_iter().filter_map(found)
}

fn stages(summary: &Summary) -> String {
    if summary.stages.len() < 2 {
        return String::new();
    }
    let mut text = String::from("\n");
    line(
        &mut text,
        format_args!(
            "{:<12} {:>8} {:>19} {:>10} {:>9} {:>9} {:>8} {:>8}",
            "stage", "lasts", "asked", "accepted/s", "p50", "p99", "errors", "late"
        ),
    );
    for stage in &summary.stages {
        let StageSummary {
            name,
            seconds,
            from,
            to,
            accepted_per_second,
            ops,
        } = stage;
        let Some(accept) = ops.get("accept") else { continue };
        let asked = match from == to {
            true => amount(*to),
            false => format!("{} → {}", amount(*from), amount(*to)),
        };
        let accepted = amount(*accepted_per_second);
        line(
            &mut text,
            format_args!(
                "{name:<12} {:>8} {asked:>19} {accepted:>10} {:>9} {:>9} {:>8} {:>8}",
                format!("{seconds} s"),
                ms(accept.p50_ms),
                ms(accept.p99_ms),
                count(accept.errors),
                count(accept.late_starts)
            ),
        );
    }
    text
}

fn deliveries(summary: &Summary) -> String {
    let deliveries = &summary.deliveries;
    let mut text = String::from("\n");
    if !deliveries.followed {
        line(
            &mut text,
            format_args!(
                "deliveries   {} accepted, and not followed",
                count(deliveries.accepted)
            ),
        );
        return text;
    }
    line(
        &mut text,
        format_args!(
            "deliveries   {} accepted, {} scheduled, {} picked up, {} completed, {} failed; at the end {} not scheduled, {} unfinished",
            count(deliveries.accepted),
            count(deliveries.scheduled),
            count(deliveries.picked_up),
            count(deliveries.completed),
            count(deliveries.failed),
            count(deliveries.unscheduled),
            count(deliveries.unfinished)
        ),
    );
    if deliveries.events_missed + deliveries.events_repeated > 0 {
        line(
            &mut text,
            format_args!(
                "             of their events {} were missed and {} repeated",
                count(deliveries.events_missed),
                count(deliveries.events_repeated)
            ),
        );
    }
    if let Some(asked) = &deliveries.asked {
        line(
            &mut text,
            format_args!(
                "             each asked for every {} s: {} questions, {} unanswered",
                asked.every_seconds,
                count(asked.questions),
                count(asked.unanswered)
            ),
        );
    }
    text
}

fn audience(summary: &Summary) -> String {
    let Some(seen) = &summary.watchers else {
        return String::new();
    };
    let mut text = String::new();
    line(
        &mut text,
        format_args!(
            "audience     {} of {} at once, {} frames, {} events: {} missed, {} repeated",
            count(seen.most_connected),
            count(seen.sessions),
            count(seen.frames),
            count(seen.events),
            count(seen.missed),
            count(seen.repeated)
        ),
    );
    if seen.drops + seen.moves > 0 {
        line(
            &mut text,
            format_args!(
                "             {} connections dropped, {} topics resumed, {} begun anew; {} moves of a viewport",
                count(seen.drops),
                count(seen.recovered),
                count(seen.not_recovered),
                count(seen.moves)
            ),
        );
    }
    if seen.pressed > 0 {
        line(
            &mut text,
            format_args!("             told {} times of a lower rate", count(seen.pressed)),
        );
    }
    text
}

fn errors(summary: &Summary) -> String {
    let mut text = String::new();
    let ops = in_order(summary).map(|(name, op)| (name, &op.error_kinds));
    let watchers = summary.watchers.iter().map(|seen| ("watchers", &seen.errors));
    for (name, kinds) in ops.chain(watchers).filter(|(_, kinds)| !kinds.is_empty()) {
        let kinds = kinds
            .iter()
            .map(|(kind, times)| format!("{kind} {}", count(*times)));
        line(
            &mut text,
            format_args!("errors       {name}: {}", kinds.collect::<Vec<_>>().join(", ")),
        );
    }
    text
}

fn generator(summary: &Summary) -> String {
    let effort = &summary.generator;
    let accept = summary.ops.get("accept");
    let (late, dropped) = accept.map_or((0, 0), |op| (op.late_starts, op.dropped));
    let cpu = match effort.cpu_share {
        Some(share) => format!("{:.0} % of a processor, ", share * 100.0),
        None => String::new(),
    };
    let cpu = match effort.workers {
        0 | 1 => cpu,
        workers => format!("{workers} threads, the busiest at {cpu}"),
    };
    let mut text = String::new();
    line(
        &mut text,
        format_args!(
            "generator    {cpu}{} connections at most, {} late starts, {} dropped, p99 of its own lag {}",
            count(effort.connections as u64),
            count(late),
            count(dropped),
            ms(Some(effort.lag_p99_ms))
        ),
    );
    text
}

fn objectives(summary: &Summary) -> String {
    let mut text = String::from("\n");
    for verdict in &summary.slo {
        let mark = if verdict.met { "met   " } else { "MISSED" };
        line(
            &mut text,
            format_args!("{mark}  {}: {}", verdict.wanted(), verdict.found()),
        );
    }
    text
}

/// The levels of a search, in the order in which they were tried.
fn limit(summary: &Summary) -> String {
    let Some(limit) = &summary.limit else {
        return String::new();
    };
    let mut text = String::from("\n");
    line(
        &mut text,
        format_args!(
            "{:>10} {:>10} {:>11} {:>9} {:>9} {:>11} {:>7}  {}",
            "asked/s", "accepted/s", "scheduled/s", "p50", "p99", "under way", "cpu", ""
        ),
    );
    for level in &limit.levels {
        let or_none = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), amount);
        let cpu = level
            .target_cpu_share
            .map_or_else(|| "–".to_owned(), |share| format!("{share:.2}"));
        line(
            &mut text,
            format_args!(
                "{:>10} {:>10} {:>11} {:>9} {:>9} {:>11} {cpu:>7}  {}",
                amount(level.asked_per_second),
                amount(level.accepted_per_second),
                or_none(level.scheduled_per_second),
                ms(level.p50_ms),
                ms(level.p99_ms),
                or_none(level.concurrency),
                level.broke.as_deref().unwrap_or("held")
            ),
        );
    }
    let held = limit.held_per_second.map_or_else(
        || "nothing held".to_owned(),
        |held| format!("{}/s held", amount(held)),
    );
    let broke = match (limit.broke_per_second, &limit.why) {
        (Some(broke), Some(why)) => format!(", {}/s did not: {why}", amount(broke)),
        _ => ", and nothing broke it".to_owned(),
    };
    line(&mut text, format_args!("\nlimit        {held}{broke}"));
    if let Some(gave_out) = &limit.gave_out {
        line(&mut text, format_args!("gave out     {gave_out}"));
    }
    match (&limit.fit, &limit.no_fit) {
        (Some(fit), _) => {
            let knee = fit.knee_per_second;
            line(
                &mut text,
                format_args!(
                    "scalability  knee at {}/s ({} to {}); contention {:.4}, coherency {:.6}, R² {:.3}",
                    amount(knee.value),
                    amount(knee.low),
                    amount(knee.high),
                    fit.contention,
                    fit.coherency,
                    fit.r_squared
                ),
            );
        }
        (None, Some(why)) => line(&mut text, format_args!("scalability  no fit: {why}")),
        (None, None) => {}
    }
    if let Some(safe) = limit.safe_per_second {
        line(
            &mut text,
            format_args!(
                "safe         {}/s: seven tenths of what held, and left of the knee",
                amount(safe)
            ),
        );
    }
    text
}

/// With a comma every three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let grouped = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = grouped
        .map(|group| std::str::from_utf8(group).unwrap_or(""))
        .collect();
    groups.join(",")
}

/// A rate or a number of users.
fn amount(number: f64) -> String {
    match number.fract() == 0.0 || number >= 100.0 {
        true => count(number.round() as u64),
        false => format!("{number:.1}"),
    }
}

/// Milliseconds as people read them.
pub(super) fn ms(time: Option<f64>) -> String {
    match time {
        None => "–".to_owned(),
        Some(ms) if ms >= 10_000.0 => format!("{:.1} s", ms / 1e3),
        Some(ms) if ms >= 100.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{ms:.1} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [None, Some(1.25), Some(250.4), Some(12_345.0)].map(ms),
            ["–", "1.2 ms", "250 ms", "12.3 s"]
        );
        assert_eq!([4.0, 0.5, 1_234.5].map(amount), ["4", "0.5", "1,235"]);
    }
}
