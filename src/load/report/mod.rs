//! The report: one HTML file that needs nothing beside it.

mod chart;
mod limit;
mod machine;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::monitor::Second;
use super::record::Op;
use super::slo::Verdict;
use super::summary::{OpSummary, Outcome, Summary};
pub use chart::escaped;
use chart::{Chart, Series, ms, number};
pub use machine::Machine;

const STYLE: &str = include_str!("report.css");

/// All that a test found, for a browser.
pub fn html(outcome: &Outcome, machine: &Machine) -> String {
    let summary = &outcome.summary;
    let title = escaped(&format!("{} against {}", summary.scenario, summary.target));
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><h1>{title}</h1>"
    );
    page += &verdict(summary);
    page += &objectives(&summary.slo);
    page += "<h2>What was measured</h2>";
    page += &operations(&summary.ops);
    for stage in &summary.stages {
        let name = escaped(&stage.name);
        let heading = match stage.from == stage.to {
            true => format!("{name}: {} for {:.0} s", number(stage.to), stage.seconds),
            false => format!(
                "{name}: {} to {} over {:.0} s",
                number(stage.from),
                number(stage.to),
                stage.seconds
            ),
        };
        let accepted = number(stage.accepted_per_second);
        let _string = write!(page, "<h3>{heading}; {accepted}/s accepted</h3>");
        page += &operations(&stage.ops);
    }
    page += &summary.limit.as_ref().map(limit::section).unwrap_or_default();
    page += &charts(&outcome.seconds);
    page += &errors(summary);
    page += &facts(summary, machine);
    page + "</html>\n"
}

fn verdict(summary: &Summary) -> String {
    let missed = summary.slo.iter().filter(|verdict| !verdict.met).count();
    let (class, words) = match (&summary.void_reason, missed) {
        (Some(why), _) => ("bad", format!("Void: {}", escaped(why))),
        (None, 0) if summary.slo.is_empty() => ("none", "Nothing was demanded".to_owned()),
        (None, 0) => ("good", "All objectives were met".to_owned()),
        (None, missed) => (
            "bad",
            format!("{missed} of {} objectives were missed", summary.slo.len()),
        ),
    };
    let mut text = format!("<p class=\"verdict {class}\">{words}</p>");
    let stopped = summary.stopped.iter();
    for note in stopped.chain(&summary.warnings) {
        let _string = write!(text, "<p class=\"note\">{}</p>", escaped(note));
    }
    text
}

fn objectives(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut table = "<table><tr><th>objective<th>stage<th>at most<th>found<th></tr>".to_owned();
    for verdict in verdicts {
        let what = match verdict.quantile {
            Some(share) => format!("{} {}", verdict.op, percentile(share)),
            None => verdict.op.to_owned(),
        };
        let value = |value: f64| match verdict.quantile {
            Some(_) => ms(value),
            None => format!("{} %", number(100.0 * value)),
        };
        let found = verdict.value.map_or("nothing measured".to_owned(), value);
        let (class, word) = if verdict.met {
            ("good", "met")
        } else {
            ("bad", "missed")
        };
        let stage = escaped(verdict.stage.as_deref().unwrap_or("all"));
        let most = value(verdict.max);
        let _string = write!(
            table,
            "<tr><td>{what}<td>{stage}<td>{most}<td>{found}<td class=\"{class}\">{word}</tr>"
        );
    }
    table + "</table>"
}

/// `p99.9`
fn percentile(share: f64) -> String {
    format!("p{}", number(100.0 * share))
}

fn operations(ops: &BTreeMap<&'static str, OpSummary>) -> String {
    let mut table = "<table><tr><th>operation<th>count<th>errors<th>late starts<th>dropped\
                     <th>p50<th>p90<th>p95<th>p99<th>p99.9<th>longest</tr>"
        .to_owned();
    let found = |op: Op| Some((op.as_str(), ops.get(op.as_str())?));
    for (name, op) in Op::ALL.into_iter().filter_map(found) {
        let _string = write!(
            table,
            "<tr><td>{name}<td>{}<td>{}<td>{}<td>{}",
            op.count, op.errors, op.late_starts, op.dropped
        );
        for time in [op.p50_ms, op.p90_ms, op.p95_ms, op.p99_ms, op.p999_ms, op.max_ms] {
            let shown = time.map_or("–".to_owned(), ms);
            let _string = write!(table, "<td>{shown}");
        }
        table += "</tr>";
    }
    table + "</table>"
}

/// What a chart shows of each second.
type Look = fn(&Second) -> Option<f64>;

fn charts(seconds: &[Second]) -> String {
    let stages = stages(seconds);
    let chart = |title, unit, lines: &[(&'static str, Look)]| {
        let series = lines.iter().map(|(name, look)| Series {
            name,
            points: seconds
                .iter()
                .map(|second| (second.at_seconds, look(second)))
                .collect(),
        });
        let chart = Chart {
            title,
            unit,
            series: series.collect(),
            stages: &stages,
        };
        chart.svg().unwrap_or_default()
    };
    let all = [
        chart(
            "Requests a second",
            "",
            &[
                ("wanted", |second| Some(second.wanted)),
                ("accepted", |second| Some(second.accepted as f64)),
                ("errors", |second| Some(second.errors as f64)),
            ],
        ),
        chart(
            "Until a request was answered",
            " ms",
            &[
                ("p50", |second| second.p50_ms),
                ("p95", |second| second.p95_ms),
                ("p99", |second| second.p99_ms),
                ("longest", |second| second.max_ms),
            ],
        ),
        chart(
            "Workflows and deliveries done a second",
            "",
            &[
                ("scheduled", |second| Some(second.scheduled as f64)),
                ("picked up", |second| Some(second.picked_up as f64)),
                ("delivered", |second| Some(second.delivered as f64)),
            ],
        ),
        chart(
            "Until a workflow was done",
            " ms",
            &[("p99", |second| second.schedule_p99_ms)],
        ),
        chart(
            "How long who waits the longest has waited",
            " s",
            &[
                ("for the workflow", |second| {
                    Some(second.unscheduled_age_ms? / 1e3)
                }),
                ("to be collected", |second| Some(second.uncollected_age_ms? / 1e3)),
            ],
        ),
        chart(
            "Until watchers saw it",
            " ms",
            &[
                ("frames, p99", |second| second.frame_p99_ms),
                ("events, p99", |second| second.seen_p99_ms),
            ],
        ),
        chart(
            "Requests under way",
            "",
            &[
                ("under way", |second| Some(second.under_way as f64)),
                ("waiting for a connection", |second| Some(second.waiting as f64)),
                ("connections", |second| Some(second.connections as f64)),
            ],
        ),
        chart(
            "The target's processor time",
            " cores",
            &[("used", |second| second.target?.cpu_share)],
        ),
        chart(
            "The target's memory",
            " MB",
            &[("resident", |second| Some(second.target?.resident_bytes? / 1e6))],
        ),
        chart(
            "Accepted, and waiting in the target to be admitted",
            "",
            &[("requests", |second| second.target?.inbox)],
        ),
        chart(
            "The generator's own processor time",
            " %",
            &[("of a core", |second| second.cpu_share.map(|share| 100.0 * share))],
        ),
    ];
    format!("<h2>Over time</h2><div class=\"charts\">{}</div>", all.concat())
}

/// When each stage begins.
fn stages(seconds: &[Second]) -> Vec<(f64, String)> {
    let mut stages: Vec<(f64, String)> = Vec::new();
    let mut before = 0.0;
    for second in seconds {
        if let Some(stage) = &second.stage
            && stages.last().is_none_or(|(_, last)| last != stage)
        {
            stages.push((before, stage.clone()));
        }
        before = second.at_seconds;
    }
    stages
}

fn errors(summary: &Summary) -> String {
    let mut table = String::new();
    for (op, figures) in &summary.ops {
        for (kind, count) in &figures.error_kinds {
            let kind = escaped(kind);
            let _string = write!(table, "<tr><td>{op}<td>{kind}<td>{count}</tr>");
        }
    }
    match table.is_empty() {
        true => table,
        false => format!("<h2>Errors</h2><table><tr><th>operation<th>kind<th>count</tr>{table}</table>"),
    }
}

fn facts(summary: &Summary, machine: &Machine) -> String {
    let deliveries = &summary.deliveries;
    let unknown = || "unknown".to_owned();
    let memory = machine.memory_bytes;
    let mut facts = vec![
        ("seed", summary.seed.to_string()),
        ("accepted", deliveries.accepted.to_string()),
    ];
    if deliveries.followed {
        facts.extend([
            ("scheduled", deliveries.scheduled.to_string()),
            ("picked up", deliveries.picked_up.to_string()),
            ("completed", deliveries.completed.to_string()),
            ("failed", deliveries.failed.to_string()),
            ("not scheduled at the end", deliveries.unscheduled.to_string()),
            ("under way at the end", deliveries.unfinished.to_string()),
            ("events missed", deliveries.events_missed.to_string()),
            ("events heard twice", deliveries.events_repeated.to_string()),
        ]);
    }
    if let Some(seen) = &summary.watchers {
        let at_once = format!("{} of {}", seen.most_connected, seen.sessions);
        facts.extend([
            ("watchers at once", at_once),
            ("connections they lost, on purpose", seen.drops.to_string()),
            ("events they missed", seen.missed.to_string()),
            ("events they heard twice", seen.repeated.to_string()),
        ]);
    }
    if let Some(share) = summary.generator.cpu_share {
        facts.push((
            "the generator's processor time",
            format!("{:.0} % of a core", 100.0 * share),
        ));
    }
    facts.push(("requests handed out late, p99", ms(summary.generator.lag_p99_ms)));
    facts.extend([
        ("generator", format!("skyhaul {}", machine.version)),
        ("its processor", machine.processor.clone().unwrap_or_else(unknown)),
        ("cores", machine.cores.to_string()),
        (
            "memory",
            memory.map_or_else(unknown, |bytes| {
                format!("{:.1} GiB", bytes as f64 / (1_u64 << 30) as f64)
            }),
        ),
        ("system", machine.system.clone().unwrap_or_else(unknown)),
    ]);
    let mut list = "<h2>Facts</h2><dl>".to_owned();
    for (name, value) in facts {
        let _string = write!(list, "<dt>{name}<dd>{}", escaped(&value));
    }
    list + "</dl>"
}
